// links: kernel/cap/mdb.c kernel/cap/derive.c kernel/cap/delete.c kernel/cap/preempt.c
// links: kernel/cap/cnode.c kernel/cap/cnode_decode.c kernel/cap/untyped.c kernel/object/object.c
// links: kernel/api/error.c kernel/cap/cap_fake.c
/* Interrupt control and handlers: checks in order, routing, masking, signals. */
#include "object/irq.h"
#include "arch/x86/arch.h"
#include "arch/x86/mm/window.h"
#include "cap/cap_fake.h"
#include "ipc/notification.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#define CONTROL	   1u
#define SLOTS_PAGE (FAKE_PHYS + 0x10000)

static unsigned ioapics, eois;
static bool masked[2][24];
static struct {
	bool level, low;
	uint8_t vector;
} route[2][24];

void irq_eoi(void)
{
	eois++;
}
unsigned irq_ioapic_count(void)
{
	return ioapics;
}
unsigned irq_ioapic_pins(unsigned ioapic)
{
	return ioapic < ioapics ? 24 : 0;
}
void irq_ioapic_route(unsigned ioapic, unsigned pin, bool level, bool low_active, uint8_t vector)
{
	route[ioapic][pin].level = level;
	route[ioapic][pin].low = low_active;
	route[ioapic][pin].vector = vector;
	masked[ioapic][pin] = true;
}
void irq_ioapic_mask(unsigned ioapic, unsigned pin, bool m)
{
	masked[ioapic][pin] = m;
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	window_map(paddr(SLOTS_PAGE), PAGE_SIZE);
	window_clear(paddr(SLOTS_PAGE), PAGE_SIZE);
	irq_init(window_kv(paddr(SLOTS_PAGE)));
	cte_insert_root(fake_root(CONTROL), cap_of_type(CAP_IRQ_CONTROL));
	memset(masked, 1, sizeof(masked));
	memset(route, 0, sizeof(route));
	ioapics = 2;
	eois = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return (int)fake_revoke(CONTROL); /* the table of routes is the kernel's, not the arena's */
}

static exception_t issue(word_t label, unsigned length, word_t slot, word_t a, word_t b, word_t c, word_t d,
			 word_t vector)
{
	struct cte root = {.cap = fake_root_cap()};

	FAKE_MESSAGE(slot, FAKE_RADIX, a, b, c, d, vector);
	fake_extra(&root, NULL);
	return irq_control_decode(label, length, fake_root(CONTROL));
}

static exception_t handler(word_t label, unsigned slot, struct cte *extra)
{
	fake_extra(extra, NULL);
	return irq_handler_decode(label, 0, fake_root(slot)->cap);
}

static void failed(exception_t e, enum sel4_error type, word_t a, word_t b)
{
	assert_int_equal(e, EXC_SYSCALL_ERROR);
	assert_int_equal(percpu_host->error.type, type);
	if (type != seL4_FailedLookup) {
		assert_int_equal(percpu_host->error.arg[0], a);
		assert_int_equal(percpu_host->error.arg[1], b);
	}
}

#define PIN X86IRQIssueIRQHandlerIOAPIC
#define MSI X86IRQIssueIRQHandlerMSI

static void test_checks(void **state)
{
	(void)state;
	failed(issue(IRQAckIRQ, 7, 2, 0, 0, 0, 0, 0), seL4_IllegalOperation, 0, 0);
	failed(issue(IRQIssueIRQHandler, 2, 2, 0, 0, 0, 0, 0), seL4_TruncatedMessage, 0, 0);
	failed(issue(IRQIssueIRQHandler, 3, 2, 0, 0, 0, 0, 0), seL4_IllegalOperation, 0, 0);
	failed(issue(PIN, 6, 2, 0, 0, 0, 0, 999), seL4_TruncatedMessage, 0, 0);
	failed(issue(PIN, 7, CONTROL, 9, 99, 9, 9, 108), seL4_RangeError, 0, 107);
}

static void test_checks_of_pin_and_message(void **state)
{
	(void)state;
	failed(issue(PIN, 7, CONTROL, 9, 99, 9, 9, 107), seL4_DeleteFirst, 0, 0);
	failed(issue(PIN, 7, 2, 2, 99, 9, 9, 107), seL4_RangeError, 0, 1);
	failed(issue(PIN, 7, 2, 1, 24, 9, 9, 107), seL4_RangeError, 0, 23);
	failed(issue(PIN, 7, 2, 1, 23, 2, 9, 107), seL4_RangeError, 0, 1);
	failed(issue(PIN, 7, 2, 1, 23, 1, 2, 107), seL4_RangeError, 0, 1);
	ioapics = 0;
	failed(issue(PIN, 7, 2, 1, 23, 1, 2, 107), seL4_IllegalOperation, 0, 0);
	ioapics = 2;
	failed(issue(MSI, 7, 2, 256, 32, 8, 0, 107), seL4_RangeError, 0, 255);
	failed(issue(MSI, 7, 2, 255, 32, 8, 0, 107), seL4_RangeError, 0, 31);
	failed(issue(MSI, 7, 2, 255, 31, 8, 0, 107), seL4_RangeError, 0, 7);
	assert_int_equal(issue(MSI, 7, 2, 255, 31, 7, 99, 107), EXC_NONE);
	failed(issue(MSI, 7, CONTROL, 0, 0, 0, 0, 107), seL4_RevokeFirst, 0, 0);
	assert_int_equal(cap_irq_handler_irq(fake_root(2)->cap), 107);
	assert_true(cte_is_parent(fake_root(CONTROL), fake_root(2)));
	assert_int_equal(fake_delete(2), EXC_NONE);
	assert_int_equal(issue(MSI, 7, 2, 0, 0, 0, 0, 107), EXC_NONE); /* free again */
}

static void test_level_interrupt(void **state)
{
	struct notification *n;

	(void)state;
	assert_int_equal(fake_retype(fake_root(FAKE_UT), seL4_NotificationObject, 0, 3, 1), EXC_NONE);
	assert_int_equal(fake_mint(4, 3, 0x40), EXC_NONE);
	assert_int_equal(FAKE_CNODE(CNodeMint, 5, 8, 3, 8, seL4_RightRead, 0), EXC_NONE);
	n = cap_notification_of(fake_root(3)->cap);
	assert_int_equal(issue(PIN, 7, 2, 1, 16, 1, 1, 5), EXC_NONE);
	assert_true(route[1][16].level && route[1][16].low);
	assert_int_equal(route[1][16].vector, 0x35);
	assert_false(masked[1][16]);
	irq_dispatch(5); /* nobody is told; it stays masked until someone asks for it */
	assert_int_equal(eois, 1);
	assert_true(masked[1][16]);

	failed(handler(IRQSetIRQHandler, 2, NULL), seL4_TruncatedMessage, 0, 0);
	failed(handler(IRQSetIRQHandler, 2, fake_root(2)), seL4_InvalidCapability, 0, 0);
	failed(handler(IRQSetIRQHandler, 2, fake_root(5)), seL4_InvalidCapability, 0, 0);
	assert_int_equal(handler(IRQSetIRQHandler, 2, fake_root(4)), EXC_NONE);
	assert_int_equal(handler(IRQAckIRQ, 2, NULL), EXC_NONE);
	assert_false(masked[1][16]);
	irq_dispatch(5);
	assert_int_equal(n->badge, 0x40);
	assert_true(masked[1][16]);
	assert_int_equal(handler(IRQSetIRQHandler, 2, fake_root(3)), EXC_NONE); /* replaces */
	assert_int_equal(handler(IRQClearIRQHandler, 2, NULL), EXC_NONE);
	assert_int_equal(handler(IRQClearIRQHandler, 2, NULL), EXC_NONE);
	n->badge = 0;
	irq_dispatch(5);
	assert_int_equal(n->badge, 0);
	failed(handler(CNodeCopy, 2, NULL), seL4_IllegalOperation, 0, 0);
}

static void test_revokes(void **state)
{
	struct notification *n;

	(void)state;
	assert_int_equal(fake_retype(fake_root(FAKE_UT), seL4_NotificationObject, 0, 3, 1), EXC_NONE);
	n = cap_notification_of(fake_root(3)->cap);
	assert_int_equal(issue(PIN, 7, 2, 0, 4, 0, 0, 9), EXC_NONE);
	assert_int_equal(handler(IRQSetIRQHandler, 2, fake_root(3)), EXC_NONE);
	irq_dispatch(9); /* an edge is not masked */
	assert_false(masked[0][4]);
	assert_int_equal(fake_revoke(3), EXC_NONE); /* the table's copy goes */
	irq_dispatch(9);
	assert_int_equal(n->badge, 0);
	assert_int_equal(handler(IRQSetIRQHandler, 2, fake_root(3)), EXC_NONE);
	/* the last handler capability takes the notification with it, and masks */
	assert_int_equal(fake_copy(6, 2), EXC_NONE);
	assert_int_equal(fake_delete(2), EXC_NONE);
	assert_false(masked[0][4]);
	assert_int_equal(fake_delete(3), EXC_NONE);
	assert_int_equal(fake_events[CAP_NOTIFICATION], 0);
	assert_int_equal(fake_delete(6), EXC_NONE);
	assert_int_equal(fake_events[CAP_NOTIFICATION], 1);
	assert_true(masked[0][4]);
	irq_dispatch(9); /* a late one */
	assert_int_equal(issue(PIN, 7, 2, 0, 4, 0, 0, 9), EXC_NONE);
}

static void test_pin_routed_twice(void **state)
{
	(void)state;
	assert_int_equal(issue(PIN, 7, 2, 0, 4, 1, 0, 9), EXC_NONE);
	assert_int_equal(issue(PIN, 7, 3, 0, 4, 1, 0, 10), EXC_NONE);
	assert_int_equal(route[0][4].vector, 0x3a);
	assert_int_equal(fake_delete(2), EXC_NONE); /* the pin is not its any more */
	assert_false(masked[0][4]);
	assert_int_equal(fake_revoke(CONTROL), EXC_NONE);
	assert_true(masked[0][4]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_checks, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_checks_of_pin_and_message, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_level_interrupt, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_revokes, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_pin_routed_twice, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
