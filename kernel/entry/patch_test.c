// links: kernel/entry/patch.c
/* Patching of recorded sites: exact bytes, NOP filling, refusal of what does not fit, calls. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "entry/patch.h"
#include "panic.h"

static uint8_t text[128];
/* The linker script gives the symbols in the kernel: here a table of our own stands in their place. */
struct patch_site sites[4];
__asm__(".globl patch_sites_start\n.set patch_sites_start, sites\n"
	".globl patch_sites_end\n.set patch_sites_end, sites + 64\n");

void panic(const char *format, ...)
{
	(void)format;
	abort();
}

static uint64_t alias;

static int setup(void **state)
{
	(void)state;
	memset(text, 0xaa, sizeof(text));
	/* The recorded addresses are the image's, 1 MiB from the alias. */
	alias = 0x100000;
	uint64_t base = (uint64_t)(uintptr_t)text - alias;
	sites[0] = (struct patch_site){base + 8, 24, PATCH_SYSRET_CR3, 0};
	sites[1] = (struct patch_site){base + 40, 5, PATCH_EXIT_PREDICTORS, 0};
	sites[2] = (struct patch_site){base + 64, 16, PATCH_SYSRET_CR3, 0};
	sites[3] = (struct patch_site){base + 96, 8, PATCH_EXIT_PREDICTORS, 0};
	patch_init(alias);
	return 0;
}

static void test_fill(void **state)
{
	(void)state;
	static const uint8_t code[] = {1, 2, 3, 4};
	assert_true(patch_apply(PATCH_SYSRET_CR3, code, sizeof(code)));
	assert_int_equal(text[7], 0xaa);
	assert_memory_equal(text + 8, code, 4);
	assert_memory_equal(text + 64, code, 4);
	/* 20 bytes of NOPs are 11 + 9, 12 are 11 + 1 */
	static const uint8_t nop11[] = {0x66, 0x66, 0x66, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0};
	assert_memory_equal(text + 12, nop11, 11);
	assert_memory_equal(text + 23, nop11 + 2, 9);
	assert_int_equal(text[32], 0xaa);
	assert_memory_equal(text + 68, nop11, 11);
	assert_int_equal(text[79], 0x90);
	assert_int_equal(text[80], 0xaa);
	assert_int_equal(text[40], 0xaa);
}

static void test_refused(void **state)
{
	(void)state;
	uint8_t code[24] = {0}, before[sizeof(text)];
	memcpy(before, text, sizeof(text));
	assert_false(patch_apply(PATCH_SYSRET_CR3, code, 17)); /* fits one site only */
	assert_false(patch_apply(PATCH_EXIT_VERW, code, 3));   /* no such site */
	assert_memory_equal(text, before, sizeof(text));
	assert_true(patch_apply(PATCH_SYSRET_CR3, code, 16)); /* exactly full */
}

static void test_call(void **state)
{
	(void)state;
	uint64_t target = sites[1].address + 0x12345;
	assert_true(patch_apply_call(PATCH_EXIT_PREDICTORS, (void (*)(void))(uintptr_t)target));
	assert_int_equal(text[40], 0xe8);
	int32_t rel;
	memcpy(&rel, text + 41, 4);
	assert_int_equal(sites[1].address + 5 + (uint64_t)(int64_t)rel, target);
	memcpy(&rel, text + 97, 4);
	assert_int_equal(sites[3].address + 5 + (uint64_t)(int64_t)rel, target);
	assert_int_equal(text[101], 0x0f);
	assert_int_equal(text[104], 0xaa);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_fill, setup),
	    cmocka_unit_test_setup(test_refused, setup),
	    cmocka_unit_test_setup(test_call, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
