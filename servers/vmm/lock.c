/*
 * Locks of the vmm's threads, the domain's among them: a word with three states (free, held, held with waiters) and a notification to wait on. A thread that
 * finds one held sleeps: spinning would only burn the slice of the holder on the same CPU, or its own while the holder waits for another CPU.
 */
#include "servers/vmm/vmm.h"

#include <stdlib.h>
#include "sel4/sel4.h"
#include "user/object.h"

enum { FREE, HELD, CONTENDED };

static struct vmm_mutex domain;

void vmm_mutex_init(struct vmm_mutex *m)
{
	if (!m->waiters)
		m->waiters = object_create_slot(seL4_NotificationObject, 0);
	if (!m->waiters)
		abort();
}

void vmm_mutex_take(struct vmm_mutex *m)
{
	uint32_t seen = FREE;

	if (__atomic_compare_exchange_n(&m->word, &seen, HELD, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return;
	while (__atomic_exchange_n(&m->word, CONTENDED, __ATOMIC_ACQUIRE) != FREE)
		seL4_Wait(m->waiters, NULL);
}

void vmm_mutex_release(struct vmm_mutex *m)
{
	/* the one woken takes the lock as CONTENDED, and so wakes the next */
	if (__atomic_exchange_n(&m->word, FREE, __ATOMIC_RELEASE) == CONTENDED)
		seL4_Signal(m->waiters);
}

void vmm_lock_init(void)
{
	vmm_mutex_init(&domain);
}

void vmm_lock(void)
{
	vmm_mutex_take(&domain);
}

void vmm_unlock(void)
{
	vmm_mutex_release(&domain);
}
