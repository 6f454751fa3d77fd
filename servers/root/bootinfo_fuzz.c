/*
 * Extra bootinfo, both ends. Any bytes as chunks: what is found lies inside them. And what the kernel writes
 * from any boot information is read back as it was, fits into the bound that it computes, and in a smaller
 * buffer fails without a byte outside.
 */
// links: servers/root/bootinfo.c kernel/boot/boot_chunks.c
#include <stdlib.h>
#include <string.h>
#include "boot/boot_chunks.h"
#include "servers/root/bootinfo.h"

#define REQUIRE(cond)                                                                                        \
	do {                                                                                                 \
		if (!(cond))                                                                                 \
			abort();                                                                             \
	} while (0)

enum { MODULES = 6, UNTYPEDS = 20, FIRST_SLOT = 700 };

static uint32_t sum; /* so that what is found is read */

static void inside(const uint8_t *extra, size_t bytes, const void *p, size_t n)
{
	const uint8_t *at = p;

	REQUIRE(at >= extra && n <= bytes && (size_t)(at - extra) <= bytes - n);
	for (size_t i = 0; i < n; i++)
		sum += at[i];
}

static void inside_text(const uint8_t *extra, size_t bytes, const char *text)
{
	inside(extra, bytes, text, 0);
	inside(extra, bytes, text, strlen(text) + 1);
}

/* ---- any bytes ---- */

static void read_any(const uint8_t *data, size_t size)
{
	static seL4_BootInfo bi;
	static struct bootinfo b;
	struct bootinfo_untyped u;
	uint8_t *extra = aligned_alloc(16, (size + 16) & ~(size_t)15);

	REQUIRE(extra);
	memcpy(extra, data, size);
	bi.untyped = (seL4_SlotRegion){10, 10 + (size ? data[0] : 0)};
	(void)bootinfo_read(&b, &bi, extra, size);
	if (b.cmdline[0])
		inside_text(extra, size, b.cmdline);
	if (b.machine)
		inside(extra, size, b.machine, sizeof(*b.machine));
	if (b.rsdp)
		inside(extra, size, b.rsdp, 36);
	REQUIRE(b.module_count <= BOOTINFO_MODULES);
	for (uint32_t i = 0; i < b.module_count; i++) {
		inside(extra, size, b.module[i], sizeof(*b.module[i]));
		inside_text(extra, size, b.module[i]->string);
	}
	for (uint64_t n = 0; bootinfo_untyped(&b, n, &u); n++) {
		REQUIRE(n < seL4_BootInfoUntypedMax + size / 16);
		sum += (uint32_t)u.paddr;
	}
	free(extra);
}

/* ---- there and back ---- */

static struct boot_info info;
static struct insula_bi_machine machine;
static char text[256];
static unsigned untyped_count;

static uint64_t take(const uint8_t **data, size_t *left, unsigned bytes)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < bytes && *left; i++, (*left)--)
		v = v << 8 | *(*data)++;
	return v;
}

static const char *some_text(uint64_t n)
{
	return text + sizeof(text) - 1 - n % sizeof(text);
}

static void make_info(const uint8_t *data, size_t left)
{
	memset(&info, 0, sizeof(info));
	for (unsigned i = 0; i + 1 < sizeof(text); i++)
		text[i] = (char)(left ? data[i % left] | 1 : 'x');
	untyped_count = (unsigned)take(&data, &left, 1) % UNTYPEDS;
	info.fb = (struct boot_info_fb){.type = (enum boot_info_fb_type)(take(&data, &left, 1) % 4),
					.paddr = take(&data, &left, 8),
					.pitch = (uint32_t)take(&data, &left, 4),
					.width = (uint32_t)take(&data, &left, 3),
					.height = (uint32_t)take(&data, &left, 2),
					.bpp = (uint8_t)take(&data, &left, 1)};
	info.region_count = (uint32_t)take(&data, &left, 1) % (BOOT_INFO_REGIONS + 1);
	for (uint32_t i = 0; i < info.region_count; i++)
		info.regions[i] = (struct boot_info_region){take(&data, &left, 2), 1 + take(&data, &left, 1),
							    BOOT_INFO_RESERVED};
	info.module_count = (uint32_t)take(&data, &left, 1) % MODULES;
	for (uint32_t i = 0; i < info.module_count; i++) {
		info.modules[i].start = take(&data, &left, 4);
		info.modules[i].end = info.modules[i].start + take(&data, &left, 3);
		info.modules[i].string = some_text(take(&data, &left, 1));
	}
	strcpy(info.cmdline, some_text(take(&data, &left, 1)));
	memcpy(machine.features, text, sizeof(text));
	machine.tsc_hz = take(&data, &left, 4);
}

static struct insula_bi_module module(uint32_t i)
{
	const struct boot_info_module *from = &info.modules[i];

	return (struct insula_bi_module){from->start, from->end - from->start, 300 + i, 301 + i};
}

/* The order of the kernel (boot_task.c). */
static void write_all(struct boot_chunks *c)
{
	static const uint8_t rsdp[36] = "RSD PTR ";

	boot_chunks_sel4(c, &info, rsdp, machine.tsc_hz);
	boot_chunks_begin(c, INSULA_BOOTINFO_CMDLINE);
	boot_chunks_bytes(c, info.cmdline, strlen(info.cmdline) + 1);
	boot_chunks_zeros(c, (8 - c->used % 8) % 8);
	boot_chunks_end(c);
	boot_chunks_begin(c, INSULA_BOOTINFO_MACHINE);
	boot_chunks_bytes(c, &machine, sizeof(machine));
	boot_chunks_zeros(c, (8 - c->used % 8) % 8);
	boot_chunks_end(c);
	for (uint32_t i = 0; i < info.module_count; i++) {
		struct insula_bi_module m = module(i);

		boot_chunks_module(c, &m, info.modules[i].string);
	}
	boot_chunks_untyped_begin(c, FIRST_SLOT);
	for (unsigned i = 0; i < untyped_count; i++)
		boot_chunks_untyped(c, (uint64_t)i << 32, 12 + i, i & 1);
	boot_chunks_untyped_end(c);
}

static void compare_untyped(const struct bootinfo *b)
{
	struct bootinfo_untyped u;

	for (unsigned i = 0; i < untyped_count; i++)
		REQUIRE(bootinfo_untyped(b, i, &u) && u.slot == FIRST_SLOT + i &&
			u.paddr == (uint64_t)i << 32 && u.bits == 12 + i && u.device == (i & 1));
	REQUIRE(!bootinfo_untyped(b, untyped_count, &u));
}

static void compare(const struct bootinfo *b)
{
	const struct boot_info_fb *fb = &info.fb;

	REQUIRE(b->rsdp && memcmp(b->rsdp, "RSD PTR ", 8) == 0);
	REQUIRE(strcmp(b->cmdline, info.cmdline) == 0);
	REQUIRE(b->machine && memcmp(b->machine, &machine, sizeof(machine)) == 0);
	REQUIRE(b->has_framebuffer == (fb->type != BOOT_INFO_FB_NONE));
	REQUIRE(!b->has_framebuffer ||
		(b->framebuffer.address == fb->paddr && b->framebuffer.pitch == fb->pitch &&
		 b->framebuffer.width == fb->width && b->framebuffer.height == fb->height &&
		 b->framebuffer.bpp == fb->bpp && b->framebuffer.type + 1u == (unsigned)fb->type));
	REQUIRE(b->module_count == info.module_count && b->modules_dropped == 0);
	for (uint32_t i = 0; i < info.module_count; i++) {
		struct insula_bi_module m = module(i);

		REQUIRE(memcmp(b->module[i], &m, sizeof(m)) == 0 &&
			strcmp(b->module[i]->string, info.modules[i].string) == 0);
	}
	compare_untyped(b);
}

static void there_and_back(const uint8_t *data, size_t size)
{
	static seL4_BootInfo none;
	static struct bootinfo b;
	struct boot_chunks c, small;
	size_t bytes, room;
	uint8_t *extra;

	make_info(data, size);
	bytes = boot_chunks_bound(&info, NULL, untyped_count);
	extra = malloc(bytes);
	REQUIRE(extra);
	boot_chunks_init(&c, extra, bytes);
	write_all(&c);
	REQUIRE(!c.failed && c.used <= bytes && c.used % 8 == 0);
	REQUIRE(bootinfo_read(&b, &none, extra, c.used));
	compare(&b);
	free(extra);
	room = c.used + sizeof(seL4_BootInfoHeader) +
	       sizeof(struct insula_bi_untyped); /* for a list that is dropped */
	bytes = room * (size % 251) / 250;
	extra = malloc(bytes + 1);
	REQUIRE(extra);
	boot_chunks_init(&small, extra, bytes);
	write_all(&small);
	REQUIRE(small.used <= bytes && (small.failed || bytes >= c.used) && (!small.failed || bytes < room));
	free(extra);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	read_any(data, size);
	there_and_back(data, size);
	return sum == 0xffffffff;
}
