#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>
#include "servers/vmm/apic/lapic.h"

#define MS 1000000ull

static struct lapic l;

static void fresh(uint32_t id, bool x2)
{
	lapic_reset(&l, id, id == 0);
	if (x2)
		assert_true(lapic_base_write(&l, lapic_base_read(&l) | 1u << 10));
	(void)lapic_write(&l, 0xf0, 0x1ff, 0);
}

static void base_transitions(void **state)
{
	(void)state;
	lapic_reset(&l, 4, false);
	assert_int_equal(lapic_base_read(&l), 0xfee00800);
	assert_true(lapic_base_write(&l, 0xfee00c00));
	assert_int_equal(l.mode, LAPIC_X2APIC);
	assert_int_equal(l.ldr, 1u << 4);
	assert_false(lapic_base_write(&l, 0xfee00800)); /* x2APIC to xAPIC */
	assert_true(lapic_base_write(&l, 0xfee00000));
	assert_false(lapic_base_write(&l, 0xfee00c00)); /* disabled to x2APIC */
	assert_false(lapic_base_write(&l, 0xfee00400)); /* x2APIC without enable */
	assert_false(lapic_base_write(&l, 0xfee01800)); /* moved */
	assert_true(lapic_base_write(&l, 0xfee00800));
	assert_int_equal(l.mode, LAPIC_XAPIC);
}

static void priorities(void **state)
{
	(void)state;
	fresh(0, true);
	assert_int_equal(lapic_pending(&l), -1);
	assert_true(lapic_accept(&l, 0x31, false));
	assert_false(lapic_accept(&l, 0x31, false));
	assert_true(lapic_accept(&l, 0xf3, false));
	assert_int_equal(lapic_pending(&l), 0xf3);
	lapic_take(&l, 0xf3);
	assert_int_equal(lapic_pending(&l), -1); /* 0x31 is below what is in service */
	assert_int_equal(lapic_write(&l, 0xb0, 0, 0).kind, LAPIC_NOTHING);
	assert_int_equal(lapic_pending(&l), 0x31);
	(void)lapic_write(&l, 0x80, 0x30, 0); /* TPR */
	assert_int_equal(lapic_pending(&l), -1);
	(void)lapic_write(&l, 0x80, 0x20, 0);
	assert_int_equal(lapic_pending(&l), 0x31);
}

static void level_eoi(void **state)
{
	struct lapic_action a;

	(void)state;
	fresh(0, false);
	(void)lapic_accept(&l, 0x40, true);
	lapic_take(&l, 0x40);
	a = lapic_write(&l, 0xb0, 0, 0);
	assert_int_equal(a.kind, LAPIC_EOI);
	assert_int_equal(a.vector, 0x40);
}

static void ipis(void **state)
{
	struct lapic_action a;
	bool bad;

	(void)state;
	fresh(0, true);
	a = lapic_write(&l, 0x300, (5ull << 32) | 0x4500, 0);
	assert_int_equal(a.kind, LAPIC_SEND);
	assert_int_equal(a.delivery, 5);
	assert_int_equal(a.destination, 5);
	a = lapic_write(&l, 0x3f0, 0x55, 0);
	assert_int_equal(a.shorthand, 1);
	assert_int_equal(a.vector, 0x55);
	assert_int_equal(lapic_write(&l, 0x300, 0x5, 0).kind, LAPIC_NOTHING); /* vector 5: send error */
	(void)lapic_write(&l, 0x280, 0, 0);
	assert_int_equal(lapic_read(&l, 0x280, 0, &bad), 1u << 5);
	fresh(0, false);
	(void)lapic_write(&l, 0x310, 3u << 24, 0);
	a = lapic_write(&l, 0x300, 0x4608, 0);
	assert_int_equal(a.destination, 3);
	assert_int_equal(a.delivery, 6);
	assert_int_equal(a.vector, 8);
}

static void destinations(void **state)
{
	(void)state;
	fresh(0x23, true);
	assert_true(lapic_matches(&l, false, 0x23));
	assert_false(lapic_matches(&l, false, 0x22));
	assert_true(lapic_matches(&l, false, 0xffffffff));
	assert_true(lapic_matches(&l, true, (2u << 16) | (1u << 3)));
	assert_false(lapic_matches(&l, true, (1u << 16) | (1u << 3)));
	fresh(2, false);
	(void)lapic_write(&l, 0xd0, 4u << 24, 0);
	assert_true(lapic_matches(&l, true, 6));
	assert_false(lapic_matches(&l, true, 3));
	assert_true(lapic_matches(&l, false, 0xff));
	(void)lapic_write(&l, 0xe0, 0x0fffffff, 0); /* cluster model */
	(void)lapic_write(&l, 0xd0, 0x12u << 24, 0);
	assert_true(lapic_matches(&l, true, 0x12));
	assert_false(lapic_matches(&l, true, 0x22));
}

static void timer(void **state)
{
	bool bad;

	(void)state;
	fresh(0, true);
	(void)lapic_write(&l, 0x3e0, 0xb, 0); /* divide by 1 */
	(void)lapic_write(&l, 0x320, 0x20020, 0); /* periodic, vector 0x20 */
	assert_int_equal(lapic_write(&l, 0x380, MS / LAPIC_BUS_NS, 5 * MS).kind, LAPIC_TIMER_CHANGED);
	assert_int_equal(l.timer_deadline, 6 * MS);
	assert_int_equal(lapic_read(&l, 0x390, 5 * MS + LAPIC_BUS_NS - 1, &bad), MS / LAPIC_BUS_NS);
	assert_int_equal(lapic_read(&l, 0x390, 5 * MS + LAPIC_BUS_NS, &bad), MS / LAPIC_BUS_NS - 1);
	assert_false(lapic_timer_expire(&l, 6 * MS - 1));
	assert_true(lapic_timer_expire(&l, 6 * MS));
	assert_int_equal(l.timer_deadline, 7 * MS);
	assert_false(lapic_timer_expire(&l, 1000 * MS + 1)); /* still pending: one interrupt for all missed */
	assert_int_equal(l.timer_deadline, 1001 * MS);
	(void)lapic_write(&l, 0x320, 0x20, 0); /* one shot: the change disarms */
	assert_int_equal(l.timer_deadline, UINT64_MAX);
	(void)lapic_write(&l, 0x380, 10, 0);
	assert_int_equal(l.timer_deadline, 10 * LAPIC_BUS_NS);
	(void)lapic_timer_expire(&l, 10 * LAPIC_BUS_NS);
	assert_int_equal(l.timer_deadline, UINT64_MAX);
	/* a count of 1 for ever costs one step whenever it is looked at */
	(void)lapic_write(&l, 0x320, 0x20020, 0);
	(void)lapic_write(&l, 0x380, 1, 0);
	(void)lapic_timer_expire(&l, UINT64_MAX / 2);
	assert_in_range(l.timer_deadline, UINT64_MAX / 2 + 1, UINT64_MAX / 2 + LAPIC_BUS_NS);
}

static void x2apic_faults(void **state)
{
	bool bad;

	(void)state;
	fresh(0, true);
	(void)lapic_read(&l, 0xb0, 0, &bad);
	assert_true(bad);
	(void)lapic_read(&l, 0xff0, 0, &bad);
	assert_true(bad);
	assert_int_equal(lapic_write(&l, 0xb0, 1, 0).kind, LAPIC_FAULT);
	assert_int_equal(lapic_write(&l, 0x20, 1, 0).kind, LAPIC_FAULT);
	assert_int_equal(lapic_write(&l, 0xf0, 1ull << 32, 0).kind, LAPIC_FAULT);
	fresh(0, false);
	(void)lapic_read(&l, 0xff0, 0, &bad);
	assert_false(bad);
}

static void disabled_takes_nothing(void **state)
{
	(void)state;
	lapic_reset(&l, 0, true);
	assert_false(lapic_accept(&l, 0x40, false));
	assert_int_equal(lapic_pending(&l), -1);
	assert_true(lapic_assert(&l, 0xf3));
	assert_int_equal(lapic_pending(&l), -1);
	(void)lapic_write(&l, 0xf0, 0x1ff, 0);
	assert_int_equal(lapic_pending(&l), 0xf3);
	fresh(0, true);
	assert_false(lapic_accept(&l, 8, false));
}

static uint32_t at(const uint8_t *regs, unsigned reg)
{
	uint32_t v;

	memcpy(&v, regs + reg, sizeof(v));
	return v;
}

/* What is saved and loaded into a fresh one answers as before. */
static void saved(bool x2)
{
	static uint8_t regs[LAPIC_REGISTERS], again[LAPIC_REGISTERS];
	struct lapic other;
	uint64_t base;

	fresh(6, x2);
	(void)lapic_write(&l, 0xf0, 0x1f5, 0);
	(void)lapic_write(&l, 0x80, 0x20, 0);
	(void)lapic_write(&l, 0x3e0, 0xb, 0);
	(void)lapic_write(&l, 0x320, 0x20051, 0);
	(void)lapic_write(&l, 0x380, 1000, 100);
	(void)lapic_write(&l, 0x350, 0x700, 0);
	(void)lapic_write(&l, 0x300, 0x3ull << 32 | 0x840f3, 0);
	assert_true(lapic_accept(&l, 0x41, false));
	assert_true(lapic_accept(&l, 0x83, true));
	lapic_take(&l, 0x83);
	base = lapic_base_read(&l);
	lapic_save(&l, 100 + 300 * LAPIC_BUS_NS, regs);
	assert_int_equal(at(regs, 0x20), x2 ? 6 : 6u << 24);
	assert_int_equal(at(regs, 0x390), 700);
	assert_int_equal(at(regs, 0x220), 2);
	lapic_reset(&other, 6, l.bsp);
	lapic_load(&other, base, regs, 0, 5000);
	assert_int_equal(other.timer_deadline, 5000 + 700 * LAPIC_BUS_NS);
	assert_int_equal(lapic_pending(&other), lapic_pending(&l));
	lapic_save(&other, 5000, again);
	assert_memory_equal(regs, again, sizeof(regs));
	assert_int_equal(lapic_divisor(&other), 1);
	/* one that began before there was a domain here */
	lapic_load(&other, base, regs, 0, 5);
	lapic_save(&other, 5 + 100 * LAPIC_BUS_NS, again);
	assert_int_equal(at(again, 0x390), 600);
	lapic_load(&other, base, regs, 0, 5000);
	/* it fires when it would have */
	(void)lapic_timer_expire(&other, 5000 + 700 * LAPIC_BUS_NS);
	assert_int_equal(other.timer_deadline, 5000 + 1700 * LAPIC_BUS_NS);
}

static void saved_and_loaded(void **state)
{
	static uint8_t regs[LAPIC_REGISTERS];

	(void)state;
	saved(false);
	saved(true);
	/* anything at all: no bit that it cannot have, no id but its own */
	memset(regs, 0xff, sizeof(regs));
	lapic_reset(&l, 4, false);
	lapic_load(&l, ~0ull, regs, ~0ull, 7);
	assert_int_equal(l.id, 4);
	assert_int_equal(l.mode, LAPIC_X2APIC);
	assert_int_equal(l.ldr, 1u << 4);
	assert_int_equal(l.irr[0], 0xffff0000u);
	assert_int_equal(l.svr, 0x1ff);
	assert_int_equal(l.lvt[LVT_TIMER] & 0x1000, 0);
	(void)lapic_timer_expire(&l, UINT64_MAX);
	lapic_load(&l, 0xfee00000, regs, 0, 7);
	assert_int_equal(l.mode, LAPIC_DISABLED);
	assert_int_equal(lapic_pending(&l), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(base_transitions), cmocka_unit_test(priorities),    cmocka_unit_test(level_eoi),
		cmocka_unit_test(ipis),		    cmocka_unit_test(destinations),  cmocka_unit_test(timer),
		cmocka_unit_test(x2apic_faults),    cmocka_unit_test(disabled_takes_nothing), cmocka_unit_test(saved_and_loaded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
