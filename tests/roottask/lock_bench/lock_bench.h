/*
 * A root task that measures what operations have of the kernel lock, for bench/lock.py, on a kernel that was
 * told to count (lock-count). All CPUs do the same at once. A line per operation: `LOCK cpus=N op=NAME
 * operations=N acquisitions=N ticks=N passed=N`, the last two in ticks of the TSC: held by any CPU, and gone
 * by; then `LOCK done`.
 */
#ifndef LOCK_BENCH_H
#define LOCK_BENCH_H

#include "roottask/runtime/object.h"
#include "roottask/runtime/print.h"
#include "roottask/runtime/runtime.h"
#include "roottask/runtime/space.h"
#include "roottask/runtime/thread.h"

#define LOCK_BENCH_CPUS_MAX 8

/* One CPU's party: in the image, so that every address space shows it. */
struct party {
	seL4_Word cpu;
	seL4_CPtr go, done, ready; /* a run's begin and end; the other thread is there */
	seL4_CPtr there, back;	   /* notifications of the two threads */
	seL4_CPtr endpoint, reply;
	seL4_CPtr space, frame, untyped, slot;
	seL4_Word vaddr;
	seL4_CPtr vcpu;
	struct insula_vcpu_state *state; /* of the vCPU */
};

/* An operation. caller() runs `rounds` of it; other(), if there is one, is there for them and never returns.
 */
struct operation {
	const char *name;
	void (*caller)(struct party *p, seL4_Word rounds);
	void (*other)(void *party);
	int other_above; /* the other's priority is the higher one */
	int other_next;	 /* it runs on the next CPU */
	int passive;	 /* it has no scheduling context */
	int faults;	 /* the endpoint is where the caller's faults go */
	int own_space;	 /* the caller runs in a space of its own */
	int first_only;	 /* the first CPU works, the others only compute meanwhile */
	int vcpu;	 /* the caller has a vCPU: 1 with a state page, 2 without */
};

/* CPUs that take part. */
extern seL4_Word cpus;

extern const struct operation operations[];
extern const unsigned operation_count;

/* A vCPU for the thread `tcb`, with a state page if wanted. */
void guest_make(struct party *p, seL4_CPtr tcb, int with_page);
void guest_caller_page(struct party *p, seL4_Word rounds);
void guest_caller_own(struct party *p, seL4_Word rounds);
void guest_caller_message(struct party *p, seL4_Word rounds);

#endif
