/* This process's kernel objects: a block of its Untyped each, so that a deleted object's memory serves again. See object.h. */
#include "user/object.h"

#include <errno.h>
#include <stdlib.h>
#include "user/buddy.h"
#include "user/env.h"
#include "user/lock.h"
#include "user/slot.h"

#define FIXED_BITS 16u /* fixed objects come out of blocks of this size */

struct object_record {
	struct object_record *next;
	seL4_CPtr slot;
	struct buddy_node *block;
};

static struct buddy object_memory;
static struct object_record *object_records;
static struct lock object_lock;
static bool object_ready;
static struct {
	seL4_CPtr untyped;
	uint64_t at, end;
} object_fixed;

static uint64_t object_slots_take(void)
{
	return slot_alloc_range(2);
}

static void object_slots_release(uint64_t first)
{
	slot_free_range(first, 2);
}

static bool object_split(uint64_t parent, unsigned bits, uint64_t first)
{
	return seL4_Untyped_Retype(parent, seL4_UntypedObject, bits, TASK_SLOT_CNODE, 0, 0, first, 2) == seL4_NoError;
}

static void object_join(uint64_t first)
{
	(void)seL4_CNode_Delete(TASK_SLOT_CNODE, first, seL4_WordBits);
	(void)seL4_CNode_Delete(TASK_SLOT_CNODE, first + 1, seL4_WordBits);
}

static void object_revoke(uint64_t slot)
{
	(void)seL4_CNode_Revoke(TASK_SLOT_CNODE, slot, seL4_WordBits);
}

static const struct buddy_ops object_ops = {
	object_slots_take, object_slots_release, object_split, object_join, object_revoke, malloc, free,
};

static void object_enter(void)
{
	lock_take(&object_lock);
	if (!object_ready) {
		buddy_init(&object_memory, &object_ops);
		if (env_get()->untyped_bits)
			(void)buddy_add(&object_memory, TASK_SLOT_UNTYPED, 0, env_get()->untyped_bits);
		object_ready = true;
	}
}

static void object_leave(void)
{
	lock_release(&object_lock);
}

unsigned object_size_bits(seL4_Word type, unsigned bits)
{
	switch (type) {
	case seL4_UntypedObject:
	case seL4_SchedContextObject:
		return bits;
	case seL4_CapTableObject:
		return bits + seL4_SlotBits;
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
	case seL4_X86_PDPTObject:
	case seL4_X64_PML4Object:
	case seL4_X86_4K:
	case seL4_X86_PageTableObject:
	case seL4_X86_PageDirectoryObject:
	case seL4_X86_IOPageTableObject:
	case seL4_X86_EPTPML4Object:
	case seL4_X86_EPTPDPTObject:
	case seL4_X86_EPTPDObject:
	case seL4_X86_EPTPTObject:
		return seL4_PageBits;
	case insula_TimerObject:
		return insula_TimerBits;
	default:
		return 0;
	}
}

static int object_create_locked(seL4_Word type, unsigned bits, seL4_CPtr slot)
{
	unsigned size = object_size_bits(type, bits);
	struct object_record *r = size ? malloc(sizeof(*r)) : NULL;

	if (!r)
		return -ENOMEM;
	*r = (struct object_record){object_records, slot, buddy_take(&object_memory, size)};
	if (!r->block) {
		free(r);
		return -ENOMEM;
	}
	if (seL4_Untyped_Retype(r->block->slot, type, bits, TASK_SLOT_CNODE, 0, 0, slot, 1) != seL4_NoError) {
		buddy_release(&object_memory, r->block);
		free(r);
		return -ENOMEM;
	}
	object_records = r;
	return 0;
}

int object_create(seL4_Word type, unsigned bits, seL4_CPtr slot)
{
	int r;

	object_enter();
	r = object_create_locked(type, bits, slot);
	object_leave();
	return r;
}

seL4_CPtr object_create_slot(seL4_Word type, unsigned bits)
{
	seL4_CPtr slot = slot_alloc();

	if (slot && object_create(type, bits, slot)) {
		slot_free(slot);
		slot = 0;
	}
	return slot;
}

/* A new block for fixed objects, of the usual size or the largest there is. What is left of the old one is lost: at most one object's size. */
static bool object_fixed_block(unsigned bits)
{
	unsigned size = bits > FIXED_BITS ? bits : FIXED_BITS;
	struct buddy_node *n = NULL;

	while (size >= bits && !(n = buddy_take(&object_memory, size)))
		size--;
	if (!n)
		return false;
	object_fixed.untyped = n->slot;
	object_fixed.at = 0;
	object_fixed.end = 1ull << size;
	return true;
}

static bool object_fixed_create(seL4_Word type, unsigned bits, unsigned size, seL4_CPtr slot)
{
	uint64_t at = (object_fixed.at + (1ull << size) - 1) & ~((1ull << size) - 1);

	if (at + (1ull << size) > object_fixed.end) {
		if (!object_fixed_block(size))
			return false;
		at = 0;
	}
	if (seL4_Untyped_Retype(object_fixed.untyped, type, bits, TASK_SLOT_CNODE, 0, 0, slot, 1) != seL4_NoError)
		return false;
	object_fixed.at = at + (1ull << size);
	return true;
}

seL4_CPtr object_create_fixed(seL4_Word type, unsigned bits)
{
	unsigned size = object_size_bits(type, bits);
	seL4_CPtr slot = size ? slot_alloc() : 0;
	bool made;

	if (!slot)
		return 0;
	object_enter();
	made = object_fixed_create(type, bits, size, slot);
	object_leave();
	if (made)
		return slot;
	slot_free(slot);
	return 0;
}

seL4_CPtr object_mint(seL4_CPtr slot, seL4_CapRights_t rights, seL4_Word badge)
{
	seL4_CPtr copy = slot_alloc();
	seL4_Error e;

	if (!copy)
		return 0;
	if (badge)
		e = seL4_CNode_Mint(TASK_SLOT_CNODE, copy, seL4_WordBits, TASK_SLOT_CNODE, slot, seL4_WordBits, rights, badge);
	else
		e = seL4_CNode_Copy(TASK_SLOT_CNODE, copy, seL4_WordBits, TASK_SLOT_CNODE, slot, seL4_WordBits, rights);
	if (e == seL4_NoError)
		return copy;
	slot_free(copy);
	return 0;
}

seL4_CPtr object_copy(seL4_CPtr slot)
{
	return object_mint(slot, seL4_AllRights, 0);
}

seL4_CPtr object_mint_badge(seL4_CPtr slot, seL4_Word badge)
{
	return object_mint(slot, seL4_AllRights, badge);
}

void object_delete(seL4_CPtr slot)
{
	struct object_record **at, *r;

	if (!slot)
		return;
	object_enter();
	for (at = &object_records; (r = *at) && r->slot != slot; at = &r->next)
		;
	if (r) {
		*at = r->next;
		buddy_release(&object_memory, r->block);
		free(r);
	}
	object_leave();
	if (!r)
		(void)seL4_CNode_Delete(TASK_SLOT_CNODE, slot, seL4_WordBits);
	slot_free(slot);
}
