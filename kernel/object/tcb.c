/*
 * Threads as objects: start and end of life, stopping, the dispatch of their invocations. Called by retype,
 * by finalisation, by invocation_decode.
 */
#include "object/tcb.h"
#include "api/invocation.h"
#include "arch/x86/arch.h"
#include "ipc/endpoint.h"
#include "ipc/notification.h"
#include "object/tcb_decode.h"
#include "object/vcpu.h"
#include "percpu.h"
#include "sched/remote.h"
#include "sched/sched.h"

void tcb_init(struct tcb *t)
{
	context_init(&t->ctx);
	arch_fpu_init(t);
	t->cpu = percpu_self()->cpu;
	t->cspace_word = TCB_CSPACE_UNKNOWN;
}

void tcb_suspend(struct tcb *t)
{
	remote_stall(t);
	ipc_cancel_badged_forget(t);
	ipc_cancel(t);
	if (t->state == THREAD_RUNNING_VM)
		vcpu_leave(t);
	else if (t->state == THREAD_RUNNING)
		context_stopped(&t->ctx);
	sched_set_state(t, THREAD_INACTIVE);
	sched_stop(t);
	sched_context_cancel_yield_to(t);
}

void tcb_finalise(struct tcb *t)
{
	struct sched_context *sc = t->sc;

	tcb_suspend(t);
	notification_unbind(t);
	if (!sc)
		return;
	sched_context_unbind_tcb(sc);
	if (sc->yield_from)
		sched_context_complete_yield_to(sc->yield_from);
}

static exception_t tcb_bind_notification_decode(struct tcb *t)
{
	struct cte *extra = invocation_extra(0);
	struct notification *n;

	if (!extra)
		return error_truncated();
	if (t->bound_notification || cap_type(extra->cap) != CAP_NOTIFICATION ||
	    !cap_notification_can_receive(extra->cap))
		return error_illegal_operation();
	n = cap_notification_of(extra->cap);
	if (n->state == NOTIFICATION_WAITING || n->bound_tcb)
		return error_illegal_operation();
	notification_bind(n, t);
	return EXC_NONE;
}

static exception_t tcb_unbind_notification_decode(struct tcb *t)
{
	if (!t->bound_notification)
		return error_illegal_operation();
	notification_unbind(t);
	return EXC_NONE;
}

exception_t tcb_decode(word_t label, unsigned length, struct cte *slot, cap_t cap, bool call)
{
	struct tcb *t = cap_tcb_of(cap);
	const struct tcb_invoked in = {t, slot, cap};

	(void)call;
	switch (label) {
	case TCBReadRegisters:
		return tcb_read_registers_decode(t, length);
	case TCBWriteRegisters:
		return tcb_write_registers_decode(t, length);
	case TCBCopyRegisters:
		return tcb_copy_registers_decode(t, length);
	case TCBConfigure:
		return tcb_configure_decode(&in, length);
	case TCBSetPriority:
		return tcb_set_priority_decode(t, length);
	case TCBSetMCPriority:
		return tcb_set_mcp_decode(t, length);
	case TCBSetSchedParams:
		return tcb_set_sched_params_decode(&in, length);
	case TCBSetTimeoutEndpoint:
		return tcb_set_timeout_decode(&in);
	case TCBSetIPCBuffer:
		return tcb_set_ipc_buffer_decode(&in, length);
	case TCBSetSpace:
		return tcb_set_space_decode(&in, length);
	case TCBSuspend:
		tcb_suspend(t);
		return EXC_NONE;
	case TCBResume:
		sched_restart(t);
		return EXC_NONE;
	case TCBBindNotification:
		return tcb_bind_notification_decode(t);
	case TCBUnbindNotification:
		return tcb_unbind_notification_decode(t);
	case TCBSetTLSBase:
		return tcb_set_tls_base_decode(t, length);
	case TCBSetFlags:
		return tcb_set_flags_decode(t, length);
	case TCBSetEPTRoot:
		return tcb_set_ept_root_decode(length, cap);
	default:
		return error_illegal_operation();
	}
}
