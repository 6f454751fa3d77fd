/* The walk over all invariants: its order, and what is said at the end. Debug builds and host tests only
 * (check.h). */
#include "debug/check_private.h"
#include "panic.h"
#include "sched/remote.h"

struct check_result *check_now;
struct check_count check_count;

void check_fail(const char *what, uint64_t where, uint64_t a, uint64_t b)
{
	if (!check_ok())
		return;
	check_now->what = what;
	check_now->where = where;
	check_now->a = a;
	check_now->b = b;
}

uint32_t check_cpu_count(void)
{
	return remote_cpu_count();
}

struct percpu *check_cpu(uint32_t i)
{
	return remote_percpu(i);
}

/* What was counted in two places. */
static void check_balance(void)
{
	const struct check_count *c = &check_count;

	CHECK(c->slots == check_now->caps, "slots in use in objects, capabilities in the derivation list", 0,
	      c->slots, check_now->caps);
	CHECK(c->at_endpoints == c->in_ipc, "threads in endpoints' queues, threads that wait there", 0,
	      c->at_endpoints, c->in_ipc);
	CHECK(c->at_notifications == c->in_wait, "threads in notifications' queues, threads that wait there",
	      0, c->at_notifications, c->in_wait);
	CHECK(c->ready == c->queued, "threads in ready queues, threads that are queued", 0, c->ready,
	      c->queued);
	CHECK(c->released == c->waiting, "threads in release queues, threads that wait for budget", 0,
	      c->released, c->waiting);
	CHECK(c->timers == c->armed, "timers in the CPUs' trees, timers that are armed", 0, c->timers,
	      c->armed);
	CHECK(c->asids == c->roots, "ASIDs in use, roots that have one", 0, c->asids, c->roots);
}

bool check_all(struct check_result *r)
{
	*r = (struct check_result){0};
	check_now = r;
	check_count = (struct check_count){0};
	check_memory_begin();
	check_window_begin();
	if (check_ok())
		check_tree();
	if (check_ok())
		check_cpus();
	if (check_ok())
		check_memory_end();
	if (check_ok())
		check_window_end();
	if (check_ok())
		check_balance();
	return check_ok();
}

void check_or_stop(void)
{
	static struct check_result r;

	if (!check_all(&r))
		panic("invariant: %s: at 0x%lx: 0x%lx, 0x%lx", r.what, r.where, r.a, r.b);
}
