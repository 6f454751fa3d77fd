/*
 * Untyped arithmetic (kernel/cap/untyped_room.h): what is handed out is aligned, lies beyond what was handed out before and inside the
 * Untyped, and no two objects overlap.
 */
// proves: untyped_size untyped_at untyped_unknown untyped_left untyped_has_room untyped_align_up untyped_base untyped_offset
#include "proofs/cap.h"

/* shl(v, n): v objects of 2^n bytes. aligned: a multiple of 2^n. */
/*@ axiomatic room {
	logic integer shl(integer v, integer n);
	predicate aligned(integer w, integer n);
	axiom shl_is: \forall integer v, n; 0 <= v <= 0xffff && 1 <= n <= 47 ==> (uint64_t)(v << n) == shl(v, n);
	axiom shl_aligned: \forall integer v, n; 0 <= v <= 0xffff && 1 <= n <= 47 ==> 0 <= shl(v, n) <= 0x7fff800000000000 &&
		aligned(shl(v, n), n);
	axiom shl_next: \forall integer v, u, n; 0 <= v < u <= 0xffff && 1 <= n <= 47 ==> shl(v, n) + pow2(n) <= shl(u, n);
	axiom room_is: \forall integer w, v, n; word(w) && 0 <= v <= 0xffff && 1 <= n <= 47 ==> ((w >> n) >= v <==> w >= shl(v, n));
	axiom round_down: \forall integer w, n; word(w) && 1 <= n <= 63 ==> (uint64_t)((w >> n) << n) <= w &&
		w < (uint64_t)((w >> n) << n) + pow2(n) && aligned((uint64_t)((w >> n) << n), n);
	axiom aligned_sum: \forall integer w, v, s, n; word(w) && word(v) && word(s) && 1 <= n <= 63 &&
		aligned(w, n) && aligned(v, n) && s <= w + v <= s ==> aligned(s, n);
	axiom round_least: \forall integer w, v, n; word(w) && word(v) && 1 <= n <= 63 && aligned(v, n) && w < v + pow2(n) ==>
		(uint64_t)((w >> n) << n) <= v;
	axiom aligned_rest: \forall integer v, n, b; 1 <= v <= 0xffff && 4 <= n <= 47 && 0 <= b <= 47 && shl(v, n) <= pow2(b) ==>
		aligned(pow2(b) - shl(v, n), n);
	axiom room_stored: \forall integer w, v, n; word(w) && 1 <= v <= 0xffff && 4 <= n <= 47 && aligned(w, n) ==>
		(w + shl(v, n)) % 16 == 0;
} */
/*@ predicate untyped(cap_t u) = f_cap_type(u) == CAP_UNTYPED && 4 <= f_cap_untyped_bits(u) <= 47 &&
	f_cap_untyped_free(u) <= pow2(f_cap_untyped_bits(u)); */
/*@ predicate object(integer bits, integer count) = 4 <= bits <= 47 && 1 <= count <= 256; */
/*@ logic integer left_of(cap_t u, integer reset) = reset != 0 ? pow2(f_cap_untyped_bits(u)) : pow2(f_cap_untyped_bits(u)) - f_cap_untyped_free(u); */

/*@ requires untyped(u);
	assigns \nothing; ensures \result == pow2(f_cap_untyped_bits(u)); */
static inline uint64_t untyped_size(cap_t u);
/*@ requires untyped(u) && offset <= pow2(f_cap_untyped_bits(u));
	assigns \nothing; ensures \result.v == f_cap_untyped_ptr(u) + offset; */
static inline paddr_t untyped_at(cap_t u, uint64_t offset);
/*@ assigns \nothing;
	ensures f_cap_untyped_cleared(\result) == 0 && f_cap_untyped_stale(\result) == 0 && f_cap_untyped_made(\result) == 0;
	ensures f_cap_type(\result) == f_cap_type(u) && f_cap_untyped_free(\result) == f_cap_untyped_free(u) &&
		f_cap_untyped_ptr(\result) == f_cap_untyped_ptr(u) && f_cap_untyped_bits(\result) == f_cap_untyped_bits(u) &&
		f_cap_untyped_device(\result) == f_cap_untyped_device(u); */
static inline cap_t untyped_unknown(cap_t u);

/*@ requires untyped(u);
	assigns \nothing; ensures \result == left_of(u, reset); */
static inline uint64_t untyped_left(cap_t u, bool reset);
/*@ requires untyped(u) && object(object_bits, count);
	assigns \nothing; ensures \result <==> shl(count, object_bits) <= left_of(u, reset); */
static inline bool untyped_has_room(cap_t u, bool reset, unsigned object_bits, unsigned count);
/*@ requires offset <= 0xffffffffffff && 4 <= object_bits <= 47;
	assigns \nothing;
	ensures here: offset <= \result < offset + pow2(object_bits) && aligned(\result, object_bits);
	ensures least: \forall integer v; aligned(v, object_bits) && offset <= v <= 0xffffffffffffffff ==> \result <= v; */
static inline uint64_t untyped_align_up(uint64_t offset, unsigned object_bits);
/* If there is room for `count`, all of them are inside, beyond `free`, and the new `free` fits into its field. */
/*@ requires untyped(u) && object(object_bits, 1);
	assigns \nothing;
	ensures start: f_cap_untyped_free(u) <= \result < f_cap_untyped_free(u) + pow2(object_bits) && aligned(\result, object_bits);
	ensures inside: \forall integer n; 1 <= n <= 256 && shl(n, object_bits) <= left_of(u, 0) ==>
		\result + shl(n, object_bits) <= pow2(f_cap_untyped_bits(u));
	ensures stored: \forall integer n; 1 <= n <= 256 && shl(n, object_bits) <= left_of(u, 0) ==> (\result + shl(n, object_bits)) % 16 == 0; */
static inline uint64_t untyped_base(cap_t u, unsigned object_bits);
/* Each object aligned, none overlaps the next. */
/*@ requires 4 <= object_bits <= 47 && i <= 256 && aligned(base, object_bits) && base <= 0x800000000000;
	assigns \nothing;
	ensures place: \result == base + shl(i, object_bits) && aligned(\result, object_bits);
	ensures apart: \forall integer j; i < j <= 256 ==> \result + pow2(object_bits) <= base + shl(j, object_bits); */
static inline uint64_t untyped_offset(uint64_t base, unsigned i, unsigned object_bits);

#include "cap/untyped_room.h"
