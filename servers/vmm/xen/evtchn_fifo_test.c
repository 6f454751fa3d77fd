/* The FIFO queues: order, priorities, migration, masks; with guests that race in threads of their own, and
 * one that does what it likes. */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "servers/vmm/xen/evtchn_fifo.h"

#define PENDING (1u << EVTCHN_FIFO_PENDING)
#define MASKED	(1u << EVTCHN_FIFO_MASKED)
#define LINKED	(1u << EVTCHN_FIFO_LINKED)
#define BUSY	(1u << EVTCHN_FIFO_BUSY)
#define LINK	((uint32_t)EVTCHN_FIFO_LINK_MASK)

#define VCPUS 4u
#define PORTS (2 * EVTCHN_FIFO_PAGE_WORDS)

static struct evtchn_fifo f;
static struct evtchn_fifo_port ports[PORTS];
static uint32_t notified[PORTS]; /* vCPU */
static event_word_t words[PORTS];
static struct evtchn_fifo_control_block blocks[VCPUS];

/* The guest's side, as the header describes it. */
static struct {
	uint32_t head[EVTCHN_FIFO_MAX_QUEUES], ready;
} guest[VCPUS];

static int setup(void **state)
{
	(void)state;
	memset(&f, 0, sizeof(f));
	memset(words, 0, sizeof(words));
	memset(blocks, 0, sizeof(blocks));
	memset(guest, 0, sizeof(guest));
	memset(notified, 0, sizeof(notified));
	for (uint32_t i = 0; i < PORTS; i++)
		ports[i] = (struct evtchn_fifo_port){.priority = EVTCHN_FIFO_PRIORITY_DEFAULT};
	for (uint32_t v = 0; v < VCPUS; v++)
		assert_true(evtchn_fifo_set_control(&f, v, &blocks[v]));
	for (uint32_t i = 0; i < PORTS / EVTCHN_FIFO_PAGE_WORDS; i++)
		assert_true(evtchn_fifo_add_page(&f, words + i * EVTCHN_FIFO_PAGE_WORDS));
	return 0;
}

static unsigned raise_event(uint32_t port)
{
	return evtchn_fifo_set_pending(&f, &ports[port], port, notified[port]);
}

/* The next port of the vCPU's queues that is pending and not masked; 0: none. PENDING is cleared. */
static uint32_t take(uint32_t v)
{
	for (;;) {
		uint32_t q, port, w, link;

		guest[v].ready |= __atomic_exchange_n(&blocks[v].ready, 0, __ATOMIC_SEQ_CST);
		if (!guest[v].ready)
			return 0;
		q = (uint32_t)__builtin_ctz(guest[v].ready);
		port = guest[v].head[q] ? guest[v].head[q]
					: __atomic_load_n(&blocks[v].head[q], __ATOMIC_SEQ_CST);
		w = __atomic_load_n(&words[port % PORTS], __ATOMIC_SEQ_CST);
		while (!__atomic_compare_exchange_n(&words[port % PORTS], &w, w & ~(LINKED | LINK), false,
						    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			;
		link = w & LINK;
		guest[v].head[q] = link;
		if (!link)
			guest[v].ready &= ~(1u << q);
		w = __atomic_load_n(&words[port % PORTS], __ATOMIC_SEQ_CST);
		if (!(w & PENDING) || w & MASKED)
			continue;
		__atomic_fetch_and(&words[port % PORTS], ~PENDING, __ATOMIC_SEQ_CST);
		return port;
	}
}

static void in_order(void **state)
{
	(void)state;
	assert_int_equal(raise_event(5), EVTCHN_FIFO_ROSE | EVTCHN_FIFO_UPCALL);
	assert_int_equal(raise_event(5), 0);
	assert_int_equal(raise_event(3), EVTCHN_FIFO_ROSE); /* the queue is ready already */
	assert_int_equal(raise_event(2000), EVTCHN_FIFO_ROSE);
	assert_int_equal(blocks[0].ready, 1u << EVTCHN_FIFO_PRIORITY_DEFAULT);
	assert_int_equal(blocks[0].head[EVTCHN_FIFO_PRIORITY_DEFAULT], 5);
	assert_int_equal(words[5], PENDING | LINKED | 3);
	assert_int_equal(words[3], PENDING | LINKED | 2000);
	assert_int_equal(words[2000], PENDING | LINKED);
	assert_true(evtchn_fifo_is_pending(&f, 3) && evtchn_fifo_is_linked(&f, 3));
	evtchn_fifo_clear(&f, 3); /* stays in the queue, and is passed over */
	assert_false(evtchn_fifo_is_pending(&f, 3));
	assert_int_equal(take(0), 5);
	/* the guest is at it: behind the tail no upcall is due */
	assert_int_equal(raise_event(2001), EVTCHN_FIFO_ROSE);
	assert_int_equal(blocks[0].ready, 0);
	assert_int_equal(take(0), 2000);
	assert_int_equal(take(0), 2001);
	assert_int_equal(take(0), 0);
	assert_int_equal(raise_event(5), EVTCHN_FIFO_ROSE | EVTCHN_FIFO_UPCALL);
	assert_int_equal(take(0), 5);
}

static void priorities(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < EVTCHN_FIFO_MAX_QUEUES; i++) {
		ports[10 + i].priority = (uint8_t)(EVTCHN_FIFO_PRIORITY_MIN - i);
		assert_int_equal(raise_event(10 + i), EVTCHN_FIFO_ROSE | EVTCHN_FIFO_UPCALL);
	}
	assert_int_equal(blocks[0].ready, 0xffff);
	for (uint32_t i = 0; i < EVTCHN_FIFO_MAX_QUEUES; i++)
		assert_int_equal(take(0), 10 + EVTCHN_FIFO_PRIORITY_MIN - i);
	assert_int_equal(take(0), 0);
}

static void moves(void **state)
{
	(void)state;
	assert_int_equal(raise_event(7), 3);
	/* while it is queued it stays where it is */
	notified[7] = 1;
	ports[7].priority = 2;
	assert_int_equal(raise_event(7), 0);
	assert_int_equal(blocks[1].ready, 0);
	assert_int_equal(take(0), 7);
	assert_int_equal(raise_event(7), 3);
	assert_int_equal(blocks[1].ready, 1u << 2);
	/* it was the last of the old queue, and is LINKED again: the old queue is empty all the same */
	assert_int_equal(raise_event(8), 3);
	assert_int_equal(blocks[0].head[EVTCHN_FIFO_PRIORITY_DEFAULT], 8);
	assert_int_equal(words[7] & LINK, 0);
	assert_int_equal(take(0), 8);
	assert_int_equal(take(1), 7);
	/* closed and used again in between: what it was linked to last is known still */
	assert_int_equal(raise_event(7), 3);
	assert_int_equal(take(1), 7);
	ports[7] = (struct evtchn_fifo_port){
	    .priority = 0, .last_vcpu = ports[7].last_vcpu, .last_priority = ports[7].last_priority};
	notified[7] = 3;
	assert_int_equal(raise_event(7), 3);
	notified[9] = 1;
	ports[9].priority = 2;
	assert_int_equal(raise_event(9), 3);
	assert_int_equal(take(1), 9);
	assert_int_equal(take(3), 7);
}

static void masks(void **state)
{
	(void)state;
	words[6] = MASKED;
	assert_int_equal(raise_event(6), EVTCHN_FIFO_ROSE);
	assert_int_equal(words[6], MASKED | PENDING);
	assert_int_equal(take(0), 0);
	assert_int_equal(evtchn_fifo_unmask(&f, &ports[6], 6, 0), EVTCHN_FIFO_UPCALL);
	assert_int_equal(take(0), 6);
	assert_int_equal(evtchn_fifo_unmask(&f, &ports[6], 6, 0), 0);
}

static void what_is_missing(void **state)
{
	struct evtchn_fifo none = {0};
	event_word_t page[EVTCHN_FIFO_PAGE_WORDS] = {0};
	struct evtchn_fifo_port p = {0};

	(void)state;
	assert_int_equal(evtchn_fifo_set_pending(&none, &p, 4, 0), 0);
	assert_true(p.waits);
	assert_false(evtchn_fifo_is_pending(&none, 4));
	evtchn_fifo_clear(&none, 4);
	assert_int_equal(evtchn_fifo_unmask(&none, &p, 4, 0), 0);
	for (uint32_t i = 0; i < EVTCHN_FIFO_PAGES; i++)
		assert_true(evtchn_fifo_add_page(&none, page));
	assert_false(evtchn_fifo_add_page(&none, page));
	/* without a control block the event is only marked */
	assert_int_equal(evtchn_fifo_set_pending(&none, &p, 4, 0), EVTCHN_FIFO_ROSE);
	assert_int_equal(page[4], PENDING);
	assert_null(evtchn_fifo_word(&none, EVTCHN_FIFO_NR_CHANNELS));
	assert_ptr_equal(evtchn_fifo_word(&none, EVTCHN_FIFO_NR_CHANNELS - 1),
			 &page[EVTCHN_FIFO_PAGE_WORDS - 1]);
	assert_true(evtchn_fifo_set_control(&none, 0, &blocks[0]));
	assert_false(evtchn_fifo_set_control(&none, 0, &blocks[1]));
}

/* A tail that is BUSY or changes at each look: bounded, and no word is left BUSY. */
static void stubborn_tail(void **state)
{
	(void)state;
	(void)raise_event(5);
	words[5] |= BUSY | 77;
	assert_int_equal(raise_event(6), EVTCHN_FIFO_ROSE);
	assert_int_equal(words[5], PENDING | LINKED | 6);
}

/* ---- a guest in other threads ---- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* what the vmm's is */
static uint32_t sent[PORTS], seen[PORTS];
static bool stop;

static uint64_t random_next(uint64_t *s)
{
	*s ^= *s >> 12;
	*s ^= *s << 25;
	*s ^= *s >> 27;
	return *s * 2685821657736338717ull >> 33;
}

static void *guest_vcpu(void *argument)
{
	uint32_t v = (uint32_t)(uintptr_t)argument;
	uint64_t s = v + 1;

	for (;;) {
		bool last = __atomic_load_n(&stop, __ATOMIC_SEQ_CST);
		uint32_t port = take(v);

		if (!port) {
			if (last)
				return NULL;
			sched_yield();
			continue;
		}
		__atomic_store_n(&seen[port], __atomic_load_n(&sent[port], __ATOMIC_SEQ_CST),
				 __ATOMIC_SEQ_CST);
		if (random_next(&s) % 4)
			continue;
		/* as a driver does: masked for a while, and unmasked by hypercall */
		__atomic_fetch_or(&words[port], MASKED, __ATOMIC_SEQ_CST);
		if (random_next(&s) % 2)
			sched_yield();
		pthread_mutex_lock(&lock);
		(void)evtchn_fifo_unmask(&f, &ports[port], port, notified[port]);
		pthread_mutex_unlock(&lock);
	}
}

static void *guest_hostile(void *argument)
{
	uint64_t s = (uintptr_t)argument;

	while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST)) {
		uint32_t what = (uint32_t)random_next(&s), *at = &words[1 + random_next(&s) % 15];

		switch (random_next(&s) % 4) {
		case 0:
			__atomic_store_n(at, what << 1 | LINKED, __ATOMIC_RELAXED);
			break;
		case 1:
			__atomic_fetch_xor(at, 1u << what % 32, __ATOMIC_RELAXED);
			break;
		case 2:
			__atomic_store_n(&blocks[what % VCPUS].ready, what, __ATOMIC_RELAXED);
			break;
		default:
			__atomic_fetch_xor(at, LINKED, __ATOMIC_RELAXED);
			break;
		}
	}
	return NULL;
}

static void send_many(uint64_t seed, unsigned count, uint32_t below)
{
	uint64_t s = seed;

	for (unsigned i = 0; i < count; i++) {
		uint32_t port = 1 + (uint32_t)random_next(&s) % (below - 1);

		pthread_mutex_lock(&lock);
		if (random_next(&s) % 8 == 0)
			notified[port] = (uint32_t)random_next(&s) % VCPUS;
		if (random_next(&s) % 8 == 0)
			ports[port].priority = (uint8_t)(random_next(&s) % EVTCHN_FIFO_MAX_QUEUES);
		__atomic_fetch_add(&sent[port], 1, __ATOMIC_SEQ_CST);
		(void)raise_event(port);
		pthread_mutex_unlock(&lock);
	}
}

static void none_is_lost(void **state)
{
	(void)state;
	for (uint32_t below = 3; below <= PORTS; below *= 5) {
		pthread_t t[VCPUS];

		(void)setup(NULL);
		memset(sent, 0, sizeof(sent));
		memset(seen, 0, sizeof(seen));
		stop = false;
		for (uint32_t v = 0; v < VCPUS; v++)
			assert_int_equal(pthread_create(&t[v], NULL, guest_vcpu, (void *)(uintptr_t)v), 0);
		send_many(below, 30000, below);
		__atomic_store_n(&stop, true, __ATOMIC_SEQ_CST);
		for (uint32_t v = 0; v < VCPUS; v++)
			pthread_join(t[v], NULL);
		/* one that another vCPU unmasked last is in a queue whose thread may have ended before */
		for (uint32_t v = 0; v < VCPUS; v++)
			for (uint32_t port = take(v); port; port = take(v))
				seen[port] = sent[port];
		for (uint32_t port = 1; port < below; port++)
			if (sent[port] != seen[port] || words[port] & (PENDING | LINKED | BUSY | MASKED))
				fail_msg("port %u: sent %u, seen %u, word %#x", port, sent[port], seen[port],
					 words[port]);
	}
}

static void hostile_guest(void **state)
{
	pthread_t t[2];

	(void)state;
	stop = false;
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&t[i], NULL, guest_hostile, (void *)(uintptr_t)(i + 7)), 0);
	send_many(99, 200000, 16);
	__atomic_store_n(&stop, true, __ATOMIC_SEQ_CST);
	for (unsigned i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	/* what is ours is whole, and what was not the hostile one's to write is as it was */
	for (uint32_t v = 0; v < VCPUS; v++)
		for (unsigned q = 0; q < EVTCHN_FIFO_MAX_QUEUES; q++)
			assert_true(f.vcpu[v].tail[q] < 16);
	for (uint32_t port = 16; port < PORTS; port++)
		assert_int_equal(words[port], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(in_order, setup),	    cmocka_unit_test_setup(priorities, setup),
	    cmocka_unit_test_setup(moves, setup),	    cmocka_unit_test_setup(masks, setup),
	    cmocka_unit_test_setup(what_is_missing, setup), cmocka_unit_test_setup(stubborn_tail, setup),
	    cmocka_unit_test_setup(none_is_lost, setup),    cmocka_unit_test_setup(hostile_guest, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
