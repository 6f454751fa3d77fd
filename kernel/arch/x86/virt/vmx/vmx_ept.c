/*
 * EPT entries and the EPT pointer (Intel SDM vol. 3C 29.3.2, 25.6.11). Called by object/ept.c through the
 * vendor contract. Pure.
 *
 * Accessed and dirty bits are on where the CPU has them: then the guest's walks of its own tables count as
 * writes (29.3.3.2), as on SVM. They are set from the start, so that the CPU never stores into a table of
 * ours.
 */
#include "arch/x86/virt/vmx/vmx.h"
#include "arch/x86/virt/virt_ept.h"

uint64_t vmx_ept_leaf(paddr_t p, unsigned level, unsigned perm, unsigned memory_type)
{
	ept_t e = ept_with_base((ept_t){{0}}, p.v);

	e = ept_with_read(ept_with_write(e, (perm & EPT_WRITE) != 0), perm != 0);
	e = ept_with_execute(ept_with_type(e, memory_type), (perm & EPT_EXEC) != 0);
	return ept_with_accessed(ept_with_dirty(ept_with_large(e, level > 1), 1), 1).w[0];
}

uint64_t vmx_ept_table(paddr_t p)
{
	ept_t e = ept_with_base((ept_t){{0}}, p.v);

	e = ept_with_read(ept_with_write(ept_with_execute(e, 1), 1), 1);
	return ept_with_accessed(e, 1).w[0];
}

bool vmx_ept_is_leaf(uint64_t entry, unsigned level)
{
	return level == 1 || ept_large((ept_t){{entry}}) != 0;
}

static bool vmx_ept_next(uint64_t entry, paddr_t *table)
{
	*table = paddr(ept_base((ept_t){{entry}}));
	return entry && !ept_large((ept_t){{entry}});
}

uint64_t *vmx_ept_walk(paddr_t root, uint64_t gpa, unsigned level, unsigned *missing)
{
	return virt_ept_walk(vmx_ept_next, root, gpa, level, missing);
}

paddr_t vmx_ept_address(uint64_t entry)
{
	return paddr(ept_base((ept_t){{entry}}));
}

unsigned vmx_ept_perm(uint64_t entry)
{
	ept_t e = {{entry}};

	return (ept_read(e) ? EPT_READ : 0u) | (ept_write(e) ? EPT_WRITE : 0u) |
	       (ept_execute(e) ? EPT_EXEC : 0u);
}

uint64_t vmx_ept_part(uint64_t leaf, unsigned level, unsigned index)
{
	ept_t e = ept_with_large((ept_t){{leaf}}, level > 2);

	return ept_with_base(e, ept_base(e) + ((uint64_t)index << (PAGE_BITS + 9 * (level - 2)))).w[0];
}

uint64_t vmx_ept_pointer(paddr_t root)
{
	eptp_t e = eptp_with_base((eptp_t){{0}}, root.v);

	return eptp_with_ad(eptp_with_type(eptp_with_levels(e, 3), 6), vmx_traits.ept_ad).w[0];
}
