/* FPU state (fpu.h). Which instruction is used was decided by cpu_detect. */
#include "arch/x86/fpu.h"
#include "arch/x86/cpu.h"
#include "arch/x86/cpu_hw.h"
#include "arch/x86/fpu_hw.h"
#include "mem/mem.h"

#define FPU_CR0_TS BIT(3)

/* Offsets in the legacy region and the header (SDM 1, 13.4). */
enum { FPU_FCW = 0, FPU_MXCSR = 24, FPU_XSTATE_BV = 512, FPU_XCOMP_BV = 520 };
enum { FPU_FCW_INIT = 0x37f, FPU_MXCSR_INIT = 0x1f80 };
#define FPU_COMPACT BIT(63)
#define FPU_LEGACY  3ull

static struct fpu_state fpu_initial;
static bool fpu_initial_made;

void fpu_init_state(struct fpu_state *s)
{
	memset(s->area, 0, cpu.xsave ? FPU_XCOMP_BV + 56 : FPU_XSTATE_BV);
	mem_put16(s->area + FPU_FCW, FPU_FCW_INIT);
	mem_put32(s->area + FPU_MXCSR, FPU_MXCSR_INIT);
	if (!cpu.xsave)
		return;
	/* x87 and SSE are given; what XSTATE_BV leaves out gets its initial state from the CPU. */
	mem_put64(s->area + FPU_XSTATE_BV, FPU_LEGACY);
	if (cpu.xsavec)
		mem_put64(s->area + FPU_XCOMP_BV, FPU_COMPACT | cpu.xcr0);
}

void fpu_save(struct fpu_state *s)
{
	if (cpu.xsavec)
		fpu_hw_xsavec(s->area, cpu.xcr0);
	else if (cpu.xsaveopt)
		fpu_hw_xsaveopt(s->area, cpu.xcr0);
	else if (cpu.xsave)
		fpu_hw_xsave(s->area, cpu.xcr0);
	else
		fpu_hw_fxsave(s->area);
}

void fpu_load(const struct fpu_state *s)
{
	static const uint32_t zero;

	if (cpu.vendor == CPU_AMD && cpu.family < 0x17)
		fpu_hw_clear_pointers(&zero);
	if (cpu.xsave)
		fpu_hw_xrstor(s->area, cpu.xcr0);
	else
		fpu_hw_fxrstor(s->area);
}

void fpu_clear(void)
{
	if (!fpu_initial_made) {
		fpu_init_state(&fpu_initial);
		fpu_initial_made = true;
	}
	fpu_load(&fpu_initial);
}

void fpu_forbid(bool forbid)
{
	if (forbid)
		cpu_write_cr0(cpu_read_cr0() | FPU_CR0_TS);
	else
		fpu_hw_clts();
}
