// links: kernel/arch/x86/smp/smp_fake.c
/* The vendor contract, the same cases on each CPU: second-level tables, translations and their tags. */
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

/* As a VMM does that emulates MOV to CR0: paging switched off and on forgets translations (SDM 3A, 4.10.4.1; APM 2, 5.5.2). */
static void test_paging_switched(void **state)
{
	struct vcpu *v = fake_vcpu();
	uint32_t tag;

	(void)state;
	put_long_mode(v);
	touch(v);
	tag = v->tag.tag;
	s.cr0 ^= BIT(16); /* WP: the CPU keeps them, too */
	virt->put(v, INSULA_VS_CR, &s);
	touch(v);
	assert_int_equal(v->tag.tag, tag);
	write_field(v, 0x6800, read_field(v, 0x6800) & ~BIT(31));
	assert_int_equal(v->tag.tag, 0);
	touch(v);
	write_field(v, 0x6800, read_field(v, 0x6800) | BIT(31));
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
			assert_int_not_equal(e, 0);
			assert_true(virt->ept_is_leaf(e, level));
			assert_int_equal(virt->ept_address(e).v, 0x12340000000);
			assert_int_equal(virt->ept_perm(e), EPT_READ | EPT_WRITE);
		}
	}
	e = virt->ept_leaf(paddr(0x5000), 1, EPT_READ | EPT_EXEC, 1);
	assert_int_equal(virt->ept_address(e).v, 0x5000);
	assert_int_equal(virt->ept_perm(e), EPT_READ | EPT_EXEC);
	e = virt->ept_table(paddr(0x6000));
	assert_int_not_equal(e, 0);
	assert_false(virt->ept_is_leaf(e, 2));
	assert_false(virt->ept_is_leaf(e, 3));
	assert_int_equal(virt->ept_address(e).v, 0x6000);
}

int main(void)
{
	const struct contract_case cases[] = {
	    CASE(test_tags),
	    CASE(test_flush),
	    CASE(test_tlb_goes_stale),
	    CASE(test_root_changes),
	    CASE(test_paging_switched),
	    CASE(test_flush_on_both_cpus),
	    CASE(test_migration),
	    CASE(test_root_reused),
	    CASE(test_no_vpid),
	    CASE(test_entries),
	};

	return contract_run(cases, ARRAY_SIZE(cases));
}
