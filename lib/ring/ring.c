/*
 * Byte ring between two processes that do not trust each other. Called by the vmm and the console server.
 * Reads the peer's index once per call and never lets it choose an address beyond the mask. Contract in
 * ring.h.
 */
#include "ring/ring.h"
#include "mem/mem.h"

bool ring_init(struct ring *r, struct ring_header *shared, uint8_t *data, uint32_t size, uint32_t index)
{
	if (size == 0 || (size & (size - 1)) != 0)
		return false;
	r->shared = shared;
	r->data = data;
	r->size = size;
	r->index = index;
	r->broken = 0;
	return true;
}

uint32_t ring_space(struct ring *r)
{
	/* Acquire: the consumer's reads of the bytes are over before we overwrite them. */
	uint32_t cons = __atomic_load_n(&r->shared->cons, __ATOMIC_ACQUIRE);
	uint32_t used = r->index - cons;

	if (used > r->size) {
		r->broken++;
		return 0;
	}
	return r->size - used;
}

uint32_t ring_write(struct ring *r, const uint8_t *src, uint32_t n)
{
	uint32_t space = ring_space(r);

	if (n > space)
		n = space;
	if (n == 0)
		return 0;
	uint32_t at = r->index & (r->size - 1);
	uint32_t first = r->size - at < n ? r->size - at : n;
	memcpy(r->data + at, src, first);
	if (n > first)
		memcpy(r->data, src + first, n - first);
	r->index += n;
	__atomic_store_n(&r->shared->prod, r->index, __ATOMIC_RELEASE);
	return n;
}

uint32_t ring_waiting(struct ring *r)
{
	uint32_t prod = __atomic_load_n(&r->shared->prod, __ATOMIC_ACQUIRE);
	uint32_t used = prod - r->index;

	if (used > r->size) {
		r->broken++;
		r->index = prod;
		__atomic_store_n(&r->shared->cons, prod, __ATOMIC_RELEASE);
		return 0;
	}
	return used;
}

uint32_t ring_read(struct ring *r, uint8_t *dst, uint32_t n)
{
	uint32_t waiting = ring_waiting(r);

	if (n > waiting)
		n = waiting;
	if (n == 0)
		return 0;
	uint32_t at = r->index & (r->size - 1);
	uint32_t first = r->size - at < n ? r->size - at : n;
	memcpy(dst, r->data + at, first);
	if (n > first)
		memcpy(dst + first, r->data, n - first);
	r->index += n;
	__atomic_store_n(&r->shared->cons, r->index, __ATOMIC_RELEASE);
	return n;
}
