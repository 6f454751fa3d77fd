// cflags: -std=gnu11 -D__XEN_TOOLS__
// links: servers/domain_manager/hvm_context.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "servers/domain_manager/hvm_context.h"
#include "servers/domain_manager/hvm_records.h"
#include <xen/errno.h>
#include <xen/xen.h>
#include <xen/hvm/save.h>

static uint8_t stream[16384];
static struct hvm_context c;

static void begin(void)
{
	memset(stream, 0xa5, sizeof(stream));
	hvm_context_begin(&c, stream, sizeof(stream), 0x800f12, 1000000);
}

/* In a block of its own size: what is read beyond it is seen. */
static int check(void)
{
	uint32_t bytes = hvm_context_end(&c);
	uint8_t *copy = malloc(bytes);
	int r;

	assert_true(bytes != 0 && copy);
	memcpy(copy, stream, bytes);
	r = hvm_records_check(copy, bytes, 2, 7);
	free(copy);
	return r;
}

static int one(unsigned type, unsigned instance, const void *record, uint32_t bytes)
{
	begin();
	hvm_context_put(&c, type, instance, record, bytes);
	return check();
}

static void lengths(void **state)
{
	static const struct {
		unsigned type;
		uint32_t bytes;
		bool of_vcpu;
	} known[] = {
		{HVM_SAVE_CODE(CPU), sizeof(struct hvm_hw_cpu), true},
		{HVM_SAVE_CODE(LAPIC_REGS), sizeof(struct hvm_hw_lapic_regs), true},
		{HVM_SAVE_CODE(PCI_IRQ), sizeof(struct hvm_hw_pci_irqs), false},
		{HVM_SAVE_CODE(ISA_IRQ), sizeof(struct hvm_hw_isa_irqs), false},
		{HVM_SAVE_CODE(PCI_LINK), sizeof(struct hvm_hw_pci_link), false},
		{HVM_SAVE_CODE(MTRR), sizeof(struct hvm_hw_mtrr), true},
		{HVM_SAVE_CODE(VIRIDIAN_DOMAIN), sizeof(struct hvm_viridian_domain_context), false},
		{HVM_SAVE_CODE(VIRIDIAN_VCPU), sizeof(struct hvm_viridian_vcpu_context), true},
		{HVM_SAVE_CODE(VMCE_VCPU), sizeof(struct hvm_vmce_vcpu), true},
		{HVM_SAVE_CODE(TSC_ADJUST), sizeof(struct hvm_tsc_adjust), true},
	};
	static const uint8_t zeros[2048];

	(void)state;
	for (unsigned i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		assert_int_equal(one(known[i].type, 0, zeros, known[i].bytes), 0);
		assert_int_equal(one(known[i].type, 1, zeros, known[i].bytes), known[i].of_vcpu ? 0 : -XEN_EINVAL);
		assert_int_equal(one(known[i].type, 2, zeros, known[i].bytes), -XEN_EINVAL);
		assert_int_equal(one(known[i].type, 0, zeros, 0), -XEN_EINVAL);
		assert_int_equal(one(known[i].type, 0, zeros, known[i].bytes + 512), -XEN_EINVAL);
	}
	for (unsigned type = 10; type <= 13; type++)
		assert_int_equal(one(type, 0, zeros, 64), -XEN_ENODEV);
	assert_int_equal(one(HVM_SAVE_CODE(PIC), 0, zeros, 8), -XEN_ENODEV);
	assert_int_equal(one(HVM_SAVE_CODE(IOAPIC), 0, zeros, 8), -XEN_ENODEV);
	for (unsigned type = 21; type < 65536; type += 77)
		assert_int_equal(one(type, 0, zeros, 64), -XEN_EINVAL);
	/* two headers, or none, or no end */
	assert_int_equal(one(HVM_SAVE_CODE(HEADER), 0, zeros, 8), -XEN_EINVAL);
	assert_int_equal(hvm_records_check(zeros, sizeof(zeros), 1, 7), -XEN_EINVAL);
	assert_int_equal(hvm_records_check(zeros, 0, 1, 7), -XEN_EINVAL);
	begin();
	assert_int_equal(hvm_records_check(stream, c.used, 1, 7), -XEN_EINVAL);
}

/* What carries something that we have not. */
static void something(void **state)
{
	struct hvm_hw_isa_irqs isa = {.pad = {2}};
	struct hvm_hw_lapic l = {.apic_base_msr = 0xfee00d00};
	struct hvm_vmce_vcpu v = {.caps = 0x108};
	struct {
		uint32_t count, pad; /* struct hvm_msr */
		struct hvm_one_msr one;
	} m = {.count = 1, .one = {.index = 0x48}};

	(void)state;
	assert_int_equal(one(HVM_SAVE_CODE(ISA_IRQ), 0, &isa, sizeof(isa)), -XEN_EINVAL);
	assert_int_equal(one(HVM_SAVE_CODE(LAPIC), 1, &l, sizeof(l)), 0);
	l.apic_base_msr = 0xfee00500; /* x2APIC, and off */
	assert_int_equal(one(HVM_SAVE_CODE(LAPIC), 1, &l, sizeof(l)), -XEN_EINVAL);
	l.apic_base_msr = 0xfec00900;
	assert_int_equal(one(HVM_SAVE_CODE(LAPIC), 1, &l, sizeof(l)), -XEN_EINVAL);
	assert_int_equal(one(HVM_SAVE_CODE(VMCE_VCPU), 0, &v, sizeof(v)), 0);
	v.caps = 0x80;
	assert_int_equal(one(HVM_SAVE_CODE(VMCE_VCPU), 0, &v, sizeof(v)), -XEN_EPERM);
	v.caps = 1ull << 40;
	assert_int_equal(one(HVM_SAVE_CODE(VMCE_VCPU), 0, &v, sizeof(v)), -XEN_EPERM);
	assert_int_equal(one(CPU_MSR_CODE, 0, &m, sizeof(m)), 0);
	m.one.val = 1;
	assert_int_equal(one(CPU_MSR_CODE, 0, &m, sizeof(m)), -XEN_ENXIO);
	m.count = 2;
	assert_int_equal(one(CPU_MSR_CODE, 0, &m, sizeof(m)), -XEN_EINVAL);
	assert_int_equal(one(CPU_MSR_CODE, 0, &m, 3), -XEN_EINVAL);
}

static void xsave(void **state)
{
	struct {
		struct hvm_hw_cpu_xsave x;
		uint8_t more[4096];
	} r;

	(void)state;
	memset(&r, 0, sizeof(r));
	r.x.xcr0 = 7;
	r.x.xcr0_accum = 7;
	r.x.save_area.xsave_hdr.xstate_bv = 6;
	assert_int_equal(one(CPU_XSAVE_CODE, 1, &r, sizeof(r.x) + 256), 0);
	assert_int_equal(one(CPU_XSAVE_CODE, 1, &r, sizeof(r.x) - 1), -XEN_EINVAL);
	assert_int_equal(one(CPU_XSAVE_CODE, 1, &r, sizeof(r)), -XEN_EINVAL);
	r.x.xcr0 = 5;
	assert_int_equal(one(CPU_XSAVE_CODE, 1, &r, sizeof(r.x)), -XEN_EINVAL);
	r.x.xcr0 = r.x.xcr0_accum = 0xe7;
	assert_int_equal(one(CPU_XSAVE_CODE, 1, &r, sizeof(r.x)), -XEN_EOPNOTSUPP);
	r.x.xcr0 = r.x.xcr0_accum = 3;
	assert_int_equal(one(CPU_XSAVE_CODE, 1, &r, sizeof(r.x)), -XEN_EINVAL);
	r.x.save_area.xsave_hdr.xstate_bv = 3;
	r.x.save_area.xsave_hdr.xcomp_bv = 1ull << 63;
	assert_int_equal(one(CPU_XSAVE_CODE, 1, &r, sizeof(r.x)), -XEN_EOPNOTSUPP);
	r.x.save_area.xsave_hdr.xcomp_bv = 0;
	r.x.save_area.xsave_hdr.reserved[5] = 1;
	assert_int_equal(one(CPU_XSAVE_CODE, 1, &r, sizeof(r.x)), -XEN_EOPNOTSUPP);
}

/* Every part of a stream, and a stream with any byte changed: only an answer. */
static void broken(void **state)
{
	static const uint8_t zeros[1024];
	uint32_t bytes;

	(void)state;
	begin();
	hvm_context_put(&c, HVM_SAVE_CODE(LAPIC_REGS), 0, zeros, sizeof(zeros));
	hvm_context_put(&c, HVM_SAVE_CODE(TSC_ADJUST), 1, zeros, 8);
	bytes = hvm_context_end(&c);
	for (uint32_t n = 0; n < bytes; n++) {
		uint8_t *part = malloc(n + 1);

		memcpy(part, stream, n);
		assert_int_equal(hvm_records_check(part, n, 2, 7), -XEN_EINVAL);
		free(part);
	}
	for (uint32_t at = 0; at < bytes; at++)
		for (unsigned bit = 0; bit < 8; bit++) {
			uint8_t *copy = malloc(bytes);

			memcpy(copy, stream, bytes);
			copy[at] = (uint8_t)(copy[at] ^ 1u << bit);
			(void)hvm_records_check(copy, bytes, 2, 7);
			free(copy);
		}
}

static int allowed(uint64_t cr4, uint64_t efer)
{
	struct hvm_hw_cpu cpu;

	memset(&cpu, 0, sizeof(cpu));
	begin();
	hvm_context_put(&c, HVM_SAVE_CODE(CPU), 0, &cpu, sizeof(cpu));
	cpu.cr4 = cr4;
	cpu.msr_efer = efer;
	hvm_context_put(&c, HVM_SAVE_CODE(CPU), 1, &cpu, sizeof(cpu));
	assert_int_equal(check(), 0);
	return hvm_records_allowed(stream, 0x406f0, 0xd01);
}

static void features_of_the_policy(void **state)
{
	(void)state;
	assert_int_equal(allowed(0, 0), 0);
	assert_int_equal(allowed(0x406f0, 0xd01), 0);
	assert_int_equal(allowed(0x406f0, 0x1d01), 0); /* SVME is the machine's */
	for (unsigned bit = 0; bit < 64; bit++)
		assert_int_equal(allowed(1ull << bit, 0), 0x406f0ull >> bit & 1 ? 0 : -XEN_EINVAL);
	assert_int_equal(allowed(0, 0x4000), -XEN_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lengths),
		cmocka_unit_test(something),
		cmocka_unit_test(xsave),
		cmocka_unit_test(broken),
		cmocka_unit_test(features_of_the_policy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
