/* Loading of descriptor tables. Decides nothing. */
#ifndef ARCH_X86_DESCRIPTORS_HW_H
#define ARCH_X86_DESCRIPTORS_HW_H

#include "arch/x86/selectors.h"
#include "types.h"

#ifdef INSULA_HOST
void descriptors_load(const void *gdt, uint16_t gdt_limit, const void *idt, uint16_t idt_limit);
#else
/* All segment registers are loaded anew; FS and GS become null, their bases 0. */
static inline void descriptors_load(const void *gdt, uint16_t gdt_limit, const void *idt, uint16_t idt_limit)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) g = {gdt_limit, (uint64_t)(uintptr_t)gdt},
				  i = {idt_limit, (uint64_t)(uintptr_t)idt};

	__asm__ volatile("lgdt %0\n\t"
			 "lidt %1\n\t"
			 "pushq %2\n\t"
			 "leaq 1f(%%rip), %%rax\n\t"
			 "pushq %%rax\n\t"
			 "lretq\n"
			 "1:\n\t"
			 "movl %3, %%ss\n\t"
			 "movl %4, %%ds\n\t"
			 "movl %4, %%es\n\t"
			 "movl %4, %%fs\n\t"
			 "movl %4, %%gs\n\t"
			 "ltr %w5"
			 :
			 : "m"(g), "m"(i), "i"(SELECTOR_KERNEL_CODE), "r"(SELECTOR_KERNEL_DATA), "r"(0),
			   "r"(SELECTOR_TSS)
			 : "rax", "memory");
}
#endif

#endif
