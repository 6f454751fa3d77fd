/*
 * A root task that uses the kernel at random, on every CPU, and cannot hurt itself: what it invokes is in a
 * CNode of its own, made of memory of its own, all of which is taken back now and then. One controller per
 * CPU sends invocations that never block, and lets the threads under test run, which make system calls with
 * random registers and talk to each other.
 *
 * Options on the kernel's command line: fuzz.seed=N, fuzz.steps=N (invocations of all controllers together),
 * fuzz.check=N (a debug kernel walks its invariants after every N steps; 0: never), fuzz.recycle=N (steps of
 * the first controller between two times that all is taken back), fuzz.count=1 (a debug kernel is asked which
 * labels succeeded). Prints its progress, with fuzz.count "fuzz: label L succeeded N times" for each label,
 * then "fuzz: N invocations on C CPUs, seed S: all is well".
 */
#ifndef FUZZ_H
#define FUZZ_H

#include "roottask/fuzz/generate.h"
#include "roottask/runtime/object.h"
#include "roottask/runtime/print.h"
#include "roottask/runtime/runtime.h"
#include "roottask/runtime/space.h"
#include "roottask/runtime/thread.h"

#define ROOT	 seL4_CapInitThreadCNode
#define DEPTH	 seL4_WordBits
#define MAX_CPUS 8u

/* The CNode under test: 2^FUZZ_BITS slots, at FUZZ_CPTR in the controllers' CSpace and in that of the threads
 * under test. */
#define FUZZ_BITS  7u
#define FUZZ_SLOTS (1u << FUZZ_BITS)
extern seL4_Word fuzz_cptr;

/* What it begins with after every recycling. */
enum fuzz_slot {
	FUZZ_NODE = 1,	  /* itself */
	FUZZ_UNTYPED = 2, /* and a second behind it */
	FUZZ_THREAD = 4,
	FUZZ_THREADS = 8,
	FUZZ_SC = 12,
	FUZZ_PARTS = 20, /* a CNode of 1,024 slots for those of FUZZ_LARGE */
	FUZZ_ENDPOINT = 21,
	FUZZ_NOTIFICATION = 25,
	FUZZ_REPLY = 29,
	FUZZ_TIMER = 37,
	FUZZ_SPACE = 39, /* PML4 of the threads; unmapped: PDPT, PD, PT */
	FUZZ_CODE = 43,
	FUZZ_BUFFER = 44, /* frames: FUZZ_BUFFERS */
	FUZZ_BUFFERS = 4,
	FUZZ_SCHED_CONTROL = 48, /* one per CPU */
	FUZZ_ASID_CONTROL = 56,
	FUZZ_ASID_POOL,
	FUZZ_DOMAIN,
	FUZZ_IRQ, /* two handlers */
	FUZZ_PORT = 61,
	FUZZ_VCPU,	 /* vCPU, EPT PML4, PDPT, PD, PT */
	FUZZ_PAGES = 68, /* two Untypeds of a page */
	FUZZ_FREE = 70,	 /* empty from here on, but for what would not be found often enough beside others: */
	FUZZ_LARGE = 80, /* a frame of 2 MiB */
	FUZZ_TABLES = 110, /* IO page table; EPT PD and PT that are not mapped */
};

extern const char worker_code[], worker_code_end[], worker_guest[], worker_call[], worker_serve[],
    worker_yield[], worker_keep[];
extern seL4_IPCBuffer fuzz_buffers[];

/* world.c: made once; then all that is under test taken back and made anew. */
void world_init(unsigned cpus);
void world_make(void);
/* After some time: servers that wait lose their scheduling contexts, so that they run on their clients';
 * these begin. */
void world_talk(void);
/* Gives a thread the controllers' CSpace. */
void world_share(seL4_CPtr tcb);
/* Everything is gone, and its memory is free again. */
void world_end(void);

/* option.c: the number behind `name=` on the kernel's command line. */
seL4_Word option(const char *name, seL4_Word otherwise);

#endif
