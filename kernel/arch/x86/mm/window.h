/*
 * The kernel window: every physical page of RAM has an address base + physical, but only pages that
 * hold kernel objects are present there. Tables exist for all RAM from boot on, so nothing here can fail.
 *
 * window_map: when objects are made (retype). window_unmap: when an Untyped is reset (whole pages inside
 * the range only); returns after every CPU has forgotten the translation.
 * window_ref/unref: a user frame that the kernel must reach while something is set (IPC buffer, state page);
 * counted in the entry's ignored bits; unref takes it away again when the count is 0. Saturates: then it
 * stays until window_unmap.
 * window_slot_*: a per-CPU slot for the length of one operation on a frame that is not in the window.
 */
#ifndef ARCH_X86_MM_WINDOW_H
#define ARCH_X86_MM_WINDOW_H

#include "types.h"

#define WINDOW_BASE 0xffff800000000000ull
#define WINDOW_TOP  0xffffc00000000000ull /* 64 TiB of physical space at most */
#define KERNEL_BASE 0xffffffff80000000ull

#ifdef INSULA_HOST
/* Host tests: window_kv(p) = window_host_base + p, a test's arena standing for physical memory. */
extern uint64_t window_host_base;
#undef WINDOW_BASE
#define WINDOW_BASE window_host_base
#endif

static inline void *window_kv(paddr_t p)
{
	return (void *)(uintptr_t)(WINDOW_BASE + p.v);
}
static inline paddr_t window_pa(const void *kv)
{
	return paddr((uint64_t)(uintptr_t)kv - WINDOW_BASE);
}

void window_map(paddr_t start, uint64_t bytes);
void window_unmap(paddr_t start, uint64_t bytes);
void *window_ref(paddr_t page);
void window_unref(paddr_t page);

/*
 * Zeroes [start, start + bytes) (16-byte aligned) of RAM through a slot, whether or not it is in the window. Not
 * preemptible: callers bound `bytes` (at most 64 KiB between preemption points).
 */
void window_clear(paddr_t start, uint64_t bytes);
/* Copies into RAM that is not in the window; boot and debugging only. */
void window_copy_to(paddr_t dst, const void *src, uint64_t bytes);

#endif
