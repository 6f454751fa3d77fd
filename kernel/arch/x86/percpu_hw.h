/* x86's part of the per-CPU area. */
#ifndef ARCH_X86_PERCPU_HW_H
#define ARCH_X86_PERCPU_HW_H

#include "arch/x86/mce_record.h"
#include "arch/x86/mm/pcid.h"
#include "types.h"

struct vcpu;
struct percpu;

/*
 * All of a CPU's area that user code's tables map when they are split from the kernel's (mm/user_tables.h): what the entry and
 * exit paths and the CPU itself touch under them. One page, and nothing in it that a process may not read.
 */
struct percpu_entry {
	struct percpu *self; /* first: loaded through GS */
	uint64_t user_rsp;   /* for a moment, at SYSCALL and SYSRET */
	uint64_t user_cr3;   /* split tables: loaded on the way out (mm/space.h) */
	/* Where the CPU pushes its frame when it leaves user mode. */
	uint64_t stack_top;
	uint64_t stack[32] __attribute__((aligned(16)));
	uint64_t gdt[16] __attribute__((aligned(16)));
	struct {
		uint32_t reserved0;
		uint64_t rsp[3];
		uint64_t reserved1;
		uint64_t ist[7];
		uint64_t reserved2;
		uint16_t reserved3;
		uint16_t iomap_base;
	} __attribute__((packed)) tss __attribute__((aligned(16)));
} __attribute__((aligned(4096)));
_Static_assert(sizeof(struct percpu_entry) == 4096, "one page");

struct percpu_arch {
	int32_t pending_vector;	  /* interrupt taken in kernel mode, not yet handled; -1 none */
	uint64_t root;		  /* PML4 of the address space that user code runs in here (mm/space.h) */
	struct pcid_cache pcid;
	paddr_t host_save;	  /* SVM: VM_HSAVE_PA page; VT-x: VMXON region */
	paddr_t host_state;	  /* SVM: VMSAVE area of the host */
	struct vcpu *loaded_vcpu; /* VT-x: current VMCS */
	uint64_t virt_generation; /* guest-TLB tags are valid in this generation */
	uint32_t virt_next_asid;
	uint64_t virt_root_generation[64];	 /* counts flushes of EPT roots, by a hash of their address */
	uint64_t tsc_aux;			 /* the host's TSC_AUX */
	uint64_t xcr0;				 /* value now in XCR0 */
	uint64_t counters[8];			 /* entries by kind, for debugging */
	uint64_t loaded_fs_base, loaded_gs_base; /* without FSGSBASE: the user's, as in the MSRs */
	bool called;	      /* by the lock's holder (smp/smp.h) */
	bool kicked;	      /* its IRQ_VECTOR_KICK is under way */
	bool idling;	      /* it waits, and looks at flush_wanted before it does anything else (irq.c) */
	bool flush_wanted;    /* its translations are stale */
	bool started;	      /* it runs (smp/smp_start.h) */
	uint64_t guest_root; /* second-level root of the guest that runs, or is about to (object/vcpu.c); 0: none */
	struct mce_log mce;
	uint64_t nmi_told; /* of counters[PERCPU_COUNT_NMI] */
	ticks_t nmi_next;
	/* What NMI and machine check run C on: not the stacks that the CPU pushes its frame to, which user tables show. */
	uint64_t nmi_stack[128] __attribute__((aligned(16)));
	uint64_t mce_stack[512] __attribute__((aligned(16)));
};

/* Indices of counters[]. */
enum percpu_counter { PERCPU_COUNT_NMI, PERCPU_COUNT_DEBUG };

static inline struct percpu *percpu_self(void)
{
	struct percpu *p;
#ifdef INSULA_HOST
	extern struct percpu *percpu_host;
	p = percpu_host;
#else
	__asm__("movq %%gs:0, %0" : "=r"(p));
#endif
	return p;
}

#endif
