/*
 * The vendor contract of virtualization. Each vendor (svm/, vmx/) fills one `const struct virt_ops`
 * completely; a missing function is a compile error in virt_check.c's constructor test. Words of the VMCB and
 * VMCS do not cross it: what crosses is struct insula_vcpu_state in VT-x's neutral words (abi/insula/ext.h),
 * VMCS field numbers, and second-level entries. The same contract test runs on both (virt_contract_test.c
 * with a fake of each).
 */
#ifndef ARCH_X86_VIRT_VIRT_H
#define ARCH_X86_VIRT_VIRT_H

#include "types.h"
#include "insula/ext.h"

struct vcpu;
struct percpu;

enum virt_run {
	VIRT_RUN_EXIT,	    /* an exit for the VMM: get() with INSULA_VS_EXIT tells */
	VIRT_RUN_INTERRUPT, /* a host interrupt: percpu->arch.pending_vector is set */
	VIRT_RUN_AGAIN,	    /* handled inside (nested-TLB flush, NMI passed to the host, ...) */
	VIRT_RUN_FAILED,    /* entry refused by the CPU's checks: reason has bit 31 */
};

enum ept_perm { EPT_READ = 1, EPT_WRITE = 2, EPT_EXEC = 4 };

struct virt_ops {
	const char *name; /* "VT-x" or "SVM" */
	/* This CPU: enable, host areas. False with one line printed if it cannot. */
	bool (*cpu_init)(struct percpu *p);
	void (*vcpu_init)(struct vcpu *v);  /* object is zero: power-on state of seL4's vCPU */
	/*
	 * Take it off any CPU (VMCLEAR), this one or another; before it is bound, unbound or finalised, and before its
	 * thread goes to another CPU. The functions below may be called on any CPU with the kernel lock held, but load,
	 * run and unload only where the vCPU is on no other CPU.
	 */
	void (*vcpu_clear)(struct vcpu *v);
	/*
	 * Around a stretch of runs on this CPU, inside virt_guest_load() and virt_guest_unload(), which
	 * switch FPU, XCR0, DR0-3 and TSC_AUX for both vendors: the vendor's own registers of that kind.
	 */
	void (*load)(struct vcpu *v);
	enum virt_run (*run)(struct vcpu *v); /* one entry and exit; GPRs, CR2 and the rest switched */
	void (*unload)(struct vcpu *v);
	/*
	 * Copies groups between the state page and the vendor's structure; events and windows are in struct
	 * vcpu. Values are sanitised on the way in, and each word of *s is read once: it may be shared
	 * memory.
	 */
	void (*put)(struct vcpu *v, uint64_t groups, const struct insula_vcpu_state *s);
	void (*get)(struct vcpu *v, uint64_t groups, struct insula_vcpu_state *s);
	/* One VMCS field by VT-x encoding, allow-listed. False: no such field. *value is replaced by what was
	 * stored. */
	bool (*read_field)(struct vcpu *v, uint32_t field, uint64_t *value);
	bool (*write_field)(struct vcpu *v, uint32_t field, uint64_t *value);
	bool (*read_msr)(struct vcpu *v, uint32_t field, uint64_t *value);
	bool (*write_msr)(struct vcpu *v, uint32_t field, uint64_t *value);
	void (*set_ept_root)(struct vcpu *v, paddr_t root, bool valid);
	void (*ioport)(struct vcpu *v, uint16_t first, uint16_t last, bool allow);
	/* entries of second-level tables; level 1 = 4 KiB, 2 = 2 MiB, 3 = 1 GiB; memory type 0 UC..6 WB */
	uint64_t (*ept_leaf)(paddr_t p, unsigned level, unsigned perm, unsigned memory_type);
	uint64_t (*ept_table)(paddr_t p);
	/* Of an entry that is there: what is not is 0. */
	bool (*ept_is_leaf)(uint64_t entry, unsigned level);
	/* virt_ept_walk() (virt_ept.h) in this format. */
	uint64_t *(*ept_walk)(paddr_t root, uint64_t gpa, unsigned level, unsigned *missing);
	paddr_t (*ept_address)(uint64_t entry);
	unsigned (*ept_perm)(uint64_t entry);
	/* The entry of level - 1 for the index-th of the 512 parts of what this leaf maps: same permissions and type. */
	uint64_t (*ept_part)(uint64_t leaf, unsigned level, unsigned index);
	/* Translations of this root are stale on that CPU: from its next entry on they are not used. */
	void (*ept_flush)(struct percpu *p, paddr_t root);
};

extern const struct virt_ops *virt; /* NULL without VT-x and SVM */
extern uint32_t virt_features;	    /* enum insula_virt_feature, set by virt_init() */
extern const struct virt_ops virt_svm, virt_vmx;
/* Chooses by what the CPU has; false (and a line) if neither can be used. */
bool virt_init(void);
bool virt_init_cpu(struct percpu *p);

#endif
