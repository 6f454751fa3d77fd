/*
 * The input is the memory at 0x9000, and the information begins there; its first byte chooses the protocol.
 * What is decoded must be inside the limits of boot_info.h.
 */
// links: lib/multiboot/multiboot.c lib/multiboot/multiboot1.c lib/multiboot/multiboot2.c
// links: lib/multiboot/boot_info_build.c
#include <stdlib.h>
#include <string.h>
#include "multiboot/multiboot.h"

enum { BASE = 0x9000 };

struct input {
	const uint8_t *data;
	size_t size;
};

static bool read_input(void *ctx, uint64_t paddr, void *dst, size_t n)
{
	const struct input *in = ctx;

	if (paddr < BASE || paddr - BASE > in->size || n > in->size - (paddr - BASE))
		return false;
	memcpy(dst, in->data + (paddr - BASE), n);
	return true;
}

static void check(const struct boot_info *b, const char *pool, size_t pool_size)
{
	if (b->module_count > BOOT_INFO_MODULES || b->region_count > BOOT_INFO_REGIONS ||
	    b->region_count == 0)
		abort();
	if (memchr(b->cmdline, 0, sizeof(b->cmdline)) == NULL ||
	    memchr(b->loader, 0, sizeof(b->loader)) == NULL)
		abort();
	for (uint32_t i = 0; i < b->module_count; i++) {
		const struct boot_info_module *m = &b->modules[i];
		if (m->end < m->start || m->string < pool ||
		    m->string + strlen(m->string) >= pool + pool_size)
			abort();
	}
	for (uint32_t i = 0; i < b->region_count; i++)
		if (b->regions[i].length == 0 ||
		    b->regions[i].base + b->regions[i].length < b->regions[i].base)
			abort();
	if (b->fb.type != BOOT_INFO_FB_NONE && (uint64_t)b->fb.pitch * b->fb.height > UINT32_MAX)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct boot_info info;
	char pool[128];

	if (size < 1)
		return 0;
	struct input in = {data + 1, size - 1};
	struct mem_reader r = {read_input, &in};
	uint32_t magic = (data[0] & 1) ? MULTIBOOT_MAGIC1 : MULTIBOOT_MAGIC2;
	enum multiboot_error e = multiboot_decode(magic, BASE, &r, pool, sizeof(pool), &info);
	if (e == MULTIBOOT_OK)
		check(&info, pool, sizeof(pool));
	return strlen(multiboot_error_line(e)) > 0 ? 0 : 1;
}
