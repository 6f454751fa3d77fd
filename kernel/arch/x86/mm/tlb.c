/*
 * Forgetting translations (arch.h). One CPU: what is not loaded in CR3 is not cached, but for global pages, since every load of
 * CR3 drops the rest. Called after an entry was changed or taken away.
 */
#include "arch/x86/arch.h"
#include "arch/x86/cpu.h"
#include "arch/x86/cpu_hw.h"
#include "arch/x86/mm/kernel_tables.h"
#include "arch/x86/mm/tlb.h"
#include "arch/x86/virt/virt.h"
#include "percpu.h"

#define TLB_SINGLY (32 * (uint64_t)PAGE_SIZE) /* more than this at once: drop everything */
#define TLB_CR4_PGE BIT(7)

static bool tlb_is_loaded(uint64_t root)
{
	return (percpu_self()->arch.cr3 & MASK(52) & ~MASK(PAGE_BITS)) == root;
}

void tlb_flush_page(uint64_t cr3_root_pa, uint64_t vaddr)
{
	if (tlb_is_loaded(cr3_root_pa))
		cpu_invlpg(vaddr);
}

void tlb_flush_root(uint64_t cr3_root_pa)
{
	if (tlb_is_loaded(cr3_root_pa))
		cpu_write_cr3(percpu_self()->arch.cr3);
}

void tlb_leave_root(uint64_t cr3_root_pa)
{
	if (tlb_is_loaded(cr3_root_pa)) {
		percpu_self()->arch.cr3 = kernel_tables_root.v;
		cpu_write_cr3(kernel_tables_root.v);
	}
}

void tlb_flush_all(void)
{
	uint64_t cr4 = cpu_read_cr4();

	if (cr4 & TLB_CR4_PGE) { /* global pages go when CR4.PGE changes (SDM 3A, 4.10.4.1) */
		cpu_write_cr4(cr4 & ~TLB_CR4_PGE);
		cpu_write_cr4(cr4);
	} else {
		cpu_write_cr3(cpu_read_cr3());
	}
}

void tlb_flush_kernel(uint64_t vaddr, uint64_t bytes)
{
	if (bytes > TLB_SINGLY) {
		tlb_flush_all();
		return;
	}
	for (uint64_t at = vaddr; at < vaddr + bytes; at += PAGE_SIZE)
		cpu_invlpg(at);
}

void tlb_flush_nested(paddr_t ept_root)
{
	if (virt)
		virt->ept_flush(ept_root);
}
