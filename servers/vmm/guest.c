/* Guest-virtual memory: the walk of walk.c with a vCPU's state, and copies through it. */
#include "servers/vmm/vmm.h"

#include <string.h>
#include "servers/vmm/path.h"

/* context: the path that remembers the entry, or NULL. */
static bool entry_read(void *context, uint64_t g, unsigned bytes, uint64_t *entry)
{
	struct guest_path *p = context;
	const void *at = memory_at(gpa(g), bytes);

	if (!at)
		return false;
	/* one load: the guest may be changing it */
	*entry = bytes == 8 ? __atomic_load_n((const uint64_t *)at, __ATOMIC_RELAXED)
			    : __atomic_load_n((const uint32_t *)at, __ATOMIC_RELAXED);
	if (!p)
		return true;
	if (bytes == 4) { /* the two levels of 32-bit paging are not worth it */
		p->key = 0;
		return true;
	}
	p->entry[p->levels] = at;
	p->value[p->levels++] = *entry;
	return true;
}

static bool translate(struct vcpu *v, uint64_t linear, bool write, struct walk_result *out)
{
	const struct walk_mode m = guest_walk_mode(v);

	return walk_translate(&m, linear, write, false, entry_read, NULL, out);
}

bool walk(struct vcpu *v, gva_t a, bool write, gpa_t *out, uint32_t *error)
{
	struct walk_result r;

	if (!translate(v, a.v, write, &r)) {
		*error = r.error;
		return false;
	}
	out->v = r.gpa;
	return true;
}

/* ---- the way to a page, remembered ---- */

uint8_t *guest_path_find(const struct vcpu *v, struct guest_path *p, uint64_t page, enum guest_access access,
			 uint32_t *error)
{
	const struct walk_mode m = guest_walk_mode(v);
	struct walk_result r;

	*p = (struct guest_path){.key = page | access,
				 .cr0 = m.cr0,
				 .cr3 = m.cr3,
				 .cr4 = m.cr4,
				 .efer = m.efer,
				 .user = m.user,
				 .removed = __atomic_load_n(&vmm.pages_removed, __ATOMIC_ACQUIRE)};
	if (!walk_translate(&m, page, access == GUEST_WRITE, access == GUEST_FETCH, entry_read, p, &r)) {
		p->key = 0;
		*error = r.error;
		return NULL;
	}
	p->memory = memory_at(gpa(r.gpa), PAGE);
	if (!p->memory) {
		p->key = 0;
		*error = GUEST_NO_MEMORY;
	} else if (p->key && access != GUEST_FETCH) {
		p->key |= GUEST_READ | (r.write ? (uint64_t)GUEST_WRITE : 0);
	}
	return p->memory;
}

/* Where a linear address is, for an access that ends with its page; NULL: nowhere. */
static inline uint8_t *data_at(struct vcpu *v, uint64_t linear, enum guest_access access)
{
	uint64_t offset = linear & (PAGE - 1);
	uint32_t error;
	uint8_t *p = guest_page(v, &v->data_path[linear / PAGE % DATA_PATHS], linear - offset, access, &error);

	return p ? p + offset : NULL;
}

static inline uint64_t in_page(uint64_t linear, uint64_t bytes)
{
	uint64_t left = PAGE - (linear & (PAGE - 1));

	return left < bytes ? left : bytes;
}

/* Many are a word. */
static inline void copy(void *to, const void *from, uint64_t n)
{
	if (n == sizeof(uint64_t))
		memcpy(to, from, sizeof(uint64_t));
	else
		memcpy(to, from, n);
}

bool guest_read(struct vcpu *v, gva_t a, void *dst, uint64_t bytes)
{
	uint8_t *to = dst;

	for (uint64_t at = a.v, n; bytes; bytes -= n, at += n, to += n) {
		const uint8_t *p = data_at(v, at, GUEST_READ);

		if (!p)
			return false;
		n = in_page(at, bytes);
		copy(to, p, n);
	}
	return true;
}

bool guest_write(struct vcpu *v, gva_t a, const void *src, uint64_t bytes)
{
	const uint8_t *from = src;

	for (uint64_t at = a.v, n; bytes; bytes -= n, at += n, from += n) {
		uint8_t *p = data_at(v, at, GUEST_WRITE);

		if (!p)
			return false;
		n = in_page(at, bytes);
		copy(p, from, n);
	}
	return true;
}

bool guest_area_set(struct vcpu *v, struct guest_area *a, gva_t at, uint32_t size)
{
	uint32_t first = PAGE - (uint32_t)(at.v & (PAGE - 1));
	struct guest_area made = {.first = first < size ? first : size, .size = size};
	uint32_t error;
	gpa_t g;

	if (!walk(v, at, true, &g, &error) || !(made.part[0] = memory_at(g, made.first)))
		return false;
	if (made.first < size && (!walk(v, gva(at.v + made.first), true, &g, &error) ||
				  !(made.part[1] = memory_at(g, size - made.first))))
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
