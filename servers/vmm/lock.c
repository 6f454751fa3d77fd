/*
 * The domain's lock: a word with three states (free, held, held with waiters) and a notification to wait on. A thread that finds it
 * held sleeps: spinning would only burn the slice of the holder on the same CPU.
 */
#include "servers/vmm/vmm.h"

#include <stdlib.h>
#include "sel4/sel4.h"
#include "user/object.h"

enum { FREE, HELD, CONTENDED };

static uint32_t word;
static seL4_CPtr waiters;

void vmm_lock_init(void)
{
	waiters = object_create_slot(seL4_NotificationObject, 0);
	if (!waiters)
		abort();
}

void vmm_lock(void)
{
	uint32_t seen = FREE;

	if (__atomic_compare_exchange_n(&word, &seen, HELD, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return;
	while (__atomic_exchange_n(&word, CONTENDED, __ATOMIC_ACQUIRE) != FREE)
		seL4_Wait(waiters, NULL);
}

void vmm_unlock(void)
{
	/* the one woken takes the lock as CONTENDED, and so wakes the next */
	if (__atomic_exchange_n(&word, FREE, __ATOMIC_RELEASE) == CONTENDED)
		seL4_Signal(waiters);
}
