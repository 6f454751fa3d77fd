/*
 * Forgetting translations (arch.h) on all CPUs; space.c does it on one. One CPU so far. Called after an entry was changed or taken away.
 */
#include "arch/x86/arch.h"
#include "arch/x86/cpu.h"
#include "arch/x86/cpu_hw.h"
#include "arch/x86/mm/space.h"
#include "arch/x86/mm/tlb.h"
#include "arch/x86/virt/virt.h"
#include "percpu.h"

#define TLB_SINGLY (32 * (uint64_t)PAGE_SIZE) /* more than this at once: drop everything */
#define TLB_CR4_PGE BIT(7)

void tlb_flush_page(uint64_t cr3_root_pa, uint64_t vaddr)
{
	space_flush_page(percpu_self(), cr3_root_pa, vaddr);
}

void tlb_flush_root(uint64_t cr3_root_pa)
{
	space_flush(percpu_self(), cr3_root_pa);
}

void tlb_leave_root(uint64_t cr3_root_pa)
{
	space_leave(percpu_self(), cr3_root_pa);
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
