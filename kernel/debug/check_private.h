/*
 * What the parts of the invariant walk share (check.h). One walk is under way at a time: its state is static,
 * for the kernel's stack has no room for it. A part that finds something wrong says so with check_fail() and
 * goes on; only what was found first is kept, and what follows may be nonsense, so check_ok() bounds every
 * loop.
 */
#ifndef DEBUG_CHECK_PRIVATE_H
#define DEBUG_CHECK_PRIVATE_H

#include "cap/cte.h"
#include "debug/check.h"
#include "object/tcb.h"
#include "percpu.h"

/* Things found in two places are counted in both: as many as there should be. */
struct check_count {
	uint64_t slots;		       /* not empty, in objects that hold slots; caps in the list */
	uint64_t at_endpoints, in_ipc; /* waiting in endpoints' queues; threads that say so */
	uint64_t at_notifications, in_wait;
	uint64_t ready, queued;	    /* in ready queues; threads that say so */
	uint64_t released, waiting; /* in release queues; threads that say so */
	uint64_t timers, armed;	    /* in timer trees; timers that say so */
	uint64_t asids, roots;	    /* entries of pools; roots that say so */
};

extern struct check_result *check_now;
extern struct check_count check_count;

static inline bool check_ok(void)
{
	return !check_now->what;
}

void check_fail(const char *what, uint64_t where, uint64_t a, uint64_t b);

/* Both numbers are printed when they differ. */
#define CHECK(cond, what, where, a, b)                                                                       \
	do {                                                                                                 \
		if (unlikely(!(cond)))                                                                       \
			check_fail(what, where, (uint64_t)(a), (uint64_t)(b));                               \
	} while (0)

static inline uint64_t check_at(const void *p)
{
	return (uint64_t)(uintptr_t)p;
}

uint32_t check_cpu_count(void);
struct percpu *check_cpu(uint32_t i);

/* ---- check_tree.c: the derivation list ---- */
void check_tree(void);

/* ---- one object each, called once for every object that has a capability ---- */
void check_endpoint(cap_t cap); /* check_ipc.c */
void check_notification(cap_t cap);
void check_reply(cap_t cap);
void check_thread(struct tcb *t, bool dying); /* check_thread.c; dying: only a zombie is left */
void check_sched_context(cap_t cap);	      /* check_sched.c */
void check_timer(cap_t cap);

/* ---- check_sched.c: queues and current threads of all CPUs ---- */
void check_cpus(void);

/* ---- check_memory.c: tables and ASIDs. On the host some tests have none (check_fake.c) ---- */
void check_memory_begin(void);
void check_memory_frame(const struct cte *slot); /* every frame capability */
void check_memory_table(const struct cte *slot,
			bool first); /* every paging structure's; first: of its object */
void check_memory_thread(const struct tcb *t);
void check_memory_end(void);

/* ---- check_window.c ---- */
void check_window_begin(void);
void check_window_frame(cap_t cap);		     /* once for each frame */
void check_window_held(const void *kv);		     /* somebody holds the frame that lies here */
void check_window_kernel(paddr_t p, uint64_t bytes); /* a kernel object lies here */
void check_window_end(void);

/* ---- check_set.c: sets of words, and words that are all 0 ---- */

/* Emptied by check_set_clear(). The i-th key that was added lies in entries[entries[i].nth]. */
struct check_set {
	struct check_set_entry {
		uint64_t key;
		uint32_t round, count;
		uint32_t nth;
	} * entries;
	uint32_t size; /* a power of two */
	uint32_t used, round;
	bool full; /* something found no room: what is not in the set may yet have been added */
};
void check_set_clear(struct check_set *s);
/* How often it has been added, this time included. */
uint32_t check_set_add(struct check_set *s, uint64_t key);
uint32_t check_set_count(const struct check_set *s, uint64_t key);

/* Most of what there is to look at is empty slots and entries: so many words at once. */
#define CHECK_WORDS 32u
bool check_words_zero(const void *words);

#endif
