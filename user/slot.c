/* Slots of this process's CNode. See slot.h. */
#include "user/slot.h"

#include "user/env.h"
#include "user/lock.h"
#include "user/slot_map.h"

#define SLOT_MAX 65536u

static struct slot_map slot_of_process;
static uint64_t slot_bits[SLOT_MAX / 64];
static struct lock slot_lock;
static bool slot_ready;

static void slot_enter(void)
{
	lock_take(&slot_lock);
	if (!slot_ready) {
		uint32_t end = env_get()->cnode_bits < 16 ? 1u << env_get()->cnode_bits : SLOT_MAX;

		slot_map_init(&slot_of_process, slot_bits, end);
		slot_map_release(&slot_of_process, TASK_SLOT_FREE, end);
		slot_ready = true;
	}
}

static void slot_leave(void)
{
	lock_release(&slot_lock);
}

void slot_begin(seL4_CPtr first)
{
	slot_enter();
	if (first > TASK_SLOT_FREE)
		slot_map_hold(&slot_of_process, TASK_SLOT_FREE, (uint32_t)(first - TASK_SLOT_FREE));
	slot_leave();
}

seL4_CPtr slot_alloc_range(uint32_t n)
{
	uint32_t first;

	slot_enter();
	first = slot_map_take(&slot_of_process, n);
	slot_leave();
	return first;
}

seL4_CPtr slot_alloc(void)
{
	return slot_alloc_range(1);
}

void slot_free_range(seL4_CPtr first, uint32_t n)
{
	slot_enter();
	slot_map_release(&slot_of_process, (uint32_t)first, n);
	slot_leave();
}

void slot_free(seL4_CPtr slot)
{
	slot_free_range(slot, 1);
}
