/*
 * System calls, the general path: the MCS set, the debug calls that exist always, SetTLSBase. Called by
 * syscall.c when its fast paths do not apply. It must never touch an object but through its operations.
 */
#include "api/syscall.h"
#include "api/debug_syscall.h"
#include "api/invocation.h"
#include "api/lookup.h"
#include "arch/x86/arch.h"
#include "ipc/endpoint.h"
#include "ipc/fault.h"
#include "ipc/message.h"
#include "ipc/notification.h"
#include "ipc/reply.h"
#include "ipc/transfer.h"
#include "panic.h"
#include "sched/sched.h"

/* ---- faults of system calls ---- */

static void syscall_general_cap_fault(struct tcb *t, cptr_t cptr, bool receive_phase)
{
	struct percpu *p = percpu_self();

	p->fault = (struct fault){.type = seL4_Fault_CapFault,
				  .address = cptr,
				  .receive_phase = receive_phase,
				  .lookup = p->lookup_fault};
	fault_handle(t);
}

/* To be received from is a capability that cannot be used so. */
static void syscall_general_missing_cap(struct tcb *t, cptr_t cptr)
{
	error_lookup(seL4_MissingCapability, 0);
	syscall_general_cap_fault(t, cptr, true);
}

static void syscall_general_unknown(struct tcb *t, int64_t number)
{
	percpu_self()->fault = (struct fault){.type = seL4_Fault_UnknownSyscall, .number = (word_t)number};
	fault_handle(t);
}

/* ---- sending half ---- */

enum syscall_general_invoke {
	INVOKE_BLOCK = 1,
	INVOKE_CALL = 2,
	INVOKE_DONATE = 4,
	INVOKE_FIRST_PHASE = 8,
};

/* The sender's extra capabilities are named rightly, also where they are not going to be used. False: cap
 * fault. */
static bool syscall_general_extra(struct percpu *p, struct tcb *t, unsigned count, unsigned flags)
{
	cptr_t failed = 0;

	if (transfer_extra_caps(t, count, p->extra_caps, &failed))
		return true;
	if (flags & INVOKE_BLOCK)
		syscall_general_cap_fault(t, failed, false);
	return false;
}

/* A Call is answered by the kernel, but YieldTo only when the caller runs again. */
static void syscall_general_answer(struct tcb *t, exception_t e)
{
	if (e == EXC_SYSCALL_ERROR)
		invocation_answer_error(t);
	else if (!t->yield_to)
		invocation_answer(t);
}

/* An object other than those of IPC. False: preempted, the whole system call is to be done again. */
static bool syscall_general_object(struct tcb *t, struct cte *slot, unsigned flags)
{
	word_t tag = t->ctx.rsi;
	unsigned length = message_length(tag);
	exception_t e;

	if (length > seL4_FastMessageRegisters && !message_source(t))
		length = seL4_FastMessageRegisters;
	e = invocation_decode(message_label(tag), length, slot, flags & INVOKE_CALL,
			      flags & INVOKE_FIRST_PHASE);
	if (e == EXC_PREEMPTED) {
		if (t->state == THREAD_RUNNING)
			sched_set_state(t, THREAD_RESTART);
		return false;
	}
	if (flags & INVOKE_CALL)
		syscall_general_answer(t, e);
	return true;
}

/* What an IPC capability without the right to send answers to a Call. */
static void syscall_general_refuse(struct tcb *t, unsigned flags)
{
	if (flags & INVOKE_CALL) {
		error_invalid_capability(0);
		invocation_answer_error(t);
	}
}

static void syscall_general_empty_answer(struct percpu *p, struct tcb *t, unsigned flags)
{
	if (flags & INVOKE_CALL) {
		p->reply_length = 0;
		invocation_answer(t);
	}
}

static bool syscall_general_invoke(struct percpu *p, struct tcb *t, cptr_t cptr, unsigned flags)
{
	unsigned extra = message_extra_caps(t->ctx.rsi);
	struct cte *slot = lookup_slot(t, cptr);
	cap_t cap;

	if (unlikely(!slot)) {
		if (flags & INVOKE_BLOCK)
			syscall_general_cap_fault(t, cptr, false);
		return true;
	}
	if (unlikely(extra && !syscall_general_extra(p, t, extra, flags)))
		return true;

	cap = slot->cap;
	switch (cap_type_of(cap)) {
	case CAP_ENDPOINT:
		if (likely(cap_endpoint_can_send(cap)))
			ipc_send(flags & INVOKE_BLOCK, flags & INVOKE_CALL, cap, flags & INVOKE_DONATE, t);
		else
			syscall_general_refuse(t, flags);
		return true;
	case CAP_NOTIFICATION:
		if (likely(cap_notification_can_send(cap))) {
			notification_signal(cap_notification_of(cap), cap_notification_badge(cap));
			syscall_general_empty_answer(p, t, flags);
		} else {
			syscall_general_refuse(t, flags);
		}
		return true;
	case CAP_REPLY:
		reply_send(t, cap_reply_of(cap), cap_reply_can_grant(cap));
		syscall_general_empty_answer(p, t, flags);
		return true;
	default:
		if (!extra)
			p->extra_caps[0] = p->extra_caps[1] = p->extra_caps[2] = NULL;
		return syscall_general_object(t, slot, flags);
	}
}

/* ---- receiving half ---- */

enum syscall_general_receive { RECEIVE_BLOCK = 1, RECEIVE_REPLY = 2 };

static void syscall_general_receive_endpoint(struct tcb *t, cap_t cap, unsigned flags)
{
	cptr_t cptr = t->ctx.r12;
	struct reply *r = NULL;
	struct cte *slot;

	if (flags & RECEIVE_REPLY) {
		slot = lookup_slot(t, cptr);
		if (unlikely(!slot)) {
			syscall_general_cap_fault(t, cptr, true);
			return;
		}
		if (unlikely(cap_type(slot->cap) != CAP_REPLY)) {
			syscall_general_missing_cap(t, cptr);
			return;
		}
		r = cap_reply_of(slot->cap);
	}
	ipc_receive(t, cap_endpoint_of(cap), flags & RECEIVE_BLOCK, r);
}

static bool syscall_general_may_wait(const struct tcb *t, cap_t cap)
{
	const struct tcb *bound = cap_notification_of(cap)->bound_tcb;

	return cap_notification_can_receive(cap) && (!bound || bound == t);
}

static void syscall_general_receive(struct tcb *t, unsigned flags)
{
	cptr_t cptr = t->ctx.rdi;
	struct cte *slot = lookup_slot(t, cptr);
	cap_t cap;

	if (unlikely(!slot)) {
		syscall_general_cap_fault(t, cptr, true);
		return;
	}
	cap = slot->cap;
	if (cap_type(cap) == CAP_ENDPOINT && cap_endpoint_can_receive(cap))
		syscall_general_receive_endpoint(t, cap, flags);
	else if (cap_type(cap) == CAP_NOTIFICATION && syscall_general_may_wait(t, cap))
		notification_wait(t, cap_notification_of(cap), flags & RECEIVE_BLOCK);
	else
		syscall_general_missing_cap(t, cptr);
}

static void syscall_general_combined(struct percpu *p, struct tcb *t, cptr_t first, unsigned flags)
{
	if (syscall_general_invoke(p, t, first, INVOKE_DONATE | INVOKE_FIRST_PHASE))
		syscall_general_receive(t, RECEIVE_BLOCK | flags);
}

/* ---- calls of their own ---- */

static void syscall_general_set_tls_base(struct tcb *t)
{
	arch_thread_sync(t);
	t->ctx.fs_base = context_canonical(t->ctx.rdi) ? t->ctx.rdi : 0;
	arch_thread_changed(t);
}

static void syscall_general_debug_cap_identify(struct tcb *t)
{
	const struct cte *slot = lookup_slot(t, t->ctx.rdi);

	t->ctx.rdi = slot ? cap_type(slot->cap) : CAP_NULL;
}

/* The name is a string in the message: false if the capability is no thread's, or there is no buffer to hold
 * a string. */
static bool syscall_general_debug_name_thread(struct tcb *t)
{
	const struct cte *slot = lookup_slot(t, t->ctx.rdi);
	const word_t *buffer = message_source(t);
	struct tcb *named;

	if (!slot || cap_type(slot->cap) != CAP_TCB || !buffer)
		return false;
	named = cap_tcb_of(slot->cap);
	for (unsigned i = 0; i < sizeof(named->name); i++) {
		char c = (char)(buffer[MESSAGE_BUFFER_MR + i / 8] >> (i % 8 * 8) & 0xff);

		named->name[i] = i + 1 == sizeof(named->name) || (c && (c < ' ' || c > '~')) ? '\0' : c;
		if (!named->name[i])
			break;
	}
	return true;
}

static void syscall_general_rest(struct tcb *t, int64_t number)
{
	bool known = true;

	switch (number) {
	case seL4_SysDebugPutChar:
		kputchar((char)(t->ctx.rdi & 0xff));
		break;
	case seL4_SysDebugCapIdentify:
		syscall_general_debug_cap_identify(t);
		break;
	case seL4_SysDebugNameThread:
		known = syscall_general_debug_name_thread(t);
		break;
	case seL4_SysSetTLSBase:
		syscall_general_set_tls_base(t);
		break;
	default:
		known = debug_syscall(t, number);
		break;
	}
	if (!known)
		syscall_general_unknown(t, number);
}

void syscall_general(struct percpu *p, struct tcb *t, int64_t number)
{
	sched_update_time();
	if (unlikely(!sched_check_budget_restart()))
		return;
	switch (number) {
	case seL4_SysCall:
		syscall_general_invoke(p, t, t->ctx.rdi, INVOKE_BLOCK | INVOKE_CALL | INVOKE_DONATE);
		break;
	case seL4_SysReplyRecv:
	case seL4_SysNBSendWait:
		syscall_general_combined(p, t, t->ctx.r12, number == seL4_SysReplyRecv ? RECEIVE_REPLY : 0);
		break;
	case seL4_SysNBSendRecv:
		syscall_general_combined(p, t, t->ctx.r13, RECEIVE_REPLY);
		break;
	case seL4_SysSend:
		syscall_general_invoke(p, t, t->ctx.rdi, INVOKE_BLOCK);
		break;
	case seL4_SysNBSend:
		syscall_general_invoke(p, t, t->ctx.rdi, 0);
		break;
	case seL4_SysRecv:
		syscall_general_receive(t, RECEIVE_BLOCK | RECEIVE_REPLY);
		break;
	case seL4_SysNBRecv:
		syscall_general_receive(t, RECEIVE_REPLY);
		break;
	case seL4_SysWait:
		syscall_general_receive(t, RECEIVE_BLOCK);
		break;
	case seL4_SysNBWait:
		syscall_general_receive(t, 0);
		break;
	case seL4_SysYield:
		sched_yield();
		break;
	default:
		syscall_general_rest(t, number);
		break;
	}
}
