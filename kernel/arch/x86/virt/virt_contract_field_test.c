// links: kernel/arch/x86/smp/smp_fake.c
/* The vendor contract, the same cases on each CPU: VMCS fields and MSRs. */
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
#include "arch/x86/virt/vmx/vmx.h"

static void test_fields(void **state)
{
	static const uint32_t refused[] = {0x0000, 0x0c00, 0x0c0c, 0x2000, 0x2002, 0x2004, 0x2006,    0x2012,
					   0x201a, 0x2c00, 0x2c02, 0x4010, 0x4014, 0x4c00, 0x6c00,    0x6c02,
					   0x6c08, 0x6c14, 0x6c16, 0x7ffe, 0x0801, 0x0810, 0xffffffff};
	static const uint32_t exits[] = {0x2400, 0x4402, 0x4404, 0x4408, 0x440c, 0x6400, 0x640a};
	struct vcpu *v = fake_vcpu();
	uint64_t value;

	(void)state;
	for (unsigned i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		value = 1;
		assert_false(virt->read_field(v, refused[i], &value));
		assert_false(virt->write_field(v, refused[i], &value));
	}
	for (unsigned i = 0; i < sizeof(exits) / sizeof(*exits); i++) {
		value = 1;
		assert_true(virt->read_field(v, exits[i], &value));
		assert_false(virt->write_field(v, exits[i], &value));
	}
	assert_int_equal(write_field(v, VTX_FIELD_RIP, 0x1234), 0x1234);
	assert_int_equal(read_field(v, VTX_FIELD_RIP), 0x1234);
	assert_int_equal(write_field(v, VTX_FIELD_ES_SELECTOR + 2 * INSULA_TR, 0x30), 0x30);
	assert_int_equal(write_field(v, VTX_FIELD_ES_BASE + 2 * INSULA_CS, 0x4000), 0x4000);
	assert_int_equal(write_field(v, VTX_FIELD_ES_AR + 2 * INSULA_CS, 0x209b), 0x209b);
	assert_int_equal(write_field(v, VTX_FIELD_GDTR_LIMIT, 0xffffffff), 0xffff);
	assert_int_equal(write_field(v, VTX_FIELD_TSC_OFFSET, 77), 77);
	assert_int_equal(write_field(v, VTX_FIELD_CR4, 0x6a0), 0x6a0);
	assert_int_equal(write_field(v, VTX_FIELD_CR0, 0x80000011), 0x80000011);
	assert_int_equal(write_field(v, VTX_FIELD_EFER, 0x100), 0x500); /* LMA follows */
	assert_int_equal(read_field(v, VTX_FIELD_ENTRY_CONTROLS) & VTX_ENTRY_LONG_MODE, VTX_ENTRY_LONG_MODE);
	assert_int_equal(write_field(v, VTX_FIELD_PRIMARY, 0), VTX_PRIMARY_FORCED);
	assert_int_equal(write_field(v, VTX_FIELD_PRIMARY, 0xffffffff),
			 VTX_PRIMARY_FORCED | VTX_PRIMARY_FREE);
	assert_int_equal(write_field(v, VTX_FIELD_PIN, 0), VTX_PIN_VALUE);
	assert_int_equal(write_field(v, VTX_FIELD_SECONDARY, 0), VTX_SECONDARY_VALUE);
	assert_int_equal(write_field(v, VTX_FIELD_SECONDARY, ~UINT64_C(0)),
			 VTX_SECONDARY_VALUE | (fake.pause_loop ? VTX_SECONDARY_PAUSE_LOOP : 0));
	assert_int_equal(write_field(v, VTX_FIELD_VMCS_LINK, 0), ~UINT64_C(0));
	assert_int_equal(write_field(v, VTX_FIELD_PAT, 0x0202020202020202), 0x0007040600070406);
	assert_int_equal(write_field(v, VTX_FIELD_EXCEPTIONS, 0xffffffff), 0xfffbfffb);
	assert_int_equal(write_field(v, VTX_FIELD_CR0_MASK, 1), 1);
	assert_int_equal(read_field(v, VTX_FIELD_CR0_MASK), 1);
	fake_vcpu_free(v);
}

/*
 * The allow-list, field by field: what a VMM reads back of ones and of zeros that it wrote. Every number that
 * is not here is refused, for reading and for writing; the list is the same on both vendors, but for SVM's
 * lack of PDPTEs.
 */
enum field_kind {
	FIELD_WRITE, /* reads back `ones` and `zeros` */
	FIELD_FIXED, /* can be written, and stays `zeros` */
	FIELD_EXIT,  /* read only */
	FIELD_PDPTE,
};
#define CANONICAL ~UINT64_C(0)
#define WORD	  UINT64_C(0xffffffff)
static const struct field_row {
	uint32_t field, count; /* in steps of 2 */
	enum field_kind kind;
	uint64_t ones, zeros;
} field_table[] = {
    {VTX_FIELD_ES_SELECTOR, 8, FIELD_WRITE, 0xffff, 0},
    {VTX_FIELD_TSC_OFFSET, 1, FIELD_WRITE, ~UINT64_C(0), 0},
    {VTX_FIELD_GPA, 1, FIELD_EXIT, 0, 0},
    {VTX_FIELD_VMCS_LINK, 1, FIELD_FIXED, 0, ~UINT64_C(0)},
    {VTX_FIELD_DEBUGCTL, 1, FIELD_FIXED, 0, 0},
    {VTX_FIELD_PAT, 1, FIELD_WRITE, 0, 0}, /* 0xff is no memory type: the old ones */
    {VTX_FIELD_EFER, 1, FIELD_WRITE, 0x901, 0},
    {VTX_FIELD_PERF_GLOBAL, 1, FIELD_FIXED, 0, 0},
    {VTX_FIELD_PDPTE0, 4, FIELD_PDPTE, 0xfffffffe19, 0},
    {VTX_FIELD_PIN, 1, FIELD_FIXED, 0, VTX_PIN_VALUE},
    {VTX_FIELD_PRIMARY, 1, FIELD_WRITE, VTX_PRIMARY_FORCED | VTX_PRIMARY_FREE, VTX_PRIMARY_FORCED},
    {VTX_FIELD_EXCEPTIONS, 1, FIELD_WRITE, 0xfffbfffb, 0},
    {VTX_FIELD_PF_MASK, 4, FIELD_FIXED, 0, 0}, /* PF_MATCH, CR3_TARGETS; then the exit controls */
    {VTX_FIELD_ENTRY_CONTROLS, 1, FIELD_FIXED, 0, VTX_ENTRY_VALUE},
    {VTX_FIELD_ENTRY_INFO, 1, FIELD_WRITE, VTX_EVENT_MASK, 0},
    {VTX_FIELD_ENTRY_ERROR, 1, FIELD_WRITE, WORD, 0},
    {VTX_FIELD_ENTRY_LENGTH, 1, FIELD_WRITE, 15, 0},
    {VTX_FIELD_TPR_THRESHOLD, 1, FIELD_FIXED, 0, 0},
    {VTX_FIELD_SECONDARY, 1, FIELD_WRITE, VTX_SECONDARY_VALUE | VTX_SECONDARY_PAUSE_LOOP, VTX_SECONDARY_VALUE},
    {VTX_FIELD_INSTRUCTION_ERROR, 8, FIELD_EXIT, 0, 0}, /* .. EXIT_INSTRUCTION */
    {VTX_FIELD_ES_LIMIT, 8, FIELD_WRITE, WORD, 0},
    {VTX_FIELD_GDTR_LIMIT, 2, FIELD_WRITE, 0xffff, 0},
    {VTX_FIELD_ES_AR, 8, FIELD_WRITE, ~UINT64_C(0), ~UINT64_C(0)}, /* see test_field_rights */
    {VTX_FIELD_INTERRUPTIBILITY, 1, FIELD_WRITE, VTX_BLOCK_MOV_SS | VTX_BLOCK_NMI, 0},
    {VTX_FIELD_ACTIVITY, 2, FIELD_FIXED, 0, 0}, /* SMBASE */
    {VTX_FIELD_SYSENTER_CS, 1, FIELD_WRITE, WORD, 0},
    {VTX_FIELD_PREEMPTION_TIMER, 1, FIELD_FIXED, 0, 0},
    {VTX_FIELD_CR0_MASK, 4, FIELD_WRITE, ~UINT64_C(0), 0}, /* CR4_MASK, CR0_SHADOW, CR4_SHADOW */
    {VTX_FIELD_QUALIFICATION, 6, FIELD_EXIT, 0, 0},	   /* IO_RCX .. RIP, GLA */
    {VTX_FIELD_CR0, 1, FIELD_WRITE, 0xe005003f, 0x10},
    {VTX_FIELD_CR3, 1, FIELD_WRITE, 0xffffffffff, 0},
    {VTX_FIELD_CR4, 1, FIELD_WRITE, 0x3507ff, 0},	/* and PCIDE: the fake with SVM has none */
    {VTX_FIELD_ES_BASE, 10, FIELD_WRITE, CANONICAL, 0}, /* GDTR_BASE, IDTR_BASE */
    {VTX_FIELD_DR7, 1, FIELD_WRITE, 0xffff2fff, 0x400},
    {VTX_FIELD_RSP, 2, FIELD_WRITE, ~UINT64_C(0), 0}, /* RIP */
    {VTX_FIELD_RFLAGS, 1, FIELD_WRITE, 0x3f7fd7, 2},
    {VTX_FIELD_PENDING_DEBUG, 1, FIELD_WRITE, BIT(14), 0},
    {VTX_FIELD_SYSENTER_ESP, 2, FIELD_WRITE, CANONICAL, 0},
};

static const struct field_row *field_row(uint32_t field)
{
	for (unsigned i = 0; i < ARRAY_SIZE(field_table); i++)
		if (!(field & 1) && field >= field_table[i].field &&
		    field < field_table[i].field + 2 * field_table[i].count)
			return &field_table[i];
	return NULL;
}

static void check_field(struct vcpu *v, const struct field_row *r, uint32_t field)
{
	bool rights = r->field == VTX_FIELD_ES_AR;
	uint64_t fixed = field == VTX_FIELD_EXIT_CONTROLS ? VTX_EXIT_VALUE : r->zeros, value;
	uint64_t ones_read = r->ones | (field == VTX_FIELD_CR4 && !is_svm ? BIT(17) : 0);

	if (field == VTX_FIELD_SECONDARY && !fake.pause_loop)
		ones_read &= ~VTX_SECONDARY_PAUSE_LOOP;

	put_flags(v, 2, 0); /* a shadow with TF set has a word in what is pending */
	switch (r->kind) {
	case FIELD_WRITE:
		for (unsigned ones = 0; ones < 2; ones++) {
			value = write_field(v, field, ones ? ~UINT64_C(0) : 0);
			if (!rights)
				assert_int_equal(value, ones ? ones_read : r->zeros);
			assert_int_equal(read_field(v, field), value);
		}
		break;
	case FIELD_FIXED:
		assert_int_equal(read_field(v, field), fixed);
		assert_int_equal(write_field(v, field, ~UINT64_C(0)), fixed);
		assert_int_equal(write_field(v, field, 0), fixed);
		break;
	case FIELD_EXIT:
		read_field(v, field);
		value = 0;
		assert_false(virt->write_field(v, field, &value));
		break;
	case FIELD_PDPTE:
		assert_int_equal(write_field(v, field, ~UINT64_C(0)), is_svm ? 0 : r->ones);
		assert_int_equal(write_field(v, field, 0), 0);
		break;
	}
}

static void test_allow_list(void **state)
{
	struct vcpu *v = fake_vcpu();
	uint64_t value;

	(void)state;
	for (uint32_t field = 0; field < 0x10000; field++)
		if (field_row(field))
			check_field(v, field_row(field), field);
	for (uint32_t field = 0; field < 0x20000; field++) {
		if (field < 0x10000 && field_row(field))
			continue;
		value = 0x1234;
		assert_false(virt->read_field(v, field, &value));
		assert_false(virt->write_field(v, field, &value));
	}
	for (unsigned bit = 17; bit < 32; bit++) {
		value = 0;
		assert_false(virt->read_field(v, VTX_FIELD_RIP | 1u << bit, &value));
		assert_false(virt->write_field(v, VTX_FIELD_RIP | 1u << bit, &value));
	}
	fake_vcpu_free(v);
}

/* Access rights: reserved bits are gone, and what VT-x insists on is there whoever keeps them. */
static void test_field_rights(void **state)
{
	struct vcpu *v = fake_vcpu();

	(void)state;
	for (unsigned i = 0; i < INSULA_SEG_COUNT; i++) {
		uint32_t ar = VTX_FIELD_ES_AR + 2 * i, limit = VTX_FIELD_ES_LIMIT + 2 * i;

		write_field(v, limit, 0xffffffff);
		assert_int_equal(write_field(v, ar, ~UINT64_C(0)) & ~UINT64_C(0x1f0ff), 0);
		assert_int_equal(write_field(v, ar, 0xfffffffffffec0fb), 0xc0fb);
		write_field(v, limit, 0xffff);
		assert_int_equal(write_field(v, ar, 0x409b), 0x409b);
		if (i != INSULA_CS && i != INSULA_TR)
			assert_true(write_field(v, ar, 0x10000) & BIT(16));
	}
	fake_vcpu_free(v);
}

/* The guest's own LTR marks its TSS busy, in the VMCB perhaps not. */
static void test_task_register(void **state)
{
	struct vcpu *v = fake_vcpu();

	(void)state;
	put_long_mode(v);
	if (is_svm)
		svm_vmcb(v)->tr.attrib = 0x89;
	write_field(v, VTX_FIELD_ES_SELECTOR, 0); /* the state is looked at again */
	fake_do((struct fake_step){.act = FAKE_HLT, .length = 1});
	run_expect(v, 12);
	assert_int_equal(s.seg[INSULA_TR].ar, 0x8b);
	fake_vcpu_free(v);
}

/* A field that is written between two runs reaches the CPU, whatever it keeps of a VMCB (SVM's clean bits).
 */
static void test_written_fields(void **state)
{
	static const uint32_t field[] = {
	    VTX_FIELD_CR0,	  VTX_FIELD_CR3,	 VTX_FIELD_CR4,		 VTX_FIELD_EFER,
	    VTX_FIELD_DR7,	  VTX_FIELD_PAT,	 VTX_FIELD_TSC_OFFSET,	 VTX_FIELD_PRIMARY,
	    VTX_FIELD_EXCEPTIONS, VTX_FIELD_GDTR_BASE,	 VTX_FIELD_GDTR_LIMIT,	 VTX_FIELD_IDTR_BASE,
	    VTX_FIELD_ES_AR,	  VTX_FIELD_ES_BASE + 2, VTX_FIELD_ES_LIMIT + 4, VTX_FIELD_ES_SELECTOR + 6,
	    VTX_FIELD_CR0_MASK,	  VTX_FIELD_IDTR_LIMIT,
	};
	struct vcpu *v = fake_vcpu();
	uint64_t value;

	(void)state;
	for (unsigned i = 0; i < sizeof(field) / sizeof(*field); i++) {
		fake_do((struct fake_step){.act = FAKE_CPUID, .length = 2});
		run_expect(v, 10);
		value = read_field(v, field[i]);
		write_field(v, field[i], field[i] == VTX_FIELD_PAT ? 0x0407050600070106 : value ^ 0x20);
		fake_do((struct fake_step){.act = FAKE_CPUID, .length = 2});
		run_expect(v, 10);
		virt->ioport(v, 0x80, 0x80, i & 1);
		fake.steps = fake.done = 0;
	}
	fake_vcpu_free(v);
}

static void test_msrs(void **state)
{
	struct vcpu *v = fake_vcpu();
	uint64_t value = 0xffffffff81000000;

	(void)state;
	assert_true(virt->write_msr(v, 0xc0000082, &value));
	value = 0;
	assert_true(virt->read_msr(v, 0xc0000082, &value));
	assert_int_equal(value, 0xffffffff81000000);
	get(v);
	assert_int_equal(s.lstar, 0xffffffff81000000);
	assert_true(virt->read_msr(v, 0x485, &value));
	assert_false(virt->write_msr(v, 0x485, &value));
	assert_false(virt->read_msr(v, 0x10, &value));
	assert_false(virt->write_msr(v, 0xc0000080, &value));
	fake_vcpu_free(v);
}

int main(void)
{
	const struct contract_case cases[] = {
	    CASE(test_fields),	      CASE(test_allow_list),	 CASE(test_field_rights),
	    CASE(test_task_register), CASE(test_written_fields), CASE(test_msrs),
	};

	return contract_run(cases, ARRAY_SIZE(cases));
}
