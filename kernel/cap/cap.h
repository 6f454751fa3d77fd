/*
 * Capability words: types, constructors, pointers. Pure: no state, nothing but arithmetic on
 * cap_t (layouts in cap.fields), except that cap_*_kv() turn a physical address into the window
 * address of a live object.
 */
#ifndef CAP_CAP_H
#define CAP_CAP_H

#include "types.h"
#include "kernel/cap/cap_fields.h"

/* The values are those that DebugCapIdentify reports. */
enum cap_type {
	CAP_NULL = 0,
	CAP_FRAME = 1,
	CAP_UNTYPED = 2,
	CAP_PT = 3,
	CAP_ENDPOINT = 4,
	CAP_PD = 5,
	CAP_NOTIFICATION = 6,
	CAP_PDPT = 7,
	CAP_REPLY = 8,
	CAP_PML4 = 9,
	CAP_CNODE = 10,
	CAP_ASID_CONTROL = 11,
	CAP_TCB = 12,
	CAP_ASID_POOL = 13,
	CAP_IRQ_CONTROL = 14,
	CAP_IOSPACE = 15,
	CAP_IRQ_HANDLER = 16,
	CAP_IOPT = 17,
	CAP_ZOMBIE = 18,
	CAP_IOPORT = 19,
	CAP_DOMAIN = 20,
	CAP_VCPU = 21,
	CAP_SCHED_CONTEXT = 22,
	CAP_EPT_PT = 23,
	CAP_SCHED_CONTROL = 24,
	CAP_EPT_PD = 25,
	CAP_EPT_PDPT = 27,
	CAP_EPT_PML4 = 29,
	CAP_IOPORT_CONTROL = 31,
	CAP_TIMER = 33, /* extension */
};

enum frame_size { FRAME_4K = 0, FRAME_2M = 1, FRAME_1G = 2 };

/* What the one mapping of a frame capability is. */
enum frame_map {
	FRAME_UNMAPPED = 0,
	FRAME_VSPACE = 1,
	FRAME_EPT = 2,
	FRAME_IOSPACE = 3,
	FRAME_KERNEL = 4, /* held by the kernel itself: a TCB's IPC buffer, a vCPU's state page (window_ref) */
};

#define CAP_RIGHT_WRITE 1u
#define CAP_RIGHT_READ  2u

static inline unsigned frame_size_bits(uint64_t size)
{
	return size == FRAME_1G ? 30u : size == FRAME_2M ? 21u : 12u;
}

static inline enum cap_type cap_type_of(cap_t c)
{
	return (enum cap_type)cap_type(c);
}

static inline cap_t cap_null(void)
{
	return (cap_t){{0, 0}};
}

static inline cap_t cap_of_type(enum cap_type t)
{
	return cap_with_type(cap_null(), t);
}

static inline bool cap_is_null(cap_t c)
{
	return cap_type(c) == CAP_NULL;
}

static inline cap_t cap_untyped_new(paddr_t p, unsigned bits, bool device)
{
	return cap_untyped_with_ptr(
		cap_untyped_with_bits(cap_untyped_with_device(cap_of_type(CAP_UNTYPED), device), bits), p.v);
}

static inline cap_t cap_cnode_new(paddr_t p, unsigned radix)
{
	return cap_cnode_with_ptr(cap_cnode_with_radix(cap_of_type(CAP_CNODE), radix), p.v);
}

static inline cap_t cap_frame_new(paddr_t p, enum frame_size size, bool device, unsigned rights)
{
	cap_t c = cap_frame_with_ptr(cap_of_type(CAP_FRAME), p.v);
	return cap_frame_with_rights(cap_frame_with_device(cap_frame_with_size(c, size), device), rights);
}

/* Is this one of the paging structures (view `paging`)? */
static inline bool cap_is_paging(cap_t c)
{
	switch (cap_type_of(c)) {
	case CAP_PT:
	case CAP_PD:
	case CAP_PDPT:
	case CAP_PML4:
	case CAP_IOPT:
	case CAP_EPT_PT:
	case CAP_EPT_PD:
	case CAP_EPT_PDPT:
	case CAP_EPT_PML4:
		return true;
	default:
		return false;
	}
}

#endif
