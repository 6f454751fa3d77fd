// links: kernel/arch/x86/smp/smp_fake.c
// links: kernel/api/sim_fake.c kernel/api/sim_other_fake.c kernel/api/error.c kernel/api/invocation.c kernel/api/trap.c
// links: kernel/api/fast_active.c kernel/api/fast_signal.c
// links: kernel/api/syscall_general.c kernel/release/debug_syscall.c kernel/ipc/endpoint.c
// links: kernel/ipc/notification.c kernel/ipc/reply.c kernel/ipc/transfer.c kernel/ipc/fault.c
// links: kernel/ipc/queue.c kernel/sched/ready.c kernel/sched/release.c kernel/sched/refill.c
// links: kernel/sched/sched.c kernel/sched/sched_context.c kernel/sched/sched_context_decode.c
// links: kernel/sched/sched_control.c kernel/sched/remote.c kernel/object/object.c kernel/object/tcb.c
// links: kernel/object/tcb_config.c kernel/object/tcb_registers.c kernel/object/tcb_sched.c
// links: kernel/object/timer.c kernel/cap/mdb.c kernel/cap/derive.c kernel/cap/delete.c
// links: kernel/cap/preempt.c kernel/cap/cnode.c kernel/cap/cnode_decode.c kernel/cap/untyped.c
// links: kernel/arch/x86/context.c lib/rbtree/rbtree.c
/*
 * The fast paths beside the general one: the same random calls by threads whose CSpaces allow fast paths, and
 * by threads whose do not. After each call everything that threads can see must be the same.
 */
#include "api/sim_fake.h"
#include "ipc/endpoint.h"
#include "ipc/message.h"
#include "ipc/notification.h"
#include "ipc/reply.h"
#include "sched/sched.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* Slots of the shared CNode. */
enum {
	ACTORS = 6,
	THREAD = 1, /* one each */
	SC = THREAD + ACTORS,
	EP = SC + ACTORS,
	EP2,
	EP3,
	REPLY,
	REPLY2,
	REPLY3,
	NTFN,
	NTFN2,
	BADGED,
	BADGED3,
	SIGNAL,
	SIGNAL2,
};

/* Two that call and signal; two passive servers, one with a scheduling context, to which NTFN2 may be bound;
 * one that waits for NTFN. */
enum role { CLIENT, CLIENT2, PASSIVE, PASSIVE2, ACTIVE, WAITER };

static void setup_all(bool two_levels)
{
	sim_reset();
	sim_two_levels = two_levels;
	for (unsigned s = EP; s <= EP3; s++)
		sim_endpoint(s);
	for (unsigned s = REPLY; s <= REPLY3; s++)
		sim_reply(s);
	sim_notification(NTFN);
	sim_notification(NTFN2);
	sim_mint(BADGED, EP, 15, 77);
	sim_mint(BADGED3, EP3, 15, 78);
	sim_mint(SIGNAL, NTFN, 15, 1);
	sim_mint(SIGNAL2, NTFN2, 15, 2);
}

/* Which endpoint and reply object a server uses. */
static unsigned server_endpoint(enum role role)
{
	return role == PASSIVE ? EP : role == PASSIVE2 ? EP2 : EP3;
}

static unsigned server_reply(enum role role)
{
	return role == PASSIVE ? REPLY : role == PASSIVE2 ? REPLY2 : REPLY3;
}

#define MIX(h, v)     ((h) = ((h) ^ (uint64_t)(v)) * 1099511628211u)
#define MIX_PTR(h, p) MIX(h, (p) ? window_pa((const void *)((uintptr_t)(p) & ~(uintptr_t)1)).v : 0)

static void mix_thread(uint64_t *h, struct tcb *t)
{
	MIX(*h, t->state);
	MIX(*h, t->queued);
	MIX(*h, t->released_queued);
	MIX_PTR(*h, t->queue_next);
	MIX_PTR(*h, t->queue_prev);
	MIX_PTR(*h, t->sc);
	MIX_PTR(*h, t->reply);
	MIX_PTR(*h, t->ipc_next);
	MIX_PTR(*h, t->ipc_prev);
	MIX(*h, t->ctx.rdi);
	MIX(*h, t->ctx.rsi);
	MIX(*h, t->ctx.r10);
	MIX(*h, t->ctx.r8);
	MIX(*h, t->ctx.r9);
	MIX(*h, t->ctx.r15);
	MIX(*h, t->ctx.rip);
	MIX(*h, t->ctx.syscall);
	MIX(*h, t->fault.type);
	for (unsigned w = 4; w < 10; w++)
		MIX(*h, message_get(t, w));
}

/* Time that was not charged yet is the running thread's. */
static void mix_time(uint64_t *h, const struct sched_context *sc)
{
	MIX(*h, sc->consumed);
	MIX(*h, sc->refill_count);
	for (unsigned i = 0; i < sc->refill_count; i++) {
		unsigned at = (sc->refill_head + i) % sc->refill_max;

		MIX(*h, sc->refills[at].time);
		MIX(*h, sc->refills[at].amount);
	}
}

/* What must be equal after the same calls, whichever path took them. */
static uint64_t fingerprint(struct tcb *const *actors)
{
	uint64_t h = 14695981039346656037u;

	for (unsigned i = 0; i < ACTORS; i++)
		mix_thread(&h, actors[i]);
	for (unsigned s = SC; s < SC + ACTORS; s++)
		if (cap_type(sim_slot(s)->cap) == CAP_SCHED_CONTEXT)
			mix_time(&h, cap_sched_context_of(sim_slot(s)->cap));
	for (unsigned s = EP; s <= EP3; s++) {
		MIX(h, cap_endpoint_of(sim_slot(s)->cap)->head);
		MIX(h, cap_endpoint_of(sim_slot(s)->cap)->tail);
	}
	for (unsigned s = REPLY; s <= REPLY3; s++) {
		const struct reply *r = cap_reply_of(sim_slot(s)->cap);

		MIX_PTR(h, r->tcb);
		MIX_PTR(h, r->prev);
		MIX_PTR(h, r->next);
	}
	for (unsigned s = NTFN; s <= NTFN2; s++) {
		const struct notification *n = cap_notification_of(sim_slot(s)->cap);

		MIX(h, n->state);
		MIX(h, n->badge);
		MIX_PTR(h, n->head);
		MIX_PTR(h, n->tail);
	}
	MIX_PTR(h, percpu_host->current);
	MIX_PTR(h, percpu_host->current_sc);
	MIX(h, percpu_host->ready_top);
	MIX(h, percpu_host->consumed + sim_now - percpu_host->now);
	return h;
}

static word_t random_tag(void)
{
	return sim_tag(rand() % 3 ? 0 : (word_t)rand() % 4, rand() % 8 == 0, (unsigned)rand() % 4 * 3);
}

struct call {
	int64_t number;
	unsigned target, reply;
};

/* A call that fits what this thread is, or any. */
static struct call random_call(enum role role)
{
	static const int64_t calls[] = {
	    seL4_SysCall, seL4_SysReplyRecv, seL4_SysRecv, seL4_SysNBRecv, seL4_SysNBSendRecv,
	    seL4_SysSend, seL4_SysNBSend,    seL4_SysWait, seL4_SysNBWait, -1000};
	static const unsigned endpoints[] = {EP, EP, BADGED, EP2, EP3, BADGED3};
	static const unsigned signals[] = {SIGNAL, SIGNAL, SIGNAL2, NTFN, NTFN2};
	struct call c = {calls[(unsigned)rand() % ARRAY_SIZE(calls)],
			 EP + (unsigned)rand() % (SIGNAL2 + 1 - EP), REPLY + (unsigned)rand() % 3};

	if (rand() % 10 == 0)
		return c;
	if (role == WAITER && rand() % 4)
		return (struct call){rand() % 4 ? seL4_SysWait : seL4_SysNBWait, NTFN, c.reply};
	if (role >= PASSIVE && role <= ACTIVE)
		return (struct call){seL4_SysReplyRecv, server_endpoint(role), server_reply(role)};
	if (rand() % 3)
		return (struct call){seL4_SysCall, endpoints[(unsigned)rand() % ARRAY_SIZE(endpoints)],
				     c.reply};
	return (struct call){rand() % 2 ? seL4_SysSend : seL4_SysNBSend,
			     signals[(unsigned)rand() % ARRAY_SIZE(signals)], c.reply};
}

/* NTFN2 is bound to t, and lends it a scheduling context for what it is told by it. */
static void lend(struct tcb *t, unsigned slot)
{
	struct notification *n = cap_notification_of(sim_slot(NTFN2)->cap);
	struct sched_context *sc = sim_sched_context(slot);

	sched_control_configure(sc, 0, 100000 * SIM_TICKS_PER_US, 100000 * SIM_TICKS_PER_US, 0, slot, false);
	sched_context_bind_notification(sc, n);
	notification_bind(n, t);
}

static void start_actor(struct tcb *t, enum role role)
{
	bool round_robin = rand() % 2;

	t->priority = (uint8_t)(100 + rand() % 3);
	t->slot[TCB_FAULT_HANDLER].cap = sim_slot(EP + (unsigned)rand() % 3)->cap;
	for (unsigned w = 4; w < 10; w++)
		message_put(t, w, role * 100u + w);
	/* more than is used here: what has no budget left goes the general way at the timer's next interrupt
	 * only */
	if (role != PASSIVE && role != PASSIVE2)
		sim_start(t, SC + role, 100000, round_robin ? 100000 : 1000000);
	if (role >= PASSIVE && role <= ACTIVE) { /* made to wait by hand: passive ones cannot run */
		sched_stop(t);
		t->state = THREAD_RUNNING;
		ipc_receive(t, cap_endpoint_of(sim_slot(server_endpoint(role))->cap), true,
			    cap_reply_of(sim_slot(server_reply(role))->cap));
	}
	if (role == PASSIVE && rand() % 2)
		lend(t, SC + role);
	if (role == ACTIVE && rand() % 2 && !cap_notification_of(sim_slot(NTFN2)->cap)->bound_tcb)
		notification_bind(cap_notification_of(sim_slot(NTFN2)->cap), t);
}

static enum role role_of(struct tcb *const *actors, const struct tcb *t)
{
	unsigned i = 0;

	while (actors[i] != t)
		i++;
	return (enum role)i;
}

static unsigned taken[ACTORS][34]; /* fast paths by role and number */

static void random_steps(bool fast, unsigned seed, unsigned steps, uint64_t *prints)
{
	struct tcb *actors[ACTORS], *t;

	setup_all(!fast);
	srand(seed);
	for (unsigned i = 0; i < ACTORS; i++) {
		actors[i] = sim_thread(THREAD + i, 100);
		start_actor(actors[i], (enum role)i);
	}
	t = sim_exit();
	for (unsigned i = 0; i < steps; i++) {
		sim_now += (ticks_t)rand() % 30;
		if (!t) { /* all wait: one of them is set free */
			sched_restart(actors[rand() % 2]);
			t = sim_exit();
		} else {
			enum role role = role_of(actors, t);
			struct call c = random_call(role);
			word_t tag = random_tag();

			sim_set_mrs(t, (word_t)rand(), (word_t)rand(), (word_t)rand(), (word_t)rand());
			t->ctx.r12 = c.reply;
			t->ctx.r13 = c.target;
			t = sim_syscall(t, c.number, c.target, tag);
			if (sim_was_fast() && c.number < 0 && c.number > -34)
				taken[role][-c.number]++;
			assert_true(fast || !sim_was_fast());
		}
		prints[i] = fingerprint(actors);
	}
}

static void test_paths_agree(void **state)
{
	enum { STEPS = 300 };
	static uint64_t fast[STEPS], general[STEPS];

	(void)state;
	for (unsigned seed = 1; seed <= 1000; seed++) {
		random_steps(true, seed, STEPS, fast);
		random_steps(false, seed, STEPS, general);
		for (unsigned i = 0; i < STEPS; i++)
			if (fast[i] != general[i])
				fail_msg("seed %u: the paths differ after step %u", seed, i);
	}
	/* each of them was compared */
	assert_true(taken[CLIENT][-seL4_SysCall] > 1000);
	assert_true(taken[PASSIVE][-seL4_SysReplyRecv] > 1000);
	assert_true(taken[ACTIVE][-seL4_SysReplyRecv] > 1000);
	assert_true(taken[CLIENT][-seL4_SysSend] > 1000);
	assert_true(taken[CLIENT][-seL4_SysNBSend] > 1000);
	assert_true(taken[WAITER][-seL4_SysWait] > 1000);
	assert_true(taken[WAITER][-seL4_SysNBWait] > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_paths_agree)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
