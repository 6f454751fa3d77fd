/*
 * Event channels by a model: ports are bound, moved, masked, sent to and closed at random, and vCPUs get their vectors, move their vcpu_info and are started
 * anew, while a guest that keeps the protocol of the 2-level or the FIFO ABI takes its interrupts at random. No event is lost, none comes that was not sent.
 */
// links: servers/vmm/fake/vmm_fake.c servers/vmm/apic/lapic.c servers/vmm/console.c servers/vmm/cpuid.c lib/cpu_policy/cpu_policy.c lib/cpu_policy/cpu_policy_max.c servers/vmm/cr.c servers/vmm/exit.c
// links: servers/vmm/guest.c servers/vmm/io.c servers/vmm/lock.c servers/vmm/memory.c servers/vmm/mmio.c servers/vmm/msr.c
// links: servers/vmm/timer.c servers/vmm/context.c servers/vmm/vcpu.c servers/vmm/vcpu_start.c servers/vmm/load/cpu_record.c servers/vmm/walk.c servers/vmm/fetch.c
// links: servers/vmm/xen/console_io.c servers/vmm/xen/dispatch.c servers/vmm/xen/event_op.c servers/vmm/xen/evtchn.c servers/vmm/xen/evtchn_fifo.c servers/vmm/xen/evtchn_remote.c servers/vmm/xen/physmap_call.c user/message.c
// links: servers/vmm/xen/argument.c servers/vmm/xen/compat.c servers/vmm/xen/grant.c servers/vmm/xen/hvm.c servers/vmm/xen/foreign.c servers/vmm/xen/memory_op.c servers/vmm/xen/sched_op.c
// links: servers/vmm/xen/shared_info.c servers/vmm/xen/vcpu_op.c servers/vmm/xen/version.c
// links: lib/insn/insn.c lib/insn/insn_exec.c lib/pvclock/pvclock.c lib/ring/ring.c
// cflags: -std=gnu11 -iquote servers/vmm/fake/include -D__XEN_TOOLS__
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "servers/vmm/fake/vmm_fake.h"
#include "servers/vmm/xen/evtchn.h"
#include <xen/event_channel.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/vcpu.h>
#include <xen/xen.h>

#define ARG    0x2000u
#define INFOS  0x3000u /* vcpu_infos that are registered */
#define BLOCKS 0x4000u /* control blocks, a page each */
#define WORDS  0x8000u
#define VCPUS  3u
#define PORTS  192u /* the model's */
#define ROUNDS 40u
#define STEPS  1500u
#define NONE   UINT32_MAX
#define VECTOR 0xf3u /* vCPU i's: VECTOR + i, if it has one; else the domain's callback is VECTOR */

static struct {
	bool open, masked, pending;
	uint32_t peer; /* 0: an event channel of a vCPU's own, or a VIRQ; NONE: its other end was closed, and what it sends is dropped */
	bool virq;
	uint32_t vcpu;
} port[PORTS];
static bool fifo;
static uint32_t head[VCPUS][EVTCHN_FIFO_MAX_QUEUES], ready[VCPUS];
static uint64_t seed;
static uint64_t taken, sent;

static uint32_t pick(uint32_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 20) % below;
}

static struct vcpu *on(uint32_t vcpu)
{
	fake.thread = vcpu;
	return vmm.vcpu[vcpu];
}

static int64_t op(uint32_t by, uint32_t number, void *argument, size_t size)
{
	const uint64_t arg[5] = {number, ARG};
	int64_t r;

	fake_poke(ARG, argument, size);
	r = event_channel_op(on(by), arg, false);
	fake_peek(ARG, argument, size);
	return r;
}

#define OP(name, ...)                                                                                                  \
	({                                                                                                             \
		struct evtchn_##name a_ = {__VA_ARGS__};                                                               \
		assert_int_equal(op(pick(VCPUS), EVTCHNOP_##name, &a_, sizeof(a_)), 0);                                \
		a_;                                                                                                    \
	})

static void vcpu_call(uint32_t by, uint32_t number, const void *argument, size_t size)
{
	const uint64_t arg[5] = {number, by, ARG};

	fake_poke(ARG, argument, size);
	assert_int_equal(vcpu_op(on(by), arg, false), 0);
}

/* ---- the guest's side ---- */

static uint32_t *word(uint32_t p)
{
	return (uint32_t *)(TASK_RAM_VADDR + WORDS) + p;
}

static struct evtchn_fifo_control_block *block(uint32_t vcpu)
{
	return (struct evtchn_fifo_control_block *)(TASK_RAM_VADDR + BLOCKS + vcpu * PAGE);
}

static void mask(uint32_t p)
{
	if (fifo)
		*word(p) |= 1u << EVTCHN_FIFO_MASKED;
	else
		*shared_info_mask(p) |= 1u << p % 32;
	port[p].masked = true;
}

static void unmask(uint32_t p)
{
	(void)OP(unmask, .port = p);
	port[p].masked = false;
}

/* A handler found it pending and not masked. */
static void take(uint32_t p)
{
	assert_true(p < PORTS && port[p].open && port[p].pending && !port[p].masked);
	port[p].pending = false;
	taken++;
}

static void handle_2level(uint32_t vcpu)
{
	struct vcpu_info *vi = vmm.vcpu[vcpu]->vcpu_info;
	struct shared_info *s = shared_info_page();
	uint64_t words = vi->evtchn_pending_sel;

	vi->evtchn_pending_sel = 0;
	for (uint32_t w = 0; w < 64; w++)
		for (uint32_t b = 0; words >> w & 1 && b < 64; b++) {
			uint32_t p = w * 64 + b;

			/* a port is its vCPU's to take */
			if (!(s->evtchn_pending[w] & ~s->evtchn_mask[w] & 1ull << b) || (p < PORTS && port[p].vcpu != vcpu))
				continue;
			s->evtchn_pending[w] &= ~(1ull << b);
			take(p);
		}
}

static void handle_fifo(uint32_t vcpu)
{
	for (;;) {
		uint32_t q, p, w;

		ready[vcpu] |= block(vcpu)->ready;
		block(vcpu)->ready = 0;
		if (!ready[vcpu])
			return;
		q = (uint32_t)__builtin_ctz(ready[vcpu]);
		p = head[vcpu][q] ? head[vcpu][q] : block(vcpu)->head[q];
		w = *word(p);
		assert_true(w & 1u << EVTCHN_FIFO_LINKED);
		head[vcpu][q] = w & EVTCHN_FIFO_LINK_MASK;
		if (!head[vcpu][q])
			ready[vcpu] &= ~(1u << q);
		*word(p) = w & ~(1u << EVTCHN_FIFO_LINKED | (uint32_t)EVTCHN_FIFO_LINK_MASK);
		if (!(w & 1u << EVTCHN_FIFO_PENDING) || w & 1u << EVTCHN_FIFO_MASKED)
			continue;
		*word(p) &= ~(1u << EVTCHN_FIFO_PENDING);
		take(p);
	}
}

/* An interrupt, if the vCPU has one: without one the guest does not look. */
static bool interrupt(uint32_t vcpu)
{
	struct vcpu *v = on(vcpu);
	uint8_t callback;
	int vector = lapic_pending(&v->lapic);

	if (vector >= 0) {
		assert_int_equal(vector, VECTOR + vcpu);
		lapic_take(&v->lapic, (uint8_t)vector);
		(void)lapic_write(&v->lapic, 0xb0, 0, 0);
	} else if (!xen_callback_take(v, &callback)) {
		return false;
	} else {
		assert_int_equal(callback, VECTOR);
	}
	((struct vcpu_info *)v->vcpu_info)->evtchn_upcall_pending = 0;
	if (fifo)
		handle_fifo(vcpu);
	else
		handle_2level(vcpu);
	return true;
}

/* When the vCPUs have taken what they were told of, there is nothing that they were not told of. */
static void settle(void)
{
	for (bool again = true; again;) {
		again = false;
		for (uint32_t i = 0; i < VCPUS; i++)
			again = interrupt(i) || again;
	}
	for (uint32_t p = 1; p < PORTS; p++) {
		assert_false(port[p].open && port[p].pending && !port[p].masked);
		if (port[p].open)
			assert_int_equal(evtchn_is_pending(p), port[p].pending);
	}
}

/* ---- what happens ---- */

static void opened(uint32_t p, uint32_t vcpu, uint32_t peer)
{
	assert_true(p > 0 && p < PORTS && !port[p].open);
	/* not one that a queue still has */
	assert_false(fifo && *word(p) & 1u << EVTCHN_FIFO_LINKED);
	port[p].open = true;
	port[p].pending = port[p].virq = false;
	port[p].vcpu = vcpu;
	port[p].peer = peer;
	unmask(p);
}

static void bind(void)
{
	uint32_t vcpu = pick(VCPUS), p;

	switch (pick(3)) {
	case 0:
		opened(OP(bind_ipi, .vcpu = vcpu).port, vcpu, 0);
		return;
	case 1:
		for (p = 1; p < PORTS; p++)
			if (port[p].open && port[p].virq && port[p].vcpu == vcpu)
				return;
		p = OP(bind_virq, .virq = VIRQ_TIMER, .vcpu = vcpu).port;
		opened(p, vcpu, 0);
		port[p].virq = true;
		return;
	default: {
		uint32_t a = OP(alloc_unbound, .dom = DOMID_SELF, .remote_dom = DOMID_SELF).port, b;

		opened(a, 0, 0);
		b = OP(bind_interdomain, .remote_dom = DOMID_SELF, .remote_port = a).local_port;
		port[a].peer = b;
		/* bound, it is pending, which its being unmasked may tell */
		opened(b, 0, a);
		port[b].pending = true;
		return;
	}
	}
}

static void close(uint32_t p)
{
	mask(p);
	(void)OP(close, .port = p);
	port[p].open = port[p].pending = false;
	if (port[p].peer && port[p].peer != NONE)
		port[port[p].peer].peer = NONE;
}

static void send(uint32_t p)
{
	uint32_t to = port[p].peer ? port[p].peer : p;
	uint8_t told[VCPUS];

	for (uint32_t i = 0; i < VCPUS; i++)
		told[i] = *vcpu_info_upcall_pending(vmm.vcpu[i]);
	if (port[p].virq) {
		vmm_lock();
		evtchn_raise_virq(on(port[p].vcpu), VIRQ_TIMER);
		vmm_unlock();
	} else {
		(void)OP(send, .port = p);
	}
	if (to == NONE)
		return;
	/* only its vCPU is told, and not of one that is masked */
	for (uint32_t i = 0; i < VCPUS; i++)
		assert_true(*vcpu_info_upcall_pending(vmm.vcpu[i]) == told[i] || (i == port[to].vcpu && !port[to].masked));
	port[to].pending = true;
	sent++;
}

/* As Linux moves one: masked meanwhile, if it was not. */
static void move(uint32_t p)
{
	uint32_t to = pick(VCPUS);
	bool was = port[p].masked;

	if (!port[p].peer)
		return;
	mask(p);
	(void)OP(bind_vcpu, .port = p, .vcpu = to);
	port[p].vcpu = to;
	if (!was)
		unmask(p);
}

/* Its own vector, its own vcpu_info, or a new life, in which it finds the LAPIC off. */
static void change_vcpu(uint32_t i)
{
	struct vcpu *v = vmm.vcpu[i];

	switch (pick(8)) {
	case 0: {
		const struct xen_hvm_evtchn_upcall_vector u = {.vcpu = i, .vector = (uint8_t)(VECTOR + i)};
		const uint64_t arg[5] = {HVMOP_set_evtchn_upcall_vector, ARG};

		fake_poke(ARG, &u, sizeof(u));
		assert_int_equal(hvm_op(on(i), arg, false), 0);
		break;
	}
	case 1:
		if (!v->vcpu_info_registered) {
			const struct vcpu_register_vcpu_info r = {.mfn = INFOS >> 12, .offset = i * 64};

			vcpu_call(i, VCPUOP_register_vcpu_info, &r, sizeof(r));
		}
		break;
	case 2:
		if (i && pick(2)) {
			vmm_lock();
			vcpu_set_online(v, false); /* halted for good */
			vmm_unlock();
		}
		if (i) {
			v->init_pending = v->sipi_pending = true;
			(void)on(i);
			vcpu_events(v, 2);
			assert_int_equal(v->run, VCPU_RUNNING);
			fake_long_mode(v);
			v->lapic.svr |= 0x100;
		}
		break;
	case 3:
		xen_update_time(v);
		break;
	default:
		break;
	}
}

static void step(void)
{
	uint32_t p = 1 + pick(PORTS - 1), what = pick(32);

	if (what == 0) {
		uint32_t used = 0;

		for (uint32_t i = 1; i < PORTS; i++)
			used += port[i].open;
		if (used < PORTS / 2)
			bind();
	} else if (what == 1) {
		change_vcpu(pick(VCPUS));
	} else if (what < 6) {
		(void)interrupt(pick(VCPUS));
	} else if (what == 6 && pick(8) == 0) {
		settle();
	}
	for (uint32_t tries = 0; tries < PORTS && !port[p].open; tries++)
		p = p % (PORTS - 1) + 1;
	if (!port[p].open)
		return;
	if (what < 20)
		send(p);
	else if (what < 23)
		mask(p);
	else if (what < 27)
		unmask(p);
	else if (what < 30)
		move(p);
	else if (what == 30)
		close(p);
	else if (fifo)
		(void)OP(set_priority, .port = p, .priority = pick(EVTCHN_FIFO_PRIORITY_MIN + 1));
}

static void begin(bool by_fifo)
{
	fake_start(VCPUS);
	memset(port, 0, sizeof(port));
	memset(head, 0, sizeof(head));
	memset(ready, 0, sizeof(ready));
	hvm_param_set(HVM_PARAM_CALLBACK_IRQ, (uint64_t)HVM_PARAM_CALLBACK_TYPE_VECTOR << 56 | VECTOR);
	memset((void *)(TASK_RAM_VADDR + INFOS), 0, WORDS + PAGE - INFOS);
	for (uint32_t i = 0; i < VCPUS; i++) {
		fake_long_mode(vmm.vcpu[i]);
		vcpu_set_online(vmm.vcpu[i], true);
		vmm.vcpu[i]->lapic.svr |= 0x100;
	}
	fifo = false;
	/* some from before the queues: those that are pending go over */
	for (uint32_t i = 0; i < STEPS / 4; i++)
		step();
	if (!by_fifo)
		return;
	settle();
	for (uint32_t i = 0; i < PORTS; i++)
		*word(i) = port[i].masked || !port[i].open ? 1u << EVTCHN_FIFO_MASKED : 0;
	for (uint32_t i = 0; i < VCPUS; i++)
		(void)OP(init_control, .control_gfn = BLOCKS / PAGE + i, .vcpu = i);
	(void)OP(expand_array, .array_gfn = WORDS / PAGE);
	fifo = true;
}

static void rounds(bool by_fifo)
{
	taken = sent = 0;
	for (uint32_t round = 1; round <= ROUNDS; round++) {
		seed = round * 0x9e3779b97f4a7c15ull;
		begin(by_fifo);
		for (uint32_t i = 0; i < STEPS; i++)
			step();
		for (uint32_t p = 1; p < PORTS; p++)
			if (port[p].open)
				unmask(p);
		settle();
	}
	/* it did try them */
	assert_true(sent > ROUNDS * STEPS / 4 && taken > ROUNDS * STEPS / 20);
}

static void two_level(void **state)
{
	(void)state;
	rounds(false);
}

static void queues(void **state)
{
	(void)state;
	rounds(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_level),
		cmocka_unit_test(queues),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
