/* Channels to other domains: nothing that was sent is lost, whatever the order in which a bind, a close and an event are heard of. */
// links: servers/vmm/fake/vmm_fake.c servers/vmm/apic/lapic.c servers/vmm/console.c servers/vmm/cpuid.c lib/cpu_policy/cpu_policy.c lib/cpu_policy/cpu_policy_max.c servers/vmm/cr.c servers/vmm/exit.c
// links: servers/vmm/guest.c servers/vmm/io.c servers/vmm/lock.c servers/vmm/memory.c servers/vmm/mmio.c servers/vmm/msr.c
// links: servers/vmm/timer.c servers/vmm/context.c servers/vmm/vcpu.c servers/vmm/vcpu_start.c servers/vmm/load/cpu_record.c servers/vmm/walk.c servers/vmm/fetch.c
// links: servers/vmm/xen/console_io.c servers/vmm/xen/dispatch.c servers/vmm/xen/event_op.c servers/vmm/xen/evtchn.c servers/vmm/xen/evtchn_fifo.c servers/vmm/xen/physmap_call.c user/message.c
// links: servers/vmm/xen/argument.c servers/vmm/xen/compat.c servers/vmm/xen/grant.c servers/vmm/xen/hvm.c servers/vmm/xen/foreign.c servers/vmm/xen/memory_op.c servers/vmm/xen/sched_op.c
// links: servers/vmm/xen/shared_info.c servers/vmm/xen/vcpu_op.c servers/vmm/xen/version.c
// links: lib/insn/insn.c lib/insn/insn_exec.c lib/pvclock/pvclock.c lib/ring/ring.c
// cflags: -std=gnu11 -iquote servers/vmm/fake/include -D__XEN_TOOLS__
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <cmocka.h>
#include "proto/domain/domain.h"
#include "proto/vmm/vmm_pair.h"
#include "servers/vmm/fake/vmm_fake.h"
#include "servers/vmm/xen/evtchn.h"
#include <xen/errno.h>
#include <xen/event_channel.h>
#include <xen/xen.h>

#define ARG    0x2000u
#define OTHER  3u /* the peer's domain id, below ours */
#define THEIRS 40u
#define PEER   5u
#define BADGE  (1ull << (VMM_EVENT_PEER_SHIFT + PEER))

static struct vmm_pair *const page = (struct vmm_pair *)(VMM_PEER_VADDR + PEER * (uint64_t)PAGE);

/* The domain manager: what it tells next, and which channel the next bind gets. */
static struct {
	uint64_t port, bound, remote, remote_port, peer, channel;
} told[8];
static unsigned told_count, bind_channel, closed;

static int manager(struct message *m, uint64_t label)
{
	message_begin(m);
	switch (label) {
	case DOMAIN_VMM_EVTCHN_UNBOUND:
		return 0;
	case DOMAIN_VMM_EVTCHN_CLOSE:
		closed++;
		return 0;
	case DOMAIN_VMM_EVTCHN_BIND:
		message_put(m, PEER);
		message_put(m, bind_channel);
		break;
	case DOMAIN_VMM_EVTCHN_CHANGED:
		if (!told_count)
			return -ENOENT;
		message_put_bytes(m, &told[0], sizeof(told[0]));
		memmove(&told[0], &told[1], --told_count * sizeof(told[0]));
		break;
	default:
		return -EPERM;
	}
	message_begin_read(m);
	return 0;
}

static void tell(uint32_t port, bool bound, uint32_t peer, uint32_t channel)
{
	told[told_count].port = port;
	told[told_count].bound = bound;
	told[told_count].remote = OTHER;
	told[told_count].remote_port = THEIRS;
	told[told_count].peer = peer;
	told[told_count++].channel = channel;
}

/* As the peer's vmm sends. True: it signals us. */
static bool peer_sends(uint32_t channel)
{
	uint64_t bit = 1ull << (channel % 64), word = 1ull << (channel / 64);

	if (page->to[1].word[channel / 64] & bit)
		return false;
	page->to[1].word[channel / 64] |= bit;
	if (page->to[1].summary & word)
		return false;
	page->to[1].summary |= word;
	return true;
}

static int64_t op(uint64_t number, void *argument, size_t size)
{
	const uint64_t arg[5] = {number, ARG};
	int64_t r;

	fake_poke(ARG, argument, size);
	r = event_channel_op(vmm.vcpu[0], arg, false);
	fake_peek(ARG, argument, size);
	return r;
}

static uint32_t unbound(void)
{
	struct evtchn_alloc_unbound a = {.dom = DOMID_SELF, .remote_dom = OTHER};

	assert_int_equal(op(EVTCHNOP_alloc_unbound, &a, sizeof(a)), 0);
	return a.port;
}

static uint32_t bound(unsigned channel)
{
	struct evtchn_bind_interdomain a = {.remote_dom = OTHER, .remote_port = THEIRS};

	bind_channel = channel;
	assert_int_equal(op(EVTCHNOP_bind_interdomain, &a, sizeof(a)), 0);
	assert_true(evtchn_is_pending(a.local_port));
	evtchn_clear(a.local_port);
	return a.local_port;
}

static int64_t close_port(uint32_t port)
{
	struct evtchn_close a = {.port = port};

	return op(EVTCHNOP_close, &a, sizeof(a));
}

static int64_t send(uint32_t port)
{
	struct evtchn_send a = {.port = port};

	return op(EVTCHNOP_send, &a, sizeof(a));
}

static bool taken(uint32_t port)
{
	bool was = evtchn_is_pending(port);

	evtchn_clear(port);
	return was;
}

static int setup(void **state)
{
	static bool mapped;

	(void)state;
	if (!mapped)
		assert_ptr_equal(mmap(page, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0), page);
	mapped = true;
	memset(page, 0, PAGE);
	told_count = closed = 0;
	fake_start(1);
	fake.call = manager;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake.call = NULL;
	return 0;
}

static void both_ways(void **state)
{
	uint32_t a = bound(0), b = unbound();

	(void)state;
	tell(b, true, PEER, 70);
	evtchn_remote_changes();
	assert_true(peer_sends(0));
	evtchn_remote_event(BADGE);
	assert_true(taken(a));
	assert_false(taken(b));
	assert_true(peer_sends(70));
	assert_true(peer_sends(0));
	assert_false(peer_sends(70)); /* not taken yet */
	evtchn_remote_event(BADGE);
	assert_true(taken(a));
	assert_true(taken(b));
	/* of channels that are not ours nothing comes */
	assert_true(peer_sends(1));
	assert_true(peer_sends(4095));
	evtchn_remote_event(BADGE);
	assert_false(taken(a));
	assert_false(taken(b));
	fake.signals = 0;
	assert_int_equal(send(b), 0);
	assert_int_equal(send(b), 0);
	assert_int_equal(fake.signals, 1);
	assert_int_equal(page->to[0].word[1], 1ull << (70 - 64));
	assert_int_equal(page->to[0].summary, 2);
}

/* The peer sends, and closes at once: both are heard of together. */
static void sent_before_the_close(void **state)
{
	uint32_t port = bound(0);

	(void)state;
	assert_true(peer_sends(0));
	tell(port, false, PEER, 0);
	evtchn_remote_changes();
	evtchn_remote_event(BADGE);
	assert_true(taken(port));
	assert_int_equal(evtchn_port(port)->state, EVTCHN_UNBOUND);
	assert_int_equal(evtchn_port(port)->remote_domain, OTHER);
	/* closed is closed: what would come now is of nobody */
	(void)peer_sends(0);
	evtchn_remote_event(BADGE);
	assert_false(taken(port));
	fake.signals = 0;
	assert_int_equal(send(port), 0);
	assert_int_equal(fake.signals, 0);
}

/* The peer binds, sends and closes before we hear of the bind. */
static void all_before_we_hear(void **state)
{
	uint32_t port = unbound();

	(void)state;
	assert_true(peer_sends(9));
	tell(port, false, PEER, 9);
	evtchn_remote_changes();
	assert_true(taken(port));
	assert_int_equal(evtchn_port(port)->state, EVTCHN_UNBOUND);
	/* and without having had a channel */
	tell(port, false, VMM_PEERS, 0);
	evtchn_remote_changes();
	assert_false(taken(port));
	assert_int_equal(evtchn_port(port)->state, EVTCHN_UNBOUND);
}

/* What is left in the page of a channel that we closed does not keep the next from being signalled. */
static void left_behind(void **state)
{
	uint32_t port = bound(0);

	(void)state;
	assert_true(peer_sends(0));
	assert_int_equal(close_port(port), 0);
	assert_int_equal(closed, 1);
	evtchn_remote_event(BADGE); /* no channel: the page may be gone, and is not touched */
	assert_int_equal(page->to[1].summary, 1);
	port = bound(0);
	assert_true(peer_sends(0));
	evtchn_remote_event(BADGE);
	assert_true(taken(port));
	/* the same, when it is the other that binds */
	assert_true(peer_sends(0));
	assert_int_equal(close_port(port), 0);
	evtchn_remote_event(BADGE);
	port = unbound();
	tell(port, true, PEER, 0);
	evtchn_remote_changes();
	(void)taken(port); /* one too many does no harm */
	assert_true(peer_sends(0));
	evtchn_remote_event(BADGE);
	assert_true(taken(port));
}

/* What comes in a channel that the peer has just bound is not taken for nothing by who looks for another's. */
static void sent_in_one_not_heard_of(void **state)
{
	uint32_t first = bound(0), next = unbound(), last = unbound();

	(void)state;
	assert_true(peer_sends(1));
	tell(first, false, PEER, 0);
	tell(next, true, PEER, 1);
	evtchn_remote_changes();
	assert_true(taken(next));
	assert_false(taken(first));
	assert_true(peer_sends(2));
	assert_false(peer_sends(1)); /* signalled already */
	evtchn_remote_event(BADGE);
	assert_true(taken(next));
	tell(last, true, PEER, 2);
	evtchn_remote_changes();
	assert_true(taken(last));
	assert_false(taken(next));
	assert_true(peer_sends(2));
	evtchn_remote_event(BADGE);
	assert_true(taken(last));
}

/* The last is told first: the channel is another port's by the time when its first port is said to be closed. */
static void given_on(void **state)
{
	uint32_t first = bound(0), next = unbound();

	(void)state;
	tell(next, true, PEER, 0);
	tell(first, false, VMM_PEERS, 0);
	evtchn_remote_changes();
	(void)taken(next);
	assert_true(peer_sends(0));
	evtchn_remote_event(BADGE);
	assert_true(taken(next));
	assert_false(taken(first));
	assert_int_equal(evtchn_port(first)->state, EVTCHN_UNBOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(both_ways, setup, teardown),
		cmocka_unit_test_setup_teardown(sent_before_the_close, setup, teardown),
		cmocka_unit_test_setup_teardown(all_before_we_hear, setup, teardown),
		cmocka_unit_test_setup_teardown(left_behind, setup, teardown),
		cmocka_unit_test_setup_teardown(sent_in_one_not_heard_of, setup, teardown),
		cmocka_unit_test_setup_teardown(given_on, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
