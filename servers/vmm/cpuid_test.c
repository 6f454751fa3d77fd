/* CPUID: no bit outside the allow-list, whatever the host has; what depends on the vCPU. Host leaves are all ones (fake). */
// links: servers/vmm/fake/vmm_fake.c servers/vmm/apic/lapic.c servers/vmm/console.c servers/vmm/cpuid.c lib/cpu_policy/cpu_policy.c lib/cpu_policy/cpu_policy_max.c servers/vmm/cr.c servers/vmm/exit.c
// links: servers/vmm/guest.c servers/vmm/io.c servers/vmm/lock.c servers/vmm/memory.c servers/vmm/mmio.c servers/vmm/msr.c
// links: servers/vmm/timer.c servers/vmm/context.c servers/vmm/vcpu.c servers/vmm/vcpu_start.c servers/vmm/load/cpu_record.c servers/vmm/walk.c servers/vmm/fetch.c
// links: servers/vmm/xen/console_io.c servers/vmm/xen/dispatch.c servers/vmm/xen/event_op.c servers/vmm/xen/evtchn.c servers/vmm/xen/evtchn_fifo.c servers/vmm/xen/evtchn_remote.c servers/vmm/xen/physmap_call.c user/message.c
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
#include <cmocka.h>
#include "cpu_policy/cpu_policy.h"
#include "proto/domain/domain.h"
#include "servers/vmm/cpu_hw.h"
#include "servers/vmm/fake/vmm_fake.h"
#include "user/message.h"
#include <xen/arch-x86/cpufeatureset.h>

enum { EAX, EBX, ECX, EDX };

static int amd(void **state)
{
	(void)state;
	fake.intel = fake.no_xsave = false;
	fake_start(2);
	return 0;
}

static int intel(void **state)
{
	(void)state;
	fake.intel = true;
	fake.no_xsave = false;
	fake_start(2);
	return 0;
}

static void leaf(uint32_t n, uint32_t sub, uint32_t r[4])
{
	struct vcpu *v = vmm.vcpu[0];

	v->s->gpr[INSULA_RAX] = 0xdead00000000ull | n;
	v->s->gpr[INSULA_RCX] = 0xdead00000000ull | sub;
	v->s->length = 2;
	cpuid_exit(v);
	r[EAX] = (uint32_t)v->s->gpr[INSULA_RAX];
	r[EBX] = (uint32_t)v->s->gpr[INSULA_RBX];
	r[ECX] = (uint32_t)v->s->gpr[INSULA_RCX];
	r[EDX] = (uint32_t)v->s->gpr[INSULA_RDX];
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(v->s->gpr[i] >> 32, 0);
}

static void features(void **state)
{
	uint32_t r[4];

	(void)state;
	leaf(1, 0, r);
	assert_true(r[ECX] & 1u << 31); /* hypervisor */
	assert_true(r[ECX] & 1u << 21); /* x2APIC */
	/* MONITOR, DS-CPL, VMX, SMX, EST, TM2, PDCM, PCID, DCA, TSC deadline; OSXSAVE follows CR4 */
	assert_int_equal(r[ECX] & (1u << 3 | 1u << 2 | 1u << 4 | 1u << 5 | 1u << 6 | 1u << 7 | 1u << 8 | 1u << 15 | 1u << 17 | 1u << 18 |
				   1u << 24 | 1u << 27), 0);
	assert_int_equal(r[EDX] & (1u << 21 | 1u << 22 | 1u << 27 | 1u << 29 | 1u << 31), 0); /* DS ACPI SS TM PBE */
	assert_int_equal(r[EBX] >> 24, vmm.vcpu[0]->lapic.id & 0xffu);
	vmm.vcpu[0]->s->cr4 |= 1u << 18;
	leaf(1, 0, r);
	assert_true(r[ECX] & 1u << 27);
	leaf(7, 0, r);
	/* SGX, HLE, PQM, MPX, RTM, PT; PKU, WAITPKG, CET, LA57, ENQCMD; and all of EDX but FSRM and MD_CLEAR */
	assert_int_equal(r[EBX] & (1u << 2 | 1u << 4 | 1u << 11 | 1u << 12 | 1u << 14 | 1u << 15 | 1u << 25), 0);
	assert_int_equal(r[ECX] & (1u << 3 | 1u << 4 | 1u << 5 | 1u << 7 | 1u << 16 | 1u << 29), 0);
	assert_int_equal(r[EDX] & ~0x410u, 0);
	assert_int_equal(r[EBX] & 0xd0230000u, 0); /* AVX-512: XCR0 of the host lacks it */
	assert_true(r[EBX] & 1u << 5);
	leaf(7, 1, r);
	assert_int_equal(r[EAX] | r[EBX] | r[ECX] | r[EDX], 0);
	leaf(0x80000001u, 0, r);
	assert_int_equal(r[ECX] & ~0x1f1u, 0); /* no SVM, SKINIT, IBS, OSVW, XOP, TBM */
	assert_int_equal(r[EDX] & (1u << 10 | 1u << 19 | 1u << 28 | 1u << 30 | 1u << 31), 0);
	leaf(0x80000007u, 0, r);
	assert_int_equal(r[EAX] | r[EBX] | r[ECX] | r[EDX], 0);
	leaf(0x80000008u, 0, r);
	assert_int_equal(r[EBX] & ~0x204u, 0);
}

static void limits(void **state)
{
	static const uint32_t none[] = {0x0e, 0x14, 0x1f, 0x100, 0x3fffffff, 0x40000006, 0x400000ff, 0x7fffffff, 0x80000009u, 0x8000000au,
					0x8000001fu, 0xc0000000u, 0xffffffffu, 5, 9, 0xa};
	uint32_t r[4];

	(void)state;
	leaf(0, 0, r);
	assert_int_equal(r[EAX], 0xd);
	leaf(0x80000000u, 0, r);
	assert_int_equal(r[EAX], 0x80000021u); /* there is nothing more in those */
	leaf(0x40000000u, 0, r);
	assert_memory_equal(&r[EBX], "XenVMMXenVMM", 12);
	for (unsigned i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		leaf(none[i], 0, r);
		assert_int_equal(r[EAX] | r[EBX] | r[ECX] | r[EDX], 0);
	}
	for (uint32_t sub = 0; sub < 70; sub++) {
		leaf(4, sub, r);
		leaf(0xb, sub, r);
		assert_int_equal(r[ECX], sub & 0xff);
		leaf(0xd, sub, r);
		leaf(0x40000003u, sub, r);
	}
	leaf(4, UINT32_MAX, r);
	leaf(0xd, UINT32_MAX, r);
	assert_int_equal(r[EAX] | r[EBX] | r[ECX] | r[EDX], 0);
	leaf(0xd, 0, r);
	assert_int_equal(r[EAX], 7); /* x87 SSE AVX: no 0x200 */
	assert_int_equal(r[EBX], 576);
	assert_int_equal(r[ECX], 832);
	assert_int_equal(cpuid_xcr0_mask(), 7);
	leaf(0xd, 1, r);
	assert_int_equal(r[EAX] & ~7u, 0);
	leaf(0xd, 9, r);
	assert_int_equal(r[EAX] | r[EBX], 0);
	vmm.vcpu[0]->s->xcr0 = 7;
	leaf(0xd, 0, r);
	assert_int_equal(r[EBX], 832);
}

static void xen_leaves(void **state)
{
	uint32_t r[4];

	(void)state;
	leaf(0x40000001u, 0, r);
	assert_int_equal(r[EAX], 0x00040011);
	leaf(0x40000002u, 0, r);
	assert_int_equal(r[EAX], 1);
	assert_int_equal(r[EBX], 0x40000000);
	leaf(0x40000003u, 0, r);
	assert_int_equal(r[ECX], FAKE_TSC_HZ / 1000);
	leaf(0x40000004u, 0, r);
	assert_int_equal(r[ECX], 7);
	assert_int_equal(r[EBX], 0);
}

static void without_xsave(void **state)
{
	uint32_t r[4];

	(void)state;
	fake.no_xsave = true;
	fake_start(1); /* XGETBV would end the fake */
	leaf(1, 0, r);
	assert_int_equal(r[ECX] & (1u << 26 | 1u << 28 | 1u << 12 | 1u << 29), 0);
	leaf(7, 0, r);
	assert_int_equal(r[EBX] & 1u << 5, 0);
	leaf(0xd, 0, r);
	assert_int_equal(r[EAX] | r[EBX] | r[ECX] | r[EDX], 0);
	assert_int_equal(cpuid_xcr0_mask(), 0);
	fake.no_xsave = false;
}

/* A domain whose toolstack has set its policy. */
static struct cpu_policy given;
static int given_error;

static int policy_call(struct message *m, uint64_t label)
{
	uint64_t words[sizeof(given) / 8], first = m->word[0];

	if (label != DOMAIN_VMM_CPU_POLICY)
		return -EPERM;
	if (given_error)
		return given_error;
	assert_true(m->length == 1 && first < sizeof(given) / 8);
	memcpy(words, &given, sizeof(given));
	message_begin(m);
	for (uint64_t i = first; i < sizeof(given) / 8 && i < first + DOMAIN_POLICY_WORDS; i++)
		message_put(m, words[i]);
	message_begin_read(m);
	return 0;
}

static void given_start(void)
{
	fake.call = policy_call;
	fake.start.flags |= VMM_START_BARE;
	cpuid_init();
	fake.start.flags &= ~VMM_START_BARE;
	fake.call = NULL;
}

static void given_make(unsigned without)
{
	uint32_t lost[CPU_POLICY_WORDS];
	struct cpu_policy machine, max;
	struct cpu_policy_error e;

	cpu_policy_machine(&machine, cpu_cpuid);
	cpu_policy_max(&max, &machine, 7);
	given = max;
	*cpu_policy_word(&given, without / 32) &= ~(1u << without % 32);
	assert_int_equal(cpu_policy_fit(&given, &max, &e, lost), 0);
}

static void toolstack(void **state)
{
	uint32_t r[4];

	(void)state;
	given_make(XEN_X86_FEATURE_AVX);
	given.hv_limit = 3;
	memcpy(given.extended[2], "another name", 12);
	given_start();
	leaf(1, 0, r);
	assert_int_equal(r[ECX] & (1u << 28 | 1u << 12 | 1u << 29), 0);
	assert_true(r[ECX] & 1u << 26 && r[ECX] & 1u << 20);
	assert_int_equal(r[EBX] >> 24, vmm.vcpu[0]->lapic.id & 0xffu);
	leaf(7, 0, r);
	assert_int_equal(r[EBX] & 1u << 5, 0);
	assert_true(r[EBX] & 1u << 3);
	assert_int_equal(cpuid_xcr0_mask(), 3);
	assert_int_equal(cpuid_xsave_bytes(1), 576);
	assert_int_equal(cpuid_xsave_bytes(7), 576);
	vmm.vcpu[0]->s->xcr0 = 7;
	leaf(0xd, 0, r);
	assert_int_equal(r[EAX], 3);
	assert_int_equal(r[EBX], 576);
	leaf(0x80000002u, 0, r);
	assert_memory_equal(r, "another name", 12);
	leaf(0x40000000u, 0, r);
	assert_int_equal(r[EAX], 0x40000003);
	leaf(0x40000004u, 0, r);
	assert_int_equal(r[EAX] | r[ECX], 0);
	given_make(XEN_X86_FEATURE_SMEP);
	given_start();
	assert_int_equal(cpuid_cr4_mask() & 3u << 20, 1u << 21);
	given_make(XEN_X86_FEATURE_NX);
	given_start();
	assert_int_equal(cpuid_efer_mask() & 0xd01, 0x501);
	/* nobody has said anything */
	given_error = -ENOENT;
	given_start();
	given_error = 0;
	leaf(0x40000000u, 0, r);
	assert_int_equal(r[EAX], 0x40000005);
	assert_int_equal(cpuid_xcr0_mask(), 7);
	assert_int_equal(cpuid_xsave_bytes(3), 576);
	assert_int_equal(cpuid_xsave_bytes(~0ull), 832);
	assert_true(cpuid_efer_mask() & 1u << 11);
}

static void syscall_bit(void **state)
{
	uint32_t r[4];

	(void)state;
	vmm.vcpu[0]->s->efer = 0x500;
	leaf(0x80000001u, 0, r);
	assert_int_equal(r[EDX] >> 11 & 1, 1);
	vmm.vcpu[0]->s->efer = 0;
	leaf(0x80000001u, 0, r);
	assert_int_equal(r[EDX] >> 11 & 1, !fake.intel);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(features, amd),
		cmocka_unit_test_setup(features, intel),
		cmocka_unit_test_setup(limits, amd),
		cmocka_unit_test_setup(xen_leaves, intel),
		cmocka_unit_test_setup(without_xsave, amd),
		cmocka_unit_test_setup(toolstack, amd),
		cmocka_unit_test_setup(toolstack, intel),
		cmocka_unit_test_setup(syscall_bit, amd),
		cmocka_unit_test_setup(syscall_bit, intel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
