/* Which CPUs need split tables, and the code of the sites, byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "arch/x86/mm/space_hw.h"
#include "entry/split.h"
#include "panic.h"
#include "percpu.h"

struct cpu_features cpu;
struct percpu *percpu_host;

static uint8_t site[64][24];
static unsigned length[64];
static void (*called)(void);

void panic(const char *format, ...)
{
	fail_msg("panic: %s", format);
	abort();
}

bool patch_apply(unsigned id, const uint8_t *bytes, unsigned n)
{
	assert_true(id < 64 && n <= 24);
	memcpy(site[id], bytes, n);
	length[id] = n;
	return true;
}

bool patch_apply_call(unsigned id, void (*target)(void))
{
	assert_int_equal(id, PATCH_SPACE);
	called = target;
	return true;
}

void space_hw_call(void)
{
}

static int setup(void **state)
{
	(void)state;
	memset(site, 0, sizeof(site));
	memset(length, 0, sizeof(length));
	called = NULL;
	cpu = (struct cpu_features){.vendor = CPU_INTEL};
	return 0;
}

static bool needed(enum cpu_vendor vendor, uint32_t family, uint32_t model, uint64_t capabilities)
{
	struct cpu_features c = {
	    .vendor = vendor, .family = family, .model = model, .arch_capabilities = capabilities};

	return split_needed(&c);
}

static void test_needed(void **state)
{
	(void)state;
	assert_true(needed(CPU_INTEL, 6, 0x5e, 0)); /* Skylake */
	assert_true(needed(CPU_INTEL, 6, 0x37, 0)); /* Silvermont, out of order */
	assert_true(needed(CPU_INTEL, 15, 6, 0));
	assert_true(needed(CPU_OTHER, 6, 0x1c, 0));
	assert_true(needed(CPU_INTEL, 6, 0x55, 0x2a)); /* other bits only */
	assert_false(needed(CPU_INTEL, 6, 0x55, 0x2b));
	assert_false(needed(CPU_INTEL, 6, 0x1c, 0));
	assert_false(needed(CPU_OTHER, 7, 1, 1));
	assert_false(needed(CPU_AMD, 0x17, 1, 0));
}

#define SITE(id, ...)                                                                                        \
	do {                                                                                                 \
		static const uint8_t want[] = {__VA_ARGS__};                                                 \
		assert_int_equal(length[id], sizeof(want));                                                  \
		assert_memory_equal(site[id], want, sizeof(want));                                           \
	} while (0)
/* The word's address, 16: after self and user_rsp. */
#define USER_CR3 0x10, 0, 0, 0
_Static_assert(offsetof(struct percpu, entry.user_cr3) == 0x10, "as the bytes say");

static void test_whole(void **state)
{
	(void)state;
	split_patch(0x12345000);
	SITE(PATCH_SPACE, 0x0f, 0x22, 0xdf); /* mov %rdi, %cr3 */
	SITE(PATCH_SPACE_CR3, 0x0f, 0x22, 0xdf);
	assert_int_equal(length[PATCH_SYSCALL_CR3] + length[PATCH_SYSRET_CR3] + length[PATCH_IST_ENTRY], 0);
	assert_null(called);

	cpu.pcid = true;
	split_patch(0x12345000);
	assert_ptr_equal(called, space_hw_call);
	SITE(PATCH_SPACE_CR3, 0x0f, 0x22, 0xdf);
	assert_int_equal(length[PATCH_SYSCALL_CR3], 0);
}

static void test_split(void **state)
{
	(void)state;
	cpu.split = true;
	split_patch(0x12345000);
	SITE(PATCH_SPACE, 0x65, 0x48, 0x89, 0x3c, 0x25, USER_CR3); /* mov %rdi, %gs:user_cr3 */
	/* movabs $0x12345000, register; mov register, %cr3 */
	SITE(PATCH_SYSCALL_CR3, 0x48, 0xbc, 0, 0x50, 0x34, 0x12, 0, 0, 0, 0, 0x0f, 0x22, 0xdc);
	SITE(PATCH_TRAP_CR3, 0x48, 0xbf, 0, 0x50, 0x34, 0x12, 0, 0, 0, 0, 0x0f, 0x22, 0xdf);
	SITE(PATCH_FAULT_CR3, 0x48, 0xb8, 0, 0x50, 0x34, 0x12, 0, 0, 0, 0, 0x0f, 0x22, 0xd8);
	/* mov %gs:user_cr3, register; mov register, %cr3 */
	SITE(PATCH_SYSRET_CR3, 0x65, 0x48, 0x8b, 0x24, 0x25, USER_CR3, 0x0f, 0x22, 0xdc);
	SITE(PATCH_IRET_CR3, 0x65, 0x48, 0x8b, 0x04, 0x25, USER_CR3, 0x0f, 0x22, 0xd8);
	/* mov %cr3, %rbp; ... and back */
	SITE(PATCH_IST_ENTRY, 0x0f, 0x20, 0xdd, 0x48, 0xb8, 0, 0x50, 0x34, 0x12, 0, 0, 0, 0, 0x0f, 0x22,
	     0xd8);
	SITE(PATCH_IST_EXIT, 0x0f, 0x22, 0xdd);
}

static void test_split_pcid(void **state)
{
	(void)state;
	cpu.split = cpu.pcid = true;
	split_patch(0x12345000);
	SITE(PATCH_SYSCALL_CR3, 0x48, 0xbc, 0, 0x50, 0x34, 0x12, 0, 0, 0, 0x80, 0x0f, 0x22, 0xdc);
	/* ...; btsq $63, %gs:user_cr3; ... */
	SITE(PATCH_SYSRET_CR3, 0x65, 0x48, 0x8b, 0x24, 0x25, USER_CR3, 0x65, 0x48, 0x0f, 0xba, 0x2c, 0x25,
	     USER_CR3, 63, 0x0f, 0x22, 0xdc);
	SITE(PATCH_IRET_CR3, 0x65, 0x48, 0x8b, 0x04, 0x25, USER_CR3, 0x65, 0x48, 0x0f, 0xba, 0x2c, 0x25,
	     USER_CR3, 63, 0x0f, 0x22, 0xd8);
	/* btsq $63, %rbp; mov %rbp, %cr3 */
	SITE(PATCH_IST_EXIT, 0x48, 0x0f, 0xba, 0xed, 63, 0x0f, 0x22, 0xdd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_needed, setup),
	    cmocka_unit_test_setup(test_whole, setup),
	    cmocka_unit_test_setup(test_split, setup),
	    cmocka_unit_test_setup(test_split_pcid, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
