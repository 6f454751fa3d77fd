/*
 * ASIDs: small numbers that name VSpaces and EPT roots, so that a capability to a mapping can tell whether the space that it
 * was made in still exists. A mapping made under an ASID that now names another root is found stale by the
 * walk that looks for its own page or table there.
 *
 * Owns the table of pools and their content (asid.h).
 */
#include "object/asid.h"
#include "api/invocation.h"
#include "arch/x86/arch.h"
#include "arch/x86/mm/tlb.h"
#include "arch/x86/mm/window.h"
#include "cap/cnode.h"
#include "cap/untyped.h"
#include "sel4/constants.h"

#define ASID_KIND_MASK ((uint64_t)3)

uint64_t *asid_pools[seL4_ASIDPoolCount];

bool asid_lookup(unsigned asid, enum asid_kind kind, paddr_t *root)
{
	const uint64_t *pool = asid_pools[asid / seL4_ASIDPoolEntries % seL4_ASIDPoolCount];
	uint64_t e;

	if (!pool)
		return false;
	e = pool[asid % seL4_ASIDPoolEntries];
	if ((e & ASID_KIND_MASK) != kind)
		return false;
	*root = paddr(e & ~ASID_KIND_MASK);
	return true;
}

/* Nothing is to be found through this root any more. */
static void asid_flush(enum asid_kind kind, paddr_t root)
{
	if (kind == ASID_VSPACE)
		tlb_leave_root(root.v);
	else
		tlb_flush_nested(root);
}

void asid_root_gone(unsigned asid, enum asid_kind kind, paddr_t root)
{
	if (!asid_names(asid, kind, root))
		return;
	asid_pools[asid / seL4_ASIDPoolEntries][asid % seL4_ASIDPoolEntries] = 0;
	asid_flush(kind, root);
}

void asid_pool_gone(unsigned base, paddr_t pool)
{
	uint64_t *entries = window_kv(pool);

	if (asid_pools[base / seL4_ASIDPoolEntries] != entries)
		return;
	asid_pools[base / seL4_ASIDPoolEntries] = NULL;
	vspace_generation++;
	for (unsigned i = 0; i < seL4_ASIDPoolEntries; i++)
		if (entries[i])
			asid_flush((enum asid_kind)(entries[i] & ASID_KIND_MASK), paddr(entries[i] & ~ASID_KIND_MASK));
}

void asid_init(paddr_t page, paddr_t first_pml4)
{
	asid_pools[0] = window_kv(page);
	asid_pools[0][1] = first_pml4.v | ASID_VSPACE;
}

/* ---- invocations ---- */

static bool asid_untyped_usable(cap_t c)
{
	return cap_type(c) == CAP_UNTYPED && cap_untyped_bits(c) == seL4_ASIDPoolBits && !cap_untyped_device(c);
}

exception_t asid_control_decode(word_t label, unsigned length, cap_t cap)
{
	struct cte *untyped = invocation_extra(0), *root = invocation_extra(1);
	struct lookup_result dest;
	unsigned i = 0;
	exception_t e;
	cap_t pool;

	(void)cap; /* there is one */
	if (label != X86ASIDControlMakePool)
		return error_illegal_operation();
	if (length < 2 || !untyped || !root)
		return error_truncated();
	while (i < seL4_ASIDPoolCount && asid_pools[i])
		i++;
	if (i == seL4_ASIDPoolCount)
		return error_delete_first();
	if (!asid_untyped_usable(untyped->cap))
		return error_invalid_capability(1);
	e = cte_ensure_no_children(untyped);
	if (e != EXC_NONE)
		return e;
	dest = cnode_target_slot(root->cap, invocation_arg(0), invocation_arg(1), false);
	if (dest.status != EXC_NONE)
		return dest.status;
	e = cte_ensure_empty(dest.slot);
	if (e != EXC_NONE)
		return e;

	untyped_take_page(untyped);
	pool = cap_asid_pool_with_ptr(cap_of_type(CAP_ASID_POOL), cap_untyped_ptr(untyped->cap));
	pool = cap_asid_pool_with_base(pool, i * seL4_ASIDPoolEntries);
	asid_pools[i] = window_kv(paddr(cap_asid_pool_ptr(pool)));
	cte_insert_new(untyped, dest.slot, pool);
	return EXC_NONE;
}

exception_t asid_pool_decode(word_t label, unsigned length, cap_t cap)
{
	struct cte *slot = invocation_extra(0);
	unsigned base = (unsigned)cap_asid_pool_base(cap), i;
	uint64_t *pool = asid_pools[base / seL4_ASIDPoolEntries];
	enum asid_kind kind;
	cap_t root;

	(void)length;
	if (label != X86ASIDPoolAssign)
		return error_illegal_operation();
	if (!slot)
		return error_truncated();
	root = slot->cap;
	if ((cap_type(root) != CAP_PML4 && cap_type(root) != CAP_EPT_PML4) || cap_paging_is_mapped(root))
		return error_invalid_capability(1);
	if (!pool) {
		error_lookup(seL4_InvalidRoot, 0);
		return error_failed_lookup(false);
	}
	if (pool != window_kv(paddr(cap_asid_pool_ptr(cap))))
		return error_invalid_capability(0);
	i = base == 0 ? 1 : 0; /* ASID 0 is no ASID */
	while (i < seL4_ASIDPoolEntries && pool[i])
		i++;
	if (i == seL4_ASIDPoolEntries)
		return error_delete_first();

	kind = cap_type(root) == CAP_PML4 ? ASID_VSPACE : ASID_EPT;
	pool[i] = cap_paging_ptr(root) | kind;
	slot->cap = cap_paging_with_is_mapped(cap_paging_with_asid(root, base + i), 1);
	return EXC_NONE;
}
