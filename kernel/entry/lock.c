/*
 * The kernel lock (lock.h). The uncontended way in is in entry.S (lock_stub), the way out one instruction at
 * each of its sites.
 */
#include "entry/lock.h"
#include "arch/x86/cpu_hw.h"
#include "arch/x86/smp/smp.h"
#include "entry/entry.h"
#include "entry/patch.h"
#include "mem/mem.h"
#include "panic.h"
#include "percpu.h"

bool lock_shared;
/* Each in a cache line of its own: those who wait read one, those who come write the other. At first the boot
 * CPU has it. */
uint32_t lock_next __attribute__((aligned(64))) = 1;
uint32_t lock_owner __attribute__((aligned(64)));
static bool lock_seized __attribute__((aligned(64)));
static bool lock_counted;

static void lock_share_counted(void)
{
	INVARIANT(patch_apply_call(PATCH_LOCK_SYSCALL, entry_lock_syscall_counted));
	INVARIANT(patch_apply_call(PATCH_LOCK_TRAP, entry_lock_trap_counted));
	INVARIANT(patch_apply_call(PATCH_LOCK_INTERRUPT, entry_lock_interrupt_counted));
	INVARIANT(patch_apply_call(PATCH_LOCK_TAKEN, entry_lock_taken));
	INVARIANT(patch_apply_call(PATCH_LOCK_LEAVE, entry_lock_leave_counted));
	lock_counted = true;
}

void lock_share(bool count)
{
	uint8_t leave[8] = {0xff, 0x04, 0x25}; /* incl lock_owner */

	lock_shared = true;
	if (count) {
		lock_share_counted();
		return;
	}
	mem_put32(leave + 3, (uint32_t)(uintptr_t)&lock_owner);
	INVARIANT(patch_apply_call(PATCH_LOCK_SYSCALL, entry_lock_syscall));
	INVARIANT(patch_apply_call(PATCH_LOCK_TRAP, entry_lock_trap));
	INVARIANT(patch_apply_call(PATCH_LOCK_INTERRUPT, entry_lock_interrupt));
	INVARIANT(patch_apply(PATCH_LOCK_LEAVE, leave, 7));
}

bool lock_count(const struct percpu *p, uint64_t *acquisitions, uint64_t *ticks)
{
	*acquisitions = p->lock_acquisitions;
	*ticks = p->lock_ticks;
	return lock_counted;
}

bool lock_wait(uint32_t ticket, unsigned vector, enum lock_entry kind)
{
	struct percpu *p = percpu_self();
	bool taken;

	p->entering = (uint8_t)kind;
	p->entering_vector = (uint8_t)vector;
	while (__atomic_load_n(&lock_owner, __ATOMIC_ACQUIRE) != ticket) {
		if (smp_called(p))
			smp_serve();
		if (unlikely(__atomic_load_n(&lock_seized, __ATOMIC_RELAXED)))
			cpu_stop();
		cpu_pause();
	}
	taken = p->vacated;
	p->vacated = false;
	p->entering = LOCK_NOTHING;
	return taken;
}

bool lock_enter_slow(enum lock_entry kind)
{
	uint32_t ticket = __atomic_fetch_add(&lock_next, 1, __ATOMIC_SEQ_CST);
	bool taken = __atomic_load_n(&lock_owner, __ATOMIC_ACQUIRE) != ticket && lock_wait(ticket, 0, kind);

	lock_hw_taken();
	return taken;
}

void lock_seize(void)
{
	if (!lock_shared)
		return;
	__atomic_store_n(&lock_seized, true, __ATOMIC_SEQ_CST);
	/* A ticket that is never given back: nobody behind it gets in, whoever holds the lock now. */
	__atomic_fetch_add(&lock_next, 1, __ATOMIC_SEQ_CST);
	for (uint32_t i = 0; i < smp_cpu_count; i++)
		if (i != percpu_self()->cpu)
			smp_kick(smp_percpu(i));
}
