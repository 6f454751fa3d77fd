/*
 * Any memory map (E820's types) and modules, and a program of what boot does with the plan; beside it the
 * question asked anew for single pages: by the map alone, is it RAM, and who had it last?
 */
// links: kernel/boot/boot_memory.c lib/ranges/ranges.c
#include <stdlib.h>
#include <string.h>
#include "boot/boot_memory.h"

#define REQUIRE(cond)                                                                                        \
	do {                                                                                                 \
		if (!(cond))                                                                                 \
			abort();                                                                             \
	} while (0)

enum { DEEDS = 48 };

struct input {
	const uint8_t *data;
	size_t left;
};

static struct boot_info info;
static struct boot_memory m;

/* What was done, in order: whole pages that became free or no longer are. */
static struct deed {
	uint64_t start, end;
	bool free;
} deeds[DEEDS];
static unsigned deed_count;

static uint64_t take(struct input *in, unsigned bytes)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < bytes && in->left; i++, in->left--)
		v = v << 8 | *in->data++;
	return v;
}

/* Low memory, the first MiB, around 4 GiB, around the window's end, and anything. */
static uint64_t address(struct input *in)
{
	static const uint64_t base[] = {0, 0x9f000, 0xff000, 0x200000, 0xffff0000, 0x3ffffffff000};
	uint64_t kind = take(in, 1), at = take(in, 2);

	if (kind % 8 < 6)
		return base[kind % 8] + (kind & 8 ? at : at << 12 & 0x1fffffff);
	return kind % 8 == 6 ? take(in, 6) : take(in, 8);
}

static void make_map(struct input *in)
{
	uint64_t counts = take(in, 1);

	memset(&info, 0, sizeof(info));
	for (uint64_t i = 1 + counts % 24; i > 0; i--) {
		uint64_t base = address(in), length = address(in);

		if (length == 0 || base + length < base)
			continue;
		info.regions[info.region_count++] = (struct boot_info_region){
		    base, length, take(in, 1) % 2 ? BOOT_INFO_RAM : 2 + (enum boot_info_type)(base >> 4 & 3)};
	}
	for (uint64_t i = counts >> 5; i > 0; i--) { /* both protocols name them with 32 bits */
		uint64_t start = address(in) & UINT32_MAX, end = start + (address(in) & 0x1ffff);

		if (end <= UINT32_MAX)
			info.modules[info.module_count++] = (struct boot_info_module){start, end, ""};
	}
}

/* ---- the second reading ---- */

/* Does the map call this byte RAM, and nothing else? */
static bool byte_is_ram(uint64_t at)
{
	bool ram = false;

	for (uint32_t i = 0; i < info.region_count; i++) {
		const struct boot_info_region *r = &info.regions[i];

		if (at < r->base || at - r->base >= r->length)
			continue;
		if (r->type != BOOT_INFO_RAM)
			return false;
		ram = true;
	}
	return ram;
}

/* All of its bytes: those at which something can change. */
static bool page_is_ram(uint64_t page)
{
	if (!byte_is_ram(page))
		return false;
	for (uint32_t i = 0; i < info.region_count; i++) {
		uint64_t b = info.regions[i].base, e = b + info.regions[i].length;

		if ((b - page < PAGE_SIZE && !byte_is_ram(b)) || (e - page < PAGE_SIZE && !byte_is_ram(e)))
			return false;
	}
	return true;
}

static bool page_has_module(uint64_t page)
{
	for (uint32_t i = 0; i < info.module_count; i++)
		if (info.modules[i].start < page + PAGE_SIZE && info.modules[i].end > page)
			return true;
	return false;
}

/* Low memory of a module, which one region of RAM contains. */
static bool page_is_lent(uint64_t page)
{
	for (uint32_t i = 0; i < info.module_count; i++) {
		const struct boot_info_module *mod = &info.modules[i];

		if (mod->start >= BOOT_MEMORY_LOW || mod->end <= page || mod->start >= page + PAGE_SIZE ||
		    mod->end == mod->start)
			continue;
		for (uint32_t j = 0; j < info.region_count; j++) {
			const struct boot_info_region *r = &info.regions[j];

			if (r->type == BOOT_INFO_RAM && mod->start >= r->base &&
			    mod->end - r->base <= r->length)
				return true;
		}
	}
	return false;
}

static bool expect_ram(uint64_t page)
{
	return (page >= BOOT_MEMORY_LOW && page < BOOT_MEMORY_WINDOW && page_is_ram(page)) ||
	       page_is_lent(page);
}

static bool expect_free(uint64_t page)
{
	bool f = expect_ram(page);

	for (unsigned i = 0; i < deed_count; i++)
		if (deeds[i].start <= page && page < deeds[i].end)
			f = deeds[i].free;
	return f;
}

/* ---- the comparison ---- */

static void check_list(const struct ranges *r)
{
	for (uint32_t i = 0; i < r->count; i++) {
		REQUIRE(r->items[i].start < r->items[i].end &&
			(i == 0 || r->items[i - 1].end < r->items[i].start));
		REQUIRE(ALIGNED(r->items[i].start, PAGE_BITS) && ALIGNED(r->items[i].end, PAGE_BITS));
	}
}

static void check_page(uint64_t page)
{
	bool ram = expect_ram(page);

	REQUIRE(ranges_contain(&m.ram, page, page + PAGE_SIZE) == ram);
	REQUIRE(ranges_overlap(&m.ram, page, page + PAGE_SIZE) == ram);
	REQUIRE(ranges_contain(&m.free, page, page + PAGE_SIZE) == expect_free(page));
}

/* The pages around an address; between those of all addresses in use nothing changes. */
static void check_around(uint64_t at)
{
	uint64_t page = ALIGN_DOWN(at, PAGE_BITS);

	if (page > UINT64_MAX - 3 * PAGE_SIZE)
		return;
	check_page(page);
	check_page(page + PAGE_SIZE);
	if (page)
		check_page(page - PAGE_SIZE);
}

static void check(void)
{
	check_list(&m.ram);
	check_list(&m.free);
	check_around(0);
	check_around(BOOT_MEMORY_LOW);
	check_around(BOOT_MEMORY_WINDOW);
	for (uint32_t i = 0; i < info.region_count; i++) {
		check_around(info.regions[i].base);
		check_around(info.regions[i].base + info.regions[i].length);
	}
	for (uint32_t i = 0; i < info.module_count; i++) {
		check_around(info.modules[i].start);
		check_around(info.modules[i].end);
	}
	for (unsigned i = 0; i < deed_count; i++) {
		check_around(deeds[i].start);
		check_around(deeds[i].end);
	}
}

/* ---- what boot does ---- */

static void allocate(struct input *in)
{
	uint64_t bytes = (1 + take(in, 1) % 64) << (PAGE_BITS + take(in, 1) % 12);
	uint64_t align = PAGE_SIZE << take(in, 1) % 20;
	uint64_t max = take(in, 1) % 4 ? BOOT_MEMORY_ANYWHERE : address(in);
	paddr_t p;

	if (!boot_memory_alloc(&m, bytes, align, max, &p)) {
		for (uint32_t i = 0; i < m.free.count; i++) { /* none has room */
			uint64_t start = m.free.items[i].start, end = m.free.items[i].end;

			start = start > BOOT_MEMORY_LOW ? start : BOOT_MEMORY_LOW;
			start = (start + align - 1) & ~(align - 1);
			end = end < max ? end : max;
			REQUIRE(start >= end || end - start < bytes);
		}
		return;
	}
	REQUIRE((p.v & (align - 1)) == 0 && p.v >= BOOT_MEMORY_LOW && p.v < max && max - p.v >= bytes);
	for (uint64_t at = p.v; at<p.v + bytes; at += bytes / 64> PAGE_SIZE ? bytes / 64 : PAGE_SIZE)
		REQUIRE(expect_free(ALIGN_DOWN(at, PAGE_BITS)));
	deeds[deed_count++] = (struct deed){p.v, p.v + bytes, false};
}

static void reserve(struct input *in)
{
	uint64_t start = address(in) & MASK(48), end = start + (address(in) & MASK(48));

	if (end == start)
		return;
	REQUIRE(boot_memory_reserve(&m, start, end));
	deeds[deed_count++] = (struct deed){ALIGN_DOWN(start, PAGE_BITS), ALIGN_UP(end, PAGE_BITS), false};
}

/* Only what was allocated. */
static void release(struct input *in)
{
	struct deed d;

	if (!deed_count)
		return;
	d = deeds[take(in, 1) % deed_count];
	if (d.free || !ranges_contain(&m.ram, d.start, d.end) || ranges_overlap(&m.free, d.start, d.end))
		return;
	REQUIRE(boot_memory_release(&m, d.start, d.end));
	deeds[deed_count++] = (struct deed){d.start, d.end, true};
}

/* RAM and devices have no byte in common, and between them all of the address space. */
static void check_devices(unsigned bits)
{
	uint64_t top = BIT(bits < 47 ? bits : 47), ram = 0;

	REQUIRE(boot_memory_devices(&m, bits));
	check_list(&m.device);
	for (uint32_t i = 0; i < m.ram.count; i++) {
		uint64_t start = m.ram.items[i].start, end = m.ram.items[i].end;

		REQUIRE(!ranges_overlap(&m.device, start, end));
		if (start < top)
			ram += (end < top ? end : top) - start;
	}
	REQUIRE(ranges_total(&m.device) + ram == top);
}

/* The blocks are what Untypeds are made of: aligned, apart, and nothing is left over. */
static void check_blocks(const struct ranges *r)
{
	struct ranges_blocks it;
	struct ranges_block b;
	uint64_t n = 0, sum = 0, end = 0;

	ranges_blocks_begin(&it, r, PAGE_BITS, RANGES_BITS_MAX);
	for (; ranges_blocks_next(&it, &b); n++, sum += BIT(b.bits), end = b.start + BIT(b.bits))
		REQUIRE(b.bits >= PAGE_BITS && b.bits <= RANGES_BITS_MAX && ALIGNED(b.start, b.bits) &&
			b.start >= end && ranges_contain(r, b.start, b.start + BIT(b.bits)));
	REQUIRE(n == boot_memory_blocks(r) && sum == ranges_total(r));
}

static void check_trampoline(void)
{
	paddr_t p;

	if (boot_memory_trampoline(&info, &p))
		REQUIRE(p.v && p.v < BOOT_MEMORY_VIDEO && ALIGNED(p.v, PAGE_BITS) && page_is_ram(p.v) &&
			!page_has_module(p.v));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};

	make_map(&in);
	deed_count = 0;
	REQUIRE(boot_memory_init(&m, &info));
	check();
	check_trampoline();
	while (in.left && deed_count < DEEDS) {
		switch (take(&in, 1) % 4) {
		case 0:
			reserve(&in);
			break;
		case 1:
			release(&in);
			break;
		default:
			allocate(&in);
			break;
		}
	}
	check();
	check_devices(32 + (unsigned)size % 20);
	check_blocks(&m.free);
	check_blocks(&m.device);
	REQUIRE(boot_memory_kept(&m) == boot_memory_total(&m) - ranges_total(&m.free));
	return 0;
}
