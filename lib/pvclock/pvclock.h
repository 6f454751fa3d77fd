/*
 * The arithmetic of the Xen and KVM paravirtual clock (xen/include/public/xen.h, struct vcpu_time_info):
 *
 *     ns = ((ticks << shift) * mul) >> 32        (ticks >> -shift for a negative shift)
 *
 * Exact integer arithmetic, no overflow for any input: results that do not fit saturate.
 */
#ifndef LIB_PVCLOCK_PVCLOCK_H
#define LIB_PVCLOCK_PVCLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* tsc_to_system_mul and tsc_shift as guests read them; mul has its top bit set, or is just below, for the
 * best precision. */
struct pvclock_scale {
	uint32_t mul;
	int8_t shift;
};

/* The scale for a counter of hz ticks per second, 1 kHz .. 2^40 Hz; false outside. Relative error below
 * 2^-31. */
bool pvclock_scale(uint64_t hz, struct pvclock_scale *out);

/* Nanoseconds in that many ticks, as a guest computes it (rounded down), saturating at UINT64_MAX. */
uint64_t pvclock_ns(struct pvclock_scale s, uint64_t ticks);

/* The least number of ticks for which pvclock_ns is at least ns: when to arm a timer. Saturates at
 * UINT64_MAX. mul must not be 0. */
uint64_t pvclock_ticks(struct pvclock_scale s, uint64_t ns);

/* a * b / c, rounded down, saturating; c > 0. For calibration and unit conversion. */
uint64_t pvclock_muldiv(uint64_t a, uint64_t b, uint64_t c);

#endif
