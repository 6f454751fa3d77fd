/*
 * What a toolstack asks for about memory, at random, beside a model of what Xen 4.17 answers: domains are populated, by pages, by 2 MiB and on demand, claimed, ballooned,
 * mapped by domain 0, and destroyed, while memory runs out or one thing fails. What is free, kept and told is exact at every moment, and all of it comes back.
 */
// cflags: -iquote servers/domain_manager/fake/include -D__XEN_TOOLS__ -std=gnu11
// links: servers/domain_manager/control_save.c servers/domain_manager/vmm_call.c servers/domain_manager/fake/machine_fake.c servers/domain_manager/fake/domain_fake.c
// links: servers/domain_manager/grant.c servers/domain_manager/domain_end.c servers/domain_manager/domain_memory.c servers/domain_manager/physmap.c
// links: servers/domain_manager/physmap_balloon.c servers/domain_manager/physmap_foreign.c servers/domain_manager/physmap_map.c servers/domain_manager/physmap_pod.c
// links: servers/domain_manager/physmap_single.c servers/domain_manager/physmap_window.c servers/domain_manager/frame_store.c servers/domain_manager/object_pool.c servers/domain_manager/page_pool.c
// links: servers/domain_manager/page_store.c servers/domain_manager/p2m.c servers/domain_manager/pod_cache.c servers/domain_manager/domain_heap.c user/heap.c
#include "servers/domain_manager/control.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "sel4/sel4.h"
#include "servers/domain_manager/control_save.h"
#include "servers/domain_manager/domain_end.h"
#include "servers/domain_manager/domain_memory.h"
#include "servers/domain_manager/domain_private.h"
#include "servers/domain_manager/fake/machine_fake.h"
#include "servers/domain_manager/grant.h"
#include "servers/domain_manager/page_store.h"
#include "servers/domain_manager/root_call.h"
#include "servers/domain_manager/vmm_call.h"
#include <xen/errno.h>
#include <xen/xen.h>
#include <xen/memory.h>

#define FRAMES	2u
#define BATCH	24u
#define ENOUGH	(3u * EACH) /* pages: with so many that nobody keeps, nothing fails for want of memory */

static struct domain domain[DOMAINS];
static uint32_t last_id;
static bool failing; /* something may, in this step */

/* ---- the model ---- */

enum { NO, RAM, DEMAND, GONE, OTHER }; /* GONE: its guest gave it back */
static struct model {
	uint8_t kind[SPACE];
	uint64_t ram, demand, cache, claim, max;
} model[DOMAINS];

/* ---- what it calls ---- */

struct domain *domain_find(uint32_t id)
{
	for (uint32_t i = 0; i < DOMAINS; i++)
		if (domain[i].used && domain[i].id == id)
			return &domain[i];
	return NULL;
}

struct domain *domain_row(unsigned row)
{
	return row < DOMAINS && domain[row].used ? &domain[row] : NULL;
}

void domain_resume(struct domain *d)
{
	(void)d;
}

seL4_Error seL4_SchedContext_Unbind(seL4_CPtr context)
{
	(void)context;
	return seL4_NoError;
}

/* ---- guest memory ---- */

struct control {
	unsigned asked, there;
	void *copy[8];
};

const void *control_in(struct control *c, uint64_t address, uint32_t bytes)
{
	if (c->asked == c->there)
		return NULL;
	if (!c->copy[c->asked]) {
		c->copy[c->asked] = malloc(bytes ? bytes : 1);
		memcpy(c->copy[c->asked], (const void *)address, bytes);
	}
	return c->copy[c->asked++];
}

void control_out(struct control *c, uint64_t address, const void *from, uint32_t bytes)
{
	(void)c;
	memcpy((void *)address, from, bytes);
}

static int64_t call(uint64_t op, void *argument)
{
	const uint64_t arg[5] = {op, (uint64_t)argument};
	struct control c = {0};
	int64_t r;

	while (c.asked = 0, (r = control_memory_op(&c, arg)) == CONTROL_AGAIN)
		assert_true(++c.there < 8);
	for (unsigned i = 0; i < 8; i++)
		free(c.copy[i]);
	return r;
}

/* ---- domains ---- */

static void begin(uint32_t i)
{
	struct domain *d = &domain[i];
	uint64_t most = i ? EACH * (1 + pick(7)) : EACH;

	memset(d, 0, sizeof(*d));
	memset(&model[i], 0, sizeof(model[i]));
	*d = (struct domain){.row = i, .id = i ? ++last_id : 0, .privileged = i == 0, .bare = i != 0, .used = true, .grant_frames_max = FRAMES, .maptrack_frames = 1};
	d->spec.vcpus = 1;
	d->slot_base = 2000 + 100 * i; /* nothing is there */
	heap_begin(&d->heap, i);
	(void)root_account_create(&d->account);
	assert_int_equal(physmap_init(&d->map, &d->heap, d->account, EPT_ROOT(i), VSPACE(i)), 0);
	domain_allow_pages(d, most);
	model[i].max = most;
	assert_int_equal(domain_tables_set(d, 1 << 20), 0);
}

/* Pages that nobody keeps. */
static uint64_t open_pages(void)
{
	return free_blocks() * EACH - (reserved_all() >> 12) + page_store_open();
}

static bool may_lack(uint64_t pages)
{
	return failing || open_pages() < pages + ENOUGH;
}

/* ---- what must hold ---- */

static uint8_t owner_of[PAGES];

static void check_domain(uint32_t i)
{
	const struct domain *d = &domain[i];
	const struct model *m = &model[i];
	uint64_t ram = 0, demand = 0, large = 0, blocks = 0;

	for (uint32_t at = 0; at < SPACE; at++) {
		struct p2m_entry e = p2m_get(&d->map.p2m, at);
		uint32_t page = page_at(i, GUEST, at);

		switch (m->kind[at]) {
		case NO:
			assert_int_equal(e.kind, P2M_NONE);
			break;
		case RAM:
			assert_int_equal(e.kind, P2M_RAM);
			assert_true(page < PAGES && !owner_of[page]);
			owner_of[page] = 1;
			large += e.large && at % EACH == 0;
			ram++;
			break;
		case DEMAND:
			assert_int_equal(e.kind, P2M_POD);
			demand++;
			break;
		case GONE:
			assert_true(e.kind == P2M_OUT || e.kind == P2M_GIVEN);
			break;
		default:
			assert_int_equal(e.kind, P2M_FOREIGN);
			break;
		}
	}
	assert_true(ram == m->ram && demand == m->demand);
	assert_int_equal(d->map.p2m.pages[P2M_RAM], m->ram);
	assert_int_equal(d->map.p2m.pages[P2M_POD], m->demand);
	assert_int_equal(d->map.pod_cache, m->cache);
	assert_int_equal(d->map.claim, m->claim);
	assert_int_equal(d->ram_bytes >> 12, m->ram + m->cache);
	assert_int_equal(d->max_pages, m->max);
	/* kept is what is promised, but for what a page that others hold, or a lack, takes from it */
	assert_true(d->map.kept + d->map.promised <= m->cache + m->claim);
	assert_int_equal(reserved[d->account], d->map.kept << 12);
	for (uint32_t b = 0; b < BLOCKS; b++)
		blocks += block_of[b] == d->account;
	assert_int_equal(blocks, large);
}

static void check(void)
{
	uint64_t blocks = 0, singles = 0, promised = 0, elsewhere[DOMAINS] = {0};

	memset(owner_of, 0, sizeof(owner_of));
	for (uint32_t b = 0; b < BLOCKS; b++)
		blocks += block_of[b] != 0;
	for (uint32_t i = 0; i < DOMAINS; i++) {
		if (!domain[i].used)
			continue;
		if (!domain[i].dying) {
			check_domain(i);
		} else {
			/* nothing more is to come to it */
			assert_int_equal(domain[i].map.claim + domain[i].map.pod_cache, 0);
			assert_int_equal(domain[i].map.kept + domain[i].map.promised, 0);
		}
		for (uint32_t b = 0; b < BLOCKS; b++)
			blocks -= block_of[b] == domain[i].account;
		singles += domain[i].map.singles;
		promised += domain[i].map.promised;
	}
	assert_int_equal(page_store_open() + promised + singles, blocks * EACH);
	for (uint32_t at = 0; at < SPACE; at++) {
		struct p2m_entry e = p2m_get(&domain[0].map.p2m, at);

		if (e.kind == P2M_FOREIGN)
			for (uint32_t i = 1; i < DOMAINS; i++)
				elsewhere[i] += domain[i].used && domain[0].map.source[e.frame / FRAME_CHUNK][e.frame % FRAME_CHUNK].owner == domain[i].id;
	}
	for (uint32_t i = 1; i < DOMAINS; i++)
		assert_true(!domain[i].used || domain[i].map.foreign_elsewhere == elsewhere[i]);
}

/* ---- steps ---- */

static void ram_comes(uint32_t i, uint64_t gfn, unsigned order)
{
	for (uint64_t at = gfn; at < gfn + (1ull << order); at++) {
		uint32_t page = page_at(i, GUEST, at);

		model[i].kind[at] = RAM;
		assert_true(page < PAGES && data[page] == 0);
		data[page] = 1;
	}
	model[i].ram += 1ull << order;
}

static bool all_none(uint32_t i, uint64_t gfn, unsigned order)
{
	for (uint64_t at = gfn; at < gfn + (1ull << order); at++)
		if (at >= SPACE || model[i].kind[at] != NO)
			return false;
	return true;
}

static uint64_t some_gfn(unsigned order)
{
	return pick(GFNS / 2) & ~((1ull << order) - 1);
}

static void populates(uint32_t i)
{
	struct model *m = &model[i];
	unsigned order = pick(3) ? 0 : P2M_LARGE_ORDER, n = 1 + pick(order ? 3 : BATCH), first = pick(6) ? 0 : pick(n + 2);
	bool on_demand = pick(3) == 0;
	uint64_t open = on_demand ? 0 : (uint64_t)(first < n ? n - first : 0) << order;
	xen_pfn_t gfn[BATCH];
	struct xen_memory_reservation r = {.nr_extents = n, .extent_order = order, .domid = (domid_t)domain[i].id, .mem_flags = on_demand ? XENMEMF_populate_on_demand : 0};
	uint64_t from = some_gfn(order), taken = 0, k;
	bool lack = may_lack((uint64_t)n << order);
	int64_t done;

	for (unsigned e = 0; e < n; e++)
		gfn[e] = pick(8) ? from + ((uint64_t)e << order) : some_gfn(order);
	set_xen_guest_handle(r.extent_start, gfn);
	done = call(XENMEM_populate_physmap | first << 6, &r);
	if (domain[i].dying) {
		assert_int_equal(done, first);
		return;
	}
	assert_true(done >= first && (first > n ? done == first : done <= n));
	for (k = first; k < (uint64_t)done; k++) {
		assert_true(all_none(i, gfn[k], order));
		if (on_demand) {
			memset(&m->kind[gfn[k]], DEMAND, 1u << order);
			m->demand += 1ull << order;
			continue;
		}
		assert_true(m->ram + m->cache + (1ull << order) <= m->max);
		ram_comes(i, gfn[k], order);
		taken += 1ull << order;
	}
	m->claim -= m->claim < open ? (taken < m->claim ? taken : m->claim) : taken;
	/* what stopped it; 2 MiB may be refused where single pages were, which have left a table */
	if (k < n && !lack && !order && all_none(i, gfn[k], order))
		assert_true(!on_demand && m->ram + m->cache >= m->max);
}

static void decreases(uint32_t i)
{
	struct model *m = &model[i];
	unsigned n = 1 + pick(BATCH);
	xen_pfn_t gfn[BATCH];
	struct xen_memory_reservation r = {.nr_extents = n, .domid = (domid_t)domain[i].id};
	uint64_t from = some_gfn(0);
	int64_t done;

	for (unsigned e = 0; e < n; e++)
		gfn[e] = pick(8) ? from + e : some_gfn(0);
	set_xen_guest_handle(r.extent_start, gfn);
	done = call(XENMEM_decrease_reservation, &r);
	if (domain[i].dying) {
		assert_int_equal(done, 0);
		return;
	}
	assert_true(done >= 0 && done <= n);
	for (unsigned k = 0; k < done; k++) {
		if (m->kind[gfn[k]] == RAM) {
			m->ram--;
			m->cache += m->demand > m->cache; /* Xen: p2m_pod_decrease_reservation takes it for the cache */
		} else {
			assert_int_equal(m->kind[gfn[k]], DEMAND);
			m->demand--;
			m->cache = m->cache < m->demand ? m->cache : m->demand;
		}
		m->kind[gfn[k]] = NO;
	}
}

static void claims(uint32_t i)
{
	struct model *m = &model[i];
	uint64_t n = pick(3) ? pick(8) * 400 : pick(2) ? 0 : 1ull << 52, have = m->ram + m->cache, open = open_pages();
	struct xen_memory_reservation r = {.nr_extents = n, .domid = (domid_t)(pick(20) ? domain[i].id : 30000)};
	int64_t result = call(XENMEM_claim_pages, &r);

	if (domain[i].dying)
		return;
	if (r.domid == 30000) {
		assert_int_equal(result, -XEN_EINVAL);
	} else if (n == 0) {
		assert_int_equal(result, 0);
		m->claim = 0;
	} else if (m->claim || n <= have || n > m->max) {
		assert_int_equal(result, -XEN_EINVAL);
	} else if (result) {
		assert_int_equal(result, -XEN_ENOMEM);
		assert_true(open < n - have + EACH);
	} else {
		assert_true(n - have <= open);
		m->claim = n - have;
	}
}

static void maxima(uint32_t i)
{
	uint64_t pages = pick(10) ? EACH * (1 + pick(7)) : 1ull << 62;

	if (domain[i].dying)
		return;
	domain_allow_pages(&domain[i], pages);
	model[i].max = pages < UINT32_MAX ? pages : UINT32_MAX; /* Xen has 32 bits for it */
}

static uint64_t cache_for(const struct model *m, uint64_t target)
{
	uint64_t wanted;

	if ((m->ram && !m->demand) || target < m->ram + m->cache)
		return m->cache;
	wanted = target - m->ram;
	return m->ram && wanted > m->demand ? m->demand : wanted;
}

static void targets(uint32_t i)
{
	struct model *m = &model[i];
	xen_pod_target_t t = {.target_pages = pick(10) ? pick(EACH * 8) : 1ull << 50, .domid = (domid_t)domain[i].id};
	uint64_t cache = cache_for(m, t.target_pages), more = cache > m->cache ? cache - m->cache : 0, open = open_pages();
	int64_t r = call(XENMEM_set_pod_target, &t);

	if (domain[i].dying) {
		assert_int_equal(r, -XEN_ESRCH);
		return;
	}
	if (t.target_pages > m->max) {
		assert_int_equal(r, -XEN_EINVAL);
		return;
	}
	if (r) {
		assert_int_equal(r, -XEN_ENOMEM);
		assert_true(more && (m->ram + cache > m->max || open < more + EACH));
		return;
	}
	m->claim -= more < m->claim ? more : m->claim;
	m->cache = cache;
	assert_true(t.tot_pages == m->ram + m->cache && t.pod_cache_pages == m->cache && t.pod_entries == m->demand);
}

/* What came on demand, after somebody has looked. */
static void came(uint32_t i, uint64_t gfn)
{
	struct model *m = &model[i];
	struct p2m_entry e = p2m_get(&domain[i].map.p2m, gfn);
	unsigned order = e.large ? P2M_LARGE_ORDER : 0;

	if (m->kind[gfn] != DEMAND || e.kind != P2M_RAM)
		return;
	m->demand -= 1ull << order;
	m->cache -= 1ull << order;
	ram_comes(i, gfn & ~((1ull << order) - 1), order);
}

static void looks(uint32_t i)
{
	uint64_t word = some_gfn(0), answer[8];
	bool demand = model[i].kind[word] == DEMAND, cache = model[i].cache != 0;
	int r;

	if (domain[i].dying)
		return;
	r = physmap_vmm_finds(&domain[i].map, word, answer);
	assert_true(!demand || cache || r == -ENOSPC);
	came(i, word);
	domain_pages_changed(&domain[i]);
}

static void maps(uint32_t i)
{
	uint64_t word[3] = {GFNS + pick(FOREIGN), domain[i].id, some_gfn(0)}, answer[8];
	unsigned n = 0;
	bool dying = domain[i].dying;
	int r;

	if (i == 0)
		return;
	if (pick(3) == 0) {
		r = vmm_call(0, true, DOMAIN_VMM_REMOVE, word, 1, answer, &n);
		assert_int_equal(r, model[0].kind[word[0]] == OTHER ? 0 : -ENOENT);
		model[0].kind[word[0]] = NO;
		return;
	}
	if (!dying && model[i].kind[word[2]] == DEMAND && model[i].cache == 0)
		return; /* the domain's end, which is vmm_call_test's */
	r = vmm_call(0, true, DOMAIN_VMM_FOREIGN, word, 3, answer, &n);
	if (!dying) {
		came(i, word[2]);
		domain_pages_changed(&domain[i]);
	}
	if (!r)
		model[0].kind[word[0]] = OTHER;
}

static void balloons(uint32_t i)
{
	struct model *m = &model[i];
	bool out = pick(2);
	uint64_t word[8], answer[8], from = some_gfn(0);
	unsigned n = 1 + pick(8), length = 0;

	for (unsigned k = 0; k < n; k++)
		word[k] = from + k;
	if (vmm_call(domain[i].id, false, out ? DOMAIN_VMM_OUT : DOMAIN_VMM_IN, word, n, answer, &length))
		return;
	for (unsigned k = 0; k < answer[0]; k++) {
		uint8_t *kind = &m->kind[word[k]];

		if (*kind == DEMAND) {
			m->demand--;
			m->cache = m->cache < m->demand ? m->cache : m->demand;
			*kind = NO;
		} else if (out) {
			assert_int_equal(*kind, RAM);
			m->ram--;
			m->cache += m->demand > m->cache;
			*kind = GONE;
		}
		if (!out) {
			assert_true(*kind == NO || *kind == GONE);
			assert_true(m->ram + m->cache < m->max);
			m->ram++;
			*kind = RAM;
			data[page_at(i, GUEST, word[k])] = 1;
		}
	}
}

static void asks(uint32_t i)
{
	domid_t id = (domid_t)domain[i].id;
	xen_pod_target_t t = {.domid = id};
	struct xen_domctl_shadow_op o = {.op = XEN_DOMCTL_SHADOW_OP_GET_ALLOCATION};
	uint64_t tables = 1 + pick(1024) + domain[i].map.tables;

	if (domain[i].dying) {
		assert_int_equal(call(XENMEM_current_reservation, &id), -XEN_ESRCH);
		return;
	}
	assert_int_equal(call(XENMEM_current_reservation, &id), model[i].ram + model[i].cache);
	assert_int_equal(call(XENMEM_maximum_reservation, &id), model[i].max);
	assert_int_equal(call(XENMEM_get_pod_target, &t), 0);
	assert_int_equal(t.pod_entries, model[i].demand);
	if (i == 0)
		return;
	assert_int_equal(domain_tables_set(&domain[i], tables << 12), 0);
	assert_int_equal(save_shadow_op(NULL, &domain[i], &o), 0);
	assert_int_equal(o.mb, (tables + 255) / 256);
	assert_int_equal(domain_tables_set(&domain[i], 1 << 20), 0);
}

static void ends(uint32_t i)
{
	if (pick(60))
		return;
	while (domain[i].used && domain_end(&domain[i]) == -EAGAIN)
		;
}

/* ---- */

static void everything_ends(void)
{
	uint64_t word, answer[8];
	unsigned n;

	for (word = 0; word < SPACE; word++)
		if (model[0].kind[word] == OTHER)
			assert_int_equal(vmm_call(0, true, DOMAIN_VMM_REMOVE, &word, 1, answer, &n), 0);
	for (uint32_t i = DOMAINS; i-- > 0;)
		while (domain[i].used && domain_end(&domain[i]) == -EAGAIN)
			;
	for (uint32_t i = 0; i < DOMAINS; i++)
		assert_false(domain[i].used);
	assert_int_equal(free_blocks(), BLOCKS);
	assert_int_equal(page_store_open(), 0);
	assert_int_equal(reserved_all(), 0);
}

static void many_calls(void **state)
{
	static void (*const what[])(uint32_t i) = {populates, populates, populates, decreases, decreases, claims, targets, looks, looks, maps, maps, balloons, balloons, asks, maxima, ends};
	const char *given = getenv("CONTROL_MEMORY_TEST_SEEDS");
	unsigned seeds = given ? (unsigned)atoi(given) : 6;

	for (unsigned seed = 1; seed <= seeds; seed++) {
		srand(seed);
		for (uint32_t i = 0; i < DOMAINS; i++)
			begin(i);
		for (unsigned n = 0; n < 6000; n++) {
			uint32_t i = 1 + pick(DOMAINS - 1);

			failing = *(bool *)*state && pick(3) == 0;
			fail_in = failing ? pick(20) + 1 : UINT32_MAX;
			if (!domain[i].used)
				begin(i);
			what[pick(sizeof(what) / sizeof(what[0]))](i);
			fail_in = UINT32_MAX;
			if (n % 10 == 0)
				check();
		}
		everything_ends();
	}
}

int main(void)
{
	static bool some = true, none = false;
	const struct CMUnitTest tests[] = {{"many_calls", many_calls, NULL, NULL, &none}, {"something_fails", many_calls, NULL, NULL, &some}};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
