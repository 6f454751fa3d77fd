/* A lock between threads of one priority. See lock.h. */
#include "user/lock.h"

#include "sel4/sel4.h"

void lock_take(struct lock *l)
{
	while (__atomic_exchange_n(&l->held, 1, __ATOMIC_ACQUIRE)) {
		seL4_Yield();
		__builtin_ia32_pause(); /* the holder may be on another CPU */
	}
}

void lock_release(struct lock *l)
{
	__atomic_store_n(&l->held, 0, __ATOMIC_RELEASE);
}
