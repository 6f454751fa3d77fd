/*
 * The first thread. See boot_task.h. Order: sizes, so that the CNode is large enough; memory; objects and capabilities in the
 * order of their slots; what is left becomes Untypeds; last the boot information that tells of all this.
 */
#include "boot/boot_task.h"
#include "arch/x86/arch.h"
#include "arch/x86/mm/window.h"
#include "boot/boot_chunks.h"
#include "boot/boot_cspace.h"
#include "boot/boot_untyped.h"
#include "mem/mem.h"
#include "object/object.h"
#include "object/tcb.h"
#include "object/vspace.h"
#include "panic.h"
#include "percpu.h"
#include "sched/sched.h"
#include "sched/sched_context.h"
#include "sel4/bootinfo.h"

#define BOOT_TASK_ASID     1u
#define BOOT_TASK_SC_BITS  7u
#define BOOT_TASK_SLICE_US 5000u
/* The first thread's objects are cut out of free memory: what is left there is at most this many blocks more. */
#define BOOT_TASK_SLOTS_2MIB 3u /* handing out all memory by large frames takes two a frame; and what else it is used for */
#define BOOT_TASK_CUTS     256u

struct boot_task_state {
	struct boot_task *in;
	struct boot_cspace cspace;
	unsigned cnode_bits;
	seL4_BootInfo *bi; /* in the window while boot writes it */
	struct boot_chunks chunks;
	paddr_t cnode, tcb, sc, pml4, asid_pool, ipc_buffer, bootinfo, extra, image;
	uint64_t extra_bytes; /* whole pages */
};

static void boot_task_short(const char *what, uint64_t bytes)
{
	boot_stop("too little memory: no %lu KiB for %s", bytes / 1024, what);
}

static paddr_t boot_task_memory(struct boot_memory *m, uint64_t bytes, uint64_t align, const char *what)
{
	paddr_t p;

	if (!boot_memory_alloc(m, bytes, align, BOOT_MEMORY_ANYWHERE, &p))
		boot_task_short(what, bytes);
	window_clear(p, bytes);
	return p;
}

/* A kernel object: aligned to its size, in the window. */
static paddr_t boot_task_object(struct boot_memory *m, uint64_t bytes, const char *what)
{
	paddr_t p = boot_task_memory(m, bytes, bytes, what);

	window_map(p, bytes);
	return p;
}

paddr_t boot_task_pages(struct boot_memory *m, uint64_t bytes, const char *what)
{
	paddr_t p = boot_task_memory(m, bytes, PAGE_SIZE, what);

	window_map(p, bytes);
	return p;
}

uint64_t boot_task_untypeds(const struct boot_memory *m)
{
	return boot_memory_blocks(&m->free) + boot_memory_blocks(&m->device) + BOOT_TASK_CUTS;
}

/* ---- sizes and memory ---- */

static uint64_t boot_task_end(const struct boot_task_state *s)
{
	return s->in->image->extra + s->extra_bytes;
}

static uint64_t boot_task_slots(const struct boot_task_state *s)
{
	const struct boot_image *i = s->in->image;
	uint64_t n = seL4_NumInitialCaps + s->in->machine->cpu_count + boot_task_untypeds(s->in->memory);

	for (unsigned level = 1; level <= 3; level++)
		n += boot_image_tables(i->start, boot_task_end(s), level);
	n += (s->extra_bytes + i->end - i->start) / PAGE_SIZE;
	for (uint32_t k = 0; k < s->in->module_count; k++)
		n += boot_untyped_blocks(s->in->modules[k].start, s->in->modules[k].bytes);
	return n + (boot_memory_total(s->in->memory) >> seL4_LargePageBits) * BOOT_TASK_SLOTS_2MIB;
}

static void boot_task_allocate(struct boot_task_state *s)
{
	struct boot_memory *m = s->in->memory;
	const struct boot_image *i = s->in->image;
	uint64_t slots;

	s->extra_bytes = ALIGN_UP(s->in->extra_bytes, PAGE_BITS);
	slots = boot_task_slots(s);
	s->cnode_bits = seL4_RootCNodeBits;
	while (BIT(s->cnode_bits) < slots)
		s->cnode_bits++;

	s->image = boot_task_memory(m, i->end - i->start, PAGE_SIZE, "the root task");
	s->cnode = boot_task_object(m, BIT(s->cnode_bits + seL4_SlotBits), "the root task's capabilities");
	s->extra = boot_task_memory(m, s->extra_bytes, PAGE_SIZE, "boot information");
	s->bootinfo = boot_task_memory(m, PAGE_SIZE, PAGE_SIZE, "boot information");
	s->ipc_buffer = boot_task_memory(m, PAGE_SIZE, PAGE_SIZE, "the root task");
	s->pml4 = boot_task_object(m, PAGE_SIZE, "the root task");
	s->asid_pool = boot_task_object(m, PAGE_SIZE, "the root task");
	s->tcb = boot_task_object(m, PAGE_SIZE, "the root task");
	s->sc = boot_task_object(m, PAGE_SIZE, "the root task");
	m->granted += (i->end - i->start) + s->extra_bytes + 2 * (uint64_t)PAGE_SIZE;

	s->cspace = (struct boot_cspace){window_kv(s->cnode), BIT(s->cnode_bits), seL4_NumInitialCaps};
	window_map(s->bootinfo, PAGE_SIZE);
	window_map(s->extra, s->extra_bytes);
	s->bi = window_kv(s->bootinfo);
	boot_chunks_init(&s->chunks, window_kv(s->extra), s->extra_bytes);
}

/* ---- address space ---- */

static cap_t boot_task_frame(paddr_t p, uint64_t address)
{
	cap_t c = cap_frame_new(p, FRAME_4K, false, CAP_RIGHT_READ | CAP_RIGHT_WRITE);

	c = cap_frame_with_mapped(cap_frame_with_asid(c, BOOT_TASK_ASID), address);
	return cap_frame_with_map(c, FRAME_VSPACE);
}

/* Maps a page and makes its capability, in the next slot or in one of its own. */
static struct cte *boot_task_map(struct boot_task_state *s, paddr_t p, uint64_t address, struct boot_image_rights r,
                                 uint64_t slot)
{
	vspace_boot_map(s->pml4, vaddr(address), p, r.write, r.execute);
	if (slot)
		return boot_cspace_put(&s->cspace, slot, boot_task_frame(p, address));
	return boot_cspace_append(&s->cspace, boot_task_frame(p, address));
}

static void boot_task_tables(struct boot_task_state *s)
{
	static const enum cap_type types[] = {CAP_NULL, CAP_PT, CAP_PD, CAP_PDPT};
	uint64_t start = s->in->image->start, end = boot_task_end(s);

	s->bi->userImagePaging.start = s->cspace.next;
	for (unsigned level = 3; level >= 1; level--) {
		unsigned bits = PAGE_BITS + 9 * level;

		for (uint64_t at = ALIGN_DOWN(start, bits); at < end; at += BIT(bits)) {
			paddr_t p = boot_task_object(s->in->memory, PAGE_SIZE, "the root task");
			cap_t c = cap_paging_with_ptr(cap_of_type(types[level]), p.v);

			vspace_boot_map_table(s->pml4, vaddr(at), p, level);
			c = cap_paging_with_mapped(cap_paging_with_asid(c, BOOT_TASK_ASID), at);
			boot_cspace_append(&s->cspace, cap_paging_with_is_mapped(c, 1));
		}
	}
	s->bi->userImagePaging.end = s->cspace.next;
}

static void boot_task_frames(struct boot_task_state *s)
{
	const struct boot_image_rights data = {true, false};
	const struct boot_image *i = s->in->image;

	s->bi->extraBIPages.start = s->cspace.next;
	for (uint64_t at = 0; at < s->extra_bytes; at += PAGE_SIZE)
		boot_task_map(s, paddr_add(s->extra, at), i->extra + at, data, 0);
	s->bi->extraBIPages.end = s->cspace.next;

	boot_image_load(i, s->image);
	s->bi->userImageFrames.start = s->cspace.next;
	for (uint64_t at = i->start; at < i->end; at += PAGE_SIZE)
		boot_task_map(s, paddr_add(s->image, at - i->start), at, boot_image_rights(i, at), 0);
	s->bi->userImageFrames.end = s->cspace.next;

	boot_task_map(s, s->bootinfo, i->bootinfo, data, seL4_CapBootInfoFrame);
	boot_task_map(s, s->ipc_buffer, i->ipc_buffer, data, seL4_CapInitThreadIPCBuffer);
}

/* ---- fixed capabilities ---- */

static cap_t boot_task_cnode_cap(const struct boot_task_state *s)
{
	cap_t c = cap_cnode_new(s->cnode, s->cnode_bits);

	return cap_cnode_with_guard_size(c, seL4_WordBits - s->cnode_bits);
}

static void boot_task_fixed(struct boot_task_state *s)
{
	struct boot_cspace *c = &s->cspace;
	cap_t pml4 = object_create(seL4_X64_PML4Object, s->pml4, 0, false);

	pml4 = cap_paging_with_is_mapped(cap_paging_with_asid(pml4, BOOT_TASK_ASID), 1);
	boot_cspace_put(c, seL4_CapInitThreadTCB, object_create(seL4_TCBObject, s->tcb, 0, false));
	boot_cspace_put(c, seL4_CapInitThreadCNode, boot_task_cnode_cap(s));
	boot_cspace_put(c, seL4_CapInitThreadVSpace, pml4);
	boot_cspace_put(c, seL4_CapIRQControl, cap_of_type(CAP_IRQ_CONTROL));
	boot_cspace_put(c, seL4_CapASIDControl, cap_of_type(CAP_ASID_CONTROL));
	boot_cspace_put(c, seL4_CapInitThreadASIDPool,
	                cap_asid_pool_with_ptr(cap_of_type(CAP_ASID_POOL), s->asid_pool.v));
	boot_cspace_put(c, seL4_CapIOPortControl, cap_of_type(CAP_IOPORT_CONTROL));
	boot_cspace_put(c, seL4_CapDomain, cap_of_type(CAP_DOMAIN));
	boot_cspace_put(c, seL4_CapInitThreadSC,
	                object_create(seL4_SchedContextObject, s->sc, BOOT_TASK_SC_BITS, false));
	asid_init(s->asid_pool, s->pml4);

	s->bi->schedcontrol.start = c->next;
	for (uint32_t cpu = 0; cpu < s->in->machine->cpu_count; cpu++)
		boot_cspace_append(c, cap_sched_control_with_core(cap_of_type(CAP_SCHED_CONTROL), cpu));
	s->bi->schedcontrol.end = c->next;
}

/* ---- what is left, and the boot information ---- */

static void boot_task_module(struct boot_task_state *s, const struct boot_task_module *m)
{
	struct insula_bi_module b = {.paddr = m->start, .bytes = m->bytes, .untyped_start = s->cspace.next};

	boot_untyped_module(&s->cspace, m->start, m->bytes);
	b.untyped_end = s->cspace.next;
	boot_chunks_module(&s->chunks, &b, m->string);
}

static void boot_task_bootinfo(struct boot_task_state *s)
{
	struct boot_task *in = s->in;
	struct boot_chunks *c = &s->chunks;

	in->machine->memory_total = boot_memory_total(in->memory);
	in->machine->memory_kernel = boot_memory_kept(in->memory);
	boot_chunks_sel4(c, in->info, in->rsdp, in->machine->tsc_hz);
	boot_chunks_begin(c, INSULA_BOOTINFO_CMDLINE);
	boot_chunks_bytes(c, in->info->cmdline, strlen(in->info->cmdline) + 1);
	boot_chunks_zeros(c, (8 - c->used % 8) % 8);
	boot_chunks_end(c);
	boot_chunks_begin(c, INSULA_BOOTINFO_MACHINE);
	boot_chunks_bytes(c, in->machine, sizeof(*in->machine));
	boot_chunks_zeros(c, (8 - c->used % 8) % 8);
	boot_chunks_end(c);

	/* Bootinfo's Untypeds come first in the CNode, then those beyond its list, then modules'. */
	s->bi->untyped = boot_untyped_all(&s->cspace, in->memory, s->bi->untypedList, c);
	for (uint32_t i = 0; i < in->module_count; i++)
		boot_task_module(s, &in->modules[i]);
	INVARIANT(!c->failed);

	s->bi->extraLen = c->used;
	s->bi->numNodes = in->machine->cpu_count;
	s->bi->numIOPTLevels = UINT64_MAX;
	s->bi->ipcBuffer = in->image->ipc_buffer;
	s->bi->initThreadCNodeSizeBits = s->cnode_bits;
	s->bi->empty = (seL4_SlotRegion){s->cspace.next, s->cspace.size};
}

/* ---- the thread ---- */

static void boot_task_thread(struct boot_task_state *s)
{
	struct cte *slots = s->cspace.slots;
	struct tcb *t = window_kv(s->tcb);
	struct sched_context *sc = window_kv(s->sc);
	ticks_t slice = time_us_to_ticks(BOOT_TASK_SLICE_US);
	cap_t buffer = cap_frame_new(s->ipc_buffer, FRAME_4K, false, CAP_RIGHT_READ | CAP_RIGHT_WRITE);

	cte_insert(slots[seL4_CapInitThreadCNode].cap, &slots[seL4_CapInitThreadCNode], &t->slot[TCB_CSPACE]);
	cte_insert(slots[seL4_CapInitThreadVSpace].cap, &slots[seL4_CapInitThreadVSpace], &t->slot[TCB_VSPACE]);
	cte_insert(cap_frame_with_map(buffer, FRAME_KERNEL), &slots[seL4_CapInitThreadIPCBuffer],
	           &t->slot[TCB_IPC_BUFFER]);
	t->ipc_buffer = vaddr(s->in->image->ipc_buffer);
	t->ipc_buffer_kv = window_ref(s->ipc_buffer);
	t->ipc_buffer_writable = true;
	memcpy(t->name, "rootserver", sizeof("rootserver"));

	t->ctx.rip = t->ctx.restart_ip = s->in->image->elf.entry;
	t->ctx.rdi = s->in->image->bootinfo;
	sched_set_priority(t, seL4_MaxPrio);
	sched_set_mcp(t, seL4_MaxPrio);
	sched_control_configure(sc, percpu_self()->cpu, slice, slice, 0, 0, false);
	sched_set_state(t, THREAD_RUNNING);
	sched_context_bind_tcb(sc, t);
}

void boot_task_make(struct boot_task *t)
{
	struct boot_task_state s = {.in = t};

	boot_task_allocate(&s);
	boot_task_fixed(&s);
	boot_task_tables(&s);
	boot_task_frames(&s);
	if (!boot_memory_release(t->memory, t->release_start, t->release_end))
		boot_stop("the memory map is too fragmented");
	boot_task_bootinfo(&s);
	/* Users' memory from here on, not the kernel's. */
	window_unmap(s.bootinfo, PAGE_SIZE);
	window_unmap(s.extra, s.extra_bytes);
	boot_task_thread(&s);
}
