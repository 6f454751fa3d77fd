/*
 * Notifications: a word of badges that signals are or-ed into. Called by the system call layer, by interrupts
 * and timers, by finalisation. Signalling never blocks and never fails. It must never touch message words.
 */
#include "ipc/notification.h"
#include "ipc/endpoint.h"
#include "ipc/queue.h"
#include "object/vcpu.h"
#include "panic.h"
#include "sched/remote.h"
#include "sched/sched.h"

/* ---- waiting threads ---- */

static void notification_store(struct notification *n, struct queue q)
{
	n->head = q.head;
	n->tail = q.tail;
	n->state = q.head ? NOTIFICATION_WAITING : NOTIFICATION_IDLE;
}

static void notification_leave(struct notification *n, struct tcb *t)
{
	struct queue q = {n->head, n->tail};

	queue_remove(&q, t);
	notification_store(n, q);
	t->blocking_object = NULL;
}

static struct tcb *notification_take_first(struct notification *n)
{
	struct tcb *t = n->head;

	n->head = t->ipc_next;
	if (n->head) {
		n->head->ipc_prev = NULL;
		t->ipc_next = NULL;
	} else {
		n->tail = NULL;
		n->state = NOTIFICATION_IDLE;
	}
	return t;
}

void notification_set_priority(struct tcb *t, uint8_t priority)
{
	struct notification *n = t->blocking_object;
	struct queue q = {n->head, n->tail};

	queue_remove(&q, t);
	t->priority = priority;
	queue_insert(&q, t);
	notification_store(n, q);
}

/* ---- the lent scheduling context ---- */

static void notification_lend_sc(struct notification *n, struct tcb *t)
{
	if (!t->sc && n->sc && !n->sc->tcb)
		sched_context_donate(n->sc, t);
}

void notification_return_sc(struct notification *n, struct tcb *t)
{
	if (n->sc && n->sc == t->sc)
		sched_context_unbind_tcb(n->sc);
}

/* ---- signal ---- */

static void notification_wake(struct notification *n, struct tcb *t, word_t badge)
{
	t->ctx.rdi = badge;
	sched_set_state(t, THREAD_RUNNING);
	notification_lend_sc(n, t);
	sched_signalled(t);
}

/* VMEnter returns with the badge; the guest has left guest mode. */
static void notification_end_vmenter(struct notification *n, struct tcb *t, word_t badge)
{
	vcpu_deliver_signal(t, badge);
	sched_set_state(t, THREAD_RUNNING);
	notification_lend_sc(n, t);
	sched_possible_switch_to(t);
}

static bool notification_in_vmenter(const struct tcb *t)
{
	return __atomic_load_n(&t->state, __ATOMIC_RELAXED) == THREAD_RUNNING_VM;
}

/*
 * A thread with a vCPU on another CPU goes into VMEnter, and comes out of it, without the lock. It says that
 * it is there, then looks for a signal (vcpu_run); here the signal is put down first, then looked whether it is there. So one
 * of us sees the other: no signal is lost, and a guest that runs is interrupted only for a reason.
 */
static void notification_signal_remote(struct notification *n, struct tcb *t, word_t badge)
{
	n->badge = badge;
	__atomic_store_n(&n->state, NOTIFICATION_ACTIVE, __ATOMIC_SEQ_CST);
	if (!notification_in_vmenter(t))
		return;
	remote_stall(t);
	if (notification_in_vmenter(t) && notification_poll(n, &badge))
		notification_end_vmenter(n, t, badge);
}

static void notification_signal_bound(struct notification *n, struct tcb *t, word_t badge)
{
	if (unlikely(t->vcpu && remote_runs(t))) {
		notification_signal_remote(n, t, badge);
		return;
	}
	switch (t->state) {
	case THREAD_BLOCKED_RECV:
		ipc_cancel(t);
		notification_wake(n, t, badge);
		break;
	case THREAD_RUNNING_VM:
		notification_end_vmenter(n, t, badge);
		break;
	default:
		n->badge = badge;
		n->state = NOTIFICATION_ACTIVE;
		break;
	}
}

void notification_signal(struct notification *n, word_t badge)
{
	struct tcb *t;

	switch ((enum notification_state)n->state) {
	case NOTIFICATION_ACTIVE:
		n->badge |= badge;
		break;
	case NOTIFICATION_WAITING:
		t = notification_take_first(n);
		notification_wake(n, t, badge);
		break;
	case NOTIFICATION_IDLE:
		if (n->bound_tcb) {
			notification_signal_bound(n, n->bound_tcb, badge);
		} else {
			n->badge = badge;
			n->state = NOTIFICATION_ACTIVE;
		}
		break;
	}
}

/* ---- wait ---- */

bool notification_poll(struct notification *n, word_t *badge)
{
	if (n->state != NOTIFICATION_ACTIVE)
		return false;
	*badge = n->badge;
	n->badge = 0;
	n->state = NOTIFICATION_IDLE;
	return true;
}

bool notification_complete(struct notification *n, struct tcb *t)
{
	if (!notification_poll(n, &t->ctx.rdi))
		return false;
	notification_lend_sc(n, t);
	return true;
}

void notification_wait(struct tcb *t, struct notification *n, bool blocking)
{
	struct queue q = {n->head, n->tail};

	if (notification_complete(n, t))
		return;
	if (!blocking) {
		t->ctx.rdi = 0;
		return;
	}
	notification_return_sc(n, t);
	t->blocking_object = n;
	sched_set_state(t, THREAD_BLOCKED_NOTIFICATION);
	queue_insert(&q, t);
	notification_store(n, q);
}

/* ---- cancelling, binding ---- */

void notification_cancel(struct tcb *t)
{
	notification_leave(t->blocking_object, t);
	sched_set_state(t, THREAD_INACTIVE);
}

/* Units of work (preempt_point) that taking a thread off costs. */
#define NOTIFICATION_RESTART_UNITS 2u

exception_t notification_cancel_all(struct notification *n)
{
	struct tcb *t;

	while (n->state == NOTIFICATION_WAITING) {
		t = notification_take_first(n);
		sched_set_state(t, THREAD_RESTART);
		sched_possible_switch_to(t);
		if (n->state == NOTIFICATION_WAITING && preempt_point(NOTIFICATION_RESTART_UNITS))
			return EXC_PREEMPTED;
	}
	return EXC_NONE;
}

void notification_bind(struct notification *n, struct tcb *t)
{
	n->bound_tcb = t;
	t->bound_notification = n;
}

void notification_unbind(struct tcb *t)
{
	if (!t->bound_notification)
		return;
	remote_stall(t); /* it may be looking at it (vcpu_run) */
	t->bound_notification->bound_tcb = NULL;
	t->bound_notification = NULL;
}

void notification_finalise(struct notification *n)
{
	if (n->sc)
		sched_context_unbind_notification(n->sc);
	if (n->bound_tcb)
		notification_unbind(n->bound_tcb);
}
