/*
 * Every hypercall with hostile numbers and pointers, by two vCPUs of one domain, with guest memory that has holes (unmapped host
 * pages: a stray byte is a crash). The input is a program: store a word, call, let time pass, run the vCPU's events.
 */
// links: servers/vmm/fake/vmm_fake.c servers/vmm/apic/lapic.c servers/vmm/console.c servers/vmm/cpuid.c lib/cpu_policy/cpu_policy.c lib/cpu_policy/cpu_policy_max.c servers/vmm/cr.c servers/vmm/exit.c
// links: servers/vmm/guest.c servers/vmm/io.c servers/vmm/lock.c servers/vmm/memory.c servers/vmm/mmio.c servers/vmm/msr.c
// links: servers/vmm/timer.c servers/vmm/context.c servers/vmm/vcpu.c servers/vmm/vcpu_start.c servers/vmm/load/cpu_record.c servers/vmm/walk.c servers/vmm/fetch.c
// links: servers/vmm/xen/console_io.c servers/vmm/xen/dispatch.c servers/vmm/xen/event_op.c servers/vmm/xen/evtchn.c servers/vmm/xen/evtchn_fifo.c servers/vmm/xen/evtchn_remote.c servers/vmm/xen/physmap_call.c user/message.c
// links: servers/vmm/xen/argument.c servers/vmm/xen/compat.c servers/vmm/xen/grant.c servers/vmm/xen/hvm.c servers/vmm/xen/foreign.c servers/vmm/xen/memory_op.c servers/vmm/xen/sched_op.c
// links: servers/vmm/xen/shared_info.c servers/vmm/xen/vcpu_op.c servers/vmm/xen/version.c
// links: lib/insn/insn.c lib/insn/insn_exec.c lib/pvclock/pvclock.c lib/ring/ring.c
// cflags: -std=gnu11 -iquote servers/vmm/fake/include -D__XEN_TOOLS__
#include <string.h>
#include "servers/vmm/fake/vmm_fake.h"
#include "servers/vmm/xen/evtchn.h"
#include <xen/xen.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold between hypercalls, whatever the guest did. */
static void check(void)
{
	for (uint32_t port = 0; port < evtchn_valid(); port++) {
		const struct evtchn_port *p = evtchn_port(port);

		if (p->vcpu >= vmm.vcpu_count)
			__builtin_trap();
		if (p->state == EVTCHN_INTERDOMAIN &&
		    (evtchn_port(p->remote_port)->state != EVTCHN_INTERDOMAIN || evtchn_port(p->remote_port)->remote_port != port))
			__builtin_trap();
		if (p->state == EVTCHN_VIRQ && vmm.vcpu[p->vcpu]->virq_port[p->virq] != port && p->virq != 0)
			if (vmm.vcpu[0]->virq_port[p->virq] != port)
				__builtin_trap();
	}
	for (uint32_t i = 0; i < vmm.vcpu_count; i++) {
		const struct vcpu *v = vmm.vcpu[i];

		for (unsigned n = 0; n < 24; n++)
			if (v->virq_port[n] && evtchn_port(v->virq_port[n])->state != EVTCHN_VIRQ)
				__builtin_trap();
		if (v->periodic_next_ns != UINT64_MAX && !v->periodic_ns)
			__builtin_trap();
	}
}

static uint64_t number(struct fake_input *in)
{
	static const uint8_t numbers[] = {
		__HYPERVISOR_memory_op, __HYPERVISOR_multicall, __HYPERVISOR_xen_version, __HYPERVISOR_console_io,
		__HYPERVISOR_grant_table_op, __HYPERVISOR_vm_assist, __HYPERVISOR_vcpu_op, __HYPERVISOR_sched_op,
		__HYPERVISOR_event_channel_op, __HYPERVISOR_hvm_op, __HYPERVISOR_physdev_op, __HYPERVISOR_event_channel_op,
	};
	uint64_t n = fake_take(in, 1);

	return n < 0xe0 ? numbers[n % sizeof(numbers)] : fake_take_word(in);
}

static void call(struct vcpu *v, struct fake_input *in, bool through_exit, bool abi32)
{
	struct insula_vcpu_state *s = v->s;
	uint64_t n = number(in), arg[5], old = vmm.ended;

	for (unsigned i = 0; i < 5; i++)
		arg[i] = fake_take_word(in);
	/* bounded by the ABI, but too long for a fuzzer */
	if (n == __HYPERVISOR_console_io)
		arg[1] &= 0xffff;
	if (!through_exit) {
		(void)hypercall_call(v, n, arg, abi32);
	} else {
		fake_poke(s->rip & 0x1fff, "\x0f\x01\xd9", 3);
		s->rip &= 0x1fff;
		s->length = 0;
		s->seg[INSULA_CS].ar = abi32 ? 0xc09b : 0xa09b;
		s->gpr[INSULA_RAX] = n;
		s->gpr[INSULA_RBX] = arg[0];
		s->gpr[INSULA_RCX] = arg[1];
		s->gpr[INSULA_RDI] = arg[0];
		s->gpr[INSULA_RSI] = arg[1];
		s->gpr[INSULA_RDX] = arg[2];
		s->gpr[INSULA_R10] = arg[3];
		s->gpr[INSULA_R8] = arg[4];
		hypercall_exit(v);
	}
	if (!old)
		vmm.ended = false; /* a guest that shut down would end the input here */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fake_input in = {data, size};

	fake.intel = size & 1;
	fake_start(2);
	fake_long_mode(vmm.vcpu[1]);
	fake.object_limit = size & 2 ? 3000 : 10;
	while (in.left) {
		uint64_t what = fake_take(&in, 1);
		struct vcpu *v = vmm.vcpu[what & 1];

		switch (what >> 1 & 7) {
		case 0:
		case 1: { /* store a word where arguments may be */
			uint64_t g = fake_take_word(&in), value = fake_take_word(&in);

			(void)memory_write(gpa(g), &value, sizeof(value));
			break;
		}
		case 2: { /* a structure's worth of bytes */
			uint8_t bytes[48];

			for (unsigned i = 0; i < sizeof(bytes); i++)
				bytes[i] = (uint8_t)fake_take(&in, 1);
			(void)memory_write(gpa(fake_take(&in, 2)), bytes, sizeof(bytes));
			break;
		}
		case 3:
			fake_advance_ns(fake_take(&in, 4));
			timer_expired(v);
			break;
		case 4:
			fake.enter = NULL;
			fake.wait = NULL;
			fake_run(v);
			break;
		case 5:
			call(v, &in, true, what & 0x10);
			break;
		default:
			call(v, &in, false, what & 0x10);
			break;
		}
	}
	check();
	return 0;
}
