/* The root task's image. See boot_image.h. */
#include "boot/boot_image.h"
#include "arch/x86/mm/window.h"
#include "sel4/constants.h"

#define BOOT_IMAGE_X86_64 62

const char *boot_image_open(struct boot_image *i, const uint8_t *file, uint64_t size, bool own, uint64_t extra_bytes)
{
	enum elf_error e = elf_open(file, size, &i->elf);
	uint64_t room = PAGE_SIZE * 2 + ALIGN_UP(extra_bytes, PAGE_BITS);

	if (e != ELF_OK)
		return elf_error_line(e);
	if (!i->elf.is64 || i->elf.machine != BOOT_IMAGE_X86_64)
		return "it is not a 64-bit x86 program";
	i->own = own;
	i->start = i->elf.vaddr_start;
	if (!ALIGNED(i->start, PAGE_BITS))
		return "its lowest address is not that of a page";
	if (i->elf.vaddr_end > SEL4_USER_LAST - PAGE_SIZE - room)
		return "its addresses are not in user space";
	i->end = ALIGN_UP(i->elf.vaddr_end, PAGE_BITS);
	if (i->elf.entry < i->start || i->elf.entry >= i->elf.vaddr_end)
		return "its entry point is outside its segments";
	i->ipc_buffer = i->end;
	i->bootinfo = i->ipc_buffer + PAGE_SIZE;
	i->extra = i->bootinfo + PAGE_SIZE;
	return NULL;
}

struct boot_image_rights boot_image_rights(const struct boot_image *i, uint64_t page)
{
	struct boot_image_rights r = {!i->own, !i->own};
	const struct elf_segment *s;
	uint32_t n = 0;

	while ((s = elf_next_load(&i->elf, &n)) != NULL) {
		if (s->vaddr >= page + PAGE_SIZE || s->vaddr + s->memsz <= page)
			continue;
		r.write |= (s->flags & ELF_WRITE) != 0;
		r.execute |= (s->flags & ELF_EXECUTE) != 0;
	}
	return r;
}

uint64_t boot_image_tables(uint64_t start, uint64_t end, unsigned level)
{
	unsigned bits = PAGE_BITS + 9 * level;

	return ((end - 1) >> bits) - (start >> bits) + 1;
}

void boot_image_load(const struct boot_image *i, paddr_t p)
{
	const struct elf_segment *s;
	uint32_t n = 0;

	while ((s = elf_next_load(&i->elf, &n)) != NULL)
		window_copy_to(paddr_add(p, s->vaddr - i->start), s->file, s->filesz);
}
