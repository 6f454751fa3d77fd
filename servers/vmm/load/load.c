/*
 * Puts the kernel, its ramdisk and the PVH start information into the domain's memory. Runs once before the
 * guest does; the files are hostile, the memory is the domain's own. Order in low RAM, from the top down: start
 * information, ramdisk; while a compressed kernel is unpacked also its ELF file and the decoder's memory, which are
 * cleared again.
 */
#include "servers/vmm/vmm.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <xen/arch-x86/hvm/start_info.h>
#include <xen/xen.h>
#include "bzimage/bzimage.h"
#include "bzimage/bzimage_lz4.h"
#include "bzimage/bzimage_xz.h"
#include "elf/elf.h"
#include "servers/vmm/load/acpi_tables.h"
#include "servers/vmm/load/layout.h"

#define MODULE_KERNEL  TASK_MODULE_VADDR
#define MODULE_RAMDISK (TASK_MODULE_VADDR + (1ull << 32))
#define DECODER_LIMIT  (160ull << 20)
#define LOAD_END       (1ull << 30)
#define PAGE_MASK      ((uint64_t)PAGE - 1)

struct loader {
	uint64_t low_end;   /* of RAM from 0 */
	uint64_t free_end;  /* RAM [.., free_end) is not taken by what lies at the top */
	char *why;
	size_t why_size;
};

static int refuse(const struct loader *l, int error, const char *format, ...) __attribute__((format(printf, 3, 4)));
static int refuse(const struct loader *l, int error, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(l->why, l->why_size, format, ap);
	va_end(ap);
	return error;
}

/* ---- memory for unpacking: taken from the top of free RAM, downwards ---- */

struct scratch {
	uint64_t low, end; /* [low, end) may be used; end sinks */
};

static void *scratch_alloc(void *context, size_t size)
{
	struct scratch *s = context;
	uint64_t n = (size + 63) & ~63ull;

	if (n < size || n > s->end - s->low)
		return NULL;
	s->end -= n;
	return memory_at(gpa(s->end), n);
}

static void scratch_free(void *context, void *p)
{
	/* all is given back at once when unpacking ends */
	(void)context;
	(void)p;
}

/* The ELF file inside a bzImage. *held: the lowest address that must be cleared afterwards. */
static int unpack(struct loader *l, const struct bzimage *z, const uint8_t **file, size_t *size, uint64_t *held)
{
	struct scratch s = {.low = 16ull << 20, .end = l->free_end};
	const struct bzimage_xz_allocator a = {scratch_alloc, scratch_free, &s};
	uint64_t room = ((uint64_t)z->unpacked_size + PAGE_MASK) & ~PAGE_MASK;
	enum bzimage_error e;
	uint8_t *out;

	if (z->format == BZIMAGE_FORMAT_ELF) {
		*file = z->payload;
		*size = z->payload_size;
		*held = l->free_end;
		return 0;
	}
	if (l->free_end < s.low || room == 0 || room > (l->free_end - s.low) / 2)
		return refuse(l, -ENOMEM, "kernel: unpacked it is %u KiB: the domain has too little memory", z->unpacked_size / 1024);
	s.end -= room;
	out = memory_at(gpa(s.end), room);
	if (!out)
		return refuse(l, -ENOMEM, "kernel: no room to unpack it");
	e = z->format == BZIMAGE_FORMAT_LZ4 ? bzimage_lz4_unpack(z->payload, z->payload_size, out, room, size)
					    : bzimage_xz_unpack(z->payload, z->payload_size, out, room, size, DECODER_LIMIT, &a);
	*held = s.end;
	if (e == BZIMAGE_MEMORY)
		return refuse(l, -ENOMEM, "kernel: the domain has too little memory to unpack it");
	if (e != BZIMAGE_OK)
		return refuse(l, -ENOEXEC, "kernel: %s", bzimage_error_line(e));
	*file = out;
	return 0;
}

static int load_elf(struct loader *l, const uint8_t *file, size_t size, uint64_t limit, uint32_t *entry)
{
	struct elf_image image;
	const struct elf_segment *s;
	uint32_t index = 0;
	enum elf_error e = elf_open(file, size, &image);
	bool entered = false;

	if (e == ELF_OK)
		e = elf_xen_entry(&image, entry);
	if (e != ELF_OK)
		return refuse(l, -ENOEXEC, "kernel: %s", elf_error_line(e));
	while ((s = elf_next_load(&image, &index))) {
		uint8_t *to;

		if (s->paddr > limit || s->memsz > limit - s->paddr)
			return refuse(l, -ENOMEM, "kernel: its segment at %#llx, %llu KiB, does not fit into the domain's memory",
				      (unsigned long long)s->paddr, (unsigned long long)s->memsz / 1024);
		to = memory_at(gpa(s->paddr), s->memsz);
		if (!to)
			return refuse(l, -ENOEXEC, "kernel: a segment lies outside the domain's memory");
		memcpy(to, s->file, s->filesz);
		memset(to + s->filesz, 0, s->memsz - s->filesz);
		entered = entered || (*entry >= s->paddr && *entry - s->paddr < s->memsz);
	}
	if (!entered)
		return refuse(l, -ENOEXEC, "kernel: its PVH entry lies outside its segments");
	return 0;
}

static int load_kernel(struct loader *l, uint32_t *entry)
{
	const uint8_t *file = (const uint8_t *)MODULE_KERNEL;
	size_t size = vmm.start->kernel_bytes;
	uint64_t held = l->free_end;
	struct bzimage z;
	enum bzimage_error e;
	int r;

	if (size >= 4 && memcmp(file, "\177ELF", 4) == 0)
		return load_elf(l, file, size, l->free_end, entry);
	e = bzimage_open(file, size, &z);
	if (e == BZIMAGE_NOT_LINUX)
		return refuse(l, -ENOEXEC, "kernel: neither an ELF file nor a Linux bzImage");
	if (e == BZIMAGE_OK)
		e = bzimage_supported(z.format);
	if (e != BZIMAGE_OK)
		return refuse(l, -ENOEXEC, "kernel: %s", bzimage_error_line(e));
	r = unpack(l, &z, &file, &size, &held);
	if (r == 0)
		r = load_elf(l, file, size, held, entry);
	if (held < l->free_end)
		memset(memory_at(gpa(held), l->free_end - held), 0, l->free_end - held);
	return r;
}

/* ---- start information ---- */

struct start_block {
	struct hvm_start_info info;
	struct hvm_modlist_entry module[1];
	struct hvm_memmap_table_entry map[VMM_RAM_MAX + 2];
	char cmdline[sizeof(((struct vmm_start *)0)->cmdline)];
};

static void map_add(struct start_block *b, uint64_t addr, uint64_t size, uint32_t type)
{
	struct hvm_memmap_table_entry *e = &b->map[b->info.memmap_entries];

	/* neighbours of one kind are one entry */
	if (b->info.memmap_entries && e[-1].type == type && e[-1].addr + e[-1].size == addr) {
		e[-1].size += size;
		return;
	}
	*e = (struct hvm_memmap_table_entry){.addr = addr, .size = size, .type = type};
	b->info.memmap_entries++;
}

static int start_information(struct loader *l, uint64_t ramdisk, struct load_result *out)
{
	const struct vmm_start *s = vmm.start;
	uint64_t at = l->free_end - ((sizeof(struct start_block) + PAGE_MASK) & ~PAGE_MASK), rsdp;
	struct start_block *b = memory_at(gpa(at), sizeof(*b));
	bool special = false;

	rsdp = acpi_tables_place();
	if (!b || !rsdp)
		return refuse(l, -ENOMEM, "no memory for the start information");
	memset(b, 0, sizeof(*b));
	b->info.magic = XEN_HVM_START_MAGIC_VALUE;
	b->info.version = 1;
	b->info.flags = s->flags & VMM_START_CONTROL ? SIF_PRIVILEGED | SIF_INITDOMAIN : 0;
	b->info.rsdp_paddr = rsdp;
	b->info.cmdline_paddr = at + offsetof(struct start_block, cmdline);
	b->info.memmap_paddr = at + offsetof(struct start_block, map);
	memcpy(b->cmdline, s->cmdline, sizeof(b->cmdline) - 1);
	if (s->ramdisk_bytes) {
		b->info.nr_modules = 1;
		b->info.modlist_paddr = at + offsetof(struct start_block, module);
		b->module[0].paddr = ramdisk;
		b->module[0].size = s->ramdisk_bytes;
	}
	for (unsigned i = 0; i < memory_runs(); i++) {
		uint64_t bytes;
		gpa_t run = memory_run(i, &bytes);

		if (!special && run.v > LAYOUT_ACPI_GPA) {
			map_add(b, LAYOUT_ACPI_GPA, LAYOUT_ACPI_PAGES * (uint64_t)PAGE, XEN_HVM_MEMMAP_TYPE_ACPI);
			map_add(b, LAYOUT_SPECIAL_GPA, LAYOUT_SPECIAL_PAGES * (uint64_t)PAGE, XEN_HVM_MEMMAP_TYPE_RESERVED);
			special = true;
		}
		map_add(b, run.v, bytes, XEN_HVM_MEMMAP_TYPE_RAM);
	}
	if (!special) {
		map_add(b, LAYOUT_ACPI_GPA, LAYOUT_ACPI_PAGES * (uint64_t)PAGE, XEN_HVM_MEMMAP_TYPE_ACPI);
		map_add(b, LAYOUT_SPECIAL_GPA, LAYOUT_SPECIAL_PAGES * (uint64_t)PAGE, XEN_HVM_MEMMAP_TYPE_RESERVED);
	}
	l->free_end = at;
	out->start_info = at;
	return 0;
}

int load_guest(struct load_result *out, char *why, size_t why_size)
{
	const struct vmm_start *s = vmm.start;
	struct loader l = {.why = why, .why_size = why_size};
	uint64_t ramdisk = 0;
	int r;

	/* RAM from 0 up to its first gap */
	if (memory_runs() && memory_run(0, &l.low_end).v != 0)
		l.low_end = 0;
	/* Linux reads the start information through early page tables that reach the first GiB only */
	if (l.low_end > LOAD_END)
		l.low_end = LOAD_END;
	if (l.low_end < (8ull << 20))
		return refuse(&l, -ENOMEM, "a domain needs at least 8 MiB of memory");
	l.free_end = l.low_end;
	if (s->ramdisk_bytes) {
		uint8_t *to;

		if (s->ramdisk_bytes > l.free_end - (4ull << 20))
			return refuse(&l, -ENOMEM, "ramdisk: it does not fit into the domain's memory below 1 GiB");
		ramdisk = (l.free_end - s->ramdisk_bytes) & ~PAGE_MASK;
		to = memory_at(gpa(ramdisk), s->ramdisk_bytes);
		if (!to)
			return refuse(&l, -ENOMEM, "ramdisk: no room in the domain's memory");
		memcpy(to, (const void *)MODULE_RAMDISK, s->ramdisk_bytes);
		l.free_end = ramdisk;
	}
	r = start_information(&l, ramdisk, out);
	return r ? r : load_kernel(&l, &out->entry);
}
