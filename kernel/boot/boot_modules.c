/* Boot modules and the archive. See boot_modules.h. */
#include "boot/boot_modules.h"
#include "arch/x86/image.h"
#include "cpio/cpio.h"
#include "mem/mem.h"
#include "panic.h"

/* Where the servers' archive lies: offset from the image's start, bytes. Written into the image by image/mkelf32.py; 0: none. */
extern volatile uint64_t boot_archive_start_size[2];
volatile uint64_t boot_archive_start_size[2] __attribute__((section(".data.boot_archive_start_size"), used)) = {0, 0};

static const void *boot_modules_low(uint64_t p)
{
	return (const void *)(uintptr_t)p;
}

/* Reserves the pages around [start, end), which must still be free: so nothing overlaps anything. */
static void boot_modules_take(struct boot_memory *m, uint64_t start, uint64_t end, uint32_t order)
{
	uint64_t last = ALIGN_UP(end, PAGE_BITS);

	if (!ALIGNED(start, PAGE_BITS))
		boot_stop("boot module %u does not begin at a page (0x%lx): the boot loader cannot be used", order, start);
	if (last > BOOT_MEMORY_4G || !ranges_contain(&m->ram, start, last))
		boot_stop("boot module %u lies outside usable memory (0x%lx to 0x%lx)", order, start, end);
	if (!ranges_contain(&m->free, start, last))
		boot_stop("boot module %u overlaps another or Insula itself (0x%lx to 0x%lx)", order, start, end);
	if (!boot_memory_reserve(m, start, last))
		boot_stop("the memory map is too fragmented");
}

void boot_modules_reserve(struct boot_memory *m, const struct boot_info *info, uint64_t load_base)
{
	uint64_t image = (uint64_t)(kernel_image_end - kernel_image_start);
	uint64_t archive = load_base + boot_archive_start_size[0], bytes = boot_archive_start_size[1];

	if (!boot_memory_reserve(m, load_base, load_base + image) ||
	    (bytes != 0 && !boot_memory_reserve(m, archive, archive + bytes)))
		boot_stop("the memory map is too fragmented");
	for (uint32_t i = 0; i < info->module_count; i++)
		if (info->modules[i].end > info->modules[i].start)
			boot_modules_take(m, info->modules[i].start, info->modules[i].end, i + 1);
	if (bytes == 0 && info->module_count == 0)
		boot_stop("no boot module: the first module must be the root task, and there is none");
}

static void boot_modules_add(struct boot_modules *out, struct boot_memory *m, uint64_t start, uint64_t bytes,
                             const char *string)
{
	uint64_t end = start + bytes, last = ALIGN_UP(end, PAGE_BITS);

	memset((void *)(uintptr_t)end, 0, last - end);
	m->granted += last - start;
	out->list[out->count++] = (struct boot_task_module){start, bytes, string};
}

static void boot_modules_own_root(struct boot_modules *out, const uint8_t *archive, uint64_t bytes)
{
	struct cpio_entry e;
	enum cpio_result r = cpio_find(archive, bytes, "root", &e);

	if (r != CPIO_OK)
		boot_stop("the archive of servers in this image %s",
		          r == CPIO_BAD ? "is damaged" : "has no file named root");
	out->root = e.data;
	out->root_bytes = e.size;
	out->own = true;
}

void boot_modules_find(struct boot_modules *out, struct boot_memory *m, const struct boot_info *info, uint64_t load_base)
{
	uint64_t archive = load_base + boot_archive_start_size[0], bytes = boot_archive_start_size[1];
	uint32_t first = 0;

	*out = (struct boot_modules){.own = false};
	if (bytes != 0) {
		boot_modules_own_root(out, boot_modules_low(archive), bytes);
		boot_modules_add(out, m, archive, bytes, BOOT_MODULES_ARCHIVE_STRING);
	} else {
		const struct boot_info_module *root = &info->modules[first++];

		out->root = boot_modules_low(root->start);
		out->root_bytes = root->end - root->start;
		out->release_start = root->start;
		out->release_end = ALIGN_UP(root->end, PAGE_BITS);
	}
	for (uint32_t i = first; i < info->module_count; i++) {
		const struct boot_info_module *mod = &info->modules[i];

		boot_modules_add(out, m, mod->start, mod->end - mod->start, mod->string);
	}
}
