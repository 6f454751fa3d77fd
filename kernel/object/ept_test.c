// links: kernel/object/vspace.c kernel/object/vspace_walk.c kernel/object/frame.c kernel/object/frame_split.c kernel/object/vspace_split.c kernel/object/asid.c kernel/object/memory_fake.c
// links: kernel/cap/mdb.c kernel/cap/derive.c kernel/cap/delete.c kernel/cap/preempt.c kernel/cap/cnode.c kernel/cap/cnode_decode.c kernel/cap/untyped.c kernel/object/object.c kernel/api/error.c kernel/cap/cap_fake.c
/*
 * Second-level tables, with a made-up vendor whose entries look like nobody's: the address shifted up by one, so that an entry used
 * without virt->ept_* cannot work by chance.
 */
#include "object/memory_fake.h"
#include "arch/x86/mm/window.h"
#include "arch/x86/virt/virt.h"
#include "arch/x86/virt/virt_ept.h"
#include "object/ept.h"
#include "object/vspace.h"
#include "object/vspace_walk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define GPA 0x3456789000ull
#define RW  (seL4_RightRead | seL4_RightWrite)
#define WB  6

/* bits 62:13 address >> 12 << 13; 12 leaf; 11:8 type; 3 present table; 2:0 permissions */
static uint64_t leaf(paddr_t p, unsigned level, unsigned perm, unsigned type)
{
	assert_true(level >= 1 && level <= 3);
	return p.v << 1 | BIT(12) | (uint64_t)type << 8 | perm;
}
static uint64_t table(paddr_t p)
{
	return p.v << 1 | 15;
}
static bool is_leaf(uint64_t e, unsigned level)
{
	return level == 1 || (e & BIT(12));
}
static paddr_t address(uint64_t e)
{
	return paddr(e >> 1 & ~MASK(12));
}
static bool next(uint64_t e, paddr_t *t)
{
	*t = address(e);
	return e && !(e & BIT(12));
}
static uint64_t *walk(paddr_t from, uint64_t gpa, unsigned level, unsigned *missing)
{
	return virt_ept_walk(next, from, gpa, level, missing);
}
static unsigned perm(uint64_t e)
{
	return e & 7;
}
static const struct virt_ops ops = {
	.name = "test",
	.ept_leaf = leaf,
	.ept_table = table,
	.ept_is_leaf = is_leaf,
	.ept_walk = walk,
	.ept_address = address,
	.ept_perm = perm,
};

static unsigned root, pdpt, pd, pt, frame;

static int setup(void **state)
{
	(void)state;
	virt = &ops;
	virt_features = INSULA_VIRT_HUGE_PAGES;
	fake_memory_reset();
	root = fake_object(seL4_X86_EPTPML4Object);
	pdpt = fake_object(seL4_X86_EPTPDPTObject);
	pd = fake_object(seL4_X86_EPTPDObject);
	pt = fake_object(seL4_X86_EPTPTObject);
	frame = fake_object(seL4_X86_4K);
	assert_int_equal(fake_invoke(FAKE_POOL, X86ASIDPoolAssign, root, 0, 0, NULL), EXC_NONE);
	return 0;
}

static void map_tables(uint64_t gpa)
{
	assert_int_equal(FAKE_INVOKE(pdpt, X86EPTPDPTMap, root, gpa, 0), EXC_NONE);
	assert_int_equal(FAKE_INVOKE(pd, X86EPTPDMap, root, gpa, 0), EXC_NONE);
	assert_int_equal(FAKE_INVOKE(pt, X86EPTPTMap, root, gpa, 0), EXC_NONE);
}

static uint64_t entry(uint64_t gpa, unsigned level)
{
	uint64_t *t = window_kv(cap_paddr(fake_root(root)->cap));

	for (unsigned l = 4; l > level; l--) {
		assert_true(t[vspace_index(gpa, l)] && !(t[vspace_index(gpa, l)] & BIT(12)));
		t = window_kv(address(t[vspace_index(gpa, l)]));
	}
	return t[vspace_index(gpa, level)];
}

static uint64_t phys(unsigned slot)
{
	return cap_paddr(fake_root(slot)->cap).v;
}

static unsigned large_frame(unsigned slot, enum frame_size size, uint64_t p)
{
	fake_root(slot)->cap = cap_null();
	cte_insert_root(fake_root(slot), cap_frame_new(paddr(p), size, false, RW));
	return slot;
}

static void walk_and_errors(void **state)
{
	unsigned pml4 = fake_object(seL4_X64_PML4Object), other = fake_object(seL4_X86_EPTPML4Object);

	(void)state;
	assert_int_equal(fake_invoke(FAKE_POOL, X86ASIDPoolAssign, pml4, 0, 0, NULL), EXC_NONE);
	fake_missing(FAKE_INVOKE(frame, X86PageMapEPT, root, GPA, RW, WB), 39);
	fake_missing(FAKE_INVOKE(pd, X86EPTPDMap, root, GPA, 0), 39);
	fake_failed(FAKE_INVOKE(pdpt, X86EPTPDPTMap, root, GPA), seL4_TruncatedMessage, 0);
	fake_failed(FAKE_INVOKE(pdpt, X86EPTPDPTMap, pml4, GPA, 0), seL4_InvalidCapability, 1);
	fake_failed(FAKE_INVOKE(pdpt, X86EPTPDPTMap, other, GPA, 0), seL4_InvalidCapability, 1);
	fake_failed(FAKE_INVOKE(pdpt, X86EPTPDPTMap, root, BIT(48), 0), seL4_InvalidArgument, 0);
	fake_failed(FAKE_INVOKE(pdpt, X86EPTPDMap, root, GPA, 0), seL4_IllegalOperation, 0);
	fake_failed(FAKE_INVOKE(root, X86EPTPDMap, root, GPA, 0), seL4_IllegalOperation, 0);
	map_tables(GPA);
	fake_failed(FAKE_INVOKE(pd, X86EPTPDMap, root, GPA, 0), seL4_InvalidCapability, 0);
	fake_failed(FAKE_INVOKE(fake_object(seL4_X86_EPTPTObject), X86EPTPTMap, root, GPA, 0), seL4_DeleteFirst, 0);
	fake_failed(FAKE_INVOKE(frame, X86PageMapEPT, root, GPA, RW), seL4_TruncatedMessage, 0);
	fake_failed(FAKE_INVOKE(frame, X86PageMapEPT, pml4, GPA, RW, WB), seL4_InvalidCapability, 1);
	fake_failed(FAKE_INVOKE(frame, X86PageMapEPT, root, BIT(48), RW, WB), seL4_InvalidArgument, 0);
	fake_failed(FAKE_INVOKE(frame, X86PageMapEPT, root, GPA + 16, RW, WB), seL4_AlignmentError, 0);
	fake_failed(FAKE_INVOKE(frame, X86PageMapEPT, root, GPA, RW, 2), seL4_InvalidArgument, 2);
	/* an EPT root is no VSpace */
	fake_failed(FAKE_INVOKE(frame, X86PageMap, root, GPA, RW, 0), seL4_InvalidCapability, 1);
	assert_int_equal(FAKE_INVOKE(frame, X86PageMapEPT, root, GPA, RW, WB), EXC_NONE);
	assert_int_equal(entry(GPA, 1), leaf(paddr(phys(frame)), 1, 7, WB));
	fake_failed(FAKE_INVOKE(frame, X86PageMapEPT, root, GPA, RW, WB), seL4_InvalidCapability, 0);
	fake_failed(FAKE_INVOKE(frame, X86PageMap, pml4, GPA, RW, 0), seL4_InvalidCapability, 1);
	assert_int_equal(FAKE_INVOKE(frame, X86PageUnmap, 0, 0), EXC_NONE);
	assert_int_equal(entry(GPA, 1), 0);
	assert_int_equal(fake_nested, 1);
}

static void rights_and_types(void **state)
{
	(void)state;
	map_tables(GPA);
	assert_int_equal(FAKE_INVOKE(frame, X86PageMapEPT, root, GPA, seL4_RightRead, 0), EXC_NONE);
	assert_int_equal(entry(GPA, 1), leaf(paddr(phys(frame)), 1, EPT_READ | EPT_EXEC, 0));
	assert_int_equal(FAKE_INVOKE(frame, X86PageUnmap, 0, 0), EXC_NONE);
	assert_int_equal(FAKE_INVOKE(frame, X86PageMapEPT, root, GPA, seL4_RightWrite, WB), EXC_NONE);
	assert_int_equal(entry(GPA, 1), 0);
	assert_int_equal(FAKE_INVOKE(frame, X86PageUnmap, 0, 0), EXC_NONE);
	fake_root(frame)->cap = cap_frame_with_rights(fake_root(frame)->cap, CAP_RIGHT_READ);
	assert_int_equal(FAKE_INVOKE(frame, X86PageMapEPT, root, GPA, RW, 5), EXC_NONE);
	assert_int_equal(entry(GPA, 1), leaf(paddr(phys(frame)), 1, EPT_READ | EPT_EXEC, 5));
}

static void large_pages(void **state)
{
	unsigned big = large_frame(10, FRAME_2M, 0x80200000), huge = large_frame(11, FRAME_1G, 0xc0000000);
	uint64_t gpa2 = ALIGN_DOWN(GPA, 21), gpa3 = ALIGN_DOWN(GPA, 30);

	(void)state;
	map_tables(GPA);
	fake_failed(FAKE_INVOKE(big, X86PageMapEPT, root, gpa2, RW, WB), seL4_DeleteFirst, 0);
	fake_failed(FAKE_INVOKE(huge, X86PageMapEPT, root, gpa3, RW, WB), seL4_DeleteFirst, 0);
	assert_int_equal(FAKE_INVOKE(pt, X86EPTPTUnmap, 0, 0), EXC_NONE);
	assert_int_equal(FAKE_INVOKE(big, X86PageMapEPT, root, gpa2, RW, WB), EXC_NONE);
	assert_int_equal(entry(gpa2, 2), leaf(paddr(0x80200000), 2, 7, WB));
	fake_missing(FAKE_INVOKE(frame, X86PageMapEPT, root, GPA, RW, WB), 21);
	fake_failed(FAKE_INVOKE(pt, X86EPTPTMap, root, GPA, 0), seL4_DeleteFirst, 0);
	assert_int_equal(fake_delete(big), EXC_NONE);
	assert_int_equal(entry(gpa2, 2), 0);
	assert_int_equal(FAKE_INVOKE(huge, X86PageMapEPT, root, gpa3 ^ BIT(30), RW, WB), EXC_NONE);
	assert_int_equal(entry(gpa3 ^ BIT(30), 3), leaf(paddr(0xc0000000), 3, 7, WB));
	assert_int_equal(FAKE_INVOKE(huge, X86PageUnmap, 0, 0), EXC_NONE);
	virt_features = 0;
	fake_failed(FAKE_INVOKE(huge, X86PageMapEPT, root, gpa3 ^ BIT(30), RW, WB), seL4_IllegalOperation, 0);
}

#define DERIVE_EPT(node, ept, ...)                                                                             \
	fake_invoke(big, InsulaFrameDeriveEPT, node, ept, sizeof((word_t[]){__VA_ARGS__}) / sizeof(word_t),    \
		    (const word_t[]){__VA_ARGS__})

static void derived_and_mapped(void **state)
{
	unsigned big = large_frame(10, FRAME_2M, 0x80200000), part = 201, pml4 = fake_object(seL4_X64_PML4Object);
	unsigned other = fake_object(seL4_X86_EPTPML4Object), pages = fake_object(seL4_X86_LargePageObject);
	const word_t d = FAKE_RADIX;
	cap_t c;

	(void)state;
	*fake_root(1) = (struct cte){.cap = fake_root_cap()};
	assert_int_equal(fake_invoke(FAKE_POOL, X86ASIDPoolAssign, pml4, 0, 0, NULL), EXC_NONE);
	fake_missing(DERIVE_EPT(1, root, part, d, RW, 0x5000, 12, GPA, WB), 39);
	map_tables(GPA);
	fake_failed(DERIVE_EPT(1, root, part, d, RW, 0x5000, 12, GPA), seL4_TruncatedMessage, 0);
	fake_failed(DERIVE_EPT(1, 0, part, d, RW, 0x5000, 12, GPA, WB), seL4_TruncatedMessage, 0);
	/* what Derive refuses comes first */
	fake_failed(DERIVE_EPT(1, pml4, part, d, RW, 0x5000, 13, GPA, WB), seL4_InvalidArgument, 4);
	fake_failed(DERIVE_EPT(1, pml4, part, d, RW, 0x5800, 12, GPA, WB), seL4_AlignmentError, 0);
	fake_failed(DERIVE_EPT(1, pml4, part, d, RW, BIT(21), 12, GPA, WB), seL4_RangeError, 0);
	fake_failed(DERIVE_EPT(1, pml4, frame, d, RW, 0x5000, 12, GPA, WB), seL4_DeleteFirst, 0);
	fake_failed(DERIVE_EPT(root, root, part, d, RW, 0x5000, 12, GPA, WB), seL4_FailedLookup, 0);
	fake_failed(DERIVE_EPT(1, pml4, part, d, RW, 0x5000, 12, GPA, WB), seL4_InvalidCapability, 2);
	fake_failed(DERIVE_EPT(1, other, part, d, RW, 0x5000, 12, GPA, WB), seL4_InvalidCapability, 2);
	fake_failed(DERIVE_EPT(1, root, part, d, RW, 0x5000, 12, BIT(48), WB), seL4_InvalidArgument, 5);
	fake_failed(DERIVE_EPT(1, root, part, d, RW, 0x5000, 12, GPA + 16, WB), seL4_AlignmentError, 0);
	fake_failed(DERIVE_EPT(1, root, part, d, RW, 0x5000, 12, GPA, 3), seL4_InvalidArgument, 6);
	fake_failed(DERIVE_EPT(1, root, part, d, RW, 0, 21, ALIGN_DOWN(GPA, 21), WB), seL4_DeleteFirst, 0);
	fake_missing(DERIVE_EPT(1, root, part, d, RW, 0x5000, 12, GPA + BIT(21), WB), 21);
	assert_true(cap_is_null(fake_root(part)->cap) && !cte_has_children(fake_root(big)));
	assert_int_equal(entry(GPA, 1), 0);
	assert_int_equal(fake_nested, 0);

	assert_int_equal(DERIVE_EPT(1, root, part, d, RW, 0x5000, 12, GPA, WB), EXC_NONE);
	assert_int_equal(entry(GPA, 1), leaf(paddr(0x80205000), 1, 7, WB));
	assert_int_equal(fake_nested, 0); /* nothing was there */
	c = fake_root(part)->cap;
	assert_int_equal(cap_frame_ptr(c), 0x80205000);
	assert_int_equal(cap_frame_size(c), FRAME_4K);
	assert_int_equal(cap_frame_map(c), FRAME_EPT);
	assert_int_equal(cap_frame_mapped(c), GPA);
	assert_int_equal(cap_frame_asid(c), cap_paging_asid(fake_root(root)->cap));
	assert_int_equal(cap_frame_map(fake_root(big)->cap), FRAME_UNMAPPED);
	fake_failed(FAKE_INVOKE(part, X86PageMapEPT, root, GPA, RW, WB), seL4_InvalidCapability, 0);
	/* deleted or revoked, it takes its mapping along */
	assert_int_equal(fake_delete(part), EXC_NONE);
	assert_int_equal(entry(GPA, 1), 0);
	assert_int_equal(fake_nested, 1);
	assert_int_equal(DERIVE_EPT(1, root, part, d, seL4_RightRead, 0x6000, 12, GPA, 0), EXC_NONE);
	assert_int_equal(entry(GPA, 1), leaf(paddr(0x80206000), 1, EPT_READ | EPT_EXEC, 0));
	assert_int_equal(cap_frame_rights(fake_root(part)->cap), CAP_RIGHT_READ);
	assert_int_equal(fake_revoke(big), EXC_NONE);
	assert_true(cap_is_null(fake_root(part)->cap));
	assert_int_equal(entry(GPA, 1), 0);
	assert_int_equal(fake_nested, 2);
	/* no more rights than the frame has; write alone is none */
	fake_root(big)->cap = cap_frame_with_rights(fake_root(big)->cap, CAP_RIGHT_READ);
	assert_int_equal(DERIVE_EPT(1, root, part, d, RW, 0, 12, GPA, WB), EXC_NONE);
	assert_int_equal(entry(GPA, 1), leaf(paddr(0x80200000), 1, EPT_READ | EPT_EXEC, WB));
	/* over another: that one loses its entry */
	assert_int_equal(fake_invoke(pages, InsulaFrameDeriveEPT, 1, root, 7,
				     (const word_t[]){202, d, RW, 0, 12, GPA, WB}),
			 EXC_NONE);
	assert_int_equal(address(entry(GPA, 1)).v, phys(pages));
	assert_int_equal(fake_nested, 3);
	assert_int_equal(fake_delete(part), EXC_NONE);
	assert_int_equal(address(entry(GPA, 1)).v, phys(pages));
	assert_int_equal(DERIVE_EPT(1, root, part, d, seL4_RightWrite, 0, 12, GPA, WB), EXC_NONE);
	assert_int_equal(entry(GPA, 1), 0);
	assert_int_equal(cap_frame_rights(fake_root(part)->cap), 0);
}

static void stale_mappings_touch_nothing(void **state)
{
	unsigned second = fake_object(seL4_X86_4K), root2, pdpt2, old_asid;

	(void)state;
	map_tables(GPA);
	assert_int_equal(FAKE_INVOKE(frame, X86PageMapEPT, root, GPA, RW, WB), EXC_NONE);
	assert_int_equal(FAKE_INVOKE(second, X86PageMapEPT, root, GPA, RW, WB), EXC_NONE);
	assert_int_equal(fake_nested, 1); /* the first was replaced */
	assert_int_equal(fake_delete(frame), EXC_NONE);
	assert_int_equal(address(entry(GPA, 1)).v, phys(second));

	old_asid = (unsigned)cap_paging_asid(fake_root(root)->cap);
	assert_int_equal(fake_delete(root), EXC_NONE);
	root2 = fake_object(seL4_X86_EPTPML4Object);
	pdpt2 = fake_object(seL4_X86_EPTPDPTObject);
	assert_int_equal(fake_invoke(FAKE_POOL, X86ASIDPoolAssign, root2, 0, 0, NULL), EXC_NONE);
	assert_int_equal(cap_paging_asid(fake_root(root2)->cap), old_asid);
	root = root2;
	assert_int_equal(FAKE_INVOKE(pdpt2, X86EPTPDPTMap, root2, GPA, 0), EXC_NONE);
	assert_int_equal(fake_delete(pdpt), EXC_NONE);
	assert_int_equal(fake_delete(second), EXC_NONE);
	assert_int_equal(entry(GPA, 4), table(paddr(phys(pdpt2))));
}

static void tables_are_emptied_when_unmapped(void **state)
{
	uint64_t *t = window_kv(paddr(phys(pt)));

	(void)state;
	map_tables(GPA);
	assert_int_equal(FAKE_INVOKE(frame, X86PageMapEPT, root, GPA, RW, WB), EXC_NONE);
	assert_int_equal(fake_copy(200, pt), EXC_NONE);
	fake_failed(FAKE_INVOKE(pt, X86EPTPTUnmap, 0, 0), seL4_RevokeFirst, 0);
	assert_int_equal(fake_delete(200), EXC_NONE);
	assert_int_equal(FAKE_INVOKE(pt, X86EPTPTUnmap, 0, 0), EXC_NONE);
	for (unsigned i = 0; i < 512; i++)
		assert_int_equal(t[i], 0);
	assert_int_equal(fake_nested, 1);
	assert_int_equal(fake_delete(pd), EXC_NONE);
	assert_int_equal(entry(GPA, 3), 0);
	/* a VSpace's ASID names no EPT root, and the other way round */
	{
		paddr_t p;

		assert_true(asid_lookup((unsigned)cap_paging_asid(fake_root(root)->cap), ASID_EPT, &p));
		assert_false(asid_lookup((unsigned)cap_paging_asid(fake_root(root)->cap), ASID_VSPACE, &p));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(walk_and_errors, setup),
		cmocka_unit_test_setup(rights_and_types, setup),
		cmocka_unit_test_setup(large_pages, setup),
		cmocka_unit_test_setup(derived_and_mapped, setup),
		cmocka_unit_test_setup(stale_mappings_touch_nothing, setup),
		cmocka_unit_test_setup(tables_are_emptied_when_unmapped, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
