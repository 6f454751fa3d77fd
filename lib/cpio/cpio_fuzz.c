/* Any bytes as an archive: every entry lies inside, and the walk ends. */
// links: lib/cpio/cpio.c
#include <stdlib.h>
#include "cpio/cpio.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cpio_entry e;
	size_t offset = 0, before = 0;
	unsigned sum = 0;

	while (cpio_next(data, size, &offset, &e) == CPIO_OK) {
		if (offset <= before || offset > size)
			abort();
		before = offset;
		if (e.data < data || e.data + e.size > data + size || e.name[e.name_length] != 0)
			abort();
		for (size_t i = 0; i < e.size; i++)
			sum += e.data[i];
	}
	(void)cpio_find(data, size, "root", &e);
	return sum == 0xffffffff;
}
