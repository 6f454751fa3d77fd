/*
 * What vmms say of memory and grants, well formed and not, for three domains of which one holds the control capability: no guest ever finds a page that is neither its own
 * nor granted to it as it has it, nor writes what is granted to be read; entries say that they are in use for as long as they are; who is destroyed stays until nobody has a
 * page of its, and then all of it is free.
 */
// cflags: -iquote servers/domain_manager/fake/include -D__XEN_TOOLS__ -std=gnu11
// links: servers/domain_manager/fake/machine_fake.c servers/domain_manager/fake/domain_fake.c servers/domain_manager/grant.c servers/domain_manager/domain_end.c servers/domain_manager/domain_memory.c servers/domain_manager/physmap.c
// links: servers/domain_manager/physmap_balloon.c servers/domain_manager/physmap_foreign.c servers/domain_manager/physmap_map.c servers/domain_manager/physmap_pod.c
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
#include "servers/domain_manager/domain_end.h"
#include "servers/domain_manager/domain_memory.h"
#include "servers/domain_manager/domain_private.h"
#include "servers/domain_manager/fake/domain_fake.h"
#include "servers/domain_manager/fake/machine_fake.h"
#include "servers/domain_manager/grant.h"
#include "servers/domain_manager/page_store.h"
#include "servers/domain_manager/physmap_private.h"
#include "servers/domain_manager/root_call.h"
#include "servers/domain_manager/vmm_call.h"
#include <xen/grant_table.h>
#include <xen/xen.h>

#define OWN	1024u /* gfns where a domain has memory of its own, mostly */
#define FRAMES	2u    /* of a grant table */
#define REFS	(FRAMES * 512u)
#define HANDLES 256u
#define WORDS	120u /* of a message */

static struct domain domain[DOMAINS];
static uint32_t last_id; /* ids are not used again: what is asked of one that is gone must not reach the next */

/* A mapping that a domain has been told of, and how often an entry is in use. */
static struct handle {
	bool live, write;
	uint32_t from, ref;
	uint64_t gfn;
} handle[DOMAINS][HANDLES];
static struct use {
	uint32_t by, read, write, gfn;
	bool written; /* by its guest, since it is in use: what it says then is its own affair */
} use[DOMAINS][REFS];

static uint32_t table_page[DOMAINS][FRAMES]; /* of a grant table, once its guest has it */

/* ---- what it calls ---- */

static struct domain *of_id(uint32_t id)
{
	for (uint32_t i = 0; i < DOMAINS; i++)
		if (domain[i].used && domain[i].id == id)
			return &domain[i];
	return NULL;
}

struct domain *domain_find(uint32_t id)
{
	return of_id(id);
}

struct domain *domain_row(unsigned row)
{
	return row < DOMAINS && domain[row].used ? &domain[row] : NULL;
}

static uint32_t number(const struct domain *d)
{
	return (uint32_t)(d - domain);
}

static void gone(const struct domain *d)
{
	assert_true(d->dying);
	memset(handle[number(d)], 0, sizeof(handle[0]));
	memset(use[number(d)], 0, sizeof(use[0]));
}

/* Whatever thread has it by now. */
static bool runs[DOMAINS];
seL4_Error seL4_SchedContext_Unbind(seL4_CPtr context)
{
	for (uint32_t i = 0; i < DOMAINS; i++)
		if (context == SLOT_THREADS(&domain[i]) + 1)
			runs[i] = false;
	return seL4_NoError;
}

/* ---- the domains ---- */

static void begin(uint32_t i)
{
	struct domain *d = &domain[i];

	memset(d, 0, sizeof(*d));
	d->row = i;
	d->id = i ? ++last_id : 0;
	d->privileged = i == 0;
	d->bare = i != 0;
	d->used = true;
	d->grant_frames_max = FRAMES;
	d->maptrack_frames = 1;
	d->spec.vcpus = 1;
	d->slot_base = 2000 + 100 * i; /* nothing is there */
	runs[i] = true;
	for (uint32_t k = 0; k < FRAMES; k++)
		table_page[i][k] = UINT32_MAX;
	heap_begin(&d->heap, i);
	(void)root_account_create(&d->account);
	assert_int_equal(physmap_init(&d->map, &d->heap, d->account, EPT_ROOT(i), VSPACE(i)), 0);
	domain_allow_pages(d, OWN);
	assert_int_equal(domain_tables_set(d, i == 1 ? 5 << 12 : 1 << 20), 0);
}

static bool in_use(const struct use *u)
{
	return u->read || u->write;
}

/* What it has mapped is let go, whether it is gone or not. */
static void end(uint32_t i)
{
	for (uint32_t h = 0; h < HANDLES; h++) {
		struct handle *m = &handle[i][h];
		struct use *u = m->live ? &use[number(of_id(m->from))][m->ref] : NULL;

		if (u)
			*(m->write ? &u->write : &u->read) -= 1;
		m->live = false;
	}
	while (domain[i].used && domain_end(&domain[i]) == -EAGAIN)
		;
}

/* Those that are gone come anew. */
static void begin_again(void)
{
	for (uint32_t i = 0; i < DOMAINS; i++)
		if (!domain[i].used)
			begin(i);
}

static grant_entry_v1_t *entry(uint32_t i, uint32_t ref)
{
	uint32_t page = ref < REFS ? table_page[i][ref / 512] : UINT32_MAX;

	return page == UINT32_MAX ? NULL : (grant_entry_v1_t *)(void *)memory(page) + ref % 512;
}

static bool is_table(uint32_t page)
{
	for (uint32_t k = 0; k < DOMAINS * FRAMES; k++)
		if (page == table_page[k / FRAMES][k % FRAMES])
			return page != UINT32_MAX;
	return false;
}

/* ---- what must hold ---- */

static uint8_t owner_of[PAGES];

static bool own_kind(enum p2m_kind k)
{
	return k == P2M_RAM || k == P2M_XEN;
}

/* Each page of its own is nobody else's. */
static void check_own(uint32_t i)
{
	for (uint32_t at = 0; at < SPACE; at++) {
		uint32_t page = page_at(i, GUEST, at);

		if (!own_kind(p2m_get(&domain[i].map.p2m, at).kind))
			continue;
		assert_true(page < PAGES);
		assert_int_equal(owner_of[page], 0);
		owner_of[page] = (uint8_t)(i + 1);
	}
}

/* The handle by which domain i has this, if it has. */
static const struct handle *handle_at(uint32_t i, uint64_t gfn, const struct physmap *from)
{
	const struct handle *found = NULL;

	for (uint32_t h = 0; h < HANDLES; h++) {
		const struct handle *m = &handle[i][h];
		struct domain *d = m->live ? of_id(m->from) : NULL;

		/* of several the one that may do most: a page can be taken out, and another put there */
		if (d && m->gfn == gfn && &d->map == from && (!found || m->write))
			found = m;
	}
	return found;
}

static uint32_t owner_in(struct physmap_source s)
{
	return s.from ? (uint32_t)(s.from->slot_ept - EPT_ROOT(0)) : number(of_id(s.owner));
}

static void check_others(uint32_t i)
{
	for (uint32_t at = 0; at < SPACE; at++) {
		struct p2m_entry e = p2m_get(&domain[i].map.p2m, at);
		const struct cap *c = seen[i][GUEST][at];
		uint32_t page = page_at(i, GUEST, at), vmm = page_at(i, VMM, at);
		const struct handle *h;
		struct physmap_source s;
		uint32_t from;

		/* its vmm finds its own only */
		assert_true(vmm == UINT32_MAX || vmm == nowhere_page(&domain[i].map) || owner_of[vmm] == i + 1);
		if (own_kind(e.kind))
			continue;
		assert_int_equal(page != UINT32_MAX, e.kind == P2M_FOREIGN);
		if (e.kind != P2M_FOREIGN)
			continue;
		s = domain[i].map.source[e.frame / FRAME_CHUNK][e.frame % FRAME_CHUNK];
		from = owner_in(s);
		/* the page that the owner has there; or it gave it back, and nobody has it; or one of its own that was put elsewhere, or nowhere */
		if (!s.from || s.gfn == PHYSMAP_NOT_RAM)
			assert_true(owner_of[page] == 0 || owner_of[page] == from + 1);
		else if (p2m_get(&s.from->p2m, s.gfn).kind == P2M_RAM)
			assert_int_equal(page_at(from, GUEST, s.gfn), page);
		else
			assert_true(p2m_get(&s.from->p2m, s.gfn).kind == P2M_OUT && owner_of[page] == 0);
		if (s.owner != PHYSMAP_NOBODY) {
			assert_int_equal(i, 0);
			continue;
		}
		h = handle_at(i, at, s.from);
		assert_non_null(h);
		assert_true(h->write || !c->write);
	}
}

static void check_entries(uint32_t i)
{
	for (uint32_t ref = 0; ref < REFS; ref++) {
		const struct use *u = &use[i][ref];
		const grant_entry_v1_t *e = entry(i, ref);

		if (!e || u->written)
			continue;
		assert_int_equal(!!(e->flags & GTF_reading), in_use(u));
		assert_int_equal(!!(e->flags & GTF_writing), u->write != 0);
	}
}

static void check(void)
{
	uint64_t elsewhere[DOMAINS] = {0};

	memset(owner_of, 0, sizeof(owner_of));
	for (uint32_t i = 0; i < DOMAINS; i++)
		if (domain[i].used)
			check_own(i);
	for (uint32_t i = 0; i < DOMAINS; i++) {
		if (!domain[i].used)
			continue;
		check_others(i);
		check_entries(i);
		assert_true(domain[i].map.tables <= domain[i].map.tables_most && domain[i].map.vmm_tables <= domain[i].map.tables_most);
		assert_int_equal(domain_tables_set(&domain[i], domain[i].mempool_bytes), 0);
		assert_true(domain[i].map.tables == 0 || domain_tables_set(&domain[i], (domain[i].map.tables - 1) << 12) == -ENOMEM);
		assert_true(runs[i] == !(domain[i].dying || domain[i].stopped));
		for (uint32_t h = 0; h < HANDLES; h++)
			if (handle[i][h].live && of_id(handle[i][h].from) != &domain[i])
				elsewhere[number(of_id(handle[i][h].from))]++;
	}
	for (uint32_t at = 0; at < SPACE; at++) {
		struct p2m_entry e = p2m_get(&domain[0].map.p2m, at);
		struct physmap_source s;

		if (e.kind != P2M_FOREIGN)
			continue;
		s = domain[0].map.source[e.frame / FRAME_CHUNK][e.frame % FRAME_CHUNK];
		if (s.owner != PHYSMAP_NOBODY)
			elsewhere[owner_in(s)]++;
	}
	for (uint32_t i = 0; i < DOMAINS; i++)
		assert_int_equal(domain[i].used ? domain[i].map.foreign_elsewhere : 0, elsewhere[i]);
}

/* ---- messages ---- */

static uint64_t answer[WORDS];
static unsigned answers;

/* The words are in memory that ends with them. */
static int say(uint32_t i, uint64_t label, const uint64_t *word, unsigned n)
{
	uint64_t *m = malloc(n ? n * sizeof(*m) : 1);
	int r;

	memcpy(m, word, n * sizeof(*m));
	answers = 0;
	r = vmm_call(domain[i].id, domain[i].privileged, label, m, n, answer, &answers);
	free(m);
	assert_true(r <= 0 && answers <= WORDS);
	return r;
}

static uint64_t some_gfn(void)
{
	return pick(40) ? pick(pick(2) ? 64 : SPACE) : pick(2) ? (1ull << 34) + pick(4) : (uint64_t)rand() << 33 | 1ull << 63;
}

static uint32_t some_domain(void)
{
	return pick(20) ? domain[pick(DOMAINS)].id : pick(2) ? DOMID_SELF : (uint32_t)rand();
}

static uint32_t some_ref(void)
{
	return pick(20) ? pick(pick(4) ? 12 : REFS) : (uint32_t)rand();
}

/* The guest says what it grants, in an entry that is in use or not. */
static void grants(uint32_t i)
{
	uint32_t ref = pick(pick(4) ? 12 : REFS);
	grant_entry_v1_t *e = entry(i, ref);

	if (!e)
		return;
	if (in_use(&use[i][ref]) && pick(8))
		return;
	use[i][ref].written = in_use(&use[i][ref]);
	*e = (grant_entry_v1_t){.flags = pick(8) ? (uint16_t)(GTF_permit_access | (pick(3) ? 0 : GTF_readonly)) : (uint16_t)rand(),
				.domid = (domid_t)some_domain(),
				.frame = (uint32_t)some_gfn()};
	if (!use[i][ref].written)
		e->flags &= (uint16_t)~(GTF_reading | GTF_writing);
}

/* Whether `to` may use the entry so, as it is now. */
static bool allowed(uint32_t from, uint32_t ref, uint32_t to, bool write)
{
	const grant_entry_v1_t *e = entry(from, ref);
	const struct use *u = e ? &use[from][ref] : NULL;

	if (!e)
		return false;
	if (in_use(u)) /* as it was when that began */
		return u->by == to && (u->write || !write || !(e->flags & GTF_readonly));
	return (e->flags & GTF_type_mask) == GTF_permit_access && e->domid == to && !(write && (e->flags & GTF_readonly));
}

static void mapped(uint32_t i, const struct domain_map *m, const uint64_t *a)
{
	struct domain *from = of_id(m->domain);
	bool write = !(m->flags & GNTMAP_readonly);
	struct handle *h;
	struct use *u;

	if ((int64_t)a[0] != GNTST_okay)
		return;
	assert_true(from && !from->dying && allowed(number(from), m->ref, domain[i].id, write) && a[1] < HANDLES);
	h = &handle[i][a[1]];
	assert_false(h->live);
	*h = (struct handle){.live = true, .write = write, .from = from->id, .ref = m->ref, .gfn = m->gfn};
	u = &use[number(from)][m->ref];
	if (!in_use(u))
		*u = (struct use){.by = domain[i].id, .gfn = entry(number(from), m->ref)->frame};
	*(write ? &u->write : &u->read) += 1;
}

static void maps(uint32_t i)
{
	struct domain_map m[8];
	unsigned n = pick(8) + 1;
	int r;

	for (unsigned k = 0; k < n; k++)
		m[k] = (struct domain_map){.gfn = some_gfn(),
					   .domain = some_domain(),
					   .ref = some_ref(),
					   .flags = pick(20) ? GNTMAP_host_map | (pick(2) ? GNTMAP_readonly : 0) : (uint32_t)rand()};
	r = say(i, DOMAIN_VMM_GRANT_MAP, (const uint64_t *)(const void *)m, n * (unsigned)sizeof(m[0]) / 8);
	assert_int_equal(r, domain[i].dying ? -ESRCH : 0);
	assert_int_equal(answers, r ? 0 : 2 * n);
	for (unsigned k = 0; !r && k < n; k++)
		mapped(i, &m[k], &answer[2 * k]);
}

static void unmaps(uint32_t i)
{
	uint32_t n = pick(30) ? pick(HANDLES) : (uint32_t)rand();
	struct handle m = n < HANDLES ? handle[i][n] : (struct handle){0};
	uint64_t word[2] = {m.live && pick(10) ? m.gfn : some_gfn(), n};
	bool ends = m.live && word[0] == m.gfn;
	int r = domain[i].dying ? -ESRCH : 0;

	/* the granter may be gone afterwards, with what is noted of it */
	if (ends) {
		struct use *u = &use[number(of_id(m.from))][m.ref];

		*(m.write ? &u->write : &u->read) -= 1;
		handle[i][n].live = false;
	}
	assert_int_equal(say(i, DOMAIN_VMM_GRANT_UNMAP, word, 2), r);
	assert_true(r || (int64_t)answer[0] == (!m.live ? GNTST_bad_handle : ends ? GNTST_okay : GNTST_general_error));
	begin_again();
}

/* What is to come on demand comes. */
static void come(struct domain *d, uint64_t gfn)
{
	uint32_t fail = fail_in;

	fail_in = UINT32_MAX;
	if (p2m_get(&d->map.p2m, gfn).kind == P2M_POD)
		(void)physmap_pod_need(&d->map, gfn);
	fail_in = fail;
}

/* The page that a side of a copy is about; UINT32_MAX: the domain may not. */
static uint32_t side_page(uint32_t i, uint64_t page, uint16_t id, bool is_ref, bool write)
{
	struct domain *of = id == DOMID_SELF ? &domain[i] : of_id(id);
	const struct use *u;

	if (!of || of->dying || (!is_ref && id != DOMID_SELF))
		return UINT32_MAX;
	if (is_ref) {
		if (page > UINT32_MAX || !allowed(number(of), (uint32_t)page, domain[i].id, write))
			return UINT32_MAX;
		u = &use[number(of)][page];
		page = in_use(u) ? u->gfn : entry(number(of), (uint32_t)page)->frame;
	}
	come(of, page);
	return page_at(number(of), GUEST, page);
}

static void copies(uint32_t i)
{
	struct domain_copy c = {.flags = (uint16_t)pick(4), .bytes = (uint16_t)pick(pick(4) ? 2048 : 65536), .source_offset = (uint16_t)pick(pick(4) ? 2048 : 65536), .dest_offset = (uint16_t)pick(2100)};
	bool ref[2] = {c.flags & GNTCOPY_source_gref, c.flags & GNTCOPY_dest_gref};
	uint8_t expected[4096];
	uint32_t from, to;

	c.source = ref[0] ? some_ref() : some_gfn();
	c.dest = ref[1] ? some_ref() : some_gfn();
	c.source_domain = (uint16_t)(ref[0] || !pick(10) ? some_domain() : DOMID_SELF);
	c.dest_domain = (uint16_t)(ref[1] || !pick(10) ? some_domain() : DOMID_SELF);
	from = side_page(i, c.source, c.source_domain, ref[0], false);
	to = side_page(i, c.dest, c.dest_domain, ref[1], true);
	if (is_table(to))
		return; /* a guest may, but what it grants it says elsewhere here */
	if (to != UINT32_MAX)
		memcpy(expected, memory(to), sizeof(expected));
	if (say(i, DOMAIN_VMM_GRANT_COPY, (const uint64_t *)(const void *)&c, sizeof(c) / 8)) {
		assert_true(domain[i].dying);
		return;
	}
	assert_int_equal(answers, 1);
	if ((int64_t)answer[0] == GNTST_okay) {
		assert_true(from != UINT32_MAX && to != UINT32_MAX && c.source_offset + c.bytes <= 4096 && c.dest_offset + c.bytes <= 4096);
		if (from == to)
			return; /* both windows show one page: what becomes of it where they overlap is not said */
		memcpy(expected + c.dest_offset, memory(from) + c.source_offset, c.bytes);
	}
	if (to != UINT32_MAX)
		assert_memory_equal(expected, memory(to), sizeof(expected));
}

static void places(uint32_t i)
{
	uint64_t word[2] = {pick(10) ? pick(FRAMES + 1) : (uint64_t)rand() << 20, some_gfn()};
	uint32_t *page = word[0] < FRAMES ? &table_page[i][word[0]] : NULL;

	if (say(i, DOMAIN_VMM_GRANT_PLACE, word, 2))
		return;
	assert_non_null(page);
	assert_true(*page == UINT32_MAX || *page == page_at(i, GUEST, word[1]));
	*page = page_at(i, GUEST, word[1]);
}

/* Pages of others, or none: only domain 0 gets them. */
static void foreigns(uint32_t i)
{
	uint64_t word[WORDS];
	unsigned gone = pick(4), n = pick(4), at = 0;
	int r;

	if (pick(2)) {
		word[0] = some_gfn();
		word[1] = some_domain();
		word[2] = some_gfn();
		word[3] = pick(2) ? some_gfn() + 1 : 0;
		r = say(i, DOMAIN_VMM_FOREIGN, word, pick(2) ? 4 : 3);
		assert_true(domain[i].dying ? r == -ESRCH : i == 0 || r == -EPERM);
	} else {
		word[at++] = some_domain();
		word[at++] = pick(10) ? gone : pick(2) ? pick(40) : (uint64_t)rand();
		for (unsigned k = 0; k < gone + 2 * n; k++)
			word[at++] = some_gfn();
		r = say(i, DOMAIN_VMM_FOREIGN_MANY, word, at);
		assert_true(domain[i].dying ? r == -ESRCH : i == 0 || r == -EPERM);
		assert_true(r || word[1] != gone || answers == n);
	}
	begin_again();
}

static void pages(uint32_t i, bool out)
{
	uint64_t word[8];
	unsigned n = pick(8);

	for (unsigned k = 0; k < n; k++)
		word[k] = some_gfn();
	if (!say(i, out ? DOMAIN_VMM_OUT : DOMAIN_VMM_IN, word, n))
		assert_true(answers == 1 && answer[0] <= n);
}

static void anything(uint32_t i)
{
	uint64_t word[WORDS];
	unsigned n = pick(WORDS);

	for (unsigned k = 0; k < WORDS; k++)
		word[k] = pick(3) ? some_gfn() : pick(4);
	switch (pick(4)) {
	case 0: /* a length that is not one of these */
		(void)say(i, DOMAIN_VMM_GRANT_COPY, word, n - n % (unsigned)(sizeof(struct domain_copy) / 8) + 1);
		break;
	case 1:
		(void)say(i, DOMAIN_VMM_GRANT_MAP, word, n - n % (unsigned)(sizeof(struct domain_map) / 8) + 1);
		break;
	case 2:
		(void)say(i, DOMAIN_VMM_GRANT_UNMAP, word, n | 1);
		break;
	default:
		word[0] = some_gfn();
		(void)say(i, pick(2) ? DOMAIN_VMM_REMOVE : DOMAIN_VMM_NEED, word, 1);
		break;
	}
	begin_again();
}

/* A toolstack's part: memory comes and goes. */
static void populates(uint32_t i)
{
	struct domain *d = &domain[i];
	uint64_t gfn = pick(OWN);

	if (d->dying)
		return;
	switch (pick(30)) {
	case 0:
		(void)physmap_populate(&d->map, gfn & ~511ull, P2M_LARGE_ORDER);
		break;
	case 1:
		(void)physmap_pod_mark(&d->map, gfn & ~511ull, P2M_LARGE_ORDER);
		break;
	case 2:
		(void)physmap_pod_target(&d->map, pick(OWN), OWN);
		break;
	case 3:
	case 4:
		(void)physmap_pod_mark(&d->map, pick(64), 0);
		break;
	case 5:
	case 6:
	case 7:
		(void)physmap_remove(&d->map, gfn);
		break;
	default:
		(void)physmap_populate(&d->map, pick(2) ? gfn : pick(64), 0);
		break;
	}
	domain_pages_changed(d);
}

/* And another part: it looks into a domain's grant table, through domain 0. */
static void acquires(uint32_t of)
{
	struct domain *d = &domain[of];
	uint32_t index = pick(FRAMES), frame;
	uint64_t gfn = some_gfn();

	if (of == 0 || d->dying || grant_frame(d, index, &frame))
		return;
	if (physmap_foreign_frame(&domain[0].map, gfn, &d->map, frame, true, (uint16_t)d->id))
		return;
	d->map.foreign_elsewhere++;
	table_page[of][index] = page_at(0, GUEST, gfn);
}

static void writes(uint32_t i)
{
	uint32_t page = page_at(i, GUEST, pick(64));

	if (page != UINT32_MAX && !is_table(page))
		memset(memory(page) + pick(4000), rand(), pick(96));
}

static void step(uint32_t i)
{
	static void (*const what[])(uint32_t i) = {maps, maps, maps, unmaps, unmaps, copies, copies, grants, grants, grants, foreigns, anything, populates, populates, acquires, places, writes};
	uint32_t n = pick(sizeof(what) / sizeof(what[0]) + 2);

	if (n < sizeof(what) / sizeof(what[0]))
		what[n](i);
	else
		pages(i, n % 2);
}

static void everything_ends(void)
{
	/* domain 0 lets go of what it has as their toolstack, before they end */
	for (uint64_t at = 0; at < SPACE; at++)
		if (p2m_get(&domain[0].map.p2m, at).kind == P2M_FOREIGN)
			assert_int_equal(say(0, DOMAIN_VMM_REMOVE, &at, 1), 0);
	for (uint32_t i = DOMAINS; i-- > 0;)
		end(i);
	for (uint32_t i = 0; i < DOMAINS; i++)
		assert_false(domain[i].used);
	assert_int_equal(free_blocks(), BLOCKS);
	assert_int_equal(page_store_open(), 0);
	assert_int_equal(reserved_all(), 0);
}

static void many_messages(void **state)
{
	bool failing = *(bool *)*state;

	for (unsigned seed = 1; seed <= 4; seed++) {
		srand(seed);
		for (uint32_t i = 0; i < DOMAINS; i++)
			begin(i);
		for (unsigned n = 0; n < 20000; n++) {
			uint32_t i = pick(DOMAINS);

			fail_in = failing && pick(3) == 0 ? pick(12) + 1 : UINT32_MAX;
			if (domain[i].used)
				step(i);
			fail_in = UINT32_MAX;
			if (n % 50 == 0)
				check();
			if (pick(1000) == 0) {
				end(1 + pick(DOMAINS - 1));
				begin_again();
			}
		}
		check();
		everything_ends();
	}
}

/* What could not be mapped costs no handle. */
static void handles_come_back(void **state)
{
	struct domain_map m = {.gfn = 900, .domain = 0, .ref = 3, .flags = GNTMAP_host_map};
	uint64_t place[2] = {0, 800}, unmap[2] = {900};

	(void)state;
	begin_again();
	assert_int_equal(say(0, DOMAIN_VMM_GRANT_PLACE, place, 2), 0);
	table_page[0][0] = page_at(0, GUEST, 800);
	assert_int_equal(physmap_populate(&domain[0].map, 5, 0), 0);
	for (unsigned n = 0; n < 3 * HANDLES; n++) {
		bool may = n % 3 == 0;

		/* it names nothing; something that is not there; a page */
		*entry(0, 3) = (grant_entry_v1_t){.flags = (uint16_t)(n % 3 == 1 ? 0 : GTF_permit_access), .domid = (domid_t)domain[1].id, .frame = may ? 5 : 6};
		assert_int_equal(say(1, DOMAIN_VMM_GRANT_MAP, (const uint64_t *)(const void *)&m, sizeof(m) / 8), 0);
		assert_int_equal((int64_t)answer[0], n % 3 == 1 ? GNTST_general_error : may ? GNTST_okay : GNTST_bad_page);
		unmap[1] = answer[1];
		if (!may)
			continue;
		assert_int_equal(say(1, DOMAIN_VMM_GRANT_UNMAP, unmap, 2), 0);
		assert_int_equal((int64_t)answer[0], GNTST_okay);
	}
	everything_ends();
}

int main(void)
{
	static bool failing = true, not = false;
	const struct CMUnitTest tests[] = {cmocka_unit_test(handles_come_back), {"many_messages", many_messages, NULL, NULL, &not}, {"something_fails", many_messages, NULL, NULL, &failing}};

	domain_fake_gone = gone;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
