/*
 * Capability words and rights (kernel/cap/cap.h, kernel/cap/derive.c): what copies, mints and masks make of a capability, and which
 * memory it stands for.
 */
// proves: frame_size_bits cap_type_of cap_null cap_of_type cap_is_null cap_untyped_new cap_cnode_new cap_frame_new cap_is_paging
// proves: derive_ok derive_error derive_unmapped cap_derive cap_mask_rights derive_guard derive_iospace cap_update_data
// proves: cap_size_bits cap_is_physical cap_paddr
#include "proofs/cap.h"
#include "proofs/error.h"
#include "cap/cte.h"

/*@ assigns \nothing; ensures \result.status == EXC_NONE && same_words(\result.cap, cap); */
static struct derive_result derive_ok(cap_t cap);
/*@ assigns \nothing; ensures \result.status == e && null_cap(\result.cap); */
static struct derive_result derive_error(exception_t e);

/* A frame without a mapping, all else as it was. */
/*@ predicate unmapped_of(cap_t r, cap_t c) = r.w[1] == c.w[1] && f_cap_frame_mapped(r) == 0 && f_cap_frame_asid(r) == 0 &&
	f_cap_frame_map(r) == FRAME_UNMAPPED && f_cap_frame_rights(r) == f_cap_frame_rights(c) &&
	f_cap_frame_size(r) == f_cap_frame_size(c) && f_cap_frame_device(r) == f_cap_frame_device(c); */
/*@ assigns \nothing; ensures unmapped_of(\result, cap); */
static cap_t derive_unmapped(cap_t cap);

/*@ predicate never_copied(cap_t c) = f_cap_type(c) == CAP_IRQ_CONTROL || f_cap_type(c) == CAP_IOPORT_CONTROL ||
	f_cap_type(c) == CAP_ZOMBIE || (f_cap_type(c) == CAP_ENDPOINT && f_cap_endpoint_dying(c) != 0) ||
	(f_cap_type(c) == CAP_NOTIFICATION && f_cap_notification_dying(c) != 0); */
/*@ predicate copy_refused(cap_t c) = (paging_type(f_cap_type(c)) && f_cap_paging_is_mapped(c) == 0) ||
	(f_cap_type(c) == CAP_FRAME && f_cap_frame_split(c) != 0); */
/*@ requires \valid_read(slot);
	assigns error_detail;
	ensures refused: copy_refused(cap) ==> \result.status == EXC_SYSCALL_ERROR;
	ensures nothing_of_an_error: \result.status != EXC_NONE ==> null_cap(\result.cap);
	ensures never: never_copied(cap) ==> \result.status == EXC_NONE && null_cap(\result.cap);
	ensures frame: \result.status == EXC_NONE && f_cap_type(cap) == CAP_FRAME ==> unmapped_of(\result.cap, cap);
	ensures port: f_cap_type(cap) == CAP_IOPORT ==> \result.status == EXC_NONE && \result.cap.w[0] == cap.w[0] &&
		f_cap_ioport_vcpu(\result.cap) == 0 && f_cap_type(\result.cap) == CAP_IOPORT;
	ensures untyped: f_cap_type(cap) == CAP_UNTYPED && \result.status == EXC_NONE ==> childless(slot);
	ensures else_the_same: \result.status == EXC_NONE && !never_copied(cap) && f_cap_type(cap) != CAP_FRAME &&
		f_cap_type(cap) != CAP_IOPORT ==> same_words(\result.cap, cap); */
struct derive_result cap_derive(struct cte *slot, cap_t cap);

/* A right that is there afterwards was there, and is in the word. */
/*@ predicate masked(integer after, integer before, boolean right) = after == ((before != 0 && right) ? 1 : 0); */
/*@ assigns \nothing;
	ensures kind: f_cap_type(\result) == f_cap_type(cap);
	ensures endpoint: f_cap_type(cap) == CAP_ENDPOINT ==> \result.w[0] == cap.w[0] &&
		f_cap_endpoint_ptr(\result) == f_cap_endpoint_ptr(cap) && f_cap_endpoint_dying(\result) == f_cap_endpoint_dying(cap) &&
		masked(f_cap_endpoint_can_send(\result), f_cap_endpoint_can_send(cap), (rights & 1) != 0) &&
		masked(f_cap_endpoint_can_receive(\result), f_cap_endpoint_can_receive(cap), (rights & 2) != 0) &&
		masked(f_cap_endpoint_can_grant(\result), f_cap_endpoint_can_grant(cap), (rights & 4) != 0) &&
		masked(f_cap_endpoint_can_grant_reply(\result), f_cap_endpoint_can_grant_reply(cap), (rights & 8) != 0);
	ensures notification: f_cap_type(cap) == CAP_NOTIFICATION ==> \result.w[0] == cap.w[0] &&
		f_cap_notification_ptr(\result) == f_cap_notification_ptr(cap) &&
		f_cap_notification_dying(\result) == f_cap_notification_dying(cap) &&
		masked(f_cap_notification_can_send(\result), f_cap_notification_can_send(cap), (rights & 1) != 0) &&
		masked(f_cap_notification_can_receive(\result), f_cap_notification_can_receive(cap), (rights & 2) != 0);
	ensures reply: f_cap_type(cap) == CAP_REPLY ==> \result.w[0] == cap.w[0] && f_cap_reply_ptr(\result) == f_cap_reply_ptr(cap) &&
		masked(f_cap_reply_can_grant(\result), f_cap_reply_can_grant(cap), (rights & 4) != 0);
	ensures frame: f_cap_type(cap) == CAP_FRAME ==> \result.w[1] == cap.w[1] &&
		f_cap_frame_size(\result) == f_cap_frame_size(cap) && f_cap_frame_device(\result) == f_cap_frame_device(cap) &&
		f_cap_frame_mapped(\result) == f_cap_frame_mapped(cap) && f_cap_frame_asid(\result) == f_cap_frame_asid(cap) &&
		f_cap_frame_map(\result) == f_cap_frame_map(cap) &&
		f_cap_frame_rights(\result) == (((rights & 2) == 0 || (f_cap_frame_rights(cap) & CAP_RIGHT_READ) == 0) ? 0 :
			(rights & 1) != 0 ? f_cap_frame_rights(cap) : CAP_RIGHT_READ);
	ensures others: f_cap_type(cap) != CAP_ENDPOINT && f_cap_type(cap) != CAP_NOTIFICATION && f_cap_type(cap) != CAP_REPLY &&
		f_cap_type(cap) != CAP_FRAME ==> same_words(\result, cap); */
cap_t cap_mask_rights(cap_t cap, word_t rights);

/* What the walk through CNodes relies on (unit cnode). */
/*@ predicate guard_fits(cap_t c) = f_cap_cnode_guard_size(c) + f_cap_cnode_radix(c) <= 64; */
/*@ requires f_cap_type(cap) == CAP_CNODE;
	assigns \nothing;
	ensures refused: null_cap(\result) <==> (data & 63) + f_cap_cnode_radix(cap) > 64;
	ensures made: (data & 63) + f_cap_cnode_radix(cap) <= 64 ==> f_cap_type(\result) == CAP_CNODE && guard_fits(\result) &&
		f_cap_cnode_ptr(\result) == f_cap_cnode_ptr(cap) && f_cap_cnode_radix(\result) == f_cap_cnode_radix(cap) &&
		f_cap_cnode_guard_size(\result) == (data & 63); */
static cap_t derive_guard(cap_t cap, word_t data);
/*@ requires f_cap_type(cap) == CAP_IOSPACE;
	assigns \nothing;
	ensures refused: null_cap(\result) <==> preserve || f_cap_iospace_bdf(cap) != 0 || ((data >> 16) & 0xffff) == 0;
	ensures made: !null_cap(\result) ==> f_cap_type(\result) == CAP_IOSPACE && f_cap_iospace_domain(\result) != 0 &&
		\result.w[1] == cap.w[1]; */
static cap_t derive_iospace(cap_t cap, bool preserve, word_t data);
/*@ assigns \nothing;
	ensures kind: null_cap(\result) || f_cap_type(\result) == f_cap_type(cap);
	ensures endpoint: f_cap_type(cap) == CAP_ENDPOINT ==> (preserve || f_cap_endpoint_badge(cap) != 0 ? null_cap(\result) :
		\result.w[1] == cap.w[1] && \result.w[0] == data);
	ensures notification: f_cap_type(cap) == CAP_NOTIFICATION ==> (preserve || f_cap_notification_badge(cap) != 0 ? null_cap(\result) :
		\result.w[1] == cap.w[1] && \result.w[0] == data);
	ensures cnode: f_cap_type(cap) == CAP_CNODE && !null_cap(\result) ==> guard_fits(\result) &&
		f_cap_cnode_ptr(\result) == f_cap_cnode_ptr(cap) && f_cap_cnode_radix(\result) == f_cap_cnode_radix(cap);
	ensures others: f_cap_type(cap) != CAP_ENDPOINT && f_cap_type(cap) != CAP_NOTIFICATION && f_cap_type(cap) != CAP_CNODE &&
		f_cap_type(cap) != CAP_IOSPACE ==> same_words(\result, cap); */
cap_t cap_update_data(cap_t cap, bool preserve, word_t data);

#include "cap/derive.c"
