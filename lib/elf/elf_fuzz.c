/* Any bytes as an ELF file: what it accepts lies inside the file, and can be read. */
// links: lib/elf/elf.c
#include <stdlib.h>
#include "elf/elf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct elf_image e;
	const struct elf_segment *s;
	const uint8_t *desc;
	uint32_t index = 0, entry;
	unsigned sum = 0;
	size_t n;

	if (elf_open(data, size, &e) != ELF_OK)
		return 0;
	while ((s = elf_next_load(&e, &index)) != NULL) {
		if (s->filesz > s->memsz || s->vaddr + s->memsz < s->vaddr || s->vaddr < e.vaddr_start ||
		    s->vaddr + s->memsz > e.vaddr_end || s->paddr + s->memsz > e.paddr_end)
			abort();
		for (uint64_t i = 0; i < s->filesz; i++)
			sum += s->file[i];
	}
	(void)elf_xen_entry(&e, &entry);
	if (elf_find_note(&e, "GNU", 3, &desc, &n) == ELF_OK)
		for (size_t i = 0; i < n; i++)
			sum += desc[i];
	return sum == 0xffffffff;
}
