/*
 * ELF executables. Called by the kernel (root task), the root server and the vmm (kernels). Checks every
 * header against the file before anything is believed, and loads nothing. Contract in elf.h.
 */
#include "elf/elf.h"
#include "mem/mem.h"

enum {
	IDENT = 16,
	CLASS32 = 1,
	CLASS64 = 2,
	EHDR32 = 52,
	EHDR64 = 64,
	PHDR32 = 32,
	PHDR64 = 56,
	TYPE_EXEC = 2,
	TYPE_DYN = 3,
	MACHINE_386 = 3,
	MACHINE_X86_64 = 62,
	NOTE_HEADER = 12,
};

static enum elf_error read_header(const uint8_t *file, size_t size, struct elf_image *out)
{
	static const uint8_t magic[4] = {0x7f, 'E', 'L', 'F'};

	if (size < IDENT || memcmp(file, magic, sizeof(magic)) != 0)
		return ELF_NOT_ELF;
	/* class, little-endian, version */
	if ((file[4] != CLASS32 && file[4] != CLASS64) || file[5] != 1 || file[6] != 1)
		return ELF_BAD_MACHINE;
	out->is64 = file[4] == CLASS64;
	if (size < (out->is64 ? EHDR64 : EHDR32))
		return ELF_TRUNCATED;
	uint16_t type = mem_get16(file + 16);
	out->machine = mem_get16(file + 18);
	/* A 32-bit container for x86-64 code exists too (x32); we meet none. */
	if (out->is64 ? out->machine != MACHINE_X86_64 : out->machine != MACHINE_386)
		return ELF_BAD_MACHINE;
	if (mem_get32(file + 20) != 1)
		return ELF_BAD_MACHINE;
	if (type != TYPE_EXEC && type != TYPE_DYN)
		return ELF_BAD_TYPE;
	if (out->is64) {
		out->entry = mem_get64(file + 24);
		out->phoff = mem_get64(file + 32);
		out->phentsize = mem_get16(file + 54);
		out->phnum = mem_get16(file + 56);
	} else {
		out->entry = mem_get32(file + 24);
		out->phoff = mem_get32(file + 28);
		out->phentsize = mem_get16(file + 42);
		out->phnum = mem_get16(file + 44);
	}
	if (out->phentsize != (out->is64 ? PHDR64 : PHDR32) || out->phnum > ELF_SEGMENTS)
		return ELF_BAD_HEADER;
	if (out->phnum == 0)
		return ELF_NO_LOAD;
	if (out->phoff > size || (uint64_t)out->phentsize * out->phnum > size - out->phoff)
		return ELF_TRUNCATED;
	return ELF_OK;
}

static bool range_fits(bool is64, uint64_t start, uint64_t n)
{
	uint64_t limit = is64 ? UINT64_MAX : 1ull << 32;
	return start <= limit && n <= limit - start;
}

static enum elf_error check_load(bool is64, const struct elf_segment *s, uint64_t offset)
{
	if (s->filesz > s->memsz)
		return ELF_BAD_SEGMENT;
	if (!range_fits(is64, s->vaddr, s->memsz) || !range_fits(is64, s->paddr, s->memsz))
		return ELF_BAD_SEGMENT;
	if ((s->align & (s->align - 1)) != 0 || ((s->vaddr - offset) & (s->align - 1)) != 0)
		return ELF_BAD_SEGMENT;
	return ELF_OK;
}

static enum elf_error read_segment(const uint8_t *file, size_t size, bool is64, const uint8_t *ph,
				   struct elf_segment *s)
{
	uint64_t offset;

	s->type = mem_get32(ph);
	if (is64) {
		s->flags = mem_get32(ph + 4);
		offset = mem_get64(ph + 8);
		s->vaddr = mem_get64(ph + 16);
		s->paddr = mem_get64(ph + 24);
		s->filesz = mem_get64(ph + 32);
		s->memsz = mem_get64(ph + 40);
		s->align = mem_get64(ph + 48);
	} else {
		offset = mem_get32(ph + 4);
		s->vaddr = mem_get32(ph + 8);
		s->paddr = mem_get32(ph + 12);
		s->filesz = mem_get32(ph + 16);
		s->memsz = mem_get32(ph + 20);
		s->flags = mem_get32(ph + 24);
		s->align = mem_get32(ph + 28);
	}
	if (s->align == 0)
		s->align = 1;
	/* An empty file part may have any offset: it is not looked at. */
	if (s->filesz == 0) {
		s->file = file;
	} else {
		if (offset > size || s->filesz > size - offset)
			return ELF_TRUNCATED;
		s->file = file + offset;
	}
	return s->type == ELF_PT_LOAD ? check_load(is64, s, offset) : ELF_OK;
}

static void widen(struct elf_image *e, const struct elf_segment *s, bool first)
{
	if (first || s->vaddr < e->vaddr_start)
		e->vaddr_start = s->vaddr;
	if (first || s->vaddr + s->memsz > e->vaddr_end)
		e->vaddr_end = s->vaddr + s->memsz;
	if (first || s->paddr < e->paddr_start)
		e->paddr_start = s->paddr;
	if (first || s->paddr + s->memsz > e->paddr_end)
		e->paddr_end = s->paddr + s->memsz;
}

enum elf_error elf_open(const uint8_t *file, size_t size, struct elf_image *out)
{
	bool loads = false;

	memset(out, 0, sizeof(*out));
	enum elf_error e = read_header(file, size, out);
	if (e != ELF_OK)
		return e;
	const uint8_t *ph = file + out->phoff;
	for (uint32_t i = 0; i < out->phnum; i++, ph += out->phentsize) {
		struct elf_segment *s = &out->segments[i];
		e = read_segment(file, size, out->is64, ph, s);
		if (e != ELF_OK)
			return e;
		out->segment_count = i + 1;
		if (s->type == ELF_PT_LOAD && s->memsz > 0) {
			widen(out, s, !loads);
			loads = true;
		}
	}
	return loads ? ELF_OK : ELF_NO_LOAD;
}

const struct elf_segment *elf_next_load(const struct elf_image *e, uint32_t *index)
{
	while (*index < e->segment_count) {
		const struct elf_segment *s = &e->segments[(*index)++];
		if (s->type == ELF_PT_LOAD && s->memsz > 0)
			return s;
	}
	return NULL;
}

/* One PT_NOTE segment; ELF_NO_NOTE if the note is not in it. */
static enum elf_error search_notes(const struct elf_segment *s, const char *owner, uint32_t type,
				   const uint8_t **desc, size_t *size)
{
	size_t owner_size = strlen(owner) + 1;
	uint64_t at = 0;
	/* Notes are padded to 4; segments aligned to 8 (GNU properties) pad to 8. */
	uint64_t pad = s->align == 8 ? 7 : 3;

	while (s->filesz - at >= NOTE_HEADER) {
		const uint8_t *n = s->file + at;
		uint64_t name_size = mem_get32(n);
		uint64_t desc_size = mem_get32(n + 4);
		uint64_t rest = s->filesz - at;
		uint64_t desc_at = (NOTE_HEADER + name_size + pad) & ~pad;
		if (desc_at > rest || desc_size > rest - desc_at)
			return ELF_BAD_NOTE;
		if (mem_get32(n + 8) == type && name_size == owner_size &&
		    memcmp(n + NOTE_HEADER, owner, owner_size) == 0) {
			*desc = n + desc_at;
			*size = (size_t)desc_size;
			return ELF_OK;
		}
		uint64_t next = (desc_at + desc_size + pad) & ~pad;
		if (next > rest)
			break; /* the last note's padding may be missing */
		at += next;
	}
	return ELF_NO_NOTE;
}

enum elf_error elf_find_note(const struct elf_image *e, const char *owner, uint32_t type,
			     const uint8_t **desc, size_t *size)
{
	for (uint32_t i = 0; i < e->segment_count; i++) {
		const struct elf_segment *s = &e->segments[i];
		if (s->type != ELF_PT_NOTE)
			continue;
		enum elf_error r = search_notes(s, owner, type, desc, size);
		if (r != ELF_NO_NOTE)
			return r;
	}
	return ELF_NO_NOTE;
}

enum elf_error elf_xen_entry(const struct elf_image *e, uint32_t *entry)
{
	const uint8_t *desc;
	size_t size;

	enum elf_error r = elf_find_note(e, "Xen", ELF_XEN_PHYS32_ENTRY, &desc, &size);
	if (r != ELF_OK)
		return r;
	if (size == 4) {
		*entry = mem_get32(desc);
	} else if (size == 8) {
		uint64_t v = mem_get64(desc);
		if (v > UINT32_MAX)
			return ELF_BAD_NOTE;
		*entry = (uint32_t)v;
	} else {
		return ELF_BAD_NOTE;
	}
	return ELF_OK;
}

const char *elf_error_line(enum elf_error e)
{
	switch (e) {
	case ELF_OK:
		return "the ELF file is complete";
	case ELF_NOT_ELF:
		return "not an ELF file";
	case ELF_BAD_MACHINE:
		return "an ELF file, but not for x86";
	case ELF_BAD_TYPE:
		return "an ELF file, but not an executable";
	case ELF_TRUNCATED:
		return "the ELF file is cut off: a part of it lies beyond its end";
	case ELF_BAD_HEADER:
		return "the ELF header is damaged, or has more than 32 program headers";
	case ELF_BAD_SEGMENT:
		return "the ELF file has a segment of impossible size or alignment";
	case ELF_NO_LOAD:
		return "the ELF file has nothing to load";
	case ELF_NO_NOTE:
		return "the ELF file lacks the note asked for (a kernel without PVH support has no Xen PVH "
		       "entry)";
	case ELF_BAD_NOTE:
		return "the ELF file has a damaged note";
	}
	return "unknown ELF error";
}
