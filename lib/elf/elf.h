/*
 * Checks and reads ELF executables (System V gABI; 32 and 64-bit, little-endian, x86) held in a
 * caller's buffer: the kernel's root task, servers, guest kernels. The whole header and every program header
 * is checked by elf_open; afterwards no segment leads outside the file. It loads nothing itself.
 */
#ifndef LIB_ELF_ELF_H
#define LIB_ELF_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	ELF_SEGMENTS = 32, /* more program headers are refused */

	ELF_PT_LOAD = 1,
	ELF_PT_NOTE = 4,
	ELF_PT_TLS = 7,

	ELF_EXECUTE = 1, /* segment flags */
	ELF_WRITE = 2,
	ELF_READ = 4,

	ELF_XEN_PHYS32_ENTRY = 18, /* note type, owner "Xen" (Xen public/elfnote.h) */
};

enum elf_error {
	ELF_OK = 0,
	ELF_NOT_ELF,
	ELF_BAD_MACHINE, /* not little-endian x86, or an unknown class or version */
	ELF_BAD_TYPE,	 /* neither executable nor position-independent executable */
	ELF_TRUNCATED,	 /* headers or a segment outside the file */
	ELF_BAD_HEADER,	 /* header or program header sizes and counts */
	ELF_BAD_SEGMENT, /* p_filesz > p_memsz, address overflow, bad alignment */
	ELF_NO_LOAD,	 /* nothing to load */
	ELF_NO_NOTE,
	ELF_BAD_NOTE,
};

struct elf_segment {
	uint32_t type;
	uint32_t flags;
	uint64_t vaddr;
	uint64_t paddr;
	uint64_t memsz; /* vaddr + memsz and paddr + memsz do not overflow (nor leave 32 bits, class 32) */
	const uint8_t *file; /* file[0..filesz), in the buffer */
	uint64_t filesz;     /* <= memsz, for PT_LOAD */
	uint64_t align;	     /* 1 or a power of two; vaddr = offset modulo align, for PT_LOAD */
};

struct elf_image {
	bool is64;
	uint16_t machine; /* 3: i386, 62: x86-64 */
	uint64_t entry;
	uint32_t segment_count;
	struct elf_segment segments[ELF_SEGMENTS];
	/* bounds over all PT_LOAD */
	uint64_t vaddr_start, vaddr_end;
	uint64_t paddr_start, paddr_end;
	/* place of the program headers in the file, for AT_PHDR-like needs */
	uint64_t phoff;
	uint16_t phentsize, phnum;
};

/* file[0..size) must stay as it is as long as *out is used. PT_LOAD segments may overlap: who loads them
 * decides. */
enum elf_error elf_open(const uint8_t *file, size_t size, struct elf_image *out);

/* The next PT_LOAD segment at or after *index, which is then moved behind it; NULL at the end. Begin with 0.
 * Segments with memsz 0 are skipped. */
const struct elf_segment *elf_next_load(const struct elf_image *e, uint32_t *index);

/* The first note with this owner and type, in any PT_NOTE. */
enum elf_error elf_find_note(const struct elf_image *e, const char *owner, uint32_t type,
			     const uint8_t **desc, size_t *size);

/* Where Xen's PVH boot protocol enters, in 32-bit mode: a guest-physical address, from the note (4 or 8
 * bytes). */
enum elf_error elf_xen_entry(const struct elf_image *e, uint32_t *entry);

/* One plain English line. */
const char *elf_error_line(enum elf_error e);

#endif
