/* Event channels: every sub-operation, all states, hostile arguments, delivery by callback and by vector. */
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
#include "insula/exit_reason.h"
#include "servers/vmm/fake/vmm_fake.h"
#include "servers/vmm/xen/evtchn.h"
#include <xen/errno.h>
#include <xen/event_channel.h>
#include <xen/hvm/params.h>
#include <xen/xen.h>

#define ARG 0x2000u

static struct shared_info *shared(void)
{
	return shared_info_page();
}

static int64_t op(struct vcpu *v, uint64_t number, void *argument, size_t size)
{
	const uint64_t arg[5] = {number, ARG};
	int64_t r;

	fake_poke(ARG, argument, size);
	r = event_channel_op(v, arg, false);
	fake_peek(ARG, argument, size);
	return r;
}

#define OP(name, ...)                                                                                                  \
	({                                                                                                             \
		struct evtchn_##name a_ = {__VA_ARGS__};                                                               \
		op(vmm.vcpu[0], EVTCHNOP_##name, &a_, sizeof(a_));                                                     \
	})

static uint32_t ipi(uint32_t vcpu)
{
	struct evtchn_bind_ipi a = {.vcpu = vcpu};

	assert_int_equal(op(vmm.vcpu[0], EVTCHNOP_bind_ipi, &a, sizeof(a)), 0);
	return a.port;
}

static uint32_t unbound(void)
{
	struct evtchn_alloc_unbound a = {.dom = DOMID_SELF, .remote_dom = DOMID_SELF};

	assert_int_equal(op(vmm.vcpu[0], EVTCHNOP_alloc_unbound, &a, sizeof(a)), 0);
	return a.port;
}

static uint32_t state_of(uint32_t port, struct evtchn_status *out)
{
	struct evtchn_status a = {.dom = DOMID_SELF, .port = port};

	assert_int_equal(op(vmm.vcpu[0], EVTCHNOP_status, &a, sizeof(a)), 0);
	if (out)
		*out = a;
	return a.status;
}

static bool bit(const xen_ulong_t *map, uint32_t n)
{
	return map[n / 64] >> (n % 64) & 1;
}

static int setup(void **state)
{
	(void)state;
	fake_start(2);
	fake_long_mode(vmm.vcpu[1]);
	return 0;
}

static void life_of_a_port(void **state)
{
	uint32_t a = unbound(), b;
	struct evtchn_bind_interdomain bind = {.remote_dom = DOMID_SELF, .remote_port = a};
	struct evtchn_status s;

	(void)state;
	assert_int_equal(state_of(a, NULL), EVTCHNSTAT_unbound);
	assert_int_equal(OP(send, .port = a), 0); /* dropped */
	assert_int_equal(op(vmm.vcpu[0], EVTCHNOP_bind_interdomain, &bind, sizeof(bind)), 0);
	b = bind.local_port;
	assert_int_not_equal(a, b);
	assert_int_equal(state_of(b, &s), EVTCHNSTAT_interdomain);
	assert_int_equal(s.u.interdomain.port, a);
	assert_true(evtchn_is_pending(b)); /* binding makes it pending */
	assert_int_equal(OP(send, .port = b), 0);
	assert_true(evtchn_is_pending(a));
	/* bound once */
	bind.remote_port = a;
	assert_int_equal(op(vmm.vcpu[0], EVTCHNOP_bind_interdomain, &bind, sizeof(bind)), -XEN_EINVAL);
	/* the peer of a closed port is unbound again, and a closed port is not pending */
	assert_int_equal(OP(close, .port = a), 0);
	assert_int_equal(state_of(b, NULL), EVTCHNSTAT_unbound);
	assert_false(evtchn_is_pending(a));
	assert_int_equal(OP(close, .port = a), -XEN_EINVAL);
	assert_int_equal(OP(send, .port = a), -XEN_EINVAL);
	assert_int_equal(OP(close, .port = b), 0);
}

static int no_such_domain(struct message *m, uint64_t label)
{
	(void)m, (void)label;
	return -XEN_ESRCH;
}

static void hostile_ports(void **state)
{
	static const uint32_t bad[] = {0, 4000, 4095, 4096, 4097, 65535, 65536, 0x7fffffff, 0x80000000u, 0xffffffffu};

	(void)state;
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(OP(send, .port = bad[i]), -XEN_EINVAL);
		assert_int_equal(OP(close, .port = bad[i]), -XEN_EINVAL);
		assert_int_equal(OP(bind_vcpu, .port = bad[i], .vcpu = 0), -XEN_EINVAL);
		assert_int_equal(OP(bind_interdomain, .remote_dom = DOMID_SELF, .remote_port = bad[i]), -XEN_EINVAL);
		/* port 0 is there, and nobody's; of the others so many that 64 are in use were never */
		assert_int_equal(OP(unmask, .port = bad[i]), bad[i] ? -XEN_EINVAL : 0);
		assert_int_equal(OP(status, .dom = DOMID_SELF, .port = bad[i]), bad[i] ? -XEN_EINVAL : 0);
		assert_int_equal(OP(set_priority, .port = bad[i], .priority = 3), bad[i] ? -XEN_EINVAL : -XEN_ENOSYS);
	}
	assert_int_equal(OP(bind_ipi, .vcpu = 2), -XEN_ENOENT);
	assert_int_equal(OP(bind_ipi, .vcpu = 0xffffffffu), -XEN_ENOENT);
	assert_int_equal(OP(bind_vcpu, .port = ipi(0), .vcpu = 1), -XEN_EINVAL);
	assert_int_equal(OP(bind_vcpu, .port = unbound(), .vcpu = 2), -XEN_ENOENT);
	assert_int_equal(OP(alloc_unbound, .dom = 3, .remote_dom = 0), -XEN_EPERM);
	fake.call = no_such_domain;
	assert_int_equal(OP(bind_interdomain, .remote_dom = 0, .remote_port = 1), -XEN_ESRCH);
	fake.call = NULL;
	assert_int_equal(OP(status, .dom = 0, .port = 1), -XEN_EPERM);
	assert_int_equal(OP(reset, .dom = 0), -XEN_EPERM);
	/* the vmm's own port is not the guest's to close */
	assert_int_equal(OP(close, .port = xen_console_port()), -XEN_EINVAL);
	assert_int_equal(OP(reset, .dom = DOMID_SELF), 0);
	assert_int_equal(state_of(xen_console_port(), NULL), EVTCHNSTAT_interdomain);
}

static void arguments_in_holes(void **state)
{
	static const uint64_t at[] = {0, FAKE_LOW_RAM - 1, FAKE_LOW_RAM, 0xfee00000u, FAKE_HIGH_RAM + FAKE_HIGH_SIZE - 1,
				      0x7fffffffffffull, 0x800000000000ull, UINT64_MAX, UINT64_MAX - 3};

	(void)state;
	for (uint64_t n = 0; n < 16; n++)
		for (unsigned i = 1; i < sizeof(at) / sizeof(at[0]); i++) {
			const uint64_t arg[5] = {n, at[i]};
			int64_t r = event_channel_op(vmm.vcpu[0], arg, false);

			assert_true(r == -XEN_EFAULT || r == -XEN_ENOSYS);
		}
	/* nothing was made on the way to the fault */
	for (uint32_t port = 1; port < evtchn_valid(); port++)
		assert_true(evtchn_port(port)->state == EVTCHN_FREE || port == xen_console_port());
	for (uint64_t n = EVTCHNOP_set_priority + 1; n < 20; n++) {
		const uint64_t arg[5] = {n, ARG};

		assert_int_equal(event_channel_op(vmm.vcpu[0], arg, false), -XEN_ENOSYS);
	}
	{
		const uint64_t arg[5] = {UINT64_MAX, ARG};

		assert_int_equal(event_channel_op(vmm.vcpu[0], arg, false), -XEN_ENOSYS);
	}
}

static void virqs(void **state)
{
	struct evtchn_bind_virq a = {.virq = VIRQ_TIMER, .vcpu = 1};

	(void)state;
	assert_int_equal(op(vmm.vcpu[0], EVTCHNOP_bind_virq, &a, sizeof(a)), 0);
	assert_int_equal(fake.control.port[a.port].kind, VMM_PORT_VIRQ + VIRQ_TIMER);
	assert_int_equal(fake.control.port[a.port].vcpu, 1);
	assert_int_equal(OP(bind_virq, .virq = VIRQ_TIMER, .vcpu = 1), -XEN_EEXIST);
	assert_int_equal(OP(bind_virq, .virq = NR_VIRQS, .vcpu = 0), -XEN_EINVAL);
	assert_int_equal(OP(bind_virq, .virq = 0xffffffffu, .vcpu = 0), -XEN_EINVAL);
	assert_int_equal(OP(bind_virq, .virq = VIRQ_DOM_EXC, .vcpu = 1), -XEN_EINVAL);
	assert_int_equal(OP(bind_virq, .virq = VIRQ_TIMER, .vcpu = 2), -XEN_ENOENT);
	assert_int_equal(OP(bind_vcpu, .port = a.port, .vcpu = 0), -XEN_EINVAL); /* one per vCPU: stays */
	assert_int_equal(OP(send, .port = a.port), -XEN_EINVAL);
	evtchn_raise_virq(vmm.vcpu[1], VIRQ_TIMER);
	assert_true(evtchn_is_pending(a.port));
	evtchn_raise_virq(vmm.vcpu[1], 24);
	evtchn_raise_virq(vmm.vcpu[1], UINT32_MAX);
	assert_int_equal(OP(close, .port = a.port), 0);
	assert_int_equal(fake.control.port[a.port].kind, 0);
	assert_int_equal(vmm.vcpu[1]->virq_port[VIRQ_TIMER], 0);
	evtchn_raise_virq(vmm.vcpu[1], VIRQ_TIMER);
	assert_false(evtchn_is_pending(a.port));
	assert_int_equal(OP(bind_virq, .virq = VIRQ_TIMER, .vcpu = 1), 0);
	/* a global one that was moved is forgotten where it was bound */
	a = (struct evtchn_bind_virq){.virq = VIRQ_DOM_EXC, .vcpu = 0};
	assert_int_equal(op(vmm.vcpu[0], EVTCHNOP_bind_virq, &a, sizeof(a)), 0);
	assert_int_equal(OP(bind_vcpu, .port = a.port, .vcpu = 1), 0);
	assert_int_equal(OP(close, .port = a.port), 0);
	assert_int_equal(vmm.vcpu[0]->virq_port[VIRQ_DOM_EXC], 0);
	assert_int_equal(OP(bind_virq, .virq = VIRQ_DOM_EXC, .vcpu = 0), 0);
}

static void exhaustion(void **state)
{
	unsigned made = 0;

	(void)state;
	while (OP(bind_ipi, .vcpu = 1) == 0)
		made++;
	assert_int_equal(made, 4096 - 2); /* 0 and the console's */
	assert_int_equal(OP(bind_ipi, .vcpu = 1), -XEN_ENOSPC);
	assert_int_equal(OP(alloc_unbound, .dom = DOMID_SELF, .remote_dom = 0), -XEN_ENOSPC);
	assert_int_equal(OP(close, .port = 4095), 0);
	assert_int_equal(ipi(0), 4095);
	assert_int_equal(OP(reset, .dom = DOMID_SELF), 0);
	assert_int_equal(OP(bind_ipi, .vcpu = 1), 0);
}

static void masks(void **state)
{
	uint32_t port = ipi(1);
	struct vcpu_info *vi = vmm.vcpu[1]->vcpu_info;

	(void)state;
	assert_true(bit(shared()->evtchn_mask, port)); /* as Xen: masked at first */
	assert_int_equal(OP(send, .port = port), 0);
	assert_true(bit(shared()->evtchn_pending, port));
	assert_int_equal(vi->evtchn_upcall_pending, 0);
	assert_int_equal(OP(unmask, .port = port), 0);
	assert_int_equal(vi->evtchn_upcall_pending, 1);
	assert_true(vi->evtchn_pending_sel >> (port / 64) & 1);
	/* pending already: nothing is signalled a second time */
	fake.signals = 0;
	assert_int_equal(OP(send, .port = port), 0);
	assert_int_equal(fake.signals, 0);
}

static void upcalls(void **state)
{
	struct vcpu *v = vmm.vcpu[0];
	uint32_t port = ipi(0);
	uint8_t vector;

	(void)state;
	evtchn_unmask(port);
	(void)lapic_write(&v->lapic, 0xf0, 0x1ff, 0);
	/* no way to tell it yet */
	evtchn_set_pending(port);
	assert_false(xen_callback_pending(v));
	/* the domain's callback: asserted as long as the guest leaves it so */
	hvm_param_set(HVM_PARAM_CALLBACK_IRQ, (uint64_t)HVM_PARAM_CALLBACK_TYPE_VECTOR << 56 | 0xf3);
	assert_true(xen_callback_take(v, &vector));
	assert_int_equal(vector, 0xf3);
	assert_true(xen_callback_pending(v));
	/* an entry with interrupts open calls it, and none is wanted to end that turn; with interrupts shut the guest's opening them is */
	v->run = VCPU_RUNNING;
	v->s->rflags = 0x202;
	v->s->interruptibility = 0;
	fake_run(v);
	assert_int_equal(v->s->entry_info & 0x800000ff, 0x800000f3);
	assert_int_equal(v->s->window, 0);
	v->s->rflags = 2;
	v->s->entry_info = 0;
	fake_run(v);
	assert_int_equal(v->s->entry_info, 0);
	assert_int_equal(v->s->window, 1);
	/* an interrupt of its LAPIC's that comes after it is to end it */
	v->s->rflags = 0x202;
	assert_true(lapic_accept(&v->lapic, 0x41, false));
	fake_run(v);
	assert_int_equal(v->s->entry_info & 0x800000ff, 0x800000f3);
	assert_int_equal(v->s->window, 1);
	lapic_take(&v->lapic, 0x41);
	(void)lapic_write(&v->lapic, 0xb0, 0, 0);
	/* only another's thread signals */
	((struct vcpu_info *)v->vcpu_info)->evtchn_upcall_pending = 0;
	fake.signals = 0;
	evtchn_upcall(v);
	assert_int_equal(fake.signals, 0);
	((struct vcpu_info *)v->vcpu_info)->evtchn_upcall_pending = 0;
	fake.thread = 1;
	evtchn_upcall(v);
	assert_int_equal(fake.signals, 1);
	fake.thread = 0;
	((struct vcpu_info *)v->vcpu_info)->evtchn_upcall_pending = 0;
	assert_false(xen_callback_take(v, &vector));
	/* an own vector goes through the LAPIC, once */
	v->upcall_vector = 0xf2;
	evtchn_clear(port);
	((struct vcpu_info *)v->vcpu_info)->evtchn_pending_sel = 0;
	evtchn_set_pending(port);
	assert_int_equal(lapic_pending(&v->lapic), 0xf2);
	assert_false(xen_callback_pending(v));
	/* other types of callback are not delivered */
	v->upcall_vector = 0;
	hvm_param_set(HVM_PARAM_CALLBACK_IRQ, (uint64_t)HVM_PARAM_CALLBACK_TYPE_GSI << 56 | 9);
	assert_false(xen_callback_pending(v));
}

/* The guest owns the bits and may set them as it likes. */
static void lying_bits(void **state)
{
	(void)state;
	memset(shared()->evtchn_pending, 0xff, sizeof(shared()->evtchn_pending));
	memset(shared()->evtchn_mask, 0, sizeof(shared()->evtchn_mask));
	for (unsigned i = 0; i < 2; i++)
		memset(vmm.vcpu[i]->vcpu_info, 0xff, sizeof(struct vcpu_info));
	for (uint32_t port = 0; port < 4096 + 64; port++)
		(void)OP(send, .port = port);
	(void)OP(reset, .dom = DOMID_SELF);
	assert_int_equal(state_of(xen_console_port(), NULL), EVTCHNSTAT_interdomain);
}

/* ---- the FIFO ABI ---- */

#define CONTROL_GFN 8u
#define ARRAY_GFN   10u

static event_word_t fifo_word(uint32_t port)
{
	event_word_t w;

	fake_peek(ARRAY_GFN * PAGE + port * sizeof(w), &w, sizeof(w));
	return w;
}

static uint32_t fifo_ready(uint32_t vcpu)
{
	uint32_t ready;

	fake_peek(CONTROL_GFN * PAGE + vcpu * 128, &ready, sizeof(ready));
	return ready;
}

static int fifo_setup(void **state)
{
	fake.ports = EVTCHN_FIFO_NR_CHANNELS;
	(void)setup(state);
	fake.ports = 0;
	for (uint32_t v = 0; v < 2; v++)
		assert_int_equal(OP(init_control, .control_gfn = CONTROL_GFN, .offset = v * 128, .vcpu = v), 0);
	return 0;
}

static void fifo_arguments(void **state)
{
	struct evtchn_init_control a = {.control_gfn = CONTROL_GFN, .vcpu = 1};

	(void)state;
	(void)setup(NULL);
	assert_int_equal(OP(expand_array, .array_gfn = ARRAY_GFN), -XEN_EOPNOTSUPP);
	assert_int_equal(OP(init_control, .control_gfn = CONTROL_GFN, .vcpu = 2), -XEN_ENOENT);
	assert_int_equal(OP(init_control, .control_gfn = CONTROL_GFN, .vcpu = UINT32_MAX), -XEN_ENOENT);
	assert_int_equal(OP(init_control, .control_gfn = CONTROL_GFN, .offset = 4), -XEN_EINVAL);
	assert_int_equal(OP(init_control, .control_gfn = CONTROL_GFN, .offset = PAGE - 64), -XEN_EINVAL);
	assert_int_equal(OP(init_control, .control_gfn = CONTROL_GFN, .offset = UINT32_MAX - 7), -XEN_EINVAL);
	assert_int_equal(OP(init_control, .control_gfn = FAKE_LOW_RAM >> 12), -XEN_EINVAL);
	assert_int_equal(OP(init_control, .control_gfn = UINT64_MAX), -XEN_EINVAL);
	/* none of these made it the domain's ABI */
	assert_int_equal(OP(expand_array, .array_gfn = ARRAY_GFN), -XEN_EOPNOTSUPP);
	assert_int_equal(op(vmm.vcpu[0], EVTCHNOP_init_control, &a, sizeof(a)), 0);
	assert_int_equal(a.link_bits, EVTCHN_FIFO_LINK_BITS);
	assert_int_equal(op(vmm.vcpu[0], EVTCHNOP_init_control, &a, sizeof(a)), -XEN_EINVAL);
	assert_int_equal(OP(init_control, .control_gfn = CONTROL_GFN, .offset = PAGE - 72, .vcpu = 0), 0);
	assert_int_equal(OP(expand_array, .array_gfn = FAKE_LOW_RAM >> 12), -XEN_EINVAL);
	assert_int_equal(OP(expand_array, .array_gfn = 1ull << 60), -XEN_EINVAL);
	for (uint32_t i = 0; i < EVTCHN_FIFO_PAGES; i++)
		assert_int_equal(OP(expand_array, .array_gfn = ARRAY_GFN), 0); /* the same one: its own affair */
	assert_int_equal(OP(expand_array, .array_gfn = ARRAY_GFN), -XEN_ENOSPC);
	assert_int_equal(OP(set_priority, .port = ipi(0), .priority = 16), -XEN_EINVAL);
	assert_int_equal(OP(set_priority, .port = ipi(0), .priority = 15), 0);
	assert_int_equal(OP(set_priority, .port = 60, .priority = 1), -XEN_EACCES);
}

static void fifo_delivery(void **state)
{
	uint32_t port = ipi(1);
	struct vcpu_info *vi = vmm.vcpu[1]->vcpu_info;

	(void)state;
	/* before its word is there it waits */
	assert_int_equal(OP(send, .port = port), 0);
	assert_int_equal(vi->evtchn_upcall_pending, 0);
	assert_false(evtchn_is_pending(port));
	assert_int_equal(OP(set_priority, .port = port, .priority = 4), 0);
	assert_int_equal(OP(expand_array, .array_gfn = ARRAY_GFN), 0);
	assert_true(evtchn_is_pending(port));
	assert_int_equal(vi->evtchn_upcall_pending, 1);
	assert_int_equal(vi->evtchn_pending_sel, 0);
	assert_int_equal(fifo_ready(1), 1u << 4);
	assert_int_equal(fifo_word(port), 1u << EVTCHN_FIFO_PENDING | 1u << EVTCHN_FIFO_LINKED);
	/* closed in the queue: its number has to wait */
	assert_int_equal(OP(close, .port = port), 0);
	assert_int_equal(fifo_word(port), 1u << EVTCHN_FIFO_LINKED);
	assert_int_not_equal(ipi(0), port);
	fake_poke(ARRAY_GFN * PAGE + port * 4, "\0\0\0", 4);
	assert_int_equal(ipi(0), port);
	/* polled for */
	assert_int_equal(OP(send, .port = port), 0);
	vmm.vcpu[0]->poll_count = 1;
	vmm.vcpu[0]->poll_ports[0] = port;
	assert_true(xen_poll_done(vmm.vcpu[0]));
}

/* What was pending by the 2-level ABI is not lost; reset goes back to it. */
static void fifo_and_back(void **state)
{
	uint32_t port, other;

	(void)state;
	(void)setup(NULL);
	port = ipi(0);
	assert_int_equal(OP(send, .port = port), 0);
	assert_int_equal(OP(init_control, .control_gfn = CONTROL_GFN), 0);
	assert_int_equal(OP(expand_array, .array_gfn = ARRAY_GFN), 0);
	assert_int_equal(fifo_ready(0), 1u << EVTCHN_FIFO_PRIORITY_DEFAULT);
	/* of a vCPU without a control block nothing is queued */
	other = ipi(1);
	assert_int_equal(OP(send, .port = other), 0);
	assert_int_equal(fifo_word(other), 1u << EVTCHN_FIFO_PENDING);
	assert_int_equal(OP(reset, .dom = DOMID_SELF), 0);
	assert_int_equal(OP(expand_array, .array_gfn = ARRAY_GFN), -XEN_EOPNOTSUPP);
	memset(shared()->evtchn_pending, 0, sizeof(shared()->evtchn_pending));
	port = ipi(0);
	assert_int_equal(OP(send, .port = port), 0);
	assert_true(bit(shared()->evtchn_pending, port));
	assert_int_equal(fifo_word(port) >> EVTCHN_FIFO_PENDING, 0);
	/* and forth again */
	assert_int_equal(OP(init_control, .control_gfn = CONTROL_GFN), 0);
}

/* As many ports as the ABI has, all pending at once, and each seen once. */
static void fifo_all_ports(void **state)
{
	static uint8_t seen[EVTCHN_FIFO_NR_CHANNELS];
	event_word_t *words = (event_word_t *)(TASK_RAM_VADDR + FAKE_MID_RAM);
	uint32_t made = 0, port, head;

	(void)state;
	/* the pages serve several times over; the words that count are the last page's */
	for (uint32_t i = 0; i < EVTCHN_FIFO_PAGES; i++)
		assert_int_equal(OP(expand_array, .array_gfn = i == EVTCHN_FIFO_PAGES - 1 ? FAKE_MID_RAM >> 12 : ARRAY_GFN), 0);
	while (OP(bind_ipi, .vcpu = 0) == 0)
		made++;
	assert_int_equal(made, EVTCHN_FIFO_NR_CHANNELS - 2); /* 0 and the console's */
	assert_int_equal(OP(bind_ipi, .vcpu = 0), -XEN_ENOSPC);
	for (port = EVTCHN_FIFO_NR_CHANNELS - EVTCHN_FIFO_PAGE_WORDS; port < EVTCHN_FIFO_NR_CHANNELS; port++)
		assert_int_equal(OP(send, .port = port), 0);
	fake_peek(CONTROL_GFN * PAGE + 8 + 4 * EVTCHN_FIFO_PRIORITY_DEFAULT, &head, sizeof(head));
	memset(seen, 0, sizeof(seen));
	for (port = head; port; port = words[port % EVTCHN_FIFO_PAGE_WORDS] & EVTCHN_FIFO_LINK_MASK)
		assert_int_equal(seen[port]++, 0);
	for (port = EVTCHN_FIFO_NR_CHANNELS - EVTCHN_FIFO_PAGE_WORDS; port < EVTCHN_FIFO_NR_CHANNELS; port++)
		assert_int_equal(seen[port], 1);
	assert_int_equal(OP(reset, .dom = DOMID_SELF), 0);
}

/* The toolstack's max_event_channels. */
static void soft_limit(void **state)
{
	unsigned made = 0;

	(void)state;
	fake.ports = 100;
	(void)setup(NULL);
	fake.ports = 0;
	while (OP(bind_ipi, .vcpu = 1) == 0)
		made++;
	assert_int_equal(made, 98);
	assert_int_equal(OP(alloc_unbound, .dom = DOMID_SELF, .remote_dom = 0), -XEN_ENOSPC);
	assert_int_equal(OP(send, .port = 100), -XEN_EINVAL);
	assert_int_equal(OP(status, .dom = DOMID_SELF, .port = 100), -XEN_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(life_of_a_port, setup),
		cmocka_unit_test_setup(hostile_ports, setup),
		cmocka_unit_test_setup(arguments_in_holes, setup),
		cmocka_unit_test_setup(virqs, setup),
		cmocka_unit_test_setup(exhaustion, setup),
		cmocka_unit_test_setup(masks, setup),
		cmocka_unit_test_setup(upcalls, setup),
		cmocka_unit_test_setup(lying_bits, setup),
		cmocka_unit_test_setup(fifo_arguments, fifo_setup),
		cmocka_unit_test_setup(fifo_delivery, fifo_setup),
		cmocka_unit_test_setup(fifo_and_back, fifo_setup),
		cmocka_unit_test_setup(fifo_all_ports, fifo_setup),
		cmocka_unit_test_setup(soft_limit, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
