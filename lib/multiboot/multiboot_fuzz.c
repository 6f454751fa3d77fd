/*
 * The input is the memory at 0x9000, and the information begins there; its first byte chooses the protocol.
 * What is decoded must be inside the limits of boot_info.h, and modules, memory by type, framebuffer and RSDP
 * must be those that a second reading finds, which asks for the nth of a kind and keeps no state.
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

/* ---- the second reading: of information that was accepted, so that its lengths can be trusted ---- */

static void require(bool ok)
{
	if (!ok)
		abort();
}

static const uint8_t *at(const struct input *in, uint64_t paddr, size_t n)
{
	require(paddr >= BASE && paddr - BASE <= in->size && n <= in->size - (paddr - BASE));
	return in->data + (paddr - BASE);
}

/* The nth tag of a type, of multiboot 2; NULL: there are fewer. */
static const uint8_t *tag(const struct input *in, uint32_t type, uint32_t n)
{
	for (const uint8_t *t = in->data + 8; mem_get32(t) != 0; t += (mem_get32(t + 4) + 7u) & ~7u)
		if (mem_get32(t) == type && n-- == 0)
			return t;
	return NULL;
}

/* The nth module's start and end, in memory. */
static const uint8_t *module(const struct input *in, bool mb1, uint32_t n)
{
	if (!mb1) {
		const uint8_t *t = tag(in, 3, n);
		return t != NULL ? t + 8 : NULL;
	}
	bool any = (mem_get32(in->data) & 8) != 0 && n < mem_get32(in->data + 20);
	return any ? at(in, mem_get32(in->data + 24) + 16ull * n, 16) : NULL;
}

/* The nth entry of all memory maps: base, length, type. */
static const uint8_t *region(const struct input *in, bool mb1, uint32_t n)
{
	const uint8_t *t;

	if (mb1 && (mem_get32(in->data) & 0x40) != 0) {
		uint64_t map = mem_get32(in->data + 48), end = map + mem_get32(in->data + 44);
		for (; end - map >= 24; map += 4 + mem_get32(at(in, map, 24)))
			if (n-- == 0)
				return at(in, map, 24) + 4;
	}
	for (uint32_t i = 0; !mb1 && (t = tag(in, 6, i)) != NULL; i++) {
		uint32_t count = (mem_get32(t + 4) - 16) / mem_get32(t + 8);
		if (n < count)
			return t + 16 + n * mem_get32(t + 8);
		n -= count;
	}
	return NULL;
}

/* Bytes of one type, modulo 2^64: joined or not, as many as the maps say. */
static void compare_memory(const struct input *in, bool mb1, const struct boot_info *b)
{
	uint64_t said[6] = {0}, found[6] = {0};
	const uint8_t *r;

	for (uint32_t i = 0; (r = region(in, mb1, i)) != NULL; i++) {
		uint64_t base = mem_get64(r), length = mem_get64(r + 8);
		uint32_t type = mem_get32(r + 16);
		said[type >= 1 && type <= 5 ? type : 2] += base + length < base ? UINT64_MAX - base : length;
	}
	for (uint32_t i = 0; i < b->region_count; i++)
		found[b->regions[i].type] += b->regions[i].length;
	require(b->map_guessed || memcmp(said, found, sizeof(said)) == 0);
}

static void compare_fb(const struct input *in, bool mb1, const struct boot_info_fb *fb)
{
	const uint8_t *f = in->data + 88, *t;
	bool any = fb->type == BOOT_INFO_FB_NONE;

	if (mb1 && !any)
		any = mem_get64(f) == fb->paddr && mem_get32(f + 12) == fb->width &&
		      (fb->type != BOOT_INFO_FB_RGB || f[22] == fb->red_pos);
	for (uint32_t i = 0; !mb1 && !any && (t = tag(in, 8, i)) != NULL; i++)
		any = mem_get32(t + 4) >= 30 && mem_get64(t + 8) == fb->paddr &&
		      mem_get32(t + 8 + 12) == fb->width &&
		      (fb->type != BOOT_INFO_FB_RGB || t[8 + 24] == fb->red_pos);
	require(any);
}

static void compare(const struct input *in, bool mb1, const struct boot_info *b)
{
	const uint8_t *m;
	uint32_t n = 0;

	for (; (m = module(in, mb1, n)) != NULL; n++)
		require(n < b->module_count && b->modules[n].start == mem_get32(m) &&
			b->modules[n].end == mem_get32(m + 4));
	require(n == b->module_count);
	compare_memory(in, mb1, b);
	compare_fb(in, mb1, &b->fb);
	if (mb1)
		return;
	m = tag(in, 15, 0) != NULL ? tag(in, 15, 0) : tag(in, 14, 0);
	require(b->rsdp_size == (m == NULL ? 0 : mem_get32(m) == 15 ? 36 : 20));
	require(m == NULL || memcmp(b->rsdp, m + 8, b->rsdp_size) == 0);
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
	if (e == MULTIBOOT_OK) {
		check(&info, pool, sizeof(pool));
		compare(&in, info.protocol == 1, &info);
	}
	return strlen(multiboot_error_line(e)) > 0 ? 0 : 1;
}
