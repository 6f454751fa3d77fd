/*
 * x87, SSE and AVX state: saved and loaded eagerly, in the best format that the CPU has (XSAVEC, XSAVEOPT,
 * XSAVE, FXSAVE). The components are cpu.xcr0; XCR0 must have that value. SDM 1, chapter 13.
 *
 * Called by switch.c for threads and by virt/ around guest mode (a guest's state has the same size and
 * format).
 */
#ifndef ARCH_X86_FPU_H
#define ARCH_X86_FPU_H

#include "arch/x86/context.h"

/* Boot, after cpu_detect, while patch sites can be filled: chooses the instructions. */
void fpu_init(void);
/* The state of a CPU after reset of its FPU: x87 and SSE with all exceptions masked. s is zero, as new
 * objects are. */
void fpu_init_state(struct fpu_state *s);
/* Into s from the registers, and the other way. s must have been initialised once. CR0.TS must be clear. */
void fpu_save(struct fpu_state *s);
void fpu_load(const struct fpu_state *s);
/* Somebody else has written s, in standard form: fpu_load can load it afterwards, whatever it was. */
void fpu_check(struct fpu_state *s);
/* The registers get the initial state: nothing of a thread or guest is left in them. */
void fpu_clear(void);
/* Any use of the FPU faults (#NM), or not. fpu_save, fpu_load and fpu_clear need it off. */
void fpu_forbid(bool forbid);

#endif
