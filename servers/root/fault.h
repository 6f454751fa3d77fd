/* Faults of processes: a plain line, and word to whoever made the process. */
#ifndef ROOT_FAULT_H
#define ROOT_FAULT_H

#include <stdbool.h>
#include <stdint.h>
#include "servers/root/task.h"
#include "user/message.h"

/* Of the fault endpoint of a task's threads; task ids are small. */
static inline uint64_t fault_badge(uint32_t task)
{
	return 1ull << 63 | task;
}

static inline bool fault_is(uint64_t badge)
{
	return badge >> 63;
}

/* A fault message came with this badge. The thread stays where it is. */
void fault_handle(uint64_t badge, uint64_t label, struct message *m);
/* A task of this parent with a fault not yet told; NULL. */
struct task *fault_next(uint32_t parent);

#endif
