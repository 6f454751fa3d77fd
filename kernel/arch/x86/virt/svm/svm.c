/*
 * SVM: finding out what this CPU's kind can do, switching it on, the MSR permission map, new vCPUs, and the
 * table through which the rest of the kernel calls. AMD64 APM vol. 2, chapter 15.
 */
#include "arch/x86/virt/svm/svm.h"
#include "arch/x86/virt/svm/svm_hw.h"
#include "arch/x86/virt/virt_guest.h"
#include "arch/x86/virt/virt_tag.h"
#include "arch/x86/cpu.h"
#include "arch/x86/cpu_hw.h"
#include "arch/x86/mm/tables_hw.h"
#include "arch/x86/mm/window.h"
#include "mem/mem.h"
#include "panic.h"
#include "percpu.h"

#define SVM_MSR_EFER	 0xc0000080u
#define SVM_MSR_VM_CR	 0xc0010114u
#define SVM_MSR_HSAVE_PA 0xc0010117u
#define SVM_MSR_PAT	 0x277u
#define SVM_VM_CR_SVMDIS BIT(4)

struct svm_traits svm_traits;

/* One map for all guests: two bits per MSR, set: exit (15.11). Read-only after boot. */
static uint8_t svm_msrpm[2 * PAGE_SIZE] __attribute__((aligned(4096), section(".bss.page_aligned")));

/* MSRs that are the guest's own while it runs: VMLOAD, VMSAVE or VMRUN switch each of them. */
static const uint32_t svm_msr_own[] = {
    0x174,	 0x175,	     0x176,				 /* SYSENTER_CS, ESP, EIP */
    SVM_MSR_PAT, 0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084, /* STAR, LSTAR, CSTAR, SFMASK */
    0xc0000100,	 0xc0000101, 0xc0000102,			 /* FS base, GS base, KERNEL_GS_BASE */
};

static void svm_msrpm_init(void)
{
	memset(svm_msrpm, 0xff, sizeof(svm_msrpm));
	for (unsigned i = 0; i < ARRAY_SIZE(svm_msr_own); i++) {
		uint32_t msr = svm_msr_own[i];
		uint32_t n = msr < 0x2000 ? msr : 0x2000 + (msr - 0xc0000000u);

		svm_msrpm[n / 4] &= (uint8_t) ~(3u << n % 4 * 2);
	}
}

/* The image is mapped by 4 KiB pages, in one piece of memory. */
static paddr_t svm_msrpm_pa(void)
{
	return paddr(tables_read(tables_entry((uint64_t)(uintptr_t)svm_msrpm, 1)).w[0] & MASK(52) &
		     ~MASK(PAGE_BITS));
}

static bool svm_is_tcg(void)
{
	uint32_t r[4];

	cpu_cpuid(1, 0, r);
	if (!(r[2] & BIT(31)))
		return false;
	cpu_cpuid(0x40000000, 0, r);
	return r[1] == 0x54474354 && r[2] == 0x43544743 && r[3] == 0x47435447; /* TCGTCGTCGTCG */
}

/* Bits of CR4 and EFER that this CPU has, but for those whose features guests do not get. */
static void svm_allowed(void)
{
	uint32_t f1[4], f7[4] = {0}, e1[4], r[4];

	cpu_cpuid(0, 0, r);
	if (r[0] >= 7)
		cpu_cpuid(7, 0, f7);
	cpu_cpuid(1, 0, f1);
	cpu_cpuid(0x80000001, 0, e1);
	svm_traits.cr4_allowed =
	    BIT(0) | BIT(1) | BIT(2) | BIT(3) | BIT(4) | BIT(5) | BIT(6) | BIT(7) | BIT(8) | BIT(9) | BIT(10);
	svm_traits.cr4_allowed |= f7[2] & BIT(2) ? BIT(11) : 0;	 /* UMIP */
	svm_traits.cr4_allowed |= f7[1] & BIT(0) ? BIT(16) : 0;	 /* FSGSBASE */
	svm_traits.cr4_allowed |= f1[2] & BIT(17) ? BIT(17) : 0; /* PCIDE */
	svm_traits.cr4_allowed |= f1[2] & BIT(26) ? BIT(18) : 0; /* OSXSAVE */
	svm_traits.cr4_allowed |= f7[1] & BIT(7) ? BIT(20) : 0;	 /* SMEP */
	svm_traits.cr4_allowed |= f7[1] & BIT(20) ? BIT(21) : 0; /* SMAP */
	svm_traits.cr4_allowed |= cpu.pku ? BIT(22) : 0;	 /* PKE */
	svm_traits.efer_allowed = BIT(0) | SVM_EFER_LME | SVM_EFER_LMA;
	svm_traits.efer_allowed |= e1[3] & BIT(20) ? BIT(11) : 0; /* NXE */
	svm_traits.efer_allowed |= e1[3] & BIT(25) ? BIT(14) : 0; /* FFXSR */
	svm_traits.efer_allowed |= e1[2] & BIT(17) ? BIT(15) : 0; /* TCE */
	svm_traits.cr3_allowed = MASK(cpu.paddr_bits);
}

static void svm_detect(void)
{
	svm_traits.nrip = cpu.svm_nrip;
	svm_traits.decode = cpu.svm_decode;
	svm_traits.clean = cpu.svm_vmcb_clean;
	if (cpu.svm_pause_filter)
		virt_features |= INSULA_VIRT_PAUSE_LOOP;
	svm_traits.asids = cpu.svm_asids;
	svm_traits.inject_virq = svm_traits.pat_shared = svm_is_tcg();
	svm_traits.host_pat = cpu_rdmsr(SVM_MSR_PAT);
	svm_traits.msrpm = svm_msrpm_pa();
	svm_allowed();
	svm_msrpm_init();
}

static bool svm_cpu_init(struct percpu *p)
{
	if (!cpu.svm_npt || cpu.svm_asids < 2) {
		kprintf("SVM: this CPU has no nested paging\n");
		return false;
	}
	if (cpu_rdmsr(SVM_MSR_VM_CR) & SVM_VM_CR_SVMDIS) {
		kprintf("SVM: disabled by the firmware\n");
		return false;
	}
	if (!svm_traits.msrpm.v)
		svm_detect();
	INVARIANT(p->arch.host_save.v != 0 && p->arch.host_state.v != 0);
	cpu_wrmsr(SVM_MSR_EFER, cpu_rdmsr(SVM_MSR_EFER) | SVM_EFER_SVME);
	cpu_wrmsr(SVM_MSR_HSAVE_PA, p->arch.host_save.v);
	p->arch.virt_generation = 0;
	p->arch.virt_next_asid = 0;
	return true;
}

static void svm_vcpu_init(struct vcpu *v)
{
	struct vmcb *b = svm_vmcb(v);

	b->iopm_pa = window_pa(v->io_map).v;
	b->msrpm_pa = svm_traits.msrpm.v;
	b->np_enable = 1;
	b->vintr = svm_vintr_with_masking((svm_vintr_t){{0}}, 1).w[0];
	b->misc2 = SVM_MISC2_VMRUN;
	svm_reset(v);
}

static void svm_vcpu_clear(struct vcpu *v)
{
	svm_vmcb(v)->clean = 0;
}

static void svm_set_ept_root(struct vcpu *v, paddr_t root, bool valid)
{
	v->ept_root = root;
	v->ept_valid = valid;
	v->tag.tag = 0;
	svm_vmcb(v)->n_cr3 = root.v;
	svm_dirty(v, SVM_CLEAN_NP);
}

static void svm_ioport(struct vcpu *v, uint16_t first, uint16_t last, bool allow)
{
	virt_guest_io(v, first, last, allow);
	svm_dirty(v, SVM_CLEAN_MAPS);
}

static void svm_ept_flush(struct percpu *p, paddr_t root)
{
	virt_tag_flush(p, root);
}

/* System call MSRs by their number; VT-x's MISC capability reads as "EFER.LMA is kept in the entry controls".
 */
static uint64_t *svm_msr(struct vcpu *v, uint32_t msr)
{
	struct vmcb *b = svm_vmcb(v);

	switch (msr) {
	case 0xc0000081:
		return &b->star;
	case 0xc0000082:
		return &b->lstar;
	case 0xc0000083:
		return &b->cstar;
	case 0xc0000084:
		return &b->sfmask;
	default:
		return NULL;
	}
}

/* A value that WRMSR would accept. */
static uint64_t svm_msr_legal(uint32_t msr, uint64_t value)
{
	switch (msr) {
	case 0xc0000082:
	case 0xc0000083:
		return virt_guest_canonical(value);
	case 0xc0000084:
		return value & 0xffffffffu;
	default:
		return value;
	}
}

static bool svm_read_msr(struct vcpu *v, uint32_t msr, uint64_t *value)
{
	const uint64_t *m = svm_msr(v, msr);

	if (msr == VIRT_MSR_VMX_MISC) {
		*value = VIRT_VMX_MISC_VALUE;
		return true;
	}
	if (!m)
		return false;
	*value = *m;
	return true;
}

static bool svm_write_msr(struct vcpu *v, uint32_t msr, uint64_t *value)
{
	uint64_t *m = svm_msr(v, msr);

	if (!m)
		return false;
	*m = *value = svm_msr_legal(msr, *value);
	return true;
}

const struct virt_ops virt_svm = {
    .name = "SVM",
    .cpu_init = svm_cpu_init,
    .vcpu_init = svm_vcpu_init,
    .vcpu_clear = svm_vcpu_clear,
    .load = svm_load,
    .run = svm_run,
    .unload = svm_unload,
    .put = svm_put,
    .get = svm_get,
    .read_field = svm_read_field,
    .write_field = svm_write_field,
    .read_msr = svm_read_msr,
    .write_msr = svm_write_msr,
    .set_ept_root = svm_set_ept_root,
    .ioport = svm_ioport,
    .ept_leaf = svm_npt_leaf,
    .ept_table = svm_npt_table,
    .ept_is_leaf = svm_npt_is_leaf,
    .ept_walk = svm_npt_walk,
    .ept_address = svm_npt_address,
    .ept_perm = svm_npt_perm,
    .ept_part = svm_npt_part,
    .ept_flush = svm_ept_flush,
};
