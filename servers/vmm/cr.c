/*
 * CR4, where the kernel cannot tell which register an access names (AMD without decode assists): every write comes here, and reads
 * while the guest has CR4.MCE clear (docs/decisions/0007).
 */
#include "servers/vmm/vmm.h"

static uint64_t operand(const struct vcpu *v, const struct insn *in)
{
	uint64_t value = in->reg == INSN_RSP ? v->s->rsp : vcpu_gpr(v, (enum insula_gpr)in->reg);

	return guest_is_64bit(v) ? value : value & 0xffffffffu;
}

/* What MOV to CR4 refuses (AMD APM volume 3; Intel SDM volume 2). */
static bool legal(const struct vcpu *v, uint64_t value)
{
	bool lma = v->s->efer & EFER_LMA;

	if ((value & ~cpuid_cr4_mask()) || (lma && !(value & CR4_PAE)))
		return false;
	return !(value & ~v->s->cr4 & CR4_PCIDE) || (lma && !(v->s->cr3 & 0xfff));
}

void cr_exit(struct vcpu *v)
{
	struct insn in;

	if (!guest_instruction(v, &in))
		return;
	if ((in.op != INSN_OP_CR_READ && in.op != INSN_OP_CR_WRITE) || in.control != 4) {
		vcpu_raise(v, X86_UD, false, 0); /* changed since */
		return;
	}
	if (in.op == INSN_OP_CR_WRITE) {
		uint64_t value = operand(v, &in);

		if (!legal(v, value)) {
			vcpu_raise(v, X86_GP, true, 0);
			return;
		}
		v->s->cr4 = value;
		v->s->dirty |= INSULA_VS_CR;
	} else if (in.reg == INSN_RSP) {
		v->s->rsp = v->s->cr4; /* with RIP */
	} else {
		vcpu_set_gpr(v, (enum insula_gpr)in.reg, v->s->cr4);
	}
	vcpu_advance(v, in.length);
}
