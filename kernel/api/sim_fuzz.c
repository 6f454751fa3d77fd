/*
 * The portable kernel under random use: threads with endpoints, notifications, replies, scheduling contexts,
 * timers, CNodes and memory, a large frame that is derived from and split, make random system calls and
 * invocations, take exceptions, use up time, are interrupted in long operations. After each step every
 * invariant is checked (debug/check.h), and that the thread that runs is one that may: of the highest
 * priority, with budget.
 *
 * The input's bytes are the dice; when they are used up, a generator goes on from where they led to. One
 * thread cannot be named by the others: it is woken when all wait, acts with all capabilities, and takes all
 * memory back now and then.
 */
// links: tests/roottask/fuzz/generate.c
// links: kernel/debug/check.c kernel/debug/check_tree.c kernel/debug/check_ipc.c kernel/debug/check_thread.c
// links: kernel/debug/check_sched.c kernel/debug/check_set.c kernel/debug/check_fake.c
// links: kernel/arch/x86/smp/smp_fake.c kernel/api/sim_fake.c kernel/api/sim_other_fake.c kernel/api/error.c kernel/api/invocation.c kernel/api/trap.c
// links: kernel/api/syscall.c kernel/api/fast_active.c kernel/api/fast_signal.c kernel/api/syscall_general.c kernel/release/debug_syscall.c
// links: kernel/ipc/endpoint.c kernel/ipc/notification.c kernel/ipc/reply.c kernel/ipc/transfer.c
// links: kernel/ipc/fault.c kernel/ipc/queue.c kernel/sched/ready.c kernel/sched/release.c
// links: kernel/sched/refill.c kernel/sched/sched.c kernel/sched/sched_context.c kernel/sched/sched_context_decode.c
// links: kernel/sched/sched_control.c kernel/sched/remote.c kernel/object/object.c kernel/object/tcb.c
// links: kernel/object/tcb_config.c kernel/object/tcb_registers.c kernel/object/tcb_sched.c
// links: kernel/object/timer.c kernel/cap/mdb.c kernel/cap/derive.c kernel/cap/delete.c
// links: kernel/cap/preempt.c kernel/cap/cnode.c kernel/cap/cnode_decode.c kernel/cap/untyped.c
// links: kernel/arch/x86/context.c lib/rbtree/rbtree.c kernel/object/frame_split.c
// cflags: -Itests
#include "api/sim_fake.h"
#include "debug/check.h"
#include "insula/ext.h"
#include "ipc/message.h"
#include "ipc/notification.h"
#include "object/frame.h"
#include "panic.h"
#include "roottask/fuzz/generate.h"
#include "sched/sched.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	STEPS_MAX = 1500,
	SLOTS = 96, /* in use, of the root CNode */
	THREADS = 6,
	THREAD = 1,
	SC = 8,
	EP = 16,
	NTFN = 20,
	REPLY = 24,
	TIMER = 28,
	SPACE = 30,
	CONTROL_SC = 32,
	DOMAIN,
	IRQ,
	NODE,
	UT,
	LARGE, /* a frame of a device, and a CNode for its parts */
	PARTS,
	/* not used by threads */
	MASTER = 200,
	MASTER_SC,
	MASTER_NTFN,
};

static struct {
	const uint8_t *data;
	size_t left;
	uint64_t state;
} dice;
static struct tcb *master;
static struct generate_world world;

static uint64_t roll(void *ctx)
{
	(void)ctx;
	if (dice.left) {
		dice.left--;
		dice.state ^= *dice.data++;
	}
	dice.state = dice.state * 6364136223846793005u + 1442695040888963407u;
	return dice.state ^ dice.state >> 29;
}

static unsigned type_of(void *ctx, unsigned slot)
{
	(void)ctx;
	return (unsigned)cap_type(sim_slot(slot)->cap);
}

/* ---- frames: parts of them, as frame_decode does it; nothing is mapped here ---- */

static bool frame_not_mapped(cap_t cap)
{
	(void)cap;
	return false;
}

const struct frame_space frame_space_vspace = {.mapped = frame_not_mapped},
			 frame_space_ept = {.mapped = frame_not_mapped};

exception_t sim_frame_decode(word_t label, unsigned length, struct cte *slot, cap_t cap)
{
	if (label == InsulaFrameSplit)
		return frame_split(length, slot, cap);
	if (label != InsulaFrameDerive || cap_frame_split(cap))
		return error_illegal_operation();
	return frame_derive(length, slot, cap);
}

/* ---- the system ---- */

static void make_thread(unsigned i)
{
	struct tcb *t = sim_thread(THREAD + i, (uint8_t)(20 * (i + 1)));

	t->mcp = 160;
	sim_start(t, SC + i, 1000 + 500 * i, i % 2 ? 10000 : 1000 + 500 * i);
	t->ctx.rip = t->ctx.restart_ip = 0x1000;
}

static void make_system(void)
{
	cap_t space = cap_paging_with_is_mapped(cap_of_type(CAP_PML4), 1);

	sim_reset();
	sim_two_levels = roll(NULL) & 1;
	for (unsigned i = 0; i < 3; i++) {
		sim_endpoint(EP + i);
		sim_notification(NTFN + i);
		sim_reply(REPLY + i);
	}
	sim_timer(TIMER);
	sim_timer(TIMER + 1);
	sim_root(SPACE, space, PAGE_BITS);
	sim_root(CONTROL_SC, cap_of_type(CAP_SCHED_CONTROL), 0);
	sim_root(DOMAIN, cap_of_type(CAP_DOMAIN), 0);
	sim_root(IRQ, cap_of_type(CAP_IRQ_CONTROL), 0);
	sim_untyped(UT, 18);
	sim_root(LARGE, cap_frame_new(paddr(0x80000000u), FRAME_2M, true, CAP_RIGHT_READ | CAP_RIGHT_WRITE),
		 0);
	sim_cnode(PARTS, 9);
	cte_insert(sim_slot(SIM_ROOT)->cap, sim_slot(SIM_ROOT), sim_slot(NODE));
	for (unsigned i = 0; i < THREADS; i++)
		make_thread(i);
	sim_notification(MASTER_NTFN);
	master = sim_thread(MASTER, 255);
	sim_start(master, MASTER_SC, 5000, 5000);
	world = (struct generate_world){
	    .random = roll,
	    .type_of = type_of,
	    .slots = SLOTS,
	    .depth = 64,
	    .image = 0x1000,
	    .image_words = 16,
	    .buffer = 0x10000,
	    .untyped_bits = 18,
	};
}

/* ---- what is checked after each step ---- */

static void check(const struct tcb *running)
{
	const struct percpu *p = percpu_host;
	struct check_result r;

	if (!check_all(&r))
		panic("%s: at 0x%lx: 0x%lx, 0x%lx", r.what, r.where, r.a, r.b);
	if (!running) {
		if (p->current != p->idle || p->ready_top >= 0)
			panic("nobody runs, but somebody could: priority %d", p->ready_top);
		return;
	}
	if (running->state != THREAD_RUNNING || !running->sc || running->sc->tcb != running ||
	    running->sc->refill_max == 0)
		panic("a thread runs that cannot");
	if (p->ready_top > running->priority)
		panic("priority %u runs, %d is ready", running->priority, p->ready_top);
	if (!refill_ready(running->sc, p->now))
		panic("a thread runs without budget");
	if (release_next(p) != UINT64_MAX && sim_deadline > release_next(p))
		panic("the timer fires after a budget is back");
}

/* ---- steps ---- */

static unsigned below(unsigned n)
{
	return generate_below(&world, n);
}

static void fill_buffer(struct tcb *t, const struct generate_invocation *v)
{
	word_t *b = t->ipc_buffer_kv;

	if (!b)
		return;
	for (unsigned i = 0; i < GENERATE_CAPS; i++)
		b[MESSAGE_BUFFER_CAPS + i] = v->caps[i];
	b[MESSAGE_BUFFER_RECEIVE_CNODE] = NODE;
	b[MESSAGE_BUFFER_RECEIVE_INDEX] = generate_slot(&world, CAP_NULL);
	b[MESSAGE_BUFFER_RECEIVE_DEPTH] = 64;
}

static struct tcb *invoke(struct tcb *t, int64_t number)
{
	struct generate_invocation v;

	world.deadline = sim_now;
	generate(&world, &v);
	fill_buffer(t, &v);
	for (unsigned i = 0; i < v.length && i < GENERATE_WORDS; i++)
		if (i < 4)
			*context_mr(&t->ctx, i) = v.words[i];
		else if (t->ipc_buffer_kv)
			t->ipc_buffer_kv[MESSAGE_BUFFER_MR + i] = v.words[i];
	return sim_syscall(t, number, v.target, sim_tag(v.label, v.extra, v.length));
}

/* Mostly what threads that serve each other do. */
static struct tcb *talk(struct tcb *t)
{
	static const int8_t numbers[] = {seL4_SysCall,	 seL4_SysReplyRecv,  seL4_SysNBSendRecv, seL4_SysSend,
					 seL4_SysNBSend, seL4_SysRecv,	     seL4_SysNBRecv,	 seL4_SysWait,
					 seL4_SysNBWait, seL4_SysNBSendWait, seL4_SysReplyRecv};
	int64_t number = numbers[below(ARRAY_SIZE(numbers))];
	struct generate_invocation v = {0};

	for (unsigned i = 0; i < GENERATE_CAPS; i++)
		v.caps[i] = generate_slot(&world, 255);
	fill_buffer(t, &v);
	t->ctx.r12 = generate_slot(&world, below(6) ? CAP_REPLY : CAP_ENDPOINT);
	t->ctx.r13 = generate_slot(&world, CAP_ENDPOINT);
	sim_set_mrs(t, roll(NULL), roll(NULL), roll(NULL), roll(NULL));
	return sim_syscall(t, number, generate_slot(&world, below(4) ? CAP_ENDPOINT : CAP_NOTIFICATION),
			   generate_tag(&world));
}

static struct tcb *any_syscall(struct tcb *t)
{
	int64_t number = generate_syscall(&world);

	if (number == seL4_SysVMEnter) /* there are no vCPUs here */
		number = seL4_SysYield;
	t->ctx.r12 = generate_register(&world);
	t->ctx.r13 = generate_register(&world);
	return sim_syscall(t, number, generate_register(&world), generate_tag(&world));
}

/* All wait, or it is time: the master acts. */
static struct tcb *wake_master(void)
{
	notification_signal(cap_notification_of(sim_slot(MASTER_NTFN)->cap), 1);
	return sim_exit();
}

static struct tcb *revoke_all(struct tcb *t)
{
	const word_t words[] = {UT, 64};

	sim_invoke(t, NODE, CNodeRevoke, 0, NULL, 2, words);
	return percpu_host->current;
}

static struct tcb *step(struct tcb *t)
{
	unsigned what = below(32);

	sim_interrupt = what & 1 && below(4) == 0;
	if (!t)
		return wake_master();
	if (t == master) {
		if (what < 12)
			return sim_syscall(t, seL4_SysWait, MASTER_NTFN, 0);
		if (what == 12)
			return revoke_all(t);
		return invoke(t, seL4_SysNBSend);
	}
	if (what < 12)
		return invoke(t, what < 9 ? seL4_SysCall : what < 11 ? seL4_SysNBSend : seL4_SysSend);
	if (what < 22)
		return talk(t);
	if (what < 24)
		return any_syscall(t);
	if (what < 25)
		return sim_trap(t, below(2) ? 14 : below(256), below(32));
	if (what < 27)
		return wake_master();
	return sim_run(below(3) ? below(20 * SIM_TICKS_PER_US) : below(20000 * SIM_TICKS_PER_US));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tcb *t;

	dice.data = data;
	dice.left = size;
	dice.state = size;
	make_system();
	t = sim_exit();
	check(t);
	for (unsigned i = 0; i < STEPS_MAX && (dice.left || i < 300); i++) {
		t = step(t);
		sim_interrupt = false;
		check(t);
	}
	return 0;
}
