/*
 * LZ4 legacy frames. Called by the vmm for kernels of that form. Reads only the payload and writes only the
 * output, whatever the payload says. Contract in bzimage_lz4.h.
 */
#include "bzimage/bzimage_lz4.h"
#include "mem/mem.h"

enum {
	MAGIC = 0x184c2102,
	BLOCK = 8 << 20,  /* a block unpacks to at most this */
	MATCH_LEAST = 4,  /* a match is this much longer than its length says */
	LENGTH_MORE = 15, /* a 4-bit length of this goes on in the following bytes */
	STEP = 8,
};

struct input {
	const uint8_t *at, *end;
};

/* dst and src are at least STEP apart, or do not overlap; both have STEP - 1 bytes of room behind n. */
static void copy_steps(uint8_t *dst, const uint8_t *src, size_t n)
{
	for (size_t i = 0; i < n; i += STEP) {
		uint64_t word;
		memcpy(&word, src + i, STEP);
		memcpy(dst + i, &word, STEP);
	}
}

/* The rest of a length whose first four bits are all ones; false at the end of the input, or if it is absurd.
 */
static bool more_length(struct input *in, size_t *length)
{
	uint8_t b;

	do {
		if (in->at == in->end || *length > BLOCK)
			return false;
		b = *in->at++;
		*length += b;
	} while (b == 255);
	return true;
}

static enum bzimage_error literals(struct input *in, size_t n, uint8_t *out, size_t room)
{
	size_t left = (size_t)(in->end - in->at);

	if (n > left)
		return BZIMAGE_CORRUPT;
	if (n > room)
		return BZIMAGE_OUTPUT_FULL;
	if (left - n >= STEP && room - n >= STEP)
		copy_steps(out, in->at, n);
	else
		memcpy(out, in->at, n);
	in->at += n;
	return BZIMAGE_OK;
}

/* Repeats n bytes that begin `offset` before out, of which `made` bytes are there. */
static enum bzimage_error match(uint8_t *out, size_t made, size_t room, size_t offset, size_t n)
{
	if (offset == 0 || offset > made)
		return BZIMAGE_CORRUPT;
	if (n > room)
		return BZIMAGE_OUTPUT_FULL;
	const uint8_t *from = out - offset;
	if (offset >= STEP && room - n >= STEP) {
		copy_steps(out, from, n);
		return BZIMAGE_OK;
	}
	/* close behind: the bytes just written are read again */
	for (size_t i = 0; i < n; i++)
		out[i] = from[i];
	return BZIMAGE_OK;
}

static enum bzimage_error block(struct input *in, uint8_t *out, size_t room, size_t *produced)
{
	size_t made = 0;
	enum bzimage_error e;

	*produced = 0;
	for (;;) {
		if (in->at == in->end)
			return BZIMAGE_CORRUPT;
		uint8_t token = *in->at++;
		size_t n = token >> 4;
		if (n == LENGTH_MORE && !more_length(in, &n))
			return BZIMAGE_CORRUPT;
		e = literals(in, n, out + made, room - made);
		if (e != BZIMAGE_OK)
			return e;
		made += n;
		/* The last sequence has no match. */
		if (in->at == in->end)
			break;
		if (in->end - in->at < 2)
			return BZIMAGE_CORRUPT;
		size_t offset = mem_get16(in->at);
		in->at += 2;
		n = token & 15;
		if (n == LENGTH_MORE && !more_length(in, &n))
			return BZIMAGE_CORRUPT;
		n += MATCH_LEAST;
		e = match(out + made, made, room - made, offset, n);
		if (e != BZIMAGE_OK)
			return e;
		made += n;
	}
	*produced = made;
	return BZIMAGE_OK;
}

enum bzimage_error bzimage_lz4_unpack(const uint8_t *payload, size_t size, uint8_t *out, size_t out_size,
				      size_t *produced)
{
	size_t at = 4;

	*produced = 0;
	if (size < at || mem_get32(payload) != MAGIC)
		return BZIMAGE_CORRUPT;
	while (size - at >= 4) {
		uint32_t n = mem_get32(payload + at);
		size_t made;
		at += 4;
		if (n == MAGIC) /* files put one after the other */
			continue;
		if (n > size - at)
			return BZIMAGE_CORRUPT;
		struct input in = {payload + at, payload + at + n};
		size_t room = out_size - *produced;
		enum bzimage_error e = block(&in, out + *produced, room < BLOCK ? room : BLOCK, &made);
		/* A full block is the payload's fault, a full output is not. */
		if (e == BZIMAGE_OUTPUT_FULL && room >= BLOCK)
			e = BZIMAGE_CORRUPT;
		if (e != BZIMAGE_OK)
			return e;
		*produced += made;
		at += n;
	}
	return at == size ? BZIMAGE_OK : BZIMAGE_CORRUPT;
}
