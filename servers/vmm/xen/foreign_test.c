// links: servers/vmm/xen/physmap_call.c user/message.c
// cflags: -std=gnu11 -iquote servers/vmm/fake/include -D__XEN_TOOLS__
/* Random pages of another domain, mapped and taken out, beside a model of what the guest has been told; and how many calls that takes. */
#include "servers/vmm/xen/foreign.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "servers/vmm/xen/xen.h"
#include "user/message.h"

#define OTHER	 5u
#define PAGES	 4096u
#define STRIDE	 (64u * 4096u) /* two pages so far apart are remembered in the same place */
#define OWN_PAGE 7u		/* where the domain manager finds something else */

struct vmm vmm;
static bool control, held;
static bool there[PAGES];	/* the domain manager's */
static uint64_t from_gfn[PAGES];
static unsigned calls;

bool control_allowed(void)
{
	return control;
}

void vmm_mutex_init(struct vmm_mutex *m)
{
	(void)m;
}

void vmm_mutex_take(struct vmm_mutex *m)
{
	(void)m;
	assert_false(held);
	held = true;
}

void vmm_mutex_release(struct vmm_mutex *m)
{
	(void)m;
	assert_true(held);
	held = false;
}

/* Pages are at both ends of two windows that take each other's place. */
static uint64_t gfn_of(unsigned page)
{
	return page % 2 * STRIDE + page / 2;
}

static unsigned page_of(uint64_t gfn)
{
	unsigned page = (unsigned)(gfn % STRIDE * 2 + gfn / STRIDE);

	assert_true(page < PAGES && gfn_of(page) == gfn);
	return page;
}

static int taken_out(uint64_t gfn)
{
	unsigned page = page_of(gfn);

	if (page == OWN_PAGE)
		return -EBUSY;
	if (!there[page])
		return -ENOENT;
	there[page] = false;
	return 0;
}

static int mapped(uint64_t gfn, uint64_t from)
{
	unsigned page = page_of(gfn);

	if (page == OWN_PAGE || there[page])
		return -EEXIST;
	there[page] = true;
	from_gfn[page] = from;
	return 0;
}

int message_call_short(seL4_CPtr endpoint, uint64_t label, unsigned n, const uint64_t w[4])
{
	(void)endpoint;
	calls++;
	if (label == DOMAIN_VMM_REMOVE) {
		assert_int_equal(n, 1);
		return taken_out(w[0]);
	}
	assert_int_equal(label, DOMAIN_VMM_FOREIGN);
	assert_int_equal(n, 4);
	assert_int_equal(w[1], OTHER);
	if (w[3])
		assert_int_equal(taken_out(w[3] - 1), 0);
	return mapped(w[0], w[2]);
}

int message_call(struct message *m, seL4_CPtr endpoint, uint64_t label)
{
	int answer[DOMAIN_FOREIGNS];
	unsigned n = 0;
	uint64_t from, gones;

	(void)endpoint;
	calls++;
	assert_int_equal(label, DOMAIN_VMM_FOREIGN_MANY);
	assert_false(m->failed);
	message_begin_read(m);
	from = message_get(m);
	gones = message_get(m);
	assert_true(gones <= DOMAIN_FOREIGNS);
	for (uint64_t i = 0; i < gones; i++)
		assert_int_equal(taken_out(message_get(m)), 0);
	for (; message_left(m); n++) {
		uint64_t gfn = message_get(m);

		assert_true(n < DOMAIN_FOREIGNS && from == OTHER);
		answer[n] = mapped(gfn, message_get(m));
	}
	assert_true(n || gones);
	message_begin(m);
	for (unsigned i = 0; i < n; i++)
		message_put(m, (uint64_t)(int64_t)answer[i]);
	message_begin_read(m);
	return 0;
}

static unsigned pick(unsigned n)
{
	static uint64_t x = 88172645463325252ull;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return (unsigned)(x % n);
}

static int start(void **state)
{
	(void)state;
	control = true;
	foreign_init();
	memset(there, 0, sizeof(there));
	calls = 0;
	return 0;
}

static int stop(void **state)
{
	(void)state;
	foreign_settle();
	return held;
}

static void at_random(void **state)
{
	static bool expected[PAGES];

	(void)state;
	for (unsigned turn = 0; turn < 200000; turn++) {
		struct physmap_foreign page[DOMAIN_FOREIGNS];
		int32_t error[DOMAIN_FOREIGNS];
		unsigned first = pick(2) ? pick(64) : pick(PAGES), n = 1 + pick(pick(2) ? 1 : DOMAIN_FOREIGNS);

		switch (pick(8)) {
		case 0:
			for (unsigned i = 0; i < n; i++)
				page[i] = (struct physmap_foreign){.gfn = gfn_of((first + i) % PAGES), .from_gfn = turn + i};
			foreign_map(OTHER, page, n, error);
			for (unsigned i = 0; i < n; i++) {
				unsigned at = (first + i) % PAGES;

				assert_int_equal(error[i], expected[at] || at == OWN_PAGE ? -EEXIST : 0);
				assert_true(error[i] || from_gfn[at] == turn + i);
				expected[at] = at != OWN_PAGE;
			}
			break;
		case 1:
			foreign_settle();
			assert_memory_equal(there, expected, sizeof(there));
			break;
		default:
			assert_int_equal(foreign_remove(gfn_of(first)), first == OWN_PAGE ? -EBUSY : expected[first] ? 0 : -ENOENT);
			expected[first] = false;
			break;
		}
		for (unsigned i = 0; i < PAGES && turn % 1000 == 0; i++)
			assert_true(there[i] || !expected[i]); /* nothing goes before its time */
	}
}

static void map_all(unsigned n)
{
	struct physmap_foreign page;
	int32_t error;

	for (unsigned i = 0; i < n; i++) {
		page = (struct physmap_foreign){.gfn = i, .from_gfn = i};
		foreign_map(OTHER, &page, 1, &error);
		assert_int_equal(error, 0);
	}
}

/* As many are taken out by one call as a message holds; and nothing is asked where there is nothing to do. */
static void few_calls(void **state)
{
	(void)state;
	map_all(100);
	assert_int_equal(calls, 100);
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(foreign_remove(i), 0);
	assert_int_equal(calls, 103);
	foreign_settle();
	foreign_settle();
	assert_int_equal(calls, 104);
	/* one that goes and one that comes are one call */
	map_all(1);
	for (unsigned i = 0; i < 10; i++) {
		assert_int_equal(foreign_remove(0), 0);
		map_all(1);
	}
	assert_int_equal(calls, 115);
	assert_true(there[page_of(0)]);
}

/* Of a domain that may not map such pages nothing is put off. */
static void not_of_others(void **state)
{
	(void)state;
	control = false;
	foreign_init();
	there[page_of(3)] = true;
	assert_int_equal(foreign_remove(3), 0);
	assert_false(there[page_of(3)]);
	assert_int_equal(foreign_remove(3), -ENOENT);
	assert_int_equal(calls, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(at_random, start, stop),
		cmocka_unit_test_setup_teardown(few_calls, start, stop),
		cmocka_unit_test_setup_teardown(not_of_others, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
