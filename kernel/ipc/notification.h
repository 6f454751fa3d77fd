/* Notifications: one word of badges, a bound thread, a lent scheduling context. */
#ifndef IPC_NOTIFICATION_H
#define IPC_NOTIFICATION_H

#include "object/tcb.h"

enum notification_state { NOTIFICATION_IDLE, NOTIFICATION_WAITING, NOTIFICATION_ACTIVE };

struct notification {
	word_t badge; /* pending */
	struct tcb *head, *tail;
	struct tcb *bound_tcb;
	struct sched_context *sc;
	word_t state; /* enum notification_state */
	word_t reserved[2];
};
_Static_assert(sizeof(struct notification) == 64, "notification size");

static inline struct notification *cap_notification_of(cap_t c)
{
	return window_kv(paddr(cap_notification_ptr(c)));
}

/* Never blocks, never fails; also called by interrupts and timers. A bound thread in guest mode is made to
 * leave it. */
void notification_signal(struct notification *n, word_t badge);
void notification_wait(struct tcb *t, struct notification *n, bool blocking);
/* All waiting threads are restarted. EXC_PREEMPTED: call again; meanwhile nobody may come to wait anew. */
exception_t notification_cancel_all(struct notification *n);
void notification_bind(struct notification *n, struct tcb *t);
void notification_unbind(struct tcb *t);
/* Takes the pending badge if there is one. */
bool notification_poll(struct notification *n, word_t *badge);
/* As above for thread t: the badge goes into its register, a lent scheduling context with it. */
bool notification_complete(struct notification *n, struct tcb *t);
/* t is about to block: a scheduling context that n lent it goes back. */
void notification_return_sc(struct notification *n, struct tcb *t);
/* t, waiting here, becomes INACTIVE. */
void notification_cancel(struct tcb *t);
/* Sets the priority of t, which waits here. */
void notification_set_priority(struct tcb *t, uint8_t priority);
/* The object's last capability goes; nobody waits. */
void notification_finalise(struct notification *n);

#endif
