/*
 * Invocations: from a capability and a label to the object's decode function, and the answer to the caller.
 * Called by the system call layer. It must never know an object's rules.
 */
#include "api/invocation.h"
#include "cap/cnode.h"
#include "cap/untyped.h"
#include "ipc/message.h"
#include "object/ept.h"
#include "object/ioport.h"
#include "object/irq.h"
#include "object/timer.h"
#include "object/vcpu.h"
#include "object/vspace.h"
#include "sched/sched_context.h"

/* ---- arguments and answers ---- */

/* The message is copied before anything looks at it: the buffer is the user's. */
static void invocation_take_args(struct percpu *p, unsigned length)
{
	const struct tcb *t = p->current;
	const word_t *buffer = message_source(t);

	if (length > ARRAY_SIZE(p->args))
		length = ARRAY_SIZE(p->args);
	p->args[0] = t->ctx.r10;
	p->args[1] = t->ctx.r8;
	p->args[2] = t->ctx.r9;
	p->args[3] = t->ctx.r15;
	for (unsigned i = seL4_FastMessageRegisters; i < length; i++)
		p->args[i] = buffer ? buffer[MESSAGE_BUFFER_MR + i] : 0;
	p->arg_count = length;
	p->reply_length = 0;
}

void invocation_reply_words(const word_t *words, unsigned count)
{
	struct percpu *p = percpu_self();

	for (unsigned i = 0; i < count; i++)
		p->args[i] = words[i];
	p->reply_length = count;
}

void invocation_reply1(word_t w0)
{
	invocation_reply_words(&w0, 1);
}

void invocation_answer(struct tcb *t)
{
	struct percpu *p = percpu_self();

	message_deliver(t, 0, seL4_NoError, p->args, p->reply_length);
}

void invocation_answer_error(struct tcb *t)
{
	const struct syscall_error *e = &percpu_self()->error;
	word_t words[ERROR_WORDS];

	message_deliver(t, 0, e->type, words, error_words(e, words));
}

void invocation_finish_reply1(struct tcb *t, word_t w0)
{
	if (t->is_call)
		message_deliver(t, 0, seL4_NoError, &w0, 1);
}

/* ---- decode ---- */

/* Objects whose invocations may take away what the second half of a combined call needs. */
static bool invocation_refused_first(cap_t cap)
{
	switch (cap_type_of(cap)) {
	case CAP_TCB:
	case CAP_CNODE:
	case CAP_DOMAIN:
	case CAP_SCHED_CONTROL:
	case CAP_SCHED_CONTEXT:
		return true;
	default:
		return false;
	}
}

static exception_t invocation_object(word_t label, unsigned length, struct cte *slot, cap_t cap, bool call)
{
	switch (cap_type_of(cap)) {
	case CAP_UNTYPED:
		return untyped_decode(label, length, slot, cap);
	case CAP_CNODE:
		return cnode_decode(label, length, cap);
	case CAP_TCB:
		return tcb_decode(label, length, slot, cap, call);
	case CAP_SCHED_CONTEXT:
		return sched_context_decode(label, length, cap);
	case CAP_SCHED_CONTROL:
		return sched_control_decode(label, length, cap);
	case CAP_TIMER:
		return timer_decode(label, length, cap);
	case CAP_FRAME:
	case CAP_PT:
	case CAP_PD:
	case CAP_PDPT:
	case CAP_PML4:
		return vspace_decode(label, length, slot, cap);
	case CAP_EPT_PT:
	case CAP_EPT_PD:
	case CAP_EPT_PDPT:
	case CAP_EPT_PML4:
		return ept_decode(label, length, slot, cap);
	case CAP_ASID_CONTROL:
		return asid_control_decode(label, length, cap);
	case CAP_ASID_POOL:
		return asid_pool_decode(label, length, cap);
	case CAP_IRQ_CONTROL:
		return irq_control_decode(label, length, slot);
	case CAP_IRQ_HANDLER:
		return irq_handler_decode(label, length, cap);
	case CAP_IOPORT_CONTROL:
		return ioport_control_decode(label, length, slot);
	case CAP_IOPORT:
		return ioport_decode(label, length, cap);
	case CAP_IOSPACE:
	case CAP_IOPT:
		return iospace_decode(label, length, cap);
	case CAP_VCPU:
		return vcpu_decode(label, length, cap);
	case CAP_DOMAIN:
		return domain_decode(label, length);
	default: /* null, zombie */
		return error_invalid_capability(0);
	}
}

exception_t invocation_decode(word_t label, unsigned length, struct cte *slot, bool call, bool first_phase)
{
	struct percpu *p = percpu_self();
	cap_t cap = slot->cap;

	p->call = call;
	p->reply_length = 0;
	if (first_phase && invocation_refused_first(cap))
		return error_invalid_capability(0);
	invocation_take_args(p, length);
	return invocation_object(label, length, slot, cap, call);
}
