/* Guest-virtual memory: the walk of walk.c with a vCPU's state, and copies through it. */
#include "servers/vmm/vmm.h"

#include <string.h>
#include "servers/vmm/walk.h"

#define CS_LONG (1u << 13) /* access rights: L */
#define EFER_LMA (1ull << 10)

static bool entry_read(void *context, uint64_t g, unsigned bytes, uint64_t *entry)
{
	const void *p = memory_at(gpa(g), bytes);

	(void)context;
	if (!p)
		return false;
	/* one load: the guest may be changing it */
	*entry = bytes == 8 ? __atomic_load_n((const uint64_t *)p, __ATOMIC_RELAXED)
			    : __atomic_load_n((const uint32_t *)p, __ATOMIC_RELAXED);
	return true;
}

static bool translate(struct vcpu *v, uint64_t linear, bool write, bool fetch, uint64_t *g, uint64_t *left)
{
	/* a user program's access has its rights: it may change the instruction while it is emulated. Hypercalls come from CPL 0 */
	const bool user = (v->s->seg[INSULA_SS].ar >> 5 & 3) == 3;
	const struct walk_mode m = {v->s->cr0, v->s->cr3, v->s->cr4, v->s->efer, user};

	return walk_translate(&m, linear, write, fetch, entry_read, NULL, g, left);
}

bool guest_is_64bit(const struct vcpu *v)
{
	/* the hidden part of CS decides, but only in long mode; SEG is always wanted (vcpu.c) */
	return (v->s->efer & EFER_LMA) && (v->s->seg[INSULA_CS].ar & CS_LONG);
}

bool walk(struct vcpu *v, gva_t a, enum walk_access how, gpa_t *out)
{
	uint64_t left;

	return translate(v, a.v, how == WALK_WRITE, how == WALK_FETCH, &out->v, &left);
}

static bool copy(struct vcpu *v, uint64_t linear, void *buf, uint64_t bytes, bool write)
{
	uint8_t *b = buf;

	while (bytes) {
		uint64_t g, left, n;
		uint8_t *p;

		if (!translate(v, linear, write, false, &g, &left))
			return false;
		/* pieces of one page: RAM and placed pages are contiguous only so far */
		n = PAGE - (g & (PAGE - 1));
		n = n < left ? n : left;
		n = n < bytes ? n : bytes;
		p = memory_at(gpa(g), n);
		if (!p)
			return false;
		if (write)
			memcpy(p, b, n);
		else
			memcpy(b, p, n);
		b += n;
		linear += n;
		bytes -= n;
	}
	return true;
}

bool guest_read(struct vcpu *v, gva_t a, void *dst, uint64_t bytes)
{
	return copy(v, a.v, dst, bytes, false);
}

bool guest_write(struct vcpu *v, gva_t a, const void *src, uint64_t bytes)
{
	return copy(v, a.v, (void *)(uintptr_t)src, bytes, true);
}

unsigned guest_fetch(struct vcpu *v, uint8_t bytes[16])
{
	uint64_t linear = v->s->rip, g, left;
	unsigned done = 0;

	if (!guest_is_64bit(v))
		linear = (uint32_t)(linear + v->s->seg[INSULA_CS].base);
	while (done < 15) {
		unsigned n;
		const uint8_t *p;

		if (!translate(v, linear + done, false, true, &g, &left))
			break;
		n = 15 - done;
		if (n > PAGE - (g & (PAGE - 1)))
			n = (unsigned)(PAGE - (g & (PAGE - 1)));
		p = memory_at(gpa(g), n);
		if (!p)
			break;
		if (n == 15 && (g & (PAGE - 1)) <= PAGE - 16) {
			/* the usual case: one page, one 16-byte copy */
			memcpy(bytes, p, 16);
			return 15;
		}
		memcpy(bytes + done, p, n);
		done += n;
	}
	return done;
}

bool guest_area_set(struct vcpu *v, struct guest_area *a, gva_t at, uint32_t size)
{
	uint32_t first = PAGE - (uint32_t)(at.v & (PAGE - 1));
	struct guest_area made = {.first = first < size ? first : size, .size = size};
	gpa_t g;

	if (!walk(v, at, WALK_WRITE, &g) || !(made.part[0] = memory_at(g, made.first)))
		return false;
	if (made.first < size &&
	    (!walk(v, gva(at.v + made.first), WALK_WRITE, &g) || !(made.part[1] = memory_at(g, size - made.first))))
		return false;
	*a = made;
	return true;
}

void guest_area_write(const struct guest_area *a, uint32_t offset, const void *src, uint32_t bytes)
{
	const uint8_t *s = src;

	for (uint32_t i = offset; i < offset + bytes && i < a->size; i++, s++) {
		if (i < a->first)
			a->part[0][i] = *s;
		else
			a->part[1][i - a->first] = *s;
	}
}
