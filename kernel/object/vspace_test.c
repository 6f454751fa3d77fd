// links: kernel/object/vspace_walk.c kernel/object/frame.c kernel/object/frame_split.c kernel/object/vspace_split.c kernel/object/asid.c kernel/object/ept.c
// links: kernel/object/memory_fake.c kernel/cap/mdb.c kernel/cap/derive.c kernel/cap/delete.c
// links: kernel/cap/preempt.c kernel/cap/cnode.c kernel/cap/cnode_decode.c kernel/cap/untyped.c
// links: kernel/object/object.c kernel/api/error.c kernel/cap/cap_fake.c
/* VSpaces, frames, ASIDs: every error in seL4's order, entries bit by bit, stale mappings, deletion. */
#include "object/memory_fake.h"
#include "arch/x86/cpu.h"
#include "arch/x86/mm/user_tables.h"
#include "insula/ext.h"
#include "object/tcb.h"
#include "object/vspace.h"
#include "object/vspace_walk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define VA 0x12345678000ull
#define RW (seL4_RightRead | seL4_RightWrite)

static unsigned pml4, pdpt, pd, pt, frame;

static int setup(void **state)
{
	(void)state;
	fake_memory_reset();
	pml4 = fake_object(seL4_X64_PML4Object);
	pdpt = fake_object(seL4_X86_PDPTObject);
	pd = fake_object(seL4_X86_PageDirectoryObject);
	pt = fake_object(seL4_X86_PageTableObject);
	frame = fake_object(seL4_X86_4K);
	assert_int_equal(fake_invoke(FAKE_POOL, X86ASIDPoolAssign, pml4, 0, 0, NULL), EXC_NONE);
	return 0;
}

static void map_tables(uint64_t va)
{
	assert_int_equal(FAKE_INVOKE(pdpt, X86PDPTMap, pml4, va, 0), EXC_NONE);
	assert_int_equal(FAKE_INVOKE(pd, X86PageDirectoryMap, pml4, va, 0), EXC_NONE);
	assert_int_equal(FAKE_INVOKE(pt, X86PageTableMap, pml4, va, 0), EXC_NONE);
}

static pte_t entry(unsigned space, uint64_t va, unsigned level)
{
	unsigned missing;
	uint64_t *e = vspace_walk(cap_paddr(fake_root(space)->cap), va, level, &missing);

	return (pte_t){{e ? *e : 0}};
}

static uint64_t address(unsigned slot)
{
	return cap_paddr(fake_root(slot)->cap).v;
}

/* A large frame of a made-up device: never touched. */
static unsigned large_frame(enum frame_size size, uint64_t p)
{
	static unsigned next = 10;
	unsigned slot = next;

	next = next == 15 ? 10 : next + 1;
	fake_root(slot)->cap = cap_null();
	cte_insert_root(fake_root(slot), cap_frame_new(paddr(p), size, true, RW));
	return slot;
}

static void new_root_has_the_kernel_half(void **state)
{
	uint64_t *root = window_kv(cap_paddr(fake_root(pml4)->cap));

	(void)state;
	for (unsigned i = 0; i < 512; i++)
		assert_int_equal(root[i], i < 256 ? 0 : fake_kernel_half[i]);
}

static void levels_missing_are_reported(void **state)
{
	unsigned big = large_frame(FRAME_2M, 0x80000000), huge = large_frame(FRAME_1G, 0x80000000);

	(void)state;
	fake_missing(FAKE_INVOKE(frame, X86PageMap, pml4, VA, RW, 0), 39);
	fake_missing(FAKE_INVOKE(big, X86PageMap, pml4, ALIGN_DOWN(VA, 21), RW, 0), 39);
	fake_missing(FAKE_INVOKE(huge, X86PageMap, pml4, ALIGN_DOWN(VA, 30), RW, 0), 39);
	fake_missing(FAKE_INVOKE(pt, X86PageTableMap, pml4, VA, 0), 39);
	fake_missing(FAKE_INVOKE(pd, X86PageDirectoryMap, pml4, VA, 0), 39);
	assert_int_equal(FAKE_INVOKE(pdpt, X86PDPTMap, pml4, VA, 0), EXC_NONE);
	fake_missing(FAKE_INVOKE(frame, X86PageMap, pml4, VA, RW, 0), 30);
	fake_missing(FAKE_INVOKE(pt, X86PageTableMap, pml4, VA, 0), 30);
	assert_int_equal(FAKE_INVOKE(pd, X86PageDirectoryMap, pml4, VA, 0), EXC_NONE);
	fake_missing(FAKE_INVOKE(frame, X86PageMap, pml4, VA, RW, 0), 21);
	/* a large page in the way is as good as nothing */
	assert_int_equal(FAKE_INVOKE(big, X86PageMap, pml4, ALIGN_DOWN(VA, 21), RW, 0), EXC_NONE);
	fake_missing(FAKE_INVOKE(frame, X86PageMap, pml4, VA, RW, 0), 21);
	fake_failed(FAKE_INVOKE(pt, X86PageTableMap, pml4, VA, 0), seL4_DeleteFirst, 0);
}

static void tables_map_errors(void **state)
{
	unsigned other = fake_object(seL4_X64_PML4Object), pd2 = fake_object(seL4_X86_PageDirectoryObject);

	(void)state;
	fake_failed(FAKE_INVOKE(pdpt, X86PDPTMap, pml4, VA), seL4_TruncatedMessage, 0);
	fake_failed(FAKE_INVOKE(pdpt, X86PDPTMap, 0, VA, 0), seL4_TruncatedMessage, 0);
	fake_failed(FAKE_INVOKE(pdpt, X86PDPTMap, frame, VA, 0), seL4_InvalidCapability, 1);
	fake_failed(FAKE_INVOKE(pdpt, X86PDPTMap, other, VA, 0), seL4_InvalidCapability, 1); /* no ASID */
	fake_failed(FAKE_INVOKE(pdpt, X86PDPTMap, pml4, BIT(47), 0), seL4_InvalidArgument, 0);
	fake_failed(FAKE_INVOKE(pdpt, X86PDPTMap, pml4, 0xffff800000000000, 0), seL4_InvalidArgument, 0);
	fake_failed(FAKE_INVOKE(pdpt, X86PageTableMap, pml4, VA, 0), seL4_IllegalOperation, 0);
	fake_failed(FAKE_INVOKE(pml4, X86PDPTMap, pml4, VA, 0), seL4_IllegalOperation, 0);
	map_tables(VA);
	fake_failed(FAKE_INVOKE(pd, X86PageDirectoryMap, pml4, VA, 0), seL4_InvalidCapability, 0);
	fake_failed(FAKE_INVOKE(pd2, X86PageDirectoryMap, pml4, VA, 0), seL4_DeleteFirst, 0);
	assert_int_equal(FAKE_INVOKE(pd2, X86PageDirectoryMap, pml4, VA ^ BIT(30), 3), EXC_NONE);
	assert_int_equal(cap_paging_mapped(fake_root(pd2)->cap), ALIGN_DOWN(VA ^ BIT(30), 30));
	assert_true(pte_pwt(entry(pml4, VA ^ BIT(30), 3)) && pte_pcd(entry(pml4, VA ^ BIT(30), 3)));
	assert_true(vspace_is_table(entry(pml4, VA, 2), paddr(address(pt))));
}

static void page_entries(void **state)
{
	static const struct {
		word_t rights, attr;
		bool user, write, nx;
	} cases[] = {
	    {RW, 0, true, true, false},
	    {seL4_RightRead, insula_X86_ExecuteNever, true, false, true},
	    {seL4_RightWrite, 0, false, false, true},
	    {0, 0, false, false, true},
	    {15, 1, true, true, false},
	    {RW, 4, true, true, false},
	    {RW, 7 | insula_X86_ExecuteNever, true, true, true},
	};

	(void)state;
	map_tables(VA);
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		pte_t e;

		assert_int_equal(FAKE_INVOKE(frame, X86PageMap, pml4, VA, cases[i].rights, cases[i].attr),
				 EXC_NONE);
		e = entry(pml4, VA, 1);
		assert_int_equal(pte_base(e), address(frame));
		assert_int_equal(pte_user(e), cases[i].user);
		assert_int_equal(pte_write(e), cases[i].write);
		assert_int_equal(pte_nx(e), cases[i].nx);
		assert_int_equal(pte_pwt(e), cases[i].attr & 1);
		assert_int_equal(pte_pcd(e), cases[i].attr >> 1 & 1);
		assert_int_equal(pte_small_pat(e), cases[i].attr >> 2 & 1);
		assert_int_equal(fake_flush_pages, i); /* only where one was replaced */
	}
	assert_int_equal(FAKE_INVOKE(frame, X86PageGetAddress, 0, 0), EXC_NONE);
	assert_int_equal(fake_result, address(frame));
	assert_int_equal(FAKE_INVOKE(frame, X86PageUnmap, 0, 0), EXC_NONE);
	assert_int_equal(entry(pml4, VA, 1).w[0], 0);
	assert_int_equal(cap_frame_map(fake_root(frame)->cap), FRAME_UNMAPPED);
	assert_int_equal(FAKE_INVOKE(frame, X86PageUnmap, 0, 0), EXC_NONE);
}

static void read_only_capability_stays_read_only(void **state)
{
	(void)state;
	map_tables(VA);
	fake_root(frame)->cap = cap_frame_with_rights(fake_root(frame)->cap, CAP_RIGHT_READ);
	assert_int_equal(FAKE_INVOKE(frame, X86PageMap, pml4, VA, RW, 0), EXC_NONE);
	assert_false(pte_write(entry(pml4, VA, 1)));
	assert_true(pte_user(entry(pml4, VA, 1)));
}

static void remapping_a_capability(void **state)
{
	unsigned other = fake_object(seL4_X64_PML4Object), root2 = fake_object(seL4_X64_PML4Object);

	(void)state;
	assert_int_equal(fake_invoke(FAKE_POOL, X86ASIDPoolAssign, other, 0, 0, NULL), EXC_NONE);
	map_tables(VA);
	assert_int_equal(FAKE_INVOKE(frame, X86PageMap, pml4, VA, RW, 0), EXC_NONE);
	fake_failed(FAKE_INVOKE(frame, X86PageMap, root2, VA, RW, 0), seL4_InvalidCapability, 1);
	fake_failed(FAKE_INVOKE(frame, X86PageMap, other, VA, RW, 0), seL4_InvalidCapability, 1);
	fake_failed(FAKE_INVOKE(frame, X86PageMap, pml4, VA + 0x1000, RW, 0), seL4_InvalidArgument, 0);
	fake_failed(FAKE_INVOKE(frame, X86PageMap, pml4, VA, RW), seL4_TruncatedMessage, 0);
	assert_int_equal(FAKE_INVOKE(frame, X86PageMap, pml4, VA, seL4_RightRead, 0), EXC_NONE);
	assert_false(pte_write(entry(pml4, VA, 1)));
}

static void addresses_and_alignment(void **state)
{
	unsigned big = large_frame(FRAME_2M, 0x80000000);

	(void)state;
	fake_failed(FAKE_INVOKE(frame, X86PageMap, pml4, BIT(47), RW, 0), seL4_InvalidArgument, 0);
	fake_failed(FAKE_INVOKE(frame, X86PageMap, pml4, UINT64_MAX - 0xfff, RW, 0), seL4_InvalidArgument, 0);
	fake_failed(FAKE_INVOKE(frame, X86PageMap, pml4, 0x7ffffffff000, RW, 0), seL4_InvalidArgument, 0);
	fake_failed(FAKE_INVOKE(big, X86PageMap, pml4, 0x7fffffe00000, RW, 0), seL4_InvalidArgument, 0);
	fake_missing(FAKE_INVOKE(frame, X86PageMap, pml4, 0x7fffffffe000, RW, 0), 39);
	fake_failed(FAKE_INVOKE(frame, X86PageMap, pml4, VA + 8, RW, 0), seL4_AlignmentError, 0);
	fake_failed(FAKE_INVOKE(big, X86PageMap, pml4, VA, RW, 0), seL4_AlignmentError, 0);
}

static void large_pages(void **state)
{
	unsigned big = large_frame(FRAME_2M, 0x80200000), huge = large_frame(FRAME_1G, 0xc0000000), big2;
	uint64_t va2 = ALIGN_DOWN(VA, 21) + BIT(21), va3 = ALIGN_DOWN(VA, 30) ^ BIT(30);
	pte_t e;

	(void)state;
	map_tables(VA);
	fake_failed(FAKE_INVOKE(big, X86PageMap, pml4, ALIGN_DOWN(VA, 21), RW, 0), seL4_DeleteFirst, 0);
	fake_failed(FAKE_INVOKE(huge, X86PageMap, pml4, ALIGN_DOWN(VA, 30), RW, 0), seL4_DeleteFirst, 0);
	assert_int_equal(FAKE_INVOKE(big, X86PageMap, pml4, va2, RW, 4), EXC_NONE);
	e = entry(pml4, va2, 2);
	assert_true(pte_large(e) && pte_big_pat(e) && pte_user(e));
	assert_true(vspace_is_page(e, 2, paddr(0x80200000)));
	assert_int_equal(FAKE_INVOKE(huge, X86PageMap, pml4, va3, RW, 0), EXC_NONE);
	assert_true(vspace_is_page(entry(pml4, va3, 3), 3, paddr(0xc0000000)));
	/* large over large replaces */
	big2 = large_frame(FRAME_2M, 0x80400000);
	assert_int_equal(FAKE_INVOKE(big2, X86PageMap, pml4, va2, RW, 0), EXC_NONE);
	assert_int_equal(fake_flush_pages, 1);
	assert_int_equal(FAKE_INVOKE(big, X86PageUnmap, 0, 0), EXC_NONE); /* stale: nothing happens */
	assert_true(vspace_is_page(entry(pml4, va2, 2), 2, paddr(0x80400000)));
	assert_int_equal(FAKE_INVOKE(big2, X86PageUnmap, 0, 0), EXC_NONE);
	assert_int_equal(entry(pml4, va2, 2).w[0], 0);
	cpu.huge_pages = false;
	huge = large_frame(FRAME_1G, 0x40000000);
	fake_failed(FAKE_INVOKE(huge, X86PageMap, pml4, va3, RW, 0), seL4_IllegalOperation, 0);
}

static void small_over_small_replaces_and_goes_stale(void **state)
{
	unsigned second = fake_object(seL4_X86_4K);

	(void)state;
	map_tables(VA);
	assert_int_equal(FAKE_INVOKE(frame, X86PageMap, pml4, VA, RW, 0), EXC_NONE);
	assert_int_equal(FAKE_INVOKE(second, X86PageMap, pml4, VA, RW, 0), EXC_NONE);
	assert_int_equal(fake_delete(frame), EXC_NONE);
	assert_int_equal(pte_base(entry(pml4, VA, 1)), address(second));
	assert_int_equal(fake_delete(second), EXC_NONE);
	assert_int_equal(entry(pml4, VA, 1).w[0], 0);
}

static void tables_unmap(void **state)
{
	uint64_t *table = window_kv(cap_paddr(fake_root(pt)->cap));

	(void)state;
	map_tables(VA);
	assert_int_equal(FAKE_INVOKE(frame, X86PageMap, pml4, VA, RW, 0), EXC_NONE);
	assert_int_equal(fake_copy(200, pt), EXC_NONE);
	fake_failed(FAKE_INVOKE(pt, X86PageTableUnmap, 0, 0), seL4_RevokeFirst, 0);
	assert_int_equal(fake_delete(200), EXC_NONE);
	assert_true(pte_present(entry(pml4, VA, 1)));
	assert_int_equal(FAKE_INVOKE(pt, X86PageTableUnmap, 0, 0), EXC_NONE);
	assert_int_equal(fake_flush_roots, 1);
	for (unsigned i = 0; i < 512; i++)
		assert_int_equal(table[i], 0);
	/* the frame's mapping is stale now; mapped again elsewhere it must not harm */
	assert_int_equal(FAKE_INVOKE(pt, X86PageTableMap, pml4, VA ^ BIT(21), 0), EXC_NONE);
	assert_int_equal(FAKE_INVOKE(frame, X86PageUnmap, 0, 0), EXC_NONE);
	assert_int_equal(FAKE_INVOKE(frame, X86PageMap, pml4, VA ^ BIT(21), RW, 0), EXC_NONE);
	assert_int_equal(fake_delete(pt), EXC_NONE);
	assert_int_equal(entry(pml4, VA ^ BIT(21), 2).w[0], 0);
	assert_int_equal(FAKE_INVOKE(pdpt, X86PDPTUnmap, 0, 0), EXC_NONE);
	assert_int_equal(entry(pml4, VA, 4).w[0], 0);
	assert_int_equal(FAKE_INVOKE(pdpt, X86PDPTUnmap, 0, 0), EXC_NONE);
}

static void a_reused_asid_is_stale(void **state)
{
	unsigned root2 = fake_object(seL4_X64_PML4Object), pdpt2 = fake_object(seL4_X86_PDPTObject);
	uint64_t asid = cap_paging_asid(fake_root(pml4)->cap);
	paddr_t root;

	(void)state;
	map_tables(VA);
	assert_int_equal(FAKE_INVOKE(frame, X86PageMap, pml4, VA, RW, 0), EXC_NONE);
	assert_int_equal(fake_delete(pml4), EXC_NONE);
	assert_int_equal(fake_left_roots, 1);
	assert_false(asid_lookup((unsigned)asid, ASID_VSPACE, &root));
	assert_int_equal(fake_invoke(FAKE_POOL, X86ASIDPoolAssign, root2, 0, 0, NULL), EXC_NONE);
	assert_int_equal(cap_paging_asid(fake_root(root2)->cap), asid);
	assert_int_equal(FAKE_INVOKE(pdpt2, X86PDPTMap, root2, VA, 0), EXC_NONE);
	/* the old space's table and frame leave the new one alone */
	assert_int_equal(fake_delete(pdpt), EXC_NONE);
	assert_int_equal(fake_delete(frame), EXC_NONE);
	assert_true(vspace_is_table(entry(root2, VA, 4), paddr(address(pdpt2))));
}

static void asid_pool_assign_errors(void **state)
{
	unsigned root2 = fake_object(seL4_X64_PML4Object), last = 0;

	(void)state;
	fake_failed(fake_invoke(FAKE_POOL, X86ASIDPoolAssign, pml4, 0, 0, NULL), seL4_InvalidCapability, 1);
	fake_failed(fake_invoke(FAKE_POOL, X86ASIDPoolAssign, pt, 0, 0, NULL), seL4_InvalidCapability, 1);
	fake_failed(fake_invoke(FAKE_POOL, X86ASIDPoolAssign, 0, 0, 0, NULL), seL4_TruncatedMessage, 0);
	fake_failed(fake_invoke(FAKE_POOL, X86PageMap, root2, 0, 0, NULL), seL4_IllegalOperation, 0);
	/* 0 is never given, 1 is the first thread's, 2 this test's */
	for (unsigned i = 3; i < 512; i++) {
		cap_t c = fake_root(root2)->cap;

		assert_int_equal(fake_invoke(FAKE_POOL, X86ASIDPoolAssign, root2, 0, 0, NULL), EXC_NONE);
		last = (unsigned)cap_paging_asid(fake_root(root2)->cap);
		assert_int_equal(last, i);
		fake_root(root2)->cap = c;
	}
	fake_failed(fake_invoke(FAKE_POOL, X86ASIDPoolAssign, root2, 0, 0, NULL), seL4_DeleteFirst, 0);
}

/* A thread keeps its root's address for as long as its capability is there and good. */
static void kept_root_follows_the_capability(void **state)
{
	struct tcb *t = window_kv(cap_paddr(fake_root(pt)->cap)); /* a page of zeroes that slots may lie in */
	struct cte *slot = &t->slot[TCB_VSPACE];
	uint64_t root = address(pml4);

	(void)state;
	assert_int_equal(vspace_cr3(t), user_tables_root.v);
	assert_true(vspace_cr3_known(t));
	cte_insert(fake_root(pml4)->cap, fake_root(pml4), slot);
	vspace_changed(t);
	assert_false(vspace_cr3_known(t));
	assert_int_equal(vspace_cr3(t), root);
	assert_true(vspace_cr3_known(t));
	/* taken away, though the VSpace lives on */
	assert_int_equal(cte_revoke(fake_root(pml4)), EXC_NONE);
	assert_true(cap_is_null(slot->cap));
	assert_int_equal(vspace_cr3(t), user_tables_root.v);
	/* and with it */
	cte_insert(fake_root(pml4)->cap, fake_root(pml4), slot);
	vspace_changed(t);
	assert_int_equal(vspace_cr3(t), root);
	assert_int_equal(fake_delete(pml4), EXC_NONE);
	assert_int_equal(vspace_cr3(t), root);
	assert_int_equal(cte_delete(slot, true), EXC_NONE);
	assert_int_equal(fake_left_roots, 1);
	assert_int_equal(vspace_cr3(t), user_tables_root.v);
}

static exception_t make_pool(unsigned ut, unsigned dest)
{
	/* extra capabilities: Untyped, root CNode */
	fake_root(5)->cap = fake_root_cap();
	return fake_invoke(FAKE_CONTROL, X86ASIDControlMakePool, ut, 5, 2,
			   (const word_t[]){dest, FAKE_RADIX});
}

static void asid_pools(void **state)
{
	unsigned uts = 100, root2 = fake_object(seL4_X64_PML4Object),
		 root3 = fake_object(seL4_X64_PML4Object);
	struct tcb *t = calloc(1, sizeof(*t));
	paddr_t root;

	(void)state;
	assert_int_equal(fake_retype(fake_root(FAKE_UT), seL4_UntypedObject, 12, uts, 9), EXC_NONE);
	assert_int_equal(fake_retype(fake_root(FAKE_UT), seL4_UntypedObject, 13, 120, 1), EXC_NONE);
	fake_failed(make_pool(frame, 130), seL4_InvalidCapability, 1);
	fake_failed(make_pool(120, 130), seL4_InvalidCapability, 1);
	fake_failed(make_pool(uts, pml4), seL4_DeleteFirst, 0);
	for (unsigned i = 0; i < 7; i++) {
		assert_int_equal(make_pool(uts + i, 130 + i), EXC_NONE);
		assert_int_equal(cap_asid_pool_base(fake_root(130 + i)->cap), 512 * (i + 1));
	}
	fake_failed(make_pool(uts + 7, 140), seL4_DeleteFirst, 0);
	assert_int_equal(fake_invoke(131, X86ASIDPoolAssign, root2, 0, 0, NULL), EXC_NONE);
	assert_int_equal(cap_paging_asid(fake_root(root2)->cap), 1024);
	assert_true(vspace_root_valid(fake_root(root2)->cap));
	t->slot[TCB_VSPACE].cap = fake_root(root2)->cap;
	assert_int_equal(vspace_cr3(t), address(root2));

	/* the pool goes: its roots are no VSpaces any more */
	assert_int_equal(fake_delete(131), EXC_NONE);
	assert_int_equal(fake_left_roots, 1);
	assert_false(asid_lookup(1024, ASID_VSPACE, &root));
	assert_false(vspace_root_valid(fake_root(root2)->cap));
	assert_int_equal(vspace_cr3(t), user_tables_root.v);
	fake_invalid_root(FAKE_INVOKE(pdpt, X86PDPTMap, root2, VA, 0));
	fake_invalid_root(FAKE_INVOKE(frame, X86PageMap, root2, VA, RW, 0));
	/* and its place is free for another, in which the number is another's */
	fake_failed(make_pool(uts, 140), seL4_RevokeFirst, 0);
	assert_int_equal(make_pool(uts + 8, 140), EXC_NONE);
	assert_int_equal(fake_invoke(140, X86ASIDPoolAssign, root3, 0, 0, NULL), EXC_NONE);
	assert_int_equal(cap_paging_asid(fake_root(root3)->cap), 1024);
	fake_failed(FAKE_INVOKE(pdpt, X86PDPTMap, root2, VA, 0), seL4_InvalidCapability, 1);
	fake_failed(FAKE_INVOKE(frame, X86PageMap, root2, VA, RW, 0), seL4_InvalidCapability, 1);
	free(t);
}

static void copies_of_frames_are_unmapped(void **state)
{
	(void)state;
	map_tables(VA);
	assert_int_equal(FAKE_INVOKE(frame, X86PageMap, pml4, VA, RW, 0), EXC_NONE);
	assert_int_equal(fake_copy(201, frame), EXC_NONE);
	assert_int_equal(fake_delete(201), EXC_NONE);
	assert_true(pte_present(entry(pml4, VA, 1)));
	assert_int_equal(fake_revoke(FAKE_UT), EXC_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(new_root_has_the_kernel_half, setup),
	    cmocka_unit_test_setup(levels_missing_are_reported, setup),
	    cmocka_unit_test_setup(tables_map_errors, setup),
	    cmocka_unit_test_setup(page_entries, setup),
	    cmocka_unit_test_setup(read_only_capability_stays_read_only, setup),
	    cmocka_unit_test_setup(remapping_a_capability, setup),
	    cmocka_unit_test_setup(addresses_and_alignment, setup),
	    cmocka_unit_test_setup(large_pages, setup),
	    cmocka_unit_test_setup(small_over_small_replaces_and_goes_stale, setup),
	    cmocka_unit_test_setup(tables_unmap, setup),
	    cmocka_unit_test_setup(a_reused_asid_is_stale, setup),
	    cmocka_unit_test_setup(asid_pool_assign_errors, setup),
	    cmocka_unit_test_setup(kept_root_follows_the_capability, setup),
	    cmocka_unit_test_setup(asid_pools, setup),
	    cmocka_unit_test_setup(copies_of_frames_are_unmapped, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
