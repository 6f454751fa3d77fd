/* A vCPU's state for a toolstack (proto/vmm/vmm_start.h, struct vmm_context): told by its own thread, which then waits. */
#include "servers/vmm/vmm.h"

#include <string.h>
#include "insula/exit_reason.h"
#include "sel4/sel4.h"
#include "servers/vmm/cpu_hw.h"
#include "servers/vmm/load/cpu_record.h"

#define APIC_REGISTERS 0x400u
#define SVR_ENABLED    0x100u
#define HW_DISABLED    1u
#define SW_DISABLED    2u
#define TRIES	       8u

/* Xen's hvm_hw_lapic (xen/include/public/arch-x86/hvm/save.h). */
struct lapic_record {
	uint64_t apic_base_msr;
	uint32_t disabled, timer_divisor;
	uint64_t tdt_msr;
};
_Static_assert(sizeof(struct lapic_record) == sizeof(((struct vmm_context *)0)->lapic), "the record");

static struct vmm_context *page_of(const struct vcpu *v)
{
	return (struct vmm_context *)(VMM_CONTEXT_VADDR + v->id * (uint64_t)PAGE);
}

static void lapic_tell(struct vcpu *v, struct vmm_context *c)
{
	const struct lapic_record l = {
		.apic_base_msr = lapic_base_read(&v->lapic),
		.disabled = (v->lapic.mode == LAPIC_DISABLED ? HW_DISABLED : 0) | (v->lapic.svr & SVR_ENABLED ? 0 : SW_DISABLED),
		.timer_divisor = v->lapic.timer_divide,
		.tdt_msr = v->lapic.tsc_deadline,
	};

	memcpy(c->lapic, &l, sizeof(l));
	memset(c->lapic_regs, 0, sizeof(c->lapic_regs));
	for (uint32_t reg = 0; reg < APIC_REGISTERS; reg += 16) {
		bool fault;
		uint32_t value = (uint32_t)lapic_read(&v->lapic, reg, time_system_ns(), &fault);

		memcpy(c->lapic_regs + reg, &value, sizeof(value));
	}
}

static void tell(struct vcpu *v)
{
	struct vmm_context *c = page_of(v);

	cpu_record_save(v->s, cpu_tsc() + v->s->tsc_offset, v->inject_info & EVENT_VALID ? v->inject_info : 0, v->inject_error, c->cpu);
	c->pat = v->s->pat;
	c->offline = v->run == VCPU_OFFLINE;
	lapic_tell(v, c);
}

/* An entry that a signal ends before it has begun: the kernel writes the groups that are wanted. Exits that come instead are the guest's, and handled. */
static void fetch(struct vcpu *v)
{
	seL4_Word badge = 0;

	v->s->wanted = INSULA_VS_SEG | INSULA_VS_MSR | INSULA_VS_DEBUG | INSULA_VS_CTL;
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

void context_hold(struct vcpu *v)
{
	uint32_t number = __atomic_load_n(&vmm.control->hold, __ATOMIC_ACQUIRE);

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
	if (__atomic_exchange_n(&page_of(v)->load, 0, __ATOMIC_ACQ_REL))
		vcpu_load_record(v, page_of(v)->cpu, sizeof(page_of(v)->cpu));
}
