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

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(short_record), cmocka_unit_test(pvh_entry)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
