// links: kernel/arch/x86/smp/smp_fake.c
// links: kernel/api/sim_fake.c kernel/api/error.c kernel/api/invocation.c kernel/api/trap.c
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
	CLIENT = 1,
	SERVER,
	THIRD,
	EP,
	EP2,
	REPLY,
	REPLY2,
	NTFN,
	SC1,
	SC2,
	SC3,
	SC4,
	BADGED,
	SPARE,
	EMPTY,
	HANDLER_EP,
	FOURTH
};

static struct tcb *client, *server, *third;

static void setup_all(bool two_levels)
{
	sim_reset();
	sim_two_levels = two_levels;
	client = sim_thread(CLIENT, 100);
	server = sim_thread(SERVER, 100);
	third = sim_thread(THIRD, 100);
	sim_endpoint(EP);
	sim_endpoint(EP2);
	sim_endpoint(HANDLER_EP);
	sim_reply(REPLY);
	sim_reply(REPLY2);
	sim_notification(NTFN);
	sim_mint(BADGED, EP, 15, 77);
}

#define ACTORS 4u

/* What must be equal after the same calls, whichever path took them. */
static uint64_t fingerprint(struct tcb *const *actors)
{
	uint64_t h = 14695981039346656037u;
	struct tcb *t;

#define MIX(v)	   (h = (h ^ (uint64_t)(v)) * 1099511628211u)
#define MIX_PTR(p) MIX((p) ? window_pa((const void *)((uintptr_t)(p) & ~(uintptr_t)1)).v : 0)
	for (unsigned i = 0; i < ACTORS; i++) {
		t = actors[i];
		MIX(t->state);
		MIX(t->queued);
		MIX_PTR(t->sc);
		MIX_PTR(t->reply);
		MIX_PTR(t->ipc_next);
		MIX_PTR(t->ipc_prev);
		MIX(t->ctx.rdi);
		MIX(t->ctx.rsi);
		MIX(t->ctx.r10);
		MIX(t->ctx.r8);
		MIX(t->ctx.r9);
		MIX(t->ctx.r15);
		MIX(t->ctx.rip);
		MIX(t->ctx.syscall);
		MIX(t->fault.type);
		for (unsigned w = 4; w < 10; w++)
			MIX(message_get(t, w));
	}
	for (unsigned s = EP; s <= EP2; s++) {
		MIX(cap_endpoint_of(sim_slot(s)->cap)->head);
		MIX(cap_endpoint_of(sim_slot(s)->cap)->tail);
	}
	for (unsigned s = REPLY; s <= REPLY2; s++) {
		struct reply *r = cap_reply_of(sim_slot(s)->cap);

		MIX_PTR(r->tcb);
		MIX_PTR(r->prev);
		MIX_PTR(r->next);
	}
	MIX_PTR(percpu_host->current);
	MIX_PTR(percpu_host->current_sc);
	return h;
}

static word_t random_tag(void)
{
	return sim_tag(rand() % 3 ? 0 : (word_t)rand() % 4, rand() % 8 == 0, (unsigned)rand() % 4 * 3);
}

/* A call that fits what this thread is, or any. */
static int64_t random_call(bool is_server)
{
	static const int64_t calls[] = {seL4_SysCall,	    seL4_SysReplyRecv, seL4_SysRecv,  seL4_SysNBRecv,
					seL4_SysNBSendRecv, seL4_SysSend,      seL4_SysYield, -1000};

	if (rand() % 10)
		return is_server ? seL4_SysReplyRecv : seL4_SysCall;
	return calls[(unsigned)rand() % ARRAY_SIZE(calls)];
}

static unsigned random_steps(bool fast, unsigned seed, unsigned steps, uint64_t *prints)
{
	static const unsigned eps[] = {EP, EP, BADGED, EP2};
	unsigned taken = 0;
	struct tcb *actors[ACTORS], *t;

	setup_all(!fast);
	srand(seed);
	actors[0] = client;
	actors[1] = server;
	actors[2] = third;
	actors[3] = sim_thread(FOURTH, 101);
	for (unsigned i = 0; i < ACTORS; i++) {
		actors[i]->priority = (uint8_t)(100 + rand() % 3);
		actors[i]->slot[TCB_FAULT_HANDLER].cap = sim_slot(rand() % 2 ? EP : EP2)->cap;
		for (unsigned w = 4; w < 10; w++)
			message_put(actors[i], w, i * 100 + w);
		if (i < 2) {
			sim_start(actors[i], SC1 + i, 100000, 100000);
		} else { /* passive from the start: made to wait by hand, they cannot run */
			actors[i]->state = THREAD_RUNNING;
			ipc_receive(actors[i], cap_endpoint_of(sim_slot(i == 2 ? EP : EP2)->cap), true,
				    cap_reply_of(sim_slot(i == 2 ? REPLY : REPLY2)->cap));
		}
	}
	t = sim_exit();
	for (unsigned i = 0; i < steps; i++) {
		if (!t) { /* all wait: one of them is set free */
			sched_restart(actors[rand() % 2]);
			t = sim_exit();
		} else {
			bool is_server = t == third || t == actors[3], own = rand() % 10;
			int64_t call = random_call(is_server);
			unsigned target = eps[rand() % 4], reply = rand() % 2 ? REPLY : REPLY2;
			word_t tag = random_tag();

			if (is_server && own) {
				target = t == third ? EP : EP2;
				reply = t == third ? REPLY : REPLY2;
			}
			sim_set_mrs(t, (word_t)rand(), (word_t)rand(), (word_t)rand(), (word_t)rand());
			t->ctx.r12 = reply;
			t->ctx.r13 = target;
			t = sim_syscall(t, call, target, tag);
			taken += sim_was_fast();
		}
		prints[i] = fingerprint(actors);
	}
	return taken;
}

static void test_paths_agree(void **state)
{
	enum { STEPS = 300 };
	static uint64_t fast[STEPS], general[STEPS];
	unsigned taken = 0;

	(void)state;
	for (unsigned seed = 1; seed <= 300; seed++) {
		taken += random_steps(true, seed, STEPS, fast);
		assert_int_equal(random_steps(false, seed, STEPS, general), 0);
		for (unsigned i = 0; i < STEPS; i++)
			assert_int_equal(fast[i], general[i]);
	}
	print_message("fast paths taken: %u\n", taken);
	assert_true(taken > 3000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_paths_agree)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
