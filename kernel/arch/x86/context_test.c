/* Register words: order, sanitising, what a write does to the way back to user mode. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>
#include "arch/x86/context.h"
#include "arch/x86/selectors.h"

enum {
	IP,
	SP,
	FLAGS,
	RAX,
	RBX,
	RCX,
	RDX,
	RSI,
	RDI,
	RBP,
	R8,
	R9,
	R10,
	R11,
	R12,
	R13,
	R14,
	R15,
	FS,
	GS,
	WORDS
};

static void test_init(void **state)
{
	(void)state;
	struct context c;
	memset(&c, 0xff, sizeof(c));
	context_init(&c);
	assert_int_equal(c.rflags, 0x202);
	assert_int_equal(c.cs, SELECTOR_USER_CODE);
	assert_int_equal(c.ss, SELECTOR_USER_DATA);
	assert_int_equal(c.syscall, 0);
	for (unsigned i = 0; i < WORDS; i++)
		if (i != FLAGS)
			assert_int_equal(context_get(&c, i), 0);
}

static void test_order(void **state)
{
	(void)state;
	struct context c;
	context_init(&c);
	for (unsigned i = 0; i < WORDS; i++)
		if (i != FLAGS)
			context_set(&c, i, 0x1000 + i);
	assert_int_equal(c.rip, 0x1000);
	assert_int_equal(c.restart_ip, 0x1000);
	assert_int_equal(c.rsp, 0x1000 + SP);
	assert_int_equal(c.rax, 0x1000 + RAX);
	assert_int_equal(c.rbx, 0x1000 + RBX);
	assert_int_equal(c.rcx, 0x1000 + RCX);
	assert_int_equal(c.rdx, 0x1000 + RDX);
	assert_int_equal(c.rsi, 0x1000 + RSI);
	assert_int_equal(c.rdi, 0x1000 + RDI);
	assert_int_equal(c.rbp, 0x1000 + RBP);
	assert_int_equal(c.r8, 0x1000 + R8);
	assert_int_equal(c.r11, 0x1000 + R11);
	assert_int_equal(c.r15, 0x1000 + R15);
	assert_int_equal(c.fs_base, 0x1000 + FS);
	assert_int_equal(c.gs_base, 0x1000 + GS);
	for (unsigned i = 0; i < WORDS; i++)
		if (i != FLAGS)
			assert_int_equal(context_get(&c, i), 0x1000 + i);
	context_set(&c, WORDS, 7);
	assert_int_equal(context_get(&c, WORDS), 0);
}

static void test_flags(void **state)
{
	(void)state;
	struct context c;
	context_init(&c);
	context_set(&c, FLAGS, 0);
	assert_int_equal(c.rflags, 0x202);
	context_set(&c, FLAGS, UINT64_MAX);
	assert_int_equal(c.rflags, 0xfd7); /* no IOPL, NT, RF, VM, AC, VIF, VIP, ID */
}

static void test_addresses(void **state)
{
	(void)state;
	static const unsigned words[] = {IP, FS, GS};
	struct context c;
	context_init(&c);
	for (unsigned k = 0; k < ARRAY_SIZE(words); k++) {
		unsigned i = words[k];
		context_set(&c, i, 0x00007fffffffffff);
		assert_int_equal(context_get(&c, i), 0x00007fffffffffff);
		context_set(&c, i, 0x0000800000000000);
		assert_int_equal(context_get(&c, i), 0);
		context_set(&c, i, 0xffff7fffffffffff);
		assert_int_equal(context_get(&c, i), 0);
		context_set(&c, i, 0xffff800000000000); /* faults in user mode, not in the kernel */
		assert_int_equal(context_get(&c, i), 0xffff800000000000);
	}
	context_set(&c, SP, 0x0000800000000000);
	assert_int_equal(c.rsp, 0x0000800000000000);
}

static void test_way_back(void **state)
{
	(void)state;
	struct context c;
	context_init(&c);
	c.syscall = 1;
	c.rip = 0x402;
	c.restart_ip = 0x400;
	assert_int_equal(context_get(&c, IP), 0x400);
	context_stopped(&c);
	assert_int_equal(context_get(&c, IP), 0x402);
	context_set(&c, RCX, 5); /* SYSRET would lose it */
	assert_int_equal(c.syscall, 0);
	c.restart_ip = 0x300;
	context_restart(&c);
	assert_int_equal(c.rip, 0x300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_init),      cmocka_unit_test(test_order),    cmocka_unit_test(test_flags),
	    cmocka_unit_test(test_addresses), cmocka_unit_test(test_way_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
