/*
 * Page-table walk and entries of user address spaces. Pure but for reading tables through the window. Never changes an
 * entry: vspace.c and frame.c do.
 */
#include "object/vspace_walk.h"
#include "api/error.h"
#include "arch/x86/cpu.h"
#include "arch/x86/mm/window.h"
#include "cap/cap.h"
#include "insula/ext.h"

uint64_t *vspace_walk(paddr_t root, uint64_t address, unsigned level, unsigned *missing)
{
	uint64_t *table = window_kv(root);

	for (unsigned l = 4; l > level; l--) {
		pte_t e = {{table[vspace_index(address, l)]}};

		if (!pte_present(e) || pte_large(e)) {
			*missing = l - 1;
			return NULL;
		}
		table = window_kv(paddr(pte_base(e)));
	}
	return &table[vspace_index(address, level)];
}

exception_t vspace_lookup(paddr_t root, uint64_t address, unsigned level, uint64_t **entry)
{
	unsigned missing;

	*entry = vspace_walk(root, address, level, &missing);
	if (*entry)
		return EXC_NONE;
	return error_lookup(seL4_MissingCapability, vspace_level_bits(missing + 1));
}

pte_t vspace_page_entry(paddr_t p, unsigned level, unsigned rights, word_t attributes)
{
	pte_t e = pte_with_accessed(pte_with_present((pte_t){{0}}, 1), 1);
	bool user = rights & CAP_RIGHT_READ, write = user && (rights & CAP_RIGHT_WRITE);
	bool pat = attributes & VSPACE_PAT;

	e = pte_with_dirty(pte_with_write(pte_with_user(e, user), write), write);
	e = pte_with_pwt(e, (attributes & VSPACE_PWT) != 0);
	e = pte_with_pcd(e, (attributes & VSPACE_PCD) != 0);
	e = pte_with_nx(e, cpu.nx && (!user || (attributes & insula_X86_ExecuteNever)));
	if (level == 1)
		return pte_small_with_pat(pte_with_base(e, p.v), pat);
	return pte_big_with_pat(pte_with_large(pte_big_with_base(e, p.v), 1), pat);
}

pte_t vspace_table_entry(paddr_t p, word_t attributes)
{
	pte_t e = pte_with_accessed(pte_with_present((pte_t){{0}}, 1), 1);

	e = pte_with_user(pte_with_write(e, 1), 1);
	e = pte_with_pwt(e, (attributes & VSPACE_PWT) != 0);
	e = pte_with_pcd(e, (attributes & VSPACE_PCD) != 0);
	return pte_with_base(e, p.v);
}

pte_t vspace_part_entry(pte_t large, unsigned level, unsigned index)
{
	uint64_t pat = pte_big_pat(large), offset = (uint64_t)index << vspace_level_bits(level - 1);
	pte_t e = pte_with_base(large, pte_big_base(large) + offset); /* bit 12, the large page's PAT, is the address's now */

	return level == 2 ? pte_small_with_pat(pte_with_large(e, 0), pat) : pte_big_with_pat(e, pat);
}

bool vspace_is_page(pte_t e, unsigned level, paddr_t p)
{
	if (!pte_present(e))
		return false;
	return level == 1 ? pte_base(e) == p.v : pte_large(e) && pte_big_base(e) == p.v;
}

bool vspace_is_table(pte_t e, paddr_t p)
{
	return pte_present(e) && !pte_large(e) && pte_base(e) == p.v;
}
