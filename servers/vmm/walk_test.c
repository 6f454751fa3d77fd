#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "servers/vmm/walk.h"

#define P  1ull
#define W  2ull
#define U  4ull
#define PS (1ull << 7)
#define NX (1ull << 63)
#define CR0_PG 0x80000001ull
#define CR0_WP (1ull << 16)
#define LMA 0x500ull
#define NXE 0x800ull

static uint8_t memory[16 * 4096];

static bool entry(void *context, uint64_t gpa, unsigned bytes, uint64_t *e)
{
	(void)context;
	*e = 0;
	if (gpa > sizeof(memory) - bytes)
		return false;
	memcpy(e, memory + gpa, bytes);
	return true;
}

static void put64(uint64_t at, uint64_t v)
{
	memcpy(memory + at, &v, 8);
}

static void put32(uint64_t at, uint32_t v)
{
	memcpy(memory + at, &v, 4);
}

static struct walk_mode m;
static uint64_t gpa, left;
static uint32_t error;
static bool writable;

static bool go(uint64_t linear, bool write, bool fetch)
{
	struct walk_result r = {0};
	bool ok = walk_translate(&m, linear, write, fetch, entry, NULL, &r);

	gpa = r.gpa;
	left = r.left;
	error = r.error;
	writable = r.write;
	return ok;
}

static void no_paging(void **state)
{
	(void)state;
	m = (struct walk_mode){0};
	assert_true(go(0x123456789abcull, true, true));
	assert_int_equal(gpa, 0x56789abc);
	assert_int_equal(left, 0x1000 - 0xabc);
	assert_true(writable);
}

static void four_level(void **state)
{
	(void)state;
	memset(memory, 0, sizeof(memory));
	m = (struct walk_mode){.cr0 = CR0_PG | CR0_WP, .cr3 = 0x1000, .cr4 = 0x20, .efer = LMA | NXE};
	put64(0x1000 + 511 * 8, 0x2000 | P | W);
	put64(0x2000 + 510 * 8, 0x3000 | P | W);
	put64(0x3000 + 1 * 8, 0x4000 | P | W);
	put64(0x4000 + 2 * 8, 0xabcd000 | P | W | NX);
	put64(0x4000 + 3 * 8, 0xabce000 | P);
	put64(0x3000 + 3 * 8, 0x600000 | P | W | PS | (1ull << 12)); /* 2 MiB, PAT bit set */
	put64(0x2000 + 511 * 8, 0x40000000 | P | W | PS);
	assert_true(go(0xffffffff80202123ull, true, false));
	assert_int_equal(gpa, 0xabcd123);
	assert_int_equal(left, 0x1000 - 0x123);
	assert_false(go(0xffffffff80202123ull, false, true)); /* NX */
	assert_int_equal(error, PF_PRESENT | PF_FETCH);
	m.efer &= ~NXE;
	assert_true(go(0xffffffff80202123ull, false, true));
	assert_true(go(0xffffffff80202123ull, false, false));
	assert_true(writable);
	assert_true(go(0xffffffff80203000ull, false, false));
	assert_false(writable);
	assert_false(go(0xffffffff80203000ull, true, false)); /* WP */
	assert_int_equal(error, PF_PRESENT | PF_WRITE);
	m.cr0 &= ~CR0_WP;
	assert_true(go(0xffffffff80203000ull, false, false));
	assert_true(writable);
	assert_true(go(0xffffffff80203000ull, true, false));
	assert_true(go(0xffffffff80612345ull, true, false));
	assert_int_equal(gpa, 0x612345);
	assert_true(go(0xffffffffc0001234ull, true, false));
	assert_int_equal(gpa, 0x40001234);
	assert_int_equal(left, 0x40000000 - 0x1234);
	assert_false(go(0x0000800000000000ull, false, false));
	assert_int_equal(error, WALK_NOT_CANONICAL);
	assert_false(go(0x1000, false, false));
	assert_int_equal(error, 0);
	/* whether a fetch says so depends on what can forbid it */
	assert_false(go(0x1000, false, true));
	assert_int_equal(error, 0);
	m.cr4 |= 1u << 20;
	assert_false(go(0x1000, false, true));
	assert_int_equal(error, PF_FETCH);
	m.user = true;
	assert_false(go(0xffffffff80202123ull, false, false));
	assert_int_equal(error, PF_PRESENT | PF_USER);
}

static void tables_outside_memory(void **state)
{
	(void)state;
	memset(memory, 0, sizeof(memory));
	m = (struct walk_mode){.cr0 = CR0_PG, .cr3 = 0x1000, .cr4 = 0x20, .efer = LMA};
	put64(0x1000, 0xffffffffff000ull | P | W);
	assert_false(go(0x1000, false, false));
	put64(0x1000, 0x1000 | P | W); /* a table that is its own child ends all the same */
	assert_true(go(0x0, false, false));
	assert_int_equal(gpa, 0x1000);
	m.cr3 = 0xffffffffff000ull;
	assert_false(go(0x1000, false, false));
	m.cr3 = 0x1000;
	put64(0x1000, 0x1000 | P | W | PS); /* a large page at level 4 is reserved */
	assert_false(go(0x1000, false, false));
}

static void pae_and_32(void **state)
{
	(void)state;
	memset(memory, 0, sizeof(memory));
	m = (struct walk_mode){.cr0 = CR0_PG, .cr3 = 0x1020, .cr4 = 0x20};
	put64(0x1020 + 3 * 8, 0x2000 | P);
	put64(0x2000 + 0, 0x3000 | P | W);
	put64(0x3000 + 5 * 8, 0x7000 | P | W);
	assert_true(go(0xc0005010ull, true, false));
	assert_int_equal(gpa, 0x7010);
	m = (struct walk_mode){.cr0 = CR0_PG, .cr3 = 0x1000, .cr4 = 0x10};
	memset(memory, 0, sizeof(memory));
	put32(0x1000 + 0x300 * 4, 0x2000 | (uint32_t)(P | W));
	put32(0x1000 + 0x301 * 4, 0x00800000 | (uint32_t)(P | PS) | (5u << 13)); /* PSE-36: bits 39:32 = 5 */
	put32(0x2000 + 4, 0x9000 | (uint32_t)P);
	assert_true(go(0xc0001fffull, false, false));
	assert_int_equal(gpa, 0x9fff);
	assert_int_equal(left, 1);
	assert_true(go(0xc0400001ull, false, false));
	assert_int_equal(gpa, 0x500800001ull);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_paging),
		cmocka_unit_test(four_level),
		cmocka_unit_test(tables_outside_memory),
		cmocka_unit_test(pae_and_32),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
