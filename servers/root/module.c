/* Boot modules. See module.h. */
#include "servers/root/module.h"

#include <errno.h>
#include <string.h>
#include "servers/root/task_create.h"
#include "user/log.h"

#define PAGE         4096ull
#define LARGE        (1ull << seL4_LargePageBits)
#define ARCHIVE_NAME "insula-servers"
#define FAN_OUT      MEMORY_SCRATCH

static struct module modules[BOOTINFO_MODULES];
static uint32_t module_total;
static struct account *module_account;

/* ---- names ---- */

/* Multiboot 1 strings begin with the file's name, multiboot 2 strings do not, and nothing says which it was: a first word without `=` is a name. */
static bool module_file_name_first(const char *string)
{
	struct cmdline_word w;
	char text[CMDLINE_NAME];

	return cmdline_next(&string, &w) && !w.value && !(cmdline_text(&w, text, sizeof(text)) && !strcmp(text, "placeholder"));
}

static void module_name(struct module *m, const char *string, uint32_t order)
{
	if (!cmdline_module(string, module_file_name_first(string), order, m->name, m->args, sizeof(m->args)))
		log_line("root: the arguments of boot module %s are too long and were cut", m->name);
}

/* ---- the old place ---- */

/*
 * The module's memory piece by piece, in order: an Untyped becomes up to FAN_OUT frames at a time in scratch slots. One frame is held until all are
 * read: an Untyped without children would begin anew, without the content.
 */
struct module_source {
	uint64_t slot, end, paddr;
	seL4_CPtr frame; /* the open one; 0 */
	const uint8_t *at;
	uint64_t left;
	uint32_t next, made;
	uint64_t untyped_left; /* bytes of the Untyped that are not frames yet */
	unsigned bits;
	seL4_CPtr hold, to; /* slots: of that frame, and of the frame that is written */
};

static void module_source_close(struct module_source *s)
{
	if (s->frame)
		memory_window_close(s->frame);
	s->frame = 0;
}

/* All frames of the Untyped were read: its memory is RAM as any other. */
static void module_source_release(struct module_source *s, uint64_t bytes)
{
	module_source_close(s);
	(void)seL4_CNode_Revoke(MEMORY_CNODE, s->slot, MEMORY_DEPTH);
	memory_add(s->slot, s->paddr, 63u - (unsigned)__builtin_clzll(bytes));
	s->paddr += bytes;
	s->slot++;
	s->made = s->next = 0;
}

/* Untypeds cover exactly [paddr, end): what is left and the alignment give each one's size. */
static uint64_t module_block(uint64_t paddr, uint64_t end)
{
	uint64_t size = 1ull << (63 - __builtin_clzll(end - paddr)), aligned = paddr & -paddr;

	return aligned && aligned < size ? aligned : size;
}

static bool module_source_frames(struct module_source *s, uint64_t block)
{
	uint64_t count;

	s->bits = block >= LARGE ? seL4_LargePageBits : seL4_PageBits;
	count = s->untyped_left >> s->bits;
	s->made = count < FAN_OUT ? (uint32_t)count : FAN_OUT;
	s->next = 0;
	s->untyped_left -= (uint64_t)s->made << s->bits;
	return seL4_Untyped_Retype(s->slot, block >= LARGE ? seL4_X86_LargePageObject : seL4_X86_4K, 0, MEMORY_CNODE, 0, 0, memory_scratch(),
				   s->made) == seL4_NoError;
}

/* Opens the next frame for reading. */
static bool module_source_open(struct module_source *s)
{
	uint64_t block = module_block(s->paddr, s->end);

	module_source_close(s);
	if (s->next == s->made) {
		if (s->made) {
			(void)seL4_CNode_Move(MEMORY_CNODE, s->hold, MEMORY_DEPTH, MEMORY_CNODE, memory_scratch(), MEMORY_DEPTH);
			memory_scratch_clear(s->made);
			if (s->untyped_left == 0) {
				module_source_release(s, block);
				if (s->paddr == s->end)
					return false;
				block = module_block(s->paddr, s->end);
				s->untyped_left = block;
			}
		} else {
			s->untyped_left = block;
		}
		if (!module_source_frames(s, block))
			return false;
	}
	s->frame = memory_scratch() + s->next++;
	s->at = memory_window(1, s->frame, false);
	s->left = 1ull << s->bits;
	return s->at != NULL;
}

static void module_source_end(struct module_source *s)
{
	module_source_close(s);
	memory_scratch_clear(s->made);
	while (s->paddr < s->end)
		module_source_release(s, module_block(s->paddr, s->end));
}

static bool module_copy(struct module_source *s, uint8_t *to, uint64_t n)
{
	while (n) {
		uint64_t now;

		if (s->left == 0 && !module_source_open(s))
			return false;
		now = n < s->left ? n : s->left;
		memcpy(to, s->at, now);
		to += now;
		s->at += now;
		s->left -= now;
		n -= now;
	}
	return true;
}

/* ---- the new place ---- */

static bool module_room(struct module *m)
{
	uint64_t pages = (m->bytes + PAGE - 1) / PAGE;

	m->large = (uint32_t)(pages * PAGE / LARGE);
	m->small = (uint32_t)(pages - m->large * (LARGE / PAGE));
	for (m->radix = 1; 1ull << m->radix < (uint64_t)m->large + m->small; m->radix++)
		;
	m->frames = memory_slot_take();
	return m->frames && account_objects(module_account, seL4_CapTableObject, m->radix, MEMORY_CNODE, m->frames, 1) &&
	       account_objects(module_account, seL4_X86_LargePageObject, 0, m->frames, 0, m->large) &&
	       account_objects(module_account, seL4_X86_4K, 0, m->frames, m->large, m->small);
}

static bool module_frame_copy(const struct module *m, uint32_t i, seL4_CPtr slot, seL4_CapRights_t rights)
{
	return seL4_CNode_Copy(MEMORY_CNODE, slot, MEMORY_DEPTH, m->frames, i, (seL4_Uint8)m->radix, rights) == seL4_NoError;
}

static bool module_fill(const struct module *m, struct module_source *s, uint32_t i, uint64_t bytes)
{
	uint8_t *to = module_frame_copy(m, i, s->to, seL4_ReadWrite) ? memory_window(2, s->to, true) : NULL;
	bool ok = to && module_copy(s, to, bytes);

	(void)seL4_CNode_Delete(MEMORY_CNODE, s->to, MEMORY_DEPTH);
	return ok;
}

static bool module_take(struct module *m, const struct insula_bi_module *b)
{
	struct module_source s = {.slot = b->untyped_start, .paddr = b->paddr, .end = (b->paddr + b->bytes + PAGE - 1) & ~(PAGE - 1)};
	uint64_t left = b->bytes;
	bool ok;

	s.hold = memory_slot_take();
	s.to = memory_slot_take();
	ok = s.hold && s.to && module_room(m);
	for (uint32_t i = 0; ok && i < m->large + m->small; i++) {
		uint64_t size = i < m->large ? LARGE : PAGE, now = left < size ? left : size;

		ok = module_fill(m, &s, i, now);
		left -= now;
	}
	module_source_end(&s);
	memory_slot_release(s.hold);
	memory_slot_release(s.to);
	return ok;
}

static bool module_is_archive(const struct insula_bi_module *b)
{
	struct cmdline_word w;
	char text[CMDLINE_NAME];

	return cmdline_find(b->string, "name", &w) && cmdline_value(&w, text, sizeof(text)) && !strcmp(text, ARCHIVE_NAME);
}

void module_begin(const struct bootinfo *b)
{
	module_account = account_create(0);
	for (uint32_t i = 0; i < b->module_count; i++) {
		struct module *m = &modules[module_total];

		if (module_is_archive(b->module[i]))
			continue;
		module_name(m, b->module[i]->string, module_total + 1);
		m->bytes = b->module[i]->bytes;
		if (m->bytes && !module_take(m, b->module[i])) {
			log_line("root: boot module %s: not enough memory", m->name);
			m->bytes = 0;
		}
		log_line("root: boot module %s: %llu KiB", m->name, (unsigned long long)(m->bytes + 1023) / 1024);
		module_total++;
	}
	if (b->modules_dropped)
		log_line("root: %u boot modules more than I can take", b->modules_dropped);
}

const uint8_t *module_archive(const struct bootinfo *b, uint64_t *bytes)
{
	for (uint32_t i = 0; i < b->module_count; i++) {
		const struct insula_bi_module *m = b->module[i];
		uint64_t end = (m->paddr + m->bytes + PAGE - 1) & ~(PAGE - 1), vaddr = MEMORY_ARCHIVE_VADDR;

		if (!module_is_archive(m))
			continue;
		for (uint64_t slot = m->untyped_start, at = m->paddr; at < end; slot++) {
			uint64_t block = module_block(at, end);
			uint32_t pages = (uint32_t)(block / PAGE);

			for (uint32_t done = 0, now; done < pages; done += now) {
				seL4_CPtr first;

				now = pages - done < FAN_OUT ? pages - done : FAN_OUT;
				first = memory_slots_take_range(now);
				if (!first || seL4_Untyped_Retype(slot, seL4_X86_4K, 0, MEMORY_CNODE, 0, 0, first, now) != seL4_NoError)
					return NULL;
				for (uint32_t p = 0; p < now; p++, vaddr += PAGE)
					if (!memory_map(first + p, vaddr, false))
						return NULL;
			}
			at += block;
		}
		*bytes = m->bytes;
		return (const uint8_t *)MEMORY_ARCHIVE_VADDR;
	}
	return NULL;
}

uint32_t module_count(void)
{
	return module_total;
}

const struct module *module_get(uint64_t n)
{
	return n < module_total ? &modules[n] : NULL;
}

uint64_t module_bytes(void)
{
	return module_account ? module_account->bytes : 0;
}

/* ---- in a task ---- */

/* The task's own copies of the frames lie in a CNode of their own, which goes to its store. */
int module_map(struct task *t, const struct module *m)
{
	uint64_t vaddr = TASK_MODULE_VADDR + ((uint64_t)t->modules << 32);
	seL4_CPtr frame = memory_scratch(), copies = memory_scratch() + 1;
	bool ok;

	if (t->modules == TASK_MODULES || m->bytes > 1ull << 32)
		return -EINVAL;
	t->modules++;
	if (m->bytes == 0)
		return 0;
	ok = account_objects(t->account, seL4_CapTableObject, m->radix, MEMORY_CNODE, copies, 1);
	for (uint32_t i = 0; ok && i < m->large + m->small; i++) {
		ok = module_frame_copy(m, i, frame, seL4_CanRead) &&
		     task_map_frame(t, frame, vaddr, seL4_CanRead, insula_X86_ExecuteNever) == 0 &&
		     seL4_CNode_Move(copies, i, (seL4_Uint8)m->radix, MEMORY_CNODE, frame, MEMORY_DEPTH) == seL4_NoError;
		vaddr += i < m->large ? LARGE : PAGE;
	}
	ok = ok && task_keep_cap(t, copies);
	memory_scratch_clear(2);
	return ok ? 0 : -ENOMEM;
}
