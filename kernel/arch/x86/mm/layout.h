/*
 * The kernel's half of every address space. Addresses only; made by kernel_tables.c and window.c.
 *
 *   PML4 slot   what
 *   256..383    the window: physical RAM at WINDOW_BASE + physical, present where kernel objects are (window.h)
 *   508         the tables themselves: the kernel's PML4 stands in this slot, so that every entry of the kernel's
 *               half is at a fixed address (tables_hw.h)
 *   510         per-CPU areas (LAYOUT_CPU_STRIDE each), then devices (kmap.h)
 *   511         the image at KERNEL_BASE + 1 MiB
 *
 * All slots are filled at boot and never change: each new PML4 takes a copy.
 */
#ifndef ARCH_X86_MM_LAYOUT_H
#define ARCH_X86_MM_LAYOUT_H

#include "arch/x86/mm/window.h"

#define LAYOUT_KERNEL_SLOT 256u /* the first PML4 slot of the kernel's half */
#define LAYOUT_TABLES_SLOT 508u
#define LAYOUT_TABLES_BASE 0xfffffe0000000000ull

#define LAYOUT_IMAGE_BASE (KERNEL_BASE + 0x100000)

/* One CPU's area: the structure, stacks with an unmapped page before each, the 4 KiB slot; then the 2 MiB slot. */
#define LAYOUT_CPU_BASE    0xffffff0000000000ull
#define LAYOUT_CPU_STRIDE  0x400000ull
#define LAYOUT_CPU_PERCPU  0x0ull      /* struct percpu */
#define LAYOUT_CPU_STACK   0x40000ull  /* lowest mapped byte; the page before is not mapped */
#define LAYOUT_CPU_STACK_BYTES 0x4000ull
#define LAYOUT_CPU_IST     0x60000ull  /* + n * LAYOUT_CPU_IST_STRIDE: one page for each of the LAYOUT_CPU_IST_COUNT */
#define LAYOUT_CPU_IST_STRIDE 0x2000ull
#define LAYOUT_CPU_IST_COUNT  4u
#define LAYOUT_CPU_SLOT    0x100000ull
#define LAYOUT_CPU_SLOT_2M 0x200000ull

#define LAYOUT_DEVICE_BASE 0xffffff4000000000ull
#define LAYOUT_DEVICE_TOP  0xffffff8000000000ull

static inline uint64_t layout_cpu(uint32_t index)
{
	return LAYOUT_CPU_BASE + index * LAYOUT_CPU_STRIDE;
}

#endif
