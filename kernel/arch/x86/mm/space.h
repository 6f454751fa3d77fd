/*
 * The address space that user code of a CPU runs in, and this CPU's translations of all of them. Where the
 * page tables are split (user_tables.h) the kernel runs in tables of its own, and the space is loaded on the
 * way out; else it is loaded at once, and the kernel runs in its upper half. With PCIDs (pcid.h) translations
 * of spaces that are not loaded stay in the TLB.
 *
 * percpu->arch.root is the space; whoever tells other CPUs of a change (tlb.c) asks space_forget() about
 * each. All of it under the kernel's lock.
 */
#ifndef ARCH_X86_MM_SPACE_H
#define ARCH_X86_MM_SPACE_H

#include "arch/x86/cpu.h"
#include "arch/x86/mm/space_hw.h"
#include "percpu.h"

/* This CPU's user code runs in this space from the next exit on. */
static inline __attribute__((always_inline)) void space_use(struct percpu *self, uint64_t root)
{
	space_hw_use(root); /* on a CPU with identifiers: space_use_pcid */
	self->arch.root = root;
}
/* Before self->arch.root changes. Called through the patch site only. */
void space_use_pcid(uint64_t root);

/* After an entry of this space was changed: this CPU uses no old translation of the page (of any size), or of
 * any page. */
void space_flush_page(struct percpu *self, uint64_t root, uint64_t vaddr);
void space_flush(struct percpu *self, uint64_t root);
/* The space is about to go: this CPU does not have it any more, but one without user memory if it had;
 * nothing of it is left under its address. */
void space_leave(struct percpu *self, uint64_t root);
/*
 * The same for another CPU. True: its user code runs in this space, so that CPU must call the above itself
 * before the change counts. False: it does not, and never will with old translations.
 */
bool space_forget(struct percpu *other, uint64_t root);

#endif
