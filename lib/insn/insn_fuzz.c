/*
 * Any bytes in any mode: a decoded length never exceeds what was given, and more bytes never change a decoded
 * instruction. And instructions that are put together from prefixes, an opcode that exits, and addressing
 * bytes: their length is known beforehand (APM volume 3, 1.2 to 1.4), by another way than the decoder's.
 */
// links: lib/insn/insn.c lib/insn/insn_exec.c
#include <stdlib.h>
#include <string.h>
#include "insn/insn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- instructions of known length ---- */

static const struct known {
	uint8_t op;
	uint8_t n;
	uint8_t bytes[3];
	bool modrm; /* with a memory operand, whose reg field is 7 (INVLPG) */
} known[] = {
    {INSN_OP_CPUID, 2, {0x0f, 0xa2}, false},
    {INSN_OP_RDMSR, 2, {0x0f, 0x32}, false},
    {INSN_OP_WRMSR, 2, {0x0f, 0x30}, false},
    {INSN_OP_RDTSC, 2, {0x0f, 0x31}, false},
    {INSN_OP_RDTSCP, 3, {0x0f, 0x01, 0xf9}, false},
    {INSN_OP_HLT, 1, {0xf4}, false},
    {INSN_OP_VMMCALL, 3, {0x0f, 0x01, 0xd9}, false},
    {INSN_OP_VMCALL, 3, {0x0f, 0x01, 0xc1}, false},
    {INSN_OP_XSETBV, 3, {0x0f, 0x01, 0xd1}, false},
    {INSN_OP_MONITOR, 3, {0x0f, 0x01, 0xc8}, false},
    {INSN_OP_MWAIT, 3, {0x0f, 0x01, 0xc9}, false},
    {INSN_OP_WBINVD, 2, {0x0f, 0x09}, false},
    {INSN_OP_INVD, 2, {0x0f, 0x08}, false},
    {INSN_OP_RDPMC, 2, {0x0f, 0x33}, false},
    {INSN_OP_IN, 1, {0xec}, false},
    {INSN_OP_OUT, 2, {0xe6, 0x80}, false},
    {INSN_OP_INS, 1, {0x6c}, false},
    {INSN_OP_OUTS, 1, {0x6f}, false},
    {INSN_OP_CR_READ, 3, {0x0f, 0x20, 0xc0}, false},
    {INSN_OP_CR_WRITE, 3, {0x0f, 0x22, 0xd8}, false},
    {INSN_OP_DR_READ, 3, {0x0f, 0x21, 0xf8}, false},
    {INSN_OP_DR_WRITE, 3, {0x0f, 0x23, 0xc1}, false},
    {INSN_OP_CLTS, 2, {0x0f, 0x06}, false},
    {INSN_OP_INT3, 1, {0xcc}, false},
    {INSN_OP_INT1, 1, {0xf1}, false},
    {INSN_OP_INVLPG, 2, {0x0f, 0x01}, true},
};

/* Bytes behind ModRM, by address size. */
static unsigned addressing(uint8_t modrm, uint8_t sib, unsigned address_size)
{
	unsigned mod = modrm >> 6, rm = modrm & 7;

	if (address_size == 2)
		return mod == 1 ? 1 : mod == 2 || rm == 6 ? 2 : 0;
	if (rm == 4)
		return 1 + (mod == 1 ? 1 : mod == 2 || (sib & 7) == 5 ? 4 : 0);
	return mod == 1 ? 1 : mod == 2 || rm == 5 ? 4 : 0;
}

static void put_together(const uint8_t *data, size_t size, enum insn_mode mode)
{
	static const uint8_t prefix[] = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf2, 0xf3};
	uint8_t bytes[48] = {0};
	unsigned n = 0, count = data[0] & 15,
		 address_size = mode == INSN_MODE_64   ? 8
				: mode == INSN_MODE_32 ? 4
						       : 2;
	const struct known *k = &known[data[1] % (sizeof(known) / sizeof(*known))];
	uint8_t modrm = (uint8_t)((data[2] & 0xc7) | 0x38), sib = data[3];
	bool changed = false;
	struct insn in;

	for (unsigned i = 0; i < count; i++) {
		uint8_t b = prefix[data[4 + i % (size - 4)] % sizeof(prefix)];

		/* REX where it counts for nothing, before another prefix */
		if (mode == INSN_MODE_64 && (data[4 + i % (size - 4)] & 0x80))
			bytes[n++] = 0x4f;
		changed = changed || b == 0x67;
		bytes[n++] = b;
	}
	if (mode == INSN_MODE_64 && (data[0] & 0x10))
		bytes[n++] = (uint8_t)(0x40 | (data[0] >> 5 & 1) << 3); /* REX.W or none */
	for (unsigned i = 0; i < k->n; i++)
		bytes[n++] = k->bytes[i];
	if (changed)
		address_size = mode == INSN_MODE_32 ? 2 : 4;
	if (k->modrm) {
		if (modrm >> 6 == 3)
			modrm &= 0x3f;
		bytes[n++] = modrm;
		bytes[n] = sib;
		n += addressing(modrm, sib, address_size);
	}
	enum insn_result r = insn_decode(bytes, sizeof(bytes), mode, &in);
	if (n > INSN_MAX ? r != INSN_UNKNOWN : r != INSN_OK || in.length != n || in.op != k->op)
		abort();
	/* and not with a byte less */
	if (n <= INSN_MAX && insn_decode(bytes, n - 1, mode, &in) != INSN_NEED_MORE)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t gpr[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
	struct insn in, longer;

	if (size < 1)
		return 0;
	enum insn_mode mode = (enum insn_mode)(data[0] % 3);
	if (size > 6)
		put_together(data + 1, size - 1, mode);
	enum insn_result r = insn_decode(data + 1, size - 1, mode, &in);
	if (r != INSN_OK)
		return 0;
	if (in.length == 0 || in.length > INSN_MAX || in.length > size - 1 || in.op == INSN_OP_NONE)
		abort();
	if (insn_decode(data + 1, in.length, mode, &longer) != INSN_OK || longer.op != in.op ||
	    longer.length != in.length)
		abort();
	if (in.has_mem)
		(void)insn_offset(&in, gpr, 0x1000);
	if (in.size != 0) {
		uint64_t flags = 2;
		uint64_t v = insn_alu((enum insn_op)in.op, in.size, insn_reg_get(&in, gpr), in.imm, &flags);
		insn_reg_set(&in, gpr, v);
	}
	if (in.op == INSN_OP_MOVSX || in.op == INSN_OP_MOVZX)
		(void)insn_extend(&in, 0x8080808080808080);
	return 0;
}
