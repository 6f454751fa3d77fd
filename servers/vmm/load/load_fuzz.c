/*
 * The loader on arbitrary files: either it refuses with a line, or the entry is inside the domain's memory
 * and the start information is what a guest relies on: everything that it names lies in memory, the map is in
 * order and has all RAM, the RSDP's sums are right. Bit 0 of the first byte: a ramdisk too.
 */
// links: servers/vmm/fake/vmm_fake.c servers/vmm/apic/lapic.c servers/vmm/console.c servers/vmm/cpuid.c lib/cpu_policy/cpu_policy.c lib/cpu_policy/cpu_policy_max.c servers/vmm/cr.c servers/vmm/exit.c
// links: servers/vmm/guest.c servers/vmm/io.c servers/vmm/lock.c servers/vmm/memory.c servers/vmm/mmio.c servers/vmm/msr.c
// links: servers/vmm/timer.c servers/vmm/context.c servers/vmm/vcpu.c servers/vmm/vcpu_start.c servers/vmm/load/cpu_record.c servers/vmm/walk.c servers/vmm/fetch.c
// links: servers/vmm/xen/console_io.c servers/vmm/xen/dispatch.c servers/vmm/xen/event_op.c servers/vmm/xen/evtchn.c servers/vmm/xen/evtchn_fifo.c servers/vmm/xen/evtchn_remote.c servers/vmm/xen/physmap_call.c user/message.c
// links: servers/vmm/xen/argument.c servers/vmm/xen/compat.c servers/vmm/xen/grant.c servers/vmm/xen/hvm.c servers/vmm/xen/foreign.c servers/vmm/xen/memory_op.c servers/vmm/xen/sched_op.c
// links: servers/vmm/xen/shared_info.c servers/vmm/xen/vcpu_op.c servers/vmm/xen/version.c
// links: lib/insn/insn.c lib/insn/insn_exec.c lib/pvclock/pvclock.c lib/ring/ring.c
// links: servers/vmm/load/load.c servers/vmm/load/acpi_tables.c lib/acpi/acpi_build.c
// links: lib/bzimage/bzimage.c lib/bzimage/bzimage_lz4.c lib/bzimage/bzimage_xz.c lib/elf/elf.c
// cflags: -std=gnu11 -iquote servers/vmm/fake/include -D__XEN_TOOLS__
// libs: -llzma
#include <string.h>
#include "servers/vmm/fake/vmm_fake.h"
#include <xen/arch-x86/hvm/start_info.h>

#define REQUIRE(cond)                                                                                        \
	do {                                                                                                 \
		if (!(cond))                                                                                 \
			__builtin_trap();                                                                    \
	} while (0)

static const void *there(uint64_t at, size_t n)
{
	const void *p = memory_at(gpa(at), n);

	REQUIRE(p && (n == 0 || memory_is_ram(gpa(at))));
	return p;
}

static void check_map(const struct hvm_start_info *info)
{
	const struct hvm_memmap_table_entry *map =
	    there(info->memmap_paddr, info->memmap_entries * sizeof(*map));
	uint64_t end = 0, ram = 0, given = 0;

	for (uint32_t i = 0; i < info->memmap_entries; i++) {
		REQUIRE(map[i].size && map[i].addr >= end && map[i].addr + map[i].size > map[i].addr);
		end = map[i].addr + map[i].size;
		if (map[i].type == XEN_HVM_MEMMAP_TYPE_RAM)
			ram += map[i].size;
	}
	for (uint32_t i = 0; i < fake.ram_count; i++)
		given += fake.ram[i].pages << 12;
	REQUIRE(ram == given);
}

static void check_start_info(uint64_t at, const uint8_t *ramdisk, size_t size)
{
	const struct hvm_start_info *info = there(at, sizeof(*info));
	const char *cmdline = there(info->cmdline_paddr, sizeof(fake.start.cmdline));
	const uint8_t *rsdp = memory_at(gpa(info->rsdp_paddr), 36);
	uint8_t sum = 0;

	REQUIRE(info->magic == XEN_HVM_START_MAGIC_VALUE && info->version == 1);
	REQUIRE(memchr(cmdline, 0, sizeof(fake.start.cmdline)));
	REQUIRE(info->nr_modules == (size ? 1 : 0));
	if (size) {
		const struct hvm_modlist_entry *m = there(info->modlist_paddr, sizeof(*m));

		REQUIRE(m->size == size && memcmp(there(m->paddr, size), ramdisk, size) == 0);
	}
	check_map(info);
	REQUIRE(rsdp && memcmp(rsdp, "RSD PTR ", 8) == 0);
	for (unsigned i = 0; i < 36; i++)
		sum = (uint8_t)(sum + rsdp[i]);
	REQUIRE(sum == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct load_result loaded = {0};
	char why[160] = "";

	if (!size)
		return 0;
	fake.ram[0] = (struct vmm_ram){.gfn = 0, .pages = 24ull << 8};
	fake.ram_count = 1;
	fake_start_bare(1);
	fake_module(0, data + 1, size - 1);
	fake_module(1, data, data[0] & 1 ? size : 0);
	if (load_guest(&loaded, why, sizeof(why))) {
		if (!why[0])
			__builtin_trap();
		return 0;
	}
	if (!memory_is_ram(gpa(loaded.entry)) || !memory_is_ram(gpa(loaded.start_info)))
		__builtin_trap();
	check_start_info(loaded.start_info, data, data[0] & 1 ? size : 0);
	return 0;
}
