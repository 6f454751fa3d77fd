#include "servers/domain_manager/hvm_records.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include "proto/vmm/vmm_start.h"
#include "servers/domain_manager/hvm_context.h"
#include <xen/errno.h>
#include <xen/xen.h>
#include <xen/hvm/save.h>

#define APIC_BASE  0xfee00000ull
#define APIC_FLAGS 0xd00ull /* boot CPU, x2APIC, on */
#define APIC_X2	   0x400ull
#define APIC_ON	   0x800ull

#define EFER_FEATURES 0x4d01ull /* SCE LME LMA NXE FFXSR */

_Static_assert(sizeof(struct hvm_hw_cpu) <= VMM_CPU_BYTES, "room for it");

struct domain_has {
	uint32_t vcpus;
	uint64_t xcr0;
};

/* Nothing but zeros: a device that we do not have was in no state. */
static bool is_nothing(const uint8_t *record, uint32_t bytes)
{
	for (uint32_t i = 0; i < bytes; i++)
		if (record[i])
			return false;
	return true;
}

/* MSRs that we do not have must have the value that they have at reset. */
static int msrs_check(const uint8_t *record, uint32_t bytes)
{
	struct hvm_msr head;
	struct hvm_one_msr one;

	if (bytes < sizeof(head))
		return -XEN_EINVAL;
	memcpy(&head, record, sizeof(head));
	if (head.count > (bytes - sizeof(head)) / sizeof(one))
		return -XEN_EINVAL;
	for (uint32_t i = 0; i < head.count; i++) {
		memcpy(&one, record + sizeof(head) + i * sizeof(one), sizeof(one));
		if (one._rsvd)
			return -XEN_EOPNOTSUPP;
		if (one.val)
			return -XEN_ENXIO;
	}
	return 0;
}

static bool xcr0_legal(uint64_t x)
{
	uint64_t avx512 = x >> 5 & 7;

	return (x & 1) && (!(x & 4) || x & 2) && (avx512 == 0 || (avx512 == 7 && x & 4));
}

static int xsave_check(const uint8_t *record, uint32_t bytes, uint64_t has)
{
	struct hvm_hw_cpu_xsave x;

	if (bytes < sizeof(x) || bytes - offsetof(struct hvm_hw_cpu_xsave, save_area) > VMM_XSAVE_BYTES)
		return -XEN_EINVAL;
	memcpy(&x, record, sizeof(x));
	if (!xcr0_legal(x.xcr0) || !xcr0_legal(x.xcr0_accum) || x.xcr0 & ~x.xcr0_accum || x.save_area.xsave_hdr.xstate_bv & ~x.xcr0_accum)
		return -XEN_EINVAL;
	if (x.xcr0_accum & ~has || x.save_area.xsave_hdr.xcomp_bv)
		return -XEN_EOPNOTSUPP;
	return is_nothing((const uint8_t *)x.save_area.xsave_hdr.reserved, sizeof(x.save_area.xsave_hdr.reserved)) ? 0 : -XEN_EOPNOTSUPP;
}

/* Banks of which we show as many as there were, without errors. */
#define VMCE_COUNT 0xffu
#define VMCE_BANKS 32u
#define VMCE_CAPS  (VMCE_COUNT | 1u << 8 | 1u << 10 | 1u << 11 | 1u << 24)

static int vmce_check(const uint8_t *record)
{
	struct hvm_vmce_vcpu v;

	memcpy(&v, record, sizeof(v));
	return v.caps & ~(uint64_t)VMCE_CAPS || (v.caps & VMCE_COUNT) > VMCE_BANKS || v.mcg_ext_ctl ? -XEN_EPERM : 0;
}

static int lapic_check(const uint8_t *record)
{
	struct hvm_hw_lapic l;

	memcpy(&l, record, sizeof(l));
	return (l.apic_base_msr & ~APIC_FLAGS) != APIC_BASE || (l.apic_base_msr & (APIC_X2 | APIC_ON)) == APIC_X2 ? -XEN_EINVAL : 0;
}

/* Of the right length, for a vCPU that there is, and something that we have or can do without: 0, else what Xen says. */
static int record_check(const struct domain_has *d, unsigned type, unsigned instance, const uint8_t *record, uint32_t bytes)
{
	static const struct {
		uint32_t bytes;
		bool of_vcpu;
	} known[] = {
		[HVM_SAVE_CODE(HEADER)] = {sizeof(struct hvm_save_header), false},
		[HVM_SAVE_CODE(LAPIC)] = {sizeof(struct hvm_hw_lapic), true},
		[HVM_SAVE_CODE(LAPIC_REGS)] = {sizeof(struct hvm_hw_lapic_regs), true},
		[HVM_SAVE_CODE(PCI_IRQ)] = {sizeof(struct hvm_hw_pci_irqs), false},
		[HVM_SAVE_CODE(ISA_IRQ)] = {sizeof(struct hvm_hw_isa_irqs), false},
		[HVM_SAVE_CODE(PCI_LINK)] = {sizeof(struct hvm_hw_pci_link), false},
		[HVM_SAVE_CODE(MTRR)] = {sizeof(struct hvm_hw_mtrr), true},
		[HVM_SAVE_CODE(VIRIDIAN_DOMAIN)] = {sizeof(struct hvm_viridian_domain_context), false},
		[HVM_SAVE_CODE(VIRIDIAN_VCPU)] = {sizeof(struct hvm_viridian_vcpu_context), true},
		[HVM_SAVE_CODE(VMCE_VCPU)] = {sizeof(struct hvm_vmce_vcpu), true},
		[HVM_SAVE_CODE(TSC_ADJUST)] = {sizeof(struct hvm_tsc_adjust), true},
		[HVM_SAVE_CODE(CPU)] = {0, true},
		[CPU_XSAVE_CODE] = {0, true},
		[CPU_MSR_CODE] = {0, true},
	};

	switch (type) {
	case HVM_SAVE_CODE(PIC):
	case HVM_SAVE_CODE(IOAPIC):
	case HVM_SAVE_CODE(PIT):
	case HVM_SAVE_CODE(RTC):
	case HVM_SAVE_CODE(HPET):
	case HVM_SAVE_CODE(PMTIMER):
		return -XEN_ENODEV; /* no PVH domain has one */
	default:
		if (type >= sizeof(known) / sizeof(known[0]) || (!known[type].bytes && !known[type].of_vcpu))
			return -XEN_EINVAL;
	}
	if (instance >= (known[type].of_vcpu ? d->vcpus : 1) || (known[type].bytes && bytes != known[type].bytes))
		return -XEN_EINVAL;
	switch (type) {
	case HVM_SAVE_CODE(CPU):
		return bytes > VMM_CPU_BYTES || bytes < offsetof(struct hvm_hw_cpu, flags) ? -XEN_EINVAL : 0;
	case HVM_SAVE_CODE(LAPIC):
		return lapic_check(record);
	case HVM_SAVE_CODE(PCI_IRQ):
	case HVM_SAVE_CODE(ISA_IRQ):
	case HVM_SAVE_CODE(VIRIDIAN_DOMAIN):
	case HVM_SAVE_CODE(VIRIDIAN_VCPU):
		return is_nothing(record, bytes) ? 0 : -XEN_EINVAL;
	case CPU_XSAVE_CODE:
		return xsave_check(record, bytes, d->xcr0);
	case CPU_MSR_CODE:
		return msrs_check(record, bytes);
	case HVM_SAVE_CODE(VMCE_VCPU):
		return vmce_check(record);
	default:
		return 0;
	}
}

int hvm_records_check(const uint8_t *stream, uint32_t size, uint32_t vcpus, uint64_t xcr0)
{
	const struct domain_has d = {.vcpus = vcpus, .xcr0 = xcr0};
	struct hvm_context_record r = {0};

	if (!hvm_context_check(stream, size))
		return -XEN_EINVAL;
	while (hvm_context_next(stream, &r)) {
		int e = record_check(&d, r.type, r.instance, r.at, r.bytes);

		if (e)
			return e;
	}
	return 0;
}

int hvm_records_allowed(const uint8_t *stream, uint64_t cr4, uint64_t efer)
{
	struct hvm_context_record r = {0};

	while (hvm_context_next(stream, &r)) {
		struct hvm_hw_cpu c;

		if (r.type != HVM_SAVE_CODE(CPU))
			continue;
		memset(&c, 0, sizeof(c));
		memcpy(&c, r.at, r.bytes < sizeof(c) ? r.bytes : sizeof(c));
		if (c.cr4 & ~cr4 || c.msr_efer & EFER_FEATURES & ~efer)
			return -XEN_EINVAL;
	}
	return 0;
}
