/* A thread's priorities and scheduling context, as set through its TCB. Called by tcb_decode. */
#include "api/invocation.h"
#include "ipc/fault.h"
#include "object/tcb_decode.h"
#include "sched/remote.h"
#include "sched/sched.h"

/* `prio` may be given by whoever shows this TCB capability. */
static exception_t tcb_check_priority(struct cte *authority, word_t prio)
{
	uint8_t mcp = cap_tcb_of(authority->cap)->mcp;

	return prio > mcp ? error_range(0, mcp) : EXC_NONE;
}

static exception_t tcb_check_authority(unsigned length, unsigned words)
{
	struct cte *authority = invocation_extra(0);

	if (length < words || !authority)
		return error_truncated();
	if (cap_type(authority->cap) != CAP_TCB)
		return error_invalid_capability(1);
	return EXC_NONE;
}

exception_t tcb_set_priority_decode(struct tcb *t, unsigned length)
{
	word_t prio = invocation_arg(0);
	exception_t e = tcb_check_authority(length, 1);

	if (e == EXC_NONE)
		e = tcb_check_priority(invocation_extra(0), prio);
	if (e == EXC_NONE)
		sched_set_priority(t, (uint8_t)prio);
	return e;
}

exception_t tcb_set_mcp_decode(struct tcb *t, unsigned length)
{
	word_t mcp = invocation_arg(0);
	exception_t e = tcb_check_authority(length, 1);

	if (e == EXC_NONE)
		e = tcb_check_priority(invocation_extra(0), mcp);
	if (e == EXC_NONE)
		sched_set_mcp(t, (uint8_t)mcp);
	return e;
}

static exception_t tcb_check_sched_context(const struct tcb *t, cap_t cap)
{
	struct sched_context *sc;

	switch (cap_type_of(cap)) {
	case CAP_NULL:
		return t == percpu_self()->current ? error_illegal_operation() : EXC_NONE;
	case CAP_SCHED_CONTEXT:
		sc = cap_sched_context_of(cap);
		if (t->sc || sc->tcb)
			return error_illegal_operation();
		if (!sched_runnable(t) && t->state != THREAD_INACTIVE && !sched_context_released(sc))
			return error_illegal_operation();
		return EXC_NONE;
	default:
		return error_invalid_capability(2);
	}
}

static void tcb_apply_sched_context(struct tcb *t, cap_t cap)
{
	if (!cap_is_null(cap))
		sched_context_bind_tcb(cap_sched_context_of(cap), t);
	else if (t->sc)
		sched_context_unbind_tcb(t->sc);
}

exception_t tcb_set_sched_params_decode(const struct tcb_invoked *in, unsigned length)
{
	struct cte *context = invocation_extra(1), *handler = invocation_extra(2);
	word_t mcp = invocation_arg(0), prio = invocation_arg(1);
	exception_t e;

	if (!context || !handler)
		return error_truncated();
	e = tcb_check_authority(length, 2);
	if (e == EXC_NONE)
		e = tcb_check_priority(invocation_extra(0), mcp);
	if (e == EXC_NONE)
		e = tcb_check_priority(invocation_extra(0), prio);
	if (e == EXC_NONE)
		e = tcb_check_sched_context(in->tcb, context->cap);
	if (e != EXC_NONE)
		return e;
	if (!fault_handler_valid(handler->cap))
		return error_invalid_capability(3);

	cap_t context_cap = context->cap;
	e = tcb_install_cap(in, TCB_FAULT_HANDLER, handler->cap, handler);
	if (e != EXC_NONE)
		return e;
	sched_set_mcp(in->tcb, (uint8_t)mcp);
	sched_set_priority(in->tcb, (uint8_t)prio);
	tcb_apply_sched_context(in->tcb, context_cap);
	return EXC_NONE;
}
