/* Starting the other CPUs. See boot_cpus.h. */
#include "boot/boot_cpus.h"
#include "arch/x86/apic.h"
#include "arch/x86/arch.h"
#include "arch/x86/cpu.h"
#include "arch/x86/mm/kernel_tables.h"
#include "arch/x86/mm/layout.h"
#include "arch/x86/mm/user_tables.h"
#include "arch/x86/smp/smp_start.h"
#include "arch/x86/virt/virt.h"
#include "boot/boot_task.h"
#include "cmdline/cmdline.h"
#include "entry/entry.h"
#include "entry/lock.h"
#include "object/tcb.h"
#include "panic.h"
#include "sched/sched.h"

#define BOOT_CPUS_TSC_US                                                                                     \
	1u /* counters that differ by no more, as far as can be known, are taken as equal                    \
	    */

/* What the CPU being started found out about itself; the boot CPU tells. */
static const char *volatile boot_cpus_objection;

/* ---- the area ---- */

static void boot_cpus_run(uint64_t va, uint64_t bytes, boot_cpus_page_fn page)
{
	for (uint64_t at = 0; at < bytes; at += PAGE_SIZE)
		kernel_tables_map(va + at, page());
}

void boot_cpus_area(uint32_t index, boot_cpus_page_fn page)
{
	uint64_t area = layout_cpu(index);

	_Static_assert(sizeof(struct percpu) <= LAYOUT_CPU_STACK - 2 * PAGE_SIZE, "the area has room for it");
	boot_cpus_run(area + LAYOUT_CPU_PERCPU, ALIGN_UP(sizeof(struct percpu), PAGE_BITS), page);
	boot_cpus_run(area + LAYOUT_CPU_STACK, LAYOUT_CPU_STACK_BYTES, page);
	for (unsigned i = 0; i < LAYOUT_CPU_IST_COUNT; i++)
		boot_cpus_run(area + LAYOUT_CPU_IST + i * LAYOUT_CPU_IST_STRIDE, PAGE_SIZE, page);
	kernel_tables_prepare(area + LAYOUT_CPU_SLOT);
	kernel_tables_prepare_big(area + LAYOUT_CPU_SLOT_2M);
}

void boot_cpus_prepare(struct percpu *p, struct boot_memory *m)
{
	p->arch.host_save = boot_task_pages(m, PAGE_SIZE, "the kernel");
	p->arch.host_state = boot_task_pages(m, PAGE_SIZE, "the kernel");
	p->idle = window_kv(boot_task_pages(m, PAGE_SIZE, "the kernel"));
}

void boot_cpus_scheduler(struct percpu *p)
{
	tcb_init(p->idle);
	sched_init_cpu(p, p->idle);
}

/* ---- on the CPU that starts ---- */

NORETURN static void boot_cpus_refuse(struct percpu *p, const char *why)
{
	boot_cpus_objection = why;
	__atomic_store_n(&p->arch.started, true, __ATOMIC_RELEASE);
	arch_halt();
}

NORETURN static void boot_cpus_begin(struct percpu *p)
{
	cpu_init(p);
	if (!cpu_is_alike())
		boot_cpus_refuse(p, "it lacks features of the first CPU");
	apic_init_cpu(p);
	if (virt && !virt_init_cpu(p))
		boot_cpus_refuse(p, "it cannot run virtual machines");
	boot_cpus_scheduler(p);
	__atomic_store_n(&p->arch.started, true, __ATOMIC_RELEASE);
	smp_tsc_answer();
	/* Nothing is there to run until somebody says so; and until then the boot CPU has the lock. */
	arch_idle();
	lock_enter();
	entry_first_exit();
}

static void boot_cpus_target(struct percpu *p)
{
	boot_cpus_begin(p);
}

/* ---- on the boot CPU ---- */

static uint64_t boot_cpus_size(int64_t v)
{
	return v < 0 ? (uint64_t)-v : (uint64_t)v;
}

/*
 * All kernel time is TSC time, so the counters have to be one. One that differs by more than the
 * measurement's error is set; one that cannot be set is of no use.
 */
static bool boot_cpus_clock(uint32_t index)
{
	uint64_t error, allowed = time_us_to_ticks(BOOT_CPUS_TSC_US);
	int64_t ahead = smp_tsc_compare(&error), then;

	if (boot_cpus_size(ahead) <= error + allowed)
		return true;
	smp_tsc_set(ahead);
	then = smp_tsc_compare(&error);
	kprintf("CPU %u: its time-stamp counter was %lu ticks %s: %s\n", index, boot_cpus_size(ahead),
		ahead < 0 ? "behind" : "ahead",
		boot_cpus_size(then) <= error + allowed ? "set to the first CPU's"
							: "it cannot be set, the CPU is left out");
	return boot_cpus_size(then) <= error + allowed;
}

static bool boot_cpus_one(uint32_t index, uint32_t apic_id)
{
	struct percpu *p = smp_percpu(index);
	bool good;

	p->cpu = index;
	p->apic_id = apic_id;
	p->kernel_stack = layout_cpu(index) + LAYOUT_CPU_STACK + LAYOUT_CPU_STACK_BYTES;
	p->arch.started = false;
	boot_cpus_objection = NULL;
	if (!smp_start_cpu(p, boot_cpus_target)) {
		kprintf("CPU with APIC id %u does not start: left out\n", apic_id);
		smp_start_stop(p);
		return false;
	}
	if (boot_cpus_objection || p->apic_id != apic_id) {
		kprintf("CPU with APIC id %u is left out: %s\n", apic_id,
			boot_cpus_objection ? boot_cpus_objection : "it says that it has another id");
		p->apic_id = apic_id;
		smp_start_stop(p);
		return false;
	}
	good = boot_cpus_clock(index);
	if (good)
		smp_cpu_count = index + 1; /* before it goes on: calls reach it from here on */
	else
		smp_start_stop(p);
	smp_tsc_end();
	return good;
}

static void boot_cpus_tell(const struct smp_plan *plan)
{
	if (plan->threads)
		kprintf("CPUs: %u left out, being second threads of their cores (smt=off)\n", plan->threads);
	if (plan->beyond)
		kprintf("CPUs: %u left out, being more than wanted (maxcpus=)\n", plan->beyond);
	if (plan->unreachable)
		kprintf("CPUs: %u left out, whose APIC ids need x2APIC\n", plan->unreachable);
}

void boot_cpus_start(const struct smp_plan *plan, const struct boot_info *info, struct boot_memory *m,
		     boot_cpus_page_fn page)
{
	bool count = cmdline_bool(info->cmdline, "lock-count", false);
	uint32_t mapped = 1;
	paddr_t low;

	boot_cpus_tell(plan);
	if (plan->count == 1) {
		if (count)
			lock_share(true);
		return;
	}
	if (!boot_memory_trampoline(info, &low)) {
		kprintf("CPUs: no free page below 1 MiB to start the others from: one CPU runs\n");
		return;
	}
	lock_share(count);
	smp_start_begin(low);
	smp_start_init(plan->apic_id + 1, plan->count - 1);
	for (uint32_t i = 1; i < plan->count; i++) {
		uint32_t index = smp_cpu_count;

		/* An area whose CPU did not come up serves the next one. */
		if (index == mapped) {
			boot_cpus_area(index, page);
			user_tables_add_cpu(index);
			boot_cpus_prepare(smp_percpu(index), m);
			mapped++;
		}
		boot_cpus_one(index, plan->apic_id[i]);
	}
	smp_start_end();
	kprintf("CPUs: %u of %u run\n", smp_cpu_count, plan->count);
}
