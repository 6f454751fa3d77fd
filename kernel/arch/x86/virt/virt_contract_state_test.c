// links: kernel/arch/x86/smp/smp_fake.c
/* The vendor contract, the same cases on each CPU: guest state in and out, and what is switched beside it. */
// links: kernel/arch/x86/virt/virt_contract_fake.c kernel/arch/x86/virt/virt_fake.c
// links: kernel/arch/x86/virt/virt_guest.c kernel/arch/x86/virt/virt_field.c kernel/arch/x86/virt/virt_tag.c
// links: kernel/arch/x86/virt/virt_tlb_fake.c kernel/arch/x86/virt/svm/svm_check_fake.c
// links: kernel/arch/x86/virt/vmx/vmx_check_fake.c kernel/arch/x86/virt/svm/svm_fake.c kernel/arch/x86/virt/svm/svm.c
// links: kernel/arch/x86/virt/svm/svm_state.c kernel/arch/x86/virt/svm/svm_field.c
// links: kernel/arch/x86/virt/svm/svm_run.c kernel/arch/x86/virt/svm/svm_exit.c
// links: kernel/arch/x86/virt/svm/svm_check.c kernel/arch/x86/virt/svm/svm_cr.c kernel/arch/x86/virt/svm/svm_npt.c
// links: kernel/arch/x86/virt/vmx/vmx_fake.c kernel/arch/x86/virt/vmx/vmx.c
// links: kernel/arch/x86/virt/vmx/vmx_state.c kernel/arch/x86/virt/vmx/vmx_field.c
// links: kernel/arch/x86/virt/vmx/vmx_run.c kernel/arch/x86/virt/vmx/vmx_exit.c
// links: kernel/arch/x86/virt/vmx/vmx_ept.c
#include "arch/x86/virt/virt_contract_fake.h"
#include "arch/x86/virt/svm/svm.h"
#include "arch/x86/virt/virt_guest.h"
#include "arch/x86/virt/vmx/vmx.h"
#include "arch/x86/cpu.h"
#include "object/tcb.h"

static void test_reset(void **state)
{
	struct vcpu *v = fake_vcpu();

	(void)state;
	get(v);
	assert_int_equal(s.rip, 0xfff0);
	assert_int_equal(s.rflags, 2);
	assert_int_equal(s.cr0, 0x10);
	assert_int_equal(s.cr4, 0);
	assert_int_equal(s.efer, 0);
	assert_int_equal(s.seg[INSULA_CS].selector, 0xf000);
	assert_int_equal(s.seg[INSULA_CS].base, 0xffff0000);
	assert_int_equal(s.seg[INSULA_CS].ar, 0x9b);
	assert_int_equal(s.seg[INSULA_TR].ar, 0x8b);
	assert_int_equal(s.seg[INSULA_DS].limit, 0xffff);
	assert_int_equal(s.idtr.limit, 0xffff);
	assert_int_equal(s.pat, 0x0007040600070406);
	assert_int_equal(s.dr6, 0xffff0ff0);
	assert_int_equal(s.dr7, 0x400);
	assert_int_equal(s.xcr0, 1);
	for (unsigned i = 0; i < INSULA_GPR_COUNT; i++)
		if (i != INSULA_RSP_UNUSED)
			assert_int_equal(s.gpr[i], 0);
	fake_do((struct fake_step){.act = FAKE_HLT, .length = 1});
	run_expect(v, 12);
	assert_int_equal(fake.refused, 0);
	fake_vcpu_free(v);
}

static void test_round_trip(void **state)
{
	struct vcpu *v = fake_vcpu();
	struct insula_vcpu_state in;

	(void)state;
	get(v);
	in = s;
	for (unsigned i = 0; i < INSULA_GPR_COUNT; i++)
		in.gpr[i] = 0x1111111100000000u * i;
	in.rip = 0x123456;
	in.rsp = 0xffff800000001000;
	in.rflags = 0x246;
	in.interruptibility = VTX_BLOCK_STI;
	in.cr0 = 0x80050033;
	in.cr3 = 0x7654321000;
	in.cr4 = 0x6a0;
	in.cr2 = 0x999;
	in.efer = 0xd01;
	for (unsigned i = 0; i < INSULA_SEG_COUNT; i++) {
		in.seg[i].selector = (uint16_t)(8 * i);
		in.seg[i].base = 0x100000u * i;
		in.seg[i].limit = 0xffffffff;
		in.seg[i].ar = 0xc093;
	}
	in.seg[INSULA_CS].ar = 0xa09b;
	in.seg[INSULA_LDTR].ar = 0x10000;
	in.seg[INSULA_LDTR].limit = 0;
	in.seg[INSULA_TR].ar = 0x8b;
	in.seg[INSULA_TR].limit = 0x67;
	in.gdtr = (struct insula_segment){.base = 0xffffffff80000000, .limit = 0x7f};
	in.idtr = (struct insula_segment){.base = 0xffffffff80001000, .limit = 0xfff};
	in.star = 0x23001000000000;
	in.lstar = 0xffffffff81000000;
	in.cstar = 0xffffffff81000100;
	in.sfmask = 0x47700;
	in.kernel_gs_base = 0xffff888000000000;
	in.sysenter_cs = 0x10;
	in.sysenter_esp = 0xffff800000002000;
	in.sysenter_eip = 0xffffffff81000200;
	in.pat = 0x0407050600070106;
	in.dr7 = 0x400;
	in.dr6 = 0xffff4ff0;
	in.dr[0] = 1;
	in.dr[3] = 4;
	in.tsc_offset = 0x8000000000000001;
	in.xcr0 = 7;
	in.tsc_aux = 3;
	virt->put(v, ALL_GROUPS, &in);
	get(v);
	in.gpr[INSULA_RSP_UNUSED] = s.gpr[INSULA_RSP_UNUSED];
	assert_memory_equal(s.gpr, in.gpr, sizeof(s) - offsetof(struct insula_vcpu_state, gpr));
	/* and through a run */
	fake_do((struct fake_step){.act = FAKE_CPUID, .length = 2});
	run_expect(v, 10);
	in.gpr[INSULA_RSP_UNUSED] = s.gpr[INSULA_RSP_UNUSED];
	assert_memory_equal(s.gpr, in.gpr, sizeof(s) - offsetof(struct insula_vcpu_state, gpr));
	fake_vcpu_free(v);
}

/* What a hostile VMM writes is made legal, or refused before the CPU sees it. */
static void test_hostile_state(void **state)
{
	struct vcpu *v = fake_vcpu();

	(void)state;
	for (unsigned i = 0; i < 64; i++) {
		get(v);
		memset(&s.rip, i & 1 ? 0xff : 0xa5, sizeof(s) - offsetof(struct insula_vcpu_state, rip));
		s.cr0 = i & 2 ? ~UINT64_C(0) : 0x20000010;
		s.cr4 = i & 4 ? ~UINT64_C(0) : 0;
		s.efer = i & 8 ? ~UINT64_C(0) : 0;
		s.pat = i & 16 ? 0x0202020202020202 : 0x0303030303030303;
		s.dr7 = i & 32 ? ~UINT64_C(0) & ~0xffull : 0;
		virt->put(v, ALL_GROUPS, &s);
		fake_do((struct fake_step){.act = FAKE_CPUID, .length = 2});
		if (fake_run(v) == VIRT_RUN_FAILED) {
			get(v);
			assert_int_equal(s.reason, VTX_REASON_FAILED | 33);
		}
		fake.steps = fake.done = 0;
	}
	get(v);
	assert_int_equal(s.pat, 0x0007040600070406);
	assert_int_equal(s.xcr0, 1);
	assert_true(s.rip != 0xffffffff80100000); /* the fake host's */
	if (is_svm)				  /* the CPU's own checks are not even reached */
		assert_int_equal(fake.refused, 0);
	fake_vcpu_free(v);
}

static void test_refused_entry(void **state)
{
	struct vcpu *v = fake_vcpu();

	(void)state;
	put_long_mode(v);
	s.cr4 = 0;
	virt->put(v, INSULA_VS_CR, &s);
	assert_int_equal(fake_run(v), VIRT_RUN_FAILED);
	get(v);
	assert_int_equal(s.reason, VTX_REASON_FAILED | 33);
	put_long_mode(v);
	fake_do((struct fake_step){.act = FAKE_HLT, .length = 1});
	run_expect(v, 12);
	assert_int_equal(s.efer, 0x500);
	assert_int_equal(fake.entries, 1);
	fake_vcpu_free(v);
}

/* A CPU that refuses although we found nothing: nothing of the host's comes out. */
static void test_unforeseen_refusal(void **state)
{
	struct vcpu *v = fake_vcpu();

	(void)state;
	if (!is_svm) {
		fake_vcpu_free(v);
		return;
	}
	*(uint64_t *)(void *)(v->hw + 0x568) = ~UINT64_C(0); /* DR6 */
	assert_int_equal(fake_run(v), VIRT_RUN_FAILED);
	assert_int_equal(fake.refused, 1);
	get(v);
	assert_int_equal(s.rip, 0xfff0);
	assert_int_equal(s.gpr[INSULA_RAX], 0);
	fake_do((struct fake_step){.act = FAKE_TOUCH});
	fake_do((struct fake_step){.act = FAKE_HLT, .length = 1});
	run_expect(v, 12);
	fake_vcpu_free(v);
}

static void test_switching(void **state)
{
	struct vcpu *v = fake_vcpu();

	(void)state;
	get(v);
	s.xcr0 = 3;
	s.tsc_aux = 9;
	s.pat = 0x0407050600070106;
	s.lstar = 0xffffffff81000000;
	s.kernel_gs_base = 0xffff888000000000;
	virt->put(v, INSULA_VS_CTL | INSULA_VS_MSR, &s);
	fake_do((struct fake_step){.act = FAKE_CPUID, .length = 2});
	run_expect(v, 10); /* fake_run checks that the host has its own again */
	assert_int_equal(s.xcr0, 3);
	assert_int_equal(s.tsc_aux, 9);
	assert_int_equal(s.kernel_gs_base, 0xffff888000000000);
	assert_int_equal(fake.fpu_saves, 2);
	assert_int_equal(fake.fpu_loads, 2);
	/* values that XSETBV refuses */
	s.xcr0 = 4;
	virt->put(v, INSULA_VS_CTL, &s);
	s.xcr0 = 0;
	virt->put(v, INSULA_VS_CTL, &s);
	s.xcr0 = 0x1ff;
	virt->put(v, INSULA_VS_CTL, &s);
	get(v);
	assert_int_equal(s.xcr0, 3);
	fake_vcpu_free(v);
}

/* A guest whose XSETBV did not come out has set what the CPU is left with: the next one still gets its own. */
static void test_xcr0_of_two(void **state)
{
	struct vcpu *a = fake_vcpu(), *b = fake_vcpu();
	struct tcb t = {.fpu_disabled = false};
	struct fpu_state *host = fake.fpu_from;

	(void)state;
	a->xcr0 = b->xcr0 = 3;
	fake.fpu_from = &t.fpu;
	virt_guest_load(a, &t);
	assert_int_equal(fake.xcr0, 3);
	fake.xcr0 = cpu.xcr0;
	virt_guest_unload(a, &t);
	assert_int_equal(a->xcr0, cpu.xcr0);
	virt_guest_load(b, &t);
	assert_int_equal(fake.xcr0, 3);
	virt_guest_unload(b, &t);
	assert_int_equal(b->xcr0, 3);
	assert_int_equal(fake.xcr0, cpu.xcr0);
	fake.fpu_from = host;
	fake_vcpu_free(a);
	fake_vcpu_free(b);
}

int main(void)
{
	const struct contract_case cases[] = {
	    CASE(test_reset),	      CASE(test_round_trip),	     CASE(test_hostile_state),
	    CASE(test_refused_entry), CASE(test_unforeseen_refusal), CASE(test_switching),
	    CASE(test_xcr0_of_two),
	};

	return contract_run(cases, ARRAY_SIZE(cases));
}
