// links: kernel/cap/mdb.c kernel/cap/derive.c kernel/cap/delete.c kernel/cap/preempt.c
// links: kernel/cap/cnode.c kernel/cap/cnode_decode.c kernel/cap/untyped.c kernel/object/object.c
// links: kernel/api/error.c kernel/cap/cap_fake.c kernel/object/domain.c
/*
 * I/O ports: issue, access, and that a port belongs to one range. Domains: the checks of a profile with one.
 */
#include "object/ioport.h"
#include "arch/x86/cpu_hw.h"
#include "cap/cap_fake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#define CONTROL 1u

static unsigned last_port, last_size;
static uint32_t last_data;

static uint32_t device(uint16_t port, unsigned size, uint32_t data)
{
	last_port = port;
	last_size = size;
	last_data = data;
	return 0x87654321u;
}
uint8_t cpu_in8(uint16_t port)
{
	return (uint8_t)device(port, 1, 0);
}
uint16_t cpu_in16(uint16_t port)
{
	return (uint16_t)device(port, 2, 0);
}
uint32_t cpu_in32(uint16_t port)
{
	return device(port, 4, 0);
}
void cpu_out8(uint16_t port, uint8_t v)
{
	device(port, 1, v);
}
void cpu_out16(uint16_t port, uint16_t v)
{
	device(port, 2, v);
}
void cpu_out32(uint16_t port, uint32_t v)
{
	device(port, 4, v);
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	cte_insert_root(fake_root(CONTROL), cap_of_type(CAP_IOPORT_CONTROL));
	last_port = ~0u;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return (int)fake_revoke(CONTROL);
}

static exception_t issue(word_t first, word_t last, word_t slot)
{
	struct cte root = {.cap = fake_root_cap()};

	FAKE_MESSAGE(first, last, slot, FAKE_RADIX);
	fake_extra(&root, NULL);
	return ioport_control_decode(X86IOPortControlIssue, 4, fake_root(CONTROL));
}

static exception_t access_port(word_t label, unsigned length, word_t port, word_t data)
{
	FAKE_MESSAGE(port, data);
	return ioport_decode(label, length, fake_root(2)->cap);
}

static void failed(exception_t e, enum sel4_error type, word_t a)
{
	assert_int_equal(e, EXC_SYSCALL_ERROR);
	assert_int_equal(percpu_host->error.type, type);
	assert_int_equal(percpu_host->error.arg[0], a);
}

static void test_issue(void **state)
{
	(void)state;
	fake_extra(NULL, NULL);
	failed(ioport_control_decode(X86IOPortIn8, 0, fake_root(CONTROL)), seL4_IllegalOperation, 0);
	failed(ioport_control_decode(X86IOPortControlIssue, 4, fake_root(CONTROL)), seL4_TruncatedMessage, 0);
	failed(issue(8, 7, 99), seL4_InvalidArgument, 1);
	failed(issue(8, 8, CONTROL), seL4_DeleteFirst, 0);
	assert_int_equal(issue(0x10060, 0x10064, 2), EXC_NONE); /* 16 bits count */
	assert_int_equal(cap_ioport_first(fake_root(2)->cap), 0x60);
	failed(issue(0x64, 0x70, CONTROL), seL4_RevokeFirst, 0);
	failed(issue(0, 0xffff, 3), seL4_RevokeFirst, 0);
	assert_int_equal(issue(0x65, 0xffff, 3), EXC_NONE);
	assert_int_equal(issue(0, 0x5f, 4), EXC_NONE);
	assert_int_equal(fake_copy(5, 3), EXC_NONE);
	assert_int_equal(fake_delete(3), EXC_NONE);
	failed(issue(0xffff, 0xffff, 3), seL4_RevokeFirst, 0);
	assert_int_equal(fake_delete(5), EXC_NONE);
	assert_int_equal(issue(0xffff, 0xffff, 3), EXC_NONE);
	assert_int_equal(fake_revoke(CONTROL), EXC_NONE);
	assert_int_equal(issue(0, 0xffff, 3), EXC_NONE);
}

static void test_access(void **state)
{
	(void)state;
	assert_int_equal(issue(0xfffc, 0xffff, 2), EXC_NONE);
	failed(access_port(X86IOPortControlIssue, 0, 0xfffc, 0), seL4_IllegalOperation, 0);
	failed(access_port(IRQAckIRQ, 0, 0xfffc, 0), seL4_IllegalOperation, 0);
	failed(access_port(X86IOPortIn8, 0, 0, 0), seL4_TruncatedMessage, 0);
	failed(access_port(X86IOPortOut8, 1, 0, 0), seL4_TruncatedMessage, 0);
	failed(access_port(X86IOPortIn8, 1, 0xfffb, 0), seL4_IllegalOperation, 0);
	failed(access_port(X86IOPortIn16, 1, 0xffff, 0), seL4_IllegalOperation, 0);
	failed(access_port(X86IOPortOut32, 2, 0xfffd, 0), seL4_IllegalOperation, 0);
	assert_int_equal(last_port, ~0u);
	assert_int_equal(access_port(X86IOPortIn8, 1, 0xffff, 0), EXC_NONE);
	assert_int_equal(fake_result, 0x21);
	assert_int_equal(access_port(X86IOPortIn16, 1, 0xfffe, 0), EXC_NONE);
	assert_int_equal(fake_result, 0x4321);
	assert_int_equal(access_port(X86IOPortIn32, 1, 0xfffc, 0), EXC_NONE);
	assert_int_equal(fake_result, 0x87654321u);
	assert_int_equal(access_port(X86IOPortOut8, 2, 0xfffc, 0x1ff), EXC_NONE);
	assert_int_equal(last_data, 0xff);
	assert_int_equal(access_port(X86IOPortOut16, 2, 0xfffc, 0x12345), EXC_NONE);
	assert_int_equal(last_data, 0x2345);
	assert_int_equal(last_size, 2);
	assert_int_equal(access_port(X86IOPortOut32, 2, 0xfffc, 0x1ffffffffull), EXC_NONE);
	assert_int_equal(last_data, 0xffffffffu);
}

static void test_domain(void **state)
{
	(void)state;
	assert_int_equal(fake_retype(fake_root(FAKE_UT), seL4_TCBObject, 0, 2, 1), EXC_NONE);
	FAKE_MESSAGE(1, 0, 0);
	fake_extra(NULL, NULL);
	failed(domain_decode(CNodeCopy, 1), seL4_IllegalOperation, 0);
	failed(domain_decode(DomainSetSet, 0), seL4_TruncatedMessage, 0);
	failed(domain_decode(DomainSetSet, 1), seL4_InvalidArgument, 0);
	FAKE_MESSAGE(0, 0, 0);
	failed(domain_decode(DomainSetSet, 1), seL4_TruncatedMessage, 0);
	fake_extra(fake_root(FAKE_UT), NULL);
	failed(domain_decode(DomainSetSet, 1), seL4_InvalidArgument, 1);
	fake_extra(fake_root(2), NULL);
	assert_int_equal(domain_decode(DomainSetSet, 1), EXC_NONE);
	failed(domain_decode(DomainScheduleConfigure, 2), seL4_TruncatedMessage, 0);
	failed(domain_decode(DomainScheduleConfigure, 3), seL4_InvalidArgument, 2); /* end mark at start */
	FAKE_MESSAGE(1, 1, 1);
	failed(domain_decode(DomainScheduleConfigure, 3), seL4_RangeError, 0);
	failed(domain_decode(DomainScheduleSetStart, 1), seL4_RangeError, 0);
	FAKE_MESSAGE(0, 1, 1);
	failed(domain_decode(DomainScheduleConfigure, 3), seL4_RangeError, 0);
	FAKE_MESSAGE(0, 0, BIT(56));
	failed(domain_decode(DomainScheduleConfigure, 3), seL4_InvalidArgument, 2);
	FAKE_MESSAGE(0, 0, BIT(56) - 1);
	assert_int_equal(domain_decode(DomainScheduleConfigure, 3), EXC_NONE);
	assert_int_equal(domain_decode(DomainScheduleSetStart, 1), EXC_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_issue, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_access, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_domain, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
