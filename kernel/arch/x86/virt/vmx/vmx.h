/*
 * VT-x's half of the vendor contract (virt.h): what its files share. Nobody outside this folder includes it,
 * but for tests.
 *
 * vmx.c        CPU set-up, control words, the table of operations, new VMCSs
 * vmx_state.c  VMCS <-> neutral state
 * vmx_field.c  the allow-list of ReadVMCS and WriteVMCS
 * vmx_run.c    one entry and exit: injection, windows
 * vmx_exit.c   what the kernel deals with itself: debug registers, CR0's own bits, system call MSRs
 * vmx_ept.c    EPT entries; pure
 * vmx_hw.h, vmx_entry.S the instructions
 */
#ifndef VMX_H
#define VMX_H

#include "arch/x86/virt/virt.h"
#include "arch/x86/virt/vcpu_struct.h"
#include "arch/x86/virt/vtx.h"
#include "arch/x86/virt/vmx/vmcs.h"
#include "kernel/arch/x86/virt/vmx/vmx_fields.h"

struct percpu;

/* What this machine's VT-x can do; found once at boot (vmx.c). Control words: bits that must be, and may
 * be, 1. */
struct vmx_control {
	uint32_t must, may;
};
struct vmx_traits {
	struct vmx_control pin, primary, secondary, exit, entry;
	uint64_t cr0_must, cr0_may, cr4_must, efer_allowed, cr3_allowed;
	uint64_t cr4_guest; /* bits that a guest may set */
	uint32_t revision;
	bool vpid, invvpid_all, invept_single, tpr_shadow, ept_ad, ready;
	paddr_t msr_map;
	uint64_t host_star, host_lstar, host_sfmask; /* the same on all CPUs */
};
extern struct vmx_traits vmx_traits;

static inline uint32_t vmx_control(struct vmx_control c, uint64_t wanted)
{
	return ((uint32_t)wanted | c.must) & c.may;
}

#define VMX_CR0_PE    BIT(0)
#define VMX_CR0_PG    BIT(31)
#define VMX_CR0_CD    BIT(30)
#define VMX_CR0_NW    BIT(29)
#define VMX_CR0_ET    BIT(4)
#define VMX_CR0_NE    BIT(5)
#define VMX_CR4_PSE   BIT(4)
#define VMX_CR4_PAE   BIT(5)
#define VMX_CR4_MCE   BIT(6)
#define VMX_CR4_PGE   BIT(7)
#define VMX_CR4_VMXE  BIT(13)
#define VMX_CR4_PCIDE BIT(17)
#define VMX_CR4_SMEP  BIT(20)
/*
 * Bits that a guest sees as it sets them, but which stay as the host needs them: caches are on, and a machine
 * check in the guest is the host's. Of CR4 also all that no guest may set.
 */
#define VMX_CR0_OWN (VMX_CR0_CD | VMX_CR0_NW | VMX_CR0_NE)
static inline uint64_t vmx_cr4_own(void)
{
	return ~vmx_traits.cr4_guest | VMX_CR4_MCE;
}
#define VMX_AR_DEFINED 0x1f0ffu
#define VMX_PDPTE_RESERVED                                                                                   \
	UINT64_C(0x1e6) /* and what lies above the physical address (Intel SDM vol. 3A, table 4-8) */
#define VMX_EFER_LME	   BIT(8)
#define VMX_EFER_LMA	   BIT(10)
#define VMX_RFLAGS_TF	   BIT(8)
#define VMX_RFLAGS_IF	   BIT(9)
#define VMX_PENDING_STEP   BIT(14) /* of the pending debug exceptions (table 25-4) */
#define VMX_RFLAGS_ALLOWED 0x3f7fd5u

/* vmx.c: makes v's VMCS the current one of this CPU. */
void vmx_activate(struct vcpu *v);
/* Control fields of the VMCS from v's choices. */
void vmx_controls(struct vcpu *v);

/* vmx_state.c; v's VMCS need not be active. */
void vmx_reset(struct vcpu *v);
void vmx_put(struct vcpu *v, uint64_t groups, const struct insula_vcpu_state *s);
void vmx_get(struct vcpu *v, uint64_t groups, struct insula_vcpu_state *s);
/* These need it active. */
void vmx_put_shadows(struct vcpu *v); /* what the guest reads of bits that it does not own */
uint64_t vmx_get_cr0(struct vcpu *v);
uint64_t vmx_get_cr4(struct vcpu *v);
void vmx_put_cr0(struct vcpu *v, uint64_t value);
void vmx_put_cr3(struct vcpu *v, uint64_t value);
void vmx_put_cr4(struct vcpu *v, uint64_t value);
void vmx_put_efer(struct vcpu *v, uint64_t value);
void vmx_put_rflags(struct vcpu *v, uint64_t value);
void vmx_put_interruptibility(struct vcpu *v, uint64_t value);
void vmx_put_dr7(struct vcpu *v, uint64_t value);
void vmx_put_pending_debug(struct vcpu *v, uint64_t value);

/* vmx_field.c */
bool vmx_read_field(struct vcpu *v, uint32_t field, uint64_t *value);
bool vmx_write_field(struct vcpu *v, uint32_t field, uint64_t *value);

/* vmx_run.c */
enum virt_run vmx_run(struct vcpu *v);
void vmx_load(struct vcpu *v);
void vmx_unload(struct vcpu *v);

/* vmx_exit.c: after an exit whose data is in v->exit. */
enum virt_run vmx_exit(struct vcpu *v);
uint64_t *vmx_exit_msr(struct vcpu *v, uint32_t msr);

/* vmx_ept.c */
uint64_t vmx_ept_leaf(paddr_t p, unsigned level, unsigned perm, unsigned memory_type);
uint64_t vmx_ept_table(paddr_t p);
bool vmx_ept_is_leaf(uint64_t entry, unsigned level);
uint64_t *vmx_ept_walk(paddr_t root, uint64_t gpa, unsigned level, unsigned *missing);
paddr_t vmx_ept_address(uint64_t entry);
unsigned vmx_ept_perm(uint64_t entry);
uint64_t vmx_ept_part(uint64_t leaf, unsigned level, unsigned index);
uint64_t vmx_ept_pointer(paddr_t root);

#endif
