/*
 * What a copy of a capability looks like: rights masked, badge or guard applied, mapping dropped; and which
 * memory a capability stands for. Pure: arithmetic on words, no objects. Called by CNode invocations and by
 * IPC transfer.
 */
#include "cap/cte.h"
#include "api/error.h"
#include "object/tcb.h"
#include "sel4/constants.h"

#include "insula/ext.h"

static struct derive_result derive_ok(cap_t cap)
{
	return (struct derive_result){EXC_NONE, cap};
}

static struct derive_result derive_error(exception_t e)
{
	return (struct derive_result){e, cap_null()};
}

/* A frame's copy has no mapping: a mapping belongs to one capability. */
static cap_t derive_unmapped(cap_t cap)
{
	cap = cap_frame_with_mapped(cap_frame_with_asid(cap, 0), 0);
	return cap_frame_with_map(cap, FRAME_UNMAPPED);
}

struct derive_result cap_derive(struct cte *slot, cap_t cap)
{
	exception_t e;

	if (cap_is_paging(cap)) /* an unmapped table could be put into two places through two copies */
		return cap_paging_is_mapped(cap) ? derive_ok(cap) : derive_error(error_illegal_operation());

	switch (cap_type_of(cap)) {
	case CAP_FRAME:
		if (cap_frame_split(cap)) /* it stands for less and less */
			return derive_error(error_illegal_operation());
		return derive_ok(derive_unmapped(cap));
	case CAP_IOPORT: /* as with a frame's mapping: the vCPU that was opened is this capability's */
		return derive_ok(cap_ioport_with_vcpu(cap, 0));
	case CAP_UNTYPED:
		e = cte_ensure_no_children(slot);
		return e == EXC_NONE ? derive_ok(cap) : derive_error(e);
	case CAP_ENDPOINT: /* one under deletion is what a zombie is for other objects */
		return derive_ok(cap_endpoint_dying(cap) ? cap_null() : cap);
	case CAP_NOTIFICATION:
		return derive_ok(cap_notification_dying(cap) ? cap_null() : cap);
	case CAP_IRQ_CONTROL:
	case CAP_IOPORT_CONTROL:
	case CAP_ZOMBIE:
		return derive_ok(cap_null());
	default:
		break;
	}
	return derive_ok(cap);
}

cap_t cap_mask_rights(cap_t cap, word_t rights)
{
	bool write = rights & seL4_RightWrite, read = rights & seL4_RightRead;
	bool grant = rights & seL4_RightGrant, grant_reply = rights & seL4_RightGrantReply;

	switch (cap_type_of(cap)) {
	case CAP_ENDPOINT:
		cap = cap_endpoint_with_can_send(cap, cap_endpoint_can_send(cap) && write);
		cap = cap_endpoint_with_can_receive(cap, cap_endpoint_can_receive(cap) && read);
		cap = cap_endpoint_with_can_grant(cap, cap_endpoint_can_grant(cap) && grant);
		return cap_endpoint_with_can_grant_reply(cap,
							 cap_endpoint_can_grant_reply(cap) && grant_reply);
	case CAP_NOTIFICATION:
		cap = cap_notification_with_can_send(cap, cap_notification_can_send(cap) && write);
		return cap_notification_with_can_receive(cap, cap_notification_can_receive(cap) && read);
	case CAP_REPLY:
		return cap_reply_with_can_grant(cap, cap_reply_can_grant(cap) && grant);
	case CAP_FRAME:
		/* x86 has no write-only pages: without read nothing is left */
		if (!read || !(cap_frame_rights(cap) & CAP_RIGHT_READ))
			return cap_frame_with_rights(cap, 0);
		return write ? cap : cap_frame_with_rights(cap, CAP_RIGHT_READ);
	default:
		return cap;
	}
}

static cap_t derive_guard(cap_t cap, word_t data)
{
	uint64_t size = data & 63, guard = data >> 6;

	if (size + cap_cnode_radix(cap) > seL4_WordBits)
		return cap_null();
	return cap_cnode_with_guard_size(cap_cnode_with_guard(cap, guard & MASK(size)), size);
}

/*
 * IOSpace data: low half the device, high half the domain id. Only the master can be minted from, and once.
 */
static cap_t derive_iospace(cap_t cap, bool preserve, word_t data)
{
	uint64_t domain = data >> 16 & 0xffff;

	if (preserve || cap_iospace_bdf(cap) != 0 || domain == 0)
		return cap_null();
	return cap_iospace_with_domain(cap_iospace_with_bdf(cap, data & 0xffff), domain);
}

cap_t cap_update_data(cap_t cap, bool preserve, word_t data)
{
	switch (cap_type_of(cap)) {
	case CAP_ENDPOINT:
		if (preserve || cap_endpoint_badge(cap) != 0)
			return cap_null();
		return cap_endpoint_with_badge(cap, data);
	case CAP_NOTIFICATION:
		if (preserve || cap_notification_badge(cap) != 0)
			return cap_null();
		return cap_notification_with_badge(cap, data);
	case CAP_CNODE:
		return derive_guard(cap, data);
	case CAP_IOSPACE:
		return derive_iospace(cap, preserve, data);
	default:
		return cap;
	}
}

unsigned cap_size_bits(cap_t cap)
{
	if (cap_is_paging(cap))
		return PAGE_BITS;

	switch (cap_type_of(cap)) {
	case CAP_UNTYPED:
		return (unsigned)cap_untyped_bits(cap);
	case CAP_ENDPOINT:
		return seL4_EndpointBits;
	case CAP_NOTIFICATION:
		return seL4_NotificationBits;
	case CAP_REPLY:
		return seL4_ReplyBits;
	case CAP_CNODE:
		return (unsigned)cap_cnode_radix(cap) + seL4_SlotBits;
	case CAP_TCB:
		return seL4_TCBBits;
	case CAP_SCHED_CONTEXT:
		return (unsigned)cap_sched_context_bits(cap);
	case CAP_ZOMBIE:
		return cap_zombie_is_tcb(cap) ? (unsigned)seL4_TCBBits
					      : (unsigned)cap_zombie_bits(cap) + seL4_SlotBits;
	case CAP_FRAME:
		return frame_size_bits(cap_frame_size(cap));
	case CAP_ASID_POOL:
		return seL4_ASIDPoolBits;
	case CAP_VCPU:
		return seL4_X86_VCPUBits;
	case CAP_TIMER:
		return insula_TimerBits;
	default:
		return 0;
	}
}

bool cap_is_physical(cap_t cap)
{
	return cap_size_bits(cap) != 0;
}

paddr_t cap_paddr(cap_t cap)
{
	switch (cap_type_of(cap)) {
	case CAP_CNODE:
		return paddr(cap_cnode_ptr(cap));
	case CAP_ZOMBIE:
		return paddr(cap_zombie_ptr(cap));
	default:
		break;
	}
	/* bits 46:0 of word 1 in every other view with memory */
	return paddr(cap_is_physical(cap) ? cap_untyped_ptr(cap) : 0);
}
