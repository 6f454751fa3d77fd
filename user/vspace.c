/* Mappings. See vspace.h. A table that is missing is named by the failed mapping: it is made, and the mapping tried again. */
#include "user/vspace.h"

#include <errno.h>
#include "proto/task/task.h"
#include "user/lock.h"
#include "user/object.h"

#define VSPACE_LEVELS 3u

static struct lock vspace_lock;

/* The table that is missing when `bits` of the address are left to be translated. */
static int vspace_add_table(uint64_t vaddr, seL4_Word bits)
{
	seL4_CPtr table;
	seL4_Error e;

	switch (bits) {
	case 39:
		table = object_create_fixed(seL4_X86_PDPTObject, 0);
		e = table ? seL4_X86_PDPT_Map(table, TASK_SLOT_VSPACE, vaddr >> 39 << 39, 0) : seL4_NotEnoughMemory;
		break;
	case 30:
		table = object_create_fixed(seL4_X86_PageDirectoryObject, 0);
		e = table ? seL4_X86_PageDirectory_Map(table, TASK_SLOT_VSPACE, vaddr >> 30 << 30, 0) : seL4_NotEnoughMemory;
		break;
	case 21:
		table = object_create_fixed(seL4_X86_PageTableObject, 0);
		e = table ? seL4_X86_PageTable_Map(table, TASK_SLOT_VSPACE, vaddr >> 21 << 21, 0) : seL4_NotEnoughMemory;
		break;
	default:
		return -EINVAL;
	}
	return e == seL4_NoError ? 0 : e == seL4_DeleteFirst ? -EEXIST : -ENOMEM;
}

static int vspace_map_locked(seL4_CPtr frame, uint64_t vaddr, seL4_CapRights_t rights, seL4_Word attributes)
{
	for (unsigned tries = 0; tries <= VSPACE_LEVELS; tries++) {
		seL4_Error e = seL4_X86_Page_Map(frame, TASK_SLOT_VSPACE, vaddr, rights, attributes);
		int r;

		if (e == seL4_NoError)
			return 0;
		if (e != seL4_FailedLookup)
			return e == seL4_DeleteFirst ? -EEXIST : -EINVAL;
		r = vspace_add_table(vaddr, seL4_GetMR(2));
		if (r)
			return r;
	}
	return -EINVAL;
}

int vspace_map(seL4_CPtr frame, uint64_t vaddr, bool write, bool execute)
{
	int r;

	lock_take(&vspace_lock);
	r = vspace_map_locked(frame, vaddr, write ? seL4_ReadWrite : seL4_CanRead, execute ? 0 : insula_X86_ExecuteNever);
	lock_release(&vspace_lock);
	return r;
}

void vspace_unmap(seL4_CPtr frame)
{
	(void)seL4_X86_Page_Unmap(frame);
}

seL4_CPtr vspace_page(uint64_t vaddr)
{
	seL4_CPtr frame = object_create_slot(seL4_X86_4K, 0);

	if (frame && vspace_map(frame, vaddr, true, false)) {
		object_delete(frame);
		frame = 0;
	}
	return frame;
}
