/* When page tables are split, and how CR3 changes then (split.h). Called at boot by cpu_choose and boot_main.
 */
#include "entry/split.h"
#include "arch/x86/mm/pcid.h"
#include "arch/x86/mm/space_hw.h"
#include "entry/patch.h"
#include "mem/mem.h"
#include "panic.h"
#include "percpu.h"

#define SPLIT_RDCL_NO BIT(0) /* IA32_ARCH_CAPABILITIES: not affected */

bool split_needed(const struct cpu_features *c)
{
	/* Intel's Atoms that execute in order: Bonnell and Saltwell. */
	static const uint8_t in_order[] = {0x1c, 0x26, 0x27, 0x35, 0x36};

	if (c->vendor == CPU_AMD || (c->arch_capabilities & SPLIT_RDCL_NO))
		return false;
	for (unsigned i = 0; i < sizeof(in_order); i++)
		if (c->vendor == CPU_INTEL && c->family == 6 && c->model == in_order[i])
			return false;
	return true;
}

/* A piece of code under construction; registers by their number in the instruction. */
enum split_register { SPLIT_RAX = 0, SPLIT_RSP = 4, SPLIT_RBP = 5, SPLIT_RDI = 7 };

struct split_code {
	uint8_t bytes[24];
	unsigned length;
};

static void split_bytes(struct split_code *c, const uint8_t *bytes, unsigned n)
{
	INVARIANT(c->length + n <= sizeof(c->bytes));
	memcpy(c->bytes + c->length, bytes, n);
	c->length += n;
}

/* mov %register, %cr3, or back */
static void split_cr3(struct split_code *c, uint8_t opcode, enum split_register r)
{
	const uint8_t code[] = {0x0f, opcode, (uint8_t)(0xd8 | r)};

	split_bytes(c, code, sizeof(code));
}

static void split_load(struct split_code *c, enum split_register r)
{
	split_cr3(c, 0x22, r);
}

/* movabs $value, %register; mov %register, %cr3 */
static void split_load_value(struct split_code *c, enum split_register r, uint64_t value)
{
	uint8_t code[10] = {0x48, (uint8_t)(0xb8 | r)};

	mem_put64(code + 2, value);
	split_bytes(c, code, sizeof(code));
	split_load(c, r);
}

/* An instruction of this opcode with %gs:PERCPU_USER_CR3 and a register (or, in its place, an extension of
 * the opcode). */
static void split_user_cr3(struct split_code *c, const uint8_t *opcode, unsigned n, unsigned r)
{
	const uint8_t prefixes[] = {0x65, 0x48};
	uint8_t address[6] = {(uint8_t)(0x04 | (r & 7) << 3), 0x25};

	mem_put32(address + 2, offsetof(struct percpu, entry.user_cr3));
	split_bytes(c, prefixes, sizeof(prefixes));
	split_bytes(c, opcode, n);
	split_bytes(c, address, sizeof(address));
}

/* What was to be emptied is emptied by this load: from the next on the identifier's translations are kept. */
static void split_load_user(struct split_code *c, enum split_register r)
{
	const uint8_t mov = 0x8b, bts[] = {0x0f, 0xba}, keep_bit = 63;

	split_user_cr3(c, &mov, 1, r);
	if (cpu.pcid) {
		split_user_cr3(c, bts, sizeof(bts), 5);
		split_bytes(c, &keep_bit, 1);
	}
	split_load(c, r);
}

static void split_fill(unsigned site, const struct split_code *c)
{
	INVARIANT(patch_apply(site, c->bytes, c->length));
}

static void split_patch_entry(unsigned site, enum split_register r, uint64_t kernel)
{
	struct split_code c = {.length = 0};

	split_load_value(&c, r, kernel);
	split_fill(site, &c);
}

static void split_patch_exit(unsigned site, enum split_register r)
{
	struct split_code c = {.length = 0};

	split_load_user(&c, r);
	split_fill(site, &c);
}

/* NMI and the like come under either CR3, and go back to it: it is kept in RBP. */
static void split_patch_ist(uint64_t kernel)
{
	const uint8_t bts[] = {0x48, 0x0f, 0xba, 0xe8 | SPLIT_RBP, 63};
	struct split_code in = {.length = 0}, out = {.length = 0};

	split_cr3(&in, 0x20, SPLIT_RBP);
	split_load_value(&in, SPLIT_RAX, kernel);
	split_fill(PATCH_IST_ENTRY, &in);
	if (cpu.pcid)
		split_bytes(&out, bts, sizeof(bts));
	split_load(&out, SPLIT_RBP);
	split_fill(PATCH_IST_EXIT, &out);
}

void split_patch(uint64_t kernel_root)
{
	const uint8_t store = 0x89;
	struct split_code space = {.length = 0};
	uint64_t kernel = kernel_root | (cpu.pcid ? PCID_KEEP : 0);

	if (cpu.split)
		split_user_cr3(&space, &store, 1, SPLIT_RDI);
	else
		split_load(&space, SPLIT_RDI);
	split_fill(PATCH_SPACE_CR3, &space);
	if (cpu.pcid)
		INVARIANT(patch_apply_call(PATCH_SPACE, space_hw_call));
	else
		split_fill(PATCH_SPACE, &space);
	if (!cpu.split)
		return;
	split_patch_entry(PATCH_SYSCALL_CR3, SPLIT_RSP, kernel);
	split_patch_entry(PATCH_TRAP_CR3, SPLIT_RDI, kernel);
	split_patch_entry(PATCH_FAULT_CR3, SPLIT_RAX, kernel);
	split_patch_exit(PATCH_SYSRET_CR3, SPLIT_RSP);
	split_patch_exit(PATCH_IRET_CR3, SPLIT_RAX);
	split_patch_ist(kernel);
}
