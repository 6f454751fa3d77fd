/*
 * Invocations: what a decode function may see of the caller's message, and how results return.
 *
 * A decode function has the form `exception_t x_decode(word_t label, unsigned length, ...)`: it
 * checks everything (may fail, changes nothing), then does it (cannot fail, but may be preempted
 * in the few long operations). On success it returns EXC_NONE with the reply's words set by
 * invocation_reply*(); no call means an empty reply. The thread is percpu->current.
 */
#ifndef API_INVOCATION_H
#define API_INVOCATION_H

#include "cap/cte.h"
#include "api/error.h"
#include "percpu.h"

/*
 * Message word i of the caller; 0 beyond the message's length. The message was copied once, before decode:
 * asking twice gives the same. No invocation has more than ARRAY_SIZE(percpu->args) words.
 */
static inline word_t invocation_arg(unsigned i)
{
	const struct percpu *p = percpu_self();

	return i < p->arg_count ? p->args[i] : 0;
}
/* Extra capability slot i (0..2), or NULL. Resolved before decode. */
static inline struct cte *invocation_extra(unsigned i)
{
	return percpu_self()->extra_caps[i];
}
/* The words returned to a Call. Count is the reply's length; at most 20 (register read). They replace the
 * arguments. */
void invocation_reply1(word_t w0);
void invocation_reply_words(const word_t *words, unsigned count);

/*
 * Decodes an invocation on the capability in slot, any but those of IPC (endpoint, notification, reply).
 * Called by the system call layer only. percpu->extra_caps is filled; percpu->call is set here.
 * `first_phase`: the sending half of a combined call, which refuses TCB, CNode, Domain, SchedControl
 * and SchedContext capabilities.
 */
exception_t invocation_decode(word_t label, unsigned length, struct cte *slot, bool call, bool first_phase);

/* The answer to t's Call: label 0 and the reply's words; or percpu->error. Badge 0. */
void invocation_answer(struct tcb *t);
void invocation_answer_error(struct tcb *t);
/* The answer that was put off: one word, if t's invocation was a Call (t->is_call). */
void invocation_finish_reply1(struct tcb *t, word_t w0);

#endif
