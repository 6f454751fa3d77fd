/*
 * What a decoded instruction computes: addresses, register values, results and flags. Called by the vmm's
 * device emulation. Pure arithmetic on what the caller passes. Contract in insn.h.
 */
#include "insn/insn.h"

enum {
	FLAG_CF = 1 << 0,
	FLAG_PF = 1 << 2,
	FLAG_AF = 1 << 4,
	FLAG_ZF = 1 << 6,
	FLAG_SF = 1 << 7,
	FLAG_OF = 1 << 11,
	FLAGS = FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_OF,
};

static uint64_t cut(uint64_t v, unsigned size)
{
	return size >= 8 ? v : v & ((1ull << (8 * size)) - 1);
}

static uint64_t sign_extend(uint64_t v, unsigned size)
{
	if (size >= 8)
		return v;
	v = cut(v, size);
	return (v >> (8 * size - 1)) != 0 ? v | (~0ull << (8 * size)) : v;
}

uint64_t insn_offset(const struct insn *in, const uint64_t gpr[16], uint64_t next_rip)
{
	uint64_t v = (uint64_t)in->mem_disp;

	if (in->mem_base == INSN_RIP)
		v += next_rip;
	else if (in->mem_base < 16)
		v += gpr[in->mem_base];
	if (in->mem_index < 16)
		v += gpr[in->mem_index] * in->mem_scale;
	return cut(v, in->address_size);
}

uint64_t insn_reg_get(const struct insn *in, const uint64_t gpr[16])
{
	if (in->reg >= 16)
		return 0;
	return cut(in->reg_high ? gpr[in->reg] >> 8 : gpr[in->reg], in->size);
}

void insn_reg_set(const struct insn *in, uint64_t gpr[16], uint64_t value)
{
	if (in->reg >= 16)
		return;
	uint64_t old = gpr[in->reg];

	if (in->reg_high)
		gpr[in->reg] = (old & ~0xff00ull) | ((value & 0xff) << 8);
	else if (in->size >= 4)
		gpr[in->reg] = cut(value, in->size);
	else
		gpr[in->reg] = (old & ~cut(~0ull, in->size)) | cut(value, in->size);
}

static uint64_t parity(uint64_t v)
{
	v ^= v >> 4;
	v ^= v >> 2;
	v ^= v >> 1;
	return (v & 1) == 0 ? FLAG_PF : 0;
}

uint64_t insn_alu(enum insn_op op, unsigned size, uint64_t dst, uint64_t src, uint64_t *rflags)
{
	uint64_t top = 1ull << (8 * size - 1);
	uint64_t carry_in = (*rflags & FLAG_CF) != 0 ? 1 : 0;
	uint64_t result, flags = 0, carries;

	dst = cut(dst, size);
	src = cut(src, size);
	switch (op) {
	case INSN_OP_ADC:
	case INSN_OP_ADD:
		result = cut(dst + src + (op == INSN_OP_ADC ? carry_in : 0), size);
		/* bit i: a carry out of that position */
		carries = (dst & src) | ((dst | src) & ~result);
		flags |= (carries & top) != 0 ? FLAG_CF : 0;
		flags |= (carries & 8) != 0 ? FLAG_AF : 0;
		flags |= ((dst ^ result) & (src ^ result) & top) != 0 ? FLAG_OF : 0;
		break;
	case INSN_OP_SBB:
	case INSN_OP_SUB:
	case INSN_OP_CMP:
		result = cut(dst - src - (op == INSN_OP_SBB ? carry_in : 0), size);
		/* bit i: a borrow into that position's left neighbour */
		carries = (~dst & src) | ((~dst | src) & result);
		flags |= (carries & top) != 0 ? FLAG_CF : 0;
		flags |= (carries & 8) != 0 ? FLAG_AF : 0;
		flags |= ((dst ^ src) & (dst ^ result) & top) != 0 ? FLAG_OF : 0;
		break;
	case INSN_OP_AND:
	case INSN_OP_TEST:
		result = dst & src;
		break;
	case INSN_OP_OR:
		result = dst | src;
		break;
	case INSN_OP_XOR:
		result = dst ^ src;
		break;
	default:
		return src;
	}
	flags |= result == 0 ? FLAG_ZF : 0;
	flags |= (result & top) != 0 ? FLAG_SF : 0;
	flags |= parity(result & 0xff);
	*rflags = (*rflags & ~(uint64_t)FLAGS) | flags;
	return op == INSN_OP_CMP || op == INSN_OP_TEST ? dst : result;
}

uint64_t insn_extend(const struct insn *in, uint64_t loaded)
{
	uint64_t v = cut(loaded, in->mem_size);

	return in->op == INSN_OP_MOVSX ? cut(sign_extend(v, in->mem_size), in->size) : v;
}
