/* Parts of frames. See frame.h. */
#include "user/frame.h"

#include <errno.h>
#include "proto/task/task.h"
#include "user/object.h"
#include "user/slot.h"
#include "user/vspace.h"

int frame_page_map(seL4_CPtr frame, uint64_t offset, uint64_t vaddr, bool write, seL4_CPtr *page)
{
	seL4_CPtr slot = slot_alloc();
	int r;

	if (!slot)
		return -ENOMEM;
	if (insula_Frame_Derive(frame, TASK_SLOT_CNODE, slot, seL4_WordBits,
				write ? seL4_ReadWrite : seL4_CanRead, offset,
				seL4_PageBits) != seL4_NoError) {
		slot_free(slot);
		return -EINVAL;
	}
	r = vspace_map(slot, vaddr, write, false);
	if (r) {
		frame_page_unmap(slot);
		return r;
	}
	*page = slot;
	return 0;
}

void frame_page_unmap(seL4_CPtr page)
{
	(void)seL4_CNode_Delete(TASK_SLOT_CNODE, page, seL4_WordBits);
	slot_free(page);
}

static int frame_split_call(seL4_CPtr frame, seL4_CPtr first, seL4_CPtr table)
{
	insula_Frame_Split_t r = insula_Frame_Split(frame, TASK_SLOT_CNODE, 0, 0, first, table);

	if (r.error != seL4_NoError)
		return -EINVAL;
	if (r.left == 0)
		slot_free(frame);
	return r.left != 0;
}

int frame_split(seL4_CPtr frame, enum frame_mapping mapping, seL4_CPtr *first)
{
	seL4_CPtr slots = slot_alloc_range(insula_FrameParts), table = 0;
	int r;

	if (!slots)
		return -ENOMEM;
	if (mapping != FRAME_NOT_MAPPED) {
		table = object_create_slot(
		    mapping == FRAME_IN_EPT ? seL4_X86_EPTPTObject : seL4_X86_PageTableObject, 0);
		if (!table) {
			slot_free_range(slots, insula_FrameParts);
			return -ENOMEM;
		}
	}
	r = frame_split_call(frame, slots, table);
	if (r < 0) {
		/* If the frame was revoked on the way, so were its pages; if it was the table, they are here. */
		for (unsigned i = 0; i < insula_FrameParts; i++)
			(void)seL4_CNode_Delete(TASK_SLOT_CNODE, slots + i, seL4_WordBits);
		object_delete(table);
		slot_free_range(slots, insula_FrameParts);
		return r;
	}
	*first = slots;
	return r;
}

int frame_split_more(seL4_CPtr frame, seL4_CPtr first)
{
	return frame_split_call(frame, first, 0);
}
