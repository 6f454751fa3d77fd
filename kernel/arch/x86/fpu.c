/* FPU state (fpu.h). Which instructions are used is decided once, by fpu_init. */
#include "arch/x86/fpu.h"
#include "arch/x86/cpu.h"
#include "arch/x86/cpu_hw.h"
#include "arch/x86/fpu_area.h"
#include "arch/x86/fpu_hw.h"
#include "mem/mem.h"
#include "panic.h"

#define FPU_CR0_TS BIT(3)

/* Offsets in the legacy region and the header (SDM 1, 13.4). */
enum { FPU_FCW = 0, FPU_MXCSR = 24, FPU_MXCSR_MASK = 28, FPU_XSTATE_BV = 512, FPU_XCOMP_BV = 520 };
enum { FPU_FCW_INIT = 0x37f, FPU_MXCSR_INIT = 0x1f80 };
#define FPU_COMPACT BIT(63)
#define FPU_LEGACY  3ull

static struct fpu_state fpu_initial;
static const uint32_t fpu_zero;
static uint32_t fpu_mxcsr_mask;

/* With the components in EDX:EAX for the instruction at (%rdi). */
static void fpu_patch(unsigned site, const uint8_t instruction[4])
{
	uint8_t code[11] = {0xb8, 0, 0, 0, 0, 0x31, 0xd2}; /* mov $, %eax; xor %edx, %edx */

	mem_put32(code + 1, (uint32_t)cpu.xcr0);
	memcpy(code + 7, instruction, 4);
	INVARIANT(patch_apply(site, code, sizeof(code)));
}

void fpu_init(void)
{
	static const uint8_t xsavec[] = {0x48, 0x0f, 0xc7, 0x27}, xsaveopt[] = {0x48, 0x0f, 0xae, 0x37};
	static const uint8_t xsave[] = {0x48, 0x0f, 0xae, 0x27}, xrstor[] = {0x48, 0x0f, 0xae, 0x2f};
	static const uint8_t fxsave[] = {0x48, 0x0f, 0xae, 0x07}, fxrstor[] = {0x48, 0x0f, 0xae, 0x0f};
	/*
	 * AMD's CPUs before Zen leave FIP, FDP and FOP alone in FXSAVE and XRSTOR when no exception is
	 * pending: loads a value so that another's addresses do not stay (AMD APM 2, 11.4.4.4): fnclex; ffree
	 * %st(7); fildl fpu_zero.
	 */
	uint8_t quirk[] = {0xdb, 0xe2, 0xdd, 0xc7, 0xdb, 0x04, 0x25, 0, 0, 0, 0};

	INVARIANT(cpu.xcr0 >> 32 == 0);
	if (cpu.xsave) {
		fpu_patch(PATCH_FPU_SAVE, cpu.xsavec ? xsavec : cpu.xsaveopt ? xsaveopt : xsave);
		fpu_patch(PATCH_FPU_LOAD, xrstor);
	} else {
		INVARIANT(patch_apply(PATCH_FPU_SAVE, fxsave, sizeof(fxsave)));
		INVARIANT(patch_apply(PATCH_FPU_LOAD, fxrstor, sizeof(fxrstor)));
	}
	if (cpu.vendor == CPU_AMD && cpu.family < 0x17) {
		mem_put32(quirk + 7, (uint32_t)(uintptr_t)&fpu_zero);
		INVARIANT(patch_apply(PATCH_FPU_QUIRK, quirk, sizeof(quirk)));
	}
	/* XSAVEC may leave it out, FXSAVE does not */
	fpu_hw_fxsave(fpu_initial.area);
	fpu_mxcsr_mask = mem_get32(fpu_initial.area + FPU_MXCSR_MASK);
	if (!fpu_mxcsr_mask)
		fpu_mxcsr_mask = FPU_MXCSR_MASK_LEAST;
	memset(&fpu_initial, 0, sizeof(fpu_initial));
	fpu_init_state(&fpu_initial);
}

void fpu_init_state(struct fpu_state *s)
{
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
	fpu_hw_save(s->area);
}

void fpu_load(const struct fpu_state *s)
{
	fpu_hw_load(s->area);
}

void fpu_check(struct fpu_state *s)
{
	fpu_area_legal(s->area, cpu.xsave, cpu.xcr0, fpu_mxcsr_mask);
}

void fpu_clear(void)
{
	fpu_hw_load(fpu_initial.area);
}

void fpu_forbid(bool forbid)
{
	if (forbid)
		cpu_write_cr0(cpu_read_cr0() | FPU_CR0_TS);
	else
		fpu_hw_clts();
}
