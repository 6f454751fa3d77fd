// cflags: -std=gnu11
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "servers/vmm/load/cpu_record.h"
#include <xen/xen.h>
#include <xen/hvm/save.h>

static void short_record(void **state)
{
	static struct insula_vcpu_state s;
	static uint8_t bytes[sizeof(struct hvm_hw_cpu)];

	(void)state;
	assert_false(cpu_record_load(&s, bytes, 0));
	assert_false(cpu_record_load(&s, bytes, offsetof(struct hvm_hw_cpu, flags) - 1));
	assert_int_equal(s.dirty, 0);
	assert_true(cpu_record_load(&s, bytes, sizeof(bytes)));
}

static void pvh_entry(void **state)
{
	static struct insula_vcpu_state s;
	struct hvm_hw_cpu c = {.rip = 0x100000, .rbx = 0x5000, .cr0 = 0x11, .cs_arbytes = 0xc9b, .cs_limit = ~0u, .ds_arbytes = 0xc93,
			       .tr_arbytes = 0x8b, .tr_limit = 0x67, .msr_efer = 0x500, .shadow_gs = 7};

	(void)state;
	assert_true(cpu_record_load(&s, (const uint8_t *)&c, sizeof(c)));
	assert_int_equal(s.rip, 0x100000);
	assert_int_equal(s.gpr[INSULA_RBX], 0x5000);
	assert_int_equal(s.seg[INSULA_CS].ar, 0xc09b);
	assert_int_equal(s.seg[INSULA_DS].ar, 0xc093);
	assert_int_equal(s.seg[INSULA_TR].ar, 0x8b);
	assert_int_equal(s.seg[INSULA_CS].limit, ~0u);
	assert_int_equal(s.rflags, 2);
	assert_int_equal(s.cr0, 0x11);
	assert_int_equal(s.efer, 0x500);
	assert_int_equal(s.kernel_gs_base, 7);
	assert_true(s.dirty & INSULA_VS_SEG);
}

/* What is saved and loaded again is the same. */
static void there_and_back(void **state)
{
	static struct insula_vcpu_state a, b;
	static uint8_t record[1040], area[512];
	struct hvm_hw_cpu c;

	(void)state;
	assert_true(sizeof(c) <= sizeof(record));
	for (unsigned i = 0; i < INSULA_GPR_COUNT; i++)
		a.gpr[i] = i == INSULA_RSP_UNUSED ? 0 : 0x1111111111111111ull * i + 1;
	a.rip = 0xffffffff81000010ull;
	a.rsp = 0xffffc90000013f00ull;
	a.rflags = 0x246;
	a.cr0 = 0x80050033;
	a.cr2 = 5;
	a.cr3 = 0x671a000;
	a.cr4 = 0x3506f0;
	a.efer = 0xd01;
	for (unsigned i = 0; i < INSULA_SEG_COUNT; i++)
		a.seg[i] = (struct insula_segment){.base = i << 20, .limit = 0xffff0000u + i, .selector = (uint16_t)(i * 8), .ar = 0xa09b};
	a.gdtr = (struct insula_segment){.base = 7, .limit = 0x7f};
	a.idtr = (struct insula_segment){.base = 9, .limit = 0xfff};
	a.star = 11;
	a.lstar = 12;
	a.cstar = 13;
	a.sfmask = 14;
	a.kernel_gs_base = 15;
	a.sysenter_cs = 16;
	a.sysenter_esp = 17;
	a.sysenter_eip = 18;
	a.tsc_aux = 19;
	a.dr[0] = 20;
	a.dr[3] = 21;
	a.dr6 = 0xffff0ff0u;
	a.dr7 = 0x400;
	memset(area, 0x3c, sizeof(area));
	cpu_record_save(&a, 77, 0x80000b0e, 6, area, record);
	memcpy(&c, record, sizeof(c));
	assert_int_equal(c.tsc, 77);
	assert_int_equal(c.cs_arbytes, 0xa9b);
	assert_int_equal(c.flags, XEN_X86_FPU_INITIALISED);
	assert_memory_equal(c.fpu_regs, area, sizeof(area));
	assert_int_equal(cpu_record_tsc(record), 77);
	assert_int_equal(c.pending_event, 0x80000b0e);
	assert_int_equal(c.error_code, 6);
	assert_true(cpu_record_load(&b, record, sizeof(record)));
	a.dirty = b.dirty;
	assert_memory_equal(&a, &b, sizeof(a));
	/* what is not usable has no attributes, as Xen says it */
	a.seg[INSULA_FS].ar = 0x1c093;
	cpu_record_save(&a, 0, 0, 5, area, record);
	memcpy(&c, record, sizeof(c));
	assert_int_equal(c.fs_arbytes, 0);
	assert_int_equal(c.error_code, 0);
}

static uint32_t event_of(uint32_t event, uint32_t *error)
{
	static const struct insula_vcpu_state s;
	static uint8_t record[sizeof(struct hvm_hw_cpu)];
	static const uint8_t area[512];

	*error = 0;
	cpu_record_save(&s, 0, event, 9, area, record);
	return cpu_record_event(record, error);
}

/* An event that was on its way is delivered; one that the CPU would refuse is not. */
static void events(void **state)
{
	static const uint32_t good[] = {0x80000010, 0x800000f3, 0x80000202, 0x80000300, 0x80000303, 0x80000b0e, 0x80000b08, 0x80000b11, 0x80000310};
	static const uint32_t bad[] = {0,	    0x00000040, 0x8000000f, 0x80000840, 0x80000203, 0x80000a02, 0x80000320, 0x80000b20, 0x80000302, 0x8000030e,
				       0x80000b03, 0x80000480, 0x80000503, 0x80000603, 0x80000141, 0x800007ff};
	uint32_t error;

	(void)state;
	for (unsigned i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(event_of(good[i], &error), good[i]);
		assert_int_equal(error, 9);
	}
	assert_int_equal(event_of(0xfffff040 & ~0x800u, &error), 0x80000040); /* reserved bits are not the CPU's to see */
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(event_of(bad[i], &error), 0);
}

/* ---- the FPU ---- */

static struct insula_vcpu_fpu from, to;
/* AVX, AVX-512's three, PKRU, as on hardware */
static const struct xsave_component component[XSAVE_COMPONENTS] = {
	[2] = {256, 576, false}, [5] = {64, 1088, false}, [6] = {512, 1152, false}, [7] = {1024, 1664, false}, [9] = {8, 2688, false},
};

static uint64_t bits(const struct insula_vcpu_fpu *a, unsigned at)
{
	uint64_t v;

	memcpy(&v, a->area + at, sizeof(v));
	return v;
}

static void area_is(unsigned at, unsigned bytes, uint8_t value)
{
	for (unsigned i = at; i < at + bytes; i++)
		assert_int_equal(to.area[i], value);
}

static void fill(uint64_t states, uint64_t layout)
{
	memset(from.area, 0x11, 512);
	memset(from.area + 512, 0, 64);
	memset(from.area + 576, 0x99, sizeof(from.area) - 576);
	memcpy(from.area + 512, &states, 8);
	memcpy(from.area + 520, &layout, 8);
	memset(to.area, 0xee, sizeof(to.area));
}

static void area_standard(void **state)
{
	(void)state;
	fill(0x207, 0);
	memset(from.area + 576, 0x22, 256);
	cpu_record_area(&from, component, true, 0xe7, &to);
	area_is(0, 512, 0x11);
	assert_int_equal(bits(&to, 512), 7); /* PKRU is not a guest's */
	area_is(520, 56, 0);
	area_is(576, 256, 0x22);
	area_is(832, sizeof(to.area) - 832, 0);
}

static void area_compacted(void **state)
{
	(void)state;
	/* all are in the layout, of them AVX, the ZMM registers' upper halves and PKRU in use */
	fill(0x242, 1ull << 63 | 0x2e7);
	memset(from.area + 576, 0x22, 256);
	memset(from.area + 576 + 256 + 64, 0x66, 512);
	/* AVX is not in use */
	cpu_record_area(&from, component, true, 0xe7, &to);
	assert_int_equal(bits(&to, 512), 0x42);
	/* x87 is in its initial state, whatever is there */
	assert_int_equal(bits(&to, 0), 0x37f);
	area_is(32, 128, 0);
	area_is(160, 352, 0x11);
	assert_int_equal((uint32_t)bits(&to, 24), 0x11111111);
	area_is(576, 256, 0);
	area_is(1152, 512, 0x66);
	area_is(1664, 1024, 0);
	/* SSE neither: MXCSR has its initial value, too */
	fill(1, 1ull << 63 | 7);
	cpu_record_area(&from, component, true, 7, &to);
	assert_int_equal((uint32_t)bits(&to, 24), 0x1f80);
	area_is(160, 352, 0);
	area_is(0, 24, 0x11);
}

static void area_fxsave(void **state)
{
	(void)state;
	fill(~0ull, ~0ull);
	cpu_record_area(&from, component, false, 0, &to);
	area_is(0, 512, 0x11);
	assert_int_equal(bits(&to, 512), 3);
	area_is(520, sizeof(to.area) - 520, 0);
}

/* A kernel that says anything makes nothing be touched beside the areas. */
static void area_nonsense(void **state)
{
	static struct xsave_component wild[XSAVE_COMPONENTS];

	(void)state;
	for (unsigned i = 0; i < XSAVE_COMPONENTS; i++)
		wild[i] = (struct xsave_component){i % 3 ? 0xffffff00u + i : 2700, i % 5 ? 0xfffffff0u : 2000, i & 1};
	fill(~0ull, ~0ull);
	cpu_record_area(&from, wild, true, ~0ull, &to);
	fill(~0ull, 0);
	cpu_record_area(&from, wild, true, ~0ull, &to);
}

static void fpu_of_record(void **state)
{
	struct hvm_hw_cpu c = {.flags = XEN_X86_FPU_INITIALISED};
	uint8_t record[1040] = {0};

	(void)state;
	memset(c.fpu_regs, 0x44, sizeof(c.fpu_regs));
	memcpy(record, &c, sizeof(c));
	memset(to.area, 0xee, sizeof(to.area));
	cpu_record_fpu(record, &to);
	area_is(0, 512, 0x44);
	assert_int_equal(bits(&to, 512), 3);
	area_is(520, sizeof(to.area) - 520, 0);
	c.flags = 0;
	memcpy(record, &c, sizeof(c));
	cpu_record_fpu(record, &to);
	assert_int_equal(bits(&to, 0), 0x37f);
	assert_int_equal((uint32_t)bits(&to, 24), 0x1f80);
	area_is(160, 352, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(short_record),	 cmocka_unit_test(pvh_entry),	cmocka_unit_test(there_and_back), cmocka_unit_test(events), cmocka_unit_test(area_standard),
		cmocka_unit_test(area_compacted), cmocka_unit_test(area_fxsave), cmocka_unit_test(area_nonsense),  cmocka_unit_test(fpu_of_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
