/*
 * VT-x: what this machine's can do, switching it on, the MSR map, new VMCSs and moving them to this CPU, and
 * the table through which the rest of the kernel calls. Intel SDM vol. 3C, chapters 24, 25, 32 and appendix
 * A.
 */
#include "arch/x86/virt/vmx/vmx.h"
#include "arch/x86/virt/virt_guest.h"
#include "arch/x86/virt/virt_tag.h"
#include "arch/x86/virt/vmx/vmx_hw.h"
#include "arch/x86/cpu.h"
#include "arch/x86/cpu_hw.h"
#include "arch/x86/smp/smp.h"
#include "arch/x86/mm/tables_hw.h"
#include "arch/x86/mm/window.h"
#include "arch/x86/msr.h"
#include "arch/x86/selectors.h"
#include "mem/mem.h"
#include "panic.h"
#include "percpu.h"

struct vmx_traits vmx_traits;

/* VME..OSXMMEXCPT, UMIP, FSGSBASE, PCIDE, OSXSAVE, SMEP, SMAP, PKE. Not LA57, SMX, CET, PKS, ... */
#define VMX_CR4_GUEST                                                                                        \
	(MASK(12) | BIT(16) | VMX_CR4_PCIDE | BIT(18) | VMX_CR4_SMEP | BIT(21) | (cpu.pku ? BIT(22) : 0))

/* One map for all guests, read low, read high, write low, write high; set: exit (25.6.9). Read-only after
 * boot. */
static uint8_t vmx_msr_map[PAGE_SIZE] __attribute__((aligned(4096), section(".bss.page_aligned")));

static void vmx_msr_pass(uint32_t msr, bool write)
{
	unsigned at = (write ? 2048u : 0) + (msr >= 0xc0000000u ? 1024u : 0) + (msr & 0x1fff) / 8;

	vmx_msr_map[at] &= (uint8_t) ~(1u << msr % 8);
}

/* What VM entry and exit switch is the guest's; of the system call MSRs it may read what is loaded for it. */
static void vmx_msr_map_init(void)
{
	static const uint32_t own[] = {
	    0x174, 0x175, 0x176, MSR_PAT, MSR_FS_BASE, MSR_GS_BASE, MSR_KERNEL_GS_BASE};

	memset(vmx_msr_map, 0xff, sizeof(vmx_msr_map));
	for (unsigned i = 0; i < ARRAY_SIZE(own); i++) {
		vmx_msr_pass(own[i], false);
		vmx_msr_pass(own[i], true);
	}
	vmx_msr_pass(MSR_STAR, false);
	vmx_msr_pass(MSR_LSTAR, false);
	vmx_msr_pass(MSR_SFMASK, false);
}

/* ---- capabilities ---- */

static struct vmx_control vmx_capability(uint32_t msr)
{
	uint64_t v = cpu_rdmsr(msr);

	return (struct vmx_control){(uint32_t)v, (uint32_t)(v >> 32)};
}

static bool vmx_has(struct vmx_control c, uint64_t bits)
{
	return (c.may & bits) == bits;
}

static const char *vmx_missing(void)
{
	const struct vmx_traits *t = &vmx_traits;
	uint64_t ept;

	if (!vmx_has(t->primary, VTX_PRIMARY_SECONDARY) ||
	    !vmx_has(t->secondary, VMX_SECONDARY_EPT | VMX_SECONDARY_UNRESTRICTED))
		return "EPT and unrestricted guests";
	ept = cpu_rdmsr(VMX_MSR_EPT_VPID);
	if ((ept & (VMX_EPT_CAP_WALK_4 | VMX_EPT_CAP_WB | VMX_EPT_CAP_2M | VMX_EPT_CAP_INVEPT)) !=
	    (VMX_EPT_CAP_WALK_4 | VMX_EPT_CAP_WB | VMX_EPT_CAP_2M | VMX_EPT_CAP_INVEPT))
		return "EPT with 2 MiB pages and INVEPT";
	if (!(ept & (VMX_EPT_CAP_INVEPT_SINGLE | VMX_EPT_CAP_INVEPT_ALL)))
		return "INVEPT of one context";
	if (!vmx_has(t->pin, VMX_PIN_INTERRUPTS | VMX_PIN_NMI | VMX_PIN_VIRTUAL_NMIS))
		return "virtual NMIs";
	if (!vmx_has(t->primary,
		     VTX_PRIMARY_TSC_OFFSET | VTX_PRIMARY_HLT | VTX_PRIMARY_IO_MAPS | VTX_PRIMARY_MSR_MAPS))
		return "I/O and MSR maps";
	if (!vmx_has(t->exit, VMX_EXIT_HOST_64 | VMX_EXIT_SAVE_PAT | VMX_EXIT_LOAD_PAT | VMX_EXIT_SAVE_EFER |
				  VMX_EXIT_LOAD_EFER) ||
	    !vmx_has(t->entry, VMX_ENTRY_LOAD_PAT | VMX_ENTRY_LOAD_EFER))
		return "switching of PAT and EFER";
	return NULL;
}

static bool vmx_detect(void)
{
	struct vmx_traits *t = &vmx_traits;
	uint64_t basic = cpu_rdmsr(VMX_MSR_BASIC), ept;
	bool exact = basic & VMX_BASIC_TRUE;
	const char *missing;

	t->revision = (uint32_t)basic & 0x7fffffffu;
	t->pin = vmx_capability(exact ? VMX_MSR_TRUE_PIN : VMX_MSR_PIN);
	t->primary = vmx_capability(exact ? VMX_MSR_TRUE_PRIMARY : VMX_MSR_PRIMARY);
	t->exit = vmx_capability(exact ? VMX_MSR_TRUE_EXIT : VMX_MSR_EXIT);
	t->entry = vmx_capability(exact ? VMX_MSR_TRUE_ENTRY : VMX_MSR_ENTRY);
	if (vmx_has(t->primary, VTX_PRIMARY_SECONDARY))
		t->secondary = vmx_capability(VMX_MSR_SECONDARY);
	missing = vmx_missing();
	if (missing) {
		kprintf("VT-x: this CPU lacks %s\n", missing);
		return false;
	}
	ept = cpu_rdmsr(VMX_MSR_EPT_VPID);
	if (!(ept & VMX_EPT_CAP_1G))
		virt_features &= ~(uint32_t)INSULA_VIRT_HUGE_PAGES;
	t->invept_single = ept & VMX_EPT_CAP_INVEPT_SINGLE;
	t->invvpid_all = (ept & VMX_EPT_CAP_INVVPID) && (ept & VMX_EPT_CAP_INVVPID_ALL);
	t->vpid = vmx_has(t->secondary, VMX_SECONDARY_VPID) && t->invvpid_all;
	if (vmx_has(t->secondary, VTX_SECONDARY_PAUSE_LOOP))
		virt_features |= INSULA_VIRT_PAUSE_LOOP;
	t->tpr_shadow = vmx_has(t->primary, VTX_PRIMARY_TPR_SHADOW);
	t->cr0_must = cpu_rdmsr(VMX_MSR_CR0_FIXED0);
	t->cr0_may = cpu_rdmsr(VMX_MSR_CR0_FIXED1);
	t->cr4_must = cpu_rdmsr(VMX_MSR_CR4_FIXED0);
	t->cr4_guest = cpu_rdmsr(VMX_MSR_CR4_FIXED1) & VMX_CR4_GUEST;
	t->ept_ad = ept & VMX_EPT_CAP_AD;
	t->efer_allowed = BIT(0) | VMX_EFER_LME | VMX_EFER_LMA | MSR_EFER_NXE;
	t->cr3_allowed = MASK(cpu.paddr_bits);
	t->host_star = cpu_rdmsr(MSR_STAR);
	t->host_lstar = cpu_rdmsr(MSR_LSTAR);
	t->host_sfmask = cpu_rdmsr(MSR_SFMASK);
	vmx_msr_map_init();
	t->msr_map = paddr(tables_read(tables_entry((uint64_t)(uintptr_t)vmx_msr_map, 1)).w[0] & MASK(52) &
			   ~MASK(PAGE_BITS));
	t->ready = true;
	return true;
}

/* ---- a CPU ---- */

static bool vmx_firmware_allows(void)
{
	uint64_t control = cpu_rdmsr(VMX_MSR_FEATURE_CONTROL);

	if (!(control & VMX_FEATURE_LOCKED)) {
		cpu_wrmsr(VMX_MSR_FEATURE_CONTROL, control | VMX_FEATURE_LOCKED | VMX_FEATURE_OUTSIDE_SMX);
		return true;
	}
	return control & VMX_FEATURE_OUTSIDE_SMX;
}

static bool vmx_cpu_init(struct percpu *p)
{
	if (!vmx_firmware_allows()) {
		kprintf("VT-x: disabled by the firmware\n");
		return false;
	}
	if (!vmx_traits.ready && !vmx_detect())
		return false;
	INVARIANT(p->arch.host_save.v != 0);
	window_copy_to(p->arch.host_save, &vmx_traits.revision, sizeof(vmx_traits.revision));
	vmx_hw_write_cr4(vmx_hw_read_cr(4) | VMX_CR4_VMXE);
	if (!vmx_hw_on(p->arch.host_save.v)) {
		kprintf("VT-x: VMXON failed\n");
		return false;
	}
	p->arch.loaded_vcpu = NULL;
	p->arch.virt_generation = 0;
	p->arch.virt_next_asid = 0;
	return true;
}

/* ---- a VMCS ---- */

/* Host state that is this CPU's (25.5, 27.2.2); what changes from thread to thread is written by vmx_load. */
static void vmx_host_state(struct vcpu *v, struct percpu *p)
{
	struct vmx_hw_table gdt = vmx_hw_gdt(), idt = vmx_hw_idt();

	v->vmx.host_gdt_base = gdt.base;
	v->vmx.host_gdt_limit = gdt.limit;
	vmx_hw_write(VMCS_HOST_CR4, vmx_hw_read_cr(4));
	vmx_hw_write(VMCS_HOST_CS, SELECTOR_KERNEL_CODE);
	vmx_hw_write(VMCS_HOST_SS, SELECTOR_KERNEL_DATA);
	vmx_hw_write(VMCS_HOST_DS, 0);
	vmx_hw_write(VMCS_HOST_ES, 0);
	vmx_hw_write(VMCS_HOST_FS, 0);
	vmx_hw_write(VMCS_HOST_GS, 0);
	vmx_hw_write(VMCS_HOST_TR, vmx_hw_tr());
	vmx_hw_write(VMCS_HOST_GS_BASE, (uint64_t)(uintptr_t)p);
	vmx_hw_write(VMCS_HOST_TR_BASE, (uint64_t)(uintptr_t)&p->entry.tss);
	vmx_hw_write(VMCS_HOST_GDTR_BASE, gdt.base);
	vmx_hw_write(VMCS_HOST_IDTR_BASE, idt.base);
	vmx_hw_write(VMCS_HOST_PAT, cpu_rdmsr(MSR_PAT));
	vmx_hw_write(VMCS_HOST_EFER, cpu_rdmsr(MSR_EFER));
	vmx_hw_write(VMCS_HOST_SYSENTER_CS, 0);
	vmx_hw_write(VMCS_HOST_SYSENTER_ESP, 0);
	vmx_hw_write(VMCS_HOST_SYSENTER_EIP, 0);
}

static void vmx_clear_here(void *arg)
{
	struct percpu *p = percpu_self();
	struct vcpu *v = arg;

	INVARIANT(vmx_hw_clear(window_pa(v->hw).v));
	v->vmx.active = v->vmx.launched = false;
	if (p->arch.loaded_vcpu == v)
		p->arch.loaded_vcpu = NULL;
}

static void vmx_vcpu_clear(struct vcpu *v)
{
	if (!v->vmx.active)
		return;
	if (likely(v->vmx.cpu == percpu_self()->cpu))
		vmx_clear_here(v);
	else
		smp_call(v->vmx.cpu, vmx_clear_here, v);
}

void vmx_activate(struct vcpu *v)
{
	struct percpu *p = percpu_self();

	if (likely(p->arch.loaded_vcpu == v))
		return;
	if (unlikely(v->vmx.active && v->vmx.cpu != p->cpu)) /* never on the way to the guest (virt.h) */
		vmx_vcpu_clear(v);
	INVARIANT(vmx_hw_load(window_pa(v->hw).v));
	p->arch.loaded_vcpu = v;
	if (v->vmx.active)
		return;
	v->vmx.active = true;
	v->vmx.cpu = p->cpu;
	vmx_host_state(v, p);
}

void vmx_controls(struct vcpu *v)
{
	uint64_t entry = VMX_ENTRY_LOAD_DEBUG | VMX_ENTRY_LOAD_PAT | VMX_ENTRY_LOAD_EFER;
	uint64_t secondary = VMX_SECONDARY_EPT | VMX_SECONDARY_RDTSCP | VMX_SECONDARY_WBINVD |
			     VMX_SECONDARY_UNRESTRICTED | VMX_SECONDARY_INVPCID;

	if (vmx_traits.vpid)
		secondary |= VMX_SECONDARY_VPID;
	if (v->pause_loop)
		secondary |= VTX_SECONDARY_PAUSE_LOOP;
	if (vmx_hw_read(VTX_FIELD_EFER) & VMX_EFER_LMA)
		entry |= VTX_ENTRY_LONG_MODE;
	vmx_hw_write(VTX_FIELD_PIN,
		     vmx_control(vmx_traits.pin, VMX_PIN_INTERRUPTS | VMX_PIN_NMI | VMX_PIN_VIRTUAL_NMIS));
	vmx_hw_write(VTX_FIELD_SECONDARY, vmx_control(vmx_traits.secondary, secondary));
	vmx_hw_write(VTX_FIELD_EXIT_CONTROLS,
		     vmx_control(vmx_traits.exit, VMX_EXIT_SAVE_DEBUG | VMX_EXIT_HOST_64 | VMX_EXIT_SAVE_PAT |
						      VMX_EXIT_LOAD_PAT | VMX_EXIT_SAVE_EFER |
						      VMX_EXIT_LOAD_EFER));
	vmx_hw_write(VTX_FIELD_ENTRY_CONTROLS, vmx_control(vmx_traits.entry, entry));
	vmx_hw_write(VTX_FIELD_EXCEPTIONS, v->exceptions | BIT(1) | BIT(17) | BIT(18));
	v->controls_dirty = false;
}

static void vmx_vcpu_init(struct vcpu *v)
{
	static const uint32_t zero[] = {
	    VTX_FIELD_PF_MASK,	       VTX_FIELD_PF_MATCH,	 VTX_FIELD_CR3_TARGETS,
	    VMCS_EXIT_MSR_STORE_COUNT, VMCS_EXIT_MSR_LOAD_COUNT, VMCS_ENTRY_MSR_LOAD_COUNT,
	    VTX_FIELD_ENTRY_INFO,      VTX_FIELD_TPR_THRESHOLD,	 VMCS_VPID,
	    VTX_FIELD_ACTIVITY,	       VTX_FIELD_SMBASE,
	};
	uint64_t pa = window_pa(v->hw).v;

	mem_put32(v->hw, vmx_traits.revision);
	INVARIANT(vmx_hw_clear(pa));
	vmx_activate(v);
	for (unsigned i = 0; i < ARRAY_SIZE(zero); i++)
		vmx_hw_write(zero[i], 0);
	vmx_hw_write(VMCS_IO_MAP_A, window_pa(v->io_map).v);
	vmx_hw_write(VMCS_IO_MAP_B, window_pa(v->io_map).v + PAGE_SIZE);
	vmx_hw_write(VMCS_MSR_MAP, vmx_traits.msr_map.v);
	vmx_hw_write(VMCS_VIRTUAL_APIC, window_pa(&v->io_overflow).v);
	if (virt_features & INSULA_VIRT_PAUSE_LOOP) {
		vmx_hw_write(VMCS_PLE_GAP, VMX_PLE_GAP);
		vmx_hw_write(VMCS_PLE_WINDOW, VMX_PLE_WINDOW);
	}
	vmx_reset(v);
}

static void vmx_set_ept_root(struct vcpu *v, paddr_t root, bool valid)
{
	v->ept_root = root;
	v->ept_valid = valid;
	v->tag.tag = 0;
	vmx_activate(v);
	vmx_hw_write(VMCS_EPTP, vmx_ept_pointer(root));
}

static void vmx_ept_flush(struct percpu *p, paddr_t root)
{
	virt_tag_flush(p, root); /* vmx_tag */
}

static bool vmx_read_msr(struct vcpu *v, uint32_t msr, uint64_t *value)
{
	const uint64_t *m = vmx_exit_msr(v, msr);

	if (msr == VIRT_MSR_VMX_MISC) {
		*value = VIRT_VMX_MISC_VALUE;
		return true;
	}
	if (!m)
		return false;
	*value = *m;
	return true;
}

static bool vmx_write_msr(struct vcpu *v, uint32_t msr, uint64_t *value)
{
	uint64_t *m = vmx_exit_msr(v, msr);

	if (!m)
		return false;
	if (msr == MSR_LSTAR || msr == MSR_CSTAR)
		*value = virt_guest_canonical(*value); /* WRMSR would fault */
	else if (msr == MSR_SFMASK)
		*value &= 0xffffffffu;
	*m = *value;
	return true;
}

const struct virt_ops virt_vmx = {
    .name = "VT-x",
    .cpu_init = vmx_cpu_init,
    .vcpu_init = vmx_vcpu_init,
    .vcpu_clear = vmx_vcpu_clear,
    .load = vmx_load,
    .run = vmx_run,
    .unload = vmx_unload,
    .put = vmx_put,
    .get = vmx_get,
    .read_field = vmx_read_field,
    .write_field = vmx_write_field,
    .read_msr = vmx_read_msr,
    .write_msr = vmx_write_msr,
    .set_ept_root = vmx_set_ept_root,
    .ioport = virt_guest_io,
    .ept_leaf = vmx_ept_leaf,
    .ept_table = vmx_ept_table,
    .ept_is_leaf = vmx_ept_is_leaf,
    .ept_walk = vmx_ept_walk,
    .ept_address = vmx_ept_address,
    .ept_perm = vmx_ept_perm,
    .ept_part = vmx_ept_part,
    .ept_flush = vmx_ept_flush,
};
