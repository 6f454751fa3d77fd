/* Endpoints, notifications, replies: their queues and links, and what the threads in them say. Part of
 * check.h's walk. */
#include "arch/x86/mm/window.h"
#include "debug/check_private.h"
#include "ipc/endpoint.h"
#include "ipc/notification.h"
#include "ipc/reply.h"
#include "sched/sched_context.h"

#define IPC_QUEUE_MAX 100000u /* more than that is a ring */

/* A queue of threads that wait for `object` in one of two states, by priority. Returns how many. */
static uint64_t check_queue(const struct tcb *head, const struct tcb *tail, const void *object,
			    enum thread_state state)
{
	const struct tcb *prev = NULL, *t;
	uint64_t n = 0;

	for (t = head; t && check_ok(); prev = t, t = t->ipc_next) {
		CHECK(t->ipc_prev == prev, "a waiting queue's links do not agree", check_at(t),
		      check_at(t->ipc_prev), check_at(prev));
		CHECK(t->state == state, "a thread in a waiting queue is in another state", check_at(t),
		      t->state, state);
		CHECK(t->blocking_object == object, "a thread in a waiting queue waits for something else",
		      check_at(t), check_at(t->blocking_object), check_at(object));
		CHECK(!prev || prev->priority >= t->priority, "a waiting queue is not ordered by priority",
		      check_at(t), t->priority, prev ? prev->priority : 0);
		CHECK(++n < IPC_QUEUE_MAX, "a waiting queue is a ring", check_at(object), 0, 0);
	}
	if (check_ok())
		CHECK(tail == prev, "a waiting queue's tail is not its last", check_at(object),
		      check_at(tail), check_at(prev));
	return n;
}

void check_endpoint(cap_t cap)
{
	const struct endpoint *ep = cap_endpoint_of(cap);
	enum endpoint_state state = endpoint_state(ep);
	bool any = endpoint_head(ep) && ep->head >= PAGE_SIZE;

	CHECK(state == ENDPOINT_IDLE ? !ep->head && !ep->tail : any && state <= ENDPOINT_RECV,
	      "an endpoint's state and queue differ", check_at(ep), ep->head, ep->tail);
	if (check_ok() && any)
		check_count.at_endpoints +=
		    check_queue(endpoint_head(ep), endpoint_tail(ep), ep,
				state == ENDPOINT_SEND ? THREAD_BLOCKED_SEND : THREAD_BLOCKED_RECV);
}

void check_notification(cap_t cap)
{
	const struct notification *n = cap_notification_of(cap);

	CHECK(n->state <= NOTIFICATION_ACTIVE && (n->state == NOTIFICATION_WAITING) == (n->head != NULL) &&
		  !n->head == !n->tail,
	      "a notification's state and queue differ", check_at(n), n->state, check_at(n->head));
	CHECK(n->state == NOTIFICATION_ACTIVE || n->badge == 0,
	      "a notification that is not pending has a badge", check_at(n), n->state, n->badge);
	if (check_ok() && n->head)
		check_count.at_notifications += check_queue(n->head, n->tail, n, THREAD_BLOCKED_NOTIFICATION);
	CHECK(!n->sc || n->sc->notification == n, "a notification's scheduling context is not bound to it",
	      check_at(n), check_at(n->sc), 0);
	if (!n->bound_tcb || !check_ok())
		return;
	CHECK(n->bound_tcb->bound_notification == n, "a notification's bound thread is not bound to it",
	      check_at(n), check_at(n->bound_tcb), check_at(n->bound_tcb->bound_notification));
	CHECK(!n->head || (n->head == n->bound_tcb && n->tail == n->bound_tcb),
	      "another thread waits for a bound notification", check_at(n), check_at(n->head),
	      check_at(n->bound_tcb));
}

void check_reply(cap_t cap)
{
	const struct reply *r = cap_reply_of(cap);
	const struct tcb *t = r->tcb;
	bool top = reply_is_top(r);

	CHECK(!t || t->reply == r, "a reply's thread does not name it", check_at(r), check_at(t), 0);
	CHECK(!t || t->state == THREAD_BLOCKED_REPLY || t->state == THREAD_BLOCKED_RECV,
	      "a reply's thread does not wait", check_at(r), check_at(t), t ? t->state : 0);
	CHECK((t && t->state == THREAD_BLOCKED_REPLY) || (!r->prev && !r->next),
	      "a reply without a caller is on a call stack", check_at(r), check_at(r->prev),
	      check_at(r->next));
	if (!check_ok())
		return;
	CHECK(!top || reply_top_sc(r)->reply == r, "the top of a call stack is not its scheduling context's",
	      check_at(r), check_at(r->next), 0);
	CHECK(top || !r->next || r->next->prev == r, "a call stack's links do not agree", check_at(r),
	      check_at(r->next), 0);
	CHECK(!r->prev || r->prev->next == r, "a call stack's links do not agree", check_at(r),
	      check_at(r->prev), 0);
}
