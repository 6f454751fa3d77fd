/*
 * The memory of three domains against a machine of pages: whatever they populate, give back, map of each other and leave behind, in any order and with memory running
 * out, no page is two domains' at a time, none comes to a domain with what another left in it, and all of it is free in the end.
 */
// cflags: -iquote servers/domain_manager/fake/include -D__XEN_TOOLS__ -std=gnu11
// links: servers/domain_manager/fake/machine_fake.c servers/domain_manager/physmap_balloon.c servers/domain_manager/physmap_foreign.c servers/domain_manager/physmap_map.c servers/domain_manager/physmap_pod.c
// links: servers/domain_manager/physmap_single.c servers/domain_manager/physmap_window.c servers/domain_manager/frame_store.c servers/domain_manager/object_pool.c servers/domain_manager/page_pool.c
// links: servers/domain_manager/page_store.c servers/domain_manager/p2m.c servers/domain_manager/pod_cache.c servers/domain_manager/domain_heap.c user/heap.c
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "sel4/sel4.h"
#include "servers/domain_manager/fake/machine_fake.h"
#include "servers/domain_manager/page_store.h"
#include "servers/domain_manager/physmap_private.h"
#include "servers/domain_manager/root_call.h"

/* ---- the domains ---- */

static struct domain_memory {
	struct physmap m;
	struct domain_heap heap;
	uint32_t account, foreign; /* pages of others that it has */
} domain[DOMAINS];

static void begin(uint32_t i)
{
	struct domain_memory *d = &domain[i];

	heap_begin(&d->heap, i);
	domain_heap_allow(&d->heap, GFNS);
	(void)root_account_create(&d->account);
	assert_int_equal(physmap_init(&d->m, &d->heap, d->account, EPT_ROOT(i), VSPACE(i)), 0);
	d->m.most = GFNS + 1024;
}

static void foreign_out(uint32_t i, uint64_t at)
{
	uint16_t owner;

	if (physmap_remove_foreign(&domain[i].m, at, &owner))
		return;
	assert_true(domain[owner].m.foreign_elsewhere-- > 0);
	domain[i].foreign--;
}

/* As domain_release does. */
static void end(uint32_t i)
{
	struct domain_memory *d = &domain[i];

	for (uint64_t at = GFNS; at < SPACE; at++)
		foreign_out(i, at);
	assert_int_equal(d->m.foreign_elsewhere, 0);
	physmap_release(&d->m);
	assert_int_equal(d->m.singles, 0);
	(void)root_account_free(d->account);
	physmap_end(&d->m);
	memset(d, 0, sizeof(*d));
	for (unsigned view = 0; view < VIEWS; view++)
		for (uint32_t at = 0; at < SPACE; at++)
			assert_null(seen[i][view][at]);
}

static uint8_t owner_of[PAGES]; /* 1 and a domain's number */

/* Its own memory: guest and vmm find the same page, which is nobody else's; where there is none the guest finds nothing, and the vmm nothing of anybody's. */
static void check_own(uint32_t i)
{
	uint32_t nowhere = nowhere_page(&domain[i].m);
	uint64_t singles = 0;

	for (uint32_t at = 0; at < GFNS; at++) {
		struct p2m_entry e = p2m_get(&domain[i].m.p2m, at);
		uint32_t page = page_at(i, GUEST, at), vmm = page_at(i, VMM, at);

		singles += (e.kind == P2M_RAM || e.kind == P2M_OUT) && !e.large && frame_store_is_single(&domain[i].m.frames, e.frame);
		if (e.kind == P2M_RAM) {
			assert_true(page < PAGES);
			assert_int_equal(page, vmm);
			assert_int_equal(owner_of[page], 0);
			owner_of[page] = (uint8_t)(i + 1);
			assert_true(data[page] == 0 || data[page] == i + 1);
			continue;
		}
		assert_int_equal(page, UINT32_MAX);
		assert_true(vmm == UINT32_MAX || vmm == nowhere);
	}
	assert_int_equal(domain[i].m.singles, singles);
}

static void check_foreign(uint32_t i)
{
	for (uint32_t at = GFNS; at < SPACE; at++) {
		struct p2m_entry e = p2m_get(&domain[i].m.p2m, at);
		uint32_t page = page_at(i, GUEST, at);
		struct physmap_source s;
		enum p2m_kind kind;

		assert_int_equal(page_at(i, VMM, at), UINT32_MAX);
		assert_int_equal(page == UINT32_MAX, e.kind == P2M_NONE);
		if (e.kind == P2M_NONE)
			continue;
		s = domain[i].m.source[e.frame / FRAME_CHUNK][e.frame % FRAME_CHUNK];
		kind = p2m_get(&s.from->p2m, s.gfn).kind;
		/* the page that the owner has there, or gave back: then nobody has it as long as we do */
		assert_true(kind == P2M_RAM ? page_at(s.owner, GUEST, (uint32_t)s.gfn) == page : kind == P2M_OUT && owner_of[page] == 0);
		assert_true(data[page] == 0 || data[page] == s.owner + 1);
	}
}

static void check(void)
{
	uint64_t blocks = 0, singles = 0;

	memset(owner_of, 0, sizeof(owner_of));
	for (uint32_t i = 0; i < DOMAINS; i++)
		check_own(i);
	for (uint32_t i = 0; i < DOMAINS; i++)
		check_foreign(i);
	for (uint32_t b = 0; b < BLOCKS; b++)
		blocks += block_of[b] == 0;
	for (uint32_t i = 0; i < DOMAINS; i++) {
		singles += domain[i].m.singles;
		for (uint32_t b = 0; b < BLOCKS; b++)
			blocks += block_of[b] == domain[i].account;
		assert_int_equal(domain[i].m.kept + domain[i].m.promised, domain[i].m.pod_cache + domain[i].m.claim);
		assert_int_equal(domain[i].m.kept << PAGE_BITS, reserved[domain[i].account]);
	}
	/* what is neither root's nor a domain's large frame is the store's: free, or one of a domain's single pages */
	assert_true(page_store_open() + singles <= (BLOCKS - blocks) * EACH);
	assert_true(page_store_open() + singles + domain[0].m.promised + domain[1].m.promised + domain[2].m.promised == (BLOCKS - blocks) * EACH);
}

/* ---- what they do ---- */

/* Next to the last place, somewhere, or in the first 2 MiB. */
static uint32_t somewhere(void)
{
	static uint32_t last;

	last = pick(3) ? (last + 1) % GFNS : pick(pick(2) ? GFNS : 64);
	return last;
}

static void write_some(uint32_t i)
{
	for (uint32_t k = 0; k < 64; k++) {
		uint32_t page = page_at(i, GUEST, pick(GFNS));

		if (page != UINT32_MAX)
			data[page] = (uint8_t)(i + 1);
	}
}

/* A page that comes is cleared, but where it was held. */
static void comes(uint32_t i, uint32_t gfn, int (*how)(struct physmap *m, uint64_t gfn))
{
	enum p2m_kind before = p2m_get(&domain[i].m.p2m, gfn).kind;
	int r = how(&domain[i].m, gfn);

	if (!r && before != P2M_RAM && before != P2M_OUT && p2m_get(&domain[i].m.p2m, gfn).kind == P2M_RAM)
		assert_int_equal(data[page_at(i, GUEST, gfn)], 0);
}

static int populate_single(struct physmap *m, uint64_t gfn)
{
	return physmap_populate(m, gfn, 0);
}

static int populate_two_mib(struct physmap *m, uint64_t gfn)
{
	int r = physmap_may_be_large(m) ? physmap_populate(m, gfn & ~511ull, P2M_LARGE_ORDER) : -ENOMEM;

	for (uint32_t k = 0; !r && k < EACH; k++)
		assert_int_equal(data[page_at((uint32_t)(m->slot_ept - EPT_ROOT(0)), GUEST, (uint32_t)(gfn & ~511ull) + k)], 0);
	return r;
}

static void foreign_in(uint32_t i)
{
	uint32_t of = (i + 1 + pick(DOMAINS - 1)) % DOMAINS;

	if (physmap_foreign(&domain[i].m, GFNS + pick(FOREIGN), &domain[of].m, pick(GFNS), pick(2), (uint16_t)of))
		return;
	domain[of].m.foreign_elsewhere++;
	domain[i].foreign++;
}

/* Some pages of two domains, as a copy looks at them: what we find is what the guest has there. */
static void look(uint32_t i)
{
	uint32_t of[PHYSMAP_SIDES] = {i, pick(DOMAINS)}, gfn[PHYSMAP_SIDES];
	uint8_t *at[PHYSMAP_SIDES];
	unsigned found = 0;

	for (unsigned side = 0; side < PHYSMAP_SIDES; side++) {
		struct physmap *m = &domain[of[side]].m;

		gfn[side] = somewhere();
		found += !physmap_look(m, gfn[side], side, &at[side]);
		(void)physmap_keep(m, 0);
	}
	for (unsigned side = 0; found == PHYSMAP_SIDES && side < PHYSMAP_SIDES; side++)
		assert_int_equal(page_of_ours(at[side]), page_at(of[side], GUEST, gfn[side]));
}

static void keep_something(uint32_t i)
{
	struct physmap *m = &domain[i].m;

	if (pick(2)) {
		(void)physmap_pod_target(m, pick(GFNS), GFNS);
		return;
	}
	m->claim = pick(2) ? pick(2048) : 0;
	if (physmap_keep(m, pick(2) ? P2M_LARGE_ORDER : 0)) {
		m->claim = 0;
		assert_int_equal(physmap_keep(m, 0), 0);
	}
}

/* What is kept is there to be had, whatever the others take meanwhile. */
static void kept_comes(uint32_t i)
{
	struct physmap *m = &domain[i].m;
	uint64_t claim = m->claim;

	for (uint32_t gfn = 0; gfn < GFNS && claim && m->claim == claim; gfn++) {
		if (p2m_get(&m->p2m, gfn).kind != P2M_NONE)
			continue;
		claim = --m->claim;
		assert_int_equal(physmap_keep(m, 0), 0);
		assert_int_equal(physmap_populate(m, gfn, 0), 0);
		claim = 0;
	}
}

static void step(uint32_t i)
{
	struct physmap *m = &domain[i].m;
	uint32_t gfn = somewhere();

	switch (pick(18)) {
	case 0:
		comes(i, gfn, populate_two_mib);
		break;
	case 1:
	case 2:
		comes(i, gfn, populate_single);
		break;
	case 3:
	case 4:
	case 5:
	case 6:
		(void)physmap_out(m, gfn);
		break;
	case 7:
	case 8:
	case 9:
		comes(i, gfn, physmap_in);
		break;
	case 10:
		foreign_in(i);
		break;
	case 11:
		foreign_out(i, GFNS + pick(FOREIGN));
		break;
	case 12:
		(void)physmap_pod_mark(m, pick(8) ? gfn : gfn & ~511u, pick(8) ? 0 : P2M_LARGE_ORDER);
		break;
	case 13:
		comes(i, gfn, physmap_pod_need);
		break;
	case 14:
		(void)physmap_remove(m, gfn);
		break;
	case 15:
	case 16:
		look(i);
		break;
	default:
		write_some(i);
		break;
	}
	/* domain_pages_changed */
	(void)physmap_keep(m, 0);
}

static void everything_ends(void)
{
	for (uint32_t i = 0; i < DOMAINS; i++)
		for (uint64_t at = GFNS; at < SPACE; at++)
			foreign_out(i, at);
	for (uint32_t i = 0; i < DOMAINS; i++)
		end(i);
	assert_int_equal(free_blocks(), BLOCKS);
	assert_int_equal(page_store_open(), 0);
	assert_int_equal(reserved_all(), 0);
	for (uint32_t i = 0; i < ACCOUNTS; i++)
		assert_int_equal(small_blocks[i], 0);
}

static void many_steps(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 6; seed++) {
		srand(seed);
		for (uint32_t i = 0; i < DOMAINS; i++)
			begin(i);
		for (unsigned n = 0; n < 20000; n++) {
			uint32_t i = pick(DOMAINS);

			step(i);
			if (pick(200) == 0)
				keep_something(i);
			if (pick(50) == 0)
				kept_comes(i);
			if (n % 100 == 0)
				check();
			if (pick(3000) == 0 && domain[i].m.foreign_elsewhere == 0) {
				end(i);
				begin(i);
			}
		}
		check();
		everything_ends();
	}
}

/* What can fail does, once here and there: nothing is lost, and nobody has anybody's. */
static void something_fails(void **state)
{
	(void)state;
	for (unsigned seed = 0; seed < 60; seed++) {
		srand(seed);
		for (uint32_t i = 0; i < DOMAINS; i++) {
			begin(i);
			assert_int_equal(physmap_populate(&domain[i].m, 0, P2M_LARGE_ORDER), 0);
		}
		for (unsigned n = 0; n < 2000; n++) {
			fail_in = pick(3) ? pick(12) + 1 : UINT32_MAX;
			step(pick(DOMAINS));
			fail_in = UINT32_MAX;
			if (n % 50 == 0)
				check();
		}
		check();
		everything_ends();
	}
}

/* Every second page of one is another's, and comes back. */
static void every_second_page(void **state)
{
	uint64_t open;

	(void)state;
	for (uint32_t i = 0; i < DOMAINS; i++)
		begin(i);
	for (uint32_t gfn = 0; gfn < GFNS; gfn += EACH)
		assert_int_equal(physmap_populate(&domain[0].m, gfn, P2M_LARGE_ORDER), 0);
	write_some(0);
	for (uint32_t gfn = 1; gfn < GFNS; gfn += 2)
		assert_int_equal(physmap_out(&domain[0].m, gfn), 0);
	assert_int_equal(page_store_open(), GFNS / 2);
	open = free_blocks();
	for (uint32_t gfn = 0; gfn < GFNS / 2; gfn++)
		comes(1, gfn, populate_single);
	assert_int_equal(domain[1].m.p2m.pages[P2M_RAM], GFNS / 2);
	assert_int_equal(page_store_open(), 0);
	assert_int_equal(free_blocks(), open);
	check();
	/* the first one ends: its halves of the blocks are free */
	end(0);
	begin(0);
	assert_int_equal(page_store_open(), GFNS / 2);
	check();
	for (uint32_t gfn = 0; gfn < GFNS / 2; gfn++)
		assert_int_equal(physmap_out(&domain[1].m, gfn), 0);
	assert_int_equal(page_store_open(), 0);
	assert_int_equal(free_blocks(), BLOCKS);
	everything_ends();
}

/* Without room for what is noted nothing changes, however far it got; with it, it goes. */
static void no_room_for_notes(void **state)
{
	struct physmap *m = &domain[0].m;
	static void *piece[DOMAIN_HEAP_MAX / 256];
	uint32_t n = 0, chunks;
	int r;

	(void)state;
	for (uint32_t i = 0; i < DOMAINS; i++)
		begin(i);
	assert_int_equal(physmap_populate(m, 0, P2M_LARGE_ORDER), 0);
	chunks = m->frames.chunks;
	while ((piece[n] = domain_heap_alloc(&domain[0].heap, 1, 256)))
		n++;
	do {
		domain_heap_free(&domain[0].heap, piece[--n]);
		r = physmap_out(m, 7);
		assert_true(r == 0 || r == -ENOMEM);
		assert_int_equal(p2m_get(&m->p2m, 7).large, r != 0);
		check();
	} while (r);
	assert_int_equal(m->frames.chunks, chunks + 1);
	everything_ends();
}

/* Whatever numbers the frames of two domains have, a copy's two sides are there together. */
static void both_sides(void **state)
{
	static const uint32_t gfn[PHYSMAP_SIDES] = {3, 5};
	uint8_t *at[PHYSMAP_SIDES];

	(void)state;
	for (uint32_t i = 0; i < DOMAINS; i++)
		begin(i);
	assert_int_equal(physmap_populate(&domain[1].m, 0, P2M_LARGE_ORDER), 0);
	for (uint32_t taken = 0; taken < 400; taken++) {
		uint32_t frame;

		for (uint32_t k = 0; k < taken; k++)
			assert_int_equal(frame_store_take(&domain[0].m.frames, &frame), 0);
		assert_int_equal(physmap_populate(&domain[0].m, 0, P2M_LARGE_ORDER), 0);
		for (unsigned side = 0; side < PHYSMAP_SIDES; side++)
			assert_int_equal(physmap_look(&domain[side].m, gfn[side], side, &at[side]), 0);
		for (unsigned side = 0; side < PHYSMAP_SIDES; side++)
			assert_int_equal(page_of_ours(at[side]), page_at(side, GUEST, gfn[side]));
		end(0);
		begin(0);
	}
	everything_ends();
}

/* Two domains' frames of one number, in whatever accounts they are. */
static void one_number(void **state)
{
	uint32_t burnt[ACCOUNTS], n = 0;
	uint8_t *at;

	(void)state;
	for (uint32_t i = 0; i < DOMAINS; i++)
		begin(i);
	assert_int_equal(physmap_populate(&domain[0].m, 0, P2M_LARGE_ORDER), 0);
	while (n < ACCOUNTS - 8) {
		assert_int_equal(physmap_populate(&domain[1].m, 0, P2M_LARGE_ORDER), 0);
		assert_int_equal(p2m_get(&domain[0].m.p2m, 0).frame, p2m_get(&domain[1].m.p2m, 0).frame);
		for (uint32_t i = 0; i < 2; i++) {
			assert_int_equal(physmap_look(&domain[i].m, 1, 0, &at), 0);
			assert_int_equal(page_of_ours(at), page_at(i, GUEST, 1));
		}
		end(1);
		(void)root_account_create(&burnt[n++]);
		begin(1);
	}
	while (n)
		(void)root_account_free(burnt[--n]);
	everything_ends();
}

/* A page that another has mapped is not free before it is let go, nor those next to it. */
static void held(void **state)
{
	uint16_t owner;

	(void)state;
	for (uint32_t i = 0; i < DOMAINS; i++)
		begin(i);
	assert_int_equal(physmap_populate(&domain[0].m, 0, P2M_LARGE_ORDER), 0);
	assert_int_equal(physmap_foreign(&domain[1].m, GFNS, &domain[0].m, 7, true, 0), 0);
	domain[0].m.foreign_elsewhere++;
	for (uint32_t gfn = 5; gfn < 10; gfn++)
		assert_int_equal(physmap_out(&domain[0].m, gfn), 0);
	assert_int_equal(page_store_open(), 0);
	check();
	assert_int_equal(physmap_in(&domain[0].m, 5), 0);
	assert_int_equal(physmap_remove_foreign(&domain[1].m, GFNS, &owner), 0);
	domain[0].m.foreign_elsewhere--;
	assert_int_equal(page_store_open(), 4);
	check();
	everything_ends();
}

/* A page that a hypervisor gives, which another domain has mapped, goes elsewhere: that it was there once says nothing of the memory that comes there. */
static void held_where_another_was(void **state)
{
	struct physmap *m = &domain[0].m;
	uint32_t frame, page;
	uint16_t owner;

	(void)state;
	for (uint32_t i = 0; i < DOMAINS; i++)
		begin(i);
	assert_int_equal(physmap_frame(m, &frame), 0);
	assert_int_equal(physmap_place(m, EACH + 1, frame), 0);
	assert_int_equal(physmap_foreign(&domain[1].m, GFNS, m, EACH + 1, true, 0), 0);
	m->foreign_elsewhere++;
	assert_int_equal(physmap_take_away(m, EACH + 1), 0);
	assert_int_equal(physmap_place(m, 1, frame), 0);
	/* memory comes, and another domain has it */
	assert_int_equal(physmap_in(m, EACH + 2), 0);
	assert_int_equal(physmap_foreign(&domain[1].m, GFNS + 1, m, EACH + 2, true, 0), 0);
	m->foreign_elsewhere++;
	page = page_at(1, GUEST, GFNS + 1);
	assert_int_equal(physmap_remove_foreign(&domain[1].m, GFNS, &owner), 0);
	m->foreign_elsewhere--;
	/* it is given back, and the other has it still: nobody else does */
	assert_int_equal(physmap_out(m, EACH + 2), 0);
	for (uint32_t gfn = 0; gfn < 2 * EACH; gfn++) {
		assert_int_equal(physmap_in(&domain[2].m, gfn), 0);
		assert_int_not_equal(page_at(2, GUEST, gfn), page);
	}
	assert_int_equal(physmap_remove_foreign(&domain[1].m, GFNS + 1, &owner), 0);
	m->foreign_elsewhere--;
	everything_ends();
}

/* Second-level tables are as many as it may have, wherever it has others' pages mapped; the split of a large frame takes one. */
static void tables_are_limited(void **state)
{
	struct physmap *m = &domain[1].m;
	uint16_t owner;

	(void)state;
	for (uint32_t i = 0; i < DOMAINS; i++)
		begin(i);
	m->tables_most = 3;
	assert_int_equal(physmap_populate(&domain[0].m, 0, 0), 0);
	assert_int_equal(physmap_populate(m, 0, P2M_LARGE_ORDER), 0);
	for (uint64_t at = EACH; at <= 4 * EACH; at += EACH)
		assert_int_equal(physmap_foreign(m, at, &domain[0].m, 0, true, PHYSMAP_NOBODY), at < 4 * EACH ? 0 : -ENOMEM);
	assert_int_equal(m->tables, 3);
	assert_int_equal(physmap_out(m, 5), -ENOMEM);
	assert_int_equal(physmap_remove_foreign(m, EACH, &owner), 0);
	assert_int_equal(physmap_foreign(m, EACH + 7, &domain[0].m, 0, true, PHYSMAP_NOBODY), 0);
	/* what is refused leaves nothing behind, however often: the vmm's tables, which come first, are no more either */
	for (uint64_t gfn = 4 * EACH; gfn < GFNS; gfn += EACH)
		assert_int_equal(physmap_in(m, gfn), -ENOMEM);
	assert_true(m->vmm_tables <= 3);
	m->tables_most = 4;
	assert_int_equal(physmap_out(m, 5), 0);
	assert_int_equal(m->tables, 4);
	assert_int_equal(physmap_foreign(m, 4 * EACH, &domain[0].m, 0, true, PHYSMAP_NOBODY), -ENOMEM);
	for (uint64_t at = EACH; at < 4 * EACH; at++)
		(void)physmap_remove_foreign(m, at, &owner);
	everything_ends();
}

/*
 * Domain 0 has seven blocks, of which it gave back every fourth page, domain 1 eight, domain 2 seven: one is free. Only pages from 3584 on are nobody's in 0 and 2.
 */
#define GIVEN_BACK 896u
#define EMPTY	   3584u
static void full_but_one(void)
{
	for (uint32_t i = 0; i < DOMAINS; i++) {
		begin(i);
		for (uint32_t gfn = 0; gfn < (i == 1 ? GFNS : EMPTY); gfn += EACH)
			assert_int_equal(physmap_populate(&domain[i].m, gfn, P2M_LARGE_ORDER), 0);
	}
	for (uint32_t gfn = 0; gfn < EMPTY; gfn += 4)
		assert_int_equal(physmap_out(&domain[0].m, gfn), 0);
	assert_int_equal(free_blocks(), 1);
	assert_int_equal(page_store_open(), GIVEN_BACK);
}

static int keep(uint32_t i, uint64_t pages)
{
	uint64_t before = domain[i].m.claim;
	int r;

	domain[i].m.claim = pages;
	r = physmap_keep(&domain[i].m, 0);
	if (r)
		domain[i].m.claim = before;
	return r;
}

/* So many single pages of those that are kept come, all of the store. */
static void kept_come(uint32_t i, uint32_t from, uint32_t step, uint32_t n)
{
	uint64_t singles = domain[i].m.singles;

	for (uint32_t k = 0; k < n; k++) {
		assert_int_equal(keep(i, domain[i].m.claim - 1), 0);
		assert_int_equal(physmap_in(&domain[i].m, from + k * step), 0);
	}
	assert_int_equal(domain[i].m.singles, singles + n);
}

/* Where root has no more, free single pages are kept: others do not get them, and who claimed them does. */
static void kept_in_the_store(void **state)
{
	(void)state;
	full_but_one();
	assert_int_equal(keep(0, GIVEN_BACK + EACH + 1), -ENOMEM);
	assert_int_equal(keep(0, 1300), 0);
	assert_int_equal(domain[0].m.promised, GIVEN_BACK);
	assert_int_equal(domain[0].m.kept, 404);
	assert_false(physmap_may_be_large(&domain[0].m));
	assert_int_equal(page_store_open(), 0);
	/* what another gets now is of its account */
	assert_int_equal(physmap_populate(&domain[2].m, EMPTY, 0), 0);
	assert_int_equal(domain[2].m.singles, 0);
	check();
	kept_come(0, 0, 4, GIVEN_BACK);
	assert_int_equal(domain[0].m.promised, 0);
	assert_int_equal(domain[0].m.kept, 404);
	assert_true(physmap_may_be_large(&domain[0].m));
	/* the last block: what root kept of it is kept in the store, and the rest is for all */
	kept_come(0, EMPTY, 1, 1);
	assert_int_equal(domain[0].m.promised, 403);
	assert_int_equal(page_store_open(), 108);
	for (uint32_t k = 1; k < 200; k++)
		assert_int_equal(physmap_populate(&domain[2].m, EMPTY + k, 0), 0);
	assert_int_equal(domain[2].m.singles, 108);
	check();
	kept_come(0, EMPTY + 1, 1, 403);
	assert_int_equal(page_store_open() + domain[0].m.claim + domain[0].m.promised + domain[0].m.kept, 0);
	check();
	everything_ends();
}

/* Who claims and ends lets go; and the pages of one that ends, next to those that are kept for another, are that one's. */
static void claims_end(void **state)
{
	(void)state;
	full_but_one();
	assert_int_equal(keep(1, EACH), 0);
	assert_int_equal(keep(2, 500), 0);
	assert_int_equal(domain[1].m.kept, EACH);
	assert_int_equal(domain[2].m.promised, 500);
	assert_int_equal(page_store_open(), GIVEN_BACK - 500);
	end(0);
	begin(0);
	assert_int_equal(domain[2].m.promised, 500);
	check();
	kept_come(2, EMPTY, 1, 100);
	check();
	end(2);
	begin(2);
	assert_int_equal(page_store_open(), 0);
	check();
	everything_ends();
	/* a block of which all pages are free, some of them kept: it goes when they are not kept any more */
	full_but_one();
	assert_int_equal(keep(1, EACH), 0);
	assert_int_equal(keep(2, 500), 0);
	end(0);
	begin(0);
	assert_int_equal(page_store_open(), EACH - 500);
	assert_int_equal(keep(2, 0), 0);
	assert_int_equal(page_store_open(), 0);
	assert_int_equal(free_blocks(), 8);
	everything_ends();
}

/* A page that is given back is kept as long as more are to come than are kept. */
static void given_back_and_to_come(void **state)
{
	struct physmap *m = &domain[0].m;

	(void)state;
	for (uint32_t i = 0; i < DOMAINS; i++)
		begin(i);
	for (uint32_t gfn = 0; gfn < 4; gfn++)
		assert_int_equal(physmap_populate(m, gfn, 0), 0);
	for (uint32_t gfn = 8; gfn < 10; gfn++)
		assert_int_equal(physmap_pod_mark(m, gfn, 0), 0);
	assert_int_equal(physmap_pod_need(m, 8), -ENOSPC);
	for (uint32_t gfn = 0; gfn < 3; gfn++) {
		assert_int_equal(physmap_out(m, gfn), 0);
		assert_int_equal(physmap_keep(m, 0), 0);
		assert_int_equal(m->pod_cache, gfn < 2 ? gfn + 1 : 2);
	}
	assert_int_equal(physmap_pages(m), 3);
	for (uint32_t gfn = 8; gfn < 10; gfn++)
		comes(0, gfn, physmap_pod_need);
	assert_int_equal(m->p2m.pages[P2M_RAM], 3);
	assert_int_equal(m->pod_cache, 0);
	check();
	everything_ends();
}

/* Less is kept: large frames to come leave more at root, single ones more in the store. */
static void kept_less(void **state)
{
	(void)state;
	for (unsigned order = 0; order <= P2M_LARGE_ORDER; order += P2M_LARGE_ORDER) {
		full_but_one();
		assert_int_equal(keep(0, 1300), 0);
		domain[0].m.claim -= 100;
		assert_int_equal(physmap_keep(&domain[0].m, order), 0);
		assert_int_equal(domain[0].m.promised, order ? GIVEN_BACK : GIVEN_BACK - 100);
		assert_int_equal(domain[0].m.kept, order ? 304 : 404);
		domain[0].m.claim -= 1000;
		assert_int_equal(physmap_keep(&domain[0].m, order), 0);
		assert_int_equal(domain[0].m.promised, order ? 200 : 0);
		assert_int_equal(domain[0].m.kept, order ? 0 : 200);
		check();
		everything_ends();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(every_second_page), cmocka_unit_test(held), cmocka_unit_test(held_where_another_was), cmocka_unit_test(tables_are_limited), cmocka_unit_test(both_sides), cmocka_unit_test(one_number), cmocka_unit_test(no_room_for_notes), cmocka_unit_test(kept_in_the_store), cmocka_unit_test(claims_end),
					   cmocka_unit_test(kept_less), cmocka_unit_test(given_back_and_to_come), cmocka_unit_test(many_steps), cmocka_unit_test(something_fails)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
