/*
 * Making a process. Every step can fail for want of memory; then the task leaves the table, and what was made stays in the account until that
 * is freed. Objects are made in root's scratch slots, set up, and moved to where they belong.
 */
#include "servers/root/task_create.h"

#include <errno.h>
#include <string.h>
#include "proto/root/root.h"
#include "servers/root/asid.h"
#include "servers/root/fault.h"
#include "user/log.h"

#define PAGE         4096ull
#define STACK_PAGES  16u
#define KEEP_SPARE   80u /* paging structures, boot modules' own CNodes */
#define BATCH        128u

static struct task_env task_common;
static uint32_t task_cpus;
static seL4_CPtr task_sched_control, task_endpoint;

void task_begin(const struct task_env *common, uint32_t cpu_count, seL4_CPtr sched_control, seL4_CPtr endpoint)
{
	task_common = *common;
	task_cpus = cpu_count;
	task_sched_control = sched_control;
	task_endpoint = endpoint;
}

static unsigned task_log2_up(uint64_t n)
{
	unsigned bits = 1;

	while (1ull << bits < n)
		bits++;
	return bits;
}

/* ---- CNodes and address space ---- */

/* A CNode in a new slot of root's; guarded: a CPtr is a slot number. */
static seL4_CPtr task_cnode(struct account *a, unsigned bits, bool guarded)
{
	seL4_CPtr raw = memory_scratch(), slot = memory_slot_take();
	bool ok = slot && account_objects(a, seL4_CapTableObject, bits, MEMORY_CNODE, raw, 1);

	if (ok && guarded)
		ok = seL4_CNode_Mutate(MEMORY_CNODE, slot, MEMORY_DEPTH, MEMORY_CNODE, raw, MEMORY_DEPTH,
				       seL4_CNode_CapData_new(0, seL4_WordBits - bits)) == seL4_NoError;
	else if (ok)
		ok = seL4_CNode_Move(MEMORY_CNODE, slot, MEMORY_DEPTH, MEMORY_CNODE, raw, MEMORY_DEPTH) == seL4_NoError;
	if (ok)
		return slot;
	memory_scratch_clear(1);
	memory_slot_release(slot);
	return 0;
}

static int task_space(struct task *t, const struct task_spec *s, const struct program *p)
{
	uint64_t keep = p->pages + STACK_PAGES + s->heap_bytes / PAGE + s->threads + 1 + (p->pages + s->heap_bytes / PAGE) / 512;

	t->cnode_bits = s->cnode_bits;
	t->keep_bits = task_log2_up(keep + KEEP_SPARE);
	t->cnode = task_cnode(t->account, t->cnode_bits, true);
	t->keep = t->cnode ? task_cnode(t->account, t->keep_bits, false) : 0;
	t->vspace = t->keep ? memory_slot_take() : 0;
	if (!t->vspace || !account_objects(t->account, seL4_X64_PML4Object, 0, MEMORY_CNODE, t->vspace, 1))
		return -ENOMEM;
	return asid_assign(t->vspace) ? 0 : -ENOMEM;
}

/* Private frames of n pages at vaddr, zeroed, read-write. */
static int task_memory(struct task *t, uint64_t vaddr, uint64_t n)
{
	while (n) {
		uint32_t now = n < BATCH ? (uint32_t)n : BATCH;

		if (!account_objects(t->account, seL4_X86_4K, 0, MEMORY_CNODE, memory_scratch(), now))
			return -ENOMEM;
		for (uint32_t i = 0; i < now; i++, vaddr += PAGE) {
			int r = task_map(t, memory_scratch() + i, vaddr, seL4_ReadWrite, insula_X86_ExecuteNever);

			if (r)
				return r;
		}
		n -= now;
	}
	return 0;
}

static int task_page(struct task *t, const struct program *p, uint64_t i, const struct program_page *page)
{
	seL4_CPtr frame = memory_scratch();
	void *to;

	if (page->shared) {
		if (seL4_CNode_Copy(MEMORY_CNODE, frame, MEMORY_DEPTH, MEMORY_CNODE, page->shared, MEMORY_DEPTH, seL4_CanRead) != seL4_NoError)
			return -ENOMEM;
		return task_map(t, frame, p->start + i * PAGE, seL4_CanRead, page->execute ? 0 : insula_X86_ExecuteNever);
	}
	if (!account_objects(t->account, seL4_X86_4K, 0, MEMORY_CNODE, frame, 1))
		return -ENOMEM;
	if (page->filled) {
		to = memory_window(0, frame, true);
		if (!to)
			return -ENOMEM;
		program_fill(p, i, to);
		memory_window_close(frame);
	}
	return task_map(t, frame, p->start + i * PAGE, seL4_ReadWrite, insula_X86_ExecuteNever);
}

static int task_program(struct task *t, const struct program *p)
{
	uint32_t shared = 0;

	for (uint64_t i = 0; i < p->pages; i++) {
		struct program_page page = program_page(p, i, &shared);
		int r = page.present ? task_page(t, p, i, &page) : 0;

		if (r)
			return r;
	}
	return 0;
}

static int task_environment(struct task *t, const struct task_spec *s)
{
	seL4_CPtr frame = memory_scratch();
	struct task_env *env;

	if (!account_objects(t->account, seL4_X86_4K, 0, MEMORY_CNODE, frame, 1))
		return -ENOMEM;
	env = memory_window(0, frame, true);
	if (!env)
		return -ENOMEM;
	*env = task_common;
	env->task_id = t->id;
	env->heap_bytes = s->heap_bytes;
	env->cnode_bits = s->cnode_bits;
	env->untyped_bits = s->untyped_bits;
	env->thread_count = s->threads;
	memcpy(env->name, t->name, sizeof(env->name));
	memory_window_close(frame);
	t->env_index = t->keep_next;
	if (task_map(t, frame, TASK_ENV_VADDR, seL4_CanRead, insula_X86_ExecuteNever))
		return -ENOMEM;
	/* tables that had to be made were kept before it */
	t->env_index = t->keep_next - 1;
	return 0;
}

/* ---- threads ---- */

enum task_thread_slot { THREAD_TCB, THREAD_SC, THREAD_NOTIFICATION, THREAD_FRAME, THREAD_FAULT, THREAD_SLOTS };

static bool task_thread_objects(struct account *a, seL4_CPtr at, unsigned sc_bits)
{
	return account_objects(a, seL4_TCBObject, 0, MEMORY_CNODE, at + THREAD_TCB, 1) &&
	       account_objects(a, seL4_SchedContextObject, sc_bits, MEMORY_CNODE, at + THREAD_SC, 1) &&
	       account_objects(a, seL4_NotificationObject, 0, MEMORY_CNODE, at + THREAD_NOTIFICATION, 1) &&
	       account_objects(a, seL4_X86_4K, 0, MEMORY_CNODE, at + THREAD_FRAME, 1);
}

static bool task_thread_configure(struct task *t, const struct task_spec *s, uint32_t i, seL4_CPtr at)
{
	uint64_t cpu = (t->id + i) % task_cpus, buffer = TASK_IPC_VADDR + i * PAGE;
	bool round_robin = s->budget_us == s->period_us;

	return seL4_CNode_Mint(MEMORY_CNODE, at + THREAD_FAULT, MEMORY_DEPTH, MEMORY_CNODE, task_endpoint, MEMORY_DEPTH, seL4_AllRights,
			       fault_badge(t->id)) == seL4_NoError &&
	       seL4_TCB_Configure(at + THREAD_TCB, t->cnode, 0, t->vspace, 0, buffer, at + THREAD_FRAME) == seL4_NoError &&
	       seL4_SchedControl_Configure(task_sched_control + cpu, at + THREAD_SC, s->budget_us, s->period_us, round_robin ? 0 : 4, i) ==
		       seL4_NoError &&
	       seL4_TCB_SetSchedParams(at + THREAD_TCB, seL4_CapInitThreadTCB, s->priority, s->priority, at + THREAD_SC, at + THREAD_FAULT) ==
		       seL4_NoError &&
	       seL4_TCB_BindNotification(at + THREAD_TCB, at + THREAD_NOTIFICATION) == seL4_NoError;
}

static int task_thread_give(struct task *t, const struct task_spec *s, uint32_t i, seL4_CPtr at)
{
	static const seL4_CPtr own[] = {[THREAD_TCB] = TASK_SLOT_TCB, [THREAD_SC] = TASK_SLOT_SC, [THREAD_NOTIFICATION] = TASK_SLOT_NOTIFICATION};

	for (unsigned k = THREAD_TCB; k <= THREAD_NOTIFICATION; k++) {
		int r = task_give(t, own[k] + i, at + k, seL4_AllRights, 0);

		if (!r && s->creator)
			r = task_give(s->creator, s->slot_base + ROOT_TASK_SLOT_THREAD + 3 * i + k, at + k, seL4_AllRights, 0);
		if (r)
			return r;
	}
	return account_objects(t->account, seL4_ReplyObject, 0, t->cnode, TASK_SLOT_REPLY + i, 1) ? 0 : -ENOMEM;
}

static int task_thread(struct task *t, const struct task_spec *s, uint32_t i)
{
	seL4_CPtr at = memory_scratch();
	unsigned sc_bits = seL4_MinSchedContextBits + 1; /* room for refills: its maker may set a period later */
	char name[40];
	int r;

	if (!task_thread_objects(t->account, at, sc_bits) || !task_thread_configure(t, s, i, at))
		return -ENOMEM;
	r = task_map(t, at + THREAD_FRAME, TASK_IPC_VADDR + i * PAGE, seL4_ReadWrite, insula_X86_ExecuteNever);
	if (!r)
		r = task_thread_give(t, s, i, at);
	if (r)
		return r;
	memcpy(name, t->name, sizeof(t->name));
	seL4_DebugNameThread(at + THREAD_TCB, name);
	memory_scratch_clear(THREAD_SLOTS);
	return 0;
}

static int task_entry(struct task *t, const struct program *p)
{
	seL4_UserContext regs = {.rip = p->elf.entry, .rsp = TASK_STACK_TOP, .rdi = TASK_ENV_VADDR, .rflags = 2};
	seL4_CPtr tcb = memory_scratch();
	seL4_Error e = seL4_CNode_Copy(MEMORY_CNODE, tcb, MEMORY_DEPTH, t->cnode, TASK_SLOT_TCB, MEMORY_DEPTH, seL4_AllRights);

	if (e == seL4_NoError)
		e = seL4_TCB_WriteRegisters(tcb, false, 0, seL4_UserContextWords, &regs);
	memory_scratch_clear(1);
	return e == seL4_NoError ? 0 : -ENOMEM;
}

/* ---- capabilities ---- */

static int task_capabilities(struct task *t, const struct task_spec *s)
{
	struct buddy_node *untyped;
	int r = task_give(t, TASK_SLOT_CNODE, t->cnode, seL4_AllRights, 0);

	if (!r)
		r = task_give(t, TASK_SLOT_VSPACE, t->vspace, seL4_AllRights, 0);
	if (!r && !s->creator)
		r = task_give(t, TASK_SLOT_ROOT, task_endpoint, seL4_AllRights, t->id);
	if (!r && s->creator)
		r = task_give(s->creator, s->slot_base + ROOT_TASK_SLOT_CNODE, t->cnode, seL4_AllRights, 0);
	if (!r && s->creator)
		r = task_give(s->creator, s->slot_base + ROOT_TASK_SLOT_VSPACE, t->vspace, seL4_AllRights, 0);
	if (r || !s->untyped_bits)
		return r;
	untyped = account_block(t->account, s->untyped_bits);
	return untyped ? task_give(t, TASK_SLOT_UNTYPED, untyped->slot, seL4_AllRights, 0) : -ENOMEM;
}

static int task_ept(struct task *t)
{
	seL4_CPtr root = memory_scratch();
	int r = -ENOMEM;

	if (account_objects(t->account, seL4_X86_EPTPML4Object, 0, MEMORY_CNODE, root, 1) && asid_assign(root))
		r = task_give(t, TASK_SLOT_EPT_ROOT, root, seL4_AllRights, 0);
	memory_scratch_clear(1);
	return r;
}

/* ---- all of it ---- */

static int task_build(struct task *t, const struct task_spec *s, const struct program *p)
{
	int r = task_space(t, s, p);

	if (!r)
		r = task_program(t, p);
	if (!r)
		r = task_memory(t, TASK_STACK_TOP - STACK_PAGES * PAGE, STACK_PAGES);
	if (!r)
		r = task_memory(t, TASK_HEAP_VADDR, s->heap_bytes / PAGE);
	if (!r)
		r = task_environment(t, s);
	for (uint32_t i = 0; !r && i < s->threads; i++)
		r = task_thread(t, s, i);
	if (!r)
		r = task_capabilities(t, s);
	if (!r && s->flags & ROOT_TASK_EPT)
		r = task_ept(t);
	return r ? r : task_entry(t, p);
}

static bool task_spec_good(const struct task_spec *s)
{
	return s->threads >= 1 && s->threads <= TASK_MAX_THREADS && s->cnode_bits >= 8 && s->cnode_bits <= 20 &&
	       (s->untyped_bits == 0 || (s->untyped_bits >= seL4_PageBits && s->untyped_bits <= 40)) && s->heap_bytes % PAGE == 0 &&
	       s->heap_bytes <= 1ull << 30 && !(s->flags & ~ROOT_TASK_EPT) && s->priority <= ROOT_PRIORITY_ROOT;
}

int task_create(struct account *a, const struct task_spec *spec, struct task **out)
{
	const struct program *p;
	struct task *t;
	int r;

	if (!task_spec_good(spec))
		return -EINVAL;
	p = program_find(spec->program);
	if (!p)
		return -ENOENT;
	t = task_take();
	if (!t)
		return -EMFILE;
	t->account = a;
	t->parent = spec->creator ? spec->creator->id : 0;
	t->threads = spec->threads;
	t->priority = spec->priority;
	memcpy(t->name, p->name, sizeof(t->name));
	r = task_build(t, spec, p);
	if (r) {
		memory_scratch_clear(MEMORY_SCRATCH);
		task_drop(t);
		return r;
	}
	*out = t;
	return 0;
}
