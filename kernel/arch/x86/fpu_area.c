#include "arch/x86/fpu_area.h"
#include "mem/mem.h"

/* The legacy region and the header (SDM 1, 13.4). */
enum { FPU_AREA_MXCSR = 24, FPU_AREA_XSTATE_BV = 512, FPU_AREA_XCOMP_BV = 520, FPU_AREA_HEADER_END = 576 };

void fpu_area_legal(uint8_t *area, bool xsave, uint64_t xcr0, uint32_t mxcsr_mask)
{
	mem_put32(area + FPU_AREA_MXCSR, mem_get32(area + FPU_AREA_MXCSR) & mxcsr_mask);
	if (!xsave)
		return;
	mem_put64(area + FPU_AREA_XSTATE_BV, mem_get64(area + FPU_AREA_XSTATE_BV) & xcr0);
	memset(area + FPU_AREA_XCOMP_BV, 0, FPU_AREA_HEADER_END - FPU_AREA_XCOMP_BV);
}
