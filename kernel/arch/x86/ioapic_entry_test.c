#include <stddef.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include "arch/x86/apic.h"

static void test_entry(void **state)
{
	(void)state;
	struct ioapic_entry e = ioapic_entry_make(0x30, 0, false, false, true);
	assert_int_equal(e.low, 0x10030);
	assert_int_equal(e.high, 0);
	e = ioapic_entry_make(0x9b, 0xfe, true, true, false);
	assert_int_equal(e.low, 0xa09b);
	assert_int_equal(e.high, 0xfe000000);
	e = ioapic_entry_make(0x41, 1, true, false, true);
	assert_int_equal(e.low, 0x18041);
	e = ioapic_entry_make(0x41, 1, false, true, false);
	assert_int_equal(e.low, 0x2041);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_entry)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
