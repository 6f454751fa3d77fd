/* Boot information. See bootinfo.h. */
#include "servers/root/bootinfo.h"

#include <string.h>
#include "mem/mem.h"
#include "sel4/constants.h"

#define FRAMEBUFFER_BYTES 22u
#define RSDP_BYTES        36u

static bool bootinfo_text(const uint8_t *text, size_t n)
{
	return memchr(text, 0, n) != NULL;
}

static void bootinfo_framebuffer(struct bootinfo *b, const uint8_t *p)
{
	b->has_framebuffer = true;
	b->framebuffer = (struct bootinfo_framebuffer){
		.address = mem_get64(p),
		.pitch = mem_get32(p + 8),
		.width = mem_get32(p + 12),
		.height = mem_get32(p + 16),
		.bpp = p[20],
		.type = p[21],
	};
}

static void bootinfo_module(struct bootinfo *b, const uint8_t *p, size_t n)
{
	if (n <= sizeof(struct insula_bi_module) ||
	    !bootinfo_text(p + sizeof(struct insula_bi_module), n - sizeof(struct insula_bi_module)))
		return;
	if (b->module_count == BOOTINFO_MODULES)
		b->modules_dropped++;
	else
		b->module[b->module_count++] = (const struct insula_bi_module *)(const void *)p;
}

static void bootinfo_chunk(struct bootinfo *b, uint64_t id, const uint8_t *p, size_t n)
{
	const struct insula_bi_untyped *u = (const struct insula_bi_untyped *)(const void *)p;

	switch (id) {
	case SEL4_BOOTINFO_HEADER_X86_ACPI_RSDP:
		if (n >= RSDP_BYTES)
			b->rsdp = p;
		break;
	case SEL4_BOOTINFO_HEADER_X86_FRAMEBUFFER:
		if (n >= FRAMEBUFFER_BYTES)
			bootinfo_framebuffer(b, p);
		break;
	case INSULA_BOOTINFO_CMDLINE:
		if (bootinfo_text(p, n))
			b->cmdline = (const char *)p;
		break;
	case INSULA_BOOTINFO_MACHINE:
		if (n >= sizeof(*b->machine))
			b->machine = (const struct insula_bi_machine *)(const void *)p;
		break;
	case INSULA_BOOTINFO_MODULE:
		bootinfo_module(b, p, n);
		break;
	case INSULA_BOOTINFO_UNTYPED:
		if (n >= sizeof(*u) && u->count <= (n - sizeof(*u)) / sizeof(u->desc[0]))
			b->more_untyped = u;
		break;
	default:
		break;
	}
}

bool bootinfo_read(struct bootinfo *b, const seL4_BootInfo *bi, const uint8_t *extra, size_t bytes)
{
	size_t at = 0;

	memset(b, 0, sizeof(*b));
	b->bi = bi;
	b->cmdline = "";
	while (bytes - at >= sizeof(seL4_BootInfoHeader)) {
		uint64_t id = mem_get64(extra + at), len = mem_get64(extra + at + 8);

		if (len < sizeof(seL4_BootInfoHeader) || len > bytes - at)
			return false;
		/* Insula's chunks are aligned, seL4's are read by the byte */
		if (id < INSULA_BOOTINFO_CMDLINE || at % 8 == 0)
			bootinfo_chunk(b, id, extra + at + sizeof(seL4_BootInfoHeader), len - sizeof(seL4_BootInfoHeader));
		at += len;
	}
	return at == bytes;
}

bool bootinfo_untyped(const struct bootinfo *b, uint64_t n, struct bootinfo_untyped *out)
{
	uint64_t listed = b->bi->untyped.end - b->bi->untyped.start;

	if (listed > seL4_BootInfoUntypedMax)
		listed = seL4_BootInfoUntypedMax;
	if (n < listed) {
		const seL4_UntypedDesc *d = &b->bi->untypedList[n];

		*out = (struct bootinfo_untyped){b->bi->untyped.start + n, d->paddr, d->sizeBits, d->isDevice};
		return true;
	}
	n -= listed;
	if (!b->more_untyped || n >= b->more_untyped->count)
		return false;
	*out = (struct bootinfo_untyped){b->more_untyped->first_slot + n, b->more_untyped->desc[n].paddr,
					 b->more_untyped->desc[n].size_bits, b->more_untyped->desc[n].is_device};
	return true;
}
