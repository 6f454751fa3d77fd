/*
 * x86 instruction decoder: prefixes, opcode, addressing bytes, immediates. Called by the vmm with bytes that
 * it copied from the guest. It looks at nothing but these bytes. Contract in insn.h.
 */
#include "insn/insn.h"
#include "mem/mem.h"

struct cursor {
	const uint8_t *bytes;
	size_t count;
	size_t at;
	bool short_of; /* an instruction byte was wanted beyond count */

	enum insn_mode mode;
	bool prefix66, prefix67, repne;
	uint8_t rex;
	uint8_t segment; /* override, or INSN_NONE */
};

enum {
	REX_B = 1,
	REX_X = 2,
	REX_R = 4,
	REX_W = 8,

	MODRM_REGISTER = 3, /* mod: no memory operand */
};

/* Operations of 0F xx that take no further bytes. */
static const uint8_t plain_0f[256] = {
    [0x06] = INSN_OP_CLTS,  [0x08] = INSN_OP_INVD,  [0x09] = INSN_OP_WBINVD, [0x30] = INSN_OP_WRMSR,
    [0x31] = INSN_OP_RDTSC, [0x32] = INSN_OP_RDMSR, [0x33] = INSN_OP_RDPMC,  [0xa2] = INSN_OP_CPUID,
};

/* Operations of 0F 01 xx with xx in C0..FF, from C0. */
static const uint8_t plain_0f01[64] = {
    [0x01] = INSN_OP_VMCALL, [0x08] = INSN_OP_MONITOR, [0x09] = INSN_OP_MWAIT,	[0x10] = INSN_OP_XGETBV,
    [0x11] = INSN_OP_XSETBV, [0x19] = INSN_OP_VMMCALL, [0x39] = INSN_OP_RDTSCP,
};

/* Bytes past the end read as 0; the caller asks short_of before it believes anything. */
static uint8_t next(struct cursor *c)
{
	if (c->at >= c->count) {
		c->short_of = true;
		return 0;
	}
	return c->bytes[c->at++];
}

/* A little-endian number of n bytes (1, 2, 4, 8), sign-extended. */
static uint64_t next_signed(struct cursor *c, unsigned n)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < n; i++)
		v |= (uint64_t)next(c) << (8 * i);
	if (n < 8 && (v >> (8 * n - 1)) != 0)
		v |= ~0ull << (8 * n);
	return v;
}

static uint64_t cut(uint64_t v, unsigned size)
{
	return size >= 8 ? v : v & ((1ull << (8 * size)) - 1);
}

static void set_segment(struct cursor *c, uint8_t segment)
{
	/* In 64-bit mode only FS and GS mean anything; the others do not even cancel an earlier one. */
	if (c->mode != INSN_MODE_64 || segment == INSN_FS || segment == INSN_GS)
		c->segment = segment;
}

/* Reads prefixes and returns the first opcode byte. */
static uint8_t prefixes(struct cursor *c, struct insn *in)
{
	for (;;) {
		uint8_t b = next(c);
		switch (b) {
		case 0x66:
			c->prefix66 = true;
			break;
		case 0x67:
			c->prefix67 = true;
			break;
		case 0xf0:
			in->lock = true;
			break;
		case 0xf2:
			c->repne = true;
			in->rep = false;
			break;
		case 0xf3:
			in->rep = true;
			c->repne = false;
			break;
		case 0x26:
			set_segment(c, INSN_ES);
			break;
		case 0x2e:
			set_segment(c, INSN_CS);
			break;
		case 0x36:
			set_segment(c, INSN_SS);
			break;
		case 0x3e:
			set_segment(c, INSN_DS);
			break;
		case 0x64:
			set_segment(c, INSN_FS);
			break;
		case 0x65:
			set_segment(c, INSN_GS);
			break;
		default:
			if (c->mode == INSN_MODE_64 && (b & 0xf0) == 0x40) {
				c->rex = b;
				continue;
			}
			return b;
		}
		c->rex = 0; /* a REX that is not last has no effect */
	}
}

static void sizes(const struct cursor *c, struct insn *in)
{
	switch (c->mode) {
	case INSN_MODE_64:
		in->size = (c->rex & REX_W) ? 8 : c->prefix66 ? 2 : 4;
		in->address_size = c->prefix67 ? 4 : 8;
		break;
	case INSN_MODE_32:
		in->size = c->prefix66 ? 2 : 4;
		in->address_size = c->prefix67 ? 2 : 4;
		break;
	case INSN_MODE_16:
		in->size = c->prefix66 ? 4 : 2;
		in->address_size = c->prefix67 ? 4 : 2;
		break;
	}
}

static void memory_16(struct cursor *c, struct insn *in, uint8_t mod, uint8_t rm)
{
	static const uint8_t base[8] = {INSN_RBX, INSN_RBX, INSN_RBP, INSN_RBP,
					INSN_RSI, INSN_RDI, INSN_RBP, INSN_RBX};
	static const uint8_t index[8] = {INSN_RSI,  INSN_RDI,  INSN_RSI,  INSN_RDI,
					 INSN_NONE, INSN_NONE, INSN_NONE, INSN_NONE};

	in->mem_base = base[rm];
	in->mem_index = index[rm];
	if (mod == 0 && rm == 6) {
		in->mem_base = INSN_NONE;
		in->mem_disp = (int64_t)next_signed(c, 2);
	} else if (mod != 0) {
		in->mem_disp = (int64_t)next_signed(c, mod == 1 ? 1 : 2);
	}
	if (in->mem_base == INSN_RBP)
		in->mem_segment = INSN_SS;
}

static void memory_32(struct cursor *c, struct insn *in, uint8_t mod, uint8_t rm)
{
	bool disp32 = mod == 2;

	if (rm == 4) {
		uint8_t sib = next(c);
		uint8_t index = (uint8_t)(((sib >> 3) & 7) | ((c->rex & REX_X) ? 8 : 0));
		in->mem_scale = (uint8_t)(1 << (sib >> 6));
		in->mem_index = index == INSN_RSP ? INSN_NONE : index;
		in->mem_base = (uint8_t)((sib & 7) | ((c->rex & REX_B) ? 8 : 0));
		if ((sib & 7) == 5 && mod == 0) {
			in->mem_base = INSN_NONE;
			disp32 = true;
		}
	} else if (rm == 5 && mod == 0) {
		in->mem_base = c->mode == INSN_MODE_64 ? INSN_RIP : INSN_NONE;
		disp32 = true;
	} else {
		in->mem_base = (uint8_t)(rm | ((c->rex & REX_B) ? 8 : 0));
	}
	if (in->mem_base == INSN_RSP || in->mem_base == INSN_RBP)
		in->mem_segment = INSN_SS;
	if (disp32)
		in->mem_disp = (int64_t)next_signed(c, 4);
	else if (mod == 1)
		in->mem_disp = (int64_t)next_signed(c, 1);
}

static uint8_t peek_modrm(struct cursor *c)
{
	uint8_t b = next(c);
	if (!c->short_of)
		c->at--;
	return b;
}

/* Reads ModRM, SIB and displacement. Returns the reg field (3 bits); in->reg is rm if the operand is a
 * register. */
static uint8_t operand(struct cursor *c, struct insn *in)
{
	uint8_t modrm = next(c);
	uint8_t mod = modrm >> 6;
	uint8_t rm = modrm & 7;

	if (mod == MODRM_REGISTER) {
		in->reg = (uint8_t)(rm | ((c->rex & REX_B) ? 8 : 0));
		return (modrm >> 3) & 7;
	}
	in->has_mem = true;
	in->mem_scale = 1;
	in->mem_segment = INSN_DS;
	if (in->address_size == 2)
		memory_16(c, in, mod, rm);
	else
		memory_32(c, in, mod, rm);
	if (c->segment != INSN_NONE)
		in->mem_segment = c->segment;
	return (modrm >> 3) & 7;
}

/* The register that the reg field names, at `size` bytes. */
static void set_reg(const struct cursor *c, struct insn *in, uint8_t field, uint8_t size)
{
	in->reg = (uint8_t)(field | ((c->rex & REX_R) ? 8 : 0));
	if (size == 1 && c->rex == 0 && in->reg >= 4) {
		in->reg = (uint8_t)(in->reg - 4);
		in->reg_high = true;
	}
}

/* Opcodes whose bit 0 chooses between bytes and the operand size. */
static void width_bit(struct insn *in, uint8_t opcode)
{
	if ((opcode & 1) == 0)
		in->size = 1;
}

/* A form with memory and a register, bit 1 of the opcode telling the direction. */
static bool memory_register(struct cursor *c, struct insn *in, uint8_t opcode, enum insn_op op, bool to_mem)
{
	width_bit(in, opcode);
	uint8_t field = operand(c, in);
	if (!in->has_mem)
		return false;
	set_reg(c, in, field, in->size);
	in->op = (uint8_t)op;
	in->mem_size = in->size;
	in->to_mem = to_mem;
	return true;
}

/* A form with memory and an immediate; *field gets the reg field. imm8: one byte, sign-extended, whatever the
 * size. */
static bool memory_immediate(struct cursor *c, struct insn *in, uint8_t opcode, bool imm8, uint8_t *field)
{
	if (!imm8)
		width_bit(in, opcode);
	*field = operand(c, in);
	if (!in->has_mem)
		return false;
	unsigned n = imm8 ? 1 : in->size == 8 ? 4 : in->size;
	in->imm = cut(next_signed(c, n), in->size);
	in->mem_size = in->size;
	in->from_imm = true;
	in->to_mem = true;
	return true;
}

/* MOVZX, MOVSX, MOVSXD: memory of mem_size bytes into a register of the operand size. */
static bool extending(struct cursor *c, struct insn *in, enum insn_op op, uint8_t mem_size)
{
	uint8_t field = operand(c, in);

	if (!in->has_mem)
		return false;
	set_reg(c, in, field, in->size);
	in->op = (uint8_t)op;
	in->mem_size = mem_size;
	return true;
}

/* MOV between the accumulator and an absolute address. */
static bool absolute(struct cursor *c, struct insn *in, uint8_t opcode)
{
	width_bit(in, opcode);
	in->op = INSN_OP_MOV;
	in->has_mem = true;
	in->mem_size = in->size;
	in->mem_scale = 1;
	in->mem_segment = c->segment != INSN_NONE ? c->segment : INSN_DS;
	in->mem_disp = (int64_t)cut(next_signed(c, in->address_size), in->address_size);
	in->reg = INSN_RAX;
	in->to_mem = (opcode & 2) != 0;
	return true;
}

static bool string(const struct cursor *c, struct insn *in, uint8_t opcode, enum insn_op op)
{
	width_bit(in, opcode);
	in->op = (uint8_t)op;
	in->has_mem = true;
	in->mem_scale = 1;
	in->rep = in->rep || c->repne;
	if (op == INSN_OP_STOS || op == INSN_OP_INS) {
		in->mem_base = INSN_RDI;
		in->mem_segment = INSN_ES; /* cannot be overridden */
		in->to_mem = true;
	} else {
		in->mem_base = INSN_RSI;
		in->mem_segment = c->segment != INSN_NONE ? c->segment : INSN_DS;
		in->to_mem = op == INSN_OP_MOVS;
	}
	if (op == INSN_OP_INS || op == INSN_OP_OUTS) {
		if (in->size == 8)
			in->size = 4;
		in->port_is_dx = true;
	} else if (op != INSN_OP_MOVS) {
		in->reg = INSN_RAX;
	}
	in->mem_size = in->size;
	return true;
}

static bool port(struct cursor *c, struct insn *in, uint8_t opcode)
{
	in->op = (opcode & 2) != 0 ? INSN_OP_OUT : INSN_OP_IN;
	width_bit(in, opcode);
	if (in->size == 8)
		in->size = 4;
	in->reg = INSN_RAX;
	in->port_is_dx = (opcode & 8) != 0;
	if (!in->port_is_dx)
		in->imm = next(c);
	return true;
}

static bool control_move(struct cursor *c, struct insn *in, uint8_t opcode)
{
	/* mod is ignored: the operand is always a register */
	uint8_t modrm = next(c);

	in->reg = (uint8_t)((modrm & 7) | ((c->rex & REX_B) ? 8 : 0));
	in->control = (uint8_t)(((modrm >> 3) & 7) | ((c->rex & REX_R) ? 8 : 0));
	in->size = c->mode == INSN_MODE_64 ? 8 : 4;
	switch (opcode) {
	case 0x20:
		in->op = INSN_OP_CR_READ;
		break;
	case 0x21:
		in->op = INSN_OP_DR_READ;
		break;
	case 0x22:
		in->op = INSN_OP_CR_WRITE;
		break;
	default:
		in->op = INSN_OP_DR_WRITE;
		break;
	}
	if ((opcode & 1) != 0)
		return in->control < 8 && !in->lock;
	/* AMD: LOCK MOV CR0 is CR8, for who has no REX (APM 3, MOV CRn). */
	if (in->lock && in->control == 0) {
		in->control = 8;
		in->lock = false;
	}
	return in->control == 0 || (in->control >= 2 && in->control <= 4) || in->control == 8;
}

static bool group_0f01(struct cursor *c, struct insn *in)
{
	uint8_t modrm = peek_modrm(c);

	if (c->short_of)
		return false;
	if (modrm >> 6 == MODRM_REGISTER && plain_0f01[modrm & 0x3f] != INSN_OP_NONE) {
		(void)next(c);
		in->op = plain_0f01[modrm & 0x3f];
		return true;
	}
	switch (operand(c, in)) {
	case 4:
		in->op = INSN_OP_SMSW;
		in->to_mem = in->has_mem;
		in->mem_size = 2;
		return true;
	case 6:
		in->op = INSN_OP_LMSW;
		in->size = 2;
		in->mem_size = 2;
		return true;
	case 7:
		in->op = INSN_OP_INVLPG;
		return in->has_mem;
	default:
		return false;
	}
}

static bool two_byte(struct cursor *c, struct insn *in)
{
	uint8_t opcode = next(c);

	if (plain_0f[opcode] != INSN_OP_NONE) {
		in->op = plain_0f[opcode];
		return true;
	}
	switch (opcode) {
	case 0x01:
		return group_0f01(c, in);
	case 0x20:
	case 0x21:
	case 0x22:
	case 0x23:
		return control_move(c, in, opcode);
	case 0xb6:
		return extending(c, in, INSN_OP_MOVZX, 1);
	case 0xb7:
		return extending(c, in, INSN_OP_MOVZX, 2);
	case 0xbe:
		return extending(c, in, INSN_OP_MOVSX, 1);
	case 0xbf:
		return extending(c, in, INSN_OP_MOVSX, 2);
	default:
		return false;
	}
}

static bool no_operand(struct insn *in, enum insn_op op)
{
	in->op = (uint8_t)op;
	return true;
}

static bool one_byte(struct cursor *c, struct insn *in, uint8_t opcode)
{
	static const uint8_t alu[8] = {INSN_OP_ADD, INSN_OP_OR,	 INSN_OP_ADC, INSN_OP_SBB,
				       INSN_OP_AND, INSN_OP_SUB, INSN_OP_XOR, INSN_OP_CMP};
	uint8_t field;

	if (opcode < 0x40 && (opcode & 7) < 4)
		return memory_register(c, in, opcode, (enum insn_op)alu[opcode >> 3], (opcode & 2) == 0);

	switch (opcode) {
	case 0x0f:
		return two_byte(c, in);
	case 0x63:
		return c->mode == INSN_MODE_64 && in->size != 2 && extending(c, in, INSN_OP_MOVSX, 4);
	case 0x6c:
	case 0x6d:
		return string(c, in, opcode, INSN_OP_INS);
	case 0x6e:
	case 0x6f:
		return string(c, in, opcode, INSN_OP_OUTS);
	case 0x80:
	case 0x81:
	case 0x83:
		if (!memory_immediate(c, in, opcode, opcode == 0x83, &field))
			return false;
		in->op = alu[field];
		return true;
	case 0x84:
	case 0x85:
		return memory_register(c, in, opcode, INSN_OP_TEST, true);
	case 0x86:
	case 0x87:
		return memory_register(c, in, opcode, INSN_OP_XCHG, true);
	case 0x88:
	case 0x89:
	case 0x8a:
	case 0x8b:
		return memory_register(c, in, opcode, INSN_OP_MOV, (opcode & 2) == 0);
	case 0x90:
		return in->rep && (c->rex & REX_B) == 0 && no_operand(in, INSN_OP_PAUSE);
	case 0xa0:
	case 0xa1:
	case 0xa2:
	case 0xa3:
		return absolute(c, in, opcode);
	case 0xa4:
	case 0xa5:
		return string(c, in, opcode, INSN_OP_MOVS);
	case 0xaa:
	case 0xab:
		return string(c, in, opcode, INSN_OP_STOS);
	case 0xac:
	case 0xad:
		return string(c, in, opcode, INSN_OP_LODS);
	case 0xc6:
	case 0xc7:
		return memory_immediate(c, in, opcode, false, &field) && field == 0 &&
		       no_operand(in, INSN_OP_MOV);
	case 0xcc:
		return no_operand(in, INSN_OP_INT3);
	case 0xce:
		return c->mode != INSN_MODE_64 && no_operand(in, INSN_OP_INTO);
	case 0xe4:
	case 0xe5:
	case 0xe6:
	case 0xe7:
	case 0xec:
	case 0xed:
	case 0xee:
	case 0xef:
		return port(c, in, opcode);
	case 0xf1:
		return no_operand(in, INSN_OP_INT1);
	case 0xf4:
		return no_operand(in, INSN_OP_HLT);
	case 0xf6:
	case 0xf7:
		/* with another reg field there is no immediate: NOT, NEG, ... are not ours */
		if (((peek_modrm(c) >> 3) & 7) > 1)
			return false;
		return memory_immediate(c, in, opcode, false, &field) && no_operand(in, INSN_OP_TEST);
	default:
		return false;
	}
}

/* LOCK is valid with a read-modify-write of memory only. */
static bool lock_allowed(const struct insn *in)
{
	return in->op == INSN_OP_XCHG ||
	       (in->op >= INSN_OP_ADD && in->op <= INSN_OP_XOR && in->has_mem && in->to_mem);
}

enum insn_result insn_decode(const uint8_t *bytes, size_t count, enum insn_mode mode, struct insn *out)
{
	static const struct insn nothing = {.reg = INSN_NONE, .mem_base = INSN_NONE, .mem_index = INSN_NONE};

	*out = nothing;
	/* The exits that come in thousands a second have no prefix and no operand: CPUID, RDMSR, WRMSR,
	 * VMMCALL, ... */
	if (count >= 3 && bytes[0] == 0x0f) {
		if (plain_0f[bytes[1]] != INSN_OP_NONE) {
			out->op = plain_0f[bytes[1]];
			out->length = 2;
			return INSN_OK;
		}
		if (bytes[1] == 0x01 && bytes[2] >= 0xc0 && plain_0f01[bytes[2] & 0x3f] != INSN_OP_NONE) {
			out->op = plain_0f01[bytes[2] & 0x3f];
			out->length = 3;
			return INSN_OK;
		}
	}

	struct cursor c = {
	    .bytes = bytes, .count = count < INSN_MAX ? count : INSN_MAX, .mode = mode, .segment = INSN_NONE};
	uint8_t opcode = prefixes(&c, out);
	sizes(&c, out);
	bool known = one_byte(&c, out, opcode);
	if (c.short_of)
		return count < INSN_MAX ? INSN_NEED_MORE : INSN_UNKNOWN;
	if (!known || (out->lock && !lock_allowed(out)))
		return INSN_UNKNOWN;
	out->length = (uint8_t)c.at;
	return INSN_OK;
}
