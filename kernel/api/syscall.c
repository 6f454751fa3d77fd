/*
 * System calls: the MCS set, the debug calls that exist always, SetTLSBase, VMEnter. Called by the entry path with the
 * user's registers in the current thread's context; afterwards the entry path calls kernel_exit(). It must never touch
 * an object but through its operations.
 */
#include "api/debug_syscall.h"
#include "api/fastpath.h"
#include "api/invocation.h"
#include "arch/x86/arch.h"
#include "cap/cnode.h"
#include "entry/entry.h"
#include "ipc/endpoint.h"
#include "ipc/fault.h"
#include "ipc/message.h"
#include "ipc/notification.h"
#include "ipc/transfer.h"
#include "object/vcpu.h"
#include "panic.h"
#include "sched/sched.h"

/* ---- faults of system calls ---- */

static void syscall_cap_fault(struct tcb *t, cptr_t cptr, bool receive_phase)
{
	struct percpu *p = percpu_self();

	p->fault = (struct fault){.type = seL4_Fault_CapFault, .address = cptr, .receive_phase = receive_phase,
	                          .lookup = p->lookup_fault};
	fault_handle(t);
}

/* A capability is there, but not one that can be used so. */
static void syscall_missing_cap_fault(struct tcb *t, cptr_t cptr, bool receive_phase)
{
	error_lookup(seL4_MissingCapability, 0);
	syscall_cap_fault(t, cptr, receive_phase);
}

static void syscall_unknown(struct tcb *t, int64_t number)
{
	percpu_self()->fault = (struct fault){.type = seL4_Fault_UnknownSyscall, .number = (word_t)number};
	fault_handle(t);
}

/* ---- sending half ---- */

enum syscall_invoke_flag {
	INVOKE_BLOCK = 1,
	INVOKE_CALL = 2,
	INVOKE_DONATE = 4,
	INVOKE_FIRST_PHASE = 8,
};

/* A Call on an endpoint is answered by its receiver, YieldTo when the caller runs again. */
static void syscall_answer(struct tcb *t, cap_t cap, exception_t e)
{
	if (e == EXC_SYSCALL_ERROR)
		invocation_answer_error(t);
	else if (cap_type(cap) != CAP_ENDPOINT && !t->yield_to)
		invocation_answer(t);
}

/* False: preempted, the whole system call is to be done again. */
static bool syscall_invoke(struct percpu *p, struct tcb *t, cptr_t cptr, unsigned flags)
{
	word_t tag = t->ctx.rsi;
	unsigned length = message_length(tag), extra = message_extra_caps(tag);
	struct lookup_result r = cnode_lookup_slot(t, cptr);
	cptr_t failed = cptr;
	exception_t e;
	cap_t cap;

	p->extra_caps[0] = p->extra_caps[1] = p->extra_caps[2] = NULL;
	if (r.status != EXC_NONE || (extra && !transfer_extra_caps(t, extra, p->extra_caps, &failed))) {
		if (flags & INVOKE_BLOCK)
			syscall_cap_fault(t, failed, false);
		return true;
	}
	if (length > seL4_FastMessageRegisters && !message_source(t))
		length = seL4_FastMessageRegisters;

	cap = r.slot->cap;
	e = invocation_decode(message_label(tag), length, cptr, r.slot, cap, flags & INVOKE_BLOCK, flags & INVOKE_CALL,
	                      flags & INVOKE_DONATE, flags & INVOKE_FIRST_PHASE);
	if (e == EXC_PREEMPTED) {
		if (t->state == THREAD_RUNNING)
			sched_set_state(t, THREAD_RESTART);
		return false;
	}
	if (flags & INVOKE_CALL)
		syscall_answer(t, cap, e);
	return true;
}

/* ---- receiving half ---- */

enum syscall_receive_flag { RECEIVE_BLOCK = 1, RECEIVE_REPLY = 2 };

static void syscall_receive_endpoint(struct tcb *t, cap_t cap, unsigned flags)
{
	cptr_t reply = t->ctx.r12;
	struct lookup_result r;
	cap_t reply_cap = cap_null();

	if (flags & RECEIVE_REPLY) {
		r = cnode_lookup_slot(t, reply);
		if (r.status != EXC_NONE) {
			syscall_cap_fault(t, reply, true);
			return;
		}
		reply_cap = r.slot->cap;
		if (cap_type(reply_cap) != CAP_REPLY) {
			syscall_missing_cap_fault(t, reply, true);
			return;
		}
	}
	ipc_receive(t, cap, flags & RECEIVE_BLOCK, reply_cap);
}

static bool syscall_may_wait(const struct tcb *t, cap_t cap)
{
	const struct tcb *bound = cap_notification_of(cap)->bound_tcb;

	return cap_notification_can_receive(cap) && (!bound || bound == t);
}

static void syscall_receive(struct tcb *t, unsigned flags)
{
	cptr_t cptr = t->ctx.rdi;
	struct lookup_result r = cnode_lookup_slot(t, cptr);
	cap_t cap;

	if (r.status != EXC_NONE) {
		syscall_cap_fault(t, cptr, true);
		return;
	}
	cap = r.slot->cap;
	if (cap_type(cap) == CAP_ENDPOINT && cap_endpoint_can_receive(cap))
		syscall_receive_endpoint(t, cap, flags);
	else if (cap_type(cap) == CAP_NOTIFICATION && syscall_may_wait(t, cap))
		notification_wait(t, cap, flags & RECEIVE_BLOCK);
	else
		syscall_missing_cap_fault(t, cptr, true);
}

static void syscall_combined(struct percpu *p, struct tcb *t, cptr_t first, unsigned flags)
{
	if (syscall_invoke(p, t, first, INVOKE_DONATE | INVOKE_FIRST_PHASE))
		syscall_receive(t, RECEIVE_BLOCK | flags);
}

/* ---- calls of their own ---- */

static void syscall_set_tls_base(struct tcb *t)
{
	arch_thread_sync(t);
	t->ctx.fs_base = context_canonical(t->ctx.rdi) ? t->ctx.rdi : 0;
	arch_thread_changed(t);
}

static void syscall_debug_cap_identify(struct tcb *t)
{
	struct lookup_result r = cnode_lookup_slot(t, t->ctx.rdi);

	t->ctx.rdi = r.status == EXC_NONE ? cap_type(r.slot->cap) : CAP_NULL;
}

/* The name is a string in the message: false if the capability is no thread's, or there is no buffer to hold a string. */
static bool syscall_debug_name_thread(struct tcb *t)
{
	struct lookup_result r = cnode_lookup_slot(t, t->ctx.rdi);
	const word_t *buffer = message_source(t);
	struct tcb *named;

	if (r.status != EXC_NONE || cap_type(r.slot->cap) != CAP_TCB || !buffer)
		return false;
	named = cap_tcb_of(r.slot->cap);
	for (unsigned i = 0; i < sizeof(named->name); i++) {
		char c = (char)(buffer[MESSAGE_BUFFER_MR + i / 8] >> (i % 8 * 8) & 0xff);

		named->name[i] = i + 1 == sizeof(named->name) || (c && (c < ' ' || c > '~')) ? '\0' : c;
		if (!named->name[i])
			break;
	}
	return true;
}

static void syscall_rest(struct tcb *t, int64_t number)
{
	bool known = true;

	switch (number) {
	case seL4_SysDebugPutChar:
		kputchar((char)(t->ctx.rdi & 0xff));
		break;
	case seL4_SysDebugCapIdentify:
		syscall_debug_cap_identify(t);
		break;
	case seL4_SysDebugNameThread:
		known = syscall_debug_name_thread(t);
		break;
	case seL4_SysSetTLSBase:
		syscall_set_tls_base(t);
		break;
	default:
		known = debug_syscall(t, number);
		break;
	}
	if (!known)
		syscall_unknown(t, number);
}

static void syscall_slow(struct percpu *p, struct tcb *t, int64_t number)
{
	switch (number) {
	case seL4_SysCall:
		syscall_invoke(p, t, t->ctx.rdi, INVOKE_BLOCK | INVOKE_CALL | INVOKE_DONATE);
		break;
	case seL4_SysReplyRecv:
	case seL4_SysNBSendWait:
		syscall_combined(p, t, t->ctx.r12, number == seL4_SysReplyRecv ? RECEIVE_REPLY : 0);
		break;
	case seL4_SysNBSendRecv:
		syscall_combined(p, t, t->ctx.r13, RECEIVE_REPLY);
		break;
	case seL4_SysSend:
		syscall_invoke(p, t, t->ctx.rdi, INVOKE_BLOCK);
		break;
	case seL4_SysNBSend:
		syscall_invoke(p, t, t->ctx.rdi, 0);
		break;
	case seL4_SysRecv:
		syscall_receive(t, RECEIVE_BLOCK | RECEIVE_REPLY);
		break;
	case seL4_SysNBRecv:
		syscall_receive(t, RECEIVE_REPLY);
		break;
	case seL4_SysWait:
		syscall_receive(t, RECEIVE_BLOCK);
		break;
	case seL4_SysNBWait:
		syscall_receive(t, 0);
		break;
	case seL4_SysYield:
		sched_yield();
		break;
	default:
		syscall_rest(t, number);
		break;
	}
}

void syscall_handle(int64_t number)
{
	struct percpu *p = percpu_self();
	struct tcb *t = p->current;

	if (number == seL4_SysCall && fastpath_call(p, t))
		return;
	if (number == seL4_SysReplyRecv && fastpath_reply_recv(p, t))
		return;
	if (number == seL4_SysVMEnter) {
		vcpu_enter_syscall();
		return;
	}
	sched_update_time();
	if (likely(sched_check_budget_restart()))
		syscall_slow(p, t, number);
}
