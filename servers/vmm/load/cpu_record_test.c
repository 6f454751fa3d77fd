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
	static uint8_t record[1040];
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
	cpu_record_save(&a, 77, 0x80000b0e, 6, record);
	memcpy(&c, record, sizeof(c));
	assert_int_equal(c.tsc, 77);
	assert_int_equal(c.cs_arbytes, 0xa9b);
	assert_int_equal(c.flags, 0);
	assert_int_equal(c.pending_event, 0x80000b0e);
	assert_int_equal(c.error_code, 6);
	assert_true(cpu_record_load(&b, record, sizeof(record)));
	a.dirty = b.dirty;
	assert_memory_equal(&a, &b, sizeof(a));
	/* what is not usable has no attributes, as Xen says it */
	a.seg[INSULA_FS].ar = 0x1c093;
	cpu_record_save(&a, 0, 0, 5, record);
	memcpy(&c, record, sizeof(c));
	assert_int_equal(c.fs_arbytes, 0);
	assert_int_equal(c.error_code, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(short_record), cmocka_unit_test(pvh_entry), cmocka_unit_test(there_and_back)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
