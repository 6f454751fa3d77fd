/*
 * A root task that checks the kernel on several CPUs: a line per case on the debug console, `ok NAME` or `not ok NAME: why`, then
 * `smp: N CPUs, N cases, M not ok`. With one CPU the cases are the same, and show less. On the kernel's command line,
 * rounds=N says how long the stress goes on, walk=N is for a debug kernel, and times=N how often a case repeats at most what another CPU has to answer: where
 * the emulator's CPUs are threads of a busy host, an answer takes as long as that host lets the other one wait.
 */
#ifndef SMP_TASK_H
#define SMP_TASK_H

#include "roottask/runtime/object.h"
#include "roottask/runtime/print.h"
#include "roottask/runtime/runtime.h"
#include "roottask/runtime/space.h"
#include "roottask/runtime/thread.h"

#define SMP_PRIORITY 100
#define SMP_SLICE    5000
#define SMP_WORKERS  12

extern seL4_Word smp_cpus, smp_rounds, smp_virt;
extern seL4_Word smp_walk; /* a debug kernel walks its invariants every so many steps; 0: another kernel */
extern seL4_Word smp_by_turns; /* the machine is an emulator that runs one CPU after the other */
extern seL4_Word smp_guest_if; /* RFLAGS.IF of the guest: Bochs never ends the turn of one that spins with it clear */

/* n, or what times= allows. */
unsigned smp_times(unsigned n);

void smp_case(const char *name, int good, const char *why);

/* A worker's thread on `cpu` (the last one if there are fewer), in the first thread's address space. n < SMP_WORKERS; one user at a time. */
struct thread smp_worker(unsigned n, seL4_Word cpu, seL4_Word priority, seL4_CPtr fault_endpoint);
/* Its scheduling context goes to that CPU. */
void smp_move(const struct thread *t, seL4_Word cpu);
void smp_delete(seL4_CPtr cap);
/* The first thread waits, others run. */
void smp_delay(seL4_Word us);
/* Time passes, and the first thread keeps its CPU. */
void smp_spin(seL4_Word us);
seL4_Word smp_tsc(void);
/* Waits until *p >= value; 0 if it has not come after a long time. */
int smp_wait_for(const volatile seL4_Word *p, seL4_Word value);
/* Does it stand still (for some milliseconds)? */
int smp_still(const volatile seL4_Word *p);
/* A timer object, signalling `notification`. */
seL4_CPtr smp_timer(seL4_CPtr notification);
void smp_timer_set(seL4_CPtr timer, seL4_Word tsc);
extern seL4_Word smp_tsc_per_us;

void ipc_cases(void);
void thread_cases(void);
void memory_cases(void);
void guest_cases(void);
void guest_stress_cases(void);
void stress_cases(void);

#endif
