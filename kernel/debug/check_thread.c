/* Threads: that their state, their links and the queues they say they are in belong together. Part of
 * check.h's walk. */
#include "arch/x86/mm/window.h"
#include "arch/x86/virt/vcpu_struct.h"
#include "cap/cnode.h"
#include "debug/check_private.h"
#include "ipc/notification.h"
#include "ipc/reply.h"
#include "sched/sched.h"

static void check_thread_slots(const struct tcb *t)
{
	static const struct {
		enum cap_type type, also;
	} kinds[TCB_SLOT_COUNT] = {
	    [TCB_CSPACE] = {CAP_CNODE, CAP_ZOMBIE},	      [TCB_VSPACE] = {CAP_PML4, CAP_NULL},
	    [TCB_IPC_BUFFER] = {CAP_FRAME, CAP_NULL},	      [TCB_FAULT_HANDLER] = {CAP_ENDPOINT, CAP_NULL},
	    [TCB_TIMEOUT_HANDLER] = {CAP_ENDPOINT, CAP_NULL}, [TCB_EPT_ROOT] = {CAP_EPT_PML4, CAP_NULL},
	};

	for (unsigned i = 0; i < TCB_SLOT_COUNT; i++) {
		enum cap_type type = cap_type_of(t->slot[i].cap);

		CHECK(type == CAP_NULL || type == kinds[i].type || type == kinds[i].also,
		      "a thread holds a capability of another kind", check_at(t), i, type);
	}
}

static void check_thread_cspace(const struct tcb *t)
{
	cap_t root = t->slot[TCB_CSPACE].cap;

	if (t->cspace_word != root.w[1])
		return;
	CHECK(cap_type(root) == CAP_CNODE && t->cspace_slots == cap_cnode_slots(root) &&
		  t->cspace_radix == cap_cnode_radix(root),
	      "what a thread remembers of its CSpace is not so", check_at(t), check_at(t->cspace_slots),
	      t->cspace_radix);
}

static void check_thread_buffer(const struct tcb *t)
{
	cap_t frame = t->slot[TCB_IPC_BUFFER].cap;
	uint64_t at;

	if (!t->ipc_buffer_kv)
		return;
	CHECK(cap_type(frame) == CAP_FRAME && cap_frame_map(frame) == FRAME_KERNEL,
	      "an IPC buffer without its frame", check_at(t), frame.w[0], frame.w[1]);
	if (!check_ok())
		return;
	at = window_pa(t->ipc_buffer_kv).v;
	CHECK(at >= cap_frame_ptr(frame) &&
		  at - cap_frame_ptr(frame) < BIT(frame_size_bits(cap_frame_size(frame))),
	      "an IPC buffer outside its frame", check_at(t), at, cap_frame_ptr(frame));
	CHECK(!t->ipc_buffer_writable || (cap_frame_rights(frame) & CAP_RIGHT_WRITE),
	      "an IPC buffer written without the right", check_at(t), frame.w[0], 0);
	check_window_held(t->ipc_buffer_kv);
}

/* What it waits for. */
static void check_thread_waits(const struct tcb *t)
{
	bool ipc = t->state == THREAD_BLOCKED_SEND || t->state == THREAD_BLOCKED_RECV;
	bool wait = t->state == THREAD_BLOCKED_NOTIFICATION;

	check_count.in_ipc += ipc;
	check_count.in_wait += wait;
	CHECK(!(ipc || wait) || t->blocking_object, "a thread waits for nothing", check_at(t), t->state, 0);
	CHECK(ipc || wait || (!t->ipc_next && !t->ipc_prev),
	      "a thread that does not wait is in a waiting queue", check_at(t), t->state,
	      check_at(t->ipc_next));
	CHECK(t->state != THREAD_BLOCKED_REPLY || t->reply, "a thread waits for an answer of nobody",
	      check_at(t), 0, 0);
	CHECK(!t->reply || t->state == THREAD_BLOCKED_REPLY || t->state == THREAD_BLOCKED_RECV,
	      "a thread that waits for nobody has a reply object", check_at(t), t->state, check_at(t->reply));
	CHECK(!t->reply || t->reply->tcb == t, "a thread's reply object does not name it", check_at(t),
	      check_at(t->reply), t->reply ? check_at(t->reply->tcb) : 0);
	/* One that is not to be answered keeps its fault; a restart drops it. */
	CHECK(t->fault.type == seL4_Fault_NullFault || t->state == THREAD_BLOCKED_SEND ||
		  t->state == THREAD_BLOCKED_REPLY || t->state == THREAD_INACTIVE,
	      "a thread that does not wait for a handler has a fault", check_at(t), t->state, t->fault.type);
}

static void check_thread_bindings(const struct tcb *t)
{
	const struct notification *n = t->bound_notification;

	CHECK(!n || n->bound_tcb == t, "a thread's bound notification is not bound to it", check_at(t),
	      check_at(n), 0);
	CHECK(!t->sc || t->sc->tcb == t, "a thread's scheduling context is not its own", check_at(t),
	      check_at(t->sc), t->sc ? check_at(t->sc->tcb) : 0);
	CHECK(!t->sc || t->sc->cpu == t->cpu, "a thread and its scheduling context are on two CPUs",
	      check_at(t), t->cpu, t->sc ? t->sc->cpu : 0);
	CHECK(!t->yield_to || t->yield_to->yield_from == t, "a thread yields to a context that does not know",
	      check_at(t), check_at(t->yield_to), 0);
	CHECK(!t->vcpu || t->vcpu->tcb == t, "a thread's vCPU is not bound to it", check_at(t),
	      check_at(t->vcpu), 0);
	CHECK(t->state != THREAD_RUNNING_VM || t->vcpu, "a thread runs a vCPU that it does not have",
	      check_at(t), 0, 0);
	CHECK(t->cpu < check_cpu_count(), "a thread on a CPU that is not there", check_at(t), t->cpu, 0);
}

static bool check_thread_is_current(const struct tcb *t)
{
	const struct percpu *p = check_cpu(t->cpu);

	return p->current == t || p->scheduler_action == t;
}

static void check_thread_queues(const struct tcb *t)
{
	check_count.queued += t->queued;
	check_count.waiting += t->released_queued;
	CHECK(!(t->queued && t->released_queued), "a thread is ready and waits for budget", check_at(t), 0,
	      0);
	CHECK(!t->queued || sched_schedulable(t), "a thread is in a ready queue that cannot run", check_at(t),
	      t->state, check_at(t->sc));
	CHECK(!t->released_queued || t->sc, "a thread without a scheduling context waits for budget",
	      check_at(t), t->state, 0);
	if (sched_schedulable(t) && check_ok())
		CHECK(t->queued || check_thread_is_current(t), "a thread that can run is in no queue",
		      check_at(t), t->state, t->cpu);
}

void check_thread(struct tcb *t, bool dying)
{
	check_now->threads++;
	CHECK(t->state <= THREAD_BLOCKED_NOTIFICATION, "a thread in no state", check_at(t), t->state, 0);
	if (dying) {
		CHECK(t->state == THREAD_INACTIVE && !t->sc && !t->queued && !t->released_queued &&
			  !t->bound_notification && !t->vcpu && !t->reply && !t->yield_to,
		      "a thread is being deleted that is still in use", check_at(t), t->state,
		      check_at(t->sc));
		return;
	}
	check_thread_slots(t);
	check_thread_cspace(t);
	check_thread_buffer(t);
	check_thread_waits(t);
	if (check_ok())
		check_thread_bindings(t);
	if (check_ok())
		check_thread_queues(t);
	check_memory_thread(t);
}
