/*
 * Message transfer. Called by endpoint and reply operations. It must never change a thread's state or a
 * queue. The IPC buffers are user memory: each word is read once, and nothing read decides over kernel memory
 * but through a capability lookup.
 */
#include "ipc/transfer.h"
#include "api/lookup.h"
#include "cap/cnode.h"
#include "ipc/endpoint.h"
#include "ipc/fault.h"
#include "ipc/message.h"

unsigned message_deliver(struct tcb *t, word_t badge, word_t label, const word_t *words, unsigned count)
{
	if (count > seL4_FastMessageRegisters && !message_target(t))
		count = seL4_FastMessageRegisters;
	for (unsigned i = 0; i < count; i++)
		message_put(t, i, words[i]);
	t->ctx.rdi = badge;
	t->ctx.rsi = message_tag(label, 0, 0, count);
	return count;
}

bool transfer_extra_caps(struct tcb *sender, unsigned count, struct cte *slots[3], cptr_t *failed)
{
	const word_t *buffer = message_source(sender);

	slots[0] = slots[1] = slots[2] = NULL;
	if (!buffer)
		return true;
	for (unsigned i = 0; i < count; i++) {
		cptr_t cptr = buffer[MESSAGE_BUFFER_CAPS + i];

		slots[i] = lookup_slot(sender, cptr);
		if (!slots[i]) {
			*failed = cptr;
			return false;
		}
	}
	return true;
}

/* The empty slot that the receiver named for a capability, or NULL. */
static struct cte *transfer_receive_slot(struct tcb *receiver, const word_t *buffer)
{
	struct lookup_result root, r;

	root = cnode_lookup_slot(receiver, buffer[MESSAGE_BUFFER_RECEIVE_CNODE]);
	if (root.status != EXC_NONE)
		return NULL;
	r = cnode_target_slot(root.slot->cap, buffer[MESSAGE_BUFFER_RECEIVE_INDEX],
			      buffer[MESSAGE_BUFFER_RECEIVE_DEPTH], false);
	return r.status == EXC_NONE && cap_is_null(r.slot->cap) ? r.slot : NULL;
}

static bool transfer_unwraps(cap_t cap, const struct endpoint *ep)
{
	return ep && cap_type(cap) == CAP_ENDPOINT && cap_endpoint_of(cap) == ep;
}

/* Capabilities of the message: returns those bits of the receiver's tag that speak of them. */
static word_t transfer_caps(struct tcb *sender, unsigned count, const struct endpoint *ep,
			    struct tcb *receiver)
{
	struct cte *slots[3], *target;
	word_t *buffer = message_target(receiver);
	unsigned unwrapped = 0, i;
	cptr_t failed;

	if (!buffer || !transfer_extra_caps(sender, count, slots, &failed) || !slots[0])
		return 0;
	target = transfer_receive_slot(receiver, buffer);
	for (i = 0; i < count && slots[i]; i++) {
		cap_t cap = slots[i]->cap;
		struct derive_result d;

		if (transfer_unwraps(cap, ep)) {
			buffer[MESSAGE_BUFFER_CAPS + i] = cap_endpoint_badge(cap);
			unwrapped |= 1u << i;
			continue;
		}
		if (!target || cap_is_null(cap))
			break;
		d = cap_derive(slots[i], cap);
		if (d.status != EXC_NONE || cap_is_null(d.cap))
			break;
		cte_insert(d.cap, slots[i], target);
		target = NULL;
	}
	return message_tag(0, unwrapped, i, 0);
}

static unsigned transfer_words(struct tcb *sender, struct tcb *receiver, unsigned length)
{
	const word_t *from;
	word_t *to;

	receiver->ctx.r10 = length > 0 ? sender->ctx.r10 : receiver->ctx.r10;
	receiver->ctx.r8 = length > 1 ? sender->ctx.r8 : receiver->ctx.r8;
	receiver->ctx.r9 = length > 2 ? sender->ctx.r9 : receiver->ctx.r9;
	receiver->ctx.r15 = length > 3 ? sender->ctx.r15 : receiver->ctx.r15;
	if (length <= seL4_FastMessageRegisters)
		return length;
	from = message_source(sender);
	to = message_target(receiver);
	if (!from || !to)
		return seL4_FastMessageRegisters;
	for (unsigned i = seL4_FastMessageRegisters; i < length; i++)
		to[MESSAGE_BUFFER_MR + i] = from[MESSAGE_BUFFER_MR + i];
	return length;
}

void transfer_message(struct tcb *sender, const struct endpoint *ep, word_t badge, bool can_grant,
		      struct tcb *receiver)
{
	word_t tag = sender->ctx.rsi, caps = 0;
	unsigned length, extra = message_extra_caps(tag);

	if (unlikely(sender->fault.type != seL4_Fault_NullFault)) {
		length = fault_message(sender, receiver);
		receiver->ctx.rsi = message_tag(sender->fault.type, 0, 0, length);
	} else {
		length = transfer_words(sender, receiver, message_length(tag));
		if (unlikely(extra && can_grant))
			caps = transfer_caps(sender, extra, ep, receiver);
		receiver->ctx.rsi = message_tag(message_label(tag), 0, 0, length) | caps;
	}
	receiver->ctx.rdi = badge;
}
