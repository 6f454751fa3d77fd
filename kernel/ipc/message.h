/*
 * A thread's message: tag, message registers, IPC buffer. The one place that knows where word i lies.
 * Everything read through here is the user's and may change under our hands: callers read a word once.
 */
#ifndef IPC_MESSAGE_H
#define IPC_MESSAGE_H

#include "object/tcb.h"
#include "sel4/constants.h"

/* Word indices in the IPC buffer. */
enum message_buffer_word {
	MESSAGE_BUFFER_MR = 1,
	MESSAGE_BUFFER_CAPS = 122,
	MESSAGE_BUFFER_RECEIVE_CNODE = 125,
	MESSAGE_BUFFER_RECEIVE_INDEX = 126,
	MESSAGE_BUFFER_RECEIVE_DEPTH = 127,
};

/* The tag: length 0-6, extraCaps 7-8, capsUnwrapped 9-11, label 12-63. */
static inline unsigned message_length(word_t tag)
{
	unsigned n = tag & MASK(7);

	return n > seL4_MsgMaxLength ? (unsigned)seL4_MsgMaxLength : n;
}

static inline unsigned message_extra_caps(word_t tag)
{
	return tag >> 7 & MASK(2);
}

static inline word_t message_label(word_t tag)
{
	return tag >> 12;
}

static inline word_t message_tag(word_t label, unsigned unwrapped, unsigned extra_caps, unsigned length)
{
	return label << 12 | unwrapped << 9 | extra_caps << 7 | length;
}

/* What can be read from, and written to, the thread's buffer; NULL if there is none. */
static inline const word_t *message_source(const struct tcb *t)
{
	return t->ipc_buffer_kv;
}

static inline word_t *message_target(const struct tcb *t)
{
	return t->ipc_buffer_writable ? t->ipc_buffer_kv : NULL;
}

/* Word i of t's message, which has it; 0 without a buffer. */
static inline word_t message_get(struct tcb *t, unsigned i)
{
	if (i < seL4_FastMessageRegisters)
		return *context_mr(&t->ctx, i);
	return t->ipc_buffer_kv ? t->ipc_buffer_kv[MESSAGE_BUFFER_MR + i] : 0;
}

/* Sets word i; lost where there is no buffer for it. */
static inline void message_put(struct tcb *t, unsigned i, word_t w)
{
	word_t *buffer;

	if (i < seL4_FastMessageRegisters)
		*context_mr(&t->ctx, i) = w;
	else if ((buffer = message_target(t)) != NULL)
		buffer[MESSAGE_BUFFER_MR + i] = w;
}

/* A whole message made by the kernel: words, tag, badge. Cut to what t can take; returns the length. */
unsigned message_deliver(struct tcb *t, word_t badge, word_t label, const word_t *words, unsigned count);

#endif
