// links: kernel/arch/x86/smp/smp_fake.c
/* The vendor contract, the same cases on each CPU: guest state in and out, VMCS fields, translations and
 * their tags, and what is switched beside them. */
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
    {VTX_FIELD_SECONDARY, 1, FIELD_FIXED, 0, VTX_SECONDARY_VALUE},
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

static void touch(struct vcpu *v)
{
	fake_do((struct fake_step){.act = FAKE_TOUCH});
	fake_do((struct fake_step){.act = FAKE_CPUID, .length = 2});
	run_expect(v, 10);
	fake.steps = fake.done = 0;
}

static void test_tags(void **state)
{
	struct vcpu *v[40];

	(void)state;
	for (unsigned i = 0; i < 40; i++) {
		v[i] = fake_vcpu();
		virt->set_ept_root(v[i], FAKE_ROOT(1 + i % 4), true);
	}
	for (unsigned round = 0; round < 5; round++) {
		for (unsigned i = 0; i < 40; i++)
			touch(v[(i * 7 + round) % 40]);
		/* one root's tables change: its guests must notice */
		fake.root_version[round % 4]++;
		virt->ept_flush(percpu_self(), FAKE_ROOT(1 + round % 4));
		for (unsigned i = 0; i < 40; i++)
			touch(v[i]);
	}
	for (unsigned i = 0; i < 40; i++)
		fake_vcpu_free(v[i]);
}

/* With tags to spare it is the flush alone that counts. */
static void test_flush(void **state)
{
	struct vcpu *a = fake_vcpu(), *b = fake_vcpu();
	uint32_t other;

	(void)state;
	virt->set_ept_root(b, FAKE_ROOT(2), true);
	for (unsigned i = 0; i < 4; i++) {
		touch(a);
		touch(b);
		other = b->tag.tag;
		fake.root_version[0]++;
		virt->ept_flush(percpu_self(), FAKE_ROOT(1));
		touch(a);
		touch(b);
		assert_int_equal(b->tag.tag, other); /* which loses nothing by it */
	}
	fake_vcpu_free(a);
	fake_vcpu_free(b);
}

/* The fake's TLB does notice: a change without a flush is seen. */
static void test_tlb_goes_stale(void **state)
{
	struct vcpu *v = fake_vcpu();

	(void)state;
	touch(v);
	fake.root_version[0]++;
	fake_do((struct fake_step){.act = FAKE_TOUCH});
	fake_do((struct fake_step){.act = FAKE_CPUID, .length = 2});
	assert_int_equal(fake_run(v), VIRT_RUN_EXIT);
	assert_true(fake.stale);
	fake_vcpu_free(v);
}

static void test_root_changes(void **state)
{
	struct vcpu *v = fake_vcpu();

	(void)state;
	touch(v);
	virt->set_ept_root(v, FAKE_ROOT(2), true);
	touch(v);
	virt->set_ept_root(v, FAKE_ROOT(1), true);
	fake.root_version[0]++;
	virt->ept_flush(percpu_self(), FAKE_ROOT(1));
	touch(v);
	/* CR3 written from outside: nothing of the old address space is left under the tag */
	put_long_mode(v);
	touch(v);
	s.cr3 = 0x4000;
	virt->put(v, INSULA_VS_CR, &s);
	assert_int_equal(v->tag.tag, 0);
	touch(v);
	fake_vcpu_free(v);
}

static void touch_on(unsigned n, struct vcpu *v)
{
	fake_cpu(n);
	touch(v);
}

/* A root changes: every CPU is told, and until then none of its guests enters. */
static void flush_everywhere(unsigned root)
{
	fake.root_version[root - 1]++;
	for (unsigned n = 0; n < FAKE_CPUS; n++) {
		fake_cpu(n);
		virt->ept_flush(percpu_self(), FAKE_ROOT(root));
	}
}

/* Two vCPUs of one root on two CPUs, with the same numbers for tags. */
static void test_flush_on_both_cpus(void **state)
{
	struct vcpu *a = fake_vcpu(), *b;

	(void)state;
	fake_cpu(1);
	b = fake_vcpu();
	for (unsigned i = 0; i < 30; i++) {
		touch_on(0, a);
		touch_on(1, b);
		flush_everywhere(1);
		touch_on(1, b);
		touch_on(0, a);
		flush_everywhere(2); /* another's */
	}
	fake_cpu(1);
	fake_vcpu_free(b);
	fake_cpu(0);
	fake_vcpu_free(a);
}

/* What a CPU remembers of a vCPU that has been away is of no use when it comes back. */
static void test_migration(void **state)
{
	struct vcpu *v = fake_vcpu(), *other = fake_vcpu();

	(void)state;
	virt->set_ept_root(other, FAKE_ROOT(2), true);
	for (unsigned i = 0; i < 40; i++) {
		touch_on(i & 1, v);
		fake_do((struct fake_step){.act = FAKE_GUEST_FLUSH});
		touch(v);
		if (i % 3 == 0)
			flush_everywhere(1);
		fake_cpu(i & 1);
		virt->vcpu_clear(v);
		if (i % 4 == 0) {
			touch_on(0, other);
			virt->vcpu_clear(other);
		}
	}
	fake_cpu(0);
	fake_vcpu_free(v);
	fake_vcpu_free(other);
}

/* A root that dies, and another in its place in memory. */
static void test_root_reused(void **state)
{
	struct vcpu *a = fake_vcpu(), *b = fake_vcpu();

	(void)state;
	touch(a);
	flush_everywhere(1);
	fake_cpu(0);
	virt->set_ept_root(b, FAKE_ROOT(1), true);
	touch(b);
	touch(a);
	fake_vcpu_free(a);
	fake_vcpu_free(b);
}

/* Without VPID, translations end with each stretch: only EPT's own stay. */
static void test_no_vpid(void **state)
{
	struct vcpu *a, *b;

	(void)state;
	vmx_traits.vpid = false;
	a = fake_vcpu();
	b = fake_vcpu();
	for (unsigned i = 0; i < 5; i++) {
		touch(a);
		touch(b);
		fake.root_version[0]++;
		virt->ept_flush(percpu_self(), FAKE_ROOT(1));
	}
	fake_vcpu_free(a);
	fake_vcpu_free(b);
}

static void test_entries(void **state)
{
	uint64_t e;

	(void)state;
	for (unsigned level = 1; level <= 3; level++) {
		for (unsigned type = 0; type <= 6; type++) {
			e = virt->ept_leaf(paddr(0x12340000000), level, EPT_READ | EPT_WRITE, type);
			assert_true(virt->ept_present(e));
			assert_true(virt->ept_is_leaf(e, level));
			assert_int_equal(virt->ept_address(e).v, 0x12340000000);
			assert_int_equal(virt->ept_perm(e), EPT_READ | EPT_WRITE);
		}
	}
	e = virt->ept_leaf(paddr(0x5000), 1, EPT_READ | EPT_EXEC, 1);
	assert_int_equal(virt->ept_address(e).v, 0x5000);
	assert_int_equal(virt->ept_perm(e), EPT_READ | EPT_EXEC);
	e = virt->ept_table(paddr(0x6000));
	assert_true(virt->ept_present(e));
	assert_false(virt->ept_is_leaf(e, 2));
	assert_false(virt->ept_is_leaf(e, 3));
	assert_int_equal(virt->ept_address(e).v, 0x6000);
	assert_false(virt->ept_present(0));
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

int main(void)
{
	const struct contract_case cases[] = {
	    CASE(test_reset),
	    CASE(test_round_trip),
	    CASE(test_hostile_state),
	    CASE(test_refused_entry),
	    CASE(test_unforeseen_refusal),
	    CASE(test_fields),
	    CASE(test_allow_list),
	    CASE(test_field_rights),
	    CASE(test_task_register),
    CASE(test_written_fields),
	    CASE(test_msrs),
	    CASE(test_tags),
	    CASE(test_flush),
	    CASE(test_tlb_goes_stale),
	    CASE(test_root_changes),
	    CASE(test_flush_on_both_cpus),
	    CASE(test_migration),
	    CASE(test_root_reused),
	    CASE(test_no_vpid),
	    CASE(test_entries),
	    CASE(test_switching),
	};

	return contract_run(cases, ARRAY_SIZE(cases));
}
