/*
 * Nested page-table entries: the long-mode format with "user" always set (AMD64 APM vol. 2, 15.25.5). Called
 * by object/ept.c through the vendor contract. Pure.
 */
#include "arch/x86/virt/svm/svm.h"
#include "arch/x86/virt/virt_ept.h"

/*
 * Memory types are chosen by the host's PAT: 0 WB, 1 WT, 3 UC, 4 WC (cpu_init). There is no entry for WP; UC
 * is what a guest can never notice except by its speed.
 */
static unsigned svm_npt_pat_index(unsigned memory_type)
{
	switch (memory_type) {
	case 6:
		return 0;
	case 4:
		return 1;
	case 1:
		return 4;
	default:
		return 3;
	}
}

uint64_t svm_npt_leaf(paddr_t p, unsigned level, unsigned perm, unsigned memory_type)
{
	unsigned pat = svm_npt_pat_index(memory_type);
	npt_t e = npt_table_with_base((npt_t){{0}}, p.v);

	e = npt_with_user(npt_with_present(e, perm != 0), 1);
	e = npt_with_write(e, (perm & EPT_WRITE) != 0);
	e = npt_with_nx(e, !(perm & EPT_EXEC));
	e = npt_with_accessed(npt_with_dirty(e, 1), 1);
	e = npt_with_pwt(npt_with_pcd(e, pat >> 1 & 1), pat & 1);
	if (level == 1)
		return npt_with_large(e, pat >> 2).w[0];
	return npt_with_pat_large(npt_with_is_large(npt_with_large(e, 1), 1), pat >> 2).w[0];
}

uint64_t svm_npt_table(paddr_t p)
{
	npt_t e = npt_table_with_base((npt_t){{0}}, p.v);

	return npt_with_accessed(npt_with_write(npt_with_user(npt_with_present(e, 1), 1), 1), 1).w[0];
}

bool svm_npt_is_leaf(uint64_t entry, unsigned level)
{
	return level == 1 || npt_large((npt_t){{entry}}) != 0;
}

static bool svm_npt_next(uint64_t entry, paddr_t *table)
{
	npt_t e = {{entry}};

	*table = paddr(npt_table_base(e));
	return entry && !npt_large(e);
}

uint64_t *svm_npt_walk(paddr_t root, uint64_t gpa, unsigned level, unsigned *missing)
{
	return virt_ept_walk(svm_npt_next, root, gpa, level, missing);
}

paddr_t svm_npt_address(uint64_t entry)
{
	npt_t e = {{entry}};

	return paddr(npt_table_base(npt_is_large(e) ? npt_with_pat_large(e, 0) : e));
}

unsigned svm_npt_perm(uint64_t entry)
{
	npt_t e = {{entry}};

	if (!npt_present(e))
		return 0;
	return EPT_READ | (npt_write(e) ? EPT_WRITE : 0) | (npt_nx(e) ? 0 : EPT_EXEC);
}

uint64_t svm_npt_part(uint64_t leaf, unsigned level, unsigned index)
{
	uint64_t pat = npt_pat_large((npt_t){{leaf}}), offset = (uint64_t)index << (PAGE_BITS + 9 * (level - 2));
	npt_t e = npt_table_with_base((npt_t){{leaf}}, svm_npt_address(leaf).v + offset);

	if (level == 2)
		return npt_with_large(npt_with_is_large(e, 0), pat).w[0];
	return npt_with_pat_large(e, pat).w[0];
}
