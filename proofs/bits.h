/*
 * The words in which contracts speak of bit fields. bits(w, hi, lo): bits hi..lo of w, as a number. put(w, hi, lo, v, s): w with
 * bits hi..lo replaced by as many of v from bit s on. That is all that the provers know of them: with these axioms, and the four
 * that hw/fields.py writes for each field, proofs need no reasoning about single bits. All of them are proved by
 * proofs/bits.py, about words of 64 bits.
 */
#ifndef PROOFS_BITS_H
#define PROOFS_BITS_H

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

#endif
