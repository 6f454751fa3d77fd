/*
 * Faults. A fault is a call by the faulting thread to its handler, made by the kernel; the handler's reply
 * says whether the thread restarts, and may change its registers. Called by the system call layer, traps, the
 * scheduler (timeouts) and message transfer.
 */
#include "ipc/fault.h"
#include "arch/x86/arch.h"
#include "ipc/endpoint.h"
#include "ipc/message.h"
#include "object/vcpu.h"
#include "panic.h"
#include "sched/sched.h"

#define FAULT_MESSAGE_MAX	    19u
#define FAULT_UNKNOWN_SYSCALL_REPLY 18u
#define FAULT_EXCEPTION_REPLY	    3u
#define FAULT_TIMEOUT_REPLY	    19u
#define FAULT_LINES		    16u

/* Indices of the register context (facts, section 9). */
enum { FAULT_FIRST_GENERAL = 3, FAULT_GENERAL_COUNT = 15 };

/* Order of the UnknownSyscall message: general registers, then ip, sp, flags. */
static unsigned fault_syscall_register(unsigned i)
{
	return i < FAULT_GENERAL_COUNT ? FAULT_FIRST_GENERAL + i : i - FAULT_GENERAL_COUNT;
}

static unsigned fault_linear_register(unsigned i)
{
	return i;
}

/* ---- sending ---- */

bool fault_handler_valid(cap_t cap)
{
	if (cap_is_null(cap))
		return true;
	return cap_type(cap) == CAP_ENDPOINT && cap_endpoint_can_send(cap) &&
	       (cap_endpoint_can_grant(cap) || cap_endpoint_can_grant_reply(cap));
}

static void fault_send(struct tcb *t, cap_t handler, bool can_donate)
{
	ipc_send(true, true, handler, can_donate, t);
}

/*
 * The console is slow, and who makes threads can have as many of them fault as he likes: on average one line a
 * second is printed, FAULT_LINES at once.
 */
static bool fault_may_print(ticks_t now)
{
	static unsigned left = FAULT_LINES;
	static ticks_t since;
	ticks_t seconds = (now - since) / time_us_to_ticks(1000000);

	if (seconds != 0) {
		since = now;
		left = seconds < FAULT_LINES - left ? left + (unsigned)seconds : FAULT_LINES;
	}
	if (left == 0)
		return false;
	left--;
	return true;
}

static void fault_unhandled(struct tcb *t, const struct fault *f)
{
	sched_set_state(t, THREAD_INACTIVE);
	if (!fault_may_print(percpu_self()->now))
		return;
	kprintf("thread %s: fault %d at ip 0x%lx, address 0x%lx, number %ld, code 0x%lx, sp 0x%lx: no "
		"handler, stopped\n",
		t->name, (int)f->type, t->ctx.restart_ip, f->address, (long)f->number, f->code, t->ctx.rsp);
}

void fault_handle(struct tcb *t)
{
	const struct fault *f = &percpu_self()->fault;
	cap_t handler = t->slot[TCB_FAULT_HANDLER].cap;

	if (cap_type(handler) != CAP_ENDPOINT) {
		fault_unhandled(t, f);
		return;
	}
	t->fault = *f;
	fault_send(t, handler, t->sc != NULL);
}

bool fault_timeout_handler_set(struct tcb *t)
{
	return cap_type(t->slot[TCB_TIMEOUT_HANDLER].cap) == CAP_ENDPOINT;
}

void fault_timeout(struct tcb *t)
{
	if (t->state == THREAD_RUNNING_VM)
		vcpu_leave(t);
	if (t->state == THREAD_RUNNING)
		context_stopped(&t->ctx);
	t->fault = (struct fault){.type = seL4_Fault_Timeout, .number = t->sc->badge};
	fault_send(t, t->slot[TCB_TIMEOUT_HANDLER].cap, false);
}

/* ---- the message ---- */

static unsigned fault_cap_words(const struct tcb *t, word_t *words)
{
	words[0] = t->ctx.restart_ip;
	words[1] = t->fault.address;
	words[2] = t->fault.receive_phase;
	return 3 + error_lookup_words(&t->fault.lookup, words + 3);
}

static unsigned fault_syscall_words(const struct tcb *t, word_t *words)
{
	for (unsigned i = 0; i < FAULT_UNKNOWN_SYSCALL_REPLY; i++)
		words[i] = context_get(&t->ctx, fault_syscall_register(i));
	words[FAULT_UNKNOWN_SYSCALL_REPLY] = t->fault.number;
	return FAULT_UNKNOWN_SYSCALL_REPLY + 1;
}

static unsigned fault_exception_words(const struct tcb *t, word_t *words)
{
	words[0] = t->ctx.restart_ip;
	words[1] = t->ctx.rsp;
	words[2] = t->ctx.rflags;
	words[3] = t->fault.number;
	words[4] = t->fault.code;
	return 5;
}

static unsigned fault_vm_words(const struct tcb *t, word_t *words)
{
	words[0] = t->ctx.restart_ip;
	words[1] = t->fault.address;
	words[2] = t->fault.fetch;
	words[3] = t->fault.code;
	return 4;
}

static unsigned fault_timeout_words(const struct tcb *t, word_t *words)
{
	words[0] = t->fault.number;
	if (!t->sc)
		return 1;
	words[1] = sched_context_take_consumed(t->sc);
	return 2;
}

static unsigned fault_words(const struct tcb *t, word_t *words)
{
	switch (t->fault.type) {
	case seL4_Fault_CapFault:
		return fault_cap_words(t, words);
	case seL4_Fault_UnknownSyscall:
		return fault_syscall_words(t, words);
	case seL4_Fault_UserException:
		return fault_exception_words(t, words);
	case seL4_Fault_VMFault:
		return fault_vm_words(t, words);
	case seL4_Fault_Timeout:
		return fault_timeout_words(t, words);
	case seL4_Fault_NullFault:
		break;
	}
	panic("fault_words: thread %s has no fault", t->name);
}

unsigned fault_message(struct tcb *faulter, struct tcb *receiver)
{
	word_t words[FAULT_MESSAGE_MAX];

	return message_deliver(receiver, 0, faulter->fault.type, words, fault_words(faulter, words));
}

/* ---- the answer ---- */

/* Register i of the answer's message, for as many as it has, at most max. */
static void fault_set_registers(struct tcb *t, struct tcb *handler, unsigned length, unsigned max,
				unsigned (*index)(unsigned))
{
	if (length > max)
		length = max;
	if (length > seL4_FastMessageRegisters && !message_source(handler))
		length = seL4_FastMessageRegisters;
	for (unsigned i = 0; i < length; i++)
		context_set(&t->ctx, index(i), message_get(handler, i));
	if (length != 0)
		t->held_trap = 0; /* what it took is not for where it goes on */
}

bool fault_reply(struct tcb *faulter, struct tcb *handler, word_t label, unsigned length)
{
	switch (faulter->fault.type) {
	case seL4_Fault_UnknownSyscall:
		fault_set_registers(faulter, handler, length, FAULT_UNKNOWN_SYSCALL_REPLY,
				    fault_syscall_register);
		return label == 0;
	case seL4_Fault_UserException:
		fault_set_registers(faulter, handler, length, FAULT_EXCEPTION_REPLY, fault_linear_register);
		return label == 0;
	case seL4_Fault_Timeout:
		fault_set_registers(faulter, handler, length, FAULT_TIMEOUT_REPLY, fault_linear_register);
		return label == 0;
	default: /* cap and VM faults restart whatever the label is */
		return true;
	}
}
