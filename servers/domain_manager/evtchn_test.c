/* Channels between two domains: which one each gets, what their vmms are told, and until when the page stays. */
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
#include "servers/domain_manager/domain.h"
#include "servers/domain_manager/evtchn.h"
#include "user/object.h"
#include "user/slot.h"
#include "user/vspace.h"

#define LOW   1u
#define HIGH  2u

static struct domain low, high;
static struct vmm_control control[2];
static unsigned signals;
static uint32_t slots = 100;
static bool has[4096]; /* our slots that are not empty */

/* ---- what it calls ---- */

seL4_Error seL4_CNode_Copy(seL4_CPtr root, seL4_Word index, seL4_Uint8 depth, seL4_CPtr from, seL4_Word from_index, seL4_Uint8 from_depth, seL4_CapRights_t rights)
{
	(void)depth, (void)from, (void)from_index, (void)from_depth, (void)rights;
	if (root == TASK_SLOT_CNODE)
		has[index] = true;
	return seL4_NoError;
}

seL4_Error seL4_CNode_Mint(seL4_CPtr root, seL4_Word index, seL4_Uint8 depth, seL4_CPtr from, seL4_Word from_index, seL4_Uint8 from_depth, seL4_CapRights_t rights,
			   seL4_Word badge)
{
	(void)root, (void)index, (void)depth, (void)from, (void)from_index, (void)from_depth, (void)rights, (void)badge;
	return seL4_NoError;
}

seL4_Error seL4_CNode_Delete(seL4_CPtr root, seL4_Word index, seL4_Uint8 depth)
{
	(void)depth;
	if (root == TASK_SLOT_CNODE)
		has[index] = false;
	return seL4_NoError;
}

seL4_CPtr slot_alloc(void)
{
	return slots++;
}

seL4_CPtr object_create_slot(seL4_Word type, unsigned bits)
{
	(void)type, (void)bits;
	return slots++;
}

int vspace_map(seL4_CPtr frame, uint64_t vaddr, bool write, bool execute)
{
	(void)frame, (void)write, (void)execute;
	return mmap((void *)vaddr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == (void *)vaddr ? 0 : -1;
}

/* The vmm has the page for as long as this copy is there. */
static uint32_t slot_of[2];
int physmap_map_vmm(struct physmap *m, uint32_t slot, uint64_t vaddr)
{
	(void)vaddr;
	slot_of[m == &high.map] = slot;
	return 0;
}

struct domain *domain_find(uint32_t id)
{
	return id == LOW ? &low : id == HIGH ? &high : NULL;
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

static void domain_is(struct domain *d, uint32_t id)
{
	memset(d, 0, sizeof(*d));
	d->id = id;
	d->used = d->bare = d->started = true;
	d->ports = 64;
	d->control = &control[id == HIGH];
}

static int setup(void **state)
{
	(void)state;
	domain_is(&low, LOW);
	domain_is(&high, HIGH);
	signals = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	evtchn_domain_gone(&low);
	evtchn_domain_gone(&high);
	return low.end_count || high.end_count || has[slot_of[0]] || has[slot_of[1]];
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
	assert_true(has[slot_of[1]]);
	told(5, false, 0, 0);
	assert_true(has[slot_of[1]]);
	told_all();
	assert_false(has[slot_of[1]]);
	/* told of a close, and looking, when the other's end comes */
	waits(6);
	assert_int_equal(bind(11, 6), 0);
	told(6, true, 11, 0);
	told_all();
	evtchn_close(&low, 11);
	told(6, false, 0, 0);
	evtchn_domain_gone(&low);
	assert_true(has[slot_of[1]]);
	told_all();
	assert_false(has[slot_of[1]]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_channel_is_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(bound_again, setup, teardown),
		cmocka_unit_test_setup_teardown(never_heard_of, setup, teardown),
		cmocka_unit_test_setup_teardown(page_of_one_that_is_gone, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
