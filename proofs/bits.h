/*
 * The words in which contracts speak of bit fields. bits(w, hi, lo): bits hi..lo of w, as a number. put(w, hi, lo, v, s): w with
 * bits hi..lo replaced by as many of v from bit s on. That is all that the provers know of them: with these axioms, and the four
 * that hw/fields.py writes for each field, proofs need no reasoning about single bits. All of them are proved by
 * proofs/bits.py, about words of 64 bits.
 */
#ifndef PROOFS_BITS_H
#define PROOFS_BITS_H

#include <stdint.h>

/*@ predicate word(integer w) = 0 <= w <= 0xffffffffffffffff; */
/*@ axiomatic bits {
	logic integer bits(integer w, integer hi, integer lo);
	logic integer put(integer w, integer hi, integer lo, integer v, integer s);
	axiom bits_put: \forall integer w, hi, lo, v, s; word(w) && word(v) && 0 <= lo <= hi <= 63 && 0 <= s <= 63 && hi - lo + s <= 63 ==>
		bits(put(w, hi, lo, v, s), hi, lo) == bits(v, hi - lo + s, s);
	axiom bits_put_other: \forall integer w, hi, lo, v, s, h, l; word(w) && word(v) && 0 <= lo <= hi <= 63 && 0 <= l <= h <= 63 &&
		0 <= s <= 63 && hi - lo + s <= 63 && (h < lo || hi < l) ==> bits(put(w, hi, lo, v, s), h, l) == bits(w, h, l);
	axiom bits_six: \forall integer w; word(w) ==> (w & 63) == bits(w, 5, 0);
	axiom bits_six_range: \forall integer w; word(w) ==> 0 <= bits(w, 5, 0) <= 63;
	axiom bits_zero: \forall integer hi, lo; 0 <= lo <= hi <= 63 ==> bits(0, hi, lo) == 0;
	axiom put_zero: \forall integer w, hi, lo; word(w) && 0 <= lo <= hi <= 63 && bits(w, hi, lo) == 0 ==> put(w, hi, lo, 0, 0) == w;
} */

/* 2^n, for the shifts whose distance is not known. */
/*@ axiomatic pow2 {
	logic integer pow2(integer n);
	axiom pow2_is: \forall integer n; 0 <= n <= 63 ==> (uint64_t)(1 << n) == pow2(n);
	axiom pow2_range: \forall integer n; 0 <= n <= 63 ==> 1 <= pow2(n) <= 0x8000000000000000;
	axiom pow2_grows: \forall integer n, m; 0 <= n <= m <= 63 ==> pow2(n) <= pow2(m);
} */

#endif
