/* Any bytes in any mode: a decoded length never exceeds what was given, and more bytes never change a decoded
 * instruction. */
// links: lib/insn/insn.c lib/insn/insn_exec.c
#include <stdlib.h>
#include <string.h>
#include "insn/insn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t gpr[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
	struct insn in, longer;

	if (size < 1)
		return 0;
	enum insn_mode mode = (enum insn_mode)(data[0] % 3);
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
