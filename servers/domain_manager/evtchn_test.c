/* Channels between domains: which one each gets, what their vmms are told, and until when the page stays; and, whatever vmms ask for, that no third domain has any of it. */
// cflags: -iquote servers/domain_manager/fake/include -D__XEN_TOOLS__ -std=gnu11
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <cmocka.h>
#include "proto/task/task.h"
#include "sel4/sel4.h"
#include "proto/root/root.h"
#include "servers/domain_manager/domain.h"
#include "servers/domain_manager/evtchn.h"
#include "user/object.h"
#include "user/slot.h"
#include "user/vspace.h"

#define LOW	1u
#define HIGH	2u
#define DOMAINS 48u
#define FEW	4u /* that ask for anything */
#define PORTS	64u
#define SLOTS	8192u
#define DOMAIN_SLOTS 100u /* those of a domain, and its CNode, begin at so many for each row, and as many more */

static struct domain domain[DOMAINS];
static struct vmm_control control[DOMAINS];
#define low  domain[0]
#define high domain[1]
static unsigned signals;
static uint32_t slots = DOMAIN_SLOTS * (DOMAINS + 1);
static bool no_slots;
static uint32_t object[SLOTS];		    /* of ours: which page; 0: empty */
static uint32_t peer_page[DOMAINS][VMM_PEERS];	    /* our slot of what its vmm has as a peer's */
static uint32_t peer_signals[DOMAINS][1 + VMM_PEERS]; /* in its CNode: our slot of the notification; 0: none */

static struct domain *of_cnode(seL4_CPtr root)
{
	return root >= DOMAIN_SLOTS ? &domain[root / DOMAIN_SLOTS - 1] : NULL;
}

/* ---- what it calls ---- */

seL4_Error seL4_CNode_Copy(seL4_CPtr root, seL4_Word index, seL4_Uint8 depth, seL4_CPtr from, seL4_Word from_index, seL4_Uint8 from_depth, seL4_CapRights_t rights)
{
	(void)depth, (void)from_depth, (void)rights;
	assert_int_equal(root, TASK_SLOT_CNODE);
	assert_int_equal(from, TASK_SLOT_CNODE);
	assert_int_equal(object[index], 0);
	assert_int_not_equal(object[from_index], 0);
	object[index] = object[from_index];
	return seL4_NoError;
}

seL4_Error seL4_CNode_Mint(seL4_CPtr root, seL4_Word index, seL4_Uint8 depth, seL4_CPtr from, seL4_Word from_index, seL4_Uint8 from_depth, seL4_CapRights_t rights,
			   seL4_Word badge)
{
	struct domain *d = of_cnode(root);

	(void)depth, (void)from, (void)from_depth, (void)rights, (void)badge;
	assert_non_null(d);
	peer_signals[d - domain][index] = (uint32_t)from_index;
	return seL4_NoError;
}

seL4_Error seL4_CNode_Delete(seL4_CPtr root, seL4_Word index, seL4_Uint8 depth)
{
	struct domain *d = of_cnode(root);

	(void)depth;
	if (d) {
		peer_signals[d - domain][index] = 0;
		return seL4_NoError;
	}
	object[index] = 0;
	for (uint32_t i = 0; i < DOMAINS; i++)
		for (uint32_t k = 0; k < VMM_PEERS; k++)
			if (peer_page[i][k] == index)
				peer_page[i][k] = 0;
	return seL4_NoError;
}

seL4_CPtr slot_alloc(void)
{
	if (no_slots)
		return 0;
	assert_true(slots < SLOTS);
	return slots++;
}

void slot_free(seL4_CPtr slot)
{
	assert_int_equal(object[slot], 0);
}

void object_delete(seL4_CPtr slot)
{
	object[slot] = 0;
}

seL4_CPtr object_create_slot(seL4_Word type, unsigned bits)
{
	(void)type, (void)bits;
	assert_true(slots < SLOTS);
	object[slots] = slots;
	return slots++;
}

int vspace_map(seL4_CPtr frame, uint64_t vaddr, bool write, bool execute)
{
	(void)frame, (void)write, (void)execute;
	return mmap((void *)vaddr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == (void *)vaddr ? 0 : -1;
}

/* The vmm has the page for as long as this copy is there. */
int physmap_map_vmm(struct physmap *m, uint32_t slot, uint64_t vaddr)
{
	struct domain *d = (struct domain *)(void *)((uint8_t *)m - offsetof(struct domain, map));
	uint64_t peer = (vaddr - VMM_PEER_VADDR) >> 12;

	assert_true(peer < VMM_PEERS && object[slot]);
	assert_int_equal(peer_page[d - domain][peer], 0); /* nothing of an earlier peer's is there */
	peer_page[d - domain][peer] = slot;
	return 0;
}

struct domain *domain_find(uint32_t id)
{
	for (uint32_t i = 0; i < DOMAINS; i++)
		if (domain[i].used && domain[i].id == id)
			return &domain[i];
	return NULL;
}

void domain_signal_control(struct domain *d)
{
	(void)d;
	signals++;
}

void *domain_heap_alloc(struct domain_heap *h, size_t count, size_t size)
{
	(void)h;
	return calloc(count, size);
}

void domain_heap_free(struct domain_heap *h, void *p)
{
	(void)h;
	free(p);
}

/* ---- cases ---- */

static void domain_is(uint32_t row, uint32_t id)
{
	struct domain *d = &domain[row];

	memset(d, 0, sizeof(*d));
	d->id = id;
	d->row = row;
	d->slot_base = DOMAIN_SLOTS * (row + 1);
	d->peer_slot = 1;
	d->used = d->bare = d->started = true;
	d->ports = PORTS;
	d->control = &control[row];
	memset(peer_page[row], 0, sizeof(peer_page[row]));
	memset(peer_signals[row], 0, sizeof(peer_signals[row]));
}

static int setup(void **state)
{
	(void)state;
	memset(domain, 0, sizeof(domain));
	domain_is(0, LOW);
	domain_is(1, HIGH);
	signals = 0;
	return 0;
}

/* Some domain's vmm has a page. */
static bool some_page(void)
{
	for (uint32_t i = 0; i < DOMAINS; i++)
		for (uint32_t k = 0; k < VMM_PEERS; k++)
			if (object[peer_page[i][k]])
				return true;
	return false;
}

static int teardown(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < DOMAINS; i++) {
		evtchn_domain_gone(&domain[i]);
		if (domain[i].end_count)
			return 1;
	}
	return some_page();
}

static void waits(uint32_t port)
{
	assert_int_equal(evtchn_unbound(&high, port, LOW), 0);
}

/* The lower domain's port is bound to the higher one's; by which channel. */
static uint32_t bind(uint32_t port, uint32_t to)
{
	struct evtchn_bound b;

	assert_int_equal(evtchn_bind(&low, port, HIGH, to, &b), 0);
	assert_true(b.bound);
	assert_int_equal(b.remote_port, to);
	return b.channel;
}

static void told(uint32_t port, bool bound, uint32_t remote_port, uint32_t channel)
{
	struct evtchn_bound b;

	assert_int_equal(evtchn_changed(&high, &b), 0);
	assert_int_equal(b.port, port);
	assert_int_equal(b.remote, LOW);
	assert_int_equal(b.bound, bound);
	assert_int_equal(b.remote_port, remote_port);
	assert_int_not_equal(b.peer, VMM_PEERS);
	assert_int_equal(b.channel, channel);
}

static void told_all(void)
{
	struct evtchn_bound b;

	assert_int_equal(evtchn_changed(&high, &b), -ENOENT);
}

/* What was sent in it may be there still: nobody else gets the channel before the vmm has said by asking again that it took it. */
static void a_channel_is_kept(void **state)
{
	struct evtchn_bound b;

	(void)state;
	waits(5);
	waits(6);
	waits(7);
	waits(8);
	assert_int_equal(bind(10, 5), 0);
	told(5, true, 10, 0);
	told_all();
	evtchn_close(&low, 10);
	assert_int_equal(bind(11, 6), 1);
	told(6, true, 11, 1);
	told(5, false, 0, 0);
	assert_int_equal(bind(12, 7), 2);
	told(7, true, 12, 2);
	told_all();
	assert_int_equal(bind(13, 8), 0);
	told(8, true, 13, 0);
	told_all();
	assert_int_equal(evtchn_status(&high, 5, &b), 0);
	assert_false(b.bound);
	assert_int_equal(b.peer, VMM_PEERS);
}

/* Its vmm knows the channel by the port's number: bound again, the port has the same. */
static void bound_again(void **state)
{
	(void)state;
	waits(5);
	assert_int_equal(bind(10, 5), 0);
	told(5, true, 10, 0);
	evtchn_close(&low, 10);
	assert_int_equal(bind(11, 5), 0);
	told(5, true, 11, 0);
	evtchn_close(&low, 11);
	told(5, false, 0, 0);
	/* told, and not looked at yet */
	assert_int_equal(bind(12, 5), 0);
	told(5, true, 12, 0);
	evtchn_close(&low, 12);
	told(5, false, 0, 0);
	assert_int_equal(bind(13, 5), 0);
	evtchn_close(&low, 13);
	told(5, false, 0, 0);
	told_all();
	waits(6);
	assert_int_equal(bind(14, 6), 0);
	assert_int_equal(signals, 9);
}

/* All of it before its vmm looks; and then it closes the port itself. */
static void never_heard_of(void **state)
{
	(void)state;
	waits(5);
	assert_int_equal(bind(10, 5), 0);
	evtchn_close(&low, 10);
	told(5, false, 0, 0);
	told_all();
	assert_int_equal(bind(10, 5), 0);
	evtchn_close(&low, 10);
	evtchn_close(&high, 5);
	told_all();
	waits(6);
	assert_int_equal(bind(10, 6), 0);
}

/* The other domain is gone: the page stays until all was looked at. */
static void page_of_one_that_is_gone(void **state)
{
	(void)state;
	waits(5);
	assert_int_equal(bind(10, 5), 0);
	evtchn_domain_gone(&low);
	assert_true(some_page());
	told(5, false, 0, 0);
	assert_true(some_page());
	told_all();
	assert_false(some_page());
	/* told of a close, and looking, when the other's end comes */
	waits(6);
	assert_int_equal(bind(11, 6), 0);
	told(6, true, 11, 0);
	told_all();
	evtchn_close(&low, 11);
	told(6, false, 0, 0);
	evtchn_domain_gone(&low);
	assert_true(some_page());
	told_all();
	assert_false(some_page());
}

/* ---- vmms that ask for anything ---- */

static uint32_t pick(uint32_t n)
{
	return (uint32_t)rand() % n;
}

/* What is bound is bound both ways, by a channel that these two ports alone have; a last channel that is kept is nobody's. */
static void check_channels(void)
{
	for (uint32_t i = 0; i < FEW; i++) {
		bool used[FEW][PORTS] = {{false}};

		for (uint32_t port = 1; port < PORTS && domain[i].used; port++) {
			struct evtchn_bound b, back;
			struct domain *remote;

			if (evtchn_status(&domain[i], port, &b) || b.peer == VMM_PEERS)
				continue;
			remote = domain_find(b.remote);
			if (!remote) {
				assert_false(b.bound);
				continue;
			}
			assert_true(b.channel < PORTS);
			assert_false(used[remote->row][b.channel]);
			used[remote->row][b.channel] = true;
			if (!b.bound)
				continue;
			assert_int_equal(evtchn_status(remote, b.remote_port, &back), 0);
			assert_true(back.bound && back.remote == domain[i].id && back.remote_port == port && back.channel == b.channel);
		}
	}
}

/* A page is in two vmms at most, and the one that still has it of two signals nobody. */
static void check_pages(void)
{
	for (uint32_t i = 0; i < FEW; i++)
		for (uint32_t k = 0; k < VMM_PEERS; k++) {
			uint32_t page = object[peer_page[i][k]], with = FEW, others = 0;

			for (uint32_t j = 0; page && j < FEW; j++)
				for (uint32_t n = 0; n < VMM_PEERS; n++)
					if ((j != i || n != k) && object[peer_page[j][n]] == page) {
						with = j;
						others++;
					}
			assert_true(others <= 1 && with != i);
			assert_int_equal(page != 0, domain[i].peers[k / 64] >> k % 64 & 1);
			if (peer_signals[i][1 + k])
				assert_true(others == 1 && domain[with].used && peer_signals[i][1 + k] == domain[with].slot_base + ROOT_TASK_SLOT_THREAD + 2);
		}
}

static void ask(uint32_t i)
{
	struct domain *d = &domain[i];
	uint32_t port = pick(20) ? pick(12) : pick(PORTS + 4), remote = pick(20) ? domain[pick(FEW)].id : pick(1000);
	struct evtchn_bound b;

	switch (pick(6)) {
	case 0:
		(void)evtchn_unbound(d, port, remote);
		break;
	case 1:
	case 2:
		(void)evtchn_bind(d, port, remote, pick(12), &b);
		break;
	case 3:
		evtchn_close(d, port);
		break;
	case 4:
		(void)evtchn_changed(d, &b);
		break;
	default:
		while (pick(4) && !evtchn_changed(d, &b))
			;
		break;
	}
}

static void anything(void **state)
{
	uint32_t id = 0;

	(void)state;
	for (unsigned seed = 1; seed <= 20; seed++) {
		srand(seed);
		for (uint32_t i = 0; i < FEW; i++)
			domain_is(i, ++id);
		for (unsigned n = 0; n < 3000; n++) {
			uint32_t i = pick(FEW);

			ask(i);
			if (pick(100) == 0) {
				/* it ends, and another has its place in the table */
				evtchn_domain_gone(&domain[i]);
				domain[i].gone = true;
				evtchn_domain_gone(&domain[i]);
				domain_is(i, ++id);
			}
			if (n % 10 == 0) {
				check_channels();
				check_pages();
			}
		}
		for (uint32_t i = 0; i < FEW; i++)
			evtchn_domain_gone(&domain[i]);
		assert_false(some_page());
	}
}

/* Many domains have channels with each other, as many as there can be: domain 0 has one with each all the same. */
static void all_with_all(void **state)
{
	struct evtchn_bound b;
	unsigned pairs = 0, refused = 0;

	(void)state;
	for (uint32_t i = 0; i < DOMAINS; i++)
		domain_is(i, i);
	domain[0].privileged = true;
	for (uint32_t i = 1; i < DOMAINS; i++)
		for (uint32_t k = 1; k < i; k++) {
			int r;

			assert_int_equal(evtchn_unbound(&domain[i], k, k), 0);
			r = evtchn_bind(&domain[k], i, i, k, &b);
			assert_true(r == 0 || r == -ENOSPC);
			*(r ? &refused : &pairs) += 1;
		}
	assert_int_equal(pairs, 1024 - DOMAINS_MAX);
	assert_true(refused > 0);
	for (uint32_t i = 1; i < DOMAINS; i++) {
		assert_int_equal(evtchn_unbound(&domain[i], PORTS - 1, 0), 0);
		assert_int_equal(evtchn_bind(&domain[0], i, i, PORTS - 1, &b), 0);
	}
	/* one that ends makes room */
	evtchn_domain_gone(&domain[1]);
	for (uint32_t i = 2; i < DOMAINS; i++)
		while (!evtchn_changed(&domain[i], &b))
			;
	assert_int_equal(evtchn_unbound(&domain[DOMAINS - 1], PORTS - 2, DOMAINS - 2), 0);
	assert_int_equal(evtchn_bind(&domain[DOMAINS - 2], PORTS - 2, DOMAINS - 1, PORTS - 2, &b), 0);
}

/* The first pair, for which there is no slot: nothing of it is left. */
static void no_slot(void **state)
{
	struct evtchn_bound b;

	(void)state;
	waits(5);
	no_slots = true;
	assert_int_equal(evtchn_bind(&low, 10, HIGH, 5, &b), -ENOMEM);
	no_slots = false;
	assert_int_equal(bind(10, 5), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(no_slot, setup, teardown),
		cmocka_unit_test_setup_teardown(a_channel_is_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(bound_again, setup, teardown),
		cmocka_unit_test_setup_teardown(never_heard_of, setup, teardown),
		cmocka_unit_test_setup_teardown(page_of_one_that_is_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(anything, setup, teardown),
		cmocka_unit_test_setup_teardown(all_with_all, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
