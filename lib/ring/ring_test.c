/* Both ends in one process, and a peer that lies. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "ring/ring.h"

struct pair {
	struct ring_header header;
	uint8_t data[16];
	struct ring producer, consumer;
};

static void start(struct pair *p, uint32_t index)
{
	memset(p, 0, sizeof(*p));
	p->header.prod = index;
	p->header.cons = index;
	assert_true(ring_init(&p->producer, &p->header, p->data, sizeof(p->data), index));
	assert_true(ring_init(&p->consumer, &p->header, p->data, sizeof(p->data), index));
}

static void test_stream(void **state)
{
	struct pair p;
	uint8_t out[20], next_in = 0, next_out = 0;

	(void)state;
	assert_int_equal(offsetof(struct ring_header, cons), 64);
	assert_int_equal(sizeof(struct ring_header), 128);
	start(&p, UINT32_MAX - 100); /* the indices wrap on the way */
	for (uint32_t round = 0; round < 1000; round++) {
		uint8_t in[20];
		for (uint32_t i = 0; i < sizeof(in); i++)
			in[i] = (uint8_t)(next_in + i);
		uint32_t space = ring_space(&p.producer);
		uint32_t wanted = round * 7 % 21;
		uint32_t n = ring_write(&p.producer, in, wanted);
		assert_int_equal(n, wanted < space ? wanted : space);
		next_in = (uint8_t)(next_in + n);
		n = ring_read(&p.consumer, out, round * 5 % 19);
		for (uint32_t i = 0; i < n; i++)
			assert_int_equal(out[i], next_out++);
	}
	while (ring_waiting(&p.consumer) > 0) {
		uint32_t n = ring_read(&p.consumer, out, 3);
		for (uint32_t i = 0; i < n; i++)
			assert_int_equal(out[i], next_out++);
	}
	assert_int_equal(next_out, next_in);
	assert_int_equal(p.producer.broken + p.consumer.broken, 0);
	assert_int_equal(ring_space(&p.producer), 16);
}

static void test_sizes(void **state)
{
	struct pair p;

	(void)state;
	assert_false(ring_init(&p.producer, &p.header, p.data, 0, 0));
	assert_false(ring_init(&p.producer, &p.header, p.data, 12, 0));
	assert_true(ring_init(&p.producer, &p.header, p.data, 1, 0));
	assert_true(ring_init(&p.producer, &p.header, p.data, 1u << 31, 0));
}

static void test_hostile(void **state)
{
	struct pair p;
	uint8_t b[16] = {1, 2, 3};

	(void)state;
	start(&p, 0);
	p.header.cons = 1; /* more read than was written */
	assert_int_equal(ring_write(&p.producer, b, 3), 0);
	assert_int_equal(p.producer.broken, 1);
	p.header.cons = 0;
	assert_int_equal(ring_write(&p.producer, b, 3), 3);

	p.header.prod = 17; /* more written than fits */
	assert_int_equal(ring_read(&p.consumer, b, 16), 0);
	assert_int_equal(p.consumer.broken, 1);
	assert_int_equal(p.header.cons, 17);
	p.header.prod = 18;
	assert_int_equal(ring_read(&p.consumer, b, 16), 1);
	/* the producer does not believe what it published itself */
	p.header.cons = 3;
	p.header.prod = 0xdeadbeef;
	assert_int_equal(ring_space(&p.producer), 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_stream),
	    cmocka_unit_test(test_sizes),
	    cmocka_unit_test(test_hostile),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
