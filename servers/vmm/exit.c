/* What follows a VM exit: dispatch by reason, and the small ones. */
#include "servers/vmm/vmm.h"

#include <string.h>
#include "insula/exit_reason.h"
#include "sel4/sel4.h"
#include "servers/vmm/xen/foreign.h"
#include "servers/vmm/xen/xen.h"
#include "user/log.h"
#include <xen/sched.h>

#define VMCS_PENDING_DEBUG 0x6822u /* SDM volume 3, appendix B */
#define PENDING_STEP	   (1ull << 14)

void vcpu_raise(struct vcpu *v, uint8_t vector, bool has_error, uint32_t error)
{
	v->inject_info = EVENT_MAKE(EVENT_EXCEPTION, vector) | (has_error ? EVENT_ERROR_CODE : 0);
	v->inject_error = error;
	v->inject_length = 0;
}

void vcpu_deliver_again(struct vcpu *v, uint32_t length)
{
	if (!(v->s->idt_vectoring & EVENT_VALID))
		return;
	v->inject_info = (uint32_t)v->s->idt_vectoring;
	v->inject_error = (uint32_t)v->s->idt_vectoring_error;
	v->inject_length = length;
}

void vcpu_advance(struct vcpu *v, unsigned length)
{
	v->s->rip += length;
	if (!guest_is_64bit(v))
		v->s->rip &= 0xffffffffu;
	/* the instruction, or the iteration of one, is done: an STI or MOV SS shadow before it is over */
	v->s->interruptibility &= ~(uint64_t)(SHADOW_STI | SHADOW_MOV_SS);
	v->s->dirty |= INSULA_VS_IP;
	if (v->s->rflags & RFLAGS_TF) {
		v->step_pending = true;
		(void)seL4_X86_VCPU_WriteVMCS(v->slot_vcpu, VMCS_PENDING_DEBUG, PENDING_STEP);
	}
}

/* Where the CPU does not say the length, the instruction is decoded. It is the guest's memory now, not when
 * it exited: a guest that changes it in between skips wrongly, and harms itself. */
bool vcpu_skip(struct vcpu *v)
{
	struct insn in;

	if (v->s->length) {
		vcpu_advance(v, (unsigned)v->s->length);
		return true;
	}
	if (!guest_instruction(v, &in))
		return false;
	vcpu_advance(v, in.length);
	return true;
}

/* HLT with interrupts off is for good, as Xen takes it: only INIT and SIPI bring this vCPU back; the last one
 * powers off. */
static void halt_for_good(struct vcpu *v)
{
	bool last = true;

	vmm_lock();
	vcpu_set_online(v, false);
	for (uint32_t i = 0; i < vmm.vcpu_count; i++)
		last = last && !vcpu_is_up(vmm.vcpu[i]);
	vmm_unlock();
	if (last)
		vmm_shutdown(SHUTDOWN_poweroff, "all its CPUs halted with interrupts off");
}

static void halt_exit(struct vcpu *v)
{
	if (!vcpu_skip(v))
		return;
	if ((v->s->rflags & RFLAGS_IF) || v->nmi_pending)
		v->run = VCPU_HALTED;
	else
		halt_for_good(v);
}

static void xsetbv_exit(struct vcpu *v)
{
	uint64_t value = (v->s->gpr[INSULA_RDX] << 32) | (uint32_t)v->s->gpr[INSULA_RAX];
	uint64_t allowed = cpuid_xcr0_mask();

	/* SDM volume 2, XSETBV: x87 always, AVX needs SSE, AVX-512 all of its parts and AVX */
	if ((uint32_t)v->s->gpr[INSULA_RCX] != 0 || (value & ~allowed) || !(value & 1) ||
	    (v->s->seg[INSULA_SS].ar >> 5 & 3) || ((value & 4) && !(value & 2)) ||
	    ((value & 0xe0) && ((value & 0xe0) != 0xe0 || !(value & 4)))) {
		vcpu_raise(v, X86_GP, true, 0);
		return;
	}
	if (vcpu_skip(v)) {
		v->s->xcr0 = value;
		v->xcr0_accum |= value;
		v->s->dirty |= INSULA_VS_CTL;
	}
}

static void describe(const struct vcpu *v, const char *what)
{
	log_line("domain %u: vcpu %u: %s: rip %#llx reason %lld qualification %#llx gpa %#llx", vmm.domid,
		 v->id, what, (unsigned long long)v->s->rip, (long long)v->s->reason,
		 (unsigned long long)v->s->qualification, (unsigned long long)v->s->gpa);
}

static void dispatch(struct vcpu *v)
{
	if (v->s->reason != EXIT_VMCALL)
		foreign_settle();
	switch (v->s->reason) {
	case EXIT_CPUID:
		cpuid_exit(v);
		break;
	case EXIT_VMCALL:
		hypercall_exit(v);
		break;
	case EXIT_HLT:
		halt_exit(v);
		break;
	case EXIT_RDMSR:
		msr_read_exit(v);
		break;
	case EXIT_WRMSR:
		msr_write_exit(v);
		break;
	case EXIT_IO:
		io_exit(v);
		break;
	case EXIT_CR:
		cr_exit(v);
		break;
	case EXIT_EPT_VIOLATION:
		ept_exit(v);
		break;
	case EXIT_INTERRUPT_WINDOW:
	case EXIT_NMI_WINDOW:
		break; /* the loop injects */
	case EXIT_PAUSE: /* it spins: what it waits for may be a vCPU whose turn is later */
		seL4_Yield();
		(void)vcpu_skip(v);
		break;
	case EXIT_WBINVD:
	case EXIT_INVD:
		(void)vcpu_skip(v);
		break;
	case EXIT_XSETBV:
		xsetbv_exit(v);
		break;
	case EXIT_TRIPLE_FAULT:
		describe(v, "triple fault");
		vmm_shutdown(xen_triple_fault_reason(), "triple fault");
		break;
	case EXIT_MONITOR: /* none of these is offered in CPUID */
	case EXIT_MWAIT:
	case EXIT_GETSEC:
	case EXIT_RDPMC:
	case EXIT_VMFUNC:
	case EXIT_RSM:
	case EXIT_INVPCID:
	case EXIT_VMX_FIRST ... EXIT_VMX_LAST:
		vcpu_raise(v, X86_UD, false, 0);
		break;
	default:
		describe(v, "unexpected exit");
		vmm_shutdown(SHUTDOWN_crash, "unexpected exit");
		break;
	}
}

void exit_handle(struct vcpu *v)
{
	v->exits++;
	if (v->s->reason & EXIT_ENTRY_FAILED) {
		describe(v, "the CPU refuses the guest's state");
		vmm_shutdown(SHUTDOWN_crash, "invalid guest state");
		return;
	}
	vcpu_deliver_again(v, (uint32_t)v->s->length);
	dispatch(v);
}
