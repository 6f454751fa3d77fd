/*
 * The two system calls that matter most, done in one piece when nothing unusual is asked for: a Call of at most four words
 * to a waiting passive thread, and its ReplyRecv. The scheduling context goes along, so neither time nor timer change.
 * False: nothing was changed, the general path does it. Both paths have the same effect.
 */
#ifndef API_FASTPATH_H
#define API_FASTPATH_H

#include "object/tcb.h"
#include "percpu.h"

bool fastpath_call(struct percpu *p, struct tcb *t);
bool fastpath_reply_recv(struct percpu *p, struct tcb *t);

#endif
