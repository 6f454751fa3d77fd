/* Messages from thread to thread: words and capabilities. */
#ifndef IPC_TRANSFER_H
#define IPC_TRANSFER_H

#include "object/tcb.h"

struct endpoint;

/*
 * The sender's message, or its fault's, goes into the receiver's registers and buffer. `ep`: the endpoint it
 * went through (NULL for a reply): capabilities to it are unwrapped. `can_grant`: capabilities may go along.
 */
void transfer_message(struct tcb *sender, const struct endpoint *ep, word_t badge, bool can_grant,
		      struct tcb *receiver);

/*
 * Looks up the sender's extra capabilities (`count` from its tag) into slots[]; the rest is NULL. False: the
 * lookup of *failed did not succeed (percpu->lookup_fault is filled). Without a buffer there are none.
 */
bool transfer_extra_caps(struct tcb *sender, unsigned count, struct cte *slots[3], cptr_t *failed);

#endif
