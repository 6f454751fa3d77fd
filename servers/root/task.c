/* The table of processes, and what can be done to one. See task.h; task_create.c makes them. */
#include "servers/root/task.h"

#include <errno.h>
#include <string.h>
#include "servers/root/task_create.h"

static struct task tasks[TASKS_MAX];
static uint32_t task_generation;

struct task *task_take(void)
{
	for (uint32_t i = 0; i < TASKS_MAX; i++) {
		struct task *t = &tasks[i];

		if (t->id)
			continue;
		task_generation = task_generation % 0x3fffff + 1;
		*t = (struct task){.id = task_generation * TASKS_MAX + i};
		return t;
	}
	return NULL;
}

void task_drop(struct task *t)
{
	memory_slot_release(t->signal);
	memory_slot_release(t->keep);
	memory_slot_release(t->vspace);
	memory_slot_release(t->cnode);
	*t = (struct task){0};
}

void task_end_all(const struct account *a)
{
	for (uint32_t i = 0; i < TASKS_MAX; i++)
		if (tasks[i].id && tasks[i].account == a)
			task_drop(&tasks[i]);
}

struct task *task_find(uint32_t id)
{
	struct task *t = &tasks[id % TASKS_MAX];

	return id && t->id == id ? t : NULL;
}

struct task *task_next(struct task *t)
{
	for (t = t ? t + 1 : tasks; t < tasks + TASKS_MAX; t++)
		if (t->id)
			return t;
	return NULL;
}

uint32_t task_count(void)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < TASKS_MAX; i++)
		n += tasks[i].id != 0;
	return n;
}

static int task_error(seL4_Error e)
{
	return e == seL4_NoError ? 0 : e == seL4_DeleteFirst ? -EEXIST : -EINVAL;
}

int task_give(struct task *t, seL4_CPtr to, seL4_CPtr slot, seL4_CapRights_t rights, seL4_Word badge)
{
	if (to == TASK_SLOT_NULL || to >= 1ull << t->cnode_bits)
		return -EINVAL;
	if (badge)
		return task_error(seL4_CNode_Mint(t->cnode, to, MEMORY_DEPTH, MEMORY_CNODE, slot, MEMORY_DEPTH, rights, badge));
	return task_error(seL4_CNode_Copy(t->cnode, to, MEMORY_DEPTH, MEMORY_CNODE, slot, MEMORY_DEPTH, rights));
}

bool task_keep_cap(struct task *t, seL4_CPtr slot)
{
	if (t->keep_next >> t->keep_bits)
		return false;
	if (seL4_CNode_Move(t->keep, t->keep_next, (seL4_Uint8)t->keep_bits, MEMORY_CNODE, slot, MEMORY_DEPTH) != seL4_NoError)
		return false;
	t->keep_next++;
	return true;
}

/* The table that is missing with `bits` of the address left, through scratch slot `table`. */
static int task_add_table(struct task *t, seL4_CPtr table, uint64_t vaddr, seL4_Word bits)
{
	seL4_Word type = bits == 39 ? seL4_X86_PDPTObject : bits == 30 ? seL4_X86_PageDirectoryObject : seL4_X86_PageTableObject;
	seL4_Error e;

	if (!account_objects(t->account, type, 0, MEMORY_CNODE, table, 1))
		return -ENOMEM;
	if (bits == 39)
		e = seL4_X86_PDPT_Map(table, t->vspace, vaddr >> 39 << 39, 0);
	else if (bits == 30)
		e = seL4_X86_PageDirectory_Map(table, t->vspace, vaddr >> 30 << 30, 0);
	else
		e = seL4_X86_PageTable_Map(table, t->vspace, vaddr >> 21 << 21, 0);
	if (e == seL4_NoError && task_keep_cap(t, table))
		return 0;
	(void)seL4_CNode_Delete(MEMORY_CNODE, table, MEMORY_DEPTH);
	return e == seL4_NoError ? -ENOMEM : -EINVAL;
}

int task_map(struct task *t, seL4_CPtr frame, uint64_t vaddr, seL4_CapRights_t rights, seL4_Word attributes)
{
	int r = task_map_frame(t, frame, vaddr, rights, attributes);

	return r ? r : task_keep_cap(t, frame) ? 0 : -ENOMEM;
}

int task_map_frame(struct task *t, seL4_CPtr frame, uint64_t vaddr, seL4_CapRights_t rights, seL4_Word attributes)
{
	seL4_CPtr table = memory_scratch() + MEMORY_SCRATCH - 1;

	for (;;) {
		seL4_Error e = seL4_X86_Page_Map(frame, t->vspace, vaddr, rights, attributes);
		int r;

		if (e == seL4_NoError)
			return 0;
		if (e != seL4_FailedLookup)
			return -EINVAL;
		r = task_add_table(t, table, vaddr, seL4_GetMR(2));
		if (r)
			return r;
	}
}

bool task_env_write(struct task *t, uint64_t offset, const void *bytes, uint64_t n)
{
	seL4_CPtr slot = memory_scratch();
	uint8_t *page = NULL;

	if (offset < offsetof(struct task_env, argument) || offset > sizeof(struct task_env) ||
	    n > sizeof(struct task_env) - offset)
		return false;
	if (seL4_CNode_Copy(MEMORY_CNODE, slot, MEMORY_DEPTH, t->keep, t->env_index, (seL4_Uint8)t->keep_bits, seL4_ReadWrite) ==
	    seL4_NoError)
		page = memory_window(0, slot, true);
	if (page) {
		memcpy(page + offset, bytes, n);
		memory_window_close(slot);
	}
	memory_scratch_clear(1);
	return page != NULL;
}

int task_signal_make(struct task *t, seL4_Word badge)
{
	t->signal = memory_slot_take();
	return t->signal && seL4_CNode_Mint(MEMORY_CNODE, t->signal, MEMORY_DEPTH, t->cnode, TASK_SLOT_NOTIFICATION, MEMORY_DEPTH, seL4_CanWrite,
					    badge) == seL4_NoError
		       ? 0
		       : -ENOMEM;
}

bool task_start(struct task *t)
{
	seL4_CPtr slot = memory_scratch();
	bool ok = seL4_CNode_Copy(MEMORY_CNODE, slot, MEMORY_DEPTH, t->cnode, TASK_SLOT_TCB, MEMORY_DEPTH, seL4_AllRights) == seL4_NoError &&
		  seL4_TCB_Resume(slot) == seL4_NoError;

	memory_scratch_clear(1);
	return ok;
}
