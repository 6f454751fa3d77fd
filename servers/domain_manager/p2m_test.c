// links: servers/domain_manager/domain_heap.c user/heap.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "servers/domain_manager/p2m.h"

static const struct p2m_entry ram = {.kind = P2M_RAM, .frame = 7}, large = {.kind = P2M_RAM, .large = true, .frame = 9};

static int more(struct domain_heap *h, uint8_t *at, uint64_t bytes)
{
	(void)h;
	(void)at;
	(void)bytes;
	return 0;
}

static struct domain_heap *heap(void)
{
	static uint8_t stretch[DOMAIN_HEAP_MAX] __attribute__((aligned(16)));
	static struct domain_heap h;

	domain_heap_init(&h, stretch, more);
	return &h;
}

static void refusals(void **state)
{
	struct p2m p;
	uint64_t found;

	(void)state;
	p2m_init(&p, heap());
	assert_int_equal(p2m_get(&p, 0).kind, P2M_NONE);
	assert_int_equal(p2m_get(&p, UINT64_MAX).kind, P2M_NONE);
	assert_false(p2m_next(&p, 0, &found));
	assert_int_equal(p2m_set(&p, P2M_GFN_LIMIT, ram), -EINVAL);
	assert_int_equal(p2m_set(&p, 1, large), -EINVAL);
	assert_int_equal(p2m_set(&p, 1, (struct p2m_entry){.kind = P2M_NONE}), -EINVAL);
	assert_int_equal(p2m_set(&p, 1, (struct p2m_entry){.kind = P2M_RAM, .frame = P2M_FRAME_LIMIT}), -EINVAL);
	assert_int_equal(p2m_clear(&p, 0), -ENOENT);
	assert_int_equal(p2m_split(&p, 0, 0), -ENOENT);
	assert_int_equal(p2m_set(&p, P2M_GFN_LIMIT - 1, ram), 0);
	assert_true(p2m_next(&p, 5, &found));
	assert_int_equal(found, P2M_GFN_LIMIT - 1);
	assert_int_equal(p2m_set(&p, P2M_GFN_LIMIT - P2M_LARGE_PAGES, large), -EEXIST);
	p2m_free(&p);
}

static void split(void **state)
{
	struct p2m p;

	(void)state;
	p2m_init(&p, heap());
	assert_int_equal(p2m_set(&p, 512, large), 0);
	assert_int_equal(p2m_set(&p, 600, ram), -EEXIST);
	assert_true(p2m_get(&p, 600).large);
	assert_int_equal(p2m_split(&p, 700, 1000), 0);
	assert_int_equal(p2m_split(&p, 700, 1000), -ENOENT);
	assert_int_equal(p2m_get(&p, 512).frame, 1000);
	assert_int_equal(p2m_get(&p, 1023).frame, 1511);
	assert_false(p2m_get(&p, 1023).large);
	assert_int_equal(p.pages[P2M_RAM], 512);
	assert_int_equal(p2m_clear(&p, 1023), 0);
	assert_int_equal(p2m_get(&p, 1023).kind, P2M_NONE);
	assert_int_equal(p.pages[P2M_RAM], 511);
	p2m_free(&p);
}

/* What is noted of 2 MiB lasts as long as there is something in it, and no longer. */
static void last_page(void **state)
{
	struct p2m p;

	(void)state;
	p2m_init(&p, heap());
	assert_int_equal(p2m_set(&p, 600, ram), 0);
	assert_int_equal(p2m_set(&p, 601, ram), 0);
	assert_int_equal(p2m_clear(&p, 600), 0);
	assert_int_equal(p2m_get(&p, 601).kind, P2M_RAM);
	assert_non_null(p2m_note(&p, 600));
	assert_int_equal(p2m_clear(&p, 601), 0);
	assert_null(p2m_note(&p, 600));
	assert_int_equal(p2m_set(&p, 512, large), 0);
	assert_int_equal(p2m_split(&p, 512, 1000), 0);
	for (uint64_t gfn = 512; gfn < 1024; gfn++) {
		assert_non_null(p2m_note(&p, 600));
		assert_int_equal(p2m_clear(&p, gfn), 0);
	}
	assert_null(p2m_note(&p, 600));
	p2m_free(&p);
}

/* 2 MiB of which the last page went are as if there had never been one, whatever comes there or elsewhere. */
static void emptied(void **state)
{
	uint64_t found;
	struct p2m p;

	(void)state;
	p2m_init(&p, heap());
	for (unsigned what = 0; what < 5; what++) {
		assert_int_equal(p2m_set(&p, 600, ram), 0);
		p2m_note(&p, 600)->block = 5;
		assert_int_equal(p2m_clear(&p, 600), 0);
		assert_null(p2m_note(&p, 600));
		assert_int_equal(p2m_clear(&p, 600), -ENOENT);
		assert_int_equal(p2m_out(&p, 600), -ENOENT);
		assert_int_equal(p2m_split(&p, 600, 0), -ENOENT);
		assert_false(p2m_next(&p, 0, &found));
		switch (what) {
		case 0:
			assert_int_equal(p2m_set(&p, 601, ram), 0);
			assert_int_equal(p2m_note(&p, 512)->block, 0);
			assert_int_equal(p2m_clear(&p, 601), 0);
			break;
		case 1:
			assert_int_equal(p2m_set(&p, 512, large), 0);
			assert_true(p2m_get(&p, 600).large);
			assert_int_equal(p2m_clear(&p, 600), 0);
			break;
		case 2:
			assert_int_equal(p2m_set(&p, 512, large), 0);
			assert_int_equal(p2m_split(&p, 512, 1000), 0);
			for (uint64_t gfn = 512; gfn < 1024; gfn++)
				assert_int_equal(p2m_clear(&p, gfn), 0);
			break;
		default: /* before it, and behind it */
			assert_int_equal(p2m_set(&p, what == 3 ? 5 : 1500, ram), 0);
			assert_int_equal(p2m_get(&p, 600).kind, P2M_NONE);
			assert_int_equal(p2m_set(&p, 600, ram), 0);
			assert_int_equal(p2m_clear(&p, 600), 0);
			assert_int_equal(p2m_clear(&p, what == 3 ? 5 : 1500), 0);
			break;
		}
		for (unsigned kind = 0; kind < P2M_KINDS; kind++)
			assert_int_equal(p.pages[kind], 0);
	}
	p2m_free(&p);
}

static void out_and_in(void **state)
{
	struct p2m p;

	(void)state;
	p2m_init(&p, heap());
	assert_null(p2m_note(&p, 512));
	assert_int_equal(p2m_set(&p, 512, large), 0);
	p2m_note(&p, 1023)->block = 5;
	assert_int_equal(p2m_out(&p, 600), -ENOENT);
	assert_int_equal(p2m_split(&p, 700, 1000), 0);
	assert_int_equal(p2m_in(&p, 600), -ENOENT);
	assert_int_equal(p2m_out(&p, 600), 0);
	assert_int_equal(p2m_out(&p, 600), -ENOENT);
	assert_int_equal(p2m_get(&p, 600).kind, P2M_OUT);
	assert_int_equal(p2m_get(&p, 600).frame, 1000 + 600 - 512);
	assert_int_equal(p2m_set(&p, 600, ram), -EEXIST);
	assert_int_equal(p.pages[P2M_RAM], 511);
	assert_int_equal(p.pages[P2M_OUT], 1);
	assert_int_equal(p2m_note(&p, 512)->out, 1);
	assert_int_equal(p2m_note(&p, 512)->block, 5);
	assert_int_equal(p2m_in(&p, 600), 0);
	assert_int_equal(p2m_note(&p, 512)->out, 0);
	assert_int_equal(p2m_get(&p, 600).kind, P2M_RAM);
	assert_int_equal(p2m_out(&p, P2M_GFN_LIMIT), -ENOENT);
	assert_int_equal(p2m_out(&p, 0), -ENOENT);
	p2m_free(&p);
}

static void populate_on_demand(void **state)
{
	const struct p2m_entry pod = {.kind = P2M_POD, .large = true};
	struct p2m p;

	(void)state;
	p2m_init(&p, heap());
	assert_int_equal(p2m_set(&p, 512, pod), 0);
	assert_int_equal(p.pages[P2M_POD], 512);
	assert_int_equal(p2m_out(&p, 600), -ENOENT);
	assert_int_equal(p2m_split(&p, 600, 0), 0);
	assert_int_equal(p2m_get(&p, 1000).kind, P2M_POD);
	assert_int_equal(p2m_clear(&p, 600), 0);
	assert_int_equal(p2m_set(&p, 600, ram), 0);
	assert_int_equal(p.pages[P2M_POD], 511);
	assert_int_equal(p2m_out(&p, 600), 0);
	assert_int_equal(p2m_in(&p, 601), -ENOENT);
	/* its page goes elsewhere, and it gets another one later */
	assert_int_equal(p2m_note(&p, 600)->out, 1);
	assert_int_equal(p2m_replace(&p, 600), -ENOENT);
	assert_int_equal(p2m_give(&p, 600), 0);
	assert_int_equal(p2m_give(&p, 600), -ENOENT);
	assert_int_equal(p.pages[P2M_GIVEN], 1);
	assert_int_equal(p2m_note(&p, 600)->out, 0);
	assert_int_equal(p2m_in(&p, 600), -ENOENT);
	assert_int_equal(p2m_replace(&p, 600), 0);
	assert_int_equal(p2m_get(&p, 600).kind, P2M_RAM);
	assert_int_equal(p2m_note(&p, 600)->out, 0);
	p2m_free(&p);
}

/* Against an array of what each page should be. */
#define PAGES 4096u
static struct p2m_entry model[PAGES];

static void check(const struct p2m *p)
{
	uint64_t pages[P2M_KINDS] = {0}, at = 0;

	for (uint32_t g = 0; g < PAGES; g++) {
		struct p2m_entry e = p2m_get(p, g);
		uint64_t found;

		assert_int_equal(e.kind, model[g].kind);
		if (e.kind != P2M_NONE) {
			assert_int_equal(e.frame, model[g].frame);
			assert_int_equal(e.large, model[g].large);
			pages[e.kind]++;
			assert_true(p2m_next(p, at, &found));
			assert_int_equal(found, g);
			at = g + 1ull;
		}
	}
	assert_memory_equal(pages, p->pages, sizeof(pages));
}

static bool model_free(uint32_t g, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (model[g + i].kind != P2M_NONE)
			return false;
	return true;
}

static void random_against_model(void **state)
{
	struct p2m p;

	(void)state;
	srand(4);
	p2m_init(&p, heap());
	for (unsigned step = 0; step < 20000; step++) {
		uint32_t g = (uint32_t)rand() % PAGES, base = g & ~(P2M_LARGE_PAGES - 1), n = 1;
		struct p2m_entry e = {.kind = (enum p2m_kind)(1 + rand() % 3), .frame = (uint32_t)rand() % 100000};
		int r;

		switch (rand() % 4) {
		case 0:
			e.large = rand() % 8 == 0;
			if (e.large)
				g = base, n = P2M_LARGE_PAGES;
			r = p2m_set(&p, g, e);
			assert_int_equal(r, model_free(g, n) ? 0 : -EEXIST);
			for (uint32_t i = 0; r == 0 && i < n; i++)
				model[g + i] = e;
			break;
		case 1:
		case 2:
			e = model[g];
			assert_int_equal(p2m_clear(&p, g), e.kind == P2M_NONE ? -ENOENT : 0);
			if (e.large)
				memset(&model[base], 0, P2M_LARGE_PAGES * sizeof(model[0]));
			else
				memset(&model[g], 0, sizeof(model[0]));
			break;
		default:
			r = p2m_split(&p, g, e.frame);
			assert_int_equal(r, model[g].large ? 0 : -ENOENT);
			for (uint32_t i = 0; r == 0 && i < P2M_LARGE_PAGES; i++) {
				model[base + i].large = false;
				model[base + i].frame = e.frame + i;
			}
			break;
		}
		if (step % 200 == 0)
			check(&p);
	}
	check(&p);
	p2m_free(&p);
}

/* A page that comes where nothing is near, and goes again, needs no memory but the first time. */
static void comes_and_goes(void **state)
{
	struct domain_heap *h = heap();
	struct p2m p;

	(void)state;
	p2m_init(&p, h);
	assert_int_equal(p2m_set(&p, 512, large), 0);
	for (uint32_t i = 0; i < P2M_LARGE_PAGES; i++)
		assert_int_equal(p2m_set(&p, 1024 + i, ram), 0);
	for (uint32_t i = 0; i < P2M_LARGE_PAGES; i++)
		assert_int_equal(p2m_clear(&p, 1024 + i), 0);
	for (unsigned size = 1u << 16; size >= 16; size /= 2)
		while (domain_heap_alloc(h, 1, size))
			;
	for (unsigned round = 0; round < 3; round++) {
		assert_int_equal(p2m_set(&p, 4096 * (round + 1) + 7, ram), 0);
		assert_int_equal(p2m_set(&p, 5, ram), -ENOMEM);
		assert_int_equal(p2m_split(&p, 512, 1), -ENOMEM);
		for (uint32_t i = 0; i < P2M_LARGE_PAGES; i++)
			assert_int_equal(p2m_get(&p, 4096 * (round + 1) + i).kind, i == 7 ? P2M_RAM : P2M_NONE);
		assert_int_equal(p2m_get(&p, 5).kind, P2M_NONE);
		assert_int_equal(p2m_get(&p, 600).frame, large.frame);
		assert_int_equal(p2m_clear(&p, 4096 * (round + 1) + 7), 0);
		assert_null(p2m_note(&p, 4096 * (round + 1) + 7));
	}
	assert_int_equal(p2m_split(&p, 512, 1), 0);
	assert_int_equal(p2m_get(&p, 1023).frame, 512);
	p2m_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(refusals), cmocka_unit_test(split), cmocka_unit_test(last_page), cmocka_unit_test(emptied), cmocka_unit_test(out_and_in), cmocka_unit_test(populate_on_demand),
					   cmocka_unit_test(comes_and_goes), cmocka_unit_test(random_against_model)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
