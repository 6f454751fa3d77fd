/*
 * Start-up on the boot CPU, from the loader's information to the first thread (boot.h). Decides the order; each step is in a
 * file of its own. Nothing of it runs again.
 */
#include "boot/boot.h"
#include "arch/x86/apic.h"
#include "arch/x86/arch.h"
#include "arch/x86/console.h"
#include "arch/x86/cpu.h"
#include "arch/x86/descriptors.h"
#include "arch/x86/image.h"
#include "arch/x86/mm/kernel_tables.h"
#include "arch/x86/mm/layout.h"
#include "arch/x86/mm/user_tables.h"
#include "arch/x86/mm/window.h"
#include "arch/x86/mm/window_boot.h"
#include "arch/x86/time.h"
#include "arch/x86/virt/virt.h"
#include "boot/boot_chunks.h"
#include "boot/boot_cpus.h"
#include "boot/boot_firmware.h"
#include "boot/boot_memory.h"
#include "boot/boot_modules.h"
#include "boot/boot_task.h"
#include "entry/entry.h"
#include "entry/patch.h"
#include "entry/split.h"
#include "mem/mem.h"
#include "multiboot/multiboot.h"
#include "object/irq.h"
#include "panic.h"
#include "percpu.h"

#define BOOT_MAIN_STRINGS 16384

static struct boot_info boot_main_info;
static char boot_main_strings[BOOT_MAIN_STRINGS];
static struct boot_memory boot_main_memory;
static struct boot_modules boot_main_modules;
static struct boot_image boot_main_image;
static struct insula_bi_machine boot_main_machine;
static uint8_t boot_main_rsdp[36];
static struct smp_plan boot_main_plan_cpus;

/* ---- the loader's information ---- */

static bool boot_main_read(void *ctx, uint64_t p, void *dst, size_t n)
{
	(void)ctx;
	if (p >= BOOT_MEMORY_4G || n > BOOT_MEMORY_4G - p)
		return false;
	memcpy(dst, (const void *)(uintptr_t)p, n);
	return true;
}

static const struct mem_reader boot_main_reader = {boot_main_read, NULL};

static void boot_main_loader(uint32_t magic, uint32_t info)
{
	enum multiboot_error e = multiboot_decode(magic, info, &boot_main_reader, boot_main_strings,
	                                          sizeof(boot_main_strings), &boot_main_info);

	kprintf("Insula %s\n", kernel_version);
	console_init(e == MULTIBOOT_OK ? boot_main_info.cmdline : "", &boot_main_info.fb);
	if (e != MULTIBOOT_OK)
		boot_stop("%s", multiboot_error_line(e));
	if (boot_main_info.cmdline_cut)
		kprintf("The command line is too long and was cut.\n");
}

/* ---- memory ---- */

static paddr_t boot_main_page_at(uint64_t max)
{
	paddr_t p;

	if (!boot_memory_alloc(&boot_main_memory, PAGE_SIZE, PAGE_SIZE, max, &p))
		boot_stop("too little memory for the kernel's tables");
	return p;
}

static paddr_t boot_main_page_low(void)
{
	paddr_t p = boot_main_page_at(BOOT_MEMORY_4G);

	memset((void *)(uintptr_t)p.v, 0, PAGE_SIZE);
	return p;
}

static paddr_t boot_main_page(void)
{
	return boot_main_page_at(BOOT_MEMORY_ANYWHERE);
}

static void boot_main_plan(uint64_t load_base)
{
	struct boot_memory *m = &boot_main_memory;

	if (!boot_memory_init(m, &boot_main_info))
		boot_stop("the memory map has too many separate regions");
	kprintf("Memory: %lu MiB of RAM in %u regions%s; Insula lies at 0x%lx\n", boot_memory_total(m) >> 20,
	        m->ram.count, boot_main_info.map_guessed ? " (guessed: the boot loader gave no map)" : "", load_base);
	boot_modules_reserve(m, &boot_main_info, load_base);
}

/* What user code's tables have of the kernel; from here on the entry paths may change CR3. */
static void boot_main_user_tables(uint32_t index)
{
	const uint64_t idt = (uint64_t)(uintptr_t)descriptors_idt;

	user_tables_init(boot_main_page_low);
	user_tables_map((uint64_t)(uintptr_t)kernel_entry_start, (uint64_t)(uintptr_t)kernel_entry_end, false);
	user_tables_map(idt, idt + sizeof(descriptors_idt), false);
	user_tables_add_cpu(index);
	split_patch(kernel_tables_root.v);
}

/* The kernel's own tables, with this CPU's area; then the window's. */
static void boot_main_tables(uint64_t load_base, uint32_t index)
{
	uint64_t bytes;
	paddr_t tables;

	kernel_tables_build(load_base, boot_main_page_low);
	boot_cpus_area(index, boot_main_page_low);
	kernel_tables_load(boot_main_page);
	window_boot_init(cpu.nx, !cpu.split);
	boot_main_user_tables(index);

	bytes = window_boot_pages(&boot_main_memory.ram) * PAGE_SIZE;
	if (!boot_memory_alloc(&boot_main_memory, bytes, PAGE_SIZE, BOOT_MEMORY_ANYWHERE, &tables))
		boot_stop("too little memory: no %lu KiB in one piece for the kernel's tables", bytes / 1024);
	INVARIANT(window_boot_tables(&boot_main_memory.ram, tables).v == tables.v + bytes);
}

/* ---- this CPU ---- */

static void boot_main_cpu(uint32_t index)
{
	uint64_t area = layout_cpu(index);
	struct percpu *p = (struct percpu *)(uintptr_t)(area + LAYOUT_CPU_PERCPU);

	p->cpu = index;
	cpu_init(p);
	boot_cpus_prepare(p, &boot_main_memory);
	kprintf("CPU: %s (family %u, model %u, stepping %u)\n", cpu.name, cpu.family, cpu.model, cpu.stepping);
}

/* ---- devices ---- */

/* A page of registers that the kernel keeps for itself. */
static void boot_main_hide(uint64_t p)
{
	if (!boot_memory_hide(&boot_main_memory, p, p + PAGE_SIZE))
		boot_stop("the memory map is too fragmented");
}

/* The kernel's own slots: the head of all capabilities' list, then those of the interrupts. */
static void boot_main_slots(void)
{
	struct cte *slots = window_kv(boot_task_pages(&boot_main_memory, PAGE_SIZE, "the kernel"));

	_Static_assert((1 + IRQ_VECTOR_COUNT) * sizeof(struct cte) <= PAGE_SIZE, "they fit into one page");
	cte_begin(slots, 1 + IRQ_VECTOR_COUNT);
	irq_init(slots + 1);
}

static void boot_main_devices(void)
{
	const uint64_t bytes = ALIGN_UP(sizeof(struct boot_firmware), PAGE_BITS);
	paddr_t scratch = boot_task_pages(&boot_main_memory, bytes, "the firmware's tables");
	struct boot_firmware *f = window_kv(scratch);

	boot_firmware_read(f, &boot_main_info, &boot_main_reader);
	memcpy(boot_main_rsdp, f->rsdp, sizeof(boot_main_rsdp));
	boot_main_slots();
	apic_init(&f->madt);
	kprintf("Interrupts: %s, %u IOAPIC%s (", cpu.x2apic ? "x2APIC" : "local APIC", irq_ioapic_count(),
	        irq_ioapic_count() == 1 ? "" : "s");
	for (unsigned i = 0; i < irq_ioapic_count(); i++)
		kprintf("%s%u", i ? ", " : "", irq_ioapic_pins(i));
	kprintf(" pins), %u CPU%s listed\n", f->madt.cpu_count, f->madt.cpu_count == 1 ? "" : "s");
	time_init(f->has_hpet ? &f->hpet : NULL, f->has_fadt ? &f->fadt : NULL);
	smp_plan_make(&boot_main_plan_cpus, &f->madt, apic_boot_id, smp_plan_thread_bits(),
	              smp_plan_options(boot_main_info.cmdline), apic_reaches);
	if (!boot_memory_devices(&boot_main_memory, cpu.paddr_bits))
		boot_stop("the memory map is too fragmented");
	boot_main_hide(f->madt.lapic_paddr);
	for (uint32_t i = 0; i < f->madt.ioapic_count; i++)
		boot_main_hide(f->madt.ioapics[i].paddr);

	window_unmap(scratch, bytes);
	if (!boot_memory_release(&boot_main_memory, scratch.v, scratch.v + bytes))
		boot_stop("the memory map is too fragmented");
}

static void boot_main_virt(void)
{
	if (!virt_init() || !virt_init_cpu(percpu_self()))
		virt = NULL;
	if (!virt)
		kprintf("Virtualization: none; no virtual machine can be started\n");
	else
		kprintf("Virtualization: %s\n", virt->name);
}

/* ---- the first thread ---- */

static void boot_main_describe(void)
{
	struct insula_bi_machine *m = &boot_main_machine;
	size_t n = strlen(kernel_version);

	m->tsc_hz = time_tsc_hz;
	m->virt = virt ? cpu.virt : (uint32_t)INSULA_VIRT_NONE;
	m->virt_features = virt ? virt_features : 0;
	m->ioapic_count = irq_ioapic_count();
	m->cpu_count = smp_cpu_count;
	memcpy(m->version, kernel_version, n < sizeof(m->version) ? n : sizeof(m->version) - 1);
	memcpy(m->cpu_name, cpu.name, sizeof(m->cpu_name));
	cpu_feature_words(m->features, sizeof(m->features));
	kprintf("Features: %s\n", m->features);
}

static void boot_main_first_thread(uint64_t load_base)
{
	struct boot_modules *mods = &boot_main_modules;
	struct boot_task task = {
		.memory = &boot_main_memory,
		.info = &boot_main_info,
		.image = &boot_main_image,
		.rsdp = boot_main_rsdp,
		.modules = mods->list,
		.machine = &boot_main_machine,
	};
	const char *wrong;

	boot_modules_find(mods, &boot_main_memory, &boot_main_info, load_base);
	task.module_count = mods->count;
	task.release_start = mods->release_start;
	task.release_end = mods->release_end;
	task.extra_bytes = boot_chunks_bound(&boot_main_info, mods->own ? BOOT_MODULES_ARCHIVE_STRING : NULL,
	                                     boot_task_untypeds(&boot_main_memory));
	wrong = boot_image_open(&boot_main_image, mods->root, mods->root_bytes, mods->own, task.extra_bytes);
	if (wrong)
		boot_stop("the root task (%s) cannot be started: %s",
		          mods->own ? "file root of the archive" : "the first boot module", wrong);
	boot_task_make(&task);
	kprintf("Memory: %lu KiB are kept by the kernel\n", boot_main_machine.memory_kernel >> 10);
}

NORETURN void boot_main(uint32_t magic, uint32_t info, uint64_t load_base)
{
	const uint32_t boot_cpu = 0;

	boot_main_loader(magic, info);
	cpu_choose(boot_main_info.cmdline);
	boot_main_plan(load_base);
	boot_main_tables(load_base, boot_cpu);
	console_map();
	boot_main_cpu(boot_cpu);
	boot_main_devices();
	boot_main_virt();
	boot_cpus_scheduler(percpu_self());
	boot_cpus_start(&boot_main_plan_cpus, &boot_main_info, &boot_main_memory, boot_main_page_low);
	boot_main_describe();
	boot_main_first_thread(load_base);
	patch_done();
	kernel_tables_drop_low();
	entry_first_exit();
}
