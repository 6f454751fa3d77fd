/*
 * From SVM's exit codes to VT-x's exit reasons and qualifications (AMD64 APM vol. 2, appendix C and 15.7
 * to 15.14; Intel SDM vol. 3C 28.2). Called by svm_run after each VMRUN. Pure: looks at the VMCB, fills
 * v->exit, says what is to be done.
 */
#include "arch/x86/virt/svm/svm.h"

/* Intercepted instructions whose exit says no more than that. 0: not of this kind. */
static const uint8_t svm_exit_simple[0x30] = {
    [SVM_EXIT_RDTSC - 0x60] = VTX_REASON_RDTSC,	   [SVM_EXIT_RDPMC - 0x60] = VTX_REASON_RDPMC,
    [SVM_EXIT_CPUID - 0x60] = VTX_REASON_CPUID,	   [SVM_EXIT_INVD - 0x60] = VTX_REASON_INVD,
    [SVM_EXIT_PAUSE - 0x60] = VTX_REASON_PAUSE,	   [SVM_EXIT_HLT - 0x60] = VTX_REASON_HLT,
    [SVM_EXIT_VMMCALL - 0x60] = VTX_REASON_VMCALL, [SVM_EXIT_RDTSCP - 0x60] = VTX_REASON_RDTSCP,
    [SVM_EXIT_WBINVD - 0x60] = VTX_REASON_WBINVD,  [SVM_EXIT_MONITOR - 0x60] = VTX_REASON_MONITOR,
    [SVM_EXIT_MWAIT - 0x60] = VTX_REASON_MWAIT,	   [SVM_EXIT_MWAIT_ARMED - 0x60] = VTX_REASON_MWAIT,
    [SVM_EXIT_XSETBV - 0x60] = VTX_REASON_XSETBV,
};

/* Bytes from rip to next; 0 when the CPU gives no next RIP, or nothing that can be one. */
static uint32_t svm_exit_length(uint64_t rip, uint64_t next, bool given)
{
	uint64_t n = next - rip;

	return given && n <= 15 ? (uint32_t)n : 0;
}

static enum svm_do svm_exit_instruction(struct vcpu *v, enum vtx_reason reason, uint64_t qualification)
{
	const struct vmcb *b = svm_vmcb(v);

	v->exit.reason = reason;
	v->exit.qualification = qualification;
	v->exit.length = svm_exit_length(b->rip, b->nrip, svm_traits.nrip);
	return SVM_DO_VMM;
}

static enum svm_do svm_exit_cr(struct vcpu *v, unsigned number, bool write)
{
	svm_mov_t info = {{svm_vmcb(v)->exit_info1}};
	vtx_cr_t q = vtx_cr_with_access(vtx_cr_with_number((vtx_cr_t){{0}}, number), write ? 0 : 1);
	enum svm_do d;

	if (svm_traits.decode && svm_mov_is_mov(info))
		q = vtx_cr_with_gpr(q, svm_mov_gpr(info));
	d = svm_exit_instruction(v, VTX_REASON_CR, q.w[0]);
	/* without decode assists, or for CLTS, LMSW, SMSW, the qualification is incomplete: the VMM decodes
	 */
	if (!svm_traits.decode || !svm_mov_is_mov(info))
		v->exit.length = 0;
	return number == 4 && v->exit.length ? SVM_DO_CR4 : d;
}

/* Only a VMM that wants debug register exits gets them; otherwise the intercept is ours, to load them late.
 */
static enum svm_do svm_exit_dr(struct vcpu *v, unsigned number, bool write)
{
	svm_mov_t info = {{svm_vmcb(v)->exit_info1}};
	vtx_dr_t q = vtx_dr_with_read(vtx_dr_with_number((vtx_dr_t){{0}}, number), !write);
	enum svm_do d;

	if (!(v->primary & VTX_PRIMARY_MOV_DR))
		return SVM_DO_DR;
	if (svm_traits.decode)
		q = vtx_dr_with_gpr(q, svm_mov_gpr(info));
	d = svm_exit_instruction(v, VTX_REASON_DR, q.w[0]);
	if (!svm_traits.decode)
		v->exit.length = 0;
	return d;
}

static enum svm_do svm_exit_io(struct vcpu *v)
{
	const struct vmcb *b = svm_vmcb(v);
	svm_ioio_t i = {{b->exit_info1}};
	vtx_io_t q = vtx_io_with_in(vtx_io_with_port((vtx_io_t){{0}}, svm_ioio_port(i)), svm_ioio_in(i));

	q = vtx_io_with_string(vtx_io_with_rep(q, svm_ioio_rep(i)), svm_ioio_string(i));
	v->exit.reason = VTX_REASON_IO;
	v->exit.qualification = vtx_io_with_size(q, svm_ioio_size(i) - 1).w[0];
	v->exit.length = svm_exit_length(b->rip, b->exit_info2, true);
	return SVM_DO_VMM;
}

static enum svm_do svm_exit_npf(struct vcpu *v)
{
	const struct vmcb *b = svm_vmcb(v);
	svm_npf_t f = {{b->exit_info1}};
	bool write = svm_npf_write(f), fetch = svm_npf_fetch(f), present = svm_npf_present(f);
	vtx_ept_t q = vtx_ept_with_write(vtx_ept_with_fetch((vtx_ept_t){{0}}, fetch), write);

	/* what the entry allows is known as far as the fault tells: present, and not what was tried */
	q = vtx_ept_with_readable(vtx_ept_with_read(q, !write && !fetch), present);
	q = vtx_ept_with_executable(vtx_ept_with_writable(q, present && !write), present && !fetch);
	v->exit.reason = svm_npf_reserved(f) ? VTX_REASON_EPT_MISCONFIG : VTX_REASON_EPT_VIOLATION;
	v->exit.qualification = vtx_ept_with_final(q, svm_npf_final(f)).w[0];
	v->exit.gpa = b->exit_info2;
	if (svm_traits.decode && !fetch && b->insn_count <= sizeof(b->insn_bytes)) {
		v->exit.insn_count = b->insn_count;
		for (unsigned n = 0; n < b->insn_count; n++)
			v->exit.insn_bytes[n] = b->insn_bytes[n];
	}
	return SVM_DO_VMM;
}

static enum svm_do svm_exit_task(struct vcpu *v)
{
	const struct vmcb *b = svm_vmcb(v);
	svm_task_t t = {{b->exit_info2}};
	vtx_task_t q = vtx_task_with_selector((vtx_task_t){{0}}, b->exit_info1 & 0xffff);
	/* a task gate is one that an event went through; a far CALL goes through one without saying so */
	unsigned source = svm_task_iret(t) ? 1 : svm_task_jmp(t) ? 2 : v->exit.idt ? 3 : 0;

	return svm_exit_instruction(v, VTX_REASON_TASK_SWITCH, vtx_task_with_source(q, source).w[0]);
}

/* Vectors that push an error code (APM vol. 2, table 8-1). */
#define SVM_EXIT_ERROR_VECTORS (BIT(8) | BIT(10) | BIT(11) | BIT(12) | BIT(13) | BIT(14) | BIT(17) | BIT(21))

static enum svm_do svm_exit_exception(struct vcpu *v, unsigned vector)
{
	const struct vmcb *b = svm_vmcb(v);
	bool error = SVM_EXIT_ERROR_VECTORS & BIT(vector);
	unsigned type = vector == 3 || vector == 4 ? VTX_EVENT_SOFT_EXCEPTION : VTX_EVENT_EXCEPTION;

	if (vector == 1 && (v->svm.nmi_step || v->svm.shadow_step))
		return SVM_DO_DEBUG;
	if (!(v->exceptions & BIT(vector))) {
		/*
		 * Ours, so that a guest whose #DB or #AC handler raises the same again comes out here each
		 * time. If another event was being delivered, only the VMM can put the two in order.
		 */
		if (vector == 1 && !v->exit.idt)
			return SVM_DO_DEBUG;
		if (vector == 17 && !v->exit.idt)
			return SVM_DO_ALIGNMENT;
	}
	v->exit.reason = VTX_REASON_EXCEPTION;
	v->exit.info = vtx_event_make(type, vector, error);
	v->exit.error = error ? (uint32_t)b->exit_info1 : 0;
	/* RIP is at the INT3 or INTO, behind which a handler returns */
	if (type == VTX_EVENT_SOFT_EXCEPTION)
		v->exit.length = svm_exit_length(b->rip, b->nrip, svm_traits.nrip);
	v->exit.qualification = vector == 14 ? b->exit_info2 : vector == 1 ? b->dr6 & 0xe00f : 0;
	return vector == 18 ? SVM_DO_MC : SVM_DO_VMM;
}

static enum svm_do svm_exit_other(struct vcpu *v, uint32_t code)
{
	const struct vmcb *b = svm_vmcb(v);

	switch (code) {
	case SVM_EXIT_INTR:
		return SVM_DO_INTERRUPT;
	case SVM_EXIT_NMI:
	case SVM_EXIT_SMI:
	case SVM_EXIT_INIT:
		return SVM_DO_AGAIN;
	case SVM_EXIT_VINTR:
		return SVM_DO_VINTR;
	case SVM_EXIT_IRET:
		return SVM_DO_IRET;
	case SVM_EXIT_CR0_SELECTIVE:
		return svm_exit_cr(v, 0, true);
	case SVM_EXIT_INVLPG:
		return svm_exit_instruction(v, VTX_REASON_INVLPG, svm_traits.decode ? b->exit_info1 : 0);
	case SVM_EXIT_IOIO:
		return svm_exit_io(v);
	case SVM_EXIT_MSR:
		return svm_exit_instruction(v, b->exit_info1 & 1 ? VTX_REASON_WRMSR : VTX_REASON_RDMSR, 0);
	case SVM_EXIT_TASK_SWITCH:
		return svm_exit_task(v);
	case SVM_EXIT_SHUTDOWN:
		/* what the save area holds now is undefined (15.14.3) */
		v->svm.check = true;
		svm_vmcb(v)->clean = 0;
		v->exit.reason = VTX_REASON_TRIPLE_FAULT;
		return SVM_DO_VMM;
	case SVM_EXIT_NPF:
		return svm_exit_npf(v);
	default: /* SVM's own instructions, RSM: the guest has none of them */
		return SVM_DO_UNDEFINED;
	}
}

enum svm_do svm_exit(struct vcpu *v)
{
	uint32_t code = (uint32_t)svm_vmcb(v)->exit_code;

	if (code >= 0x60 && code < 0x60 + ARRAY_SIZE(svm_exit_simple) && svm_exit_simple[code - 0x60])
		return svm_exit_instruction(v, svm_exit_simple[code - 0x60], 0);
	if (code == SVM_EXIT_INVALID)
		return SVM_DO_FAILED;
	if (code < SVM_EXIT_CR_WRITE)
		return svm_exit_cr(v, code - SVM_EXIT_CR_READ, false);
	if (code < SVM_EXIT_DR_READ)
		return svm_exit_cr(v, code - SVM_EXIT_CR_WRITE, true);
	if (code < SVM_EXIT_DR_WRITE)
		return svm_exit_dr(v, code - SVM_EXIT_DR_READ, false);
	if (code < SVM_EXIT_EXCEPTION)
		return svm_exit_dr(v, code - SVM_EXIT_DR_WRITE, true);
	if (code < SVM_EXIT_INTR)
		return svm_exit_exception(v, code - SVM_EXIT_EXCEPTION);
	return svm_exit_other(v, code);
}

/*
 * An interrupted delivery. What an instruction caused (INTn, INT3, INTO) is not reported: RIP is at the
 * instruction, which is executed again. TCG calls an interrupted V_IRQ an exception; a vector above 31 tells.
 */
uint64_t svm_exit_vectoring(uint64_t exit_int_info)
{
	svm_event_t e = {{exit_int_info}};
	uint64_t type = svm_event_type(e), vector = svm_event_vector(e);

	if (!svm_event_valid(e) || type == 4)
		return 0;
	if (type == 3 && vector > 31)
		return vtx_event_make(VTX_EVENT_EXTERNAL, vector, false);
	if (type == 3 && (vector == 3 || vector == 4))
		return 0;
	return vtx_event_make(type, vector, type == 3 && svm_event_error_valid(e));
}
