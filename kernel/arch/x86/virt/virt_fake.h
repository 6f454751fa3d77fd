/*
 * The world of the vendor contract's tests: CPU registers, an FPU, a host interrupt, and a script of what the
 * guest does, in words that belong to neither vendor. svm_fake.c and vmx_fake.c play the script as their CPU
 * would: they refuse what it refuses, fail at once on what could harm a host (svm_check_fake.c,
 * vmx_check_fake.c), exit only where an intercept is set, deliver events as it delivers them, and keep a TLB
 * that goes stale (virt_tlb_fake.h).
 */
#ifndef VIRT_FAKE_H
#define VIRT_FAKE_H

#include "arch/x86/virt/virt.h"
#include "arch/x86/virt/vcpu_struct.h"
#include "arch/x86/virt/vtx.h"
#include "percpu.h"

/* What the guest does next. */
enum fake_act {
	FAKE_CPUID,
	FAKE_HLT,
	FAKE_INVD,
	FAKE_WBINVD,
	FAKE_RDPMC,
	FAKE_RDTSC,
	FAKE_RDTSCP,
	FAKE_HYPERCALL,
	FAKE_XSETBV,
	FAKE_PAUSE,
	FAKE_SPIN, /* number: PAUSEs in a tight loop, FAKE_PAUSE_CYCLES each */
	FAKE_MONITOR,
	FAKE_MWAIT,
	FAKE_INVLPG,
	FAKE_OWN_VIRT, /* VMXON, VMRUN */
	FAKE_RDMSR,
	FAKE_WRMSR, /* number: MSR */
	FAKE_IN,
	FAKE_OUT, /* number: port; size; string */
	FAKE_READ_CR,
	FAKE_WRITE_CR,
	FAKE_READ_DR,
	FAKE_WRITE_DR, /* number, gpr */
	FAKE_READ_GPA,
	FAKE_WRITE_GPA,
	FAKE_FETCH_GPA, /* gpa; present: what the entry allows was not enough */
	FAKE_EXCEPTION, /* number: vector; error */
	FAKE_TRIPLE_FAULT,
	FAKE_TASK_SWITCH, /* number: selector */
	FAKE_INTERRUPT,
	FAKE_HOST_NMI,
	FAKE_HOST_MC, /* the host's */
	FAKE_IRET,
	FAKE_STI,	  /* no exit of its own: the guest's flags change */
	FAKE_NOP,	  /* an instruction: a shadow ends with it */
	FAKE_TOUCH,	  /* memory is used: the TLB is asked */
	FAKE_GUEST_FLUSH, /* the guest changes its own page tables and flushes */
	FAKE_INT1,	  /* length */
	FAKE_RAW,	  /* number: the exit; gpa, error: what it tells; the guest has changed what it may */
};

struct fake_step {
	enum fake_act act;
	uint64_t number, gpa, error;
	unsigned size, gpr, length;
	bool string, rep, present;
	uint64_t vectoring; /* an event is being delivered when this happens, VT-x's word */
	uint32_t vectoring_error;
};

#define FAKE_PAUSE_CYCLES 40u

struct fake_cpu {
	/* the script, and how far it is */
	struct fake_step step[32];
	unsigned steps, done;
	/* what has been seen */
	uint64_t delivered[128]; /* events that the guest took, VT-x's words */
	unsigned deliveries;
	uint64_t delivered_error, delivered_rip;
	unsigned entries; /* successful */
	unsigned refused; /* entries that the CPU's checks refused */
	bool stale;	  /* a translation was used that should have been flushed */
	unsigned host_nmis, host_mcs, polls;
	bool mc_ends; /* the guest does not survive a machine check */
	unsigned fpu_saves, fpu_loads;
	/* the CPU */
	bool interrupt;	   /* irq_poll finds one */
	uint64_t pdpte[4]; /* in guest memory at CR3, for VT-x */
	unsigned pdpte_loads;
	bool entry_mc;	  /* VT-x: the next VM entry meets a machine check */
	bool nmi_blocked; /* the guest is in its NMI handler */
	uint64_t xcr0, dr[8], cr2, msr_pat, tsc_aux, kernel_gs_base, fs_base, star, lstar, sfmask;
	struct fpu_state *fpu_from; /* whose state is loaded */
	uint64_t root_version[8];   /* of the EPT root at (index + 1) << 20: changes when its tables do */
	/* traits */
	bool svm_nrip, svm_decode, svm_virq, pause_loop;
	uint8_t lacks; /* VT-x: bit 0 VPIDs, 1 INVEPT of one context, 2 TPR shadow, 3 EPT access bits */
};
extern struct fake_cpu fake;

/* A fresh machine with this vendor's CPU; `virt` is set. */
void fake_start(const struct virt_ops *ops);
/* As found by vendor detection, before fake_start's cpu_init. */
void fake_svm_reset(void);
void fake_vmx_reset(void);

struct vcpu *fake_vcpu(void); /* made, with EPT root 1 */
void fake_vcpu_free(struct vcpu *v);
static inline uint64_t virt_fake_canonical(uint64_t v)
{
	return v >> 47 & 1 ? v | UINT64_C(0xffff) << 48 : v & MASK(48);
}
#define FAKE_ROOT(n) paddr((uint64_t)(n) << 20)

void fake_do(struct fake_step s);
/* Next step, or NULL: then the fakes make a host interrupt of it. */
const struct fake_step *fake_next(void);
/* This one was being delivered at an exit. */
void fake_interrupted(uint64_t event);
void fake_deliver(uint64_t event, uint64_t error, uint64_t rip);

/* From now on this is another CPU: its own per-CPU data, TLB, and VMCSs. */
#define FAKE_CPUS 2
void fake_cpu(unsigned n);

/* Runs until something is for the caller; VIRT_RUN_AGAIN only if `once`. */
enum virt_run fake_run(struct vcpu *v);

#endif
