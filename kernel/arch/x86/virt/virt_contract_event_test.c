// links: kernel/arch/x86/smp/smp_fake.c
/* The vendor contract, the same cases on each CPU: injection, windows, NMIs, interrupted deliveries. */
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
	put_long_mode(v);
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
	put_long_mode(v);
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

/* Whether an error code is pushed is the CPU's to say, not the VMM's: real mode has none, others insist on
 * them. */
static void test_error_codes(void **state)
{
	struct vcpu *v = fake_vcpu();
	static const struct {
		unsigned vector;
		bool error;
	} t[] = {{6, false}, {8, true}, {13, true}, {14, true}, {16, false}, {17, true}, {21, false}};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(t); i++) {
		for (unsigned given = 0; given < 2; given++) {
			fake.deliveries = 0;
			put_long_mode(v);
			inject(v, vtx_event_make(3, t[i].vector, given), 0xabcd1234);
			fake_do((struct fake_step){.act = FAKE_CPUID, .length = 2});
			run_expect(v, 10);
			assert_int_equal(fake.delivered[0], vtx_event_make(3, t[i].vector, t[i].error));
			assert_int_equal(fake.delivered_error, t[i].error && given ? 0x1234 : 0);
			fake.steps = fake.done = 0;
		}
	}
	fake.deliveries = 0;
	write_field(v, VTX_FIELD_CR0, 0x10);
	inject(v, vtx_event_make(3, 13, true), 5);
	fake_do((struct fake_step){.act = FAKE_CPUID, .length = 2});
	run_expect(v, 10);
	assert_int_equal(fake.delivered[0], vtx_event_make(3, 13, false));
	fake_vcpu_free(v);
}

/* Something that must go first does not push an interrupt out that waits. */
static void test_interrupt_waits_behind(void **state)
{
	struct vcpu *v = fake_vcpu();

	(void)state;
	put_long_mode(v);
	inject(v, vtx_event_make(0, 0x41, false), 0);
	fake_do((struct fake_step){.act = FAKE_OWN_VIRT, .length = 3});
	fake_do((struct fake_step){.act = FAKE_CPUID, .length = 2});
	run_expect(v, 10);
	assert_int_equal(fake.delivered[0], vtx_event_make(3, 6, false));
	assert_int_equal(fake.deliveries, 1);
	fake_do((struct fake_step){.act = FAKE_STI});
	fake_do((struct fake_step){.act = FAKE_CPUID, .length = 2});
	run_expect(v, 10);
	assert_int_equal(fake.deliveries, 2);
	assert_int_equal(fake.delivered[1], vtx_event_make(0, 0x41, false));
	/* a delivery of the guest's own is interrupted by the host, while one waits */
	put_flags(v, 2, 0);
	inject(v, vtx_event_make(0, 0x42, false), 0);
	fake_do((struct fake_step){.act = FAKE_NOP});
	fake_do((struct fake_step){
	    .act = FAKE_INTERRUPT, .vectoring = vtx_event_make(3, 14, true), .vectoring_error = 6});
	fake_do((struct fake_step){.act = FAKE_STI});
	fake_do((struct fake_step){.act = FAKE_CPUID, .length = 2});
	run_expect(v, 10);
	assert_int_equal(fake.deliveries, 4);
	assert_int_equal(fake.delivered[2], vtx_event_make(3, 14, true));
	assert_int_equal(fake.delivered[3], vtx_event_make(0, 0x42, false));
	assert_int_equal(v->entry_info | v->held_info, 0);
	fake_vcpu_free(v);
}

/* No NMI behind MOV SS or STI: the instruction that follows is executed first. */
static void test_nmi_and_shadow(void **state)
{
	static const uint64_t shadow[] = {VTX_BLOCK_STI, VTX_BLOCK_MOV_SS};
	struct vcpu *v = fake_vcpu();

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		fake.nmi_blocked = false;
		fake.deliveries = fake.steps = fake.done = 0;
		put_flags(v, i ? 2 : 2 | IF, shadow[i]);
		v->primary |= (uint32_t)VTX_PRIMARY_NMI_WINDOW;
		fake_do((struct fake_step){.act = FAKE_NOP});
		run_expect(v, 8);
		assert_int_equal(fake.done, 1);
		assert_int_equal(s.interruptibility, 0);
		assert_int_equal(s.rflags & BIT(8), 0);
		assert_int_equal(s.dr6 & BIT(14), 0);
		v->primary &= ~(uint32_t)VTX_PRIMARY_NMI_WINDOW;
		put_flags(v, i ? 2 : 2 | IF, shadow[i]);
		inject(v, vtx_event_make(2, 2, false), 0);
		fake_do((struct fake_step){.act = FAKE_NOP});
		fake_do((struct fake_step){.act = FAKE_CPUID, .length = 2});
		run_expect(v, 10);
		assert_int_equal(fake.deliveries, 1);
		assert_int_equal(fake.delivered[0], vtx_event_make(2, 2, false));
		/* the instruction that follows comes out itself: nothing of our own step is left */
		put_flags(v, i ? 2 : 2 | IF, shadow[i]);
		v->primary |= (uint32_t)VTX_PRIMARY_NMI_WINDOW;
		fake_do((struct fake_step){.act = FAKE_CPUID, .length = 2});
		run_expect(v, 10);
		assert_int_equal(s.rflags & BIT(8), 0);
		v->primary &= ~(uint32_t)VTX_PRIMARY_NMI_WINDOW;
		put_flags(v, 2, 0);
	}
	fake_vcpu_free(v);
}

/* A VMM that steps over an instruction of a guest that traces itself tells it of the step: pending debug
 * exceptions. */
static void test_pending_step(void **state)
{
	struct vcpu *v = fake_vcpu();

	(void)state;
	put_flags(v, 2 | BIT(8), 0);
	assert_int_equal(write_field(v, VTX_FIELD_PENDING_DEBUG, ~UINT64_C(0)), BIT(14));
	assert_int_equal(read_field(v, VTX_FIELD_PENDING_DEBUG), BIT(14));
	fake_do((struct fake_step){.act = FAKE_CPUID, .length = 2});
	run_expect(v, 10);
	assert_int_equal(fake.deliveries, 1);
	assert_int_equal(fake.delivered[0], vtx_event_make(3, 1, false));
	assert_int_equal(s.dr6 & BIT(14), BIT(14));
	assert_int_equal(read_field(v, VTX_FIELD_PENDING_DEBUG), 0);
	/* one step, and not another */
	fake_do((struct fake_step){.act = FAKE_CPUID, .length = 2});
	put_flags(v, 2, 0);
	run_expect(v, 10);
	assert_int_equal(fake.deliveries, 1);
	/* TF in a shadow is a state that exists */
	put_flags(v, 2 | IF | BIT(8), VTX_BLOCK_STI);
	fake_do((struct fake_step){.act = FAKE_NOP});
	fake_do((struct fake_step){.act = FAKE_CPUID, .length = 2});
	run_expect(v, 10);
	write_field(v, VTX_FIELD_RFLAGS, 2 | IF);
	fake_do((struct fake_step){.act = FAKE_CPUID, .length = 2});
	run_expect(v, 10);
	/* and one that the VMM takes back leaves nothing behind */
	fake.deliveries = 0;
	put_flags(v, 2 | IF | BIT(8), VTX_BLOCK_STI);
	put_flags(v, 2 | IF | BIT(8), VTX_BLOCK_MOV_SS);
	put_flags(v, 2, 0);
	assert_int_equal(read_field(v, VTX_FIELD_PENDING_DEBUG), 0);
	fake_do((struct fake_step){.act = FAKE_CPUID, .length = 2});
	run_expect(v, 10);
	assert_int_equal(fake.deliveries, 0);
	/* what it says itself stays */
	write_field(v, VTX_FIELD_PENDING_DEBUG, BIT(14));
	put_flags(v, 2 | BIT(8), 0);
	fake_do((struct fake_step){.act = FAKE_CPUID, .length = 2});
	run_expect(v, 10);
	assert_int_equal(fake.deliveries, 1);
	assert_int_equal(fake.refused, 0);
	fake_vcpu_free(v);
}

/* INT1 is a trap: its handler returns behind it, or it would be raised for ever. */
static void test_int1(void **state)
{
	struct vcpu *v = fake_vcpu();

	(void)state;
	fake_do((struct fake_step){.act = FAKE_INT1, .length = 1});
	fake_do((struct fake_step){.act = FAKE_CPUID, .length = 2});
	run_expect(v, 10);
	assert_int_equal(fake.deliveries, 1);
	assert_int_equal(fake.delivered[0] & 0xff, 1);
	assert_int_equal(fake.delivered_rip, 0xfff1);
	fake_vcpu_free(v);
}

/* A guest in HLT, whose VMM does not ask for its exit, can get every event. */
static void test_inject_into_halt(void **state)
{
	struct vcpu *v = fake_vcpu();

	(void)state;
	put_long_mode(v);
	write_field(v, VTX_FIELD_PRIMARY, 0);
	fake_do((struct fake_step){.act = FAKE_HLT});
	fake_do((struct fake_step){.act = FAKE_INTERRUPT});
	fake.interrupt = true;
	assert_int_equal(fake_run(v), VIRT_RUN_INTERRUPT);
	inject(v, vtx_event_make(3, 13, true), 0);
	fake_do((struct fake_step){.act = FAKE_CPUID, .length = 2});
	run_expect(v, 10);
	assert_int_equal(fake.delivered[0], vtx_event_make(3, 13, true));
	assert_int_equal(fake.refused, 0);
	fake_vcpu_free(v);
}

int main(void)
{
	const struct contract_case cases[] = {
	    CASE(test_error_codes),    CASE(test_interrupt_waits_behind),
	    CASE(test_nmi_and_shadow), CASE(test_pending_step),
	    CASE(test_int1),	       CASE(test_inject_into_halt),
	    CASE(test_inject),	       CASE(test_inject_waits),
	    CASE(test_inject_refused), CASE(test_interrupted_delivery),
	    CASE(test_window),	       CASE(test_nmi),
	};

	return contract_run(cases, ARRAY_SIZE(cases));
}
