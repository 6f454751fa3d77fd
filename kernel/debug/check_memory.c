/*
 * Address spaces and second-level tables: every entry that a CPU can reach from a root with an ASID was made
 * for a capability that is still there, says so, and allows what the entry allows. (A capability may say that
 * it is mapped when it no longer is: that is found out when it is used.) Part of check.h's walk; walks tables
 * by itself, without the code that it checks.
 */
#include "arch/x86/mm/pte_fields.h"
#include "arch/x86/mm/user_tables.h"
#include "arch/x86/mm/window.h"
#include "arch/x86/virt/virt.h"
#include "debug/check_private.h"
#include "object/asid.h"
#include "object/vspace.h"

#define MEMORY_ENTRIES 32768u /* beyond half of it, some entries are not checked */

static struct check_set_entry check_entries[MEMORY_ENTRIES];
static struct check_set check_mapped = {check_entries, MEMORY_ENTRIES, 0, 0,
					false}; /* addresses of entries */

/* An entry of either format, taken apart. */
struct check_entry {
	bool present, leaf, write;
	uint64_t base;
};

static struct check_entry check_entry_read(uint64_t e, enum asid_kind kind, unsigned level)
{
	struct check_entry r = {0};
	pte_t p = {{e}};

	if (kind == ASID_EPT) {
		if (!virt || !e)
			return r;
		r.leaf = level == 1 || virt->ept_is_leaf(e, level);
		r.base = virt->ept_address(e).v;
		r.write = virt->ept_perm(e) & EPT_WRITE;
	} else {
		if (!pte_present(p))
			return r;
		r.leaf = level == 1 || pte_large(p);
		r.base = r.leaf && level > 1 ? pte_big_base(p) : pte_base(p);
		r.write = pte_write(p) && pte_user(p);
	}
	r.present = true;
	return r;
}

static unsigned check_index(uint64_t address, unsigned level)
{
	return (unsigned)(address >> (PAGE_BITS + 9 * (level - 1))) & 511u;
}

/* The entry of this level for an address in the space that an ASID names; NULL if there is none. */
static const uint64_t *check_walk(unsigned asid, enum asid_kind kind, uint64_t address, unsigned level)
{
	const uint64_t *table;
	struct check_entry e;
	paddr_t root;

	if (!asid_lookup(asid, kind, &root))
		return NULL;
	table = window_kv(root);
	for (unsigned l = 4; l > level; l--) {
		e = check_entry_read(table[check_index(address, l)], kind, l);
		if (!e.present || e.leaf)
			return NULL;
		table = window_kv(paddr(e.base));
	}
	return &table[check_index(address, level)];
}

/* ---- capabilities ---- */

void check_memory_begin(void)
{
	check_set_clear(&check_mapped);
}

#define CHECK_PARTS 512u

/* Does the i-th entry map the i-th piece of that size? Of two that show the same frame there, one is enough to allow it. */
static void check_memory_frame_entry(cap_t cap, const uint64_t *entry, enum asid_kind kind, unsigned level, uint64_t i)
{
	const struct check_entry e = check_entry_read(*entry, kind, level);

	if (e.present && e.leaf && e.base == cap_frame_ptr(cap) + (i << (PAGE_BITS + 9 * (level - 1))) &&
	    (!e.write || (cap_frame_rights(cap) & CAP_RIGHT_WRITE)))
		check_set_add(&check_mapped, check_at(entry));
}

void check_memory_frame(const struct cte *slot)
{
	cap_t cap = slot->cap;
	unsigned level = (unsigned)cap_frame_size(cap) + 1;
	enum frame_map map = (enum frame_map)cap_frame_map(cap);
	enum asid_kind kind = map == FRAME_EPT ? ASID_EPT : ASID_VSPACE;
	const uint64_t split = cap_frame_split(cap);
	const uint64_t *entry;

	CHECK(cap_frame_size(cap) <= FRAME_1G && map <= FRAME_KERNEL, "a frame of no size or no mapping",
	      check_at(slot), cap.w[0], cap.w[1]);
	CHECK(map != FRAME_UNMAPPED || (!cap_frame_mapped(cap) && !cap_frame_asid(cap)),
	      "an unmapped frame has an address", check_at(slot), cap.w[0], cap.w[1]);
	if (!check_ok() || (map != FRAME_VSPACE && map != FRAME_EPT))
		return;
	CHECK(!split || (level > 1 && split - 1 <= CHECK_PARTS), "a frame is split into nothing", check_at(slot), cap.w[0], cap.w[1]);
	if (!check_ok())
		return;
	/* One that is being split stands for its parts without a capability. */
	entry = check_walk((unsigned)cap_frame_asid(cap), kind, cap_frame_mapped(cap), split ? level - 1 : level);
	for (uint64_t i = split ? split - 1 : 0; entry && i < (split ? CHECK_PARTS : 1); i++)
		check_memory_frame_entry(cap, &entry[i], kind, split ? level - 1 : level, i);
}

static unsigned check_table_level(cap_t cap)
{
	switch (cap_type_of(cap)) {
	case CAP_PT:
	case CAP_EPT_PT:
		return 1;
	case CAP_PD:
	case CAP_EPT_PD:
		return 2;
	case CAP_PDPT:
	case CAP_EPT_PDPT:
		return 3;
	default:
		return 4;
	}
}

static void check_root(cap_t cap, bool first, enum asid_kind kind)
{
	if (first && cap_paging_is_mapped(cap) &&
	    asid_names((unsigned)cap_paging_asid(cap), kind, paddr(cap_paging_ptr(cap))))
		check_count.roots++;
}

static void check_pool(cap_t cap)
{
	const uint64_t *entries = window_kv(paddr(cap_asid_pool_ptr(cap)));
	unsigned i = (unsigned)cap_asid_pool_base(cap) / seL4_ASIDPoolEntries;

	CHECK(i < seL4_ASIDPoolCount && cap_asid_pool_base(cap) % seL4_ASIDPoolEntries == 0,
	      "an ASID pool of no place", cap_asid_pool_ptr(cap), cap.w[0], 0);
	if (check_ok())
		CHECK(asid_pools[i] == entries, "an ASID pool that is not in its place",
		      cap_asid_pool_ptr(cap), i, check_at(asid_pools[i]));
}

void check_memory_table(const struct cte *slot, bool first)
{
	cap_t cap = slot->cap;
	bool ept = cap_type(cap) == CAP_EPT_PT || cap_type(cap) == CAP_EPT_PD ||
		   cap_type(cap) == CAP_EPT_PDPT || cap_type(cap) == CAP_EPT_PML4;
	enum asid_kind kind = ept ? ASID_EPT : ASID_VSPACE;
	unsigned level = check_table_level(cap);
	const uint64_t *entry;
	struct check_entry e;

	if (cap_type(cap) == CAP_ASID_POOL) {
		if (first)
			check_pool(cap);
		return;
	}
	if (level == 4) {
		check_root(cap, first, kind);
		return;
	}
	if (!cap_paging_is_mapped(cap))
		return;
	entry = check_walk((unsigned)cap_paging_asid(cap), kind, cap_paging_mapped(cap), level + 1);
	if (!entry)
		return;
	e = check_entry_read(*entry, kind, level + 1);
	if (e.present && !e.leaf && e.base == cap_paging_ptr(cap))
		check_set_add(&check_mapped, check_at(entry));
}

void check_memory_thread(const struct tcb *t)
{
	cap_t cap = t->slot[TCB_VSPACE].cap;

	if (vspace_cr3_known(t))
		CHECK(t->cr3 == (vspace_root_valid(cap) ? cap_paging_ptr(cap) : user_tables_root.v),
		      "a thread would run in another space", check_at(t), t->cr3, cap.w[1]);
}

/* ---- entries ---- */

static void check_table(const uint64_t *table, enum asid_kind kind, unsigned level, unsigned count)
{
	for (unsigned i = 0; i < count && check_ok(); i++) {
		struct check_entry e;

		if (i % CHECK_WORDS == 0 && check_words_zero(&table[i])) {
			i += CHECK_WORDS - 1;
			continue;
		}
		if (!table[i])
			continue;
		e = check_entry_read(table[i], kind, level);
		CHECK(e.present, "an entry that is not present is not empty", check_at(&table[i]), table[i],
		      level);
		if (!e.present)
			continue;
		CHECK(check_set_count(&check_mapped, check_at(&table[i])) || check_mapped.full,
		      "an entry of a page table without a capability that allows it", check_at(&table[i]),
		      table[i], level);
		if (!e.leaf && check_ok())
			check_table(window_kv(paddr(e.base)), kind, level - 1, 512);
	}
}

void check_memory_end(void)
{
	for (unsigned i = 0; i < seL4_ASIDPoolCount; i++) {
		const uint64_t *pool = asid_pools[i];

		for (unsigned j = 0; pool && j < seL4_ASIDPoolEntries && check_ok(); j++) {
			enum asid_kind kind = (enum asid_kind)(pool[j] & 3);

			if (j % CHECK_WORDS == 0 && check_words_zero(&pool[j])) {
				j += CHECK_WORDS - 1;
				continue;
			}
			if (!pool[j])
				continue;
			check_count.asids++;
			CHECK(kind == ASID_VSPACE || kind == ASID_EPT, "an ASID of no kind", i, j, pool[j]);
			if (check_ok())
				check_table(window_kv(paddr(pool[j] & ~UINT64_C(3))), kind, 4,
					    kind == ASID_VSPACE ? 256 : 512);
		}
	}
}
