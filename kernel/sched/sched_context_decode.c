/*
 * Invocations on scheduling-context capabilities: Bind, Unbind, UnbindObject, Consumed, YieldTo; and the time that
 * a server used for its caller. Called by invocation_decode. Facts: section 7.
 */
#include "api/invocation.h"
#include "insula/ext.h"
#include "ipc/notification.h"
#include "ipc/reply.h"
#include "sched/remote.h"
#include "sched/sched.h"

static bool sched_context_blocked(const struct tcb *t)
{
	return t->state >= THREAD_BLOCKED_RECV && t->state <= THREAD_BLOCKED_NOTIFICATION;
}

static exception_t sched_context_bind_thread_decode(struct sched_context *sc, struct tcb *t)
{
	if (sc->tcb || t->sc)
		return error_illegal_operation();
	if (sched_context_blocked(t) && !sched_context_released(sc))
		return error_illegal_operation();
	sched_context_bind_tcb(sc, t);
	return EXC_NONE;
}

static exception_t sched_context_bind_decode(struct sched_context *sc)
{
	struct cte *object = invocation_extra(0);
	struct notification *n;

	if (!object)
		return error_truncated();
	switch (cap_type_of(object->cap)) {
	case CAP_TCB:
		return sched_context_bind_thread_decode(sc, cap_tcb_of(object->cap));
	case CAP_NOTIFICATION:
		n = cap_notification_of(object->cap);
		if (sc->notification || n->sc)
			return error_illegal_operation();
		sched_context_bind_notification(sc, n);
		return EXC_NONE;
	default:
		return error_invalid_capability(1);
	}
}

static exception_t sched_context_unbind_decode(struct sched_context *sc)
{
	if (sc->tcb == percpu_self()->current)
		return error_illegal_operation();
	sched_context_unbind_all(sc);
	return EXC_NONE;
}

static exception_t sched_context_unbind_object_decode(struct sched_context *sc)
{
	struct cte *object = invocation_extra(0);

	if (!object)
		return error_truncated();
	switch (cap_type_of(object->cap)) {
	case CAP_TCB:
		if (sc->tcb != cap_tcb_of(object->cap) || sc->tcb == percpu_self()->current)
			return error_illegal_operation();
		sched_context_unbind_tcb(sc);
		return EXC_NONE;
	case CAP_NOTIFICATION:
		if (sc->notification != cap_notification_of(object->cap))
			return error_illegal_operation();
		sched_context_unbind_notification(sc);
		return EXC_NONE;
	default:
		return error_invalid_capability(1);
	}
}

static exception_t sched_context_consumed_decode(struct sched_context *sc)
{
	if (sc == percpu_self()->current_sc)
		sched_commit_time();
	else if (sc->tcb)
		remote_stall(sc->tcb); /* what it has used until now is charged there */
	invocation_reply1(sched_context_take_consumed(sc));
	return EXC_NONE;
}

/* A server's time becomes that of the caller for whom it was used. */
static exception_t sched_context_charge_decode(struct sched_context *sc, unsigned length)
{
	struct cte *reply = invocation_extra(0);
	word_t ticks = invocation_arg(0);
	struct sched_context *to;
	struct tcb *caller;

	if (length < 1 || !reply)
		return error_truncated();
	if (cap_type(reply->cap) != CAP_REPLY)
		return error_invalid_capability(1);
	caller = cap_reply_of(reply->cap)->tcb;
	to = caller && caller->state == THREAD_BLOCKED_REPLY ? caller->sc : NULL;
	if (!to || !to->refill_max || to == sc)
		return error_illegal_operation();
	if (sc == percpu_self()->current_sc)
		sched_commit_time();
	if (ticks > sc->consumed)
		ticks = sc->consumed;
	sc->consumed -= ticks;
	sched_charge_for(to, ticks);
	invocation_reply1(ticks);
	return EXC_NONE;
}

/* The target runs before the caller goes on, if it may: then the answer is given when the caller is scheduled
 * again. */
static void sched_context_yield_to(struct tcb *caller, struct sched_context *sc)
{
	struct tcb *target = sc->tcb;

	if (unlikely(remote_runs(target))) {
		invocation_reply1(sched_context_take_consumed(sc));
		return;
	}
	if (sc->sporadic && sched_runnable(target) && !target->released_queued)
		refill_unblock_check(sc, percpu_self()->now);
	sched_context_resume(sc);
	if (!sched_schedulable(target)) {
		invocation_reply1(sched_context_take_consumed(sc));
		return;
	}
	if (!remote_is_local(sc->cpu) || target->priority < caller->priority) {
		ready_dequeue(target);
		ready_enqueue(target);
		if (!remote_is_local(sc->cpu))
			remote_reschedule(remote_percpu(sc->cpu));
		invocation_reply1(sched_context_take_consumed(sc));
		return;
	}
	caller->is_call = percpu_self()->call;
	caller->yield_to = sc;
	sc->yield_from = caller;
	ready_dequeue(target);
	ready_enqueue(caller);
	ready_enqueue(target);
	sched_reschedule();
}

static exception_t sched_context_yield_to_decode(struct sched_context *sc)
{
	struct tcb *caller = percpu_self()->current;

	if (!sc->tcb || sc->tcb == caller || sc->tcb->priority > caller->mcp)
		return error_illegal_operation();
	/* one that yielded to it before has its answer now */
	if (sc->yield_from)
		sched_context_complete_yield_to(sc->yield_from);
	sched_context_yield_to(caller, sc);
	return EXC_NONE;
}

exception_t sched_context_decode(word_t label, unsigned length, cap_t cap)
{
	struct sched_context *sc = cap_sched_context_of(cap);

	switch (label) {
	case SchedContextBind:
		return sched_context_bind_decode(sc);
	case SchedContextUnbind:
		return sched_context_unbind_decode(sc);
	case SchedContextUnbindObject:
		return sched_context_unbind_object_decode(sc);
	case SchedContextConsumed:
		return sched_context_consumed_decode(sc);
	case SchedContextYieldTo:
		return sched_context_yield_to_decode(sc);
	case InsulaSchedContextCharge:
		return sched_context_charge_decode(sc, length);
	default:
		return error_illegal_operation();
	}
}
