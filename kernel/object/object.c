/*
 * Objects by type: sizes, first capabilities, ends. The one switch over all types; each object's own file
 * does the work. Called by retype (creation) and by deletion (finalisation).
 */
#include "object/object.h"
#include "arch/x86/virt/vcpu_struct.h"
#include "arch/x86/virt/virt.h"
#include "insula/ext.h"
#include "ipc/endpoint.h"
#include "ipc/notification.h"
#include "ipc/reply.h"
#include "object/ept.h"
#include "object/ioport.h"
#include "object/irq.h"
#include "object/tcb.h"
#include "object/timer.h"
#include "object/vcpu.h"
#include "object/vspace.h"
#include "panic.h"
#include "sched/sched_context.h"
#include "sel4/constants.h"

/* ---- types ---- */

bool object_type_exists(word_t type)
{
	if (type >= seL4_X86_VCPUObject && type <= seL4_X86_EPTPTObject)
		return virt != NULL;
	return type < seL4_ObjectTypeCount || type == insula_TimerObject;
}

unsigned object_size_bits(word_t type, unsigned user_bits)
{
	switch (type) {
	case seL4_UntypedObject:
	case seL4_SchedContextObject:
		return user_bits;
	case seL4_CapTableObject:
		return user_bits + seL4_SlotBits;
	case seL4_TCBObject:
		return seL4_TCBBits;
	case seL4_EndpointObject:
		return seL4_EndpointBits;
	case seL4_NotificationObject:
		return seL4_NotificationBits;
	case seL4_ReplyObject:
		return seL4_ReplyBits;
	case seL4_X64_HugePageObject:
		return seL4_HugePageBits;
	case seL4_X86_LargePageObject:
		return seL4_LargePageBits;
	case seL4_X86_VCPUObject:
		return seL4_X86_VCPUBits;
	case insula_TimerObject:
		return insula_TimerBits;
	default: /* 4 KiB frames and tables of all kinds */
		return seL4_PageBits;
	}
}

static bool object_is_frame(word_t type)
{
	return type == seL4_X86_4K || type == seL4_X86_LargePageObject || type == seL4_X64_HugePageObject;
}

bool object_is_kernel(word_t type)
{
	return type != seL4_UntypedObject && !object_is_frame(type);
}

/* ---- creation ---- */

/*
 * Types whose capability is its type and the address (bits 46:0 of word 1 in all views), and whose initial
 * state is zero.
 */
static cap_t object_plain(enum cap_type type, paddr_t memory)
{
	return cap_paging_with_ptr(cap_of_type(type), memory.v);
}

static cap_t object_endpoint_cap(paddr_t memory)
{
	cap_t c = cap_endpoint_with_ptr(cap_of_type(CAP_ENDPOINT), memory.v);

	c = cap_endpoint_with_can_receive(cap_endpoint_with_can_send(c, 1), 1);
	return cap_endpoint_with_can_grant_reply(cap_endpoint_with_can_grant(c, 1), 1);
}

static cap_t object_notification_cap(paddr_t memory)
{
	cap_t c = cap_notification_with_ptr(cap_of_type(CAP_NOTIFICATION), memory.v);

	return cap_notification_with_can_receive(cap_notification_with_can_send(c, 1), 1);
}

static cap_t object_sched_context_cap(paddr_t memory, unsigned bits)
{
	cap_t c = cap_sched_context_with_ptr(cap_of_type(CAP_SCHED_CONTEXT), memory.v);

	return cap_sched_context_with_bits(c, bits);
}

cap_t object_cap(word_t type, paddr_t memory, unsigned user_bits, bool device)
{
	const unsigned rw = CAP_RIGHT_READ | CAP_RIGHT_WRITE;

	switch (type) {
	case seL4_UntypedObject:
		return cap_untyped_new(memory, user_bits, device);
	case seL4_X86_4K:
		return cap_frame_new(memory, FRAME_4K, device, rw);
	case seL4_X86_LargePageObject:
		return cap_frame_new(memory, FRAME_2M, device, rw);
	case seL4_X64_HugePageObject:
		return cap_frame_new(memory, FRAME_1G, device, rw);
	case seL4_TCBObject:
		return object_plain(CAP_TCB, memory);
	case seL4_EndpointObject:
		return object_endpoint_cap(memory);
	case seL4_NotificationObject:
		return object_notification_cap(memory);
	case seL4_ReplyObject:
		return cap_reply_with_can_grant(object_plain(CAP_REPLY, memory), 1);
	case seL4_CapTableObject:
		return cap_cnode_new(memory, user_bits);
	case seL4_SchedContextObject:
		return object_sched_context_cap(memory, user_bits);
	case seL4_X64_PML4Object:
		return object_plain(CAP_PML4, memory);
	case seL4_X86_PDPTObject:
		return object_plain(CAP_PDPT, memory);
	case seL4_X86_PageDirectoryObject:
		return object_plain(CAP_PD, memory);
	case seL4_X86_PageTableObject:
		return object_plain(CAP_PT, memory);
	case seL4_X86_IOPageTableObject:
		return object_plain(CAP_IOPT, memory);
	case seL4_X86_EPTPML4Object:
		return object_plain(CAP_EPT_PML4, memory);
	case seL4_X86_EPTPDPTObject:
		return object_plain(CAP_EPT_PDPT, memory);
	case seL4_X86_EPTPDObject:
		return object_plain(CAP_EPT_PD, memory);
	case seL4_X86_EPTPTObject:
		return object_plain(CAP_EPT_PT, memory);
	case seL4_X86_VCPUObject:
		return object_plain(CAP_VCPU, memory);
	case insula_TimerObject:
		return object_plain(CAP_TIMER, memory);
	default:
		panic("object_cap: type %lu passed the checks of retype", type);
	}
}

cap_t object_cap_behind(cap_t cap, uint64_t bytes)
{
	if (cap_type(cap) == CAP_CNODE)
		return cap_cnode_with_ptr(cap, cap_cnode_ptr(cap) + bytes);
	return cap_paging_with_ptr(cap, cap_paging_ptr(cap) + bytes);
}

bool object_has_state(word_t type)
{
	return type == seL4_TCBObject || type == seL4_SchedContextObject || type == seL4_X64_PML4Object;
}

void object_init(word_t type, paddr_t memory, unsigned user_bits)
{
	switch (type) {
	case seL4_TCBObject:
		tcb_init(window_kv(memory));
		break;
	case seL4_SchedContextObject:
		sched_context_init(window_kv(memory), user_bits);
		break;
	case seL4_X64_PML4Object:
		vspace_init_root(memory);
		break;
	default:
		break;
	}
}

cap_t object_create(word_t type, paddr_t memory, unsigned user_bits, bool device)
{
	object_init(type, memory, user_bits);
	return object_cap(type, memory, user_bits, device);
}

/* ---- finalisation ---- */

/*
 * Who holds a FRAME_KERNEL capability is known from where its slot lies. A TCB's is slot TCB_IPC_BUFFER, at
 * that offset of a 4 KiB object; the only other kind of slot that holds such a frame is the one inside a
 * vCPU, at another offset of a page.
 */
#define OBJECT_IPC_BUFFER_OFFSET (offsetof(struct tcb, slot) + TCB_IPC_BUFFER * sizeof(struct cte))
_Static_assert(offsetof(struct vcpu, state_slot) % PAGE_SIZE != OBJECT_IPC_BUFFER_OFFSET,
	       "told from a TCB's");
_Static_assert(offsetof(struct vcpu, state_slot) % sizeof(struct cte) == 0,
	       "slots are aligned to their size");

static void object_frame_held_gone(struct cte *slot)
{
	paddr_t p = window_pa(slot);

	if (p.v % PAGE_SIZE == OBJECT_IPC_BUFFER_OFFSET)
		tcb_ipc_buffer_gone(window_kv(paddr(ALIGN_DOWN(p.v, seL4_TCBBits))));
	else
		vcpu_state_page_gone(window_kv(paddr(ALIGN_DOWN(p.v, seL4_X86_VCPUBits))));
}

static void object_frame_finalise(struct cte *slot, bool final)
{
	switch ((enum frame_map)cap_frame_map(slot->cap)) {
	case FRAME_VSPACE:
		vspace_finalise(slot->cap, final);
		break;
	case FRAME_EPT:
		ept_unmap_frame(slot->cap);
		break;
	case FRAME_KERNEL:
		object_frame_held_gone(slot);
		break;
	case FRAME_IOSPACE:
	case FRAME_UNMAPPED:
		break;
	}
}

static cap_t object_zombie(paddr_t slots, uint64_t number, unsigned radix, bool is_tcb)
{
	cap_t z = cap_zombie_with_ptr(cap_of_type(CAP_ZOMBIE), slots.v);

	z = cap_zombie_with_bits(cap_zombie_with_number(z, number), radix);
	return cap_zombie_with_is_tcb(z, is_tcb);
}

static cap_t object_tcb_finalise(struct tcb *t)
{
	if (t->vcpu)
		vcpu_unbind_tcb(t);
	tcb_finalise(t);
	return object_zombie(window_pa(t->slot), TCB_SLOT_COUNT, 0, true);
}

static cap_t object_cnode_zombie(cap_t cap)
{
	unsigned radix = (unsigned)cap_cnode_radix(cap);

	return object_zombie(paddr(cap_cnode_ptr(cap)), BIT(radix), radix, false);
}

static cap_t object_endpoint_dying(cap_t cap)
{
	return cap_endpoint_with_dying(cap_mask_rights(cap, 0), 1);
}

static cap_t object_notification_dying(cap_t cap)
{
	return cap_notification_with_dying(cap_mask_rights(cap, 0), 1);
}

exception_t object_drain(struct cte *slot)
{
	cap_t cap = slot->cap;

	switch (cap_type_of(cap)) {
	case CAP_ENDPOINT:
		slot->cap = object_endpoint_dying(cap);
		return ipc_cancel_all(cap_endpoint_of(cap));
	case CAP_NOTIFICATION:
		slot->cap = object_notification_dying(cap);
		return notification_cancel_all(cap_notification_of(cap));
	case CAP_IRQ_HANDLER:
		return irq_handler_drain((unsigned)cap_irq_handler_irq(cap));
	case CAP_TIMER:
		return timer_drain(cap_timer_of(cap));
	default:
		return EXC_NONE;
	}
}

/* The last capability of an object whose end is immediate. */
static void object_last_finalise(cap_t cap)
{
	switch (cap_type_of(cap)) {
	case CAP_NOTIFICATION:
		notification_finalise(cap_notification_of(cap));
		break;
	case CAP_REPLY:
		reply_clear(cap_reply_of(cap));
		break;
	case CAP_SCHED_CONTEXT:
		sched_context_finalise(cap_sched_context_of(cap));
		break;
	case CAP_VCPU:
		vcpu_finalise(cap_vcpu_of(cap));
		break;
	default: /* nothing but the capability (controls, domains, Untypeds), or all was done by
		    object_drain() */
		break;
	}
}

struct finalise_result object_finalise(struct cte *slot, bool final, bool exposed)
{
	struct finalise_result r = {cap_null(), cap_null()};
	cap_t cap = slot->cap;

	switch (cap_type_of(cap)) {
	case CAP_ZOMBIE:
		INVARIANT(!exposed);
		r.remainder = cap;
		break;
	case CAP_CNODE:
		INVARIANT(!(exposed && final));
		if (final)
			r.remainder = object_cnode_zombie(cap);
		break;
	case CAP_TCB:
		INVARIANT(!(exposed && final));
		if (final)
			r.remainder = object_tcb_finalise(cap_tcb_of(cap));
		break;
	case CAP_FRAME:
		object_frame_finalise(slot, final);
		break;
	case CAP_PT:
	case CAP_PD:
	case CAP_PDPT:
	case CAP_PML4:
	case CAP_ASID_POOL:
		vspace_finalise(cap, final);
		break;
	case CAP_EPT_PT:
	case CAP_EPT_PD:
	case CAP_EPT_PDPT:
	case CAP_EPT_PML4:
		ept_finalise(cap, final);
		break;
	case CAP_IOPORT:
		vcpu_io_gone(cap);
		r.cleanup = final ? cap : cap_null();
		break;
	case CAP_IRQ_HANDLER:
		r.cleanup = final ? cap : cap_null();
		/* fall through */
	default:
		if (final)
			object_last_finalise(cap);
		break;
	}
	return r;
}

void object_post_delete(cap_t cleanup)
{
	if (cap_type(cleanup) == CAP_IRQ_HANDLER)
		irq_handler_release((unsigned)cap_irq_handler_irq(cleanup));
	else if (cap_type(cleanup) == CAP_IOPORT)
		ioport_finalise(cleanup);
}
