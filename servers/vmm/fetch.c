/*
 * The guest's instructions: fetched as its CPU would fetch them, for exits that tell neither length nor bytes.
 *
 * The way to a page of code is remembered: where each page-table entry on it lies, and its value. If the registers that
 * decide a walk and all these values are what they were, then so is the walk's result. The instruction's bytes are read anew each time.
 */
#include "servers/vmm/vmm.h"

#include <string.h>
#include "servers/vmm/walk.h"

#define CS_DEFAULT_32 (1u << 14) /* access rights: D */
#define X86_UD 6
#define X86_GP 13
#define X86_PF 14

enum insn_mode guest_mode(const struct vcpu *v)
{
	if (guest_is_64bit(v))
		return INSN_MODE_64;
	return v->s->seg[INSULA_CS].ar & CS_DEFAULT_32 ? INSN_MODE_32 : INSN_MODE_16;
}

/* ---- the way to a page ---- */

static bool path_holds(const struct fetch_path *p, uint64_t page, const struct walk_mode *m)
{
	if (p->page != (page | 1) || p->cr3 != m->cr3 || ((p->cr0 ^ m->cr0) | (p->cr4 ^ m->cr4) | (p->efer ^ m->efer)) ||
	    p->user != m->user)
		return false;
	for (unsigned i = 0; i < p->levels; i++)
		if (__atomic_load_n(p->entry[i], __ATOMIC_RELAXED) != p->value[i])
			return false;
	return true;
}

static bool path_entry(void *context, uint64_t g, unsigned bytes, uint64_t *value)
{
	struct fetch_path *p = context;
	const void *at = memory_at(gpa(g), bytes);

	if (!at)
		return false;
	if (bytes == 4) { /* the two levels of 32-bit paging are not worth it */
		*value = __atomic_load_n((const uint32_t *)at, __ATOMIC_RELAXED);
		p->page = 0;
		return true;
	}
	*value = __atomic_load_n((const uint64_t *)at, __ATOMIC_RELAXED);
	p->entry[p->levels] = at;
	p->value[p->levels++] = *value;
	return true;
}

/* The page of memory at a linear address that is a page's, or NULL. */
static const uint8_t *fetch_page(struct vcpu *v, uint64_t page, struct guest_fault *fault)
{
	struct fetch_path *p = &v->fetch_path[page / PAGE % FETCH_PATHS];
	const struct walk_mode m = guest_walk_mode(v);
	struct walk_result r;

	if (path_holds(p, page, &m))
		return p->memory;
	*p = (struct fetch_path){.page = page | 1, .cr0 = m.cr0, .cr3 = m.cr3, .cr4 = m.cr4, .efer = m.efer, .user = m.user};
	if (!walk_translate(&m, page, false, true, path_entry, p, &r)) {
		p->page = 0;
		*fault = r.error == WALK_NOT_CANONICAL ? (struct guest_fault){.vector = X86_GP}
						       : (struct guest_fault){X86_PF, r.error, page};
		return NULL;
	}
	p->memory = memory_at(gpa(r.gpa), PAGE);
	if (!p->memory)
		p->page = 0;
	return p->memory;
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
