/*
 * Paravirtual clock arithmetic on 128-bit intermediate results held in two 64-bit words, so that the provers
 * can read it. Called by the vmm and the kernel's calibration. Contract in pvclock.h.
 */
#include "pvclock/pvclock.h"

struct wide {
	uint64_t high, low;
};

static struct wide multiply(uint64_t a, uint64_t b)
{
	uint64_t a0 = a & 0xffffffffu, a1 = a >> 32;
	uint64_t b0 = b & 0xffffffffu, b1 = b >> 32;
	uint64_t low = a0 * b0;
	uint64_t mid1 = a1 * b0 + (low >> 32); /* cannot overflow: (2^32-1)^2 + 2^32-1 < 2^64 */
	uint64_t mid2 = a0 * b1 + (mid1 & 0xffffffffu);
	struct wide w;

	w.low = (mid2 << 32) | (low & 0xffffffffu);
	w.high = a1 * b1 + (mid1 >> 32) + (mid2 >> 32);
	return w;
}

/* w / c rounded down, saturating. Bit by bit: this is for calibration, not for a hot path. */
static uint64_t divide(struct wide w, uint64_t c, uint64_t *remainder)
{
	uint64_t rest = w.high, quotient = 0;

	*remainder = 0;
	if (rest >= c)
		return UINT64_MAX;
	for (int i = 63; i >= 0; i--) {
		bool carry = (rest >> 63) != 0;
		rest = (rest << 1) | ((w.low >> i) & 1);
		quotient <<= 1;
		if (carry || rest >= c) {
			rest -= c;
			quotient |= 1;
		}
	}
	*remainder = rest;
	return quotient;
}

uint64_t pvclock_muldiv(uint64_t a, uint64_t b, uint64_t c)
{
	struct wide w = multiply(a, b);
	uint64_t rest;

	if (w.high == 0)
		return w.low / c;
	return divide(w, c, &rest);
}

bool pvclock_scale(uint64_t hz, struct pvclock_scale *out)
{
	if (hz < 1000 || hz > 1ull << 40)
		return false;

	/* mul / 2^32 * 2^shift = 10^9 / hz, with 2^31 <= mul < 2^32: hz * 2^shift lies in (10^9, 2 * 10^9].
	 */
	int shift = 0;
	uint64_t scaled = hz;
	while (hz > 2000000000ull << -shift)
		shift--;
	while (scaled <= 1000000000u) {
		scaled <<= 1;
		shift++;
	}
	/*
	 * mul = round(10^9 * 2^32 / (hz * 2^shift)). For a negative shift hz is used unshifted, so that no
	 * bit is lost. 10^9 * 2^32 < 2^62, and the numerator is at most 2^9 times that before 2^40 Hz: hence
	 * the wide form.
	 */
	uint64_t mul;
	if (shift >= 0) {
		mul = ((1000000000ull << 32) + scaled / 2) / scaled;
	} else {
		uint64_t rest;
		mul = divide(multiply(1000000000ull << 32, 1ull << -shift), hz, &rest);
		if (rest >= hz - rest)
			mul++;
	}
	/* Just above 10^9 * 2^-shift (8 GHz and more) rounding would reach 2^32. */
	if (mul > UINT32_MAX)
		mul = UINT32_MAX;
	out->mul = (uint32_t)mul;
	out->shift = (int8_t)shift;
	return true;
}

uint64_t pvclock_ns(struct pvclock_scale s, uint64_t ticks)
{
	if (s.shift >= 0) {
		if (s.shift > 63 || (s.shift > 0 && ticks >> (64 - s.shift) != 0))
			return ticks == 0 ? 0 : UINT64_MAX;
		ticks <<= s.shift;
	} else {
		ticks = s.shift < -63 ? 0 : ticks >> -s.shift;
	}
	/* ticks * mul < 2^96, so the result fits. */
	struct wide w = multiply(ticks, s.mul);
	return (w.high << 32) | (w.low >> 32);
}

uint64_t pvclock_ticks(struct pvclock_scale s, uint64_t ns)
{
	/*
	 * The least t with (t * mul) >> 32 >= ns is ceil(ns * 2^32 / mul): long division in two digits of 32
	 * bits. Timers are armed with this, so it is not done bit by bit.
	 */
	uint64_t high = ns >> 32;
	if (high >= s.mul)
		return UINT64_MAX;
	uint64_t first = (high << 32) | (ns & 0xffffffffu);
	uint64_t second = (first % s.mul) << 32;
	uint64_t t = ((first / s.mul) << 32) + second / s.mul;
	if (second % s.mul != 0)
		t = t == UINT64_MAX ? t : t + 1;
	if (s.shift >= 0) {
		if (s.shift > 63)
			return ns == 0 ? 0 : 1;
		/* rounded up; written so that it does not overflow */
		uint64_t mask = (1ull << s.shift) - 1;
		return (t >> s.shift) + ((t & mask) != 0 ? 1 : 0);
	}
	if (s.shift < -63 || t > UINT64_MAX >> -s.shift)
		return t == 0 ? 0 : UINT64_MAX;
	return t << -s.shift;
}
