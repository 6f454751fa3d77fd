/*
 * This CPU's control registers and system-call MSRs: the state that every CPU of the machine has while it
 * runs our kernel. Called at boot and, later, at resume. It depends only on `cpu`.
 */
#include "arch/x86/cpu.h"
#include "arch/x86/cpu_hw.h"
#include "arch/x86/descriptors.h"
#include "arch/x86/fpu.h"
#include "arch/x86/image.h"
#include "arch/x86/mce.h"
#include "arch/x86/msr.h"
#include "arch/x86/selectors.h"
#include "cmdline/cmdline.h"
#include "entry/entry.h"
#include "entry/patch.h"
#include "entry/split.h"
#include "panic.h"
#include "percpu.h"

#define CPU_CR0_PE BIT(0)
#define CPU_CR0_MP BIT(1)
#define CPU_CR0_ET BIT(4)
#define CPU_CR0_NE BIT(5)
#define CPU_CR0_WP BIT(16)
#define CPU_CR0_PG BIT(31)

#define CPU_CR4_PAE	   BIT(5)
#define CPU_CR4_MCE	   BIT(6)
#define CPU_CR4_PGE	   BIT(7)
#define CPU_CR4_OSFXSR	   BIT(9)
#define CPU_CR4_OSXMMEXCPT BIT(10)
#define CPU_CR4_UMIP	   BIT(11)
#define CPU_CR4_FSGSBASE   BIT(16)
#define CPU_CR4_PCIDE	   BIT(17)
#define CPU_CR4_OSXSAVE	   BIT(18)
#define CPU_CR4_SMEP	   BIT(20)
#define CPU_CR4_SMAP	   BIT(21)

/*
 * PAT: WB WT UC- UC WC, so that the attribute numbers of X86PageMap are PAT entries; 5 to 7 are never used
 * and get the harmless UC.
 */
#define CPU_PAT 0x0000000100070406ull

/* Flags that SYSCALL clears: everything but the reserved bit. */
#define CPU_SFMASK 0x257fd5u

struct percpu percpu_early;

static void cpu_init_control(const struct percpu *p)
{
	uint64_t cr4 = CPU_CR4_PAE | CPU_CR4_OSFXSR | CPU_CR4_OSXMMEXCPT;

	if (cpu.pge)
		cr4 |= CPU_CR4_PGE;
	if (cpu.umip)
		cr4 |= CPU_CR4_UMIP;
	if (cpu.fsgsbase)
		cr4 |= CPU_CR4_FSGSBASE;
	if (cpu.xsave)
		cr4 |= CPU_CR4_OSXSAVE;
	if (cpu.smep)
		cr4 |= CPU_CR4_SMEP;
	if (cpu.smap)
		cr4 |= CPU_CR4_SMAP;
	if (cpu.mce && p != &percpu_early)
		cr4 |= CPU_CR4_MCE;
	if (cpu.pcid && p != &percpu_early)
		cr4 |= CPU_CR4_PCIDE; /* CR3 names identifier 0 */
	cpu_write_cr0(CPU_CR0_PG | CPU_CR0_WP | CPU_CR0_NE | CPU_CR0_ET | CPU_CR0_MP | CPU_CR0_PE);
	cpu_write_cr4(cr4);
	if (cpu.xsave)
		cpu_xsetbv(cpu.xcr0);
	cpu_wrmsr(MSR_PAT, CPU_PAT);
}

static void cpu_init_syscall(void)
{
	/* The lower half of STAR is the 32-bit entry point, which 64-bit mode does not use. */
	cpu_wrmsr(MSR_STAR, ((uint64_t)SELECTOR_SYSRET_BASE << 48) | ((uint64_t)SELECTOR_KERNEL_CODE << 32));
	cpu_wrmsr(MSR_LSTAR, (uint64_t)(uintptr_t)entry_syscall);
	cpu_wrmsr(MSR_CSTAR, 0);
	cpu_wrmsr(MSR_SFMASK, CPU_SFMASK);
	cpu_wrmsr(MSR_EFER, cpu_rdmsr(MSR_EFER) | MSR_EFER_SCE | MSR_EFER_NXE);
}

void cpu_init(struct percpu *p)
{
	uint32_t r[4];

	cpu_cpuid(1, 0, r);
	p->entry.self = p;
	p->apic_id = r[1] >> 24; /* apic_init_cpu reads all of it */
	p->arch.pending_vector = -1;
	p->arch.xcr0 = cpu.xcr0;
	p->arch.root = 0; /* none: the first thread's is loaded */
	p->entry.stack_top = (uint64_t)(uintptr_t)(p->entry.stack + ARRAY_SIZE(p->entry.stack));
	/* First what makes a fault in the rest a panic. */
	descriptors_init(p);
	cpu_wrmsr(MSR_GS_BASE, (uint64_t)(uintptr_t)p);
	cpu_wrmsr(MSR_KERNEL_GS_BASE, 0);
	mce_init_cpu(p);
	cpu_init_control(p);
	cpu_init_syscall();
}

void cpu_early(uint64_t load_base)
{
	patch_init(load_base - (uint64_t)(uintptr_t)kernel_image_start);
	cpu_detect();
	cpu_init(&percpu_early);
}

void cpu_choose(const char *cmdline)
{
	static const uint8_t clac[] = {0x0f, 0x01, 0xca};

	cpu.split = cmdline_bool(cmdline, "xpti", split_needed(&cpu));
	if (split_needed(&cpu) && !cpu.split)
		kprintf("This CPU lets programs read the kernel's memory (Meltdown), and xpti= has switched the protection off.\n");
	/* Without global pages a change of the kernel's half would have to be undone under every identifier. */
	cpu.pcid = cpu.pcid && cpu.pge;
	if (cpu.smap)
		INVARIANT(patch_apply(PATCH_ENTRY_CLAC, clac, sizeof(clac)));
	fpu_init();
}
