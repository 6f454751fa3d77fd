/* A vCPU's state for a toolstack (proto/vmm/vmm_start.h, struct vmm_context): told by its own thread, which then waits. */
#include "servers/vmm/vmm.h"

#include <string.h>
#include "insula/exit_reason.h"
#include "sel4/sel4.h"
#include "servers/vmm/cpu_hw.h"
#include "servers/vmm/load/cpu_record.h"

#define SVR_ENABLED    0x100u
#define HW_DISABLED    1u
#define SW_DISABLED    2u
#define TRIES	       8u
#define XCR0_RESET     1ull
#define L1_ECX_OSXSAVE (1u << 27)

/* Xen's hvm_hw_lapic (xen/include/public/arch-x86/hvm/save.h). */
struct lapic_record {
	uint64_t apic_base_msr;
	uint32_t disabled, timer_divisor;
	uint64_t tdt_msr;
};
_Static_assert(sizeof(struct lapic_record) == sizeof(((struct vmm_context *)0)->lapic), "the record");

static struct vmm_context *page_of(const struct vcpu *v)
{
	return (struct vmm_context *)(VMM_CONTEXT_VADDR + v->id * (uint64_t)VMM_CONTEXT_BYTES);
}

static struct insula_vcpu_fpu *fpu_of(const struct vcpu *v)
{
	return (struct insula_vcpu_fpu *)(void *)((uint8_t *)v->s + INSULA_FPU_OFFSET);
}

static void lapic_tell(struct vcpu *v, struct vmm_context *c)
{
	const struct lapic_record l = {
		.apic_base_msr = lapic_base_read(&v->lapic),
		.disabled = (v->lapic.mode == LAPIC_DISABLED ? HW_DISABLED : 0) | (v->lapic.svr & SVR_ENABLED ? 0 : SW_DISABLED),
		.timer_divisor = lapic_divisor(&v->lapic),
		.tdt_msr = v->lapic.tsc_deadline,
	};

	memcpy(c->lapic, &l, sizeof(l));
	lapic_save(&v->lapic, time_system_ns(), c->lapic_regs);
}

/* The FPU's registers in standard form. As on Xen there is no XSAVE area of a vCPU that has not set XCR0: its CPU record has all. */
static void fpu_tell(struct vcpu *v, struct vmm_context *c)
{
	struct xsave_component component[XSAVE_COMPONENTS] = {0};
	struct insula_vcpu_fpu area;
	uint64_t xcr0 = cpuid_xcr0_mask();
	uint32_t r[4];
	bool xsave;

	cpu_cpuid(1, 0, r);
	xsave = r[2] & L1_ECX_OSXSAVE;
	v->xcr0_accum = (v->xcr0_accum | v->s->xcr0) & xcr0;
	for (unsigned i = 2; xsave && i < XSAVE_COMPONENTS; i++) {
		cpu_cpuid(0xd, i, r);
		component[i] = (struct xsave_component){.size = r[0], .offset = r[1], .aligned = r[2] & 2};
	}
	cpu_record_area(fpu_of(v), component, xsave, v->xcr0_accum, &area);
	memcpy(c->xsave, area.area, sizeof(c->xsave));
	c->xsave_bytes = v->xcr0_accum & ~XCR0_RESET ? cpuid_xsave_bytes(v->xcr0_accum) : 0;
	c->xcr0 = v->s->xcr0 & xcr0;
	c->xcr0_all = v->xcr0_accum;
}

static void tell(struct vcpu *v)
{
	struct vmm_context *c = page_of(v);

	fpu_tell(v, c);
	cpu_record_save(v->s, vmm.control->hold_tsc + v->s->tsc_offset, v->inject_info & EVENT_VALID ? v->inject_info : 0, v->inject_error, c->xsave, c->cpu);
	c->pat = v->s->pat;
	c->tsc_adjust = v->tsc_adjust;
	c->offline = !vcpu_is_up(v); /* as Xen, which saves nothing of one that is down */
	memcpy(c->vmce, v->vmce, sizeof(c->vmce));
	lapic_tell(v, c);
}

/* An entry that a signal ends before it has begun: the kernel writes the groups that are wanted. Exits that come instead are the guest's, and handled. */
static void fetch(struct vcpu *v)
{
	seL4_Word badge = 0;

	v->s->wanted = INSULA_VS_SEG | INSULA_VS_MSR | INSULA_VS_DEBUG | INSULA_VS_CTL | INSULA_VS_FPU;
	for (unsigned i = 0; i < TRIES; i++) {
		seL4_Signal(v->slot_kick);
		if (seL4_VMEnter(&badge) != SEL4_VMENTER_RESULT_FAULT) {
			vcpu_events(v, badge);
			break;
		}
		exit_handle(v);
	}
	v->s->wanted = 0;
}

static void fpu_load(struct vcpu *v, const struct vmm_context *c, uint32_t what)
{
	if (what & VMM_LOAD_XSAVE) {
		memcpy(fpu_of(v)->area, c->xsave, sizeof(c->xsave));
		v->s->xcr0 = c->xcr0 & cpuid_xcr0_mask();
		v->xcr0_accum = c->xcr0_all;
		v->s->dirty |= INSULA_VS_CTL;
	} else {
		cpu_record_fpu(c->cpu, fpu_of(v));
	}
	v->s->dirty |= INSULA_VS_FPU;
}

/* What the domain manager wants this vCPU to go on with; its record's TSC is of the moment `tsc`. */
static void load(struct vcpu *v, uint32_t what, uint64_t tsc)
{
	const struct vmm_context *c = page_of(v);
	struct lapic_record l;

	if (what & VMM_LOAD_CPU)
		vcpu_load_record(v, c->cpu, sizeof(c->cpu));
	if (what & VMM_LOAD_EVENT)
		v->inject_info = cpu_record_event(c->cpu, &v->inject_error);
	if (what & (VMM_LOAD_FPU | VMM_LOAD_XSAVE))
		fpu_load(v, c, what);
	if (what & VMM_LOAD_TSC) {
		v->s->tsc_offset = cpu_record_tsc(c->cpu) - tsc;
		v->s->dirty |= INSULA_VS_CTL;
	}
	if (what & VMM_LOAD_PAT) {
		v->s->pat = c->pat;
		v->s->dirty |= INSULA_VS_MSR;
	}
	if (what & VMM_LOAD_TSC_ADJUST)
		v->tsc_adjust = c->tsc_adjust;
	if (what & VMM_LOAD_VMCE)
		memcpy(v->vmce, c->vmce, sizeof(v->vmce));
	if (what & VMM_LOAD_LAPIC) {
		memcpy(&l, c->lapic, sizeof(l));
		lapic_load(&v->lapic, l.apic_base_msr, c->lapic_regs, l.tdt_msr, time_system_ns());
	}
	timer_update(v);
	xen_update_time(v);
}

bool context_start(struct vcpu *v)
{
	uint32_t what = page_of(v)->load;

	page_of(v)->load = 0;
	load(v, what, vmm.tsc_start);
	return what & VMM_LOAD_CPU;
}

void context_hold(struct vcpu *v)
{
	uint32_t number = __atomic_load_n(&vmm.control->hold, __ATOMIC_ACQUIRE), what;

	if (!number)
		return;
	fetch(v);
	tell(v);
	__atomic_store_n(&page_of(v)->done, number, __ATOMIC_RELEASE);
	while (__atomic_load_n(&vmm.control->hold, __ATOMIC_ACQUIRE) == number) {
		seL4_Word badge = 0;

		seL4_Wait(v->slot_notification, &badge);
		vcpu_events(v, badge);
	}
	what = __atomic_exchange_n(&page_of(v)->load, 0, __ATOMIC_ACQ_REL);
	if (what)
		load(v, what, vmm.control->hold_tsc);
}
