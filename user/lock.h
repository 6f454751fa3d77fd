/*
 * A lock between threads of one process, held for short stretches: a thread that finds it held gives up the CPU until it is free. All
 * threads that share one have the same priority, else a waiter could keep the holder from running.
 */
#ifndef USER_LOCK_H
#define USER_LOCK_H

#include <stdint.h>

struct lock {
	uint32_t held;
};

void lock_take(struct lock *l);
void lock_release(struct lock *l);

#endif
