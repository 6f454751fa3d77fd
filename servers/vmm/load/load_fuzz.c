/* The loader on arbitrary files: either it refuses with a line, or the entry is inside the domain's memory. Bit 0 of the first byte: a ramdisk too. */
// links: servers/vmm/fake/vmm_fake.c servers/vmm/apic/lapic.c servers/vmm/console.c servers/vmm/cpuid.c servers/vmm/exit.c
// links: servers/vmm/guest.c servers/vmm/io.c servers/vmm/lock.c servers/vmm/memory.c servers/vmm/mmio.c servers/vmm/msr.c
// links: servers/vmm/timer.c servers/vmm/vcpu.c servers/vmm/load/cpu_record.c servers/vmm/walk.c servers/vmm/fetch.c
// links: servers/vmm/xen/console_io.c servers/vmm/xen/dispatch.c servers/vmm/xen/event_op.c servers/vmm/xen/evtchn.c servers/vmm/xen/evtchn_remote.c servers/vmm/xen/physmap_call.c user/message.c
// links: servers/vmm/xen/grant.c servers/vmm/xen/hvm.c servers/vmm/xen/memory_op.c servers/vmm/xen/sched_op.c
// links: servers/vmm/xen/shared_info.c servers/vmm/xen/vcpu_op.c servers/vmm/xen/version.c
// links: lib/insn/insn.c lib/insn/insn_exec.c lib/pvclock/pvclock.c lib/ring/ring.c
// links: servers/vmm/load/load.c servers/vmm/load/acpi_tables.c lib/acpi/acpi_build.c
// links: lib/bzimage/bzimage.c lib/bzimage/bzimage_lz4.c lib/bzimage/bzimage_xz.c lib/elf/elf.c
// cflags: -std=gnu11 -iquote servers/vmm/fake/include -D__XEN_TOOLS__
// libs: -llzma
#include "servers/vmm/fake/vmm_fake.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct load_result loaded = {0};
	char why[160] = "";

	if (!size)
		return 0;
	fake.start.extent[0] = (struct vmm_extent){.gpa = 0, .count = 12, .order = 21};
	fake.start.extent_count = 1;
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
	return 0;
}
