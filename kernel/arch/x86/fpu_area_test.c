#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "arch/x86/context.h"
#include "arch/x86/fpu_area.h"
#include "mem/mem.h"

static struct fpu_state s;

static void test_all_ones(void **state)
{
	(void)state;
	memset(s.area, 0xff, sizeof(s.area));
	fpu_area_legal(s.area, true, 7, 0xffff);
	assert_int_equal(mem_get32(s.area + 24), 0xffff);
	assert_int_equal(mem_get64(s.area + 512), 7);
	for (unsigned i = 520; i < 576; i++)
		assert_int_equal(s.area[i], 0);
	/* the registers are as they were given */
	assert_int_equal(s.area[0], 0xff);
	assert_int_equal(s.area[511], 0xff);
	assert_int_equal(s.area[576], 0xff);
	assert_int_equal(s.area[FPU_STATE_MAX - 1], 0xff);
}

static void test_without_xsave(void **state)
{
	(void)state;
	memset(s.area, 0xff, sizeof(s.area));
	fpu_area_legal(s.area, false, 3, FPU_MXCSR_MASK_LEAST);
	assert_int_equal(mem_get32(s.area + 24), 0xffbf);
	assert_int_equal(s.area[512], 0xff);
}

static void test_legal_stays(void **state)
{
	struct fpu_state before;

	(void)state;
	memset(s.area, 0, sizeof(s.area));
	mem_put16(s.area, 0x37f);
	mem_put32(s.area + 24, 0x9fc0);
	mem_put64(s.area + 512, 6);
	memset(s.area + 576, 0x5a, 256);
	before = s;
	fpu_area_legal(s.area, true, 0xe7, 0xffff);
	assert_memory_equal(before.area, s.area, sizeof(s.area));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_all_ones),
	    cmocka_unit_test(test_without_xsave),
	    cmocka_unit_test(test_legal_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
