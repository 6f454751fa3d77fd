/*
 * The kernel lock: one CPU at a time is in the kernel (but for guest mode and the way to it, object/vcpu.h).
 * Fair: a ticket lock. With one CPU there is none: the places on the fast paths are patch sites, filled
 * before a second CPU starts. docs/decisions/0009.
 *
 * The entry path takes it before anything but the interrupted thread's registers is touched (entry.S), the
 * handlers leave it as the last thing they do. A CPU that waits for it does the calls that the holder makes
 * (arch/x86/smp/smp.h): so its current thread may have been taken off it in the meantime.
 */
#ifndef ENTRY_LOCK_H
#define ENTRY_LOCK_H

#include "types.h"

struct percpu;

/* What a CPU that waits for the lock was about to do for its current thread. */
enum lock_entry {
	LOCK_NOTHING, /* the thread is between two instructions */
	LOCK_SYSCALL,
	LOCK_TRAP,
};

#ifdef INSULA_HOST

static inline void lock_enter(void)
{
}
static inline bool lock_enter_for(enum lock_entry kind)
{
	(void)kind;
	return false;
}
static inline void lock_leave(void)
{
}
static inline bool lock_wanted(void)
{
	return false;
}
static inline void lock_pass(void)
{
}
static inline bool lock_count(const struct percpu *p, uint64_t *acquisitions, uint64_t *ticks)
{
	(void)p;
	*acquisitions = *ticks = 0;
	return false;
}

#else

#include "arch/x86/cpu_hw.h"
#include "entry/lock_hw.h"

/*
 * Boot, before another CPU is started, while patch sites can be filled: from here on the lock exists, held by
 * this CPU. `count` (boot option lock-count): its use is counted.
 */
void lock_share(bool count);

/* How often that CPU has taken the lock, and for how many ticks of the TSC it has held it; lock held. False:
 * it is not counted. */
bool lock_count(const struct percpu *p, uint64_t *acquisitions, uint64_t *ticks);

extern bool lock_shared;
extern uint32_t lock_next, lock_owner; /* tickets: the next to be given, the one that is being served */

/* True: the current thread was taken away meanwhile, as with lock_wait(). */
bool lock_enter_slow(enum lock_entry kind);
static inline bool lock_enter_for(enum lock_entry kind)
{
	return unlikely(lock_shared) && lock_enter_slow(kind);
}
/* With nothing of the current thread under way. */
static inline void lock_enter(void)
{
	lock_enter_for(LOCK_NOTHING);
}

/* Everything done before is seen by the next holder. */
static inline void lock_leave(void)
{
	lock_hw_leave();
}

/* Held: does another CPU wait for it? (Where there is no lock, nobody does: lock.c.) */
static inline bool lock_wanted(void)
{
	return __atomic_load_n(&lock_next, __ATOMIC_RELAXED) != lock_owner + 1;
}

/*
 * lock_leave() where much time may go by in user or guest mode before this CPU comes again. The lock goes to
 * the one that waits longest, whether that one's CPU runs or not; an emulator that runs one CPU after the
 * other, and a hypervisor with less CPUs than we believe to have, let it run when this one pauses. Without
 * that, a CPU that computes from one timer interrupt to the next would let one that makes system calls in
 * only once per interrupt: each would find the other waiting before it.
 */
static inline void lock_pass(void)
{
	bool wanted = lock_wanted();

	lock_leave();
	if (unlikely(wanted))
		cpu_pause();
}

/*
 * Called by entry.S with a ticket that is not served yet; returns when it is. True: the current thread has
 * been taken off this CPU, and what it was about to do is no longer to be done here. `vector`: of a trap.
 */
bool lock_wait(uint32_t ticket, unsigned vector, enum lock_entry kind);

/* Panic: whoever comes to the lock from now on stops there. */
void lock_seize(void);

#endif
#endif
