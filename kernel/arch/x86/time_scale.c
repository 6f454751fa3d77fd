/* Microseconds and TSC ticks, by multiplication (time.h). Pure; called on every budget and deadline. */
#include "arch/x86/time.h"

#define TIME_US 1000000ull

/*
 * Restoring division of a 128-bit product, bit by bit: only done at boot, and the compiler's own 128-bit
 * division is a library function.
 */
uint64_t time_muldiv(uint64_t a, uint64_t b, uint64_t c)
{
	unsigned __int128 product = (unsigned __int128)a * b;
	uint64_t high = (uint64_t)(product >> 64) % c, low = (uint64_t)product, quotient = 0;

	for (unsigned i = 0; i < 64; i++) {
		uint64_t carry = high >> 63;
		high = (high << 1) | (low >> 63);
		low <<= 1;
		quotient <<= 1;
		if (carry != 0 || high >= c) {
			high -= c;
			quotient |= 1;
		}
	}
	return quotient;
}

struct time_scale time_scale_make(uint64_t hz)
{
	struct time_scale s = {
	    .ticks_per_us = time_muldiv(hz, BIT(32), TIME_US),
	    .us_per_tick = time_muldiv(UINT64_MAX, TIME_US, hz) + 1,
	};

	/* Up, unless it is exact. */
	if (time_muldiv(s.ticks_per_us, TIME_US, BIT(32)) != hz)
		s.ticks_per_us++;
	return s;
}

ticks_t time_scale_to_ticks(const struct time_scale *s, uint64_t us)
{
	unsigned __int128 ticks = ((unsigned __int128)us * s->ticks_per_us + MASK(32)) >> 32;

	return ticks > TIME_TICKS_MAX ? TIME_TICKS_MAX : (uint64_t)ticks;
}

uint64_t time_scale_to_us(const struct time_scale *s, ticks_t t)
{
	return (uint64_t)(((unsigned __int128)t * s->us_per_tick) >> 64);
}
