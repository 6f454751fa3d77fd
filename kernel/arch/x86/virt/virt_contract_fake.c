/* See virt_contract_fake.h. */
#include "arch/x86/virt/virt_contract_fake.h"

/* ---- which CPU ---- */

bool has_length, has_gpr, is_svm;
struct insula_vcpu_state s;

static int start(const struct virt_ops *ops, bool nrip, bool decode, bool tcg)
{
	memset(&fake, 0, sizeof(fake));
	fake.svm_nrip = nrip;
	fake.svm_decode = decode;
	fake.svm_virq = tcg;
	fake.pause_loop = !tcg;
	fake_svm_reset();
	fake_vmx_reset();
	is_svm = ops == &virt_svm;
	has_length = nrip || !is_svm;
	has_gpr = decode || !is_svm;
	fake_start(ops);
	return 0;
}

int start_svm(void **state)
{
	(void)state;
	return start(&virt_svm, true, true, false);
}
int start_tcg(void **state)
{
	(void)state;
	return start(&virt_svm, false, false, true);
}
int start_vmx(void **state)
{
	(void)state;
	return start(&virt_vmx, false, false, false);
}

/* ---- help ---- */

void get(struct vcpu *v)
{
	memset(&s, 0xee, sizeof(s));
	virt->get(v, ALL_GROUPS | INSULA_VS_EXIT, &s);
}

void run_expect(struct vcpu *v, uint64_t reason)
{
	assert_int_equal(fake_run(v), VIRT_RUN_EXIT);
	get(v);
	assert_int_equal(s.reason, reason);
	assert_false(fake.stale);
}

void put_long_mode(struct vcpu *v)
{
	get(v);
	s.cr0 = 0x80000011;
	s.cr3 = 0x3000;
	s.cr4 = 0x20;
	s.efer = 0x500;
	s.seg[INSULA_CS].ar = 0xa09b;
	virt->put(v, INSULA_VS_CR | INSULA_VS_SEG, &s);
}

void put_flags(struct vcpu *v, uint64_t rflags, uint64_t interruptibility)
{
	get(v);
	s.rflags = rflags;
	s.interruptibility = interruptibility;
	virt->put(v, INSULA_VS_IP, &s);
}

uint64_t read_field(struct vcpu *v, uint32_t field)
{
	uint64_t value = 0xdead;

	assert_true(virt->read_field(v, field, &value));
	return value;
}

uint64_t write_field(struct vcpu *v, uint32_t field, uint64_t value)
{
	assert_true(virt->write_field(v, field, &value));
	return value;
}

void inject(struct vcpu *v, uint64_t event, uint32_t error)
{
	v->entry_info = event;
	v->entry_error = error;
	v->entry_length = 0;
}

/* ---- all CPUs ---- */

#define CONTRACT_CASES 32

int contract_run(const struct contract_case *cases, unsigned count)
{
	static const struct {
		const char *name;
		CMFixtureFunction setup;
	} machine[] = {{"SVM", start_svm}, {"SVM in TCG", start_tcg}, {"VT-x", start_vmx}};
	struct CMUnitTest tests[CONTRACT_CASES] = {0};
	int failed = 0;

	for (unsigned m = 0; m < ARRAY_SIZE(machine); m++) {
		for (unsigned i = 0; i < count; i++)
			tests[i] =
			    (struct CMUnitTest){cases[i].name, cases[i].f, machine[m].setup, NULL, NULL};
		failed += _cmocka_run_group_tests(machine[m].name, tests, count, NULL, NULL);
	}
	return failed;
}
