/* Programs of the archive. See program.h. */
#include "servers/root/program.h"

#include <string.h>
#include "cpio/cpio.h"
#include "proto/task/task.h"
#include "user/log.h"

#define PROGRAMS_MAX 16u
#define PAGE         4096ull
#define PAGES_MAX    2048u

static const uint8_t *program_archive;
static uint64_t program_archive_bytes;
static struct program programs[PROGRAMS_MAX];
static struct account *program_account;

void program_begin(const uint8_t *archive, uint64_t bytes)
{
	program_archive = archive;
	program_archive_bytes = bytes;
}

/* Segments lie in whole pages, one kind of rights a page, never write and execute; all between image address and heap. */
static bool program_shape(struct program *p)
{
	const struct elf_segment *s;
	uint64_t end = 0;

	for (uint32_t i = 0; (s = elf_next_load(&p->elf, &i));) {
		if (s->vaddr % PAGE || s->vaddr < end || s->vaddr < TASK_IMAGE_VADDR || (s->flags & ELF_WRITE && s->flags & ELF_EXECUTE))
			return false;
		end = (s->vaddr + s->memsz + PAGE - 1) & ~(PAGE - 1);
	}
	p->start = p->elf.vaddr_start;
	p->pages = (end - p->start) / PAGE;
	return p->elf.is64 && p->pages <= PAGES_MAX && end <= TASK_HEAP_VADDR;
}

static const struct elf_segment *program_segment(const struct program *p, uint64_t page)
{
	uint64_t vaddr = p->start + page * PAGE;
	const struct elf_segment *s;

	for (uint32_t i = 0; (s = elf_next_load(&p->elf, &i));)
		if (vaddr >= s->vaddr && vaddr < s->vaddr + s->memsz)
			return s;
	return NULL;
}

struct program_page program_page(const struct program *p, uint64_t i, uint32_t *shared)
{
	const struct elf_segment *s = program_segment(p, i);
	struct program_page page = {0};

	if (!s)
		return page;
	page.present = true;
	page.write = s->flags & ELF_WRITE;
	page.execute = s->flags & ELF_EXECUTE;
	if (!page.write)
		page.shared = p->shared + (*shared)++;
	else
		page.filled = p->start + i * PAGE < s->vaddr + s->filesz;
	return page;
}

void program_fill(const struct program *p, uint64_t i, uint8_t *to)
{
	const struct elf_segment *s = program_segment(p, i);
	uint64_t offset = p->start + i * PAGE - s->vaddr;

	if (offset < s->filesz)
		memcpy(to, s->file + offset, s->filesz - offset < PAGE ? s->filesz - offset : PAGE);
}

/* Frames of root's own for all pages that are shared, with their content. */
static bool program_load(struct program *p)
{
	uint32_t count = 0, at = 0;

	for (uint64_t i = 0; i < p->pages; i++) {
		const struct elf_segment *s = program_segment(p, i);

		count += s && !(s->flags & ELF_WRITE);
	}
	p->shared_count = count;
	p->shared = memory_slots_take_range(count);
	if (!p->shared || (!program_account && !(program_account = account_create(0))))
		return false;
	while (at < count) {
		uint32_t n = count - at < MEMORY_SCRATCH ? count - at : MEMORY_SCRATCH;

		if (!account_objects(program_account, seL4_X86_4K, 0, MEMORY_CNODE, p->shared + at, n))
			return false;
		at += n;
	}
	at = 0;
	for (uint64_t i = 0; i < p->pages; i++) {
		struct program_page page = program_page(p, i, &at);
		void *to;

		if (!page.shared)
			continue;
		to = memory_window(0, page.shared, true);
		if (!to)
			return false;
		program_fill(p, i, to);
		memory_window_close(page.shared);
	}
	return true;
}

static const struct program *program_open(struct program *p, const char *name)
{
	struct cpio_entry file;
	enum elf_error e;

	if (cpio_find(program_archive, program_archive_bytes, name, &file) != CPIO_OK)
		return NULL;
	e = elf_open(file.data, file.size, &p->elf);
	if (e != ELF_OK) {
		log_line("root: program %s: %s", name, elf_error_line(e));
		return NULL;
	}
	if (!program_shape(p)) {
		log_line("root: program %s: its segments are not those of a server", name);
		return NULL;
	}
	if (!program_load(p)) {
		log_line("root: program %s: not enough memory", name);
		return NULL;
	}
	strncpy(p->name, name, sizeof(p->name) - 1);
	return p;
}

const struct program *program_find(const char *name)
{
	for (uint32_t i = 0; i < PROGRAMS_MAX; i++) {
		if (!strcmp(programs[i].name, name))
			return &programs[i];
		if (!programs[i].name[0])
			return program_archive && name[0] ? program_open(&programs[i], name) : NULL;
	}
	return NULL;
}
