/*
 * Any bytes as an archive: every entry lies inside, and the walk ends. An archive that is written anew from
 * the entries reads as they do; and what cpio_find says is what a look at each of them says.
 */
// links: lib/cpio/cpio.c
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cpio/cpio.h"

enum { HEADER = 110 };

struct writer {
	uint8_t *bytes;
	size_t room, used;
};

static void put(struct writer *w, const void *from, size_t n)
{
	if (n > w->room - w->used)
		abort();
	memcpy(w->bytes + w->used, from, n);
	w->used += n;
	while (w->used % 4 != 0)
		w->bytes[w->used++] = 0;
}

static void put_entry(struct writer *w, const struct cpio_entry *e)
{
	char h[HEADER + 1];
	uint8_t *start = w->bytes + w->used;

	(void)snprintf(h, sizeof(h), "07070100000000%08x%032x%08x%032x%08x00000000", e->mode, 0,
		       (unsigned)e->size, 0, (unsigned)e->name_length + 1);
	if (w->used + HEADER + e->name_length + 1 > w->room)
		abort();
	memcpy(start, h, HEADER);
	w->used += HEADER;
	put(w, e->name, e->name_length + 1);
	put(w, e->data, e->size);
}

/* "./root", "/root" and "root" are one. */
static bool is_root(const struct cpio_entry *e)
{
	return strcmp(e->name, "root") == 0 || strcmp(e->name, "./root") == 0 ||
	       strcmp(e->name, "/root") == 0;
}

static void read_again(const uint8_t *data, size_t size, const struct writer *w)
{
	struct cpio_entry a, b;
	size_t from = 0, to = 0;

	while (cpio_next(data, size, &from, &a) == CPIO_OK)
		if (cpio_next(w->bytes, w->used, &to, &b) != CPIO_OK || strcmp(a.name, b.name) != 0 ||
		    a.size != b.size || a.mode != b.mode || memcmp(a.data, b.data, a.size) != 0)
			abort();
	if (to != w->used)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct writer w = {malloc(size + 16), size + 16, 0};
	struct cpio_entry e, root, found;
	size_t offset = 0, before = 0;
	enum cpio_result r;
	bool any = false;

	if (w.bytes == NULL)
		return 0;
	while ((r = cpio_next(data, size, &offset, &e)) == CPIO_OK) {
		if (offset <= before || offset > size)
			abort();
		before = offset;
		if (e.data < data || e.data + e.size > data + size || strlen(e.name) != e.name_length)
			abort();
		if (!any && is_root(&e)) {
			any = true;
			root = e;
		}
		put_entry(&w, &e);
	}
	read_again(data, size, &w);
	if (cpio_find(data, size, "root", &found) != (any ? CPIO_OK : r))
		abort();
	if (any && (found.data != root.data || found.size != root.size))
		abort();
	free(w.bytes);
	return 0;
}
