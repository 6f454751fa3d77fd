/*
 * A thread's registers, TLS base and flags. Called by tcb_decode. Threads of other CPUs are stalled before
 * their registers are read.
 */
#include "api/invocation.h"
#include "arch/x86/arch.h"
#include "ipc/endpoint.h"
#include "object/tcb_decode.h"
#include "sched/remote.h"
#include "sched/sched.h"

#define TCB_FRAME_WORDS 18u /* of the register context; the rest is the integer part */

enum tcb_copy_flag { COPY_SUSPEND_SOURCE = 1, COPY_RESUME_TARGET = 2, COPY_FRAME = 4, COPY_INTEGER = 8 };
enum { READ_SUSPEND_SOURCE = 1, WRITE_RESUME_TARGET = 1 };

/* Its registers are about to be read or written: the first word says where it goes on. */
static void tcb_hold(struct tcb *t)
{
	remote_stall(t);
	if (t == percpu_self()->current)
		arch_thread_sync(t);
	else if (t->state == THREAD_RUNNING)
		context_stopped(&t->ctx);
}

exception_t tcb_read_registers_decode(struct tcb *t, unsigned length)
{
	word_t flags = invocation_arg(0), count = invocation_arg(1), words[seL4_UserContextWords];

	if (length < 2)
		return error_truncated();
	if (count < 1 || count > seL4_UserContextWords)
		return error_range(1, seL4_UserContextWords);
	if (t == percpu_self()->current)
		return error_illegal_operation();
	if (flags & READ_SUSPEND_SOURCE)
		tcb_suspend(t);
	tcb_hold(t);
	for (unsigned i = 0; i < count; i++)
		words[i] = context_get(&t->ctx, i);
	invocation_reply_words(words, (unsigned)count);
	return EXC_NONE;
}

exception_t tcb_write_registers_decode(struct tcb *t, unsigned length)
{
	word_t flags = invocation_arg(0), count = invocation_arg(1);

	if (length < 2 || length - 2 < count)
		return error_truncated();
	if (t == percpu_self()->current)
		return error_illegal_operation();
	if (count > seL4_UserContextWords)
		count = seL4_UserContextWords;
	tcb_hold(t);
	ipc_cancel_badged_forget(t);
	for (unsigned i = 0; i < count; i++)
		context_set(&t->ctx, i, invocation_arg(2 + i));
	context_restart(&t->ctx);
	t->held_trap = 0; /* what it took there is not for where it goes on */
	if (flags & WRITE_RESUME_TARGET)
		sched_restart(t);
	return EXC_NONE;
}

static void tcb_copy_words(struct tcb *to, const struct tcb *from, unsigned first, unsigned end)
{
	for (unsigned i = first; i < end; i++)
		context_set(&to->ctx, i, context_get(&from->ctx, i));
}

exception_t tcb_copy_registers_decode(struct tcb *t, unsigned length)
{
	struct cte *extra = invocation_extra(0);
	word_t flags = invocation_arg(0);
	struct tcb *source;

	if (length < 1 || !extra)
		return error_truncated();
	if (cap_type(extra->cap) != CAP_TCB)
		return error_invalid_capability(1);
	source = cap_tcb_of(extra->cap);
	if (flags & COPY_SUSPEND_SOURCE)
		tcb_suspend(source);
	if (flags & COPY_RESUME_TARGET)
		sched_restart(t);
	tcb_hold(source);
	tcb_hold(t);
	if (flags & COPY_FRAME) {
		tcb_copy_words(t, source, 0, TCB_FRAME_WORDS);
		t->held_trap = 0;
	}
	if (flags & COPY_INTEGER)
		tcb_copy_words(t, source, TCB_FRAME_WORDS, seL4_UserContextWords);
	arch_thread_changed(t);
	return EXC_NONE;
}

exception_t tcb_set_tls_base_decode(struct tcb *t, unsigned length)
{
	word_t base = invocation_arg(0);

	if (length < 1)
		return error_truncated();
	tcb_hold(t);
	t->ctx.fs_base = context_canonical(base) ? base : 0;
	arch_thread_changed(t);
	return EXC_NONE;
}

exception_t tcb_set_flags_decode(struct tcb *t, unsigned length)
{
	word_t clear = invocation_arg(0), set = invocation_arg(1), flags;

	if (length < 2)
		return error_truncated();
	remote_stall(t);
	flags = t->fpu_disabled ? seL4_TCBFlag_fpuDisabled : 0;
	flags = ((flags & ~clear) | set) & seL4_TCBFlag_fpuDisabled;
	if (t->fpu_disabled != (flags != 0)) {
		t->fpu_disabled = flags != 0;
		arch_fpu_changed(t);
	}
	invocation_reply1(flags);
	return EXC_NONE;
}
