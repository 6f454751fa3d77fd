/*
 * Per-CPU data, reached through GS in the kernel (swapgs at the boundary). Everything that exists
 * once per CPU is here; there is no other mutable state but what is written in kernel/state.h.
 * Offsets for assembler files are generated from this structure (entry/asm_offsets.c.in).
 */
#ifndef PERCPU_H
#define PERCPU_H

#include "types.h"
#include "api/error.h"
#include "arch/x86/percpu_hw.h"

struct tcb;
struct cte;
struct sched_context;
#include "rbtree/rbtree.h"

#define PRIORITIES   256
#define DOMAIN_COUNT 1

struct ready_queue {
	struct tcb *head, *tail;
};

struct percpu {
	struct percpu_entry entry;
	uint64_t kernel_stack;   /* top of this CPU's stack */
	struct context *context; /* where the entry path stores the user's registers: current->context, or idle's */
	struct tcb *current;     /* never NULL after boot; the idle thread if nothing runs */
	struct tcb *idle;
	uint32_t cpu;            /* index, 0 is the boot CPU */
	uint32_t apic_id;
	/* While this CPU waits for the kernel lock (entry/lock.h): */
	uint8_t entering;        /* enum lock_entry: for what */
	uint8_t entering_vector; /* of the trap */
	bool vacated;            /* the current thread was taken away meanwhile (sched/remote.c) */
	/* Where the lock is counted (entry/lock.h): */
	uint64_t lock_since, lock_acquisitions, lock_ticks;

	/* scheduler (sched/) */
	struct ready_queue ready[PRIORITIES];
	int32_t ready_top;       /* highest priority with a ready thread; -1: none */
	uint64_t ready_l1;       /* bit i: some queue in ready_l2[i] */
	uint64_t ready_l2[PRIORITIES / 64];
	struct tcb *scheduler_action; /* NULL: keep current; SCHED_CHOOSE: choose; else switch to this */
	struct rbtree release;   /* threads waiting for budget, by release time (sched/release.c) */
	struct rbtree timers;    /* timer objects, by deadline (object/timer.c) */
	struct sched_context *current_sc;
	ticks_t now;             /* taken at kernel entry and after waiting */
	ticks_t consumed;        /* by current_sc since it was charged */
	bool reprogram;          /* the deadline of the next timer interrupt is to be found anew */
	ticks_t alarm;           /* for when the timer is set; UINT64_MAX: it is not */

	/* of the operation under way */
	struct cte *extra_caps[3];
	struct lookup_fault lookup_fault;
	struct syscall_error error;
	struct fault fault;
	word_t args[24];         /* the invocation's message, copied once; then the words of its reply (api/invocation.c) */
	unsigned arg_count;
	bool call;               /* the invocation is a Call: it gets an answer */
	unsigned reply_length;   /* set by invocation_reply*() */

	struct percpu_arch arch;
};

/* SCHED_CHOOSE: see sched/sched.h */

#endif
