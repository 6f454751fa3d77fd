/*
 * SVM's half of the vendor contract (virt.h): what its files share. Nobody outside this folder includes it,
 * but for virt.c (the table virt_svm) and tests.
 *
 * svm.c        CPU set-up, the table of operations, reset state
 * svm_state.c  VMCB <-> neutral state
 * svm_field.c  VMCS field numbers -> VMCB
 * svm_run.c    one entry and exit: injection, windows, what the kernel handles itself
 * svm_exit.c   exit codes -> VT-x's reasons and qualifications; pure
 * svm_cr.c     CR4, which a guest does not write itself
 * svm_npt.c    nested entries; svm_check.c the CPU's consistency checks; both pure
 * svm_hw.h, svm_entry.S the instructions
 */
#ifndef SVM_H
#define SVM_H

#include "arch/x86/virt/virt.h"
#include "arch/x86/virt/vcpu_struct.h"
#include "arch/x86/virt/vtx.h"
#include "arch/x86/virt/svm/vmcb.h"
#include "kernel/arch/x86/virt/svm/svm_fields.h"

struct percpu;

static inline struct vmcb *svm_vmcb(struct vcpu *v)
{
	return (struct vmcb *)(void *)v->hw;
}

/* What differs between implementations of SVM; found once at boot (svm.c). */
struct svm_traits {
	bool nrip, decode, clean;
	/*
	 * QEMU's TCG: an external interrupt injected with EVENTINJ may be delivered a second time (its
	 * pending exception is not cleared), so V_IRQ is used; the PAT is not switched by VMRUN. Elsewhere
	 * EVENTINJ: Bochs does not look at V_IRQ when the guest's IF is 1 at VMRUN.
	 */
	bool inject_virq, pat_shared;
	uint32_t asids;
	uint64_t efer_allowed, cr4_allowed;
	uint64_t cr3_allowed;
	paddr_t msrpm;
	uint64_t host_pat;
};
extern struct svm_traits svm_traits;

/* How entry_info is on its way during a VMRUN. */
enum svm_injecting {
	SVM_INJECT_NONE,
	SVM_INJECT_EVENT, /* EVENTINJ */
	SVM_INJECT_VIRQ,  /* V_IRQ: may still be waiting at the exit */
	SVM_INJECT_HOLD,  /* not in this VMRUN: waits for a window */
};

/* The VMCB's cached copies of these groups are stale. */
static inline void svm_dirty(struct vcpu *v, uint64_t clean_bits)
{
	svm_vmcb(v)->clean &= ~clean_bits;
}

#define SVM_CR4_MCE	   BIT(6)
#define SVM_EFER_SVME	   BIT(12)
#define SVM_EFER_LMA	   BIT(10)
#define SVM_EFER_LME	   BIT(8)
#define SVM_DR6_STEP	   BIT(14)
#define SVM_RFLAGS_TF	   BIT(8)
#define SVM_RFLAGS_IF	   BIT(9)
#define SVM_RFLAGS_ALLOWED 0x3f7fd5u

/* svm_state.c */
void svm_reset(struct vcpu *v); /* save area at power-on */
void svm_put(struct vcpu *v, uint64_t groups, const struct insula_vcpu_state *s);
void svm_get(struct vcpu *v, uint64_t groups, struct insula_vcpu_state *s);
uint64_t svm_get_interruptibility(struct vcpu *v);
void svm_put_interruptibility(struct vcpu *v, uint64_t value);
uint64_t svm_get_rflags(struct vcpu *v);
void svm_put_rflags(struct vcpu *v, uint64_t value);
void svm_put_cr0(struct vcpu *v, uint64_t value);
void svm_put_cr3(struct vcpu *v, uint64_t value);
void svm_put_cr4(struct vcpu *v, uint64_t value);
uint64_t svm_get_cr4(struct vcpu *v);
void svm_put_efer(struct vcpu *v, uint64_t value);
void svm_put_dr7(struct vcpu *v, uint64_t value);
struct vmcb_segment *svm_segment(struct vcpu *v, unsigned seg); /* enum insula_seg */
uint32_t svm_get_ar(struct vcpu *v, unsigned seg);
void svm_put_ar(struct vcpu *v, unsigned seg, uint32_t ar);

/* svm_field.c */
bool svm_read_field(struct vcpu *v, uint32_t field, uint64_t *value);
bool svm_write_field(struct vcpu *v, uint32_t field, uint64_t *value);

/* svm_run.c */
enum virt_run svm_run(struct vcpu *v);
void svm_load(struct vcpu *v);
void svm_unload(struct vcpu *v);

/* svm_exit.c: what to do about an exit. Fills v->exit when it is SVM_DO_VMM. Pure but for *v. */
enum svm_do {
	SVM_DO_VMM,	  /* the VMM's */
	SVM_DO_INTERRUPT, /* host interrupt waits */
	SVM_DO_AGAIN,	  /* nothing: enter again (NMI, SMI: the host has taken it by now) */
	SVM_DO_UNDEFINED, /* the guest gets #UD */
	SVM_DO_MC,	  /* machine check: the host's */
	SVM_DO_DEBUG,	  /* #DB that nobody but us asked for */
	SVM_DO_ALIGNMENT, /* #AC likewise */
	SVM_DO_DR,	  /* first access to a debug register */
	SVM_DO_CR4,	  /* MOV to or from CR4 of which all is known */
	SVM_DO_VINTR,
	SVM_DO_IRET,
	SVM_DO_FAILED,
};
enum svm_do svm_exit(struct vcpu *v);
/* EXITINTINFO as IDT-vectoring word: 0 if nothing is to be delivered again. */
uint64_t svm_exit_vectoring(uint64_t exit_int_info);

/* svm_cr.c: MOV to or from CR4, in v->exit. */
enum virt_run svm_cr4(struct vcpu *v);

/* svm_check.c: would VMRUN accept this state? APM vol. 2, 15.5.1. */
bool svm_check(const struct vmcb *b);

/* svm_npt.c */
uint64_t svm_npt_leaf(paddr_t p, unsigned level, unsigned perm, unsigned memory_type);
uint64_t svm_npt_table(paddr_t p);
bool svm_npt_is_leaf(uint64_t entry, unsigned level);
uint64_t *svm_npt_walk(paddr_t root, uint64_t gpa, unsigned level, unsigned *missing);
paddr_t svm_npt_address(uint64_t entry);
unsigned svm_npt_perm(uint64_t entry);
uint64_t svm_npt_part(uint64_t leaf, unsigned level, unsigned index);

#endif
