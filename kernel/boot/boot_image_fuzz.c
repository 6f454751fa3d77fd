/*
 * Any file as a root task's image, with segments made somewhat plausible: what is accepted lies in user space
 * and is loaded inside the memory that boot takes for it, byte for byte as each segment says; a page's rights
 * and the number of tables are counted anew.
 */
// links: kernel/boot/boot_image.c lib/elf/elf.c
#include <stdlib.h>
#include <string.h>
#include "arch/x86/mm/window.h"
#include "boot/boot_image.h"
#include "mem/mem.h"
#include "sel4/constants.h"

#define REQUIRE(cond)                                                                                        \
	do {                                                                                                 \
		if (!(cond))                                                                                 \
			abort();                                                                             \
	} while (0)

enum { MEMORY = 1 << 18, BASE = 0x100000, HEADERS = 64, HEADER = 56 };

uint64_t window_host_base;
static uint8_t memory[MEMORY], expected[MEMORY];

void window_copy_to(paddr_t dst, const void *src, uint64_t bytes)
{
	REQUIRE(dst.v >= BASE && dst.v - BASE <= MEMORY && bytes <= MEMORY - (dst.v - BASE));
	memcpy(memory + (dst.v - BASE), src, bytes);
}

/* A file that begins well: the input says which of its segments' fields stay as they are. */
static size_t make_file(uint8_t *file, const uint8_t *data, size_t size)
{
	static const uint8_t ident[] = {0x7f, 'E', 'L', 'F', 2, 1, 1};
	size_t n = size - 1;
	unsigned segments = data[0] & 7;

	memcpy(file, data + 1, n);
	if ((data[0] & 0x80) || n < HEADERS)
		return n;
	memcpy(file, ident, sizeof(ident));
	mem_put16(file + 16, 2);
	mem_put16(file + 18, 62);
	mem_put32(file + 20, 1);
	mem_put64(file + 24, 0x400000 + file[24]);
	mem_put64(file + 32, HEADERS);
	mem_put16(file + 52, 64);
	mem_put16(file + 54, HEADER);
	mem_put16(file + 56, (uint16_t)segments);
	for (unsigned i = 0; i < segments && HEADERS + (i + 1) * HEADER <= n; i++) {
		uint8_t *p = file + HEADERS + i * HEADER;
		uint64_t offset = mem_get64(p + 8) % (n + 1), va = 0x400000 + (mem_get64(p + 16) & 0x1ffff);
		uint64_t filesz = mem_get64(p + 32) % (n - offset + 1);

		mem_put32(p, ELF_PT_LOAD);
		mem_put64(p + 8, offset);
		mem_put64(p + 16, i == 0 && (data[0] & 0x40) ? ALIGN_DOWN(va, PAGE_BITS) : va);
		mem_put64(p + 24, va);
		mem_put64(p + 32, filesz);
		mem_put64(p + 40, filesz + (mem_get64(p + 40) & 0x3fff));
		mem_put64(p + 48, 1);
	}
	return n;
}

static void check_place(const struct boot_image *i, uint64_t extra)
{
	uint64_t top = ALIGN_UP(SEL4_USER_LAST, PAGE_BITS), pages = ALIGN_UP(extra, PAGE_BITS);

	REQUIRE(ALIGNED(i->start | i->end, PAGE_BITS) && i->start < i->end);
	REQUIRE(i->ipc_buffer == i->end && i->bootinfo == i->end + PAGE_SIZE &&
		i->extra == i->end + 2 * PAGE_SIZE);
	REQUIRE(i->extra < top && top - i->extra >= pages);
	REQUIRE(i->elf.entry >= i->start && i->elf.entry < i->end);
}

/* Of the tables of a level, those whose span has a byte of it. */
static void check_tables(uint64_t start, uint64_t end)
{
	if (start == end)
		return;
	for (unsigned level = 1; level <= 3; level++) {
		uint64_t span = BIT(PAGE_BITS + 9 * level), n = 0;

		if ((end - start) / span > 64)
			continue;
		for (uint64_t at = start & ~(span - 1); at < end; at += span)
			n++;
		REQUIRE(boot_image_tables(start, end, level) == n);
	}
}

static void check_rights(const struct boot_image *i)
{
	for (uint64_t page = i->start; page < i->end; page += PAGE_SIZE) {
		struct boot_image_rights r = boot_image_rights(i, page);
		bool write = !i->own, execute = !i->own;

		for (uint32_t n = 0; n < i->elf.segment_count; n++) {
			const struct elf_segment *s = &i->elf.segments[n];
			uint64_t low = s->vaddr > page ? s->vaddr : page;

			if (s->type != ELF_PT_LOAD || s->memsz == 0 || low - page >= PAGE_SIZE ||
			    low - s->vaddr >= s->memsz)
				continue;
			write = write || (s->flags & ELF_WRITE);
			execute = execute || (s->flags & ELF_EXECUTE);
		}
		REQUIRE(r.write == write && r.execute == execute);
	}
}

static void check_loaded(const struct boot_image *i)
{
	memset(memory, 0, sizeof(memory));
	memset(expected, 0, sizeof(expected));
	for (uint32_t n = 0; n < i->elf.segment_count; n++) {
		const struct elf_segment *s = &i->elf.segments[n];

		for (uint64_t k = 0; s->type == ELF_PT_LOAD && k < s->filesz; k++)
			expected[s->vaddr - i->start + k] = s->file[k];
	}
	boot_image_load(i, paddr(BASE));
	REQUIRE(memcmp(memory, expected, sizeof(memory)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct boot_image i;
	uint64_t extra;
	uint8_t *file;
	size_t n;

	if (size < 2)
		return 0;
	extra = (uint64_t)data[size - 1] << (PAGE_BITS + 6); /* any range, often one that ends with a table */
	check_tables((uint64_t)data[1] << (PAGE_BITS + 6),
		     ((uint64_t)data[1] << (PAGE_BITS + 6)) + extra + PAGE_SIZE * (size & 1));
	file = malloc(size);
	REQUIRE(file);
	n = make_file(file, data, size);
	extra = (uint64_t)data[1] << (data[size - 1] % 40);
	if (boot_image_open(&i, file, n, data[0] & 0x20, extra) == NULL) {
		check_place(&i, extra);
		check_tables(i.start, i.extra + ALIGN_UP(extra, PAGE_BITS));
		if (i.end - i.start <= MEMORY) {
			check_rights(&i);
			check_loaded(&i);
		}
	}
	free(file);
	return 0;
}
