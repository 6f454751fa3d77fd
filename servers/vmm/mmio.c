/*
 * Accesses to guest-physical addresses without memory: the xAPIC page, and what Xen leaves open (reads as ones, writes dropped).
 * The instruction is fetched from the guest once, decoded (lib/insn), and its memory side done here.
 */
#include "servers/vmm/vmm.h"

#include "insula/exit_reason.h"
#include "servers/vmm/walk.h"
#include "servers/vmm/xen/xen.h"
#include <xen/sched.h>

static uint64_t device_read(struct vcpu *v, uint64_t g, unsigned bytes)
{
	uint64_t open = bytes == 8 ? UINT64_MAX : (1ull << (bytes * 8)) - 1;

	if ((g & ~0xfffull) == LAPIC_BASE && v->lapic.mode == LAPIC_XAPIC) {
		bool bad;
		uint32_t reg = (uint32_t)lapic_read(&v->lapic, (uint32_t)g & 0xff0u, time_system_ns(), &bad);

		/* registers are 32 bits at 16-byte steps; parts of one are read by shifting */
		return (g & 0xfu) < 4 ? ((uint64_t)reg >> ((g & 3u) * 8)) & open : 0;
	}
	return open;
}

static void device_write(struct vcpu *v, uint64_t g, unsigned bytes, uint64_t value)
{
	if ((g & ~0xfffull) == LAPIC_BASE && v->lapic.mode == LAPIC_XAPIC) {
		if (bytes == 4 && !(g & 0xfu))
			vcpu_apic_action(v, lapic_write(&v->lapic, (uint32_t)g & 0xff0u, (uint32_t)value, time_system_ns()));
		return;
	}
	xen_log_once("write to unpopulated page", g >> 12);
}

/* A linear address as guest-physical: memory is reached through it, devices by its number. */
static bool locate(struct vcpu *v, uint64_t linear, bool write, uint64_t *g)
{
	uint32_t error;
	gpa_t out;

	if (!guest_is_64bit(v))
		linear = (uint32_t)linear;
	if (!walk(v, gva(linear), write, &out, &error)) {
		if (error == WALK_NOT_CANONICAL) {
			vcpu_raise(v, X86_GP, true, 0);
			return false;
		}
		v->s->cr2 = linear;
		v->s->dirty |= INSULA_VS_CR;
		vcpu_raise(v, X86_PF, true, error);
		return false;
	}
	*g = out.v;
	return true;
}

/* The access that left the guest was to this page: it has nothing there, whatever we have. */
static bool is_hole(const struct vcpu *v, uint64_t g)
{
	return g >> 12 == v->s->gpa >> 12;
}

static uint64_t load(struct vcpu *v, uint64_t g, unsigned bytes)
{
	uint64_t value = 0;

	if (!is_hole(v, g) && memory_read(gpa(g), &value, bytes))
		return value;
	return device_read(v, g, bytes);
}

static void store(struct vcpu *v, uint64_t g, unsigned bytes, uint64_t value)
{
	if (is_hole(v, g) || !memory_write(gpa(g), &value, bytes))
		device_write(v, g, bytes, value);
}

/* In 64-bit mode only FS and GS have a base. */
static uint64_t segment_base(const struct vcpu *v, unsigned segment)
{
	if (segment != INSN_FS && segment != INSN_GS && guest_is_64bit(v))
		return 0;
	return segment == INSN_CS || segment == INSN_SS ? v->s->seg[segment].base : vcpu_segment_base(v, segment);
}

static uint64_t string_mask(const struct insn *in)
{
	return in->address_size == 8 ? UINT64_MAX : in->address_size == 4 ? 0xffffffffull : 0xffffull;
}

static void advance(struct vcpu *v, enum insula_gpr r, int64_t step, uint64_t mask)
{
	uint64_t old = vcpu_gpr(v, r);

	vcpu_set_gpr(v, r, (old & ~mask) | ((old + (uint64_t)step) & mask));
}

/*
 * One element per exit; with a count left the instruction is simply executed again, but what follows an instruction (the trace of one
 * that traces itself) follows an iteration as well. False: an exception was raised instead.
 */
static bool string_step(struct vcpu *v, const struct insn *in, unsigned *length)
{
	uint64_t mask = string_mask(in), src = 0, dst = 0, value;
	int64_t step = v->s->rflags & RFLAGS_DF ? -(int64_t)in->size : in->size;

	*length = in->length;
	if (in->rep && !(vcpu_gpr(v, INSULA_RCX) & mask))
		return true;
	if (in->op != INSN_OP_STOS &&
	    !locate(v, segment_base(v, in->mem_segment) + (vcpu_gpr(v, INSULA_RSI) & mask), false, &src))
		return false;
	if (in->op != INSN_OP_LODS && !locate(v, segment_base(v, INSN_ES) + (vcpu_gpr(v, INSULA_RDI) & mask), true, &dst))
		return false;
	if ((src & 0xfffu) + in->size > PAGE || (dst & 0xfffu) + in->size > PAGE) {
		vcpu_raise(v, X86_UD, false, 0); /* the next page may be anywhere */
		return false;
	}
	value = in->op == INSN_OP_STOS ? insn_reg_get(in, v->s->gpr) : load(v, src, in->size);
	if (in->op == INSN_OP_LODS) {
		insn_reg_set(in, v->s->gpr, value);
		v->s->dirty |= INSULA_VS_GPR;
	} else {
		store(v, dst, in->size, value);
		advance(v, INSULA_RDI, step, mask);
	}
	if (in->op != INSN_OP_STOS)
		advance(v, INSULA_RSI, step, mask);
	if (!in->rep)
		return true;
	advance(v, INSULA_RCX, -1, mask);
	if (vcpu_gpr(v, INSULA_RCX) & mask)
		*length = 0;
	return true;
}

static bool operand(struct vcpu *v, const struct insn *in)
{
	bool reads = in->op != INSN_OP_MOV || !in->to_mem;
	bool writes = in->to_mem && in->op != INSN_OP_CMP && in->op != INSN_OP_TEST;
	uint64_t base = segment_base(v, in->mem_segment);
	uint64_t g, mem = 0, other, result;

	if (!locate(v, base + insn_offset(in, v->s->gpr, v->s->rip + in->length), writes, &g))
		return false;
	if ((g & 0xfffu) + in->mem_size > PAGE) {
		vcpu_raise(v, X86_UD, false, 0); /* no device register lies across pages */
		return false;
	}
	if (reads)
		mem = load(v, g, in->mem_size);
	if (in->op == INSN_OP_MOVZX || in->op == INSN_OP_MOVSX) {
		insn_reg_set(in, v->s->gpr, insn_extend(in, mem));
		v->s->dirty |= INSULA_VS_GPR;
		return true;
	}
	other = in->from_imm ? in->imm : insn_reg_get(in, v->s->gpr);
	result = in->to_mem ? insn_alu((enum insn_op)in->op, in->mem_size, mem, other, &v->s->rflags)
			    : insn_alu((enum insn_op)in->op, in->mem_size, other, mem, &v->s->rflags);
	if (writes)
		store(v, g, in->mem_size, result);
	if (in->op == INSN_OP_XCHG || (!in->to_mem && in->op != INSN_OP_CMP && in->op != INSN_OP_TEST)) {
		insn_reg_set(in, v->s->gpr, in->op == INSN_OP_XCHG ? mem : result);
		v->s->dirty |= INSULA_VS_GPR;
	}
	return true;
}

void ept_exit(struct vcpu *v)
{
	struct insn in;
	unsigned length;
	bool known;

	if (memory_demand(gpa(v->s->gpa)))
		return; /* the guest does it again, and so does an event that was being delivered */
	if (v->s->qualification & EPT_VIOLATION_FETCH) {
		/* it runs where nothing is: no instruction could be fetched */
		vmm_shutdown(SHUTDOWN_crash, "jump outside its memory");
		return;
	}
	if (v->s->idt_vectoring & EVENT_VALID) {
		/* not the instruction at RIP reached out, but the delivery of an event */
		vmm_shutdown(SHUTDOWN_crash, "its descriptor tables or stack lie outside its memory");
		return;
	}
	/* what the CPU gives is what it executed, if all of it is there */
	known = v->s->insn_count && insn_decode(v->s->insn_bytes, v->s->insn_count > 15 ? 15 : (unsigned)v->s->insn_count,
						guest_mode(v), &in) == INSN_OK;
	if (!known && !guest_instruction(v, &in)) {
		xen_log_once("undecoded access to guest-physical page", v->s->gpa >> 12);
		return;
	}
	if (!in.mem_size) {
		vcpu_raise(v, X86_UD, false, 0);
		return;
	}
	length = in.length;
	if (in.op == INSN_OP_STOS || in.op == INSN_OP_MOVS || in.op == INSN_OP_LODS) {
		if (!string_step(v, &in, &length))
			return;
	} else if (!operand(v, &in)) {
		return;
	}
	vcpu_advance(v, length);
}
