/*
 * newc archives. Called by the kernel's and the root task's start-up. Reads only inside the archive; contract
 * in cpio.h.
 */
#include "cpio/cpio.h"
#include "mem/mem.h"

enum {
	HEADER = 110,
	OFF_MODE = 14,
	OFF_SIZE = 54,
	OFF_NAME_SIZE = 94,
	FIELD = 8,
};

/* Eight hexadecimal digits. */
static bool hex(const uint8_t *p, uint32_t *out)
{
	uint32_t v = 0;

	for (int i = 0; i < FIELD; i++) {
		uint8_t c = p[i];
		uint32_t d;
		if (c >= '0' && c <= '9')
			d = (uint32_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			d = (uint32_t)(c - 'a' + 10);
		else if (c >= 'A' && c <= 'F')
			d = (uint32_t)(c - 'A' + 10);
		else
			return false;
		v = (v << 4) | d;
	}
	*out = v;
	return true;
}

/* at + n rounded up to 4, if that is still within size. */
static bool advance(size_t size, size_t at, size_t n, size_t *end)
{
	if (at > size || n > size - at)
		return false;
	size_t sum = at + n;
	size_t pad = (4 - sum % 4) % 4;
	/* The last entry's padding may be missing. */
	*end = pad > size - sum ? size : sum + pad;
	return true;
}

enum cpio_result cpio_next(const uint8_t *archive, size_t size, size_t *offset, struct cpio_entry *out)
{
	size_t at = *offset;
	uint32_t mode, length, name_size;
	size_t data, next;

	if (at == size)
		return at == 0 ? CPIO_BAD : CPIO_END;
	if (at > size || size - at < HEADER)
		return CPIO_BAD;
	const uint8_t *h = archive + at;
	if (memcmp(h, "07070", 5) != 0 || (h[5] != '1' && h[5] != '2'))
		return CPIO_BAD;
	if (!hex(h + OFF_MODE, &mode) || !hex(h + OFF_SIZE, &length) || !hex(h + OFF_NAME_SIZE, &name_size))
		return CPIO_BAD;
	if (name_size == 0 || !advance(size, at + HEADER, name_size, &data) ||
	    !advance(size, data, length, &next))
		return CPIO_BAD;

	const uint8_t *name = h + HEADER;
	if (name[name_size - 1] != 0)
		return CPIO_BAD;
	for (uint32_t i = 0; i + 1 < name_size; i++)
		if (name[i] == 0)
			return CPIO_BAD;
	out->name = (const char *)name;
	out->name_length = name_size - 1;
	out->data = archive + data;
	out->size = length;
	out->mode = mode;
	if (out->name_length == 10 && memcmp(name, "TRAILER!!!", 10) == 0)
		return CPIO_END;
	*offset = next;
	return CPIO_OK;
}

enum cpio_result cpio_find(const uint8_t *archive, size_t size, const char *name, struct cpio_entry *out)
{
	size_t offset = 0;
	size_t wanted = strlen(name);

	for (;;) {
		enum cpio_result r = cpio_next(archive, size, &offset, out);
		if (r != CPIO_OK)
			return r;
		const char *n = out->name;
		size_t length = out->name_length;
		if (length >= 2 && n[0] == '.' && n[1] == '/') {
			n += 2;
			length -= 2;
		} else if (length >= 1 && n[0] == '/') {
			n++;
			length--;
		}
		if (length == wanted && memcmp(n, name, length) == 0)
			return CPIO_OK;
	}
}
