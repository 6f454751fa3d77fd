/* Extra bootinfo. See boot_chunks.h. */
#include "boot/boot_chunks.h"
#include "mem/mem.h"

#define BOOT_CHUNKS_HEADER   sizeof(seL4_BootInfoHeader)
#define BOOT_CHUNKS_MAP_SLOTS 50u
#define BOOT_CHUNKS_MAP_SLOT  24u
#define BOOT_CHUNKS_RSDP      36u
#define BOOT_CHUNKS_UNTYPED   16u

void boot_chunks_init(struct boot_chunks *c, void *buffer, uint64_t size)
{
	*c = (struct boot_chunks){.buffer = buffer, .size = size};
}

void boot_chunks_bytes(struct boot_chunks *c, const void *bytes, uint64_t n)
{
	if (c->failed || n > c->size - c->used) {
		c->failed = true;
		return;
	}
	memcpy(c->buffer + c->used, bytes, n);
	c->used += n;
}

void boot_chunks_zeros(struct boot_chunks *c, uint64_t n)
{
	if (c->failed || n > c->size - c->used) {
		c->failed = true;
		return;
	}
	memset(c->buffer + c->used, 0, n);
	c->used += n;
}

void boot_chunks_begin(struct boot_chunks *c, uint64_t id)
{
	seL4_BootInfoHeader h = {id, 0};

	c->open = c->used;
	boot_chunks_bytes(c, &h, sizeof(h));
}

void boot_chunks_end(struct boot_chunks *c)
{
	if (!c->failed)
		mem_put64(c->buffer + c->open + offsetof(seL4_BootInfoHeader, len), c->used - c->open);
}

/* A padding chunk, if one is needed, so that the next chunk begins at a multiple of 8. */
static void boot_chunks_align(struct boot_chunks *c)
{
	if (c->used % 8 == 0)
		return;
	boot_chunks_begin(c, SEL4_BOOTINFO_HEADER_PADDING);
	boot_chunks_zeros(c, (8 - c->used % 8) % 8);
	boot_chunks_end(c);
}

/* ---- seL4's ---- */

static void boot_chunks_framebuffer(struct boot_chunks *c, const struct boot_info_fb *fb)
{
	static const uint8_t type[] = {[BOOT_INFO_FB_INDEXED] = 0, [BOOT_INFO_FB_RGB] = 1, [BOOT_INFO_FB_TEXT] = 2};
	uint8_t b[22];

	if (fb->type == BOOT_INFO_FB_NONE)
		return;
	mem_put64(b, fb->paddr);
	mem_put32(b + 8, fb->pitch);
	mem_put32(b + 12, fb->width);
	mem_put32(b + 16, fb->height);
	b[20] = fb->bpp;
	b[21] = type[fb->type];
	boot_chunks_begin(c, SEL4_BOOTINFO_HEADER_X86_FRAMEBUFFER);
	boot_chunks_bytes(c, b, sizeof(b));
	boot_chunks_end(c);
}

/* The 50 first regions. Each slot is a multiboot 1 entry: its size without the size field, base, length, type. */
static void boot_chunks_map(struct boot_chunks *c, const struct boot_info *info)
{
	uint32_t n = info->region_count < BOOT_CHUNKS_MAP_SLOTS ? info->region_count : BOOT_CHUNKS_MAP_SLOTS;
	uint8_t b[BOOT_CHUNKS_MAP_SLOT];

	mem_put32(b, n * BOOT_CHUNKS_MAP_SLOT);
	boot_chunks_begin(c, SEL4_BOOTINFO_HEADER_X86_MBMMAP);
	boot_chunks_bytes(c, b, 4);
	for (uint32_t i = 0; i < n; i++) {
		mem_put32(b, BOOT_CHUNKS_MAP_SLOT - 4);
		mem_put64(b + 4, info->regions[i].base);
		mem_put64(b + 12, info->regions[i].length);
		mem_put32(b + 20, (uint32_t)info->regions[i].type);
		boot_chunks_bytes(c, b, sizeof(b));
	}
	boot_chunks_zeros(c, (uint64_t)(BOOT_CHUNKS_MAP_SLOTS - n) * BOOT_CHUNKS_MAP_SLOT);
	boot_chunks_end(c);
}

void boot_chunks_sel4(struct boot_chunks *c, const struct boot_info *info, const uint8_t rsdp[36], uint64_t tsc_hz)
{
	uint8_t mhz[4];

	boot_chunks_begin(c, SEL4_BOOTINFO_HEADER_X86_ACPI_RSDP);
	boot_chunks_bytes(c, rsdp, BOOT_CHUNKS_RSDP);
	boot_chunks_end(c);
	boot_chunks_framebuffer(c, &info->fb);
	boot_chunks_map(c, info);
	mem_put32(mhz, (uint32_t)(tsc_hz / 1000000));
	boot_chunks_begin(c, SEL4_BOOTINFO_HEADER_X86_TSC_FREQ);
	boot_chunks_bytes(c, mhz, sizeof(mhz));
	boot_chunks_end(c);
	boot_chunks_align(c);
}

/* ---- Insula's ---- */

void boot_chunks_module(struct boot_chunks *c, const struct insula_bi_module *m, const char *string)
{
	boot_chunks_begin(c, INSULA_BOOTINFO_MODULE);
	boot_chunks_bytes(c, m, sizeof(*m));
	boot_chunks_bytes(c, string, strlen(string) + 1);
	boot_chunks_zeros(c, (8 - c->used % 8) % 8);
	boot_chunks_end(c);
}

void boot_chunks_untyped_begin(struct boot_chunks *c, uint64_t first_slot)
{
	struct insula_bi_untyped head = {first_slot, 0};

	boot_chunks_begin(c, INSULA_BOOTINFO_UNTYPED);
	boot_chunks_bytes(c, &head, sizeof(head));
}

void boot_chunks_untyped(struct boot_chunks *c, uint64_t p, unsigned bits, bool device)
{
	seL4_UntypedDesc d = {.paddr = p, .sizeBits = (uint8_t)bits, .isDevice = device};

	_Static_assert(sizeof(d) == BOOT_CHUNKS_UNTYPED, "as in struct insula_bi_untyped");
	boot_chunks_bytes(c, &d, sizeof(d));
}

void boot_chunks_untyped_end(struct boot_chunks *c)
{
	uint64_t bytes = c->used - c->open - BOOT_CHUNKS_HEADER - sizeof(struct insula_bi_untyped);

	if (c->failed)
		return;
	if (bytes == 0) {
		c->used = c->open;
		return;
	}
	mem_put64(c->buffer + c->open + BOOT_CHUNKS_HEADER + offsetof(struct insula_bi_untyped, count),
	          bytes / BOOT_CHUNKS_UNTYPED);
	boot_chunks_end(c);
}

uint64_t boot_chunks_bound(const struct boot_info *info, const char *archive_string, uint64_t untypeds)
{
	const uint64_t module = BOOT_CHUNKS_HEADER + sizeof(struct insula_bi_module) + 8;
	uint64_t n = 4 * BOOT_CHUNKS_HEADER + BOOT_CHUNKS_RSDP + 22 + 4 + 4;

	n += BOOT_CHUNKS_MAP_SLOTS * BOOT_CHUNKS_MAP_SLOT + BOOT_CHUNKS_HEADER + 8; /* and padding */
	n += BOOT_CHUNKS_HEADER + strlen(info->cmdline) + 1 + 8;
	n += BOOT_CHUNKS_HEADER + sizeof(struct insula_bi_machine) + 8;
	n += BOOT_CHUNKS_HEADER + sizeof(struct insula_bi_untyped) + untypeds * BOOT_CHUNKS_UNTYPED;
	if (archive_string)
		n += module + strlen(archive_string) + 1;
	for (uint32_t i = 0; i < info->module_count; i++)
		n += module + strlen(info->modules[i].string) + 1;
	return n;
}
