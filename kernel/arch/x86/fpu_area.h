/* An XSAVE area that somebody else has written. Pure. */
#ifndef ARCH_X86_FPU_AREA_H
#define ARCH_X86_FPU_AREA_H

#include <stdbool.h>
#include <stdint.h>

#define FPU_MXCSR_MASK_LEAST 0xffbfu /* where FXSAVE says 0 (SDM 1, 11.6.6) */

/*
 * Makes `area` (FPU_STATE_MAX bytes) one that FXRSTOR, or XRSTOR while XCR0 is xcr0, takes without a fault:
 * standard form, no component and no bit of MXCSR that the CPU does not have.
 */
void fpu_area_legal(uint8_t *area, bool xsave, uint64_t xcr0, uint32_t mxcsr_mask);

#endif
