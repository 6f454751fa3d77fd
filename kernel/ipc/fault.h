/* Faults: delivery to handlers as a call, and what a handler's reply does. Facts, section 10. */
#ifndef IPC_FAULT_H
#define IPC_FAULT_H

#include "object/tcb.h"

/* The current thread's percpu->fault (or for timeouts, t->fault) goes to its handler; inactive if there is
 * none. */
void fault_handle(struct tcb *t);
/* SC of t is spent and it has a timeout handler. */
void fault_timeout(struct tcb *t);
bool fault_timeout_handler_set(struct tcb *t);
/* Writes the fault's message into receiver; returns its length. */
unsigned fault_message(struct tcb *faulter, struct tcb *receiver);
/* Applies a handler's answer; true if the thread restarts. */
bool fault_reply(struct tcb *faulter, struct tcb *handler, word_t label, unsigned length);
/* Is this a valid handler capability (null, or endpoint with send and grant or grant-reply)? */
bool fault_handler_valid(cap_t cap);

#endif
