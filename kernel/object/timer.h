/*
 * Timer objects (extension): an absolute deadline in TSC ticks, a notification to signal. Each armed timer is
 * in the tree of the CPU that armed it. 128 bytes.
 */
#ifndef OBJECT_TIMER_H
#define OBJECT_TIMER_H

#include "cap/cte.h"
#include "arch/x86/mm/window.h"
#include "percpu.h"
#include "rbtree/rbtree.h"

struct timer {
	struct cte notification; /* bound, or null */
	struct rbtree_node node; /* key: deadline */
	uint32_t cpu;
	uint32_t armed;
	uint8_t reserved[128 - 32 - sizeof(struct rbtree_node) - 8];
};
_Static_assert(sizeof(struct timer) == 128, "timer size");

static inline struct timer *cap_timer_of(cap_t c)
{
	return window_kv(paddr(cap_timer_ptr(c)));
}

exception_t timer_decode(word_t label, unsigned length, cap_t cap);
/* The last capability goes: disarm, drop the notification. EXC_PREEMPTED as cte_delete(). */
exception_t timer_drain(struct timer *t);
/* Signals all timers of this CPU whose deadline is not after now. */
void timer_expire(ticks_t now);
/* Earliest deadline on this CPU, UINT64_MAX if none. */
static inline ticks_t timer_next(const struct percpu *p)
{
	const struct rbtree_node *n = rbtree_first(&p->timers);

	return n ? n->key : UINT64_MAX;
}

#endif
