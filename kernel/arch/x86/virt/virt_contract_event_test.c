// links: kernel/arch/x86/smp/smp_fake.c
/* The vendor contract, the same cases on each CPU: injection, windows, NMIs, interrupted deliveries. */
// links: kernel/arch/x86/virt/virt_contract_fake.c kernel/arch/x86/virt/virt_fake.c
// links: kernel/arch/x86/virt/virt_guest.c kernel/arch/x86/virt/virt_tag.c
// links: kernel/arch/x86/virt/svm/svm_fake.c kernel/arch/x86/virt/svm/svm.c
// links: kernel/arch/x86/virt/svm/svm_state.c kernel/arch/x86/virt/svm/svm_field.c
// links: kernel/arch/x86/virt/svm/svm_run.c kernel/arch/x86/virt/svm/svm_exit.c
// links: kernel/arch/x86/virt/svm/svm_check.c kernel/arch/x86/virt/svm/svm_npt.c
// links: kernel/arch/x86/virt/vmx/vmx_fake.c kernel/arch/x86/virt/vmx/vmx.c
// links: kernel/arch/x86/virt/vmx/vmx_state.c kernel/arch/x86/virt/vmx/vmx_field.c
// links: kernel/arch/x86/virt/vmx/vmx_run.c kernel/arch/x86/virt/vmx/vmx_exit.c
// links: kernel/arch/x86/virt/vmx/vmx_ept.c
#include "arch/x86/virt/virt_contract_fake.h"

static void test_inject(void **state)
{
	struct vcpu *v = fake_vcpu();

	(void)state;
	put_flags(v, 2 | IF, 0);
	inject(v, vtx_event_make(0, 0x41, false), 0);
	fake_do((struct fake_step){.act = FAKE_HLT, .length = 1});
	run_expect(v, 12);
	assert_int_equal(fake.deliveries, 1);
	assert_int_equal(fake.delivered[0], vtx_event_make(0, 0x41, false));
	assert_int_equal(v->entry_info, 0);
	inject(v, vtx_event_make(3, 14, true), 0x12);
	fake_do((struct fake_step){.act = FAKE_HLT, .length = 1});
	run_expect(v, 12);
	assert_int_equal(fake.delivered[1], vtx_event_make(3, 14, true));
	assert_int_equal(fake.delivered_error, 0x12);
	/* a software interrupt's return address lies behind it */
	inject(v, vtx_event_make(4, 0x80, false), 0);
	v->entry_length = 2;
	get(v);
	fake_do((struct fake_step){.act = FAKE_HLT, .length = 1});
	run_expect(v, 12);
	assert_int_equal(fake.delivered[2], vtx_event_make(4, 0x80, false));
	assert_int_equal(fake.delivered_rip, 0xfff2);
	fake_vcpu_free(v);
}

static void test_inject_waits(void **state)
{
	struct vcpu *v = fake_vcpu();

	(void)state;
	put_flags(v, 2, 0);
	inject(v, vtx_event_make(0, 0x41, false), 0);
	fake_do((struct fake_step){.act = FAKE_CPUID, .length = 2});
	run_expect(v, 10);
	assert_int_equal(fake.deliveries, 0);
	assert_int_equal(v->entry_info, vtx_event_make(0, 0x41, false));
	fake_do((struct fake_step){.act = FAKE_STI});
	fake_do((struct fake_step){.act = FAKE_HLT, .length = 1});
	run_expect(v, 12);
	assert_int_equal(fake.deliveries, 1);
	assert_int_equal(v->entry_info, 0);
	/* an interrupt of the host's in between changes nothing */
	put_flags(v, 2 | IF, VTX_BLOCK_STI);
	inject(v, vtx_event_make(0, 0x42, false), 0);
	fake_do((struct fake_step){.act = FAKE_INTERRUPT});
	fake.interrupt = true;
	assert_int_equal(fake_run(v), VIRT_RUN_INTERRUPT);
	assert_int_equal(v->entry_info, vtx_event_make(0, 0x42, false));
	fake_vcpu_free(v);
}

static void test_inject_refused(void **state)
{
	static const uint64_t bad[] = {
	    0x80000120, 0x80000720, 0x800003ff, 0x8000031f, 0x80000302, 0x80000605, 0x80000500,
	};
	struct vcpu *v = fake_vcpu();

	(void)state;
	for (unsigned i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		inject(v, bad[i], 0);
		assert_int_equal(fake_run(v), VIRT_RUN_FAILED);
		get(v);
		assert_int_equal(s.reason, VTX_REASON_FAILED | 33);
		assert_int_equal(v->entry_info, 0);
	}
	assert_int_equal(fake.refused, 0);
	fake_do((struct fake_step){.act = FAKE_HLT, .length = 1});
	run_expect(v, 12);
	assert_int_equal(fake.deliveries, 0);
	fake_vcpu_free(v);
}

/* A delivery that does not come to its end is reported, or starts again if the kernel has the exit. */
static void test_interrupted_delivery(void **state)
{
	struct vcpu *v = fake_vcpu();

	(void)state;
	put_flags(v, 2 | IF, 0);
	inject(v, vtx_event_make(0, 0x41, false), 0);
	if (fake.svm_virq) /* the fake takes V_IRQ by itself: the guest's own delivery stands for it */
		v->entry_info = 0;
	fake_do((struct fake_step){
	    .act = FAKE_WRITE_GPA, .gpa = 0x9000, .vectoring = vtx_event_make(0, 0x41, false)});
	run_expect(v, 48);
	assert_int_equal(s.idt_vectoring, vtx_event_make(0, 0x41, false));
	assert_int_equal(v->entry_info, 0);
	fake_do((struct fake_step){.act = FAKE_READ_GPA,
				   .gpa = 0x9000,
				   .vectoring = vtx_event_make(3, 13, true),
				   .vectoring_error = 0x28});
	run_expect(v, 48);
	assert_int_equal(s.idt_vectoring, vtx_event_make(3, 13, true));
	assert_int_equal(s.idt_vectoring_error, 0x28);
	/* what an instruction raised is raised again by it */
	fake_do((struct fake_step){
	    .act = FAKE_READ_GPA, .gpa = 0x9000, .vectoring = vtx_event_make(4, 0x80, false)});
	run_expect(v, 48);
	assert_int_equal(s.idt_vectoring, 0);
	/* the host's interrupt */
	fake_do((struct fake_step){
	    .act = FAKE_INTERRUPT, .vectoring = vtx_event_make(3, 14, true), .vectoring_error = 2});
	fake.interrupt = true;
	assert_int_equal(fake_run(v), VIRT_RUN_INTERRUPT);
	fake_do((struct fake_step){.act = FAKE_HLT, .length = 1});
	run_expect(v, 12);
	assert_int_equal(fake.delivered[fake.deliveries - 1], vtx_event_make(3, 14, true));
	assert_int_equal(fake.delivered_error, 2);
	fake_vcpu_free(v);
}

static void test_window(void **state)
{
	struct vcpu *v = fake_vcpu();

	(void)state;
	v->primary |= (uint32_t)VTX_PRIMARY_INTERRUPT_WINDOW;
	put_flags(v, 2 | IF, 0);
	run_expect(v, 7);
	put_flags(v, 2, 0);
	fake_do((struct fake_step){.act = FAKE_CPUID, .length = 2});
	run_expect(v, 10);
	fake_do((struct fake_step){.act = FAKE_STI});
	run_expect(v, 7);
	/* behind an injected one */
	put_flags(v, 2 | IF, 0);
	inject(v, vtx_event_make(0, 0x41, false), 0);
	fake_do((struct fake_step){.act = FAKE_IRET});
	run_expect(v, 7);
	assert_int_equal(fake.deliveries, 1);
	/* both wanted while the guest can take none: the window comes first, or behind the interrupt's
	 * handler */
	put_flags(v, 2, 0);
	inject(v, vtx_event_make(0, 0x42, false), 0);
	fake_do((struct fake_step){.act = FAKE_IRET});
	fake_do((struct fake_step){.act = FAKE_IRET});
	for (unsigned i = 0; i < 3 && (fake_run(v) != VIRT_RUN_EXIT || fake.deliveries == 1); i++)
		fake.interrupt = false; /* where V_IRQ injects, the window may have to wait for the next exit
					   of any kind */
	assert_int_equal(v->exit.reason, 7);
	assert_int_equal(fake.deliveries, 2);
	assert_int_equal(fake.delivered[1], vtx_event_make(0, 0x42, false));
	/* no more: none */
	v->primary &= ~(uint32_t)VTX_PRIMARY_INTERRUPT_WINDOW;
	put_flags(v, 2, 0);
	fake_do((struct fake_step){.act = FAKE_STI});
	fake_do((struct fake_step){.act = FAKE_HLT, .length = 1});
	run_expect(v, 12);
	fake_vcpu_free(v);
}

static void test_nmi(void **state)
{
	struct vcpu *v = fake_vcpu();

	(void)state;
	inject(v, vtx_event_make(2, 2, false), 0);
	fake_do((struct fake_step){.act = FAKE_CPUID, .length = 2});
	run_expect(v, 10);
	assert_int_equal(fake.deliveries, 1);
	assert_int_equal(s.interruptibility & VTX_BLOCK_NMI, VTX_BLOCK_NMI);
	/* the next waits for the handler's IRET, and is not lost */
	inject(v, vtx_event_make(2, 2, false), 0);
	fake_do((struct fake_step){.act = FAKE_CPUID, .length = 2});
	run_expect(v, 10);
	assert_int_equal(fake.deliveries, 1);
	fake_do((struct fake_step){.act = FAKE_IRET});
	fake_do((struct fake_step){.act = FAKE_HLT, .length = 1});
	run_expect(v, 12);
	assert_int_equal(fake.deliveries, 2);
	assert_int_equal(s.rflags & BIT(8), 0);
	assert_int_equal(s.dr6 & BIT(14), 0);
	/* the window */
	v->primary |= (uint32_t)VTX_PRIMARY_NMI_WINDOW;
	fake_do((struct fake_step){.act = FAKE_IRET});
	run_expect(v, 8);
	assert_int_equal(s.interruptibility & VTX_BLOCK_NMI, 0);
	run_expect(v, 8); /* still open */
	fake_vcpu_free(v);
}

int main(void)
{
	const struct contract_case cases[] = {
	    CASE(test_inject),	       CASE(test_inject_waits),
	    CASE(test_inject_refused), CASE(test_interrupted_delivery),
	    CASE(test_window),	       CASE(test_nmi),
	};

	return contract_run(cases, ARRAY_SIZE(cases));
}
