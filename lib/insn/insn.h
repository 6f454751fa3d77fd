/*
 * x86 instruction decoder for a vmm: what instruction caused an exit, and how long it is, where
 * the CPU does not say (AMD APM volume 3, chapters 1-3; Intel SDM volume 2). It knows the instructions that
 * can cause exits, and the memory forms by which kernels reach device registers; anything else is
 * INSN_UNKNOWN.
 *
 * Pure: bytes in, struct insn out. It executes nothing and reads no guest state. Bytes come from guest
 * memory, copied once by the caller.
 */
#ifndef LIB_INSN_INSN_H
#define LIB_INSN_INSN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { INSN_MAX = 15 };

enum insn_mode {
	INSN_MODE_16, /* real, virtual-8086, or a 16-bit code segment */
	INSN_MODE_32,
	INSN_MODE_64,
};

enum insn_result {
	INSN_OK = 0,
	INSN_NEED_MORE, /* the bytes begin an instruction that we may know: fetch more (the next page) */
	INSN_UNKNOWN,	/* not one of this decoder's, or invalid: too long, LOCK where not allowed, ... */
};

/* General registers by their encoding, in every field that names one. */
enum insn_reg {
	INSN_RAX,
	INSN_RCX,
	INSN_RDX,
	INSN_RBX,
	INSN_RSP,
	INSN_RBP,
	INSN_RSI,
	INSN_RDI,
	INSN_R8,
	INSN_R9,
	INSN_R10,
	INSN_R11,
	INSN_R12,
	INSN_R13,
	INSN_R14,
	INSN_R15,
	INSN_RIP = 16, /* as mem_base only */
	INSN_NONE = 0xff,
};

enum insn_segment {
	INSN_ES,
	INSN_CS,
	INSN_SS,
	INSN_DS,
	INSN_FS,
	INSN_GS,
};

enum insn_op {
	INSN_OP_NONE = 0,
	/* no operands here: length is what matters */
	INSN_OP_CPUID,
	INSN_OP_RDMSR,
	INSN_OP_WRMSR,
	INSN_OP_VMMCALL,
	INSN_OP_VMCALL,
	INSN_OP_HLT,
	INSN_OP_RDTSC,
	INSN_OP_RDTSCP,
	INSN_OP_RDPMC,
	INSN_OP_PAUSE,
	INSN_OP_INVD,
	INSN_OP_WBINVD,
	INSN_OP_MONITOR,
	INSN_OP_MWAIT,
	INSN_OP_XSETBV,
	INSN_OP_XGETBV,
	INSN_OP_CLTS,
	INSN_OP_INT3,
	INSN_OP_INTO,
	INSN_OP_INT1,
	/* port I/O: port_is_dx, imm = port otherwise; size 1, 2, 4 */
	INSN_OP_IN,
	INSN_OP_OUT,
	/* string I/O: port is DX; size; rep; mem_base is RDI (ES) or RSI (segment) */
	INSN_OP_INS,
	INSN_OP_OUTS,
	/* reg and control: reg is the general register, control the number of the other; size 4 or 8 */
	INSN_OP_CR_READ,
	INSN_OP_CR_WRITE,
	INSN_OP_DR_READ,
	INSN_OP_DR_WRITE,
	/* register or memory operand: has_mem, else reg */
	INSN_OP_LMSW,
	INSN_OP_SMSW,
	INSN_OP_INVLPG,
	/* the memory forms: see below */
	INSN_OP_MOV,
	INSN_OP_MOVZX,
	INSN_OP_MOVSX,
	INSN_OP_STOS,
	INSN_OP_MOVS,
	INSN_OP_LODS,
	INSN_OP_ADD,
	INSN_OP_OR,
	INSN_OP_ADC,
	INSN_OP_SBB,
	INSN_OP_AND,
	INSN_OP_SUB,
	INSN_OP_XOR,
	INSN_OP_CMP,
	INSN_OP_TEST,
	INSN_OP_XCHG,
};

/*
 * A memory form (INSN_OP_MOV and after) always has a memory operand: the same opcode with a register operand
 * is INSN_UNKNOWN. One side is memory of mem_size bytes; the other is a register, or an immediate if
 * from_imm. to_mem says which side is the first operand. So: MOV to_mem              memory := reg or imm
 * (size mem_size) MOV !to_mem             reg := memory MOVZX, MOVSX            reg (size bytes) := memory
 * (mem_size bytes), extended; MOVSXD is MOVSX ADD..XOR to_mem         memory := memory op (reg or imm);
 * !to_mem: reg := reg op memory;  flags set CMP, TEST               the same, only flags are set XCHG both
 * are exchanged (to_mem is true) STOS                    memory at ES:RDI := reg RAX;  LODS: RAX := memory at
 * segment:RSI MOVS                    memory at ES:RDI := memory at segment:RSI; mem_base is RSI, the source;
 * RDI is implied A 4-byte register destination clears the upper half in 64-bit mode; smaller ones leave the
 * rest.
 */
struct insn {
	uint8_t op;	/* enum insn_op */
	uint8_t length; /* bytes, with prefixes */
	uint8_t size;	/* operand size in bytes: 1, 2, 4, 8 */
	uint8_t
	    address_size; /* bytes: 2, 4, 8; also the width of RCX, RSI, RDI used by string instructions */

	bool rep; /* F3 (or F2 with INS, OUTS, STOS, MOVS, LODS) */
	bool lock;
	bool port_is_dx;
	bool from_imm; /* the other side is imm, not reg */
	bool to_mem;
	bool has_mem;
	bool reg_high; /* reg 0-3 means AH, CH, DH, BH; only with size 1 */

	uint8_t reg;	 /* enum insn_reg, or INSN_NONE */
	uint8_t control; /* CR or DR number */

	uint8_t mem_size;
	uint8_t mem_base;    /* enum insn_reg, INSN_RIP, or INSN_NONE */
	uint8_t mem_index;   /* enum insn_reg or INSN_NONE */
	uint8_t mem_scale;   /* 1, 2, 4, 8 */
	uint8_t mem_segment; /* enum insn_segment, default or overridden */
	int64_t mem_disp;    /* sign-extended; for the moffs forms the full address */

	uint64_t
	    imm; /* extended as the instruction does, then cut to size bytes; a port number for IN and OUT */
};

/* Decodes the instruction at bytes[0..count); count above INSN_MAX is fine. On any result but INSN_OK *out is
 * unspecified. */
enum insn_result insn_decode(const uint8_t *bytes, size_t count, enum insn_mode mode, struct insn *out);

/*
 * The memory operand's offset in its segment, masked to the address size: base + index * scale + disp. gpr is
 * indexed by enum insn_reg; next_rip is the address of the following instruction. The caller adds the
 * segment's base (0 for all but FS and GS in 64-bit mode).
 */
uint64_t insn_offset(const struct insn *in, const uint64_t gpr[16], uint64_t next_rip);

/* The value of the register operand, size bytes zero-extended; and a store to it with the architecture's
 * rules for the upper bits. */
uint64_t insn_reg_get(const struct insn *in, const uint64_t gpr[16]);
void insn_reg_set(const struct insn *in, uint64_t gpr[16], uint64_t value);

/*
 * dst op src for ADD..TEST at size bytes: returns the result (for CMP and TEST: dst) and updates CF, PF, AF,
 * ZF, SF, OF in *rflags. MOV and XCHG return src. MOVZX and MOVSX are insn_extend.
 */
uint64_t insn_alu(enum insn_op op, unsigned size, uint64_t dst, uint64_t src, uint64_t *rflags);

/* A loaded value of mem_size bytes, extended to size bytes as MOVZX or MOVSX says. */
uint64_t insn_extend(const struct insn *in, uint64_t loaded);

#endif
