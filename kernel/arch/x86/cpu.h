/*
 * What this CPU is and has: found at boot, per CPU checked equal. Read-only after boot. Everything that
 * depends on a feature asks here; nothing is decided when compiling.
 */
#ifndef ARCH_X86_CPU_H
#define ARCH_X86_CPU_H

#include "types.h"

struct percpu;

enum cpu_vendor { CPU_OTHER, CPU_INTEL, CPU_AMD };

struct cpu_features {
	enum cpu_vendor vendor;
	uint32_t family, model, stepping;
	char name[49];
	uint8_t paddr_bits, vaddr_bits;
	bool nx, smep, smap, umip, pcid, invpcid, fsgsbase, x2apic, tsc_deadline, invariant_tsc, huge_pages;
	bool pku; /* and PKRU is among the components of xcr0 */
	bool mce, mce_succor, mce_overflow; /* machine checks; AMD: data poisoning contained, overflow harmless */
	bool split; /* user code runs in tables of its own (entry/split.h) */
	uint64_t arch_capabilities; /* the MSR; 0 where there is none */
	bool xsave, xsaveopt, xsavec, xsaves, pge, rdtscp, monitor, avx;
	uint64_t xcr0;	     /* components in use for host threads (and the most that guests may have) */
	uint32_t xsave_size; /* bytes of an area of these components in the format used */
	uint32_t virt;	     /* enum insula_virt of abi/insula/ext.h */
	/* SVM: CPUID 8000000A */
	uint32_t svm_asids;
	bool svm_npt, svm_nrip, svm_decode, svm_flush_asid, svm_vmcb_clean, svm_vgif, svm_pause_filter, svm_pause_threshold;
	/* VT-x capability MSRs are read by virt/vmx */
};
extern struct cpu_features cpu; /* cpu_detect.c */

/*
 * Boot CPU: fills `cpu`; boot_stop with one line where something indispensable is missing (64-bit mode, NX,
 * SYSCALL, SSE2, local APIC). Called by cpu_early.
 */
void cpu_detect(void);
/* Another CPU, after cpu_init: does it have everything that was found on the boot CPU? */
bool cpu_is_alike(void);
/* The features found and used, as words separated by blanks. Always NUL-terminated; cut at a word. */
void cpu_feature_words(char *buffer, size_t size);

/*
 * This CPU: CR0, CR4, EFER, PAT, XCR0, MSRs for SYSCALL; then GDT, TSS, IDT with the stacks of mm/layout.h
 * (or, for percpu_early, of the image), GS. p->cpu must be set; fills p->entry, apic_id, kernel_stack and
 * p->arch's own fields. Called on each CPU with its area in the layout once that is mapped. Returns on the
 * same stack.
 */
void cpu_init(struct percpu *p);

/*
 * First C code of the boot CPU, called by start.S: detects and initialises the CPU on percpu_early, so that
 * from here on a fault is a panic with a dump. Opens the patch sites through the identity mapping (patch_done
 * closes).
 */
void cpu_early(uint64_t load_base);
/* Boot CPU, when the command line is known: what of it is used (xpti=); fills the patch sites that depend on features alone. */
void cpu_choose(const char *cmdline);
/* The boot CPU's area until its own in mm/layout.h is mapped and cpu_init called with it. */
extern struct percpu percpu_early;

#endif
