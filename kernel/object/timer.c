/*
 * Timer objects: a deadline and a notification. Called by invocation_decode, by the timer interrupt, by
 * finalisation. An armed timer is in the tree of the CPU on which it was armed.
 */
#include "object/timer.h"
#include "api/invocation.h"
#include "insula/ext.h"
#include "ipc/notification.h"
#include "sched/remote.h"

/* Signals per timer interrupt; it fires again at once if more are due. */
#define TIMER_EXPIRIES_PER_TICK 32u

static void timer_disarm(struct timer *t)
{
	struct percpu *p;

	if (!t->armed)
		return;
	p = remote_percpu(t->cpu);
	if (rbtree_first(&p->timers) == &t->node)
		p->reprogram = true;
	rbtree_erase(&p->timers, &t->node);
	t->armed = 0;
}

static void timer_arm(struct timer *t, ticks_t deadline)
{
	struct percpu *p = percpu_self();

	t->cpu = p->cpu;
	t->armed = 1;
	if (rbtree_insert(&p->timers, &t->node, deadline))
		p->reprogram = true;
}

static bool timer_bound(const struct timer *t)
{
	return cap_type(t->notification.cap) == CAP_NOTIFICATION;
}

/* The notification may have been deleted since: then nothing is there to be told. */
static void timer_fire(struct timer *t)
{
	cap_t cap = t->notification.cap;

	if (timer_bound(t))
		notification_signal(cap_notification_of(cap), cap_notification_badge(cap));
}

void timer_expire(ticks_t now)
{
	struct percpu *p = percpu_self();
	struct rbtree_node *n;
	struct timer *t;

	for (unsigned i = 0; i < TIMER_EXPIRIES_PER_TICK; i++) {
		n = rbtree_first(&p->timers);
		if (!n || n->key > now)
			return;
		t = RBTREE_OWNER(n, struct timer, node);
		timer_disarm(t);
		timer_fire(t);
	}
}

exception_t timer_drain(struct timer *t)
{
	timer_disarm(t);
	return cte_delete(&t->notification, true);
}

static exception_t timer_bind_decode(struct timer *t)
{
	struct cte *source = invocation_extra(0);
	exception_t e;
	cap_t cap;

	if (source) {
		cap = source->cap;
		if (cap_type(cap) != CAP_NOTIFICATION || !cap_notification_can_send(cap))
			return error_invalid_capability(1);
	}
	/* deletes no object but, as its last capability, a notification: never the source's */
	e = timer_drain(t);
	if (e != EXC_NONE)
		return e;
	if (source)
		cte_insert(cap, source, &t->notification);
	return EXC_NONE;
}

static exception_t timer_set_decode(struct timer *t, unsigned length)
{
	ticks_t deadline = invocation_arg(0);

	if (length < 1)
		return error_truncated();
	if (!timer_bound(t))
		return error_illegal_operation();
	timer_disarm(t);
	if (deadline <= percpu_self()->now)
		timer_fire(t);
	else
		timer_arm(t, deadline);
	return EXC_NONE;
}

exception_t timer_decode(word_t label, unsigned length, cap_t cap)
{
	struct timer *t = cap_timer_of(cap);

	switch (label) {
	case InsulaTimerBind:
		return timer_bind_decode(t);
	case InsulaTimerSet:
		return timer_set_decode(t, length);
	case InsulaTimerCancel:
		timer_disarm(t);
		return EXC_NONE;
	default:
		return error_illegal_operation();
	}
}
