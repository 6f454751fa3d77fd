#include "servers/domain_manager/fake/machine_fake.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>
#include "proto/task/task.h"
#include "sel4/sel4.h"
#include "servers/domain_manager/domain_heap.h"
#include "servers/domain_manager/page_window.h"
#include "servers/domain_manager/physmap.h"
#include "servers/domain_manager/root_call.h"
#include "user/object.h"
#include "user/slot.h"
#include "user/vspace.h"

static struct cap own[SLOTS];
static bool slot_used[SLOTS];
static struct cnode {
	struct cap *cap;
	uint32_t slots, account;
} cnode[SLOTS];
struct cap *seen[DOMAINS][VIEWS][SPACE];
uint8_t data[PAGES];
uint32_t block_of[BLOCKS];
static uint32_t small_of[SMALL];		/* the same of small objects; a page each, whatever they are */
static bool account_used[ACCOUNTS];
uint64_t reserved[ACCOUNTS];
uint32_t small_blocks[ACCOUNTS];
uint32_t fail_in = UINT32_MAX;

/* ---- what is in the pages, of those that somebody looks into ---- */

static int memory_file;
static uint8_t *memory_all;
static bool memory_used[PAGES];

static void memory_use(uint32_t page, uint32_t pages)
{
	if (!memory_all) {
		memory_file = memfd_create("memory", 0);
		assert_int_equal(ftruncate(memory_file, (off_t)PAGES << 12), 0);
		memory_all = mmap(NULL, (size_t)PAGES << 12, PROT_READ | PROT_WRITE, MAP_SHARED, memory_file, 0);
		assert_ptr_not_equal(memory_all, MAP_FAILED);
	}
	memset(&memory_used[page], true, pages);
}

static void memory_clear(uint32_t page, uint32_t pages)
{
	for (uint32_t i = page; i < page + pages; i++)
		if (memory_used[i]) {
			memory_used[i] = false;
			assert_int_equal(fallocate(memory_file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)i << 12, 4096), 0);
		}
}

uint8_t *memory(uint32_t page)
{
	assert_true(page < PAGES);
	memory_use(page, 1);
	return memory_all + ((size_t)page << 12);
}

static void memory_map(uint64_t at, uint32_t page, uint32_t pages)
{
	void *there;

	memory_use(page, pages);
	there = mmap((void *)at, (size_t)pages << 12, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED_NOREPLACE, memory_file, (off_t)page << 12);
	assert_ptr_equal(there, (void *)at);
}

/* ---- capabilities ---- */

/* Tables for single pages: which one is there, and which of all there ever were still are. Those above them are taken to be there. */
#define TABLES (1u << 20)
static uint32_t table_at[DOMAINS][VIEWS][SPACE / EACH + 1], tables;
static bool table_is[TABLES];
static seL4_Word missing;

static bool has_table(uint32_t domain, unsigned view, uint64_t at)
{
	return table_is[table_at[domain][view][at / EACH]];
}

bool fails(void)
{
	if (fail_in == UINT32_MAX)
		return false;
	return --fail_in == 0 && (fail_in = UINT32_MAX);
}

struct cap *cap_at(seL4_CPtr root, seL4_Word index)
{
	struct cnode *n;

	if (root == TASK_SLOT_CNODE)
		return index < SLOTS ? &own[index] : NULL;
	if (root >= SLOTS || own[root].kind != CNODE)
		return NULL;
	n = &cnode[own[root].page];
	assert_true(index < n->slots);
	return &n->cap[index];
}

static void unmap(struct cap *c)
{
	for (uint32_t i = 0; c->mapped && i < c->pages; i++)
		if (seen[c->domain][c->view][c->at + i] == c)
			seen[c->domain][c->view][c->at + i] = NULL;
	c->mapped = false;
}

static void cap_delete(struct cap *c)
{
	unmap(c);
	if (c->kind == TABLE)
		table_is[c->page] = false;
	if (c->ours)
		assert_int_equal(munmap((void *)c->ours, (size_t)c->pages << 12), 0);
	if (c->kind == CNODE) {
		struct cnode *n = &cnode[c->page];

		for (uint32_t i = 0; i < n->slots; i++)
			cap_delete(&n->cap[i]);
		free(n->cap);
		*n = (struct cnode){0};
	}
	*c = (struct cap){0};
}

static void cap_move(struct cap *to, struct cap *from)
{
	assert_int_equal(to->kind, NOTHING);
	*to = *from;
	for (uint32_t i = 0; to->mapped && i < to->pages; i++)
		if (seen[to->domain][to->view][to->at + i] == from)
			seen[to->domain][to->view][to->at + i] = to;
	*from = (struct cap){0};
}

/* All capabilities to pages of this range. */
static void revoke_in(struct cap *caps, uint32_t n, uint32_t page, uint32_t pages)
{
	for (uint32_t i = 0; i < n; i++)
		if (caps[i].kind == FRAME && caps[i].page >= page && caps[i].page < page + pages)
			cap_delete(&caps[i]);
}

static void revoke_pages(uint32_t page, uint32_t pages)
{
	revoke_in(own, SLOTS, page, pages);
	for (uint32_t i = 0; i < SLOTS; i++)
		revoke_in(cnode[i].cap, cnode[i].slots, page, pages);
}

seL4_Error seL4_CNode_Copy(seL4_CPtr root, seL4_Word index, seL4_Uint8 depth, seL4_CPtr from, seL4_Word from_index, seL4_Uint8 from_depth, seL4_CapRights_t rights)
{
	struct cap *to = cap_at(root, index), *c = cap_at(from, from_index);

	(void)depth, (void)from_depth, (void)rights;
	if (!c || c->kind == NOTHING || fails())
		return seL4_FailedLookup;
	if (to->kind != NOTHING)
		return seL4_DeleteFirst;
	*to = *c;
	to->mapped = false;
	to->ours = 0;
	return seL4_NoError;
}

seL4_Error seL4_CNode_Move(seL4_CPtr root, seL4_Word index, seL4_Uint8 depth, seL4_CPtr from, seL4_Word from_index, seL4_Uint8 from_depth)
{
	struct cap *to = cap_at(root, index), *c = cap_at(from, from_index);

	(void)depth, (void)from_depth;
	if (!c || c->kind == NOTHING)
		return seL4_FailedLookup;
	if (to->kind != NOTHING)
		return seL4_DeleteFirst;
	cap_move(to, c);
	return seL4_NoError;
}

seL4_Error seL4_CNode_Delete(seL4_CPtr root, seL4_Word index, seL4_Uint8 depth)
{
	struct cap *c = cap_at(root, index);

	(void)depth;
	if (!c)
		return seL4_FailedLookup;
	cap_delete(c);
	return seL4_NoError;
}

seL4_Error seL4_Untyped_Retype(seL4_CPtr untyped, seL4_Word type, seL4_Word bits, seL4_CPtr root, seL4_Word node_index, seL4_Word node_depth, seL4_Word offset, seL4_Word n)
{
	struct cap *u = &own[untyped], *to = cap_at(root, offset);
	uint32_t page = u->page, i = 0;

	(void)node_index, (void)node_depth;
	assert_int_equal(n, 1);
	assert_int_equal(u->kind, UNTYPED);
	if (to->kind != NOTHING)
		return seL4_DeleteFirst;
	switch (type) {
	case seL4_CapTableObject:
		while (cnode[i].cap)
			i++;
		cnode[i] = (struct cnode){.cap = calloc(1u << bits, sizeof(struct cap)), .slots = 1u << bits, .account = u->domain};
		*to = (struct cap){.kind = CNODE, .page = i};
		break;
	case seL4_X86_LargePageObject:
		assert_int_equal(u->pages, EACH);
		memset(&data[page], 0, EACH);
		memory_clear(page, EACH);
		*to = (struct cap){.kind = FRAME, .page = page, .pages = EACH};
		break;
	case seL4_X86_4K: {
		/* a page of its own among the small ones */
		uint32_t k = 0;

		while (k < SMALL && small_of[k])
			k++;
		assert_true(k < SMALL);
		small_of[k] = u->domain;
		data[BLOCKS * EACH + k] = 0;
		memory_clear(BLOCKS * EACH + k, 1);
		*to = (struct cap){.kind = FRAME, .page = BLOCKS * EACH + k, .pages = 1};
		break;
	}
	default:
		*to = (struct cap){.kind = TABLE, .page = ++tables};
		assert_true(tables < TABLES);
		break;
	}
	return seL4_NoError;
}

static seL4_Error map(struct cap *c, uint32_t domain, unsigned view, uint64_t at, seL4_CapRights_t rights)
{
	assert_int_equal(c->kind, FRAME);
	assert_true(at + c->pages <= SPACE && at % c->pages == 0);
	if (fails())
		return seL4_NotEnoughMemory;
	if (c->pages == 1 && !has_table(domain, view, at)) {
		missing = 21;
		/* a large page may be there */
		return seen[domain][view][at] ? seL4_DeleteFirst : seL4_FailedLookup;
	}
	if (c->pages > 1 && has_table(domain, view, at))
		return seL4_DeleteFirst;
	unmap(c);
	for (uint32_t i = 0; i < c->pages; i++) {
		struct cap *there = seen[domain][view][at + i];

		/* a page table is in a large one's way, and a large one in a page's */
		if (there && there->pages != c->pages)
			return seL4_DeleteFirst;
		if (there)
			there->mapped = false;
	}
	for (uint32_t i = 0; i < c->pages; i++)
		seen[domain][view][at + i] = c;
	c->domain = domain;
	c->view = view;
	c->at = (uint32_t)at;
	c->write = rights.words[0] & 1;
	c->mapped = true;
	return seL4_NoError;
}

seL4_Error seL4_X86_Page_Map(seL4_CPtr frame, seL4_CPtr vspace, seL4_Word vaddr, seL4_CapRights_t rights, seL4_Word attributes)
{
	(void)attributes;
	return map(&own[frame], (uint32_t)vspace - VSPACE(0), VMM, (vaddr - TASK_RAM_VADDR) >> 12, rights);
}

seL4_Error seL4_X86_Page_MapEPT(seL4_CPtr frame, seL4_CPtr ept, seL4_Word gpa, seL4_CapRights_t rights, seL4_Word attributes)
{
	(void)attributes;
	return map(&own[frame], (uint32_t)ept - EPT_ROOT(0), GUEST, gpa >> 12, rights);
}

#define TABLE_MAP_NEVER(name)                                                                                          \
	seL4_Error name(seL4_CPtr table, seL4_CPtr root, seL4_Word at, seL4_Word attributes)                           \
	{                                                                                                              \
		(void)table, (void)root, (void)at, (void)attributes;                                                   \
		assert_true(false);                                                                                    \
		return seL4_NoError;                                                                                   \
	}
TABLE_MAP_NEVER(seL4_X86_PDPT_Map)
TABLE_MAP_NEVER(seL4_X86_PageDirectory_Map)
TABLE_MAP_NEVER(seL4_X86_EPTPDPT_Map)
TABLE_MAP_NEVER(seL4_X86_EPTPD_Map)

static seL4_Error table_map(struct cap *table, uint32_t domain, unsigned view, uint64_t at)
{
	assert_int_equal(table->kind, TABLE);
	assert_true(at < SPACE && at % EACH == 0 && !has_table(domain, view, at));
	table_at[domain][view][at / EACH] = table->page;
	table_is[table->page] = true;
	return seL4_NoError;
}

seL4_Error seL4_X86_PageTable_Map(seL4_CPtr table, seL4_CPtr vspace, seL4_Word vaddr, seL4_Word attributes)
{
	(void)attributes;
	return table_map(&own[table], (uint32_t)vspace - VSPACE(0), VMM, (vaddr - TASK_RAM_VADDR) >> 12);
}

seL4_Error seL4_X86_EPTPT_Map(seL4_CPtr table, seL4_CPtr ept, seL4_Word gpa, seL4_Word attributes)
{
	(void)attributes;
	return table_map(&own[table], (uint32_t)ept - EPT_ROOT(0), GUEST, gpa >> 12);
}

seL4_Word seL4_GetMR(int i)
{
	assert_int_equal(i, 2);
	return missing;
}

insula_Frame_Split_t insula_Frame_Split(seL4_CPtr frame, seL4_CPtr root, seL4_Word node_index, seL4_Word node_depth, seL4_Word offset, seL4_CPtr table)
{
	struct cap large = own[frame];

	(void)node_index, (void)node_depth;
	assert_int_equal(large.kind, FRAME);
	assert_int_equal(large.pages, EACH);
	assert_true(!large.mapped || own[table].kind == TABLE);
	if (large.mapped)
		(void)table_map(&own[table], large.domain, large.view, large.at);
	own[frame] = (struct cap){0};
	for (uint32_t i = 0; i < EACH; i++) {
		struct cap *to = cap_at(root, offset + i);

		assert_int_equal(to->kind, NOTHING);
		*to = (struct cap){.kind = FRAME, .page = large.page + i, .pages = 1, .domain = large.domain, .view = large.view, .at = large.at + i, .mapped = large.mapped, .write = large.write};
		if (large.mapped)
			seen[large.domain][large.view][large.at + i] = to;
	}
	return (insula_Frame_Split_t){0};
}

seL4_Error insula_Frame_Derive(seL4_CPtr frame, seL4_CPtr root, seL4_Word index, seL4_Uint8 depth, seL4_CapRights_t rights, seL4_Word offset, seL4_Word bits)
{
	struct cap *c = &own[frame], *to = cap_at(root, index);

	(void)depth, (void)rights, (void)bits;
	assert_int_equal(c->kind, FRAME);
	if (to->kind != NOTHING)
		return seL4_DeleteFirst;
	assert_true(offset >> 12 < c->pages);
	*to = (struct cap){.kind = FRAME, .page = c->page + (uint32_t)(offset >> 12), .pages = 1};
	return seL4_NoError;
}

seL4_Error insula_Frame_DeriveEPT(seL4_CPtr frame, seL4_CPtr root, seL4_Word index, seL4_Uint8 depth, seL4_CapRights_t rights, seL4_Word offset, seL4_Word bits, seL4_CPtr ept,
				  seL4_Word gpa, seL4_Word attributes)
{
	seL4_Error e = insula_Frame_Derive(frame, root, index, depth, rights, offset, bits);

	(void)attributes;
	if (!e) {
		e = map(cap_at(root, index), (uint32_t)ept - EPT_ROOT(0), GUEST, gpa >> 12, rights);
		if (e)
			cap_delete(cap_at(root, index));
	}
	return e;
}

/* ---- root, and the domain manager's own ---- */

seL4_CPtr slot_alloc(void)
{
	for (uint32_t i = 100; i < 1000; i++)
		if (!slot_used[i]) {
			slot_used[i] = true;
			return i;
		}
	return 0;
}

void slot_free(seL4_CPtr slot)
{
	assert_true(slot_used[slot] && own[slot].kind == NOTHING);
	slot_used[slot] = false;
}

unsigned object_size_bits(seL4_Word type, unsigned bits)
{
	return type == seL4_CapTableObject ? bits + seL4_SlotBits : type == seL4_X86_LargePageObject ? 21 : 12;
}

uint64_t free_blocks(void)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < BLOCKS; i++)
		n += !block_of[i];
	return n;
}

uint64_t reserved_all(void)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < ACCOUNTS; i++)
		n += reserved[i];
	return n;
}

int root_account_create(uint32_t *account)
{
	for (*account = 1; account_used[*account]; ++*account)
		;
	account_used[*account] = true;
	return 0;
}

int root_account_alloc_block(uint32_t account, unsigned bits, uint32_t slot, uint64_t *block)
{
	uint64_t all = free_blocks() << 21;

	assert_int_equal(own[slot].kind, NOTHING);
	if (fails())
		return -ENOMEM;
	*block = SMALL_BLOCK;
	if (bits < 21) {
		small_blocks[account]++;
		own[slot] = (struct cap){.kind = UNTYPED, .domain = account, .pages = 1};
		return 0;
	}
	assert_int_equal(bits, 21);
	if (all < (1u << 21) || all - (1u << 21) + reserved[account] < reserved_all())
		return -ENOMEM;
	for (uint32_t i = 0; i < BLOCKS; i++)
		if (!block_of[i]) {
			block_of[i] = account;
			own[slot] = (struct cap){.kind = UNTYPED, .domain = account, .page = i * EACH, .pages = EACH};
			*block = i + 1;
			return 0;
		}
	return -ENOMEM;
}

int root_account_alloc(uint32_t account, unsigned bits, uint32_t slot)
{
	uint64_t block;

	return root_account_alloc_block(account, bits, slot, &block);
}

int root_account_return(uint32_t account, uint64_t block)
{
	if (block == SMALL_BLOCK) {
		assert_true(small_blocks[account]-- > 0);
		return 0;
	}
	assert_true(block >= 1 && block <= BLOCKS);
	assert_int_equal(block_of[block - 1], account);
	revoke_pages((uint32_t)(block - 1) * EACH, EACH);
	block_of[block - 1] = 0;
	return 0;
}

int root_account_move(uint32_t account, uint64_t block, uint32_t to)
{
	assert_true(block >= 1 && block <= BLOCKS);
	assert_int_equal(block_of[block - 1], account);
	block_of[block - 1] = to;
	return 0;
}

int root_account_reserve(uint32_t account, uint64_t bytes)
{
	if (bytes > reserved[account] && reserved_all() - reserved[account] + bytes > free_blocks() << 21)
		return -ENOMEM;
	reserved[account] = bytes;
	return 0;
}

int root_account_free(uint32_t account)
{
	for (uint32_t i = 0; i < BLOCKS; i++)
		if (block_of[i] == account)
			(void)root_account_return(account, i + 1);
	for (uint32_t k = 0; k < SMALL; k++)
		if (small_of[k] == account) {
			revoke_pages(BLOCKS * EACH + k, 1);
			small_of[k] = 0;
		}
	for (uint32_t i = 0; i < SLOTS; i++)
		if (own[i].kind == CNODE && cnode[own[i].page].account == account)
			cap_delete(&own[i]);
	reserved[account] = small_blocks[account] = 0;
	account_used[account] = false;
	return 0;
}

int root_info(uint64_t info[ROOT_INFO_WORDS])
{
	memset(info, 0, ROOT_INFO_WORDS * sizeof(info[0]));
	return 0;
}

int vspace_map(seL4_CPtr frame, uint64_t vaddr, bool write, bool execute)
{
	(void)execute;
	assert_true(write && own[frame].kind == FRAME && !own[frame].mapped && !own[frame].ours);
	assert_int_equal(vaddr % ((uint64_t)own[frame].pages << 12), 0);
	for (uint32_t i = 0; i < own[frame].pages; i++)
		assert_int_equal(page_of_ours((const uint8_t *)(vaddr + ((uint64_t)i << 12))), UINT32_MAX);
	if (fails())
		return -ENOMEM;
	memory_map(vaddr, own[frame].page, own[frame].pages);
	own[frame].ours = vaddr;
	return 0;
}

uint32_t page_of_ours(const uint8_t *at)
{
	for (uint32_t i = 0; i < SLOTS; i++)
		if (own[i].ours && (uint64_t)at >= own[i].ours && (uint64_t)at < own[i].ours + ((uint64_t)own[i].pages << 12))
			return own[i].page + (uint32_t)(((uint64_t)at - own[i].ours) >> 12);
	return UINT32_MAX;
}

int page_window_zero(uint32_t slot)
{
	assert_true(own[slot].kind == FRAME && own[slot].pages == 1);
	data[own[slot].page] = 0;
	memory_clear(own[slot].page, 1);
	return 0;
}

static int heap_more(struct domain_heap *h, uint8_t *at, uint64_t bytes)
{
	(void)h, (void)at, (void)bytes;
	return fails() ? -ENOMEM : 0;
}

static uint8_t stretch[DOMAINS + 1][DOMAIN_HEAP_MAX] __attribute__((aligned(16)));

void heap_begin(struct domain_heap *h, uint32_t n)
{
	domain_heap_init(h, stretch[n], heap_more);
}

void domain_heap_begin(struct domain_heap *h, unsigned n)
{
	(void)n;
	heap_begin(h, DOMAINS);
}

uint32_t page_at(uint32_t domain, unsigned view, uint64_t at)
{
	const struct cap *c = at < SPACE ? seen[domain][view][at] : NULL;

	return c ? c->page + (uint32_t)at - c->at : UINT32_MAX;
}

uint32_t nowhere_page(const struct physmap *m)
{
	struct frame_place p;

	if (m->nowhere == UINT32_MAX)
		return UINT32_MAX;
	p = frame_store_place(&m->frames, m->nowhere, FRAME_OWNER);
	return cap_at(p.root, p.index)->page;
}

uint32_t pick(uint32_t n)
{
	return (uint32_t)rand() % n;
}
