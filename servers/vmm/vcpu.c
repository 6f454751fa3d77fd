/*
 * A vCPU's thread: enter, handle what came out, inject what is pending, wait when the guest waits. One thread
 * per vCPU; nothing here holds the lock across an entry or a wait.
 */
#include "servers/vmm/vmm.h"

#include <stdlib.h>
#include "insula/exit_reason.h"
#include "sel4/sel4.h"
#include "servers/vmm/xen/xen.h"
#include "user/thread.h"
#include <xen/sched.h>

#define WINDOW_IRQ   1u
#define WINDOW_NMI   2u
#define VMCS_ES_BASE 0x6806u /* SDM volume 3, appendix B; the other segments' follow in steps of 2 */

enum { DELIVERY_FIXED = 0, DELIVERY_LOWEST = 1, DELIVERY_NMI = 4, DELIVERY_INIT = 5, DELIVERY_SIPI = 6 };

/* ---- what is told and asked of it ---- */

uint64_t vcpu_segment_base(const struct vcpu *v, unsigned segment)
{
	seL4_X86_VCPU_ReadVMCS_t r = seL4_X86_VCPU_ReadVMCS(v->slot_vcpu, VMCS_ES_BASE + 2 * segment);

	return r.error ? 0 : r.value;
}

static void tell_online(const struct vcpu *v)
{
	if (vcpu_is_up(v))
		__atomic_fetch_or(&vmm.control->online, 1u << v->id, __ATOMIC_RELAXED);
	else
		__atomic_fetch_and(&vmm.control->online, ~(1u << v->id), __ATOMIC_RELAXED);
}

void vcpu_set_online(struct vcpu *v, bool online)
{
	v->run = online ? VCPU_RUNNING : VCPU_OFFLINE;
	v->fresh = false;
	__atomic_store_n(&v->down, false, __ATOMIC_RELEASE);
	tell_online(v);
}

void vcpu_set_down(struct vcpu *v, bool down)
{
	__atomic_store_n(&v->down, down, __ATOMIC_RELEASE);
	tell_online(v);
}

/* ---- between vCPUs ---- */

void vcpu_kick(struct vcpu *v)
{
	seL4_Signal(v->slot_kick);
}

void vcpu_wake(struct vcpu *v)
{
	if (v->id != thread_self())
		vcpu_kick(v);
}

static void ipi_to(struct vcpu *to, const struct lapic_action *a)
{
	switch (a->delivery) {
	case DELIVERY_FIXED:
	case DELIVERY_LOWEST:
		if (lapic_accept(&to->lapic, a->vector, false))
			vcpu_wake(to);
		break;
	case DELIVERY_NMI:
		__atomic_store_n(&to->nmi_pending, true, __ATOMIC_RELEASE);
		vcpu_wake(to);
		break;
	case DELIVERY_INIT:
		if (a->level_deassert)
			break;
		__atomic_store_n(&to->init_pending, true, __ATOMIC_RELEASE);
		vcpu_kick(to);
		break;
	case DELIVERY_SIPI:
		to->sipi_vector = a->vector;
		__atomic_store_n(&to->sipi_pending, true, __ATOMIC_RELEASE);
		vcpu_kick(to);
		break;
	default:
		break; /* SMI, reserved: nobody listens */
	}
}

void vcpu_apic_action(struct vcpu *v, struct lapic_action a)
{
	if (a.kind == LAPIC_TIMER_CHANGED)
		timer_update(v);
	if (a.kind != LAPIC_SEND)
		return;
	for (uint32_t i = 0; i < vmm.vcpu_count; i++) {
		struct vcpu *to = vmm.vcpu[i];
		bool hit = a.shorthand == 1   ? to == v
			   : a.shorthand == 2 ? true
			   : a.shorthand == 3 ? to != v
					      : lapic_matches(&to->lapic, a.logical, a.destination);

		if (hit)
			ipi_to(to, &a);
		if (hit && a.delivery == DELIVERY_LOWEST && a.shorthand == 0)
			break;
	}
}

/* ---- injection ---- */

static bool interrupt_pending(const struct vcpu *v)
{
	return xen_callback_pending(v) || lapic_pending(&v->lapic) >= 0;
}

bool vcpu_holds_back(const struct vcpu *v)
{
	return !(v->s->rflags & RFLAGS_IF) && interrupt_pending(v);
}

/* Chooses what the next entry delivers; asks for a window if something must wait. */
static void inject(struct vcpu *v)
{
	struct insula_vcpu_state *s = v->s;
	bool shadow = s->interruptibility & (SHADOW_STI | SHADOW_MOV_SS);
	bool open = (s->rflags & RFLAGS_IF) && !shadow;
	bool step = v->step_pending, called = false, looked = false;

	s->window = 0;
	v->step_pending = false;
	if (v->inject_info & EVENT_VALID) {
		s->entry_info = v->inject_info;
		s->entry_error = v->inject_error;
		s->entry_length = v->inject_length;
		v->inject_info = 0;
	} else if (step) {
		/* a trap of the instruction before: no interrupt comes between */
	} else if (v->nmi_pending && !(s->interruptibility & SHADOW_NMI) && !shadow) {
		v->nmi_pending = false;
		s->entry_info = EVENT_MAKE(EVENT_NMI, X86_NMI);
	} else if (open) {
		uint8_t callback;
		int vector;

		/* Xen delivers the domain's callback before the LAPIC's interrupts */
		if (xen_callback_take(v, &callback)) {
			called = true;
			s->entry_info = EVENT_MAKE(EVENT_EXTERNAL, callback);
		} else if ((vector = lapic_pending(&v->lapic)) >= 0) {
			lapic_take(&v->lapic, (uint8_t)vector);
			s->entry_info = EVENT_MAKE(EVENT_EXTERNAL, (uint32_t)vector);
		} else {
			looked = true; /* what comes from now on kicks this vCPU */
		}
	}
	/* the callback stays asserted until the guest, called now, takes it back: only what comes after that
	 * is to end its turn */
	if (!looked && (called ? lapic_pending(&v->lapic) >= 0 : interrupt_pending(v)))
		s->window |= WINDOW_IRQ;
	if (v->nmi_pending)
		s->window |= WINDOW_NMI;
}

/* ---- the loop ---- */

static void reset_to_wait_for_sipi(struct vcpu *v)
{
	uint32_t id = v->lapic.id;
	bool bsp = v->lapic.bsp;
	enum lapic_mode mode = v->lapic.mode;

	/* INIT leaves IA32_APIC_BASE as it is */
	lapic_reset(&v->lapic, id, bsp);
	v->lapic.mode = mode;
	if (mode == LAPIC_X2APIC)
		v->lapic.ldr = ((id >> 4) << 16) | (1u << (id & 15));
	v->inject_info = 0;
	v->step_pending = false;
	v->nmi_pending = false;
	v->s->entry_info = 0;
	vcpu_reset(v);
	vmm_lock();
	vcpu_set_online(v, false);
	v->fresh = true;
	/* as long as the guest has not taken it, nothing would assert it anew */
	evtchn_upcall_again(v);
	vmm_unlock();
	timer_update(v);
}

/* INIT and SIPI from others. */
static void start_signals(struct vcpu *v)
{
	if (__atomic_exchange_n(&v->init_pending, false, __ATOMIC_ACQ_REL)) {
		if (v->lapic.bsp && v->run != VCPU_OFFLINE) {
			/* the boot processor would start over at firmware, which a PVH domain does not have
			 */
			vmm_shutdown(SHUTDOWN_reboot, "INIT of its boot CPU");
			return;
		}
		/* one that waits for SIPI is reset already */
		if (v->run != VCPU_OFFLINE || !v->fresh)
			reset_to_wait_for_sipi(v);
	}
	if (__atomic_exchange_n(&v->sipi_pending, false, __ATOMIC_ACQ_REL) && v->run == VCPU_OFFLINE) {
		vcpu_start_sipi(v);
		vmm_lock();
		vcpu_set_online(v, true);
		vmm_unlock();
	}
}

void vcpu_events(struct vcpu *v, uint64_t badge)
{
	if (__atomic_load_n(&vmm.ended, __ATOMIC_ACQUIRE)) {
		v->missed |= badge;
		return;
	}
	if (badge & VMM_EVENT_TIMER)
		timer_expired(v);
	if (badge & VMM_EVENT_CONSOLE) {
		vmm_lock();
		console_service();
		vmm_unlock();
	}
	if (badge & VMM_EVENT_CONTROL)
		control_service();
	if (badge >> VMM_EVENT_PEER_SHIFT) {
		vmm_lock();
		evtchn_remote_event(badge);
		vmm_unlock();
	}
	start_signals(v);
}

bool vcpu_is_up(const struct vcpu *v)
{
	return __atomic_load_n(&v->run, __ATOMIC_ACQUIRE) != VCPU_OFFLINE &&
	       !__atomic_load_n(&v->down, __ATOMIC_ACQUIRE);
}

static bool must_wait(struct vcpu *v)
{
	if (__atomic_load_n(&v->down, __ATOMIC_ACQUIRE))
		return true;
	switch (v->run) {
	case VCPU_OFFLINE:
		return true;
	case VCPU_HALTED:
		if (interrupt_pending(v) || v->nmi_pending || (v->inject_info & EVENT_VALID))
			v->run = VCPU_RUNNING;
		break;
	case VCPU_POLLING:
		if (xen_poll_done(v) || (interrupt_pending(v) && !v->poll_holds_back) || v->nmi_pending)
			v->run = VCPU_RUNNING;
		break;
	case VCPU_RUNNING:
		break;
	}
	return v->run != VCPU_RUNNING;
}

/* What it was signalled for while the domain had ended, if it goes on. */
static void go_on(struct vcpu *v)
{
	uint64_t missed = v->missed;

	v->missed = 0;
	v->ran_tsc = cpu_tsc();
	v->ran_ticks = v->s->used_ticks;
	vcpu_events(v, missed);
}

static void loop(struct vcpu *v)
{
	v->ran_tsc = cpu_tsc();
	if (v->run == VCPU_RUNNING)
		xen_runstate(v, XEN_RUNSTATE_RUNNING);
	for (;;) {
		seL4_Word badge = 0;

		context_hold(v);
		if (__atomic_load_n(&vmm.ended, __ATOMIC_ACQUIRE)) {
			vmm_parked(v);
			seL4_Wait(v->slot_notification, &badge);
			v->missed |= badge;
			vmm_resume();
			continue;
		}
		if (v->missed) {
			go_on(v);
			continue;
		}
		if (must_wait(v)) {
			uint64_t since = cpu_tsc();

			xen_runstate(v, !vcpu_is_up(v) ? XEN_RUNSTATE_OFFLINE : XEN_RUNSTATE_BLOCKED);
			seL4_Wait(v->slot_notification, &badge);
			xen_runstate_blocked(v, since, badge & VMM_EVENT_TIMER ? v->armed_tsc : UINT64_MAX);
			xen_runstate(v, XEN_RUNSTATE_RUNNING);
			vcpu_events(v, badge);
			continue;
		}
		inject(v);
		if (seL4_VMEnter(&badge) == SEL4_VMENTER_RESULT_FAULT) {
			exit_handle(v);
		} else {
			/* what was to be injected and was not comes back */
			vcpu_deliver_again(v, (uint32_t)v->s->entry_length);
			xen_runstate_given(v);
			vcpu_events(v, badge);
		}
	}
}

static void secondary(void *argument)
{
	loop(argument);
}

void vcpu_main(struct vcpu *v)
{
	for (uint32_t i = 1; i < vmm.vcpu_count; i++)
		if (thread_start(i, secondary, vmm.vcpu[i]))
			abort();
	loop(v);
	abort();
}
