/*
 * I/O ports: ranges issued from the control capability, each port to one range at a time, and access to them.
 * Owns the map of issued ports. Ports are touched by invocations only, and only inside the invoked range.
 */
#include "object/ioport.h"
#include "api/error.h"
#include "api/invocation.h"
#include "arch/x86/cpu_hw.h"
#include "cap/cnode.h"
#include "sel4/constants.h"

#define IOPORT_COUNT 65536u

static uint64_t ioport_issued[IOPORT_COUNT / 64];

/* The bits of [first, last] that are in word i of the map. */
static uint64_t ioport_mask(unsigned i, unsigned first, unsigned last)
{
	uint64_t m = ~UINT64_C(0);

	if (i == first / 64)
		m &= ~UINT64_C(0) << first % 64;
	if (i == last / 64)
		m &= ~UINT64_C(0) >> (63 - last % 64);
	return m;
}

static bool ioport_free(unsigned first, unsigned last)
{
	for (unsigned i = first / 64; i <= last / 64; i++)
		if (ioport_issued[i] & ioport_mask(i, first, last))
			return false;
	return true;
}

static void ioport_mark(unsigned first, unsigned last, bool issued)
{
	for (unsigned i = first / 64; i <= last / 64; i++) {
		uint64_t m = ioport_mask(i, first, last);

		ioport_issued[i] = issued ? ioport_issued[i] | m : ioport_issued[i] & ~m;
	}
}

exception_t ioport_control_decode(word_t label, unsigned length, struct cte *slot)
{
	unsigned first, last;
	struct lookup_result dst;
	exception_t e;
	cap_t cap;

	if (label != X86IOPortControlIssue)
		return error_illegal_operation();
	if (length < 4 || !invocation_extra(0))
		return error_truncated();
	first = (unsigned)(invocation_arg(0) & (IOPORT_COUNT - 1));
	last = (unsigned)(invocation_arg(1) & (IOPORT_COUNT - 1));
	if (last < first)
		return error_invalid_argument(1);
	if (!ioport_free(first, last))
		return error_revoke_first();
	dst = cnode_target_slot(invocation_extra(0)->cap, invocation_arg(2), invocation_arg(3), false);
	if (dst.status != EXC_NONE)
		return dst.status;
	e = cte_ensure_empty(dst.slot);
	if (e != EXC_NONE)
		return e;

	ioport_mark(first, last, true);
	cap = cap_ioport_with_first(cap_of_type(CAP_IOPORT), first);
	cte_insert(cap_ioport_with_last(cap, last), slot, dst.slot);
	return EXC_NONE;
}

void ioport_finalise(cap_t cap)
{
	ioport_mark((unsigned)cap_ioport_first(cap), (unsigned)cap_ioport_last(cap), false);
}

static void ioport_write(uint16_t port, unsigned size, word_t data)
{
	if (size == 1)
		cpu_out8(port, (uint8_t)data);
	else if (size == 2)
		cpu_out16(port, (uint16_t)data);
	else
		cpu_out32(port, (uint32_t)data);
}

static word_t ioport_read(uint16_t port, unsigned size)
{
	return size == 1 ? cpu_in8(port) : size == 2 ? cpu_in16(port) : cpu_in32(port);
}

exception_t ioport_decode(word_t label, unsigned length, cap_t cap)
{
	bool out = label >= X86IOPortOut8;
	unsigned size;
	uint16_t port;

	if (label < X86IOPortIn8 || label > X86IOPortOut32)
		return error_illegal_operation();
	size = 1u << ((label - X86IOPortIn8) % 3);
	if (length < (out ? 2u : 1u))
		return error_truncated();
	port = (uint16_t)invocation_arg(0);
	if (port < cap_ioport_first(cap) || port + size - 1 > cap_ioport_last(cap))
		return error_illegal_operation();

	if (out)
		ioport_write(port, size, invocation_arg(1));
	else
		invocation_reply1(ioport_read(port, size));
	return EXC_NONE;
}
