/*
 * A vCPU's thread: enter, handle what came out, inject what is pending, wait when the guest waits. One thread per vCPU; nothing here
 * holds the lock across an entry or a wait.
 */
#include "servers/vmm/vmm.h"

#include <stdlib.h>
#include <string.h>
#include "insula/exit_reason.h"
#include "sel4/sel4.h"
#include "servers/vmm/load/cpu_record.h"
#include "servers/vmm/xen/xen.h"
#include "user/log.h"
#include "user/object.h"
#include "user/thread.h"
#include "user/vspace.h"
#include <xen/sched.h>

#define RFLAGS_IF    (1ull << 9)
#define X86_NMI      2
#define WINDOW_IRQ   1u
#define WINDOW_NMI   2u
#define VMCS_ES_BASE 0x6806u /* SDM volume 3, appendix B; the other segments' follow in steps of 2 */
#define VMCS_PDPTE0  0x280au
#define CR0_PG       (1ull << 31)
#define CR4_PAE      (1ull << 5)
#define EFER_LME     (1ull << 8)
#define CR0_RESET    0x60000010ull
#define VMM_STATE_VADDR (TASK_SHARED_VADDR + 0x100000ull)

enum { DELIVERY_FIXED = 0, DELIVERY_LOWEST = 1, DELIVERY_NMI = 4, DELIVERY_INIT = 5, DELIVERY_SIPI = 6 };

/* ---- reset states ---- */

static struct insula_segment segment(uint16_t selector, uint64_t base, uint32_t limit, uint32_t ar)
{
	return (struct insula_segment){.base = base, .limit = limit, .selector = selector, .ar = ar};
}

static void state_common(struct insula_vcpu_state *s)
{
	memset(s->gpr, 0, sizeof(s->gpr));
	s->rflags = 2;
	s->rsp = 0;
	s->interruptibility = 0;
	s->activity = 0;
	s->cr2 = s->cr3 = s->cr4 = s->efer = 0;
	s->gdtr = s->idtr = segment(0, 0, 0xffff, 0);
	s->seg[INSULA_LDTR] = segment(0, 0, 0xffff, 0x82);
	s->seg[INSULA_TR] = segment(0, 0, 0xffff, 0x8b);
	s->star = s->lstar = s->cstar = s->sfmask = s->kernel_gs_base = 0;
	s->sysenter_cs = s->sysenter_esp = s->sysenter_eip = 0;
	s->pat = 0x0007040600070406ull;
	s->dr7 = 0x400;
	s->dr6 = 0xffff0ff0u;
	memset(s->dr, 0, sizeof(s->dr));
	s->xcr0 = 1;
	s->tsc_aux = 0;
	s->dirty = INSULA_VS_GPR | INSULA_VS_IP | INSULA_VS_CR | INSULA_VS_SEG | INSULA_VS_MSR | INSULA_VS_DEBUG | INSULA_VS_CTL;
}

/* Real mode at vector << 12 (SDM volume 3, 8.4.4). */
static void state_sipi(struct vcpu *v)
{
	struct insula_vcpu_state *s = v->s;

	state_common(s);
	s->cr0 = CR0_RESET;
	for (unsigned i = 0; i < INSULA_LDTR; i++)
		s->seg[i] = segment(0, 0, 0xffff, 0x93);
	s->seg[INSULA_CS] = segment((uint16_t)(v->sipi_vector << 8), (uint64_t)v->sipi_vector << 12, 0xffff, 0x9b);
	s->rip = 0;
	s->gpr[INSULA_RDX] = 0x600;
}

/* PVH entry (Xen's docs/misc/pvh, xen/include/public/arch-x86/hvm/start_info.h): flat 32-bit, paging off, EBX = start info. */
static void state_pvh(struct vcpu *v, const struct load_result *l)
{
	struct insula_vcpu_state *s = v->s;

	state_common(s);
	s->cr0 = 0x31; /* PE ET NE: real hardware would not enter without NE in VMX operation */
	for (unsigned i = 0; i < INSULA_LDTR; i++)
		s->seg[i] = segment(0x10, 0, 0xffffffffu, 0xc093);
	s->seg[INSULA_CS] = segment(0x08, 0, 0xffffffffu, 0xc09b);
	s->seg[INSULA_TR].limit = 0x67;
	s->gdtr.limit = s->idtr.limit = 0;
	s->rip = l->entry;
	s->gpr[INSULA_RBX] = l->start_info;
}

/* ---- creation ---- */

void vcpu_create(uint32_t id)
{
	struct vcpu *v = calloc(1, sizeof(*v));
	seL4_CPtr frame;

	if (!v)
		abort();
	v->id = id;
	v->run = VCPU_OFFLINE;
	v->slot_notification = TASK_SLOT_NOTIFICATION + id;
	v->singleshot_ns = v->periodic_next_ns = v->poll_timeout_ns = UINT64_MAX;
	v->armed_tsc = UINT64_MAX;
	/* Xen's APIC ids: twice the vCPU's number */
	lapic_reset(&v->lapic, id * 2, id == 0);

	v->slot_vcpu = object_create_slot(seL4_X86_VCPUObject, 0);
	v->slot_timer = object_create_slot(insula_TimerObject, 0);
	frame = object_create_slot(seL4_X86_4K, 0);
	if (!v->slot_vcpu || !v->slot_timer || !frame)
		abort();
	v->s = (struct insula_vcpu_state *)(VMM_STATE_VADDR + (uint64_t)id * PAGE);
	if (vspace_map(frame, (uint64_t)(uintptr_t)v->s, true, false) || seL4_X86_VCPU_SetTCB(v->slot_vcpu, TASK_SLOT_TCB + id) ||
	    insula_VCPU_SetStatePage(v->slot_vcpu, frame) || seL4_TCB_SetEPTRoot(TASK_SLOT_TCB + id, TASK_SLOT_EPT_ROOT) ||
	    insula_Timer_Bind(v->slot_timer, object_mint_badge(v->slot_notification, VMM_EVENT_TIMER)))
		abort();
	v->slot_kick = object_mint_badge(v->slot_notification, VMM_EVENT_KICK);
	v->s->wanted = 0; /* CS, SS and XCR0 come always; other segments are asked for where they count */
	state_common(v->s);
	vmm.vcpu[id] = v;
}

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
		bool hit = a.shorthand == 1 ? to == v : a.shorthand == 2 ? true : a.shorthand == 3 ? to != v
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
	/* the callback stays asserted until the guest, called now, takes it back: only what comes after that is to end its turn */
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
	v->nmi_pending = false;
	v->s->entry_info = 0;
	state_common(v->s);
	vmm_lock();
	vcpu_set_online(v, false);
	vmm_unlock();
	timer_update(v);
}

/* INIT and SIPI from others. */
static void start_signals(struct vcpu *v)
{
	if (__atomic_exchange_n(&v->init_pending, false, __ATOMIC_ACQ_REL)) {
		if (v->lapic.bsp && v->run != VCPU_OFFLINE) {
			/* the boot processor would start over at firmware, which a PVH domain does not have */
			vmm_shutdown(SHUTDOWN_reboot, "INIT of its boot CPU");
			return;
		}
		/* one that waits for SIPI is reset already; an upcall asserted for it stays, as on Xen */
		if (v->run != VCPU_OFFLINE)
			reset_to_wait_for_sipi(v);
	}
	if (__atomic_exchange_n(&v->sipi_pending, false, __ATOMIC_ACQ_REL) && v->run == VCPU_OFFLINE) {
		state_sipi(v);
		vmm_lock();
		vcpu_set_online(v, true);
		vmm_unlock();
	}
}

void vcpu_events(struct vcpu *v, uint64_t badge)
{
	if (__atomic_load_n(&vmm.ended, __ATOMIC_ACQUIRE))
		return;
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
	return __atomic_load_n(&v->run, __ATOMIC_ACQUIRE) != VCPU_OFFLINE && !__atomic_load_n(&v->down, __ATOMIC_ACQUIRE);
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
		if (xen_poll_done(v) || interrupt_pending(v) || v->nmi_pending)
			v->run = VCPU_RUNNING;
		break;
	case VCPU_RUNNING:
		break;
	}
	return v->run != VCPU_RUNNING;
}

/* What it was signalled for while the domain had ended, if it goes on. */
static void go_on(struct vcpu *v, uint64_t missed)
{
	v->ran_tsc = cpu_tsc();
	v->ran_ticks = v->s->used_ticks;
	vcpu_events(v, missed);
}

static void loop(struct vcpu *v)
{
	uint64_t missed = 0;

	v->ran_tsc = cpu_tsc();
	if (v->run == VCPU_RUNNING)
		xen_runstate(v, XEN_RUNSTATE_RUNNING);
	for (;;) {
		seL4_Word badge = 0;

		context_hold(v);
		if (__atomic_load_n(&vmm.ended, __ATOMIC_ACQUIRE)) {
			vmm_parked(v);
			seL4_Wait(v->slot_notification, &badge);
			missed |= badge;
			vmm_resume();
			continue;
		}
		if (missed) {
			go_on(v, missed);
			missed = 0;
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
			if (v->s->idt_vectoring & EVENT_VALID) {
				v->inject_info = (uint32_t)v->s->idt_vectoring;
				v->inject_error = (uint32_t)v->s->idt_vectoring_error;
				v->inject_length = (uint32_t)v->s->entry_length;
			}
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

void vcpu_start_boot(struct vcpu *v, const struct load_result *l)
{
	state_pvh(v, l);
	vcpu_set_online(v, true);
}

/* A guest that begins in PAE paging: its four top entries, which only a MOV to CR3 would load on VT-x. On SVM they are ignored. */
static void pae_entries(struct vcpu *v)
{
	const struct insula_vcpu_state *s = v->s;

	if (!(s->cr0 & CR0_PG) || !(s->cr4 & CR4_PAE) || (s->efer & EFER_LME))
		return;
	for (unsigned i = 0; i < 4; i++) {
		uint64_t entry = 0;

		(void)memory_read(gpa((s->cr3 & 0xffffffe0u) + i * 8), &entry, sizeof(entry));
		(void)seL4_X86_VCPU_WriteVMCS(v->slot_vcpu, VMCS_PDPTE0 + 2 * i, entry);
	}
}

void vcpu_load_record(struct vcpu *v, const uint8_t *record, uint32_t bytes)
{
	/* no event of before belongs to what it is now */
	v->inject_info = 0;
	v->step_pending = false;
	if (cpu_record_load(v->s, record, bytes))
		pae_entries(v);
	v->s->dirty &= ~(uint64_t)INSULA_VS_CTL;
	if (v->run != VCPU_OFFLINE)
		v->run = VCPU_RUNNING;
}

bool vcpu_start_record(struct vcpu *v, const uint8_t *record, uint32_t bytes)
{
	state_common(v->s);
	if (!cpu_record_load(v->s, record, bytes))
		return false;
	pae_entries(v);
	vcpu_set_online(v, true);
	return true;
}
