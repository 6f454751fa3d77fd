/* Ids against a plain table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "servers/domain_manager/domain_ids.h"

static struct domain_ids ids;
static uint16_t model[DOMAIN_ID_MAX];

static uint16_t model_next(uint32_t from)
{
	while (from < DOMAIN_ID_MAX && !model[from])
		from++;
	return from < DOMAIN_ID_MAX ? model[from] : DOMAIN_NO_ROW;
}

static void set(uint32_t id, uint16_t row)
{
	domain_ids_set(&ids, id, row);
	model[id] = row;
}

static void edges(void **state)
{
	static const uint32_t at[] = {0, 1, 63, 64, 65, 4095, 4096, 4097, 8191, 32703, 32704, 32751};

	(void)state;
	memset(&ids, 0, sizeof(ids));
	memset(model, 0, sizeof(model));
	assert_int_equal(domain_ids_next(&ids, 0), DOMAIN_NO_ROW);
	for (unsigned i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		set(at[i], (uint16_t)(i + 1));
		for (uint32_t from = 0; from < DOMAIN_ID_MAX; from++)
			assert_int_equal(domain_ids_next(&ids, from), model_next(from));
	}
	/* the first go first */
	for (unsigned i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		set(at[i], DOMAIN_NO_ROW);
		assert_int_equal(domain_ids_next(&ids, 0), model_next(0));
	}
	/* there are no more ids */
	for (uint32_t id = DOMAIN_ID_MAX; id < 70000; id++) {
		domain_ids_set(&ids, id, 1);
		assert_int_equal(domain_ids_find(&ids, id), DOMAIN_NO_ROW);
		assert_int_equal(domain_ids_next(&ids, id), DOMAIN_NO_ROW);
	}
	domain_ids_set(&ids, UINT32_MAX, 1);
	assert_int_equal(domain_ids_next(&ids, UINT32_MAX), DOMAIN_NO_ROW);
	assert_int_equal(domain_ids_next(&ids, 0), DOMAIN_NO_ROW);
}

static void at_random(void **state)
{
	(void)state;
	srand(1);
	memset(&ids, 0, sizeof(ids));
	memset(model, 0, sizeof(model));
	for (unsigned i = 0; i < 20000; i++) {
		uint32_t id = (uint32_t)rand() % (i % 3 ? 300 : DOMAIN_ID_MAX), from = (uint32_t)rand() % DOMAIN_ID_MAX;

		set(id, (uint16_t)(rand() % 2 * (1 + rand() % 250)));
		assert_int_equal(domain_ids_find(&ids, id), model[id]);
		assert_int_equal(domain_ids_next(&ids, from), model_next(from));
		assert_int_equal(domain_ids_next(&ids, id), model_next(id));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(edges), cmocka_unit_test(at_random)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
