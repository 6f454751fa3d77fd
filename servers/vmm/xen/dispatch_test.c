/* Hypercalls as registers and pages: privilege, modes, multicall, the page, logging; every number with the same junk. */
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
#include "servers/vmm/xen/xen.h"
#include <xen/errno.h>
#include <xen/features.h>
#include <xen/sched.h>
#include <xen/version.h>
#include <xen/xen.h>

#define ARG 0x2000u

static int setup(void **state)
{
	(void)state;
	fake.intel = false;
	fake_start(2);
	return 0;
}

static uint64_t exit_with(uint64_t number, uint64_t a, uint64_t b)
{
	struct vcpu *v = vmm.vcpu[0];

	fake_poke(0x1000, "\x0f\x01\xd9", 3);
	v->s->rip = 0x1000;
	v->s->length = 0;
	v->s->gpr[INSULA_RAX] = number;
	v->s->gpr[INSULA_RDI] = a;
	v->s->gpr[INSULA_RSI] = b;
	hypercall_exit(v);
	return v->s->gpr[INSULA_RAX];
}

static void registers(void **state)
{
	struct vcpu *v = vmm.vcpu[0];

	(void)state;
	assert_int_equal(exit_with(__HYPERVISOR_xen_version, XENVER_version, 0), (4 << 16) | 17);
	assert_int_equal(v->s->rip, 0x1003);
	assert_true(v->s->dirty & INSULA_VS_GPR);
	/* from user mode */
	v->s->seg[INSULA_SS].ar |= 3u << 5;
	assert_int_equal((int64_t)exit_with(__HYPERVISOR_xen_version, XENVER_version, 0), 0x1003 == v->s->rip ? -XEN_EPERM : 0);
	v->s->seg[INSULA_SS].ar &= ~(3u << 5);
	/* from 32-bit code (compat_test.c has the rest) */
	v->s->seg[INSULA_CS].ar = 0xc09b;
	v->s->gpr[INSULA_RBX] = XENVER_version;
	assert_int_equal(exit_with(__HYPERVISOR_xen_version, 0, 0), (4 << 16) | 17);
	assert_int_equal(exit_with(__HYPERVISOR_mmu_update, 0, 0), (uint32_t)-XEN_ENOSYS);
	assert_int_equal(exit_with(UINT64_MAX, 0, 0), (uint32_t)-XEN_ENOSYS);
	v->s->seg[INSULA_CS].ar = 0xa09b;
	/* an instruction that cannot be read: #UD, and no hypercall */
	v->s->rip = FAKE_LOW_RAM;
	v->s->gpr[INSULA_RAX] = __HYPERVISOR_xen_version;
	hypercall_exit(v);
	assert_int_equal(v->s->gpr[INSULA_RAX], __HYPERVISOR_xen_version);
	assert_int_equal(v->inject_info & 0xff, 6);
}

static void numbers(void **state)
{
	static const uint64_t control[] = {__HYPERVISOR_domctl, __HYPERVISOR_sysctl, __HYPERVISOR_platform_op};
	static const uint64_t junk[] = {0, 1, 2, 0xfee00000u, FAKE_LOW_RAM - 1, FAKE_TABLES, UINT64_MAX, 1ull << 63, 0x7fffffffffffull};

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal((int64_t)exit_with(control[i], 0, 0), -XEN_EPERM);
	for (uint64_t n = 0; n < 70; n++)
		for (unsigned a = 0; a < 9; a++)
			for (unsigned b = 0; b < 9; b++) {
				const uint64_t arg[5] = {junk[a], junk[b], junk[(a + b) % 9] & 0xffff, junk[b], junk[a]};
				int64_t r;

				if (n == __HYPERVISOR_sched_op)
					continue;
				r = hypercall_call(vmm.vcpu[0], n, arg, false);
				if (n >= 64 || n == __HYPERVISOR_mmu_update || n == __HYPERVISOR_tmem_op || n == __HYPERVISOR_xsm_op)
					assert_int_equal(r, -XEN_ENOSYS);
			}
	(void)setup(NULL); /* some of them wrote over the page tables */
	assert_int_equal((int64_t)exit_with(UINT64_MAX, 0, 0), -XEN_ENOSYS);
	/* a guest that makes up numbers fills no log */
	fake.lines = 0;
	for (uint64_t n = 1000; n < 2000; n++)
		(void)exit_with(n, 0, 0);
	assert_true(fake.lines <= 64);
}

static void multicalls(void **state)
{
	multicall_entry_t e[4] = {
		{.op = __HYPERVISOR_xen_version, .args = {XENVER_version}},
		{.op = __HYPERVISOR_multicall, .args = {ARG, 4}},
		{.op = 999},
		{.op = __HYPERVISOR_xen_version, .args = {XENVER_pagesize}},
	};
	uint64_t arg[5] = {ARG, 4};

	(void)state;
	fake_poke(ARG, e, sizeof(e));
	assert_int_equal(multicall_op(vmm.vcpu[0], arg, false), 0);
	fake_peek(ARG, e, sizeof(e));
	assert_int_equal(e[0].result, (4 << 16) | 17);
	assert_int_equal((int64_t)e[1].result, -XEN_EINVAL);
	assert_int_equal((int64_t)e[2].result, -XEN_ENOSYS);
	assert_int_equal(e[3].result, 4096);
	arg[1] = 4097;
	assert_int_equal(multicall_op(vmm.vcpu[0], arg, false), -XEN_EINVAL);
	arg[1] = UINT32_MAX;
	assert_int_equal(multicall_op(vmm.vcpu[0], arg, false), -XEN_EINVAL);
	arg[0] = FAKE_LOW_RAM - sizeof(e[0]);
	arg[1] = 2;
	assert_int_equal(multicall_op(vmm.vcpu[0], arg, false), -XEN_EFAULT);
	arg[0] = UINT64_MAX - 8;
	assert_int_equal(multicall_op(vmm.vcpu[0], arg, false), -XEN_EFAULT);
}

static void version_texts(void **state)
{
	static const uint64_t at[] = {FAKE_LOW_RAM - 1, UINT64_MAX, 0xfee00000u};
	xen_extraversion_t extra;

	(void)state;
	for (uint64_t n = 1; n < 12; n++)
		for (unsigned i = 0; i < 3; i++) {
			int64_t r = (int64_t)exit_with(__HYPERVISOR_xen_version, n, at[i]);

			assert_true(r == -XEN_EFAULT || r == -XEN_ENOSYS || r == -XEN_EPERM || r == -XEN_EINVAL);
		}
	memset(extra, 0xee, sizeof(extra));
	fake_poke(FAKE_LOW_RAM - sizeof(extra), extra, sizeof(extra));
	assert_int_equal(exit_with(__HYPERVISOR_xen_version, XENVER_extraversion, FAKE_LOW_RAM - sizeof(extra)), 0);
	fake_peek(FAKE_LOW_RAM - sizeof(extra), extra, sizeof(extra));
	assert_non_null(memchr(extra, 0, sizeof(extra)));
	{
		struct xen_feature_info f = {.submap_idx = 0};

		fake_poke(ARG, &f, sizeof(f));
		assert_int_equal(exit_with(__HYPERVISOR_xen_version, XENVER_get_features, ARG), 0);
		fake_peek(ARG, &f, sizeof(f));
		assert_true(f.submap & 1u << XENFEAT_hvm_callback_vector);
		f.submap_idx = UINT32_MAX;
		fake_poke(ARG, &f, sizeof(f));
		assert_int_equal((int64_t)exit_with(__HYPERVISOR_xen_version, XENVER_get_features, ARG), -XEN_EINVAL);
	}
}

static void the_page(void **state)
{
	uint8_t *p = memory_at(gpa(0x8000), PAGE);

	(void)state;
	assert_true(hypercall_page(vmm.vcpu[0], gpa(0x8000)));
	assert_memory_equal(p + 32 * __HYPERVISOR_xen_version, "\xb8\x11\0\0\0\x0f\x01\xd9\xc3", 9);
	assert_memory_equal(p + 32 * __HYPERVISOR_iret, "\x0f\x0b", 2);
	assert_false(hypercall_page(vmm.vcpu[0], gpa(FAKE_LOW_RAM)));
	assert_false(hypercall_page(vmm.vcpu[0], gpa(0xfee00000u)));
	assert_false(hypercall_page(vmm.vcpu[0], gpa(UINT64_MAX & ~0xfffull)));
	fake.intel = true;
	fake_start(1);
	assert_true(hypercall_page(vmm.vcpu[0], gpa(0x8000)));
	assert_memory_equal(p + 5, "\x0f\x01\xc1\xc3", 4);
}

static void console(void **state)
{
	const uint64_t write[5] = {CONSOLEIO_write, UINT32_MAX, 0x3000}, hole[5] = {CONSOLEIO_write, 8, FAKE_LOW_RAM - 4};
	const uint64_t reads[5] = {CONSOLEIO_read, 8, 0x3000};

	(void)state;
	assert_int_equal(console_io_op(vmm.vcpu[0], write, false), 0); /* full is full: it does not wait */
	assert_int_equal(fake.yields, 0);
	assert_int_equal(console_io_op(vmm.vcpu[0], hole, false), -XEN_EFAULT);
	assert_int_equal(console_io_op(vmm.vcpu[0], reads, false), -XEN_EPERM);
	/* the admin VM waits, though not for ever */
	fake.control_domain = true;
	assert_int_equal(console_io_op(vmm.vcpu[0], write, false), 0);
	assert_in_range(fake.yields, 999, 1001);
	fake.control_domain = false;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(registers, setup),
		cmocka_unit_test_setup(numbers, setup),
		cmocka_unit_test_setup(multicalls, setup),
		cmocka_unit_test_setup(version_texts, setup),
		cmocka_unit_test_setup(the_page, setup),
		cmocka_unit_test_setup(console, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
