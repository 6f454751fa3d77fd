/*
 * From the RSDP to the list of tables, and checked copies of tables. Called by the kernel's start-up and the
 * platform server. Reads firmware memory only through the reader. Contract in acpi.h.
 */
#include "acpi/acpi.h"

enum {
	RSDP1 = 20,
	RSDP2 = 36,
	RSDP_MAX = 64,
	CHUNK = 256,
	ROOT_ENTRIES = 4096, /* bounds the walk over a hostile list */
};

static uint8_t sum(const uint8_t *p, size_t n)
{
	uint8_t s = 0;

	for (size_t i = 0; i < n; i++)
		s = (uint8_t)(s + p[i]);
	return s;
}

enum acpi_error acpi_rsdp_check(const uint8_t *rsdp, size_t n, struct acpi_root *out)
{
	memset(out, 0, sizeof(*out));
	if (n < RSDP1 || memcmp(rsdp, "RSD PTR ", 8) != 0 || sum(rsdp, RSDP1) != 0)
		return ACPI_BAD_RSDP;
	out->revision = rsdp[15];
	out->rsdt = mem_get32(rsdp + 16);
	if (out->revision >= 2 && n >= RSDP2) {
		uint32_t length = mem_get32(rsdp + 20);
		/* A longer one's checksum covers bytes that nobody gave us: its first 36 are all we use. */
		if (length >= RSDP2 && (length > n || sum(rsdp, length) == 0))
			out->xsdt = mem_get64(rsdp + 24);
	}
	return out->rsdt != 0 || out->xsdt != 0 ? ACPI_OK : ACPI_BAD_RSDP;
}

static bool rsdp_at(const struct mem_reader *r, uint64_t paddr, uint8_t rsdp[36], uint32_t *size,
		    struct acpi_root *out)
{
	memset(rsdp, 0, RSDP2);
	if (!mem_read(r, paddr, rsdp, RSDP1) || memcmp(rsdp, "RSD PTR ", 8) != 0)
		return false;
	*size = RSDP1;
	if (rsdp[15] >= 2 && mem_read(r, paddr + RSDP1, rsdp + RSDP1, RSDP2 - RSDP1))
		*size = RSDP2;
	return acpi_rsdp_check(rsdp, *size, out) == ACPI_OK;
}

enum acpi_error acpi_rsdp_find(const struct mem_reader *r, uint8_t rsdp[36], uint32_t *size,
			       struct acpi_root *out)
{
	uint8_t segment[2];

	if (mem_read(r, 0x40e, segment, sizeof(segment))) {
		uint64_t ebda = (uint64_t)mem_get16(segment) << 4;
		if (ebda >= 0x400 && ebda < 0xa0000)
			for (uint64_t a = ebda; a < ebda + 1024; a += 16)
				if (rsdp_at(r, a, rsdp, size, out))
					return ACPI_OK;
	}
	for (uint64_t a = 0xe0000; a < 0x100000; a += 16)
		if (rsdp_at(r, a, rsdp, size, out))
			return ACPI_OK;
	*size = 0;
	return ACPI_NO_RSDP;
}

/* The sum of n bytes at paddr. */
static enum acpi_error sum_at(const struct mem_reader *r, uint64_t paddr, uint32_t n, uint8_t *total)
{
	uint8_t chunk[CHUNK];

	*total = 0;
	while (n > 0) {
		uint32_t part = n < CHUNK ? n : CHUNK;
		if (!mem_read(r, paddr, chunk, part))
			return ACPI_UNREADABLE;
		*total = (uint8_t)(*total + sum(chunk, part));
		paddr += part;
		n -= part;
	}
	return ACPI_OK;
}

static enum acpi_error look_at(const struct mem_reader *r, uint64_t paddr, struct acpi_entry *out)
{
	uint8_t header[8];
	uint8_t total;

	if (!mem_read(r, paddr, header, sizeof(header)))
		return ACPI_UNREADABLE;
	memcpy(out->signature, header, 4);
	out->paddr = paddr;
	out->length = mem_get32(header + 4);
	if (out->length < ACPI_HEADER || out->length > ACPI_TABLE_MAX)
		return ACPI_BAD_LENGTH;
	enum acpi_error e = sum_at(r, paddr, out->length, &total);
	if (e != ACPI_OK)
		return e;
	return total == 0 ? ACPI_OK : ACPI_BAD_CHECKSUM;
}

enum acpi_error acpi_table_check(const struct mem_reader *r, uint64_t paddr, const char *signature,
				 struct acpi_entry *out)
{
	enum acpi_error e = look_at(r, paddr, out);

	if (e == ACPI_OK && memcmp(out->signature, signature, 4) != 0)
		return ACPI_BAD_SIGNATURE;
	return e;
}

static void list_add(const struct mem_reader *r, uint64_t paddr, struct acpi_tables *out)
{
	if (paddr == 0)
		return;
	if (out->count >= ACPI_TABLES || look_at(r, paddr, &out->entries[out->count]) != ACPI_OK)
		out->skipped++;
	else
		out->count++;
}

static enum acpi_error walk(const struct mem_reader *r, uint64_t paddr, const char *signature, uint32_t width,
			    struct acpi_tables *out)
{
	struct acpi_entry root;
	uint8_t at[8];

	memset(out, 0, sizeof(*out));
	enum acpi_error e = acpi_table_check(r, paddr, signature, &root);
	if (e != ACPI_OK)
		return e;
	uint32_t n = (root.length - ACPI_HEADER) / width;
	if (n > ROOT_ENTRIES)
		return ACPI_BAD_LENGTH;
	for (uint32_t i = 0; i < n; i++) {
		if (!mem_read(r, paddr + ACPI_HEADER + (uint64_t)i * width, at, width))
			return ACPI_UNREADABLE;
		list_add(r, width == 8 ? mem_get64(at) : mem_get32(at), out);
	}
	return ACPI_OK;
}

enum acpi_error acpi_tables_open(const struct mem_reader *r, const struct acpi_root *root,
				 struct acpi_tables *out)
{
	enum acpi_error e = ACPI_NO_RSDP;

	memset(out, 0, sizeof(*out));
	if (root->xsdt != 0)
		e = walk(r, root->xsdt, "XSDT", 8, out);
	if (e != ACPI_OK && root->rsdt != 0)
		e = walk(r, root->rsdt, "RSDT", 4, out);
	return e;
}

const struct acpi_entry *acpi_table_find(const struct acpi_tables *t, const char *signature, uint32_t nth)
{
	for (uint32_t i = 0; i < t->count; i++)
		if (memcmp(t->entries[i].signature, signature, 4) == 0 && nth-- == 0)
			return &t->entries[i];
	return NULL;
}

enum acpi_error acpi_table_copy(const struct mem_reader *r, const struct acpi_entry *e, uint8_t *buf,
				size_t buf_size, size_t *size)
{
	*size = 0;
	if (e->length < ACPI_HEADER)
		return ACPI_BAD_LENGTH;
	if (e->length > buf_size)
		return ACPI_NO_SPACE;
	if (!mem_read(r, e->paddr, buf, e->length))
		return ACPI_UNREADABLE;
	if (memcmp(buf, e->signature, 4) != 0)
		return ACPI_BAD_SIGNATURE;
	if (mem_get32(buf + 4) != e->length)
		return ACPI_BAD_LENGTH;
	if (sum(buf, e->length) != 0)
		return ACPI_BAD_CHECKSUM;
	*size = e->length;
	return ACPI_OK;
}

const char *acpi_error_line(enum acpi_error e)
{
	switch (e) {
	case ACPI_OK:
		return "the ACPI table is complete";
	case ACPI_NO_RSDP:
		return "the firmware has no ACPI tables (no RSDP found)";
	case ACPI_BAD_RSDP:
		return "the ACPI root pointer (RSDP) is damaged";
	case ACPI_UNREADABLE:
		return "an ACPI table lies outside memory";
	case ACPI_BAD_LENGTH:
		return "an ACPI table has an impossible length";
	case ACPI_BAD_CHECKSUM:
		return "an ACPI table has a wrong checksum";
	case ACPI_BAD_SIGNATURE:
		return "an ACPI table is not the one it should be";
	case ACPI_BAD_ENTRY:
		return "an ACPI table has an entry that leads outside it";
	case ACPI_NOT_FOUND:
		return "the ACPI tables lack what was asked for";
	case ACPI_NO_SPACE:
		return "an ACPI table is larger than the space for it";
	}
	return "unknown ACPI error";
}
