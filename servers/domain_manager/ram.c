#include "servers/domain_manager/ram.h"

#include <errno.h>
#include "sel4/sel4.h"
#include "proto/task/task.h"
#include "servers/domain_manager/root_call.h"

#define FAN_OUT 256u

static seL4_Word frame_type(unsigned bits)
{
	return bits == seL4_HugePageBits ? seL4_X64_HugePageObject : bits == seL4_LargePageBits ? seL4_X86_LargePageObject : seL4_X86_4K;
}

/* Frames [0, n) of an Untyped into the RAM CNode at index `at`. */
static int retype(uint32_t untyped, uint32_t ram_cnode, uint32_t at, uint32_t n, unsigned bits)
{
	while (n) {
		uint32_t now = n < FAN_OUT ? n : FAN_OUT;

		if (seL4_Untyped_Retype(untyped, frame_type(bits), bits, ram_cnode, 0, 0, at, now))
			return -ENOMEM;
		at += now;
		n -= now;
	}
	return 0;
}

static int extent_add(struct vmm_start *s, uint64_t gpa, uint32_t frames, unsigned bits, uint32_t slot)
{
	struct vmm_extent *e = &s->extent[s->extent_count];

	if (s->extent_count && e[-1].order == bits && e[-1].gpa + ((uint64_t)e[-1].count << bits) == gpa &&
	    e[-1].slot_vspace + e[-1].count == slot) {
		e[-1].count += frames;
		return 0;
	}
	if (s->extent_count == VMM_MAX_EXTENTS)
		return -E2BIG;
	*e = (struct vmm_extent){.gpa = gpa, .count = frames, .order = bits, .slot_vspace = slot};
	s->extent_count++;
	return 0;
}

int ram_build(struct domain *d, const struct ram_piece *piece, int count, bool huge, uint32_t vmm_cnode, uint32_t vmm_slot,
	      struct vmm_start *start)
{
	uint32_t total = ram_frames(piece, count, huge), at = 0;
	unsigned radix = 1;

	while ((1u << radix) < total)
		radix++;

	for (int i = 0; i < count; i++) {
		unsigned bits = ram_frame_bits(piece[i].size_bits, huge);
		uint32_t n = 1u << (piece[i].size_bits - bits), untyped = d->slot_next;
		int r = root_account_alloc(d->account, piece[i].size_bits, untyped);

		if (!r)
			r = retype(untyped, d->slot_ram, at, n, bits);
		if (!r)
			r = extent_add(start, piece[i].gpa, n, bits, vmm_slot + at);
		if (r)
			return r;
		d->slot_next++;
		at += n;
	}
	for (uint32_t i = 0; i < total; i++)
		for (unsigned copy = 0; copy < 2; copy++)
			if (seL4_CNode_Copy(vmm_cnode, vmm_slot + copy * total + i, seL4_WordBits, d->slot_ram, i, (uint8_t)radix,
					    seL4_ReadWrite))
				return -ENOMEM;
	for (uint32_t i = 0; i < start->extent_count; i++)
		start->extent[i].slot_ept = start->extent[i].slot_vspace + total;
	return 0;
}
