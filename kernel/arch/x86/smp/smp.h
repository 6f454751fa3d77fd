/*
 * The CPUs that run, and calls from one of them to others. A call is made by the holder of the kernel lock
 * (entry/lock.h), which waits until it has been done; the others do it when they come to the lock, where an
 * interrupt brings them. So while a called function runs, nothing else of the kernel's shared state moves,
 * and no two calls are ever under way.
 */
#ifndef ARCH_X86_SMP_SMP_H
#define ARCH_X86_SMP_SMP_H

#include "arch/x86/mm/layout.h"
#include "percpu.h"

/* The most that any machine may have: what the MADT's reader lists. */
#define SMP_CPUS_MAX 256u

/* CPUs 0 (the boot CPU) to smp_cpu_count - 1 run. Grows at boot only. */
extern uint32_t smp_cpu_count;

/* The area of a CPU that runs, or is being started. */
static inline struct percpu *smp_percpu(uint32_t index)
{
#ifdef INSULA_HOST
	struct percpu *p = percpu_self();

	return p - p->cpu + index; /* an array, in tests */
#else
	return (struct percpu *)(uintptr_t)(layout_cpu(index) + LAYOUT_CPU_PERCPU);
#endif
}

/* Runs fn(arg) on another CPU, with interrupts off and that CPU's area. */
void smp_call(uint32_t index, void (*fn)(void *), void *arg);

/*
 * The same on every other CPU that is concerned: asked by this CPU, behind a barrier, of the CPU's area. What
 * concerns() reads must either change under the lock only, or be published by its CPU with a barrier before
 * it goes on.
 */
typedef bool (*smp_concerns_fn)(struct percpu *p, uint64_t key);
void smp_call_others_slow(smp_concerns_fn concerns, uint64_t key, void (*fn)(void *), void *arg);
static inline void smp_call_others(smp_concerns_fn concerns, uint64_t key, void (*fn)(void *), void *arg)
{
	if (unlikely(smp_cpu_count > 1))
		smp_call_others_slow(concerns, key, fn, arg);
}

/* Called by a CPU on its way to the lock, again and again: is there a call for it? Then smp_serve(). */
static inline bool smp_called(const struct percpu *p)
{
	return __atomic_load_n(&p->arch.called, __ATOMIC_ACQUIRE);
}
void smp_serve(void);

/*
 * Lock held: another CPU comes into the kernel soon. One interrupt is under way at most: smp_kick_taken(),
 * with the lock held, is the other side, when IRQ_VECTOR_KICK is handled.
 */
void smp_kick(struct percpu *p);
void smp_kick_taken(void);

#endif
