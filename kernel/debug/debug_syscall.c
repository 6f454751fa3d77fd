/*
 * Debug system calls of debug builds. They print or stop, and change no object: DebugSnapshot walks all
 * invariants (check.h). But for DebugRun, which breaks one on purpose, or says how often a label has
 * succeeded (count.h). Called by the system call layer.
 */
#include "api/debug_syscall.h"
#include "arch/x86/arch.h"
#include "cap/cnode.h"
#include "debug/check.h"
#include "debug/count.h"
#include "panic.h"
#include "percpu.h"
#include "sched/sched.h"

static void debug_syscall_thread(const char *where, const struct tcb *t)
{
	kprintf("%s: %s state %d prio %u ip 0x%lx\n", where, t->name, (int)t->state, t->priority,
		t->ctx.restart_ip);
}

static void debug_syscall_scheduler(void)
{
	struct percpu *p = percpu_self();
	struct rbtree_node *n;

	debug_syscall_thread("current", p->current);
	for (unsigned prio = PRIORITIES; prio-- > 0;)
		for (struct tcb *t = p->ready[prio].head; t; t = t->queue_next)
			debug_syscall_thread("ready", t);
	for (n = rbtree_first(&p->release); n; n = rbtree_next(n))
		debug_syscall_thread("waits for budget", RBTREE_OWNER(n, struct tcb, release_node));
}

/* Upstream's: the thread's CPU in place of the capability; all ones if it is not a thread. */
static void debug_syscall_affinity(struct tcb *t)
{
	struct lookup_result r = cnode_lookup_slot(t, t->ctx.rdi);

	t->ctx.rdi = UINT64_MAX;
	if (r.status == EXC_NONE && cap_type(r.slot->cap) == CAP_TCB)
		t->ctx.rdi = cap_tcb_of(r.slot->cap)->cpu;
}

static word_t debug_syscall_run(word_t what)
{
	return what < COUNT_FIRST ? check_break((unsigned)what) : count_successes(what - COUNT_FIRST);
}

bool debug_syscall(struct tcb *t, int64_t number)
{
	switch (number) {
	case seL4_SysDebugDumpScheduler:
		debug_syscall_scheduler();
		return true;
	case seL4_SysDebugHalt:
		kprintf("halted by thread %s\n", t->name);
		arch_halt();
	case seL4_SysDebugSnapshot:
		check_or_stop();
		return true;
	case seL4_SysDebugRun:
		t->ctx.rdi = debug_syscall_run(t->ctx.rdi);
		return true;
	case seL4_SysDebugGetThreadAffinity:
		debug_syscall_affinity(t);
		return true;
	default:
		return false;
	}
}
