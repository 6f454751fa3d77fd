/* x86's part of the per-CPU area. */
#ifndef ARCH_X86_PERCPU_HW_H
#define ARCH_X86_PERCPU_HW_H

#include "types.h"

struct vcpu;
struct percpu;

struct percpu_arch {
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
	int32_t pending_vector;	  /* interrupt taken in kernel mode, not yet handled; -1 none */
	uint64_t cr3;		  /* loaded */
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
	uint64_t timer_armed; /* deadline that the hardware timer is set to; UINT64_MAX: none */
	/* Where the CPU pushes its frame when it leaves user mode; all that the split tables must map
	 * besides. */
	uint64_t entry_stack_top;
	uint64_t entry_stack[32] __attribute__((aligned(16)));
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
