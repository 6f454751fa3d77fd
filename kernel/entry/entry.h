/*
 * The ways into the kernel and out of it (entry.S), and what they call in kernel/api/. All of them run with
 * interrupts off, on this CPU's kernel stack, from its top: nothing is kept on it from one entry to the next.
 */
#ifndef ENTRY_ENTRY_H
#define ENTRY_ENTRY_H

#include "types.h"

struct context;

/*
 * kernel/api/: the user's registers are in percpu->context (its `syscall` says how it came in). When the
 * handler has returned, kernel_exit says whose registers are loaded; it does the waiting when nothing can
 * run, and the guest mode. The handler of system calls does that itself: a fast path knows the answer. All three are called with the kernel lock (lock.h); what
 * returns the registers to be loaded has left it.
 */
struct context *syscall_handle(int64_t number);
/* Exception 0..31, or a software interrupt 0xa0 and above by the INT instruction. Error code in the context;
 * CR2 is still the fault's. */
void trap_handle(unsigned vector);
/*
 * An interrupt is in percpu->arch.pending_vector, not yet acknowledged: IRQ_VECTOR_TIMER, IRQ_VECTOR_KICK, a
 * device vector, or any other from 0x20 on that a device's message names without right: to be acknowledged
 * and forgotten.
 */
void interrupt_handle(void);
struct context *kernel_exit(void);
/*
 * With more than one CPU, instead of syscall_handle: system call VMEnter, which has not taken the kernel lock. It takes
 * it only if it needs it.
 */
struct context *vmenter_handle(void);

/* The first way out: drops what is on the stack, calls kernel_exit and loads the registers. Boot. */
NORETURN void entry_first_exit(void);

/* What takes the kernel lock on the way in, each for its patch site only (lock.h). */
void entry_lock_syscall(void);
void entry_lock_trap(void);
void entry_lock_interrupt(void);
void entry_lock_syscall_counted(void);
void entry_lock_trap_counted(void);
void entry_lock_interrupt_counted(void);
/* Not to be called from C: they keep all registers but RAX and RDX; all. */
void entry_lock_taken(void);
void entry_lock_leave_counted(void);

/* SYSCALL's target, and the code of interrupt vector v at entry_vectors + ENTRY_VECTOR_BYTES * v. */
void entry_syscall(void);
extern const char entry_vectors[];
#define ENTRY_VECTOR_BYTES 16

/* First and one past the last vector that user code may use with INT n. */
#define ENTRY_INT_FIRST 0xa0
#define ENTRY_INT_LAST	0xfe /* the kernel's own, IRQ_VECTOR_TIMER and IRQ_VECTOR_KICK, are not open to INT  \
			      */

/* A vector that INT n reaches was entered from user mode: by that, or by an interrupt. Called by entry.S
 * only. */
void entry_int_handle(unsigned vector);

/* STI; HLT; CLI as one: an interrupt taken anywhere in it returns behind the HLT. */
void entry_wait(void);

#endif
