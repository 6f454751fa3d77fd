/*
 * The portable kernel on the host, for tests: real capabilities, IPC, scheduling, threads and system calls,
 * above an arena as physical memory, a clock that the test moves, and a CPU that is this process. Threads
 * share one root CNode.
 */
#ifndef API_SIM_FAKE_H
#define API_SIM_FAKE_H

#include "object/tcb.h"
#include "percpu.h"
#include "sel4/constants.h"

struct endpoint;
struct notification;
struct reply;
struct sched_context;

#define SIM_TICKS_PER_US 10u
#define SIM_CNODE_RADIX	 8u
#define SIM_ROOT	 255u /* slot with the root CNode's own capability, once there is an Untyped */

extern struct percpu *percpu_host;
extern ticks_t sim_now;	     /* the TSC */
extern ticks_t sim_deadline; /* of the timer; UINT64_MAX: none */
extern bool
    sim_two_levels; /* threads made from now on have a CSpace of two CNodes, which fast paths refuse */
extern uint64_t sim_cr2;
extern bool sim_interrupt; /* long operations find one waiting */
extern unsigned sim_refs;     /* window_ref less window_unref */
extern char sim_console[256]; /* what was put there last */

void sim_reset(void);
struct cte *sim_slot(unsigned slot);
/* New objects; their capability with all rights goes into `slot`. */
void sim_cnode(unsigned slot, unsigned radix);
struct endpoint *sim_endpoint(unsigned slot);
struct notification *sim_notification(unsigned slot);
struct reply *sim_reply(unsigned slot);
struct sched_context *sim_sched_context(unsigned slot);
/* A thread with CSpace and IPC buffer, inactive, without a scheduling context. */
struct tcb *sim_thread(unsigned slot, uint8_t priority);
/* A scheduling context for it in slot sc; budget == period is round robin. Then it is runnable. */
struct sched_context *sim_start(struct tcb *t, unsigned sc, uint64_t budget_us, uint64_t period_us);
struct timer *sim_timer(unsigned slot);
/* A capability without a parent; of an object of 2^bits bytes that is zero, unless bits is 0. */
void sim_root(unsigned slot, cap_t cap, unsigned bits);
/* RAM to make objects of, and in SIM_ROOT the capability of the CNode that they can go to. */
void sim_untyped(unsigned slot, unsigned bits);
/* A copy with a badge and fewer rights. */
void sim_mint(unsigned dst, unsigned src, word_t rights, word_t badge);

/* Leaves the kernel: the thread that runs now, or NULL if all wait and no timer is set. */
struct tcb *sim_exit(void);
/* Did the last system call take a fast path? They leave the kernel's time as it was, or make the plain switch
 * themselves. */
bool sim_was_fast(void);
/* The running thread makes a system call (registers rdi, rsi, r12, r13, and message registers are set
 * before). */
struct tcb *sim_syscall(struct tcb *t, int64_t number, word_t rdi, word_t rsi);
/* Time passes in user mode; the timer interrupt comes if its deadline does. */
struct tcb *sim_run(ticks_t ticks);
/* The running thread takes an exception. */
struct tcb *sim_trap(struct tcb *t, unsigned vector, word_t error_code);

/* Call on an object: returns the reply's label; the words are in the registers. */
word_t sim_invoke(struct tcb *t, unsigned slot, word_t label, unsigned extra, const unsigned *caps,
		  unsigned length, const word_t *words);

static inline word_t sim_tag(word_t label, unsigned extra, unsigned length)
{
	return label << 12 | extra << 7 | length;
}
static inline void sim_set_mrs(struct tcb *t, word_t a, word_t b, word_t c, word_t d)
{
	t->ctx.r10 = a;
	t->ctx.r8 = b;
	t->ctx.r9 = c;
	t->ctx.r15 = d;
}

/* A test's own, if it has one: invocations of frames. */
exception_t sim_frame_decode(word_t label, unsigned length, struct cte *slot, cap_t cap);

#endif
