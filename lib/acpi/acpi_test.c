/* Tables written by acpi_build and by hand, read back, then damaged. */
// links: lib/acpi/acpi_root.c lib/acpi/acpi_madt.c lib/acpi/acpi_fadt.c lib/acpi/acpi_sleep.c
// links: lib/acpi/acpi_build.c
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "acpi/acpi.h"
#include "acpi/acpi_build.h"

enum { BASE = 0xe0000, SIZE = 0x20000 };

static uint8_t memory[SIZE];

static bool read_memory(void *ctx, uint64_t paddr, void *dst, size_t n)
{
	(void)ctx;
	if (paddr == 0x40e && n == 2) {
		memset(dst, 0, 2);
		return true;
	}
	if (paddr < BASE || paddr - BASE > SIZE || n > SIZE - (paddr - BASE))
		return false;
	memcpy(dst, memory + (paddr - BASE), n);
	return true;
}

static const struct mem_reader reader = {read_memory, NULL};

/* Makes the byte sum of a table right again. */
static void repair(uint8_t *t, size_t n)
{
	uint8_t s = 0;

	t[9] = 0;
	for (size_t i = 0; i < n; i++)
		s = (uint8_t)(s + t[i]);
	t[9] = (uint8_t)(0 - s);
}

/* \_S5_ = Package(4){5, 5, 0, 0}, after some other bytes */
static const uint8_t aml[] = {0x5b, 0x80, '_',	'S',  '5',  '_',  0x08, '_',  'S',  '5',
			      '_',  0x12, 0x08, 0x04, 0x0a, 0x05, 0x0a, 0x06, 0x00, 0x00,
			      0x08, '\\', '_',	'S',  '4',  '_',  0x12, 0x05, 0x01, 0x01};

struct made {
	uint64_t dsdt, fadt, madt, rsdp;
};

static struct made make(void)
{
	struct acpi_build b;
	struct made m;
	struct acpi_build_fadt_config config = {.hardware_reduced = true,
						.no_vga = true,
						.no_cmos_rtc = true,
						.sleep_control_space = 1,
						.sleep_control = 0x600,
						.sleep_status = 0x601};
	uint64_t list[3];

	memset(memory, 0, sizeof(memory));
	acpi_build_init(&b, memory, sizeof(memory), BASE);
	m.dsdt = acpi_build_dsdt(&b, aml, sizeof(aml));
	m.fadt = list[0] = acpi_build_fadt(&b, m.dsdt, &config);
	acpi_build_madt_begin(&b, 0xfee00000, false);
	for (uint32_t i = 0; i < 300; i++)
		acpi_build_madt_cpu(&b, i, 2 * i, i < 3, i < 299);
	acpi_build_madt_ioapic(&b, 1, 0xfec00000, 0);
	acpi_build_madt_override(&b, 9, 20, 0xd);
	acpi_build_madt_override(&b, 5, 5, 0xf);
	acpi_build_madt_override(&b, 0, 2, 0);
	acpi_build_madt_lint_nmi(&b, 0xff, 0, 1);
	m.madt = list[1] = acpi_build_madt_end(&b);
	list[2] = acpi_build_table(&b, "TEST", 1, NULL, 0);
	m.rsdp = acpi_build_rsdp(&b, acpi_build_xsdt(&b, list, 3));
	assert_false(acpi_build_failed(&b));
	return m;
}

static struct acpi_tables tables;

static void test_round_trip(void **state)
{
	struct made m = make();
	uint8_t rsdp[36], buf[8192];
	uint32_t size;
	size_t n;
	struct acpi_root root;
	struct acpi_entry dsdt;
	static struct acpi_madt madt;
	struct acpi_fadt fadt;
	struct acpi_sleep sleep;

	(void)state;
	assert_int_equal(acpi_rsdp_find(&reader, rsdp, &size, &root), ACPI_OK);
	assert_int_equal(size, 36);
	assert_memory_equal(rsdp, memory + (m.rsdp - BASE), 36);
	assert_int_equal(acpi_tables_open(&reader, &root, &tables), ACPI_OK);
	assert_int_equal(tables.count, 3);
	assert_int_equal(tables.skipped, 0);
	assert_null(acpi_table_find(&tables, "APIC", 1));
	assert_non_null(acpi_table_find(&tables, "TEST", 0));

	const struct acpi_entry *e = acpi_table_find(&tables, "APIC", 0);
	assert_int_equal(e->paddr, m.madt);
	assert_int_equal(acpi_table_copy(&reader, e, buf, 100, &n), ACPI_NO_SPACE);
	assert_int_equal(acpi_table_copy(&reader, e, buf, sizeof(buf), &n), ACPI_OK);
	assert_int_equal(acpi_madt_parse(buf, n, &madt), ACPI_OK);
	assert_int_equal(madt.lapic_paddr, 0xfee00000);
	assert_int_equal(madt.cpu_count, 256);
	assert_int_equal(madt.dropped, 299 - 256);
	assert_int_equal(madt.cpus[200].apic_id, 400);
	assert_int_equal(madt.cpus[200].uid, 200);
	assert_true(madt.cpus[2].enabled && !madt.cpus[3].enabled && madt.cpus[3].online_capable);
	assert_int_equal(madt.ioapic_count, 1);
	assert_int_equal(madt.ioapics[0].paddr, 0xfec00000);
	assert_int_equal(madt.override_count, 3);
	assert_true(madt.overrides[0].gsi == 20 && madt.overrides[0].trigger == ACPI_LEVEL &&
		    madt.overrides[0].polarity == ACPI_ACTIVE_HIGH);
	assert_true(madt.overrides[1].polarity == ACPI_ACTIVE_LOW);
	assert_true(madt.overrides[2].trigger == ACPI_EDGE && madt.overrides[2].polarity == ACPI_ACTIVE_HIGH);
	assert_true(madt.nmi_count == 1 && madt.nmis[0].is_lint && madt.nmis[0].all_cpus &&
		    madt.nmis[0].lint == 1);

	e = acpi_table_find(&tables, "FACP", 0);
	assert_int_equal(acpi_table_copy(&reader, e, buf, sizeof(buf), &n), ACPI_OK);
	assert_int_equal(acpi_fadt_parse(buf, n, &fadt), ACPI_OK);
	assert_int_equal(fadt.dsdt, m.dsdt);
	assert_true(fadt.hardware_reduced && fadt.no_vga && fadt.no_cmos_rtc && !fadt.no_msi &&
		    !fadt.has_8042);
	assert_int_equal(fadt.sleep_control.address, 0x600);
	assert_int_equal(fadt.sleep_control.space, ACPI_SPACE_IO);
	assert_int_equal(fadt.pm_timer.address, 0);

	assert_int_equal(acpi_table_check(&reader, fadt.dsdt, "DSDT", &dsdt), ACPI_OK);
	assert_int_equal(acpi_sleep_find(&reader, &dsdt, 5, &sleep), ACPI_OK);
	assert_true(sleep.type_a == 5 && sleep.type_b == 6);
	assert_int_equal(acpi_sleep_find(&reader, &dsdt, 4, &sleep), ACPI_OK);
	assert_true(sleep.type_a == 1 && sleep.type_b == 0);
	assert_int_equal(acpi_sleep_find(&reader, &dsdt, 3, &sleep), ACPI_NOT_FOUND);
	assert_int_equal(acpi_sleep_find(&reader, &dsdt, 9, &sleep), ACPI_NOT_FOUND);
}

static void test_sleep_anywhere(void **state)
{
	struct acpi_sleep sleep;

	(void)state;
	for (uint32_t before = 0; before < 600; before++) {
		memset(memory, 0x08, 2048);
		memcpy(memory + ACPI_HEADER + before, aml + 6, 14);
		struct acpi_entry e = {.length = ACPI_HEADER + before + 14, .paddr = BASE};
		assert_int_equal(acpi_sleep_find(&reader, &e, 5, &sleep), ACPI_OK);
		assert_int_equal(sleep.type_b, 6);
		/* cut off within the package's two values */
		e.length -= 5;
		assert_true(acpi_sleep_find(&reader, &e, 5, &sleep) != ACPI_OK || sleep.type_b == 0);
	}
}

static void test_damage(void **state)
{
	struct made m = make();
	struct acpi_root root;
	uint8_t buf[8192];
	size_t n;

	(void)state;
	assert_int_equal(acpi_rsdp_check(memory + (m.rsdp - BASE), 36, &root), ACPI_OK);
	assert_int_equal(acpi_tables_open(&reader, &root, &tables), ACPI_OK);
	struct acpi_entry madt = *acpi_table_find(&tables, "APIC", 0);
	uint8_t *t = memory + (m.madt - BASE);

	t[60]++;
	assert_int_equal(acpi_table_copy(&reader, &madt, buf, sizeof(buf), &n), ACPI_BAD_CHECKSUM);
	assert_int_equal(acpi_tables_open(&reader, &root, &tables), ACPI_OK);
	assert_int_equal(tables.skipped, 1);
	assert_null(acpi_table_find(&tables, "APIC", 0));
	t[60]--;
	mem_put32(t + 4, madt.length + 8);
	assert_int_equal(acpi_table_copy(&reader, &madt, buf, sizeof(buf), &n), ACPI_BAD_LENGTH);
	mem_put32(t + 4, 0xffffffff);
	assert_int_equal(acpi_tables_open(&reader, &root, &tables), ACPI_OK);
	assert_int_equal(tables.skipped, 1);
	struct acpi_entry e;
	assert_int_equal(acpi_table_check(&reader, m.madt, "APIC", &e), ACPI_BAD_LENGTH);
	assert_int_equal(acpi_table_check(&reader, m.fadt, "APIC", &e), ACPI_BAD_SIGNATURE);
	assert_int_equal(acpi_table_check(&reader, UINT64_MAX - 2, "APIC", &e), ACPI_UNREADABLE);

	/* the list itself */
	uint8_t *x = memory + (root.xsdt - BASE);
	x[40]++;
	assert_int_equal(acpi_tables_open(&reader, &root, &tables), ACPI_BAD_CHECKSUM);
	x[40]--;
	/* a bad XSDT, and an RSDT */
	memcpy(memory + 0x10000, x, 36 + 8);
	memcpy(memory + 0x10000, "RSDT", 4);
	mem_put32(memory + 0x10004, 40);
	repair(memory + 0x10000, 40);
	root.rsdt = BASE + 0x10000;
	x[40]++;
	assert_int_equal(acpi_tables_open(&reader, &root, &tables), ACPI_OK);
	assert_int_equal(tables.count, 1);
	root.xsdt = 0;
	root.rsdt = 0;
	assert_int_equal(acpi_tables_open(&reader, &root, &tables), ACPI_NO_RSDP);
}

static void test_rsdp(void **state)
{
	uint8_t r[36] = {'R', 'S', 'D', ' ', 'P', 'T', 'R', ' '};
	struct acpi_root root;

	(void)state;
	mem_put32(r + 16, 0x1234);
	uint8_t s = 0;
	for (int i = 0; i < 20; i++)
		s = (uint8_t)(s + r[i]);
	r[8] = (uint8_t)(0 - s);
	assert_int_equal(acpi_rsdp_check(r, 20, &root), ACPI_OK);
	assert_true(root.rsdt == 0x1234 && root.xsdt == 0 && root.revision == 0);
	assert_int_equal(acpi_rsdp_check(r, 19, &root), ACPI_BAD_RSDP);
	/* revision 2 whose second checksum is wrong: the first part counts */
	r[15] = 2;
	r[8] = (uint8_t)(r[8] - 2);
	mem_put32(r + 20, 36);
	mem_put64(r + 24, 0x5678);
	assert_int_equal(acpi_rsdp_check(r, 36, &root), ACPI_OK);
	assert_true(root.rsdt == 0x1234 && root.xsdt == 0);
	s = 0;
	for (int i = 0; i < 36; i++)
		s = (uint8_t)(s + r[i]);
	r[32] = (uint8_t)(0 - s);
	assert_int_equal(acpi_rsdp_check(r, 36, &root), ACPI_OK);
	assert_int_equal(root.xsdt, 0x5678);
	mem_put32(r + 20, 4);
	assert_int_equal(acpi_rsdp_check(r, 36, &root), ACPI_OK);
	assert_int_equal(root.xsdt, 0);
	r[0] = 'X';
	assert_int_equal(acpi_rsdp_check(r, 36, &root), ACPI_BAD_RSDP);

	uint32_t size;
	memset(memory, 0, sizeof(memory));
	assert_int_equal(acpi_rsdp_find(&reader, r, &size, &root), ACPI_NO_RSDP);
}

static void test_madt_entries(void **state)
{
	static struct acpi_madt out;
	uint8_t t[128] = {0};

	(void)state;
	assert_int_equal(acpi_madt_parse(t, 43, &out), ACPI_BAD_LENGTH);
	assert_int_equal(acpi_madt_parse(t, 44, &out), ACPI_OK);
	assert_int_equal(acpi_madt_parse(t, 45, &out), ACPI_BAD_ENTRY);
	t[45] = 0; /* length 0 would never end */
	assert_int_equal(acpi_madt_parse(t, 52, &out), ACPI_BAD_ENTRY);
	t[45] = 7; /* shorter than its type */
	assert_int_equal(acpi_madt_parse(t, 51, &out), ACPI_BAD_ENTRY);
	t[45] = 9; /* longer than the table */
	assert_int_equal(acpi_madt_parse(t, 52, &out), ACPI_BAD_ENTRY);
	/* unknown type, then a 64-bit LAPIC address, and the same CPU in both forms */
	t[44] = 0x80;
	t[45] = 2;
	t[46] = 5;
	t[47] = 12;
	mem_put64(t + 50, 0x1fee00000);
	t[58] = 0;
	t[59] = 8;
	t[61] = 4;
	t[62] = 1;
	t[66] = 9;
	t[67] = 16;
	t[70] = 4;
	t[74] = 1;
	assert_int_equal(acpi_madt_parse(t, 82, &out), ACPI_OK);
	assert_int_equal(out.lapic_paddr, 0x1fee00000);
	assert_int_equal(out.cpu_count, 1);
}

static void test_fadt(void **state)
{
	struct acpi_fadt f;
	uint8_t t[276] = {0};

	(void)state;
	assert_int_equal(acpi_fadt_parse(t, 115, &f), ACPI_BAD_LENGTH);
	t[8] = 1;
	mem_put32(t + 40, 0x7ffe0000);
	mem_put32(t + 56, 0x600);
	t[88] = 4;
	mem_put32(t + 64, 0x604);
	t[89] = 2;
	mem_put32(t + 76, 0x608);
	t[91] = 4;
	mem_put32(t + 112, 1u << 8 | 1u << 10);
	assert_int_equal(acpi_fadt_parse(t, 116, &f), ACPI_OK);
	assert_true(f.dsdt == 0x7ffe0000 && f.has_8042 && f.pm_timer_32bit && !f.reset_supported);
	assert_true(f.pm1a_control.address == 0x604 && f.pm1a_control.bits == 16 &&
		    f.pm1a_control.space == ACPI_SPACE_IO);
	assert_true(f.pm1b_control.address == 0 && f.pm_timer.address == 0x608 && f.pm_timer.bits == 32);

	t[8] = 6;
	mem_put16(t + 109, 1 << 3);
	t[116] = 1;
	t[117] = 8;
	mem_put64(t + 120, 0xcf9);
	t[128] = 6;
	mem_put64(t + 140, 0x17ffe0000);
	t[172] = 0;
	t[173] = 16;
	mem_put64(t + 176, 0xfed40000);
	assert_int_equal(acpi_fadt_parse(t, sizeof(t), &f), ACPI_OK);
	assert_true(f.dsdt == 0x17ffe0000 && f.no_msi && !f.has_8042);
	assert_true(f.reset_supported && f.reset.address == 0xcf9 && f.reset_value == 6);
	assert_true(f.pm1a_control.space == ACPI_SPACE_MEMORY && f.pm1a_control.address == 0xfed40000);
}

static void test_hpet_mcfg(void **state)
{
	struct acpi_hpet h;
	static struct acpi_mcfg m;
	uint8_t t[44 + 16 * 20] = {0};

	(void)state;
	assert_int_equal(acpi_hpet_parse(t, 55, &h), ACPI_BAD_LENGTH);
	assert_int_equal(acpi_hpet_parse(t, 56, &h), ACPI_BAD_ENTRY);
	mem_put64(t + 44, 0xfed00000);
	assert_int_equal(acpi_hpet_parse(t, 56, &h), ACPI_OK);
	assert_int_equal(h.paddr, 0xfed00000);
	t[40] = 1;
	assert_int_equal(acpi_hpet_parse(t, 56, &h), ACPI_BAD_ENTRY);

	mem_put64(t + 44, 0xb0000000);
	t[55] = 255;
	assert_int_equal(acpi_mcfg_parse(t, 43, &m), ACPI_BAD_LENGTH);
	assert_int_equal(acpi_mcfg_parse(t, 44 + 16 + 3, &m), ACPI_OK);
	assert_true(m.count == 1 && m.segments[0].paddr == 0xb0000000 && m.segments[0].bus_end == 255);
	assert_int_equal(acpi_mcfg_parse(t, sizeof(t), &m), ACPI_OK);
	assert_true(m.count == 16 && m.dropped == 4);
	t[54] = 1;
	t[55] = 0;
	assert_int_equal(acpi_mcfg_parse(t, sizeof(t), &m), ACPI_BAD_ENTRY);
}

static void test_build_full(void **state)
{
	(void)state;
	/* whatever the space, never a byte beyond it */
	for (size_t size = 0; size < 700; size++) {
		uint8_t buf[701];
		struct acpi_build b;
		struct acpi_build_fadt_config c = {0};
		uint64_t list[2];

		memset(buf, 0xee, sizeof(buf));
		acpi_build_init(&b, buf, size, 0x1000);
		list[0] = acpi_build_fadt(&b, acpi_build_dsdt(&b, aml, sizeof(aml)), &c);
		acpi_build_madt_begin(&b, 0x1fee00000, true);
		acpi_build_madt_cpu(&b, 1, 1, true, true);
		acpi_build_madt_ioapic(&b, 1, 2, 3);
		acpi_build_madt_override(&b, 1, 2, 3);
		acpi_build_madt_lint_nmi(&b, 1, 2, 3);
		list[1] = acpi_build_madt_end(&b);
		uint64_t rsdp = acpi_build_rsdp(&b, acpi_build_xsdt(&b, list, 2));
		assert_int_equal(acpi_build_failed(&b), rsdp == 0);
		assert_int_equal(buf[size], 0xee);
		assert_true(size < 699 || rsdp != 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_round_trip),	 cmocka_unit_test(test_sleep_anywhere),
	    cmocka_unit_test(test_damage),	 cmocka_unit_test(test_rsdp),
	    cmocka_unit_test(test_madt_entries), cmocka_unit_test(test_fadt),
	    cmocka_unit_test(test_hpet_mcfg),	 cmocka_unit_test(test_build_full),
	};
	for (int e = ACPI_OK; e <= ACPI_NO_SPACE; e++)
		if (strlen(acpi_error_line((enum acpi_error)e)) == 0)
			return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
