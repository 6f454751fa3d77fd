/*
 * One entry into a guest and its exit on VT-x (Intel SDM vol. 3C, chapters 27 and 28): the event that goes
 * in, the windows, and the exit's record. Called by vcpu_run through the vendor contract with interrupts off.
 * It must never lose an event: what was not delivered is in v->entry_info or v->exit.idt.
 */
#include "arch/x86/virt/vmx/vmx.h"
#include "arch/x86/virt/virt_guest.h"
#include "arch/x86/virt/virt_tag.h"
#include "arch/x86/virt/vmx/vmx_hw.h"
#include "arch/x86/cpu.h"
#include "arch/x86/cpu_hw.h"
#include "arch/x86/mce.h"
#include "arch/x86/msr.h"
#include "percpu.h"

#define VMX_TAGS 65536u

/* ---- entry ---- */

static bool vmx_open(void)
{
	return (vmx_hw_read(VTX_FIELD_RFLAGS) & VMX_RFLAGS_IF) &&
	       !(vmx_hw_read(VTX_FIELD_INTERRUPTIBILITY) & (VTX_BLOCK_STI | VTX_BLOCK_MOV_SS));
}

/* An event that the guest cannot take now waits for a window; VM entry would refuse it (27.3.1.4). */
static bool vmx_must_hold(vtx_event_t e)
{
	if (vtx_event_type(e) == VTX_EVENT_EXTERNAL)
		return !vmx_open();
	/* some CPUs take none behind an STI either */
	if (vtx_event_type(e) == VTX_EVENT_NMI)
		return vmx_hw_read(VTX_FIELD_INTERRUPTIBILITY) &
		       (VTX_BLOCK_NMI | VTX_BLOCK_MOV_SS | VTX_BLOCK_STI);
	return false;
}

/* False: no such event exists. */
static bool vmx_inject(struct vcpu *v)
{
	bool exists;
	vtx_event_t e;

	if (!virt_guest_event(v, vmx_hw_read(VTX_FIELD_CR0) & VMX_CR0_PE, &exists))
		return true;
	e = (vtx_event_t){{v->entry_info}};
	/* a software event has an instruction behind which it returns (27.2.1.3) */
	if (!exists || (vtx_event_type(e) >= VTX_EVENT_SOFTWARE && v->entry_length == 0))
		return false;
	if (vmx_must_hold(e)) {
		v->vmx.hold = true;
		return true;
	}
	/* It ends a HLT, in which not every event can be injected, a shadow, and with it what is pending
	 * there: the checks of the three go by what was before (27.3.1.5). */
	vmx_hw_write(VTX_FIELD_ACTIVITY, 0);
	vmx_hw_write(VTX_FIELD_INTERRUPTIBILITY,
		     vmx_hw_read(VTX_FIELD_INTERRUPTIBILITY) & ~(VTX_BLOCK_STI | VTX_BLOCK_MOV_SS));
	vmx_hw_write(VTX_FIELD_PENDING_DEBUG, 0);
	vmx_hw_write(VTX_FIELD_ENTRY_ERROR, v->entry_error);
	vmx_hw_write(VTX_FIELD_ENTRY_LENGTH, v->entry_length);
	vmx_hw_write(VTX_FIELD_ENTRY_INFO, e.w[0]);
	return true;
}

static void vmx_windows(struct vcpu *v)
{
	vtx_event_t e = {{v->vmx.hold ? v->entry_info : v->held_info}}; /* what waits */
	uint64_t wanted = v->primary;

	if (unlikely(vtx_event_valid(e)))
		wanted |= vtx_event_type(e) == VTX_EVENT_NMI ? VTX_PRIMARY_NMI_WINDOW
							     : VTX_PRIMARY_INTERRUPT_WINDOW;
	if (!v->dr_live)
		wanted |= VTX_PRIMARY_MOV_DR;
	wanted |=
	    vmx_traits.tpr_shadow ? VTX_PRIMARY_TPR_SHADOW : VTX_PRIMARY_CR8_LOAD | VTX_PRIMARY_CR8_STORE;
	wanted = vmx_control(vmx_traits.primary, wanted);
	if ((uint32_t)wanted != v->vmx.primary) {
		v->vmx.primary = (uint32_t)wanted;
		vmx_hw_write(VTX_FIELD_PRIMARY, wanted);
	}
}

/* ---- exit ---- */

/* What an instruction caused is executed again: RIP is at it. */
static uint64_t vmx_vectoring(uint64_t word)
{
	vtx_event_t e = vtx_event_with_nmi_unblock((vtx_event_t){{word}}, 0);
	uint64_t type = vtx_event_type(e);

	if (!vtx_event_valid(e) || type == VTX_EVENT_SOFTWARE || type == VTX_EVENT_SOFT_EXCEPTION ||
	    type == VTX_EVENT_PRIVILEGED)
		return 0;
	return e.w[0] & 0x80000fffu;
}

/* Length is meaningful for what an instruction caused; else the field keeps an old value (28.2.5). */
static bool vmx_has_length(uint32_t reason, uint64_t info)
{
	if (reason == VTX_REASON_EXCEPTION)
		return vtx_event_type((vtx_event_t){{info}}) >= VTX_EVENT_SOFTWARE;
	return reason != VTX_REASON_INTERRUPT_WINDOW && reason != VTX_REASON_NMI_WINDOW &&
	       reason != VTX_REASON_TRIPLE_FAULT && reason != VTX_REASON_EPT_VIOLATION &&
	       reason != VTX_REASON_EPT_MISCONFIG;
}

static void vmx_record(struct vcpu *v)
{
	struct vcpu_exit *x = &v->exit;
	uint32_t reason = (uint32_t)vmx_hw_read(VTX_FIELD_REASON);

	x->reason = reason;
	x->qualification = vmx_hw_read(VTX_FIELD_QUALIFICATION);
	if (reason == VTX_REASON_EXCEPTION) {
		x->info = vmx_hw_read(VTX_FIELD_EXIT_INFO);
		if (vtx_event_error_valid((vtx_event_t){{x->info}}))
			x->error = (uint32_t)vmx_hw_read(VTX_FIELD_EXIT_ERROR);
	}
	if (vmx_has_length(reason, x->info))
		x->length = (uint32_t)vmx_hw_read(VTX_FIELD_EXIT_LENGTH) & 15;
	if (reason == VTX_REASON_EPT_VIOLATION || reason == VTX_REASON_EPT_MISCONFIG) {
		x->gpa = vmx_hw_read(VTX_FIELD_GPA);
		x->gla = vmx_hw_read(VTX_FIELD_GLA);
	}
	x->idt = vmx_vectoring(vmx_hw_read(VTX_FIELD_IDT_INFO));
	if (unlikely(x->idt))
		x->idt_error = (uint32_t)vmx_hw_read(VTX_FIELD_IDT_ERROR);
}

static enum virt_run vmx_failed(struct vcpu *v, uint64_t reason)
{
	v->exit.reason = VTX_REASON_FAILED | reason;
	v->entry_info = 0;
	vmx_hw_write(VTX_FIELD_ENTRY_INFO, 0);
	return VIRT_RUN_FAILED;
}

static enum virt_run vmx_settle(struct vcpu *v)
{
	enum virt_run r;

	vmx_record(v);
	if (unlikely(v->exit.reason & VTX_REASON_FAILED)) {
		/* the host's (27.9); the guest has not begun */
		if ((v->exit.reason & 0xffff) == VTX_REASON_ENTRY_MC && mce_guest())
			return VIRT_RUN_AGAIN;
		return vmx_failed(v, v->exit.reason & 0xffff);
	}
	v->vmx.step_made = false;
	v->vmx.launched = true; /* a refused entry leaves the VMCS as it was (VMLAUNCH's operation) */
	if (!v->vmx.hold)
		v->entry_info = 0;
	if (unlikely(v->exit.idt) && vtx_event_type((vtx_event_t){{v->exit.idt}}) == VTX_EVENT_NMI)
		vmx_hw_write(VTX_FIELD_INTERRUPTIBILITY,
			     vmx_hw_read(VTX_FIELD_INTERRUPTIBILITY) & ~VTX_BLOCK_NMI);
	r = vmx_exit(v);
	if (r == VIRT_RUN_AGAIN || r == VIRT_RUN_INTERRUPT)
		virt_guest_again(v);
	return r;
}

/* ---- the run ---- */

/*
 * Translations of the second level are kept by EPT root, whatever the VPID is (29.4.2): a vCPU that has not
 * entered since the root's last flush has them dropped first, on this CPU.
 */
static void vmx_tag(struct vcpu *v, struct percpu *p)
{
	enum virt_tag_given given = virt_tag_assign(&v->tag, p, v->ept_root, VMX_TAGS);

	if (likely(given == VIRT_TAG_KEPT))
		return;
	if (vmx_traits.invept_single)
		vmx_hw_invept(VMX_INVEPT_SINGLE, vmx_ept_pointer(v->ept_root));
	else
		vmx_hw_invept(VMX_INVEPT_ALL, 0);
	if (!vmx_traits.vpid)
		return;
	if (given == VIRT_TAG_FLUSH)
		vmx_hw_invvpid(VMX_INVVPID_ALL, 0);
	vmx_hw_write(VMCS_VPID, v->tag.tag);
}

enum virt_run vmx_run(struct vcpu *v)
{
	struct percpu *p = percpu_self();

	virt_guest_clear_exit(v);
	vmx_activate(v);
	if (unlikely(!v->dr_live) && (vmx_hw_read(VTX_FIELD_DR7) & 0xff))
		virt_guest_load_dr(v);
	if (unlikely(v->controls_dirty))
		vmx_controls(v);
	v->vmx.hold = false;
	if (unlikely(v->entry_info | v->held_info) && !vmx_inject(v))
		return vmx_failed(v, VTX_REASON_ENTRY_STATE);
	vmx_windows(v);
	vmx_tag(v, p);
	if (cpu_read_cr2() != v->vmx.cr2)
		cpu_write_cr2(v->vmx.cr2);
	if (vmx_entry_run(v, v->vmx.launched) == VMX_ENTRY_FAIL)
		return vmx_failed(v, VTX_REASON_ENTRY_STATE);
	v->vmx.cr2 = cpu_read_cr2();
	return vmx_settle(v);
}

/* ---- a stretch of runs ---- */

/*
 * SYSCALL's MSRs, KERNEL_GS_BASE and DR6, and those of the host's fields that change from thread to thread.
 * The guest cannot write STAR, LSTAR and SFMASK without an exit, so only KERNEL_GS_BASE (SWAPGS) is read
 * back.
 */
void vmx_load(struct vcpu *v)
{
	vmx_activate(v);
	vmx_hw_write(VMCS_HOST_CR0, vmx_hw_read_cr(0));
	vmx_hw_write(VMCS_HOST_CR3, vmx_hw_read_cr(3));
	vmx_hw_write(VMCS_HOST_FS_BASE, cpu_rdmsr(MSR_FS_BASE));
	v->vmx.host_kernel_gs_base = cpu_rdmsr(MSR_KERNEL_GS_BASE);
	cpu_wrmsr(MSR_STAR, v->vmx.star);
	cpu_wrmsr(MSR_LSTAR, v->vmx.lstar);
	cpu_wrmsr(MSR_SFMASK, v->vmx.sfmask);
	cpu_wrmsr(MSR_KERNEL_GS_BASE, v->vmx.kernel_gs_base);
	cpu_write_dr(6, v->vmx.dr6);
}

void vmx_unload(struct vcpu *v)
{
	const struct vmx_hw_table gdt = {v->vmx.host_gdt_limit, v->vmx.host_gdt_base};

	/* an exit leaves the GDT's limit at 0xffff: what lies behind the table is no descriptors */
	vmx_hw_load_gdt(&gdt);
	v->vmx.kernel_gs_base = cpu_rdmsr(MSR_KERNEL_GS_BASE);
	v->vmx.dr6 = cpu_read_dr(6);
	cpu_wrmsr(MSR_STAR, vmx_traits.host_star);
	cpu_wrmsr(MSR_LSTAR, vmx_traits.host_lstar);
	cpu_wrmsr(MSR_SFMASK, vmx_traits.host_sfmask);
	cpu_wrmsr(MSR_KERNEL_GS_BASE, v->vmx.host_kernel_gs_base);
}
