/*
 * Send and NBSend to a notification, Wait and NBWait on one. Called by syscall.c. Rules of fast paths:
 * fast.h.
 */
#include "api/fast.h"
#include "ipc/queue.h"
#include "sched/remote.h"

/* ---- signal ---- */

static inline bool fast_signal_may_send(cap_t cap)
{
	const cap_t type = cap_with_type(cap_null(), MASK(6));

	return fast_cap_has(cap, cap_notification_with_can_send(type, 1),
			    cap_notification_with_can_send(cap_of_type(CAP_NOTIFICATION), 1));
}

/* The thread that a signal would wake, here or, bound, at its endpoint; NULL if there is none. */
static inline struct tcb *fast_signal_waiter(const struct notification *n)
{
	if (n->state == NOTIFICATION_WAITING)
		return n->head;
	if (n->state == NOTIFICATION_IDLE && n->bound_tcb && n->bound_tcb->state == THREAD_BLOCKED_RECV)
		return n->bound_tcb;
	return NULL;
}

static inline void fast_signal_take_waiter(struct notification *n, struct tcb *waiter)
{
	struct tcb *next = waiter->ipc_next;

	if (unlikely(n->state != NOTIFICATION_WAITING)) {
		ipc_cancel(waiter);
	} else if (likely(!next)) {
		n->head = n->tail = NULL;
		n->state = NOTIFICATION_IDLE;
	} else {
		next->ipc_prev = NULL;
		waiter->ipc_next = NULL;
		n->head = next;
	}
}

/* Nothing waits: the badge is kept. */
static inline bool fast_signal_keep(struct notification *n, word_t badge)
{
	if (n->state == NOTIFICATION_ACTIVE) {
		n->badge |= badge;
		return true;
	}
	/* to be got out of its guest; or it may be on its way there on another CPU, which does not take the lock for that */
	if (n->bound_tcb && (n->bound_tcb->state == THREAD_RUNNING_VM || (n->bound_tcb->vcpu && remote_runs(n->bound_tcb))))
		return false;
	n->badge = badge;
	n->state = NOTIFICATION_ACTIVE;
	return true;
}

struct context *fast_signal_send(struct percpu *p, struct tcb *t, int64_t number)
{
	struct notification *n;
	struct fast_time time;
	struct tcb *waiter;
	struct cte *slot;
	word_t badge;

	if (message_extra_caps(t->ctx.rsi) || !lookup_slot_short(t, t->ctx.rdi, &slot) ||
	    !fast_signal_may_send(slot->cap))
		return syscall_other(p, t, number);
	n = cap_notification_of(slot->cap);
	badge = cap_notification_badge(slot->cap);
	waiter = fast_signal_waiter(n);
	if (!waiter)
		return fast_signal_keep(n, badge) ? fast_leave(t) : syscall_other(p, t, number);

	time = fast_time(p);
	if (!waiter->sc || waiter->cpu != p->cpu || !fast_may_stop(t, time) ||
	    !fast_may_start(waiter, time.now))
		return syscall_other(p, t, number);
	if (waiter->priority <= t->priority) {
		fast_signal_take_waiter(n, waiter);
		waiter->ctx.rdi = badge;
		waiter->state = THREAD_RUNNING;
		if (sched_wakes_first(waiter->sc, time.now))
			ready_enqueue(waiter);
		else
			ready_append(waiter);
		return fast_leave(t);
	}
	/* what is ready is not above t */
	if (!switch_is_plain(t, waiter))
		return syscall_other(p, t, number);
	fast_signal_take_waiter(n, waiter);
	waiter->ctx.rdi = badge;
	waiter->state = THREAD_RUNNING;
	(void)sched_wakes_first(waiter->sc, time.now);
	ready_enqueue(t);
	return fast_run(p, t, waiter, time);
}

/* ---- wait ---- */

static inline bool fast_signal_may_wait(const struct tcb *t, cap_t cap)
{
	const cap_t type = cap_with_type(cap_null(), MASK(6));
	const struct notification *n;

	if (!fast_cap_has(cap, cap_notification_with_can_receive(type, 1),
			  cap_notification_with_can_receive(cap_of_type(CAP_NOTIFICATION), 1)))
		return false;
	n = cap_notification_of(cap);
	return !n->sc && (!n->bound_tcb || n->bound_tcb == t);
}

static inline void fast_signal_block(struct notification *n, struct tcb *t)
{
	struct queue q = {n->head, n->tail};

	t->blocking_object = n;
	t->state = THREAD_BLOCKED_NOTIFICATION;
	queue_insert(&q, t);
	n->head = q.head;
	n->tail = q.tail;
	n->state = NOTIFICATION_WAITING;
}

/* May a thread from the ready queue just go on where it was? */
static inline bool fast_signal_may_go_on(const struct tcb *next)
{
	return next && next->state == THREAD_RUNNING && !next->yield_to;
}

struct context *fast_signal_wait(struct percpu *p, struct tcb *t, int64_t number)
{
	struct notification *n;
	struct fast_time time;
	struct tcb *next;
	struct cte *slot;

	if (!lookup_slot_short(t, t->ctx.rdi, &slot) || !fast_signal_may_wait(t, slot->cap))
		return syscall_other(p, t, number);
	n = cap_notification_of(slot->cap);
	if (notification_poll(n, &t->ctx.rdi))
		return fast_leave(t);
	if (number == seL4_SysNBWait) {
		t->ctx.rdi = 0;
		return fast_leave(t);
	}
	time = fast_time(p);
	next = ready_highest(p);
	if (!fast_signal_may_go_on(next) || !switch_is_plain(t, next) || !fast_may_stop(t, time))
		return syscall_other(p, t, number);
	ready_dequeue(next);
	fast_signal_block(n, t);
	return fast_run(p, t, next, time);
}
