/* The loader on ELF files and bzImages that are right, damaged and lying; start information and ACPI tables read back. */
// links: servers/vmm/fake/vmm_fake.c servers/vmm/apic/lapic.c servers/vmm/console.c servers/vmm/cpuid.c lib/cpu_policy/cpu_policy.c lib/cpu_policy/cpu_policy_max.c servers/vmm/cr.c servers/vmm/exit.c
// links: servers/vmm/guest.c servers/vmm/io.c servers/vmm/lock.c servers/vmm/memory.c servers/vmm/mmio.c servers/vmm/msr.c
// links: servers/vmm/timer.c servers/vmm/context.c servers/vmm/vcpu.c servers/vmm/vcpu_start.c servers/vmm/load/cpu_record.c servers/vmm/walk.c servers/vmm/fetch.c
// links: servers/vmm/xen/console_io.c servers/vmm/xen/dispatch.c servers/vmm/xen/event_op.c servers/vmm/xen/evtchn.c servers/vmm/xen/evtchn_fifo.c servers/vmm/xen/evtchn_remote.c servers/vmm/xen/physmap_call.c user/message.c
// links: servers/vmm/xen/argument.c servers/vmm/xen/compat.c servers/vmm/xen/grant.c servers/vmm/xen/hvm.c servers/vmm/xen/foreign.c servers/vmm/xen/memory_op.c servers/vmm/xen/sched_op.c
// links: servers/vmm/xen/shared_info.c servers/vmm/xen/vcpu_op.c servers/vmm/xen/version.c
// links: lib/insn/insn.c lib/insn/insn_exec.c lib/pvclock/pvclock.c lib/ring/ring.c
// links: servers/vmm/load/acpi_tables.c lib/acpi/acpi_build.c lib/acpi/acpi_root.c lib/acpi/acpi_madt.c lib/acpi/acpi_fadt.c
// links: lib/bzimage/bzimage.c lib/bzimage/bzimage_lz4.c lib/bzimage/bzimage_xz.c lib/elf/elf.c
// cflags: -std=gnu11 -iquote servers/vmm/fake/include -D__XEN_TOOLS__ -Wl,--no-as-needed -llzma
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <errno.h>
#include "acpi/acpi.h"
#include "mem/mem.h"
#include "servers/vmm/fake/vmm_fake.h"
#include "servers/vmm/load/layout.h"
#include <xen/arch-x86/hvm/start_info.h>

#define MIB  (1ull << 20)
#define RAM  (40 * MIB)
#define LOAD 0x1000000ull

static char why[160];
static struct load_result loaded;

static void domain(uint64_t low_ram, uint64_t high_ram)
{
	memset(&fake.start, 0, sizeof(fake.start));
	fake.ram[0] = (struct vmm_ram){.gfn = 0, .pages = low_ram >> 12};
	fake.ram[1] = (struct vmm_ram){.gfn = 1u << 20, .pages = high_ram >> 12};
	fake.ram_count = high_ram ? 2 : 1;
	strcpy(fake.start.cmdline, "console=hvc0 quiet");
	fake_start_bare(2);
	why[0] = 0;
	memset(&loaded, 0, sizeof(loaded));
}

static int setup(void **state)
{
	(void)state;
	domain(RAM, 4 * MIB);
	fake_module(1, NULL, 0);
	return 0;
}

/* ---- files ---- */

static uint8_t file[0x2000];

struct segment {
	uint64_t paddr, filesz, memsz, offset;
};

static size_t elf(const struct segment *s, unsigned n, uint32_t entry)
{
	uint8_t *h = file + 64;

	memset(file, 0, sizeof(file));
	memcpy(file, "\177ELF\2\1\1", 7);
	mem_put16(file + 16, 2);
	mem_put16(file + 18, 62);
	mem_put32(file + 20, 1);
	mem_put64(file + 32, 64);
	mem_put16(file + 52, 64);
	mem_put16(file + 54, 56);
	mem_put16(file + 56, (uint16_t)(n + 1));
	for (unsigned i = 0; i < n; i++, h += 56) {
		mem_put32(h, 1);
		mem_put32(h + 4, 5);
		mem_put64(h + 8, s[i].offset);
		mem_put64(h + 16, s[i].paddr);
		mem_put64(h + 24, s[i].paddr);
		mem_put64(h + 32, s[i].filesz);
		mem_put64(h + 40, s[i].memsz);
		mem_put64(h + 48, 1);
	}
	mem_put32(h, 4);
	mem_put64(h + 8, 0x300);
	mem_put64(h + 32, 20);
	mem_put64(h + 40, 20);
	mem_put64(h + 48, 4);
	mem_put32(file + 0x300, 4);
	mem_put32(file + 0x304, 4);
	mem_put32(file + 0x308, 18);
	memcpy(file + 0x30c, "Xen", 4);
	mem_put32(file + 0x310, entry);
	for (unsigned i = 0x400; i < 0x1000; i++)
		file[i] = (uint8_t)(i * 7);
	return 0x1000;
}

static int load_with(const void *bytes, size_t size)
{
	fake_module(0, bytes, size);
	return load_guest(&loaded, why, sizeof(why));
}

static size_t good(void)
{
	const struct segment s[] = {{LOAD, 0x800, 0x3000, 0x400}};

	return elf(s, 1, LOAD + 0x20);
}

/* The file as the payload of a bzImage, in LZ4's legacy frame with literals only. */
static uint8_t image[0x4000];

static size_t bzimage_lz4(size_t n, uint32_t unpacked_size)
{
	uint8_t *p = image + 0xa00, *block;
	size_t more = n - 15;

	memset(image, 0, sizeof(image));
	mem_put16(image + 0x1fe, 0xaa55);
	memcpy(image + 0x202, "HdrS", 4);
	mem_put16(image + 0x206, 0x20f);
	mem_put32(p, 0x184c2102);
	block = p + 8;
	*block++ = 0xf0;
	for (; more >= 255; more -= 255)
		*block++ = 255;
	*block++ = (uint8_t)more;
	memcpy(block, file, n);
	block += n;
	mem_put32(p + 4, (uint32_t)(block - (p + 8)));
	mem_put32(block, unpacked_size);
	block += 4;
	mem_put32(image + 0x248, 0);
	mem_put32(image + 0x24c, (uint32_t)(block - p));
	return (size_t)(block - image);
}

/* ---- tests ---- */

static void a_good_kernel(void **state)
{
	const struct hvm_start_info *info;
	const struct hvm_memmap_table_entry *map;
	const struct hvm_modlist_entry *m;
	uint64_t ram = 0, end = 0;
	uint8_t disk[5000];

	(void)state;
	memset(disk, 0x5a, sizeof(disk));
	fake_module(1, disk, sizeof(disk));
	assert_int_equal(load_with(file, good()), 0);
	assert_int_equal(loaded.entry, LOAD + 0x20);
	assert_memory_equal(memory_at(gpa(LOAD), 0x800), file + 0x400, 0x800);
	assert_int_equal(*(uint8_t *)memory_at(gpa(LOAD + 0x800), 1), 0);
	info = memory_at(gpa(loaded.start_info), sizeof(*info));
	assert_int_equal(info->magic, XEN_HVM_START_MAGIC_VALUE);
	assert_int_equal(info->version, 1);
	assert_string_equal(memory_at(gpa(info->cmdline_paddr), 19), "console=hvc0 quiet");
	assert_int_equal(info->nr_modules, 1);
	m = memory_at(gpa(info->modlist_paddr), sizeof(*m));
	assert_int_equal(m->size, sizeof(disk));
	assert_memory_equal(memory_at(gpa(m->paddr), m->size), disk, sizeof(disk));
	map = memory_at(gpa(info->memmap_paddr), info->memmap_entries * sizeof(*map));
	for (uint32_t i = 0; i < info->memmap_entries; i++) {
		assert_true(map[i].addr >= end); /* ascending, apart */
		end = map[i].addr + map[i].size;
		ram += map[i].type == XEN_HVM_MEMMAP_TYPE_RAM ? map[i].size : 0;
		if (map[i].type != XEN_HVM_MEMMAP_TYPE_RAM)
			assert_false(memory_is_ram(gpa(map[i].addr)));
	}
	assert_int_equal(ram, RAM + 4 * MIB);
}

static bool guest_bytes(void *context, uint64_t at, void *to, size_t n)
{
	(void)context;
	return memory_read(gpa(at), to, n);
}

static void acpi_read_back(void **state)
{
	const struct mem_reader r = {guest_bytes, NULL};
	static struct acpi_tables tables;
	static struct acpi_madt madt;
	static struct acpi_fadt fadt;
	struct acpi_root root;
	struct acpi_entry dsdt;
	uint8_t rsdp[36], buffer[4096];
	size_t size;

	(void)state;
	for (uint32_t cpus = 1; cpus <= VMM_MAX_VCPUS; cpus += 31) {
		const struct hvm_start_info *info;

		fake_start_bare(cpus);
		assert_int_equal(load_with(file, good()), 0);
		info = memory_at(gpa(loaded.start_info), sizeof(*info));
		assert_true(memory_read(gpa(info->rsdp_paddr), rsdp, sizeof(rsdp)));
		assert_int_equal(acpi_rsdp_check(rsdp, sizeof(rsdp), &root), ACPI_OK);
		assert_int_equal(acpi_tables_open(&r, &root, &tables), ACPI_OK);
		assert_int_equal(tables.skipped, 0);
		assert_non_null(acpi_table_find(&tables, "APIC", 0));
		assert_int_equal(acpi_table_copy(&r, acpi_table_find(&tables, "APIC", 0), buffer, sizeof(buffer), &size), ACPI_OK);
		assert_int_equal(acpi_madt_parse(buffer, size, &madt), ACPI_OK);
		assert_int_equal(madt.cpu_count, cpus);
		assert_int_equal(madt.lapic_paddr, LAPIC_BASE);
		assert_int_equal(madt.ioapic_count, 0);
		for (uint32_t i = 0; i < cpus; i++) {
			assert_int_equal(madt.cpus[i].apic_id, i * 2);
			assert_int_equal(madt.cpus[i].uid, i);
			assert_true(madt.cpus[i].enabled);
		}
		assert_int_equal(acpi_table_copy(&r, acpi_table_find(&tables, "FACP", 0), buffer, sizeof(buffer), &size), ACPI_OK);
		assert_int_equal(acpi_fadt_parse(buffer, size, &fadt), ACPI_OK);
		assert_true(fadt.hardware_reduced && fadt.no_vga && fadt.no_cmos_rtc);
		assert_int_equal(acpi_table_check(&r, fadt.dsdt, "DSDT", &dsdt), ACPI_OK);
	}
}

static void bad_elf(void **state)
{
	static const struct {
		struct segment s;
		int error;
	} cases[] = {
		{{RAM - 0x1000, 0x800, 0x3000, 0x400}, -ENOMEM},     /* over the start information */
		{{RAM, 0x800, 0x800, 0x400}, -ENOMEM},
		{{1ull << 32, 0x800, 0x800, 0x400}, -ENOMEM},
		{{UINT64_MAX - 0x7ff, 0x800, 0x800, 0x400}, -ENOEXEC}, /* wraps */
		{{LOAD, 0x800, UINT64_MAX - LOAD, 0x400}, -ENOMEM},
		{{LOAD, 0x801, 0x800, 0x400}, -ENOEXEC},             /* more in the file than in memory */
		{{LOAD, 0x800, 0x800, 0x900}, -ENOEXEC},             /* behind the file's end */
		{{LOAD, 0x800, 0x800, UINT64_MAX - 16}, -ENOEXEC},
		{{LOAD, UINT64_MAX, UINT64_MAX, 0x400}, -ENOEXEC},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t n = elf(&cases[i].s, 1, (uint32_t)cases[i].s.paddr + 0x20);
		int r;

		(void)setup(NULL);
		r = load_with(file, n);
		assert_true(r == -ENOEXEC || r == -ENOMEM);
		if (cases[i].error == -ENOMEM)
			assert_int_equal(r, -ENOMEM);
		assert_int_equal(strncmp(why, "kernel: ", 8), 0);
	}
	/* an entry outside its segments */
	(void)setup(NULL);
	{
		const struct segment s = {LOAD, 0x800, 0x3000, 0x400};

		assert_int_equal(load_with(file, elf(&s, 1, LOAD + 0x3000)), -ENOEXEC);
		(void)setup(NULL);
		assert_int_equal(load_with(file, elf(&s, 1, 0)), -ENOEXEC);
	}
	/* segments over each other: the later wins, nothing breaks */
	(void)setup(NULL);
	{
		const struct segment s[] = {{LOAD, 0x800, 0x3000, 0x400}, {LOAD + 0x100, 0x10, 0x10, 0x500}};

		assert_int_equal(load_with(file, elf(s, 2, LOAD + 0x20)), 0);
	}
}

static void every_truncation(void **state)
{
	size_t n = good();

	(void)state;
	for (size_t cut = 0; cut < n; cut += cut < 0x320 ? 1 : 64) {
		int r;

		(void)setup(NULL);
		(void)good();
		r = load_with(file, cut);
		assert_true(r == -ENOEXEC || r == -ENOMEM || (r == 0 && cut >= 0xc00));
		if (r)
			assert_int_not_equal(why[0], 0);
	}
}

static void bzimages(void **state)
{
	size_t n = bzimage_lz4(good(), 0x1000);

	(void)state;
	assert_int_equal(load_with(image, n), 0);
	assert_int_equal(loaded.entry, LOAD + 0x20);
	assert_memory_equal(memory_at(gpa(LOAD), 0x800), file + 0x400, 0x800);
	/* what unpacking used is clear again */
	for (uint64_t g = LOAD + 0x3000; g < RAM - 64 * PAGE; g += 8)
		if (*(uint64_t *)memory_at(gpa(g), 8))
			fail_msg("%#llx is not clear", (unsigned long long)g);
	/* lies about the size: none, all there is, more */
	{
		static const uint32_t sizes[] = {0, (uint32_t)RAM, 0x7fffffff, 0xffffffffu};

		for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			int r;

			(void)setup(NULL);
			n = bzimage_lz4(good(), sizes[i]);
			r = load_with(image, n);
			assert_true(r == -ENOEXEC || r == -ENOMEM);
		}
	}
	/* cut anywhere */
	for (size_t cut = 0; cut < n; cut += 37) {
		int r;

		(void)setup(NULL);
		(void)bzimage_lz4(good(), 0x1000);
		r = load_with(image, cut);
		assert_true(r == -ENOEXEC || r == -ENOMEM);
	}
	/* a payload that says it is XZ */
	(void)setup(NULL);
	(void)bzimage_lz4(good(), 0x1000);
	memcpy(image + 0xa00, "\xfd" "7zXZ\0", 6);
	assert_int_equal(load_with(image, n), -ENOEXEC);
	(void)setup(NULL);
	memcpy(image + 0xa00, "\x1f\x8b\0\0\0\0", 6);
	assert_int_equal(load_with(image, n), -ENOEXEC);
	assert_non_null(strstr(why, "gzip"));
}

static void small_domains_and_big_ramdisks(void **state)
{
	size_t n = good();

	(void)state;
	domain(6 * MIB, 0);
	assert_int_equal(load_with(file, n), -ENOMEM);
	domain(8 * MIB, 0);
	assert_int_equal(load_with(file, n), -ENOMEM); /* it wants to be at 16 MiB */
	{
		static uint8_t disk[36 << 20];

		(void)setup(NULL);
		fake_module(1, disk, sizeof(disk));
		assert_int_equal(load_with(file, n), -ENOMEM); /* no room left for the kernel */
		(void)setup(NULL);
		fake_module(1, disk, (20 << 20) + 1);
		assert_int_equal(load_with(file, n), 0);
		(void)setup(NULL);
		fake.start.ramdisk_bytes = UINT64_MAX - 10;
		assert_int_equal(load_with(file, n), -ENOMEM);
		(void)setup(NULL);
		fake.start.ramdisk_bytes = RAM;
		assert_int_equal(load_with(file, n), -ENOMEM);
	}
	(void)setup(NULL);
	assert_int_equal(load_with("", 0), -ENOEXEC);
	(void)setup(NULL);
	assert_int_equal(load_with("\177ELF", 4), -ENOEXEC);
	/* nothing left for the tables */
	(void)setup(NULL);
	fake.object_limit = 0;
	assert_int_equal(load_with(file, n), -ENOMEM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_good_kernel, setup),
		cmocka_unit_test_setup(acpi_read_back, setup),
		cmocka_unit_test_setup(bad_elf, setup),
		cmocka_unit_test_setup(every_truncation, setup),
		cmocka_unit_test_setup(bzimages, setup),
		cmocka_unit_test_setup(small_domains_and_big_ramdisks, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
