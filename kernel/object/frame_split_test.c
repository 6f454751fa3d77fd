// links: kernel/object/vspace.c kernel/object/vspace_walk.c kernel/object/vspace_split.c kernel/object/frame.c kernel/object/ept.c
// links: kernel/object/asid.c kernel/object/memory_fake.c kernel/arch/x86/virt/svm/svm_npt.c kernel/arch/x86/virt/vmx/vmx_ept.c
// links: kernel/cap/mdb.c kernel/cap/derive.c kernel/cap/delete.c kernel/cap/preempt.c kernel/cap/cnode.c
// links: kernel/cap/cnode_decode.c kernel/cap/untyped.c kernel/object/object.c kernel/api/error.c kernel/cap/cap_fake.c
/*
 * Deriving parts of frames and splitting frames: errors in their order, entries of both kinds of space
 * (second-level ones in the real formats of both vendors), what derived capabilities come to, interruption
 * after every step and what can be done in between.
 */
#include "object/memory_fake.h"
#include "arch/x86/cpu.h"
#include "arch/x86/mm/window.h"
#include "arch/x86/virt/svm/svm.h"
#include "arch/x86/virt/vmx/vmx.h"
#include "insula/ext.h"
#include "object/ept.h"
#include "object/frame.h"
#include "object/vspace.h"
#include "object/vspace_walk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define VA    0x12340000000ull
#define GPA   0x40000000ull
#define RW    (seL4_RightRead | seL4_RightWrite)
#define WB    6
#define WC    4
#define PARTS insula_FrameParts
#define BIG   (1ull << 21)
#define PAT   4
#define PCD   2

struct vmx_traits vmx_traits; /* of no account for entries */

static const struct virt_ops vendors[] = {
    {.name = "SVM",
     .ept_leaf = svm_npt_leaf,
     .ept_table = svm_npt_table,
     .ept_is_leaf = svm_npt_is_leaf,
     .ept_walk = svm_npt_walk,
     .ept_address = svm_npt_address,
     .ept_perm = svm_npt_perm,
     .ept_part = svm_npt_part},
    {.name = "VT-x",
     .ept_leaf = vmx_ept_leaf,
     .ept_table = vmx_ept_table,
     .ept_is_leaf = vmx_ept_is_leaf,
     .ept_walk = vmx_ept_walk,
     .ept_address = vmx_ept_address,
     .ept_perm = vmx_ept_perm,
     .ept_part = vmx_ept_part},
};

/* Root slots. A space of each kind with tables down to the level that holds large pages, a spare lower table,
 * a frame with a copy. */
static unsigned pml4, pt, ept, ept_pt, frame, memory, nodes[3];
enum { COPY = 40, COPY2 = 41, GRANT = 42, GRANT2 = 43, SPARE = 44, OTHER = 45 };

static void set_up(const struct virt_ops *vendor)
{
	unsigned t;

	virt = vendor;
	virt_features = INSULA_VIRT_HUGE_PAGES;
	fake_memory_reset();
	for (unsigned i = 0; i < 14; i++) /* away from the slots named above */
		fake_object(seL4_EndpointObject);
	pml4 = fake_object(seL4_X64_PML4Object);
	ept = fake_object(seL4_X86_EPTPML4Object);
	assert_int_equal(fake_invoke(FAKE_POOL, X86ASIDPoolAssign, pml4, 0, 0, NULL), EXC_NONE);
	assert_int_equal(fake_invoke(FAKE_POOL, X86ASIDPoolAssign, ept, 0, 0, NULL), EXC_NONE);
	t = fake_object(seL4_X86_PDPTObject);
	assert_int_equal(FAKE_INVOKE(t, X86PDPTMap, pml4, VA, 0), EXC_NONE);
	t = fake_object(seL4_X86_PageDirectoryObject);
	assert_int_equal(FAKE_INVOKE(t, X86PageDirectoryMap, pml4, VA, 0), EXC_NONE);
	t = fake_object(seL4_X86_EPTPDPTObject);
	assert_int_equal(FAKE_INVOKE(t, X86EPTPDPTMap, ept, GPA, 0), EXC_NONE);
	t = fake_object(seL4_X86_EPTPDObject);
	assert_int_equal(FAKE_INVOKE(t, X86EPTPDMap, ept, GPA, 0), EXC_NONE);
	pt = fake_object(seL4_X86_PageTableObject);
	ept_pt = fake_object(seL4_X86_EPTPTObject);
	for (unsigned i = 0; i < 3; i++) {
		nodes[i] = 100 + i;
		assert_int_equal(fake_retype(fake_root(FAKE_UT), seL4_CapTableObject, 9, nodes[i], 1),
				 EXC_NONE);
	}
	memory = 110;
	frame = 111;
	assert_int_equal(fake_retype(fake_root(FAKE_UT), seL4_UntypedObject, 21, memory, 1), EXC_NONE);
	assert_int_equal(fake_retype(fake_root(memory), seL4_X86_LargePageObject, 0, frame, 1), EXC_NONE);
	for (unsigned i = SPARE - 4; i <= OTHER; i++)
		cte_unlink(fake_root(i));
	fake_flush_pages = fake_flush_roots = fake_nested = 0;
}

static int setup(void **state)
{
	(void)state;
	set_up(&vendors[0]);
	return 0;
}

static exception_t split_in(unsigned slot, unsigned node, unsigned table)
{
	return fake_invoke(slot, InsulaFrameSplit, node, table, 3, (const word_t[]){0, 0, 0});
}

/* To the end. */
static void split(unsigned slot, unsigned node, unsigned table, word_t left)
{
	exception_t e;

	do
		e = split_in(slot, node, table);
	while (e == EXC_PREEMPTED);
	assert_int_equal(e, EXC_NONE);
	assert_int_equal(fake_result, left);
	assert_int_equal(cap_is_null(fake_root(slot)->cap), !left);
}

static struct cte *part(unsigned node, unsigned i)
{
	return (struct cte *)window_kv(cap_paddr(fake_root(node)->cap)) + i;
}

static exception_t derive(unsigned slot, unsigned dest, word_t rights, word_t offset, word_t bits)
{
	*fake_root(1) = (struct cte){.cap = fake_root_cap()};
	return fake_invoke(slot, InsulaFrameDerive, 1, 0, 5,
			   (const word_t[]){dest, FAKE_RADIX, rights, offset, bits});
}

static uint64_t base(void)
{
	return cap_paddr(fake_root(memory)->cap).v;
}

static uint64_t *vspace_entry(uint64_t va, unsigned level)
{
	unsigned missing;

	return vspace_walk(cap_paddr(fake_root(pml4)->cap), va, level, &missing);
}

static uint64_t *ept_entry(uint64_t gpa, unsigned level)
{
	uint64_t *t = window_kv(cap_paddr(fake_root(ept)->cap));

	for (unsigned l = 4; l > level; l--) {
		if (!t[vspace_index(gpa, l)] ||
		    virt->ept_is_leaf(t[vspace_index(gpa, l)], l))
			return NULL;
		t = window_kv(virt->ept_address(t[vspace_index(gpa, l)]));
	}
	return &t[vspace_index(gpa, level)];
}

static void map_vspace(unsigned slot, word_t rights, word_t attributes)
{
	assert_int_equal(FAKE_INVOKE(slot, X86PageMap, pml4, VA, rights, attributes), EXC_NONE);
}

static void map_ept(unsigned slot, word_t rights, word_t type)
{
	assert_int_equal(FAKE_INVOKE(slot, X86PageMapEPT, ept, GPA, rights, type), EXC_NONE);
}

/* ---- split: what it makes ---- */

static void vspace_mapping_becomes_one_of_parts(void **state)
{
	static const word_t kinds[][2] = {
	    {RW, 0}, {seL4_RightRead, PAT | insula_X86_ExecuteNever}, {RW, PCD | 1}, {0, 0}};

	(void)state;
	for (unsigned k = 0; k < ARRAY_SIZE(kinds); k++) {
		unsigned rights = (unsigned)kinds[k][0] & 3;

		set_up(&vendors[0]);
		map_vspace(frame, kinds[k][0], kinds[k][1]);
		split(frame, nodes[0], pt, 0);
		assert_int_equal(fake_flush_roots, 1);
		assert_true(vspace_is_table((pte_t){{*vspace_entry(VA, 2)}}, cap_paddr(fake_root(pt)->cap)));
		assert_true(cap_paging_is_mapped(fake_root(pt)->cap) &&
			    cap_paging_mapped(fake_root(pt)->cap) == VA);
		for (unsigned i = 0; i < PARTS; i++) {
			uint64_t at = (uint64_t)i << 12;
			cap_t c = part(nodes[0], i)->cap;

			assert_int_equal(*vspace_entry(VA + at, 1),
					 vspace_page_entry(paddr(base() + at), 1, rights, kinds[k][1]).w[0]);
			assert_int_equal(cap_type(c), CAP_FRAME);
			assert_int_equal(cap_frame_size(c), FRAME_4K);
			assert_int_equal(cap_frame_ptr(c), base() + at);
			assert_int_equal(cap_frame_map(c), FRAME_VSPACE);
			assert_int_equal(cap_frame_mapped(c), VA + at);
			assert_int_equal(cap_frame_rights(c), RW);
			assert_int_equal(cap_frame_split(c), 0);
			assert_true(cte_is_parent(fake_root(memory), part(nodes[0], i)));
			assert_true(mdb_revocable(part(nodes[0], i)->mdb));
		}
		cte_delete_one(part(nodes[0], 5));
		assert_int_equal(*vspace_entry(VA + 0x5000, 1), 0);
		assert_int_not_equal(*vspace_entry(VA + 0x6000, 1), 0);
		assert_int_equal(fake_flush_pages, 1);
	}
}

static void ept_mapping_becomes_one_of_parts(void **state)
{
	(void)state;
	for (unsigned v = 0; v < ARRAY_SIZE(vendors); v++)
		for (unsigned k = 0; k < 4; k++) {
			word_t type = k & 1 ? WC : WB, rights = k & 2 ? RW : seL4_RightRead;
			unsigned perm = EPT_READ | EPT_EXEC | (k & 2 ? EPT_WRITE : 0);

			set_up(&vendors[v]);
			map_ept(frame, rights, type);
			split(frame, nodes[0], ept_pt, 0);
			assert_int_equal(fake_nested, 1);
			assert_int_equal(*ept_entry(GPA, 2),
					 virt->ept_table(cap_paddr(fake_root(ept_pt)->cap)));
			for (unsigned i = 0; i < PARTS; i++) {
				uint64_t at = (uint64_t)i << 12;

				assert_int_equal(*ept_entry(GPA + at, 1),
						 virt->ept_leaf(paddr(base() + at), 1, perm, (unsigned)type));
				assert_int_equal(cap_frame_map(part(nodes[0], i)->cap), FRAME_EPT);
				assert_int_equal(cap_frame_mapped(part(nodes[0], i)->cap), GPA + at);
			}
			cte_delete_one(part(nodes[0], 511));
			assert_int_equal(*ept_entry(GPA + 511 * 4096, 1), 0);
			assert_int_not_equal(*ept_entry(GPA + 510 * 4096, 1), 0);
		}
}

/* 1 GiB into 2 MiB: a frame of a made-up device, in spaces without a PD. */
static void huge_frames(void **state)
{
	const uint64_t va = VA + (1ull << 39), gpa = 2ull << 39, p = 0x80000000;

	(void)state;
	for (unsigned v = 0; v < ARRAY_SIZE(vendors); v++) {
		unsigned pdpt, pd, ept_pdpt, ept_pd;

		set_up(&vendors[v]);
		pdpt = fake_object(seL4_X86_PDPTObject);
		pd = fake_object(seL4_X86_PageDirectoryObject);
		ept_pdpt = fake_object(seL4_X86_EPTPDPTObject);
		ept_pd = fake_object(seL4_X86_EPTPDObject);
		assert_int_equal(FAKE_INVOKE(pdpt, X86PDPTMap, pml4, ALIGN_DOWN(va, 30), 0), EXC_NONE);
		assert_int_equal(FAKE_INVOKE(ept_pdpt, X86EPTPDPTMap, ept, gpa, 0), EXC_NONE);
		cte_insert_root(fake_root(SPARE), cap_frame_new(paddr(p), FRAME_1G, true, RW));
		assert_int_equal(fake_copy(COPY, SPARE), EXC_NONE);
		assert_int_equal(FAKE_INVOKE(SPARE, X86PageMap, pml4, ALIGN_DOWN(va, 30), RW, PAT), EXC_NONE);
		assert_int_equal(FAKE_INVOKE(COPY, X86PageMapEPT, ept, gpa, RW, WC), EXC_NONE);
		fake_failed(split_in(SPARE, nodes[0], pt), seL4_InvalidCapability, 2);
		fake_failed(split_in(COPY, nodes[0], ept_pt), seL4_InvalidCapability, 2);
		fake_failed(split_in(COPY, nodes[0], pd), seL4_InvalidCapability, 2);
		split(COPY, nodes[0], ept_pd, 0);
		split(SPARE, nodes[1], pd, 0);
		for (unsigned i = 0; i < PARTS; i++) {
			uint64_t at = i * BIG;

			assert_int_equal(*vspace_entry(ALIGN_DOWN(va, 30) + at, 2),
					 vspace_page_entry(paddr(p + at), 2, RW, PAT).w[0]);
			assert_int_equal(
			    *ept_entry(gpa + at, 2),
			    virt->ept_leaf(paddr(p + at), 2, EPT_READ | EPT_WRITE | EPT_EXEC, WC));
			assert_int_equal(cap_frame_size(part(nodes[1], i)->cap), FRAME_2M);
			assert_true(cap_frame_device(part(nodes[1], i)->cap));
			assert_true(cte_first_child(part(nodes[1], i)) == part(nodes[0], i));
		}
		/* and one of the parts once more */
		fake_root(OTHER)->cap = cap_null();
		cte_move(part(nodes[1], 3)->cap, part(nodes[1], 3), fake_root(OTHER));
		split(OTHER, nodes[2], pt, 1); /* the copy is as large */
		assert_int_equal(*vspace_entry(ALIGN_DOWN(va, 30) + 3 * BIG + 0x1000, 1),
				 vspace_page_entry(paddr(p + 3 * BIG + 0x1000), 1, RW, PAT).w[0]);
	}
}

static void unmapped_frame_needs_no_table(void **state)
{
	(void)state;
	split(frame, nodes[0], 0, 0);
	for (unsigned i = 0; i < PARTS; i++)
		assert_int_equal(cap_frame_map(part(nodes[0], i)->cap), FRAME_UNMAPPED);
	/* whole again: through the Untyped, once nothing is left of it */
	for (unsigned i = 0; i < PARTS; i++) {
		fake_failed(fake_retype(fake_root(memory), seL4_X86_LargePageObject, 0, frame, 1),
			    seL4_NotEnoughMemory, 0);
		cte_delete_one(part(nodes[0], i));
	}
	assert_int_equal(fake_retype(fake_root(memory), seL4_X86_LargePageObject, 0, frame, 1), EXC_NONE);
}

static void a_stale_mapping_is_none(void **state)
{
	(void)state;
	map_vspace(frame, RW, 0);
	*vspace_entry(VA, 2) = 0; /* as after the table above it was taken out, and another mapped there */
	split(frame, nodes[0], 0, 0);
	assert_int_equal(cap_frame_map(part(nodes[0], 0)->cap), FRAME_UNMAPPED);
	assert_false(cap_paging_is_mapped(fake_root(pt)->cap));

	set_up(&vendors[1]);
	map_ept(frame, RW, WB);
	assert_int_equal(fake_delete(ept), EXC_NONE); /* its ASID names nothing */
	split(frame, nodes[0], 0, 0);
	assert_int_equal(cap_frame_map(part(nodes[0], 0)->cap), FRAME_UNMAPPED);
	assert_int_equal(cap_frame_asid(part(nodes[0], 0)->cap), 0);
}

/* ---- split: errors ---- */

static void split_errors(void **state)
{
	unsigned page = fake_object(seL4_X86_4K);

	(void)state;
	map_vspace(frame, RW, 0);
	fake_failed(fake_invoke(frame, InsulaFrameSplit, nodes[0], pt, 2, (const word_t[]){0, 0}),
		    seL4_TruncatedMessage, 0);
	fake_failed(split_in(frame, 0, pt), seL4_TruncatedMessage, 0);
	fake_failed(split_in(page, nodes[0], pt), seL4_IllegalOperation, 0);
	fake_missing(split_in(frame, page, pt), 0); /* no CNode */
	fake_failed(fake_invoke(frame, InsulaFrameSplit, nodes[0], pt, 3, (const word_t[]){0, 65, 0}),
		    seL4_RangeError, 0);
	fake_failed(fake_invoke(frame, InsulaFrameSplit, nodes[0], pt, 3, (const word_t[]){0, 0, 512}),
		    seL4_RangeError, 0);
	assert_int_equal(percpu_host->error.arg[1], 511);
	fake_failed(fake_invoke(frame, InsulaFrameSplit, nodes[0], pt, 3, (const word_t[]){0, 0, 1}),
		    seL4_RangeError, 0);
	assert_int_equal(percpu_host->error.arg[0], 1);
	assert_int_equal(percpu_host->error.arg[1], 511);
	cte_insert(fake_root(page)->cap, fake_root(page), part(nodes[0], 511));
	fake_failed(split_in(frame, nodes[0], pt), seL4_DeleteFirst, 0);
	cte_unlink(part(nodes[0], 511));
	fake_failed(split_in(frame, nodes[0], 0), seL4_TruncatedMessage, 0);
	fake_failed(split_in(frame, nodes[0], ept_pt), seL4_InvalidCapability, 2);
	fake_failed(split_in(frame, nodes[0], frame), seL4_InvalidCapability, 2);
	assert_int_equal(FAKE_INVOKE(pt, X86PageTableMap, pml4, VA + BIG, 0), EXC_NONE);
	fake_failed(split_in(frame, nodes[0], pt), seL4_InvalidCapability, 2);
	/* nothing was changed by any of these */
	assert_true(pte_large((pte_t){{*vspace_entry(VA, 2)}}));
	assert_int_equal(cap_frame_split(fake_root(frame)->cap), 0);
	assert_int_equal(fake_flush_roots, 0);
}

/* ---- split: what is derived ---- */

static void copies_first_then_the_frame(void **state)
{
	(void)state;
	assert_int_equal(fake_copy(COPY, frame), EXC_NONE);
	assert_int_equal(fake_copy(COPY2, frame), EXC_NONE);
	map_vspace(COPY, RW, 0);
	map_ept(COPY2, RW, WB);
	assert_int_equal(derive(COPY, GRANT, RW, 7 << 12, 12), EXC_NONE);
	assert_int_equal(derive(frame, GRANT2, RW, 8 << 12, 12), EXC_NONE);
	assert_int_equal(fake_copy(SPARE, GRANT), EXC_NONE);
	split(COPY, nodes[0], pt, 0);
	split(COPY2, nodes[1], ept_pt, 0);
	split(frame, nodes[2], 0, 0);
	assert_true(cte_first_child(part(nodes[0], 7)) == fake_root(GRANT));
	assert_true(cte_first_child(fake_root(GRANT)) == fake_root(SPARE));
	for (unsigned i = 0; i < PARTS;
	     i++) { /* a page given back: gone from everywhere, its neighbours stay */
		uint64_t at = (uint64_t)i << 12;

		assert_int_not_equal(*vspace_entry(VA + at, 1), 0);
		assert_int_not_equal(*ept_entry(GPA + at, 1), 0);
		assert_false(cap_is_null(fake_root(i <= 7 ? GRANT : GRANT2)->cap) && i <= 8);
		assert_int_equal(cte_revoke(part(nodes[2], i)), EXC_NONE);
		assert_int_equal(*vspace_entry(VA + at, 1), 0);
		assert_int_equal(*ept_entry(GPA + at, 1), 0);
		assert_true(cap_is_null(part(nodes[0], i)->cap) && cap_is_null(part(nodes[1], i)->cap));
		assert_int_equal(cap_is_null(fake_root(GRANT)->cap), i >= 7);
		assert_int_equal(cap_is_null(fake_root(SPARE)->cap), i >= 7);
		assert_int_equal(cap_is_null(fake_root(GRANT2)->cap), i >= 8);
		assert_false(cap_is_null(part(nodes[2], i)->cap));
	}
}

static void the_frame_first_waits_for_its_copies(void **state)
{
	(void)state;
	assert_int_equal(fake_copy(COPY, frame), EXC_NONE);
	map_ept(COPY, RW, WB);
	split(frame, nodes[0], 0, 1);
	assert_true(cte_first_child(fake_root(frame)) == fake_root(COPY));
	/* it stands for nothing any more, and nothing can be done with it but to go on */
	fake_failed(fake_copy(COPY2, frame), seL4_IllegalOperation, 0);
	fake_failed(FAKE_INVOKE(frame, X86PageMap, pml4, VA, RW, 0), seL4_IllegalOperation, 0);
	fake_failed(FAKE_INVOKE(frame, X86PageMapEPT, ept, GPA, RW, WB), seL4_IllegalOperation, 0);
	fake_failed(derive(frame, COPY2, RW, 0, 12), seL4_IllegalOperation, 0);
	split(frame, nodes[0], 0, 1);
	split(COPY, nodes[1], ept_pt, 0);
	split(frame, nodes[0], 0, 0);
	for (unsigned i = 0; i < PARTS; i++)
		assert_true(cte_first_child(part(nodes[0], i)) == part(nodes[1], i));
}

static void a_part_elsewhere_gets_nothing(void **state)
{
	(void)state;
	assert_int_equal(derive(frame, GRANT, RW, 9 << 12, 12), EXC_NONE);
	assert_int_equal(fake_copy(COPY, frame), EXC_NONE);
	split(frame, nodes[0], 0, 1);
	assert_int_equal(fake_delete(COPY), EXC_NONE);
	cte_swap(part(nodes[0], 9)->cap, part(nodes[0], 9), part(nodes[0], 10)->cap, part(nodes[0], 10));
	split(frame, nodes[0], 0, 1);
	split(frame, nodes[1], 0, 1); /* empty slots */
	assert_true(cte_first_child(fake_root(frame)) == fake_root(GRANT));
	cte_swap(part(nodes[0], 9)->cap, part(nodes[0], 9), part(nodes[0], 10)->cap, part(nodes[0], 10));
	split(frame, nodes[0], 0, 0);
	assert_true(cte_first_child(part(nodes[0], 9)) == fake_root(GRANT));
}

/* ---- split: interrupted ---- */

/* One call that is interrupted at its first look, which comes after `phase` more units of work than the last
 * time. */
static exception_t one_step(unsigned phase, unsigned table)
{
	for (unsigned i = 0; i < phase; i++)
		preempt_point(1);
	return split_in(frame, nodes[0], table);
}

/* Every page is mapped, and is either its part's or the large frame's. */
static void check_between(bool in_ept)
{
	cap_t whole = fake_root(frame)->cap;
	unsigned done = (unsigned)cap_frame_split(whole) - 1;

	assert_true(cap_frame_split(whole) != 0 && done <= PARTS);
	for (unsigned i = 0; i < PARTS; i++) {
		uint64_t at = (uint64_t)i << 12;

		assert_int_equal(cap_is_null(part(nodes[0], i)->cap), i >= done);
		if (in_ept)
			assert_int_equal(virt->ept_address(*ept_entry(GPA + at, 1)).v, base() + at);
		else
			assert_true(
			    vspace_is_page((pte_t){{*vspace_entry(VA + at, 1)}}, 1, paddr(base() + at)));
	}
	fake_check_list(fake_root(memory));
}

static unsigned mapped_pages(bool in_ept)
{
	unsigned n = 0;

	for (unsigned i = 0; i < PARTS; i++)
		n += (in_ept ? *ept_entry(GPA + ((uint64_t)i << 12), 1)
			     : *vspace_entry(VA + ((uint64_t)i << 12), 1)) != 0;
	return n;
}

/*
 * Two capabilities to the whole as deep in the tree, below owners of which one allows writing and the other
 * does not. What is derived from the first does not come to the parts of the second, where the first owner's
 * revoke would not find it.
 */
static void parts_of_another_get_nothing(void **state)
{
	(void)state;
	assert_int_equal(fake_copy(COPY, frame), EXC_NONE);
	assert_int_equal(FAKE_CNODE(CNodeCopy, COPY2, FAKE_RADIX, frame, FAKE_RADIX, seL4_RightRead),
			 EXC_NONE);
	assert_int_equal(derive(COPY, GRANT, RW, 0, 21), EXC_NONE);
	assert_int_equal(derive(COPY2, GRANT2, RW, 0, 21), EXC_NONE);
	split(GRANT2, nodes[1], 0, 0);
	assert_int_equal(derive(GRANT, SPARE, RW, 7 << 12, 12), EXC_NONE);
	assert_int_equal(fake_copy(OTHER, GRANT), EXC_NONE); /* before it in the list */
	split(GRANT, nodes[0], 0, 1);
	assert_int_equal(fake_delete(OTHER), EXC_NONE);
	split(GRANT, nodes[1], 0, 1);
	assert_false(cte_has_children(part(nodes[1], 7)));
	assert_int_equal(fake_revoke(COPY), EXC_NONE);
	assert_true(cap_is_null(fake_root(SPARE)->cap) && cap_is_null(part(nodes[0], 7)->cap));
	assert_false(cap_is_null(part(nodes[1], 7)->cap));
}

static void interrupted_anywhere(void **state)
{
	(void)state;
	for (unsigned phase = 0; phase < 100; phase += 9)
		for (unsigned in_ept = 0; in_ept < 2; in_ept++) {
			unsigned steps = 0;
			exception_t e;

			set_up(&vendors[phase & 1]);
			assert_int_equal(derive(frame, GRANT, RW, 400 << 12, 12), EXC_NONE);
			if (in_ept)
				map_ept(frame, RW, WB);
			else
				map_vspace(frame, RW, 0);
			fake_poll_every = 1;
			while ((e = one_step(phase, in_ept ? ept_pt : pt)) == EXC_PREEMPTED) {
				check_between(in_ept);
				steps++;
			}
			assert_int_equal(e, EXC_NONE);
			assert_true(steps >= 6 && fake_result == 0);
			assert_int_equal(mapped_pages(in_ept), PARTS);
			assert_true(cte_first_child(part(nodes[0], 400)) == fake_root(GRANT));
			fake_poll_every = 0;
			assert_int_equal(fake_revoke(memory), EXC_NONE);
			assert_int_equal(mapped_pages(in_ept), 0);
		}
}

/* After each number of steps: the large frame deleted; unmapped, and gone on with; everything revoked; the
 * table deleted. */
static void abandoned_halfway(void **state)
{
	(void)state;
	for (unsigned steps = 1; steps < 6; steps++)
		for (unsigned what = 0; what < 8; what++) {
			bool in_ept = what & 1;
			unsigned done, table;

			set_up(&vendors[steps & 1]);
			table = in_ept ? ept_pt : pt;
			if (in_ept)
				map_ept(frame, RW, WB);
			else
				map_vspace(frame, RW, 0);
			fake_poll_every = 1;
			for (unsigned i = 0; i < steps; i++)
				assert_int_equal(split_in(frame, nodes[0], table), EXC_PREEMPTED);
			fake_poll_every = 0;
			done = (unsigned)cap_frame_split(fake_root(frame)->cap) - 1;
			assert_int_equal(done, (steps - 1) * PREEMPT_UNITS);
			switch (what / 2) {
			case 0:
				assert_int_equal(fake_delete(frame), EXC_NONE);
				assert_int_equal(mapped_pages(in_ept), done);
				break;
			case 1:
				assert_int_equal(fake_invoke(frame, X86PageUnmap, 0, 0, 0, NULL), EXC_NONE);
				assert_int_equal(mapped_pages(in_ept), done);
				split(frame, nodes[0], 0, 0);
				assert_int_equal(mapped_pages(in_ept), done);
				assert_int_equal(cap_frame_map(part(nodes[0], done)->cap), FRAME_UNMAPPED);
				break;
			case 2:
				assert_int_equal(fake_revoke(memory), EXC_NONE);
				assert_int_equal(mapped_pages(in_ept), 0);
				assert_int_equal(
				    fake_retype(fake_root(memory), seL4_X86_LargePageObject, 0, frame, 1),
				    EXC_NONE);
				break;
			default:
				assert_int_equal(fake_delete(table), EXC_NONE);
				split(frame, nodes[0], 0, 0);
				for (unsigned i = 0; i < PARTS; i++)
					cte_delete_one(part(nodes[0], i)); /* finds nothing to unmap */
				assert_int_equal(
				    fake_retype(fake_root(memory), seL4_X86_LargePageObject, 0, frame, 1),
				    EXC_NONE);
				break;
			}
			fake_check_list(fake_root(FAKE_UT));
		}
}

/* ---- derive ---- */

static void derive_errors(void **state)
{
	(void)state;
	*fake_root(1) = (struct cte){.cap = fake_root_cap()};
	fake_failed(
	    fake_invoke(frame, InsulaFrameDerive, 1, 0, 4, (const word_t[]){GRANT, FAKE_RADIX, RW, 0}),
	    seL4_TruncatedMessage, 0);
	fake_failed(
	    fake_invoke(frame, InsulaFrameDerive, 0, 0, 5, (const word_t[]){GRANT, FAKE_RADIX, RW, 0, 12}),
	    seL4_TruncatedMessage, 0);
	fake_failed(derive(frame, GRANT, RW, 0, 13), seL4_InvalidArgument, 4);
	fake_failed(derive(frame, GRANT, RW, 0, 30), seL4_InvalidArgument, 4); /* larger than the frame */
	fake_failed(derive(frame, GRANT, RW, 0x800, 12), seL4_AlignmentError, 0);
	fake_failed(derive(frame, GRANT, RW, 0x1000, 21), seL4_AlignmentError, 0);
	fake_failed(derive(frame, GRANT, RW, BIG, 12), seL4_RangeError, 0);
	assert_int_equal(percpu_host->error.arg[0], 0);
	assert_int_equal(percpu_host->error.arg[1], BIG - 4096);
	fake_failed(derive(frame, GRANT, RW, ~0xfffull, 12), seL4_RangeError, 0);
	fake_failed(derive(frame, 1u << FAKE_RADIX | 1, RW, 0, 12), seL4_DeleteFirst,
		    0); /* index 1 in eight bits: in use */
	fake_failed(derive(frame, frame, RW, 0, 12), seL4_DeleteFirst, 0);
	fake_failed(fake_invoke(frame, InsulaFrameDerive, frame, 0, 5,
				(const word_t[]){GRANT, FAKE_RADIX, RW, 0, 12}),
		    seL4_FailedLookup, 0);
	assert_int_equal(percpu_host->error.lookup.type, seL4_InvalidRoot);
	assert_true(cap_is_null(fake_root(GRANT)->cap));
	assert_false(cte_has_children(fake_root(frame)));
}

static void derived_parts(void **state)
{
	cap_t c;

	(void)state;
	map_vspace(frame, RW, 0);
	assert_int_equal(derive(frame, GRANT, RW, 0x5000, 12), EXC_NONE);
	c = fake_root(GRANT)->cap;
	assert_int_equal(cap_frame_ptr(c), base() + 0x5000);
	assert_int_equal(cap_frame_size(c), FRAME_4K);
	assert_int_equal(cap_frame_map(c), FRAME_UNMAPPED);
	assert_int_equal(cap_frame_rights(c), RW);
	/* rights only ever shrink, and write alone is none */
	assert_int_equal(derive(GRANT, GRANT2, seL4_RightRead, 0, 12), EXC_NONE);
	assert_int_equal(cap_frame_rights(fake_root(GRANT2)->cap), CAP_RIGHT_READ);
	assert_int_equal(derive(GRANT2, SPARE, 15, 0, 12), EXC_NONE);
	assert_int_equal(cap_frame_rights(fake_root(SPARE)->cap), CAP_RIGHT_READ);
	assert_int_equal(derive(GRANT, OTHER, seL4_RightWrite, 0, 12), EXC_NONE);
	assert_int_equal(cap_frame_rights(fake_root(OTHER)->cap), 0);
	/* a mapping of it goes with the parent's revoke; the parent's own stays */
	assert_int_equal(FAKE_INVOKE(pt, X86PageTableMap, pml4, VA + BIG, 0), EXC_NONE);
	assert_int_equal(FAKE_INVOKE(SPARE, X86PageMap, pml4, VA + BIG, RW, 0), EXC_NONE);
	assert_false(pte_write((pte_t){{*vspace_entry(VA + BIG, 1)}}));
	assert_int_equal(fake_revoke(GRANT), EXC_NONE);
	assert_int_equal(*vspace_entry(VA + BIG, 1), 0);
	assert_true(cap_is_null(fake_root(SPARE)->cap) && cap_is_null(fake_root(GRANT2)->cap) &&
		    cap_is_null(fake_root(OTHER)->cap));
	assert_false(cap_is_null(fake_root(GRANT)->cap));
	assert_true(pte_large((pte_t){{*vspace_entry(VA, 2)}}));
	/* the whole as a child: its own copies are below it, and go with it */
	assert_int_equal(derive(frame, COPY, RW, 0, 21), EXC_NONE);
	assert_int_equal(fake_copy(COPY2, COPY), EXC_NONE);
	assert_int_equal(fake_revoke(COPY), EXC_NONE);
	assert_true(cap_is_null(fake_root(COPY2)->cap) && !cap_is_null(fake_root(GRANT)->cap));
	assert_int_equal(fake_revoke(frame), EXC_NONE);
	assert_true(cap_is_null(fake_root(COPY)->cap) && cap_is_null(fake_root(GRANT)->cap));
}

static void levels_are_limited(void **state)
{
	unsigned from = frame, to = GRANT;
	exception_t e;

	(void)state;
	for (unsigned i = 0; (e = derive(from, to, RW, 0, 12)) == EXC_NONE; i++) {
		assert_true(i < 62);
		from = to;
		to = to == GRANT ? 150 : to + 1;
	}
	fake_failed(e, seL4_IllegalOperation, 0);
	assert_int_equal(fake_copy(to, from), EXC_NONE);
	assert_int_equal(fake_revoke(GRANT), EXC_NONE);
	assert_true(cap_is_null(fake_root(to)->cap));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(vspace_mapping_becomes_one_of_parts, setup),
	    cmocka_unit_test_setup(ept_mapping_becomes_one_of_parts, setup),
	    cmocka_unit_test_setup(huge_frames, setup),
	    cmocka_unit_test_setup(unmapped_frame_needs_no_table, setup),
	    cmocka_unit_test_setup(a_stale_mapping_is_none, setup),
	    cmocka_unit_test_setup(split_errors, setup),
	    cmocka_unit_test_setup(copies_first_then_the_frame, setup),
	    cmocka_unit_test_setup(the_frame_first_waits_for_its_copies, setup),
	    cmocka_unit_test_setup(a_part_elsewhere_gets_nothing, setup),
	    cmocka_unit_test_setup(parts_of_another_get_nothing, setup),
	    cmocka_unit_test_setup(interrupted_anywhere, setup),
	    cmocka_unit_test_setup(abandoned_halfway, setup),
	    cmocka_unit_test_setup(derive_errors, setup),
	    cmocka_unit_test_setup(derived_parts, setup),
	    cmocka_unit_test_setup(levels_are_limited, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
