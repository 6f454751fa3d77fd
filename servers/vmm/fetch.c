/*
 * The guest's instructions: fetched as its CPU would fetch them, for exits that tell neither length nor
 * bytes. The way to a page of code is remembered; the instruction's bytes are read anew each time.
 */
#include "servers/vmm/vmm.h"

#include <string.h>
#include "servers/vmm/path.h"

enum insn_mode guest_mode(const struct vcpu *v)
{
	if (guest_is_64bit(v))
		return INSN_MODE_64;
	return v->s->seg[INSULA_CS].ar & CS_DEFAULT_32 ? INSN_MODE_32 : INSN_MODE_16;
}

/* The page of memory at a linear address that is a page's, or NULL. */
static const uint8_t *fetch_page(struct vcpu *v, uint64_t page, struct guest_fault *fault)
{
	uint32_t error;
	const uint8_t *memory =
	    guest_page(v, &v->fetch_path[page / PAGE % FETCH_PATHS], page, GUEST_FETCH, &error);

	if (!memory && error != GUEST_NO_MEMORY)
		*fault = error == WALK_NOT_CANONICAL ? (struct guest_fault){.vector = X86_GP}
						     : (struct guest_fault){X86_PF, error, page};
	return memory;
}

/* ---- bytes ---- */

/* How many of 15 bytes lie within the code segment. */
static unsigned within_limit(const struct vcpu *v, struct guest_fault *fault)
{
	uint64_t rip = v->s->rip, limit = v->s->seg[INSULA_CS].limit;

	if (rip <= limit && limit - rip >= 14)
		return 15;
	*fault = (struct guest_fault){.vector = X86_GP};
	return rip <= limit ? (unsigned)(limit - rip) + 1 : 0;
}

unsigned guest_fetch(struct vcpu *v, uint8_t bytes[16], struct guest_fault *fault)
{
	const bool is64 = guest_is_64bit(v);
	uint64_t linear = v->s->rip;
	unsigned wanted = 15, done = 0;

	fault->vector = 0;
	if (!is64) {
		wanted = within_limit(v, fault);
		linear = (uint32_t)(linear + v->s->seg[INSULA_CS].base);
	}
	while (done < wanted) {
		uint64_t at = is64 ? linear + done : (uint32_t)(linear + done);
		unsigned offset = (unsigned)(at & (PAGE - 1)), n = PAGE - offset;
		const uint8_t *p = fetch_page(v, at - offset, fault);

		if (!p)
			break;
		if (done == 0 && wanted == 15 && n >= 16) {
			/* the usual case: one page, one 16-byte copy */
			memcpy(bytes, p + offset, 16);
			return 15;
		}
		if (n > wanted - done)
			n = wanted - done;
		memcpy(bytes + done, p + offset, n);
		done += n;
	}
	return done;
}

bool guest_at_vmcall(struct vcpu *v)
{
	const uint32_t vmcall = 0xc1010f, vmmcall = 0xd9010f, three = 0xffffff;
	uint64_t offset = v->s->rip % PAGE;
	struct guest_fault fault;
	const uint8_t *p;
	uint32_t bytes;

	if (!guest_is_64bit(v) || offset > PAGE - sizeof(bytes))
		return false;
	p = fetch_page(v, v->s->rip - offset, &fault);
	if (!p)
		return false;
	memcpy(&bytes, p + offset, sizeof(bytes));
	bytes &= three;
	return bytes == vmcall || bytes == vmmcall;
}

bool guest_instruction(struct vcpu *v, struct insn *in)
{
	struct guest_fault fault;
	uint8_t bytes[16];
	unsigned n = guest_fetch(v, bytes, &fault);

	switch (insn_decode(bytes, n, guest_mode(v), in)) {
	case INSN_OK:
		return true;
	case INSN_NEED_MORE:
		/* the CPU could fetch it when it came out, but now its end is gone */
		if (fault.vector == X86_PF) {
			v->s->cr2 = fault.address;
			v->s->dirty |= INSULA_VS_CR;
		}
		if (fault.vector) {
			vcpu_raise(v, fault.vector, true, fault.error);
			return false;
		}
		break;
	case INSN_UNKNOWN:
		break;
	}
	vcpu_raise(v, X86_UD, false, 0);
	return false;
}
