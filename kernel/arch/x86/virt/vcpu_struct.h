/*
 * The memory of a vCPU object (2^14 bytes, in the window): one layout for both vendors.
 *
 *   page 0     VMCB (svm/vmcb.h) or VMCS: the CPU's own
 *   pages 1-2  I/O permission map, one bit per port, 1: exit (APM vol. 2 15.10.1; Intel SDM vol. 3C 25.6.4:
 * bitmaps A, B) page 3     begins with 0xff: the bits that SVM looks at behind port 0xffff; at 0x80 VT-x's
 * virtual TPR; then the registers that the hardware's structure does not hold
 *
 * Fields belong to object/vcpu*.c and the vendors; nobody else reads them.
 */
#ifndef ARCH_X86_VIRT_VCPU_STRUCT_H
#define ARCH_X86_VIRT_VCPU_STRUCT_H

#include "cap/cte.h"
#include "arch/x86/context.h"
#include "insula/ext.h"

struct tcb;

/* The last exit, in VT-x's words. */
struct vcpu_exit {
	uint64_t reason, qualification;
	uint64_t gpa, gla;
	uint64_t info, idt; /* interruption information, IDT vectoring */
	uint32_t error, idt_error;
	uint32_t length, insn_count;
	uint8_t insn_bytes[16];
};

/* Tag of its translations on one CPU: ASID or VPID (virt_tag.c). */
struct virt_tag {
	uint32_t tag; /* 0: none */
	uint32_t cpu;
	uint64_t generation, root_generation;
};

struct vcpu_svm {
	uint32_t run_cpu;  /* where it ran last: VMCB caching is per CPU */
	uint8_t injecting; /* enum svm_injecting: how entry_info is under way in this VMRUN */
	bool check;	   /* state was put since it was last found valid */
	bool nmi_masked;   /* an NMI handler runs: until its IRET */
	bool nmi_step;	   /* RFLAGS.TF is ours: stepping over that IRET */
	bool iret_skip;	   /* let the next IRET pass */
	bool shadow_step;  /* RFLAGS.TF is ours: stepping out of a shadow that an NMI waits for */
	bool armed;	   /* an intercept or V_IRQ of the last entry's windows is still set */
	bool pending_step; /* a single step that the guest is still to be told of (VT-x: pending debug
			      exceptions) */
	uint64_t cr0_mask, cr4_mask, cr0_shadow, cr4_shadow;
	uint64_t cr4_own; /* CR4.MCE as the guest has it: in the VMCB it is always set */
};

struct vcpu_vmx {
	uint64_t cr2, dr6;
	uint32_t cpu;	  /* on which its VMCS is active */
	uint32_t primary; /* as written to the VMCS */
	bool active;
	bool launched;
	bool hold;	/* entry_info waits for a window of our own */
	bool step_made; /* a step is pending because a shadow needs it so: not the VMM's word */
	uint64_t star, lstar, cstar, sfmask, kernel_gs_base;
	uint64_t cr0_mask, cr4_mask, cr0_shadow, cr4_shadow; /* the VMM's */
	uint64_t cr0_own, cr4_own;			     /* the guest's view of the bits that are ours */
	uint64_t host_gdt_base, host_kernel_gs_base;	     /* of the CPU and thread that it runs on */
	uint16_t host_gdt_limit;
};

struct vcpu {
	uint8_t hw[PAGE_SIZE] __attribute__((aligned(4096)));
	uint8_t io_map[2 * PAGE_SIZE];

	/* page 3 */
	uint64_t io_overflow;
	struct tcb *tcb;
	uint64_t entry_info; /* event to be injected, VT-x's word; valid until it is delivered */
	uint32_t entry_error, entry_length;
	uint64_t
	    held_info; /* an interrupt or NMI that waited in entry_info when something else had to go first */
	uint32_t primary;    /* primary processor-based controls, VT-x's bits */
	uint32_t exceptions; /* exception bitmap that the VMM asked for */
	bool pause_loop;     /* the VMM wants exits of a guest that spins with PAUSE, and the CPU has them */
	bool controls_dirty; /* the above, and masks: not yet in the hardware's structure */
	bool dr_live;	     /* DR0-3 of the guest are in the CPU */
	bool ept_valid;
	bool entry_length_moved; /* SVM: RIP was moved over a software event's instruction */
	paddr_t ept_root;
	struct insula_vcpu_state *state; /* state page in the window, or NULL */
	uint64_t xcr0, tsc_aux;
	uint64_t id; /* never used twice; names it in I/O port capabilities */
	uint8_t virtual_tpr[16] __attribute__((
	    aligned(128))); /* 0x80: VT-x's virtual-APIC page is this page, of which only VTPR is used */
	uint64_t gpr[INSULA_GPR_COUNT]; /* RAX: SVM keeps it in the VMCB. [4] unused */
	struct vcpu_exit exit;
	uint64_t dr[4];
	struct cte state_slot __attribute__((aligned(32)));
	struct vcpu *io_next, *io_prev; /* vCPUs with ports of their own (vcpu_ioport.c) */
	struct virt_tag tag;
	struct vcpu_svm svm;
	struct vcpu_vmx vmx;
	struct fpu_state fpu;
};
_Static_assert(sizeof(struct vcpu) == 1 << 14, "vCPU object");
_Static_assert(offsetof(struct vcpu, io_overflow) == 3 * PAGE_SIZE, "I/O map overflow");
_Static_assert(offsetof(struct vcpu, virtual_tpr) == 3 * PAGE_SIZE + 0x80, "VTPR");
_Static_assert(offsetof(struct vcpu, fpu) % 64 == 0, "XSAVE alignment");

#endif
