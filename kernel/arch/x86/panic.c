/*
 * The end: panic, exceptions in the kernel, boot_stop. Prints on every console and halts. It reads no memory
 * that might not be there: another fault would only bring us here again.
 */
#include "panic.h"
#include "arch/x86/arch.h"
#include "arch/x86/console.h"
#include "arch/x86/cpu.h"
#include "arch/x86/cpu_hw.h"
#include "arch/x86/image.h"
#include "arch/x86/kprintf.h"
#include "arch/x86/mce.h"
#include "arch/x86/mm/layout.h"
#include "arch/x86/msr.h"
#include "arch/x86/panic_frame.h"
#include "entry/lock.h"
#include "percpu.h"

enum { PANIC_FRAMES = 24 };

static bool panic_under_way;

/* Both words of a frame at rbp lie in the kernel's image data or in this CPU's stack. */
static bool panic_readable(uint64_t rbp)
{
	uint64_t stack = layout_cpu(percpu_self()->cpu) + LAYOUT_CPU_STACK;

	if (!ALIGNED(rbp, 3))
		return false;
	if (rbp >= (uint64_t)(uintptr_t)kernel_data_start && rbp <= (uint64_t)(uintptr_t)kernel_bss_end - 16)
		return true;
	return percpu_self() != &percpu_early && rbp >= stack && rbp <= stack + LAYOUT_CPU_STACK_BYTES - 16;
}

static bool panic_is_text(uint64_t address)
{
	return address >= (uint64_t)(uintptr_t)kernel_text_start &&
	       address < (uint64_t)(uintptr_t)kernel_text_end;
}

/* Return addresses along the frame pointers from rbp, at most max. Reads only the
 * kernel's stacks. */
static unsigned panic_backtrace(uint64_t rbp, uint64_t *addresses, unsigned max)
{
	unsigned n = 0;

	while (n < max && panic_readable(rbp)) {
		const uint64_t *frame = (const uint64_t *)(uintptr_t)rbp;
		if (!panic_is_text(frame[1]))
			break;
		addresses[n++] = frame[1];
		if (frame[0] <= rbp)
			break;
		rbp = frame[0];
	}
	return n;
}

static void panic_print_backtrace(uint64_t rip, uint64_t rbp)
{
	uint64_t addresses[PANIC_FRAMES];
	unsigned n = panic_backtrace(rbp, addresses, PANIC_FRAMES);

	kprintf("backtrace: %lx", rip);
	for (unsigned i = 0; i < n; i++)
		kprintf(" %lx", addresses[i]);
	kprintf("\n");
}

static void panic_print_machine(void)
{
	struct percpu *p = percpu_self();

	kprintf("cr0 %016lx cr2 %016lx cr3 %016lx cr4 %016lx\n", cpu_read_cr0(), cpu_read_cr2(),
		cpu_read_cr3(), cpu_read_cr4());
	kprintf("cpu %u percpu %p current %p idle %p pending vector %d\n", p->cpu, (void *)p,
		(void *)p->current, (void *)p->idle, p->arch.pending_vector);
	kprintf("Insula %s on %s\n", kernel_version, cpu.name);
}

/* A fault between SWAPGS and user mode leaves the user's base in GS. */
static void panic_fix_gs(void)
{
	if ((int64_t)cpu_rdmsr(MSR_GS_BASE) < 0)
		return;
	if ((int64_t)cpu_rdmsr(MSR_KERNEL_GS_BASE) < 0)
		cpu_wrmsr(MSR_GS_BASE, cpu_rdmsr(MSR_KERNEL_GS_BASE));
	else
		cpu_wrmsr(MSR_GS_BASE, (uint64_t)(uintptr_t)&percpu_early);
}

static void panic_begin(void)
{
	panic_fix_gs();
	if (panic_under_way)
		arch_halt();
	panic_under_way = true;
	lock_seize();
	console_force();
}

void panic(const char *format, ...)
{
	va_list args;

	panic_begin();
	kprintf("\nInsula: panic: ");
	va_start(args, format);
	kprintf_list(format, args);
	va_end(args);
	kprintf("\n");
	panic_print_machine();
	panic_print_backtrace((uint64_t)(uintptr_t)__builtin_return_address(0),
			      *(const uint64_t *)__builtin_frame_address(0));
	arch_halt();
}

void panic_exception(const struct panic_frame *f)
{
	static const char *const names[] = {
	    "divide error",
	    "debug",
	    "NMI",
	    "breakpoint",
	    "overflow",
	    "bound range",
	    "invalid opcode",
	    "no FPU",
	    "double fault",
	    "coprocessor segment",
	    "invalid TSS",
	    "segment not present",
	    "stack fault",
	    "general protection",
	    "page fault",
	    "vector 15",
	    "x87 error",
	    "alignment check",
	    "machine check",
	    "SIMD error",
	    "virtualization",
	    "control protection",
	};

	panic_begin();
	kprintf("\n");
	mce_report();
	kprintf("Insula: panic: %s (vector %lu, error code %lx) in %s\n",
		f->vector < ARRAY_SIZE(names) ? names[f->vector] : "exception", f->vector, f->error_code,
		f->cs & 3 ? "a thread" : "the kernel");
	kprintf("rip %016lx cs %04lx rflags %08lx rsp %016lx ss %04lx\n", f->rip, f->cs, f->rflags, f->rsp,
		f->ss);
	kprintf("rax %016lx rbx %016lx rcx %016lx rdx %016lx\n", f->rax, f->rbx, f->rcx, f->rdx);
	kprintf("rsi %016lx rdi %016lx rbp %016lx r8  %016lx\n", f->rsi, f->rdi, f->rbp, f->r8);
	kprintf("r9  %016lx r10 %016lx r11 %016lx r12 %016lx\n", f->r9, f->r10, f->r11, f->r12);
	kprintf("r13 %016lx r14 %016lx r15 %016lx\n", f->r13, f->r14, f->r15);
	panic_print_machine();
	panic_print_backtrace(f->rip, f->rbp);
	arch_halt();
}

void boot_stop(const char *format, ...)
{
	va_list args;

	console_force();
	kprintf("Insula cannot start: ");
	va_start(args, format);
	kprintf_list(format, args);
	va_end(args);
	kprintf("\n");
	arch_halt();
}
