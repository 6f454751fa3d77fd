/* Root's memory, slots and windows. See memory.h. */
#include "servers/root/memory.h"

#include <stdlib.h>
#include <string.h>
#include "user/malloc.h"
#include "user/object.h"
#include "user/slot_map.h"

#define SLOTS_MAX (1u << 18) /* enough to hand out 170 GiB by large frames */

static struct buddy memory_ram, memory_devices;
static struct slot_map memory_slots;
static uint64_t memory_slot_bits[SLOTS_MAX / 64];
static uint32_t memory_slot_end;
static seL4_CPtr memory_scratch_first;

/* ---- slots ---- */

seL4_CPtr memory_slot_take(void)
{
	return slot_map_take(&memory_slots, 1);
}

seL4_CPtr memory_slots_take_range(uint32_t n)
{
	return slot_map_take(&memory_slots, n);
}

static void memory_delete(seL4_CPtr slot)
{
	(void)seL4_CNode_Delete(MEMORY_CNODE, slot, MEMORY_DEPTH);
}

void memory_slot_release(seL4_CPtr slot)
{
	if (!slot)
		return;
	memory_delete(slot);
	slot_map_release(&memory_slots, (uint32_t)slot, 1);
}

seL4_CPtr memory_scratch(void)
{
	return memory_scratch_first;
}

void memory_scratch_clear(uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		memory_delete(memory_scratch_first + i);
}

uint32_t memory_slots_used(void)
{
	return memory_slot_end - memory_slots.free;
}

/* ---- Untypeds ---- */

static uint64_t memory_slots_take(void)
{
	return slot_map_take(&memory_slots, 2);
}

static void memory_slots_release(uint64_t first)
{
	slot_map_release(&memory_slots, (uint32_t)first, 2);
}

static bool memory_split(uint64_t parent, unsigned bits, uint64_t first)
{
	return seL4_Untyped_Retype(parent, seL4_UntypedObject, bits, MEMORY_CNODE, 0, 0, first, 2) == seL4_NoError;
}

static void memory_join(uint64_t first)
{
	memory_delete(first);
	memory_delete(first + 1);
}

static void memory_revoke(uint64_t slot)
{
	(void)seL4_CNode_Revoke(MEMORY_CNODE, slot, MEMORY_DEPTH);
}

static const struct buddy_ops memory_ops = {
	memory_slots_take, memory_slots_release, memory_split, memory_join, memory_revoke, malloc, free,
};

struct buddy_node *memory_take(unsigned bits)
{
	return buddy_take(&memory_ram, bits);
}

void memory_release(struct buddy_node *n)
{
	buddy_release(&memory_ram, n);
}

void memory_add(seL4_CPtr slot, uint64_t paddr, unsigned bits)
{
	(void)buddy_add(&memory_ram, slot, paddr, bits);
}

uint64_t memory_free_bytes(void)
{
	return memory_ram.free_bytes;
}

unsigned memory_largest(void)
{
	return buddy_largest(&memory_ram);
}

seL4_CPtr memory_object(seL4_Word type, unsigned bits)
{
	struct buddy_node *n = memory_take(object_size_bits(type, bits));
	seL4_CPtr slot = n ? memory_slot_take() : 0;

	if (slot && seL4_Untyped_Retype(n->slot, type, bits, MEMORY_CNODE, 0, 0, slot, 1) == seL4_NoError)
		return slot;
	if (slot)
		memory_slot_release(slot);
	if (n)
		memory_release(n);
	return 0;
}

seL4_CPtr memory_device_frame(uint64_t paddr, unsigned bits, struct buddy_node **block)
{
	seL4_Word type = bits == seL4_PageBits ? seL4_X86_4K : seL4_X86_LargePageObject;
	seL4_CPtr slot;

	*block = buddy_take_at(&memory_devices, paddr, bits);
	slot = *block ? memory_slot_take() : 0;
	if (slot && seL4_Untyped_Retype((*block)->slot, type, bits, MEMORY_CNODE, 0, 0, slot, 1) == seL4_NoError)
		return slot;
	memory_device_release(slot, *block);
	return 0;
}

void memory_device_release(seL4_CPtr slot, struct buddy_node *block)
{
	memory_slot_release(slot);
	if (block)
		buddy_release(&memory_devices, block);
}

/* ---- root's address space ---- */

bool memory_map(seL4_CPtr frame, uint64_t vaddr, bool write)
{
	seL4_CapRights_t rights = write ? seL4_ReadWrite : seL4_CanRead;
	seL4_Error e = seL4_X86_Page_Map(frame, MEMORY_VSPACE, vaddr, rights, insula_X86_ExecuteNever);
	seL4_CPtr table;

	/* one page directory has all our addresses: only page tables can be missing */
	if (e != seL4_FailedLookup)
		return e == seL4_NoError;
	table = memory_object(seL4_X86_PageTableObject, 0);
	if (!table || seL4_X86_PageTable_Map(table, MEMORY_VSPACE, vaddr >> 21 << 21, 0) != seL4_NoError)
		return false;
	return seL4_X86_Page_Map(frame, MEMORY_VSPACE, vaddr, rights, insula_X86_ExecuteNever) == seL4_NoError;
}

/* Windows for small and large pages are apart: a page table stays where one was needed. */
void *memory_window(unsigned n, seL4_CPtr frame, bool write)
{
	uint64_t small = MEMORY_WINDOW_VADDR + (n + 1) * 4096ull;
	uint64_t large = MEMORY_WINDOW_VADDR + ((n + 1ull) << seL4_LargePageBits);

	if (memory_map(frame, small, write))
		return (void *)small;
	return seL4_X86_Page_Map(frame, MEMORY_VSPACE, large, write ? seL4_ReadWrite : seL4_CanRead, insula_X86_ExecuteNever) ==
			       seL4_NoError
		       ? (void *)large
		       : NULL;
}

void memory_window_close(seL4_CPtr frame)
{
	(void)seL4_X86_Page_Unmap(frame);
}

/* ---- start ---- */

/* The heap that main.c begins with has room for the notes of this many slots. */
#define SLOTS_FEW  8192u
#define NOTE_BYTES 96u /* of a slot: half of a pair of blocks */

static bool heap_grow(void)
{
	uint64_t want = memory_slot_end > SLOTS_FEW ? (memory_slot_end - SLOTS_FEW) * (uint64_t)NOTE_BYTES : 0, bytes = 0;

	for (; bytes < want; bytes += 1ull << seL4_LargePageBits) {
		seL4_CPtr frame = memory_object(seL4_X86_LargePageObject, 0);

		if (!frame || seL4_X86_Page_Map(frame, MEMORY_VSPACE, MEMORY_HEAP_VADDR + bytes, seL4_ReadWrite, insula_X86_ExecuteNever) != seL4_NoError)
			break;
	}
	return bytes == 0 || malloc_more((void *)MEMORY_HEAP_VADDR, bytes);
}

bool memory_begin(const struct bootinfo *b)
{
	struct bootinfo_untyped u;
	uint64_t end = 1ull << b->bi->initThreadCNodeSizeBits;

	memory_slot_end = end < SLOTS_MAX ? (uint32_t)end : SLOTS_MAX;
	slot_map_init(&memory_slots, memory_slot_bits, memory_slot_end);
	slot_map_release(&memory_slots, (uint32_t)b->bi->empty.start, (uint32_t)(b->bi->empty.end - b->bi->empty.start));
	memory_scratch_first = slot_map_take(&memory_slots, MEMORY_SCRATCH);
	buddy_init(&memory_ram, &memory_ops);
	buddy_init(&memory_devices, &memory_ops);
	for (uint64_t n = 0; bootinfo_untyped(b, n, &u); n++)
		if (!buddy_add(u.device ? &memory_devices : &memory_ram, u.slot, u.paddr, u.bits))
			return false;
	return memory_scratch_first != 0 && heap_grow();
}
