/*
 * The release queue: threads that are runnable but wait until their scheduling context's head refill is
 * usable, by that time. Called by the scheduler only. The head refill must not change while its thread is in
 * here.
 */
#include "sched/sched.h"
#include "sched/remote.h"

void release_add(struct tcb *t)
{
	struct percpu *p;

	if (t->released_queued)
		return;
	p = remote_percpu(t->cpu);
	if (rbtree_insert(&p->release, &t->release_node, refill_head(t->sc)->time))
		remote_reprogram(p);
	t->released_queued = true;
}

void release_unlink(struct tcb *t)
{
	struct percpu *p = remote_percpu(t->cpu);

	if (rbtree_first(&p->release) == &t->release_node)
		p->reprogram = true;
	rbtree_erase(&p->release, &t->release_node);
	t->released_queued = false;
}

struct tcb *release_take(struct percpu *p, ticks_t now)
{
	struct rbtree_node *n = rbtree_first(&p->release);
	struct tcb *t;

	if (!n)
		return NULL;
	t = RBTREE_OWNER(n, struct tcb, release_node);
	if (!refill_ready(t->sc, now))
		return NULL;
	release_remove(t);
	return t;
}
