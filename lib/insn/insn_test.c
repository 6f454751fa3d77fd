/* Decoder cases with bytes from an assembler, and results and flags against a plain computation. */
// links: lib/insn/insn_exec.c
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "insn/insn.h"

struct simple {
	const char *bytes; /* hexadecimal */
	enum insn_mode mode;
	enum insn_op op;
};

#define M16 INSN_MODE_16
#define M32 INSN_MODE_32
#define M64 INSN_MODE_64

static size_t unhex(const char *s, uint8_t *out)
{
	size_t n = 0;
	unsigned v;

	while (*s != '\0' && sscanf(s, "%2x", &v) == 1) {
		out[n++] = (uint8_t)v;
		s += 2;
		while (*s == ' ')
			s++;
	}
	return n;
}

/* Decodes, and checks that every shorter prefix of the bytes asks for more. */
static struct insn decode(const char *hex, enum insn_mode mode)
{
	uint8_t b[32];
	struct insn in;
	size_t n = unhex(hex, b);

	for (size_t i = 0; i < n; i++)
		if (insn_decode(b, i, mode, &in) != INSN_NEED_MORE)
			fail_msg("%s: %zu bytes were taken for an instruction", hex, i);
	if (insn_decode(b, n, mode, &in) != INSN_OK)
		fail_msg("%s: not decoded", hex);
	if (in.length != n)
		fail_msg("%s: length %u", hex, in.length);
	memset(b + n, 0xcc, sizeof(b) - n);
	struct insn again;
	assert_int_equal(insn_decode(b, sizeof(b), mode, &again), INSN_OK);
	assert_int_equal(again.length, n);
	assert_int_equal(again.op, in.op);
	return in;
}

static void unknown(const char *hex, enum insn_mode mode)
{
	uint8_t b[32];
	struct insn in;

	memset(b, 0, sizeof(b));
	unhex(hex, b);
	if (insn_decode(b, sizeof(b), mode, &in) != INSN_UNKNOWN)
		fail_msg("%s: should be unknown", hex);
}

static void test_plain(void **state)
{
	static const struct simple cases[] = {
	    {"0f a2", M64, INSN_OP_CPUID},
	    {"0f 32", M64, INSN_OP_RDMSR},
	    {"0f 30", M32, INSN_OP_WRMSR},
	    {"0f 01 d9", M64, INSN_OP_VMMCALL},
	    {"0f 01 c1", M32, INSN_OP_VMCALL},
	    {"f4", M16, INSN_OP_HLT},
	    {"0f 31", M64, INSN_OP_RDTSC},
	    {"0f 01 f9", M64, INSN_OP_RDTSCP},
	    {"0f 33", M64, INSN_OP_RDPMC},
	    {"f3 90", M64, INSN_OP_PAUSE},
	    {"0f 08", M64, INSN_OP_INVD},
	    {"0f 09", M64, INSN_OP_WBINVD},
	    {"f3 0f 09", M64, INSN_OP_WBINVD},
	    {"0f 01 c8", M64, INSN_OP_MONITOR},
	    {"0f 01 c9", M64, INSN_OP_MWAIT},
	    {"0f 01 d1", M64, INSN_OP_XSETBV},
	    {"0f 01 d0", M64, INSN_OP_XGETBV},
	    {"0f 06", M64, INSN_OP_CLTS},
	    {"cc", M64, INSN_OP_INT3},
	    {"ce", M32, INSN_OP_INTO},
	    {"f1", M64, INSN_OP_INT1},
	    {"66 0f a2", M64, INSN_OP_CPUID},
	    {"48 0f a2", M64, INSN_OP_CPUID},
	    {"67 2e 0f a2", M16, INSN_OP_CPUID},
	    {"f3 66 67 2e 41 0f 01 d9", M64, INSN_OP_VMMCALL},
	    {"2e 2e 2e 2e 2e 2e 2e 2e 2e 2e 2e 2e 2e 0f a2", M64, INSN_OP_CPUID},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct insn in = decode(cases[i].bytes, cases[i].mode);
		if (in.op != cases[i].op)
			fail_msg("%s: op %u", cases[i].bytes, in.op);
	}
	unknown("ce", M64);
	unknown("90", M64);
	unknown("f3 41 90", M64);
	unknown("f0 0f a2", M64);
	unknown("0f 0b", M64);
	unknown("0f 01 f8", M64);
	unknown("40", M32);
	/* one byte too long */
	unknown("2e 2e 2e 2e 2e 2e 2e 2e 2e 2e 2e 2e 2e 2e 0f a2", M64);
}

static void port_case(const char *hex, enum insn_mode mode, enum insn_op op, unsigned size, bool dx,
		      unsigned number)
{
	struct insn in = decode(hex, mode);

	assert_int_equal(in.op, op);
	assert_int_equal(in.size, size);
	assert_int_equal(in.port_is_dx, dx);
	assert_int_equal(in.imm, number);
}

static void test_ports(void **state)
{
	(void)state;
	port_case("e4 60", M64, INSN_OP_IN, 1, false, 0x60);
	port_case("e5 f0", M64, INSN_OP_IN, 4, false, 0xf0);
	port_case("e5 70", M16, INSN_OP_IN, 2, false, 0x70);
	port_case("66 ed", M64, INSN_OP_IN, 2, true, 0);
	port_case("ec", M32, INSN_OP_IN, 1, true, 0);
	port_case("e6 80", M64, INSN_OP_OUT, 1, false, 0x80);
	port_case("ef", M64, INSN_OP_OUT, 4, true, 0);
	port_case("48 ef", M64, INSN_OP_OUT, 4, true, 0);
	port_case("ef", M16, INSN_OP_OUT, 2, true, 0);

	struct insn in = decode("f3 6c", M64);
	assert_int_equal(in.op, INSN_OP_INS);
	assert_true(in.rep && in.to_mem && in.mem_size == 1 && in.mem_base == INSN_RDI &&
		    in.mem_segment == INSN_ES);
	in = decode("f3 6f", M64);
	assert_int_equal(in.op, INSN_OP_OUTS);
	assert_true(in.rep && !in.to_mem && in.mem_size == 4 && in.mem_base == INSN_RSI &&
		    in.address_size == 8);
	in = decode("64 f3 67 6e", M32);
	assert_true(in.op == INSN_OP_OUTS && in.mem_segment == INSN_FS && in.address_size == 2);
	in = decode("26 66 6f", M64);
	assert_true(!in.rep && in.mem_size == 2 && in.mem_segment == INSN_DS);
}

static void control_case(const char *hex, enum insn_mode mode, enum insn_op op, unsigned control,
			 unsigned reg)
{
	struct insn in = decode(hex, mode);

	assert_int_equal(in.op, op);
	assert_int_equal(in.control, control);
	assert_int_equal(in.reg, reg);
	assert_int_equal(in.size, mode == M64 ? 8 : 4);
}

static void test_control(void **state)
{
	(void)state;
	control_case("0f 20 c0", M64, INSN_OP_CR_READ, 0, INSN_RAX);
	control_case("41 0f 22 d9", M64, INSN_OP_CR_WRITE, 3, INSN_R9);
	control_case("44 0f 20 c2", M64, INSN_OP_CR_READ, 8, INSN_RDX);
	control_case("0f 22 e0", M32, INSN_OP_CR_WRITE, 4, INSN_RAX);
	control_case("f0 0f 20 c0", M32, INSN_OP_CR_READ, 8, INSN_RAX);
	control_case("0f 20 00", M16, INSN_OP_CR_READ, 0, INSN_RAX);
	control_case("41 0f 21 fa", M64, INSN_OP_DR_READ, 7, INSN_R10);
	control_case("0f 23 c3", M64, INSN_OP_DR_WRITE, 0, INSN_RBX);
	unknown("0f 20 c8", M64);    /* CR1 */
	unknown("44 0f 21 c0", M64); /* DR8 */

	struct insn in = decode("0f 01 f0", M64);
	assert_true(in.op == INSN_OP_LMSW && !in.has_mem && in.reg == INSN_RAX && in.size == 2);
	in = decode("0f 01 77 08", M64);
	assert_true(in.op == INSN_OP_LMSW && in.has_mem && in.mem_base == INSN_RDI && in.mem_disp == 8);
	in = decode("0f 01 e1", M64);
	assert_true(in.op == INSN_OP_SMSW && in.reg == INSN_RCX && in.size == 4);
	in = decode("0f 01 20", M64);
	assert_true(in.op == INSN_OP_SMSW && in.has_mem && in.to_mem && in.mem_size == 2);
	in = decode("43 0f 01 bc ec 34 12 00 00", M64);
	assert_true(in.op == INSN_OP_INVLPG && in.mem_base == INSN_R12 && in.mem_index == INSN_R13 &&
		    in.mem_scale == 8 && in.mem_disp == 0x1234 && in.mem_segment == INSN_DS);
}

struct memory {
	const char *bytes;
	enum insn_mode mode;
	enum insn_op op;
	unsigned size, mem_size;
	bool to_mem;
	unsigned reg; /* or INSN_NONE with an immediate */
	uint64_t imm;
	unsigned base, index, scale, segment;
	int64_t disp;
};

static void test_memory(void **state)
{
	const unsigned none = INSN_NONE, ds = INSN_DS, ss = INSN_SS, es = INSN_ES;
	const struct memory cases[] = {
	    {"89 07", M64, INSN_OP_MOV, 4, 4, true, INSN_RAX, 0, INSN_RDI, none, 1, ds, 0},
	    {"44 89 40 10", M64, INSN_OP_MOV, 4, 4, true, INSN_R8, 0, INSN_RAX, none, 1, ds, 16},
	    {"8b 0d 80 fb ff ff", M64, INSN_OP_MOV, 4, 4, false, INSN_RCX, 0, INSN_RIP, none, 1, ds, -0x480},
	    {"8b 0d 80 fb ff ff", M32, INSN_OP_MOV, 4, 4, false, INSN_RCX, 0, none, none, 1, ds, -0x480},
	    {"40 88 33", M64, INSN_OP_MOV, 1, 1, true, INSN_RSI, 0, INSN_RBX, none, 1, ds, 0},
	    {"66 c7 04 24 34 12", M64, INSN_OP_MOV, 2, 2, true, none, 0x1234, INSN_RSP, none, 1, ss, 0},
	    {"c7 80 00 03 00 00 fe ff ff ff", M64, INSN_OP_MOV, 4, 4, true, none, 0xfffffffe, INSN_RAX, none,
	     1, ds, 0x300},
	    {"49 c7 45 00 fb ff ff ff", M64, INSN_OP_MOV, 8, 8, true, none, -5ull, INSN_R13, none, 1, ds, 0},
	    {"41 c6 04 24 07", M64, INSN_OP_MOV, 1, 1, true, none, 7, INSN_R12, none, 1, ds, 0},
	    {"a1 88 77 66 55 44 33 22 11", M64, INSN_OP_MOV, 4, 4, false, INSN_RAX, 0, none, none, 1, ds,
	     0x1122334455667788},
	    {"a2 88 77 66 55 44 33 22 91", M64, INSN_OP_MOV, 1, 1, true, INSN_RAX, 0, none, none, 1, ds,
	     (int64_t)0x9122334455667788},
	    {"67 a1 00 00 e0 fe", M64, INSN_OP_MOV, 4, 4, false, INSN_RAX, 0, none, none, 1, ds, 0xfee00000},
	    {"0f b6 08", M64, INSN_OP_MOVZX, 4, 1, false, INSN_RCX, 0, INSN_RAX, none, 1, ds, 0},
	    {"4c 0f b7 7c 48 02", M64, INSN_OP_MOVZX, 8, 2, false, INSN_R15, 0, INSN_RAX, INSN_RCX, 2, ds, 2},
	    {"66 0f be 08", M64, INSN_OP_MOVSX, 2, 1, false, INSN_RCX, 0, INSN_RAX, none, 1, ds, 0},
	    {"48 63 12", M64, INSN_OP_MOVSX, 8, 4, false, INSN_RDX, 0, INSN_RDX, none, 1, ds, 0},
	    {"ab", M64, INSN_OP_STOS, 4, 4, true, INSN_RAX, 0, INSN_RDI, none, 1, es, 0},
	    {"f3 48 ab", M64, INSN_OP_STOS, 8, 8, true, INSN_RAX, 0, INSN_RDI, none, 1, es, 0},
	    {"f3 65 a4", M64, INSN_OP_MOVS, 1, 1, true, none, 0, INSN_RSI, none, 1, INSN_GS, 0},
	    {"66 ad", M64, INSN_OP_LODS, 2, 2, false, INSN_RAX, 0, INSN_RSI, none, 1, ds, 0},
	    {"81 a7 f0 00 00 00 ff fe ff ff", M64, INSN_OP_AND, 4, 4, true, none, 0xfffffeff, INSN_RDI, none,
	     1, ds, 0xf0},
	    {"f0 83 08 01", M64, INSN_OP_OR, 4, 4, true, none, 1, INSN_RAX, none, 1, ds, 0},
	    {"48 31 0e", M64, INSN_OP_XOR, 8, 8, true, INSN_RCX, 0, INSN_RSI, none, 1, ds, 0},
	    {"f7 02 00 10 00 00", M64, INSN_OP_TEST, 4, 4, true, none, 0x1000, INSN_RDX, none, 1, ds, 0},
	    {"f6 02 01", M64, INSN_OP_TEST, 1, 1, true, none, 1, INSN_RDX, none, 1, ds, 0},
	    {"85 3a", M64, INSN_OP_TEST, 4, 4, true, INSN_RDI, 0, INSN_RDX, none, 1, ds, 0},
	    {"83 3a 00", M64, INSN_OP_CMP, 4, 4, true, none, 0, INSN_RDX, none, 1, ds, 0},
	    {"44 3b 1a", M64, INSN_OP_CMP, 4, 4, false, INSN_R11, 0, INSN_RDX, none, 1, ds, 0},
	    {"83 00 ff", M64, INSN_OP_ADD, 4, 4, true, none, 0xffffffff, INSN_RAX, none, 1, ds, 0},
	    {"66 83 28 ff", M64, INSN_OP_SUB, 2, 2, true, none, 0xffff, INSN_RAX, none, 1, ds, 0},
	    {"48 2b 00", M64, INSN_OP_SUB, 8, 8, false, INSN_RAX, 0, INSN_RAX, none, 1, ds, 0},
	    {"87 87 80 03 00 00", M64, INSN_OP_XCHG, 4, 4, true, INSN_RAX, 0, INSN_RDI, none, 1, ds, 0x380},
	    {"65 8b 04 25 20 00 00 00", M64, INSN_OP_MOV, 4, 4, false, INSN_RAX, 0, none, none, 1, INSN_GS,
	     0x20},
	    {"42 8b 04 25 20 00 00 00", M64, INSN_OP_MOV, 4, 4, false, INSN_RAX, 0, none, INSN_R12, 1, ds,
	     0x20},
	    /* a REX that is followed by another prefix does not count */
	    {"48 66 89 07", M64, INSN_OP_MOV, 2, 2, true, INSN_RAX, 0, INSN_RDI, none, 1, ds, 0},
	    {"a3 00 03 e0 fe", M32, INSN_OP_MOV, 4, 4, true, INSN_RAX, 0, none, none, 1, ds, 0xfee00300},
	    {"8a 44 b3 10", M32, INSN_OP_MOV, 1, 1, false, INSN_RAX, 0, INSN_RBX, INSN_RSI, 4, ds, 16},
	    {"66 c7 45 00 05 00", M32, INSN_OP_MOV, 2, 2, true, none, 5, INSN_RBP, none, 1, ss, 0},
	    {"67 8b 00", M32, INSN_OP_MOV, 4, 4, false, INSN_RAX, 0, INSN_RBX, INSN_RSI, 1, ds, 0},
	    {"26 8b 00", M32, INSN_OP_MOV, 4, 4, false, INSN_RAX, 0, INSN_RAX, none, 1, es, 0},
	    {"a3 34 12", M16, INSN_OP_MOV, 2, 2, true, INSN_RAX, 0, none, none, 1, ds, 0x1234},
	    {"8a 03", M16, INSN_OP_MOV, 1, 1, false, INSN_RAX, 0, INSN_RBP, INSN_RDI, 1, ss, 0},
	    {"88 46 fc", M16, INSN_OP_MOV, 1, 1, true, INSN_RAX, 0, INSN_RBP, none, 1, ss, -4},
	    {"66 8b 44 04", M16, INSN_OP_MOV, 4, 4, false, INSN_RAX, 0, INSN_RSI, none, 1, ds, 4},
	    {"67 88 04 58", M16, INSN_OP_MOV, 1, 1, true, INSN_RAX, 0, INSN_RAX, INSN_RBX, 2, ds, 0},
	    {"89 0e 34 12", M16, INSN_OP_MOV, 2, 2, true, INSN_RCX, 0, none, none, 1, ds, 0x1234},
	    {"66 c7 07 44 33 22 11", M16, INSN_OP_MOV, 4, 4, true, none, 0x11223344, INSN_RBX, none, 1, ds,
	     0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct memory *m = &cases[i];
		struct insn in = decode(m->bytes, m->mode);
		if (in.op != m->op || in.size != m->size || in.mem_size != m->mem_size ||
		    in.to_mem != m->to_mem || !in.has_mem || in.reg_high)
			fail_msg("%s: op %u size %u mem_size %u", m->bytes, in.op, in.size, in.mem_size);
		if (in.from_imm ? m->reg != INSN_NONE || in.imm != m->imm : in.reg != m->reg)
			fail_msg("%s: reg %u imm %lx", m->bytes, in.reg, (unsigned long)in.imm);
		if (in.mem_base != m->base || in.mem_index != m->index || in.mem_scale != m->scale ||
		    in.mem_segment != m->segment || in.mem_disp != m->disp)
			fail_msg("%s: base %u index %u scale %u segment %u disp %ld", m->bytes, in.mem_base,
				 in.mem_index, in.mem_scale, in.mem_segment, (long)in.mem_disp);
	}
	struct insn in = decode("88 23", M64);
	assert_true(in.reg_high && in.reg == INSN_RAX);
	in = decode("8a 7d 00", M64);
	assert_true(in.reg_high && in.reg == INSN_RBX && in.mem_segment == INSN_SS);

	unknown("89 c0", M64);
	unknown("83 c0 01", M64);
	unknown("f0 89 07", M64);
	unknown("f0 83 38 00", M64);
	unknown("f0 03 00", M64);
	unknown("f7 10", M64);
	unknown("c7 08 00 00 00 00", M64);
	unknown("63 00", M32);
}

static void test_values(void **state)
{
	uint64_t gpr[16] = {0};

	(void)state;
	gpr[INSN_RAX] = 0xffffffff00001234;
	gpr[INSN_RCX] = 0x10;
	struct insn in = decode("4c 0f b7 7c 48 02", M64);
	assert_int_equal(insn_offset(&in, gpr, 0), 0xffffffff00001234 + 0x20 + 2);
	in = decode("67 8b 04 48", M64);
	assert_int_equal(insn_offset(&in, gpr, 0), 0x1254);
	in = decode("8b 0d 80 fb ff ff", M64);
	assert_int_equal(insn_offset(&in, gpr, 0x1000), 0x1000 - 0x480);
	in = decode("88 46 fc", M16);
	assert_int_equal(insn_offset(&in, gpr, 0), 0xfffc);

	in = decode("88 23", M64);
	assert_int_equal(insn_reg_get(&in, gpr), 0x12);
	insn_reg_set(&in, gpr, 0xab);
	assert_int_equal(gpr[0], 0xffffffff0000ab34);
	in = decode("66 8b 00", M64);
	insn_reg_set(&in, gpr, 0x77777777);
	assert_int_equal(gpr[0], 0xffffffff00007777);
	in = decode("8b 00", M64);
	insn_reg_set(&in, gpr, ~0ull);
	assert_int_equal(gpr[0], 0xffffffff);

	in = decode("66 0f be 08", M64);
	assert_int_equal(insn_extend(&in, 0x80), 0xff80);
	in = decode("48 63 12", M64);
	assert_int_equal(insn_extend(&in, 0x80000000), 0xffffffff80000000);
	in = decode("0f b6 08", M64);
	assert_int_equal(insn_extend(&in, 0x1ff), 0xff);
}

/* Flags of an 8-bit operation, from signed and unsigned results. */
static uint64_t flags8(int unsigned_result, int signed_result, bool af)
{
	uint8_t r = (uint8_t)unsigned_result;
	uint64_t f = 0;

	f |= unsigned_result < 0 || unsigned_result > 255 ? 1u : 0;
	f |= __builtin_parity(r) ? 0 : 4u;
	f |= af ? 16u : 0;
	f |= r == 0 ? 64u : 0;
	f |= (r & 0x80) ? 128u : 0;
	f |= signed_result < -128 || signed_result > 127 ? 2048u : 0;
	return f;
}

static void check8(enum insn_op op, int a, int b, int carry, int result, int signed_result, bool af)
{
	uint64_t rflags = 0x202u | (carry ? 1u : 0);
	uint64_t r = insn_alu(op, 1, (uint64_t)a | 0x5500, (uint64_t)b, &rflags);

	if (op != INSN_OP_CMP)
		assert_int_equal(r, (uint8_t)result);
	if (rflags != (0x202 | flags8(result, signed_result, af)))
		fail_msg("op %d %x %x %d: flags %lx", op, (unsigned)a, (unsigned)b, carry,
			 (unsigned long)rflags);
}

static void test_alu(void **state)
{
	(void)state;
	for (int a = 0; a < 256; a++) {
		for (int b = 0; b < 256; b++) {
			int sa = (int8_t)a, sb = (int8_t)b;
			for (int c = 0; c < 2; c++) {
				check8(INSN_OP_ADD, a, b, c, a + b, sa + sb, (a & 15) + (b & 15) > 15);
				check8(INSN_OP_ADC, a, b, c, a + b + c, sa + sb + c,
				       (a & 15) + (b & 15) + c > 15);
				check8(INSN_OP_SUB, a, b, c, a - b, sa - sb, (a & 15) < (b & 15));
				check8(INSN_OP_CMP, a, b, c, a - b, sa - sb, (a & 15) < (b & 15));
				check8(INSN_OP_SBB, a, b, c, a - b - c, sa - sb - c, (a & 15) < (b & 15) + c);
			}
			check8(INSN_OP_AND, a, b, 1, a & b, sa & sb, false);
			check8(INSN_OP_OR, a, b, 1, a | b, sa | sb, false);
			check8(INSN_OP_XOR, a, b, 1, a ^ b, sa ^ sb, false);
		}
	}
	uint64_t f = 0;
	assert_int_equal(insn_alu(INSN_OP_ADD, 8, ~0ull, 1, &f), 0);
	assert_int_equal(f, 1 | 4 | 16 | 64);
	assert_int_equal(insn_alu(INSN_OP_TEST, 4, 0x80000000, 0xffffffff, &f), 0x80000000);
	assert_int_equal(f, 4 | 128);
	assert_int_equal(insn_alu(INSN_OP_XCHG, 4, 1, 2, &f), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_plain),  cmocka_unit_test(test_ports),  cmocka_unit_test(test_control),
	    cmocka_unit_test(test_memory), cmocka_unit_test(test_values), cmocka_unit_test(test_alu),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
