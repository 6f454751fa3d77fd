/* Policies: what a domain may have of a machine, lists of leaves there and back, and what is refused or taken out of one. */
// links: lib/cpu_policy/cpu_policy_max.c
// cflags: -D__XEN_TOOLS__
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "cpu_policy/cpu_policy.h"
#include <xen/arch-x86/cpufeatureset.h>

enum { EAX, EBX, ECX, EDX };

#define NO XEN_CPUID_NO_SUBLEAF
#define F(name) XEN_X86_FEATURE_##name

static bool fake_amd;
static uint32_t fake_basic, fake_extended;
static struct cpu_policy machine, max;

/* A machine that has every feature bit. */
static void fake_cpuid(uint32_t leaf, uint32_t sub, uint32_t r[4])
{
	static const uint32_t size[8] = {0, 0, 256, 64, 64, 64, 512, 1024}, offset[8] = {0, 0, 576, 960, 1024, 1088, 1152, 1664};

	memset(r, 0xff, 16);
	if (leaf == 0) {
		r[EAX] = fake_basic;
		memcpy(&r[EBX], fake_amd ? "AuthcAMDenti" : "GenuntelineI", 12);
	} else if (leaf == CPU_POLICY_EXTENDED_FIRST) {
		r[EAX] = fake_extended;
	} else if (leaf == 1) {
		r[EAX] = 0xf0800f12u;
		r[EBX] = 0x03040807u;
	} else if (leaf == 4) {
		r[EAX] = sub < 4 && !fake_amd ? 0xffffffe0u | (sub + 1) : 0;
	} else if (leaf == 7 && sub == 0) {
		r[EAX] = 9;
	} else if (leaf == 0xb) {
		r[ECX] = sub | (sub < 2 ? sub + 1 : 0) << 8;
	} else if (leaf == 0xd && sub == 0) {
		r[EAX] = 0xffu;
		r[ECX] = 2688;
		r[EDX] = 0;
	} else if (leaf == 0xd && sub == 1) {
		r[ECX] = r[EDX] = 0;
	} else if (leaf == 0xd && sub < 8) {
		r[EAX] = size[sub];
		r[EBX] = offset[sub];
		r[ECX] = 3;
	} else if (leaf == 0x80000008u) {
		r[EAX] = 0x00343030u;
	}
}

static int start(bool amd, uint64_t xcr0)
{
	fake_amd = amd;
	fake_basic = 0x20;
	fake_extended = 0x80000028u;
	cpu_policy_machine(&machine, fake_cpuid);
	cpu_policy_max(&max, &machine, xcr0);
	return 0;
}

static int on_amd(void **state)
{
	(void)state;
	return start(true, 0xe7);
}

static int on_intel(void **state)
{
	(void)state;
	return start(false, 0xe7);
}

static bool has(const struct cpu_policy *p, unsigned feature)
{
	uint32_t words[CPU_POLICY_WORDS];

	cpu_policy_featureset(p, words);
	return words[feature / 32] >> feature % 32 & 1;
}

static struct cpu_policy hidden(unsigned feature)
{
	uint32_t lost[CPU_POLICY_WORDS], none[CPU_POLICY_WORDS] = {0};
	struct cpu_policy p = max;
	struct cpu_policy_error e;

	*cpu_policy_word(&p, feature / 32) &= ~(1u << feature % 32);
	assert_int_equal(cpu_policy_fit(&p, &max, &e, lost), 0);
	assert_memory_equal(lost, none, sizeof(none));
	return p;
}

static void the_machine(void **state)
{
	(void)state;
	assert_int_equal(machine.basic[0][EAX], 0xd);
	assert_int_equal(machine.feature[0][EAX], 2);
	assert_int_equal(machine.extended[0][EAX], 0x80000021u);
	assert_true(has(&machine, F(VMX)) && has(&machine, F(SVM)));
	fake_extended = 0x1234; /* as a CPU answers that has no such leaves */
	fake_basic = 1;
	cpu_policy_machine(&machine, fake_cpuid);
	cpu_policy_max(&max, &machine, 0);
	assert_int_equal(machine.extended[0][EAX], 0x80000000u);
	assert_int_equal(max.basic[0][EAX], 1);
	assert_int_equal(machine.extended[1][EDX] | machine.feature[0][EBX] | machine.xstate[0][EAX] | machine.basic[2][EAX], 0);
	assert_false(has(&max, F(XSAVE)));
}

static void most(void **state)
{
	static const unsigned never[] = {F(VMX), F(SVM), F(MONITOR), F(PCID), F(INVPCID), F(TSC_DEADLINE), F(RTM), F(PKU), F(SGX), F(OSXSAVE), F(XSAVES), F(ITSC), F(ARCH_CAPS), F(IBRSB), F(RDCL_NO),
					 F(CET_SS), F(LFENCE_DISPATCH), F(TOPOEXT)};

	(void)state;
	for (unsigned i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		assert_false(has(&max, never[i]));
	assert_true(has(&max, F(X2APIC)) && has(&max, F(HYPERVISOR)) && has(&max, F(HTT)) && has(&max, F(AVX512_BITALG)) && has(&max, F(SHA)));
	assert_int_equal(max.basic[5][EAX] | max.basic[9][ECX] | max.basic[0xa][EAX] | max.topology[0][EAX] | max.extended[8][EDX] | max.extended[7][EDX], 0);
	assert_int_equal(max.basic[6][EAX], 4);
	assert_int_equal(max.basic[1][EAX], 0x00800f12);
	assert_int_equal(max.basic[1][EBX], 0x00040800);
	assert_int_equal(max.extended[8][EAX], 0x3030);
	assert_int_equal(max.extended[0][EAX], fake_amd ? 0x80000021u : 0x80000008u);
	assert_int_equal(max.cache[0][EAX], fake_amd ? 0 : 0x3e1);
	assert_int_equal(max.xstate[0][EAX], 0xe7);
	assert_int_equal(max.xstate[0][ECX], 2688);
	assert_int_equal(max.xstate[3][EAX], 0);
	/* it is its own best: nothing is lost or changed */
	{
		struct cpu_policy p = hidden(F(VMX));

		assert_memory_equal(&p, &max, sizeof(p));
	}
}

static void states_of_the_kernel(void **state)
{
	(void)state;
	start(true, 7);
	assert_true(has(&max, F(AVX2)) && !has(&max, F(AVX512F)) && !has(&max, F(AVX512_VBMI)));
	assert_int_equal(max.xstate[0][ECX], 832);
	start(true, 3);
	assert_true(has(&max, F(XSAVE)) && !has(&max, F(AVX)) && !has(&max, F(VAES)) && !has(&max, F(FMA)));
	start(true, 0);
	assert_false(has(&max, F(XSAVE)) || has(&max, F(AVX)) || has(&max, F(XSAVEOPT)));
	assert_int_equal(max.xstate[0][EAX] | max.xstate[1][EAX] | max.xstate[2][EAX], 0);
}

static void what_is_hidden(void **state)
{
	struct cpu_policy p;

	(void)state;
	p = hidden(F(SSE4_2));
	assert_true(!has(&p, F(SSE4_2)) && has(&p, F(SSE4_1)) && has(&p, F(AVX)));
	p = hidden(F(AVX2));
	assert_true(has(&p, F(AVX)) && !has(&p, F(AVX2)) && !has(&p, F(AVX512BW)) && !has(&p, F(VPCLMULQDQ)));
	assert_int_equal(p.xstate[0][EAX], 7);
	assert_int_equal(p.xstate[0][ECX], 832);
	assert_int_equal(p.xstate[5][EAX] | p.xstate[7][EAX], 0);
	p = hidden(F(XSAVE));
	assert_true(!has(&p, F(AVX)) && !has(&p, F(XSAVEC)));
	assert_int_equal(p.xstate[0][EAX] | p.xstate[0][ECX] | p.xstate[1][EAX], 0);
	/* a chain from its beginning to its end */
	p = hidden(F(FXSR));
	assert_false(has(&p, F(SSE)) || has(&p, F(SSE4_2)) || has(&p, F(LM)) || has(&p, F(CX16)) || has(&p, F(PAGE1GB)));
	assert_int_equal(p.extended[8][EAX] >> 8, 32);
	p = hidden(F(PAE));
	assert_false(has(&p, F(NX)) || has(&p, F(LM)));
	assert_int_equal(p.extended[8][EAX] & 0xff, 0x30);
	/* AMD repeats leaf 1 */
	p = hidden(F(CMOV));
	assert_int_equal(p.extended[1][EDX] & 1u << 15, 0);
	assert_int_equal(max.extended[1][EDX] >> 15 & 1, fake_amd);
}

static void limits(void **state)
{
	uint32_t lost[CPU_POLICY_WORDS];
	struct cpu_policy p = max;
	struct cpu_policy_error e;

	(void)state;
	p.basic[0][EAX]++;
	assert_int_equal(cpu_policy_fit(&p, &max, &e, lost), -EINVAL);
	assert_true(e.leaf == 0 && e.subleaf == NO && e.msr == ~0u);
	p = max;
	p.feature[0][EAX]++;
	assert_int_equal(cpu_policy_fit(&p, &max, &e, lost), -EINVAL);
	assert_true(e.leaf == 7 && e.subleaf == 0 && e.msr == ~0u);
	p = max;
	p.extended[0][EAX]++;
	assert_int_equal(cpu_policy_fit(&p, &max, &e, lost), -EINVAL);
	assert_true(e.leaf == 0x80000000u && e.subleaf == NO && e.msr == ~0u);
	p = max;
	p.platform_info = 1u << 30;
	assert_int_equal(cpu_policy_fit(&p, &max, &e, lost), -EINVAL);
	assert_true(e.leaf == ~0u && e.subleaf == ~0u && e.msr == 0xce);
	p = max;
	p.basic[0][EDX] ^= 1;
	assert_int_equal(cpu_policy_fit(&p, &max, &e, lost), -EINVAL);
	assert_int_equal(e.leaf, 0);
	/* AMD's last leaf, of a machine that ends before it */
	fake_extended = fake_amd ? 0x8000001eu : 0x80000006u;
	cpu_policy_machine(&machine, fake_cpuid);
	cpu_policy_max(&max, &machine, 0xe7);
	assert_int_equal(max.extended[0][EAX], fake_extended);
	p = max;
	p.extended[0][EAX] = 0x80000021u;
	assert_int_equal(cpu_policy_fit(&p, &max, &e, lost), fake_amd ? 0 : -EINVAL);
	assert_int_equal(p.extended[0][EAX], 0x80000021u);
	start(fake_amd, 0xe7);
	/* fewer: what is beyond is gone */
	p = max;
	p.basic[0][EAX] = 6;
	p.extended[0][EAX] = 0x80000001u;
	assert_int_equal(cpu_policy_fit(&p, &max, &e, lost), 0);
	assert_int_equal(p.feature[0][EBX] | p.xstate[0][EAX] | p.extended[2][EAX] | p.extended[8][EAX], 0);
	assert_false(has(&p, F(XSAVE)) || has(&p, F(AVX)));
	p.basic[0][EAX] = p.extended[0][EAX] = 0;
	assert_int_equal(cpu_policy_fit(&p, &max, &e, lost), 0);
	assert_int_equal(p.basic[1][EAX] | p.basic[1][EDX] | p.extended[1][EDX], 0);
	assert_int_equal(p.extended[0][EAX], 0x80000000u);
}

static void too_much(void **state)
{
	uint32_t lost[CPU_POLICY_WORDS], words[CPU_POLICY_WORDS], none[CPU_POLICY_WORDS] = {0};
	struct cpu_policy p = machine;
	struct cpu_policy_error e;

	(void)state;
	p.extended[0][EAX] = max.extended[0][EAX];
	p.arch_capabilities[0] = 1;
	assert_int_equal(cpu_policy_fit(&p, &max, &e, lost), 0);
	assert_true(lost[0] & 1u << 21 && lost[1] & 1u << 5 && lost[5] & 1u << 10 && lost[16] == 1);
	assert_int_equal(lost[0] & max.basic[1][EDX], 0);
	cpu_policy_featureset(&p, words);
	for (unsigned i = 0; i < CPU_POLICY_WORDS; i++)
		assert_int_equal(words[i] & lost[i], 0);
	assert_int_equal(p.basic[5][EAX] | p.basic[0xa][EAX] | p.topology[0][EBX] | p.arch_capabilities[0], 0);
	assert_int_equal(p.xstate[0][EAX], 0xe7);
	/* the toolstack's: topology, and names */
	p = max;
	p.extended[1][ECX] |= 2;
	p.basic[1][EBX] = 0xff08ffffu;
	memset(p.extended[2], 'x', 48);
	assert_int_equal(cpu_policy_fit(&p, &max, &e, lost), 0);
	assert_memory_equal(lost, none, sizeof(none));
	assert_int_equal(p.extended[1][ECX] & 2, 2);
	assert_int_equal(p.basic[1][EBX], 0x00080800);
	assert_memory_equal(p.extended[4], "xxxxxxxxxxxxxxxx", 16);
}

static void lists(void **state)
{
	xen_cpuid_leaf_t leaf[CPU_POLICY_LEAVES];
	xen_msr_entry_t msr[CPU_POLICY_MSRS];
	struct cpu_policy_error e;
	struct cpu_policy p;
	uint32_t n = cpu_policy_leaves(&max, leaf);

	(void)state;
	for (uint32_t i = 1; i < n; i++)
		assert_true(leaf[i].leaf > leaf[i - 1].leaf || (leaf[i].leaf == leaf[i - 1].leaf && leaf[i].subleaf > leaf[i - 1].subleaf));
	cpu_policy_msrs(&max, msr);
	memset(&p, 0, sizeof(p));
	assert_int_equal(cpu_policy_merge(&p, leaf, n, msr, CPU_POLICY_MSRS, &e), 0);
	assert_memory_equal(&p, &max, sizeof(p));
	/* a policy that uses all the room has as many as a list may have */
	memset(&p, 0xff, sizeof(p));
	assert_int_equal(cpu_policy_leaves(&p, leaf), CPU_POLICY_LEAVES);
	memset(&p, 0, sizeof(p));
	assert_int_equal(cpu_policy_leaves(&p, leaf), 4); /* 0, Xen's, Viridian's, 0x80000000 */
}

static void bad_lists(void **state)
{
	static const struct {
		uint32_t leaf, subleaf;
	} none[] = {{0xe, NO}, {0, 0}, {1, 0}, {4, 6}, {4, NO}, {7, 3}, {7, NO}, {0xb, 2}, {0xb, NO}, {0xd, 63}, {0xd, NO}, {0x1f, NO}, {0x40000000u, 0}, {0x40000001u, NO}, {0x40000100u, 1},
		    {0x7fffffffu, NO}, {0x80000000u, 0}, {0x80000022u, NO}, {0xffffffffu, NO}};
	xen_cpuid_leaf_t leaf[2] = {{.leaf = 1, .subleaf = NO, .a = 1}, {.leaf = 1, .subleaf = NO, .a = 2}};
	xen_msr_entry_t msr = {.idx = 0xce};
	struct cpu_policy p = max;
	struct cpu_policy_error e;

	(void)state;
	assert_int_equal(cpu_policy_merge(&p, leaf, 2, NULL, 0, &e), 0);
	assert_int_equal(p.basic[1][EAX], 2);
	assert_int_equal(cpu_policy_merge(&p, leaf, CPU_POLICY_LEAVES + 1, NULL, 0, &e), -E2BIG);
	assert_int_equal(cpu_policy_merge(&p, NULL, 0, &msr, CPU_POLICY_MSRS + 1, &e), -E2BIG);
	for (unsigned i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		leaf[1].leaf = none[i].leaf;
		leaf[1].subleaf = none[i].subleaf;
		assert_int_equal(cpu_policy_merge(&p, leaf, 2, &msr, 1, &e), -ERANGE);
		assert_true(e.leaf == none[i].leaf && e.subleaf == none[i].subleaf && e.msr == ~0u);
	}
	leaf[1] = (xen_cpuid_leaf_t){.leaf = 0x40000000u, .subleaf = NO, .a = 0x12345603u};
	assert_int_equal(cpu_policy_merge(&p, leaf, 2, &msr, 1, &e), 0);
	assert_int_equal(p.hv_limit, 3);
	msr.val = 1ull << 32;
	assert_int_equal(cpu_policy_merge(&p, leaf, 2, &msr, 1, &e), -EOVERFLOW);
	assert_true(e.leaf == ~0u && e.msr == 0xce);
	msr = (xen_msr_entry_t){.idx = 0x10a, .flags = 1};
	assert_int_equal(cpu_policy_merge(&p, leaf, 2, &msr, 1, &e), -EINVAL);
	assert_int_equal(e.msr, 0x10a);
	msr = (xen_msr_entry_t){.idx = 0x10, .val = 1};
	assert_int_equal(cpu_policy_merge(&p, leaf, 2, &msr, 1, &e), -ERANGE);
	assert_int_equal(e.msr, 0x10);
	msr = (xen_msr_entry_t){.idx = 0x10a, .val = 0x0000000500000003ull};
	assert_int_equal(cpu_policy_merge(&p, leaf, 2, &msr, 1, &e), 0);
	assert_true(p.arch_capabilities[0] == 3 && p.arch_capabilities[1] == 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_machine, on_amd),
		cmocka_unit_test_setup(most, on_amd),
		cmocka_unit_test_setup(most, on_intel),
		cmocka_unit_test(states_of_the_kernel),
		cmocka_unit_test_setup(what_is_hidden, on_amd),
		cmocka_unit_test_setup(what_is_hidden, on_intel),
		cmocka_unit_test_setup(limits, on_amd),
		cmocka_unit_test_setup(limits, on_intel),
		cmocka_unit_test_setup(too_much, on_amd),
		cmocka_unit_test_setup(too_much, on_intel),
		cmocka_unit_test_setup(lists, on_amd),
		cmocka_unit_test_setup(lists, on_intel),
		cmocka_unit_test_setup(bad_lists, on_amd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
