/*
 * vCPU objects: who they are bound to, the system call VMEnter, and running a guest until there is something
 * to be done. Facts, section 12; the state page and its invocation: abi/insula/ext.h.
 *
 * Called by the invocation layer, the system call layer and the way out of the kernel. It must never enter a
 * guest without a live EPT root, nor with a signal pending that would not end its turn.
 */
#include "object/vcpu.h"
#include "api/invocation.h"
#include "arch/x86/mm/window.h"
#include "arch/x86/virt/virt_guest.h"
#include "ipc/notification.h"
#include "object/tcb.h"
#include "object/vcpu_private.h"
#include "object/vspace.h"
#include "panic.h"
#include "percpu.h"
#include "sched/remote.h"
#include "sched/sched.h"

/* object.c tells the two holders of a kernel-held frame apart by the slot's place in its page. */
_Static_assert(offsetof(struct vcpu, state_slot) % PAGE_SIZE !=
		   offsetof(struct tcb, slot) + TCB_IPC_BUFFER * sizeof(struct cte),
	       "a state page's slot must not look like a TCB's IPC buffer slot");
_Static_assert(offsetof(struct vcpu, state_slot) % sizeof(struct cte) == 0,
	       "slots are addressed in units of 32 bytes");

struct vcpu *cap_vcpu_of(cap_t c)
{
	return window_kv(paddr(cap_vcpu_ptr(c)));
}

/* ---- binding ---- */

void vcpu_init(struct vcpu *v)
{
	virt_guest_init(v);
	vcpu_io_init(v);
	virt->vcpu_init(v);
}

/* Its pages are many, and 256 of them may be made at once: retype leaves it zero. */
static bool vcpu_is_new(const struct vcpu *v)
{
	return v->id == 0;
}

/* The result of a VMEnter that could not be: seL4's reason -1. */
static void vcpu_refused(struct tcb *t)
{
	struct vcpu *v = t->vcpu;

	t->ctx.rsi = VCPU_RESULT_EXIT;
	t->ctx.rdi = 0;
	sched_set_state(t, THREAD_RUNNING);
	if (!v) {
		*context_mr(&t->ctx, 3) = VCPU_REASON_NONE;
		return;
	}
	virt_guest_clear_exit(v);
	v->exit.reason = VCPU_REASON_NONE;
	if (v->state)
		vcpu_state_out(v);
	else
		vcpu_message_out(t, v, VCPU_REASON_NONE);
}

void vcpu_unbind_tcb(struct tcb *t)
{
	struct vcpu *v = t->vcpu;

	if (!v)
		return;
	remote_stall(t);
	if (t->state == THREAD_RUNNING_VM)
		vcpu_refused(t);
	virt->vcpu_clear(v);
	v->tcb = NULL;
	t->vcpu = NULL;
}

void vcpu_migrate(struct vcpu *v)
{
	virt->vcpu_clear(v);
}

static void vcpu_bind_tcb(struct vcpu *v, struct tcb *t)
{
	if (t->vcpu == v)
		return;
	remote_stall(t);
	vcpu_unbind_tcb(t);
	if (v->tcb)
		vcpu_unbind_tcb(v->tcb);
	virt->vcpu_clear(v);
	v->tcb = t;
	t->vcpu = v;
}

void vcpu_finalise(struct vcpu *v)
{
	if (vcpu_is_new(v))
		return;
	if (v->tcb)
		vcpu_unbind_tcb(v->tcb);
	virt->vcpu_clear(v);
	vcpu_io_finalise(v);
	cte_delete_one(&v->state_slot);
}

/* Lock held: its thread does not run, nor is on its way to the guest, while the vCPU is read or changed from here. */
void vcpu_hold(struct vcpu *v)
{
	if (v->tcb)
		remote_stall(v->tcb);
}

/* ... and its thread finds it on no other CPU when it runs again. */
static void vcpu_let_go(struct vcpu *v)
{
	if (v->tcb && unlikely(!remote_is_local(v->tcb->cpu)))
		virt->vcpu_clear(v);
}

/* ---- invocations ---- */

static exception_t vcpu_set_tcb(struct vcpu *v)
{
	struct cte *extra = invocation_extra(0);

	if (!extra)
		return error_truncated();
	if (cap_type(extra->cap) != CAP_TCB)
		return error_illegal_operation();
	vcpu_bind_tcb(v, cap_tcb_of(extra->cap));
	return EXC_NONE;
}

static exception_t vcpu_access(struct vcpu *v, word_t label, unsigned length)
{
	bool write = label == X86VCPUWriteVMCS || label == X86VCPUWriteMSR;
	bool msr = label == X86VCPUReadMSR || label == X86VCPUWriteMSR;
	uint64_t field, value;
	bool known;

	if (length < (write ? 2u : 1u))
		return error_truncated();
	field = invocation_arg(0);
	value = write ? invocation_arg(1) : 0;
	if (field > UINT32_MAX)
		return error_illegal_operation();
	vcpu_hold(v);
	if (msr)
		known = write ? virt->write_msr(v, (uint32_t)field, &value)
			      : virt->read_msr(v, (uint32_t)field, &value);
	else
		known = write ? virt->write_field(v, (uint32_t)field, &value)
			      : virt->read_field(v, (uint32_t)field, &value);
	vcpu_let_go(v);
	if (!known)
		return error_illegal_operation();
	invocation_reply1(value);
	return EXC_NONE;
}

static exception_t vcpu_write_registers(struct vcpu *v, unsigned length)
{
	static const uint8_t order[] = {
	    INSULA_RAX, INSULA_RBX, INSULA_RCX, INSULA_RDX, INSULA_RSI, INSULA_RDI, INSULA_RBP, INSULA_R8,
	    INSULA_R9,	INSULA_R10, INSULA_R11, INSULA_R12, INSULA_R13, INSULA_R14, INSULA_R15,
	};
	struct insula_vcpu_state s;

	if (length < ARRAY_SIZE(order))
		return error_truncated();
	vcpu_hold(v);
	for (unsigned i = 0; i < ARRAY_SIZE(order); i++)
		s.gpr[order[i]] = invocation_arg(i);
	s.gpr[INSULA_RSP_UNUSED] = 0;
	virt->put(v, INSULA_VS_GPR, &s);
	vcpu_let_go(v);
	return EXC_NONE;
}

void vcpu_state_page_gone(struct vcpu *v)
{
	if (!v->state)
		return;
	vcpu_hold(v);
	v->state = NULL;
	window_unref(paddr(cap_frame_ptr(v->state_slot.cap)));
}

static exception_t vcpu_set_state_page(struct vcpu *v)
{
	struct cte *extra = invocation_extra(0);
	const unsigned rw = CAP_RIGHT_READ | CAP_RIGHT_WRITE;
	struct derive_result d;

	if (!extra) {
		cte_delete_one(&v->state_slot);
		return EXC_NONE;
	}
	if (cap_type(extra->cap) != CAP_FRAME || cap_frame_size(extra->cap) != FRAME_4K ||
	    cap_frame_device(extra->cap) || (cap_frame_rights(extra->cap) & rw) != rw)
		return error_invalid_capability(1);
	d = cap_derive(extra, extra->cap);
	if (d.status != EXC_NONE)
		return d.status;

	vcpu_hold(v);
	cte_delete_one(&v->state_slot);
	v->state = window_ref(paddr(cap_frame_ptr(d.cap)));
	cte_insert(cap_frame_with_map(d.cap, FRAME_KERNEL), extra, &v->state_slot);
	return EXC_NONE;
}

exception_t vcpu_decode(word_t label, unsigned length, cap_t cap)
{
	struct vcpu *v = cap_vcpu_of(cap);

	if (unlikely(vcpu_is_new(v)))
		vcpu_init(v);
	switch (label) {
	case X86VCPUSetTCB:
		return vcpu_set_tcb(v);
	case X86VCPUReadVMCS:
	case X86VCPUWriteVMCS:
	case X86VCPUReadMSR:
	case X86VCPUWriteMSR:
		return vcpu_access(v, label, length);
	case X86VCPUEnableIOPort:
		return vcpu_io_enable(v, length);
	case X86VCPUDisableIOPort:
		return vcpu_io_disable(v, length);
	case X86VCPUWriteRegisters:
		return vcpu_write_registers(v, length);
	case InsulaVCPUSetStatePage:
		return vcpu_set_state_page(v);
	default:
		return error_illegal_operation();
	}
}

exception_t tcb_set_ept_root_decode(unsigned length, cap_t tcb_cap)
{
	struct cte *extra = invocation_extra(0);
	struct tcb *t = cap_tcb_of(tcb_cap);
	struct derive_result d;
	exception_t e;

	(void)length;
	if (!extra)
		return error_truncated();
	if (cap_type(extra->cap) != CAP_EPT_PML4)
		return error_illegal_operation();
	d = cap_derive(extra, extra->cap);
	if (d.status != EXC_NONE)
		return d.status;

	remote_stall(t);
	e = cte_delete(&t->slot[TCB_EPT_ROOT], true);
	if (e != EXC_NONE)
		return e;
	cte_insert(d.cap, extra, &t->slot[TCB_EPT_ROOT]);
	return EXC_NONE;
}

/* ---- running ---- */

/*
 * The thread's EPT root, if it still is one, goes into the vCPU. Looked up before every stretch: a root may
 * die any time. First it is said that we may use it, then looked whether it lives: whoever takes it away does
 * these in the other order, and so one of us sees the other (tlb_flush_nested).
 */
static bool vcpu_root(struct percpu *p, struct tcb *t, struct vcpu *v)
{
	cap_t c = t->slot[TCB_EPT_ROOT].cap;
	paddr_t root;

	if (cap_type(c) != CAP_EPT_PML4 || !cap_paging_is_mapped(c))
		return false;
	__atomic_store_n(&p->arch.guest_root, cap_paging_ptr(c), __ATOMIC_SEQ_CST);
	if (!asid_lookup((unsigned)cap_paging_asid(c), ASID_EPT, &root) || root.v != cap_paging_ptr(c))
		return false;
	if (unlikely(!v->ept_valid || v->ept_root.v != root.v))
		virt->set_ept_root(v, root, true);
	return true;
}

void vcpu_deliver_signal(struct tcb *t, word_t badge)
{
	struct vcpu *v = t->vcpu;

	sched_set_state(t, THREAD_RUNNING);
	t->ctx.rsi = VCPU_RESULT_SIGNAL;
	t->ctx.rdi = badge;
	if (!v)
		return;
	if (v->state) {
		virt_guest_clear_exit(v);
		v->exit.reason = VCPU_REASON_NONE;
		vcpu_state_out(v);
	} else {
		vcpu_message_refresh(t, v);
	}
	vcpu_let_go(v);
}

void vcpu_take_signal(struct tcb *t)
{
	word_t badge;

	if (t->state == THREAD_RUNNING_VM && t->bound_notification &&
	    notification_poll(t->bound_notification, &badge))
		vcpu_deliver_signal(t, badge);
}

/* Without the lock: a look. The state RUNNING_VM was set, behind a barrier, before it: see notification_signal. */
static bool vcpu_signalled(const struct tcb *t)
{
	const struct notification *n = t->bound_notification;

	return likely(n) && unlikely(__atomic_load_n(&n->state, __ATOMIC_RELAXED) == NOTIFICATION_ACTIVE);
}

void vcpu_leave(struct tcb *t)
{
	if (!t->vcpu || t->vcpu->state)
		return;
	vcpu_message_refresh(t, t->vcpu);
	vcpu_let_go(t->vcpu);
}

void vcpu_enter_syscall(void)
{
	struct tcb *t = percpu_self()->current;
	struct vcpu *v = t->vcpu;

	/* on a donated budget the caller's time would go to the guest, and the caller would never hear of it
	 * again */
	if (unlikely(!v) || unlikely(t->sc->reply)) {
		vcpu_refused(t);
		return;
	}
	if (v->state)
		vcpu_state_in(v);
	else
		vcpu_message_in(t, v);
	sched_set_state(t, THREAD_RUNNING_VM);
}

static void vcpu_deliver_exit(struct tcb *t, struct vcpu *v)
{
	sched_set_state(t, THREAD_RUNNING);
	t->ctx.rsi = VCPU_RESULT_EXIT;
	t->ctx.rdi = 0;
	if (v->state)
		vcpu_state_out(v);
	else
		vcpu_message_out(t, v, v->exit.reason);
}

bool vcpu_run(struct tcb *t)
{
	struct percpu *p = percpu_self();
	struct vcpu *v = t->vcpu;
	enum virt_run r;

	if (unlikely(!v) || unlikely(!vcpu_root(p, t, v))) {
		p->arch.guest_root = 0;
		vcpu_refused(t);
		return true;
	}
	if (p->arch.pending_vector >= 0 || vcpu_signalled(t)) {
		p->arch.guest_root = 0;
		return false;
	}
	virt_guest_load(v, t);
	virt->load(v);
	do
		r = virt->run(v);
	while (r == VIRT_RUN_AGAIN);
	virt->unload(v);
	virt_guest_unload(v, t);
	p->arch.guest_root = 0;
	if (r == VIRT_RUN_INTERRUPT)
		return false;
	vcpu_deliver_exit(t, v);
	return true;
}
