/*
 * Forgetting translations (arch.h): here, and by a call on each other CPU that may hold them. What a CPU has of address spaces is
 * space.c's. Called after an entry was changed or taken away.
 */
#include "arch/x86/arch.h"
#include "arch/x86/cpu.h"
#include "arch/x86/cpu_hw.h"
#include "arch/x86/mm/space.h"
#include "arch/x86/mm/tlb.h"
#include "arch/x86/smp/smp.h"
#include "arch/x86/virt/virt.h"
#include "percpu.h"

#define TLB_SINGLY (32 * (uint64_t)PAGE_SIZE) /* more than this at once: drop everything */
#define TLB_CR4_PGE BIT(7)

/*
 * A CPU that idles need not be woken for a page that is gone: it is told to drop everything before it goes on,
 * and until then it touches nothing but its own area. Not so for tables: it might walk them.
 */
static bool tlb_is_awake(struct percpu *p)
{
	__atomic_store_n(&p->arch.flush_wanted, true, __ATOMIC_SEQ_CST);
	return !__atomic_load_n(&p->arch.idling, __ATOMIC_SEQ_CST);
}

static bool tlb_must_drop_page(struct percpu *p, uint64_t root)
{
	return space_forget(p, root) && tlb_is_awake(p);
}

static bool tlb_must_drop_kernel(struct percpu *p, uint64_t key)
{
	(void)key;
	return tlb_is_awake(p);
}

struct tlb_page {
	uint64_t root, vaddr;
};

static void tlb_page_here(void *arg)
{
	const struct tlb_page *page = arg;

	space_flush_page(percpu_self(), page->root, page->vaddr);
}

void tlb_flush_page(uint64_t cr3_root_pa, uint64_t vaddr)
{
	struct tlb_page page = {cr3_root_pa, vaddr};

	tlb_page_here(&page);
	smp_call_others(tlb_must_drop_page, cr3_root_pa, tlb_page_here, &page);
}

static void tlb_root_here(void *arg)
{
	space_flush(percpu_self(), *(const uint64_t *)arg);
}

void tlb_flush_root(uint64_t cr3_root_pa)
{
	tlb_root_here(&cr3_root_pa);
	smp_call_others(space_forget, cr3_root_pa, tlb_root_here, &cr3_root_pa);
}

static void tlb_leave_here(void *arg)
{
	space_leave(percpu_self(), *(const uint64_t *)arg);
}

void tlb_leave_root(uint64_t cr3_root_pa)
{
	/* a pool of ASIDs takes 511 of them with it */
	if (cpu.pcid || percpu_self()->arch.root == cr3_root_pa)
		tlb_leave_here(&cr3_root_pa);
	smp_call_others(space_forget, cr3_root_pa, tlb_leave_here, &cr3_root_pa);
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

struct tlb_range {
	uint64_t start, bytes;
};

static void tlb_kernel_here(void *arg)
{
	const struct tlb_range *r = arg;

	if (r->bytes > TLB_SINGLY) {
		tlb_flush_all();
		return;
	}
	for (uint64_t at = r->start; at < r->start + r->bytes; at += PAGE_SIZE)
		cpu_invlpg(at);
}

void tlb_flush_kernel(uint64_t vaddr, uint64_t bytes)
{
	struct tlb_range r = {vaddr, bytes};

	tlb_kernel_here(&r);
	smp_call_others(tlb_must_drop_kernel, 0, tlb_kernel_here, &r);
}

static bool tlb_in_guest(struct percpu *p, uint64_t root)
{
	return __atomic_load_n(&p->arch.guest_root, __ATOMIC_RELAXED) == root;
}

static void tlb_out_of_guest(void *arg)
{
	(void)arg; /* that it came here is all */
}

/*
 * Guest translations go by their tags, at the next entry (virt_tag.c); so what is to be done now is that no
 * CPU stays in a guest of this root.
 */
void tlb_flush_nested(paddr_t ept_root)
{
	if (!virt)
		return;
	for (uint32_t i = 0; i < smp_cpu_count; i++)
		virt->ept_flush(smp_percpu(i), ept_root);
	smp_call_others(tlb_in_guest, ept_root.v, tlb_out_of_guest, NULL);
}
