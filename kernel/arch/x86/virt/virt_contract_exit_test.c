// links: kernel/arch/x86/smp/smp_fake.c
/* The vendor contract, the same cases on each CPU: every exit, in VT-x's words whoever made it. */
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
#include "arch/x86/virt/vmx/vmx.h"

static void test_simple_exits(void **state)
{
	static const struct {
		enum fake_act act;
		uint64_t reason;
		unsigned length;
	} t[] = {
	    {FAKE_CPUID, 10, 2},  {FAKE_HLT, 12, 1},	 {FAKE_INVD, 13, 2},
	    {FAKE_WBINVD, 54, 2}, {FAKE_RDPMC, 15, 2},	 {FAKE_HYPERCALL, 18, 3},
	    {FAKE_XSETBV, 55, 3}, {FAKE_MONITOR, 39, 3}, {FAKE_MWAIT, 36, 3},
	    {FAKE_RDTSC, 16, 2},  {FAKE_RDTSCP, 51, 3},	 {FAKE_PAUSE, 40, 2},
	    {FAKE_INVLPG, 14, 3}, {FAKE_RDMSR, 31, 2},	 {FAKE_WRMSR, 32, 3 /* a prefix */},
	};
	struct vcpu *v = fake_vcpu();

	(void)state;
	write_field(v, VTX_FIELD_PRIMARY,
		    VTX_PRIMARY_HLT | VTX_PRIMARY_RDTSC | VTX_PRIMARY_PAUSE | VTX_PRIMARY_INVLPG);
	for (unsigned i = 0; i < sizeof(t) / sizeof(*t); i++) {
		fake_do((struct fake_step){.act = t[i].act, .length = t[i].length});
		run_expect(v, t[i].reason);
		assert_int_equal(s.length, has_length ? t[i].length : 0);
		assert_int_equal(s.idt_vectoring, 0);
		assert_int_equal(s.exit_info, 0);
	}
	/* what is not asked for does not come */
	write_field(v, VTX_FIELD_PRIMARY, 0);
	fake_do((struct fake_step){.act = FAKE_RDTSC});
	fake_do((struct fake_step){.act = FAKE_PAUSE});
	fake_do((struct fake_step){.act = FAKE_HLT});
	fake_do((struct fake_step){.act = FAKE_INVLPG});
	fake_do((struct fake_step){.act = FAKE_CPUID, .length = 2});
	run_expect(v, 10);
	fake_do((struct fake_step){.act = FAKE_TRIPLE_FAULT});
	run_expect(v, 2);
	fake_do((struct fake_step){.act = FAKE_TASK_SWITCH, .number = 0x28, .length = 7});
	run_expect(v, 9);
	assert_int_equal(s.qualification, 0x28 | BIT(31));
	fake_vcpu_free(v);
}

/* A guest that spins leaves if the VMM wants that and the CPU can tell; one that waits a moment does not. */
static void test_spin(void **state)
{
	static const unsigned lasts[] = {50, 5000};
	struct vcpu *v = fake_vcpu();

	(void)state;
	for (unsigned wanted = 0; wanted < 3; wanted++) {
		write_field(v, VTX_FIELD_SECONDARY, wanted == 1 ? VTX_SECONDARY_PAUSE_LOOP : 0);
		for (unsigned i = 0; i < ARRAY_SIZE(lasts); i++) {
			fake_do((struct fake_step){.act = FAKE_SPIN, .number = lasts[i], .length = 2});
			if (wanted == 1 && i == 1 && fake.pause_loop) {
				run_expect(v, 40);
				assert_int_equal(s.length, has_length ? 2 : 0);
			}
			fake_do((struct fake_step){.act = FAKE_CPUID, .length = 2});
			run_expect(v, 10);
		}
	}
	/* every PAUSE exits if that is wanted, too */
	write_field(v, VTX_FIELD_SECONDARY, VTX_SECONDARY_PAUSE_LOOP);
	write_field(v, VTX_FIELD_PRIMARY, VTX_PRIMARY_PAUSE);
	fake_do((struct fake_step){.act = FAKE_SPIN, .number = 1, .length = 2});
	run_expect(v, 40);
	fake_do((struct fake_step){.act = FAKE_PAUSE, .length = 2});
	run_expect(v, 40);
	fake_vcpu_free(v);
}

static void test_io(void **state)
{
	struct vcpu *v = fake_vcpu();

	(void)state;
	fake_do((struct fake_step){.act = FAKE_OUT, .number = 0x80, .size = 1, .length = 2});
	run_expect(v, 30);
	assert_int_equal(s.qualification & ~BIT(6), 0x800000);
	assert_int_equal(s.length, 2);
	fake_do((struct fake_step){
	    .act = FAKE_IN, .number = 0x3f8, .size = 4, .string = true, .rep = true, .length = 3});
	run_expect(v, 30);
	assert_int_equal(s.qualification & ~BIT(6), 0x3f8003b);
	assert_int_equal(s.length, 3);
	virt->ioport(v, 0x3f8, 0x3fb, true);
	fake_do((struct fake_step){.act = FAKE_IN, .number = 0x3f8, .size = 4, .length = 1});
	fake_do((struct fake_step){.act = FAKE_IN, .number = 0x3f9, .size = 4, .length = 1});
	run_expect(v, 30);
	assert_int_equal(s.qualification >> 16, 0x3f9);
	virt->ioport(v, 0x3f8, 0x3f8, false);
	fake_do((struct fake_step){.act = FAKE_IN, .number = 0x3f8, .size = 1, .length = 1});
	run_expect(v, 30);
	/* the last ports: an access that runs over the end always exits */
	virt->ioport(v, 0xfff0, 0xffff, true);
	fake_do((struct fake_step){.act = FAKE_OUT, .number = 0xffff, .size = 1, .length = 1});
	fake_do((struct fake_step){.act = FAKE_OUT, .number = 0xffff, .size = 2, .length = 1});
	run_expect(v, 30);
	assert_int_equal(s.qualification >> 16, 0xffff);
	fake_vcpu_free(v);
}

/* Ranges that begin and end anywhere in the map's bytes, and all ports at once. */
static void test_port_ranges(void **state)
{
	static const uint16_t edge[] = {0, 1, 6, 7, 8, 9, 15, 16, 0x3f8, 0x7fff, 0x8000, 0xfff7, 0xfff8, 0xfffe, 0xffff};
	struct vcpu *v = fake_vcpu();
	uint8_t expected[sizeof(v->io_map)];

	(void)state;
	memset(expected, 0xff, sizeof(expected));
	for (unsigned i = 0; i < ARRAY_SIZE(edge); i++) {
		for (unsigned j = i; j < ARRAY_SIZE(edge); j++) {
			bool allow = (i + j) & 1;

			for (unsigned port = edge[i]; port <= edge[j]; port++)
				expected[port / 8] = (uint8_t)(allow ? expected[port / 8] & ~(1u << port % 8)
								     : expected[port / 8] | 1u << port % 8);
			virt->ioport(v, edge[i], edge[j], allow);
			assert_memory_equal(v->io_map, expected, sizeof(expected));
		}
	}
	assert_int_equal(v->io_overflow, ~UINT64_C(0));
	fake_vcpu_free(v);
}

static void test_gpa(void **state)
{
	struct vcpu *v = fake_vcpu();

	(void)state;
	fake_do((struct fake_step){.act = FAKE_READ_GPA, .gpa = 0xfee00020});
	run_expect(v, 48);
	assert_int_equal(s.gpa, 0xfee00020);
	assert_int_equal(s.qualification & 0x3f, 1);
	assert_int_equal(s.length, 0);
	if (is_svm) {
		assert_int_equal(s.qualification & BIT(7), 0);
		assert_int_equal(s.insn_count, has_gpr ? 3 : 0);
		if (has_gpr)
			assert_memory_equal(s.insn_bytes, "\x8b\x07\x90", 3);
	}
	fake_do((struct fake_step){.act = FAKE_WRITE_GPA, .gpa = 0x1000, .present = true});
	run_expect(v, 48);
	assert_int_equal(s.qualification & 0x3f, 0x2a);
	fake_do((struct fake_step){.act = FAKE_FETCH_GPA, .gpa = 0x2000});
	run_expect(v, 48);
	assert_int_equal(s.qualification & 0x3f, 4);
	assert_int_equal(s.insn_count, 0);
	fake_vcpu_free(v);
}

static void test_cr(void **state)
{
	struct vcpu *v = fake_vcpu();

	(void)state;
	fake_do((struct fake_step){.act = FAKE_WRITE_CR, .number = 3, .gpr = 2});
	fake_do((struct fake_step){.act = FAKE_READ_CR, .number = 3, .gpr = 2});
	fake_do((struct fake_step){.act = FAKE_WRITE_CR, .number = 0, .gpr = 2, .gpa = 0x11});
	fake_do((struct fake_step){.act = FAKE_HLT, .length = 1});
	run_expect(v, 12);
	assert_int_equal(fake.entries, 1);
	write_field(v, VTX_FIELD_PRIMARY,
		    VTX_PRIMARY_CR3_LOAD | VTX_PRIMARY_CR3_STORE | VTX_PRIMARY_CR8_LOAD);
	fake_do((struct fake_step){.act = FAKE_WRITE_CR, .number = 3, .gpr = 9, .length = 3});
	run_expect(v, 28);
	assert_int_equal(s.qualification, has_gpr ? 0x903 : 3);
	assert_int_equal(s.length, has_gpr ? 3 : 0);
	fake_do((struct fake_step){.act = FAKE_READ_CR, .number = 3, .gpr = 5, .length = 3});
	run_expect(v, 28);
	assert_int_equal(s.qualification, has_gpr ? 0x513 : 0x13);
	fake_do((struct fake_step){.act = FAKE_WRITE_CR, .number = 8, .gpr = 0, .length = 4});
	run_expect(v, 28);
	assert_int_equal(s.qualification & 0x3f, 8);
	/* bits that the VMM owns */
	write_field(v, VTX_FIELD_CR0_MASK, BIT(0));
	write_field(v, VTX_FIELD_CR0_SHADOW, 0x10);
	fake_do((struct fake_step){.act = FAKE_WRITE_CR, .number = 0, .gpr = 0, .gpa = 0x11, .length = 3});
	v->gpr[0] = 0x11;
	run_expect(v, 28);
	assert_int_equal(s.qualification & 0x3f, 0);
	fake_vcpu_free(v);
}

/* CR0.CD, NW and NE are the guest's to set, and do nothing to the host. */
static void test_cr0_own(void **state)
{
	struct vcpu *v = fake_vcpu();

	(void)state;
	get(v);
	s.cr0 = 0x60000010;
	virt->put(v, INSULA_VS_CR, &s);
	get(v);
	assert_int_equal(s.cr0, 0x60000010);
	v->gpr[INSULA_RBX] = 0x40000031;
	fake_do((struct fake_step){
	    .act = FAKE_WRITE_CR, .number = 0, .gpr = INSULA_RBX, .gpa = 0x40000031, .length = 3});
	fake_do((struct fake_step){.act = FAKE_HLT, .length = 1});
	run_expect(v, 12);
	if (!is_svm)
		assert_int_equal(s.cr0, 0x40000031);
	fake_vcpu_free(v);
}

/* The guest's MOV to CR4 from RDX; where the CPU does not say which register it was, the VMM's part. */
static void guest_writes_cr4(struct vcpu *v, uint64_t value)
{
	get(v);
	s.gpr[INSULA_RDX] = value;
	virt->put(v, INSULA_VS_GPR, &s);
	fake_do((struct fake_step){
	    .act = FAKE_WRITE_CR, .number = 4, .gpr = INSULA_RDX, .gpa = value, .length = 3});
	if (!has_gpr) {
		run_expect(v, 28);
		assert_int_equal(s.qualification, 4);
		assert_int_equal(s.length, 0);
		write_field(v, VTX_FIELD_CR4, value);
		return;
	}
	fake_do((struct fake_step){.act = FAKE_HLT, .length = 1});
	run_expect(v, 12);
}

static void guest_reads_cr4(struct vcpu *v, uint64_t value)
{
	uint64_t rip;

	get(v);
	rip = s.rip;
	s.gpr[INSULA_RCX] = ~UINT64_C(0);
	virt->put(v, INSULA_VS_GPR, &s);
	fake_do((struct fake_step){.act = FAKE_READ_CR, .number = 4, .gpr = INSULA_RCX, .length = 3});
	fake_do((struct fake_step){.act = FAKE_HLT, .length = 1});
	assert_int_equal(fake_run(v), VIRT_RUN_EXIT);
	get(v);
	assert_int_equal(s.cr4, value);
	if (!is_svm || value & BIT(6)) { /* it reads what is in the CPU, or the shadow */
		assert_int_equal(s.reason, 12);
	} else if (has_gpr) {
		assert_int_equal(s.reason, 12);
		assert_int_equal(s.gpr[INSULA_RCX], value);
		assert_int_equal(s.rip, rip + 3);
	} else {
		assert_int_equal(s.reason, 28);
		assert_int_equal(s.qualification, 0x14);
		fake.done = fake.steps;
	}
}

/* CR4: a machine check stays the host's whatever the guest thinks of it (the fakes look at each entry), and
 * features that it is not offered stay off. */
static void test_cr4_own(void **state)
{
	struct vcpu *v = fake_vcpu();

	(void)state;
	put_long_mode(v);
	assert_int_equal(write_field(v, VTX_FIELD_CR4, 0xa0 | BIT(12) | BIT(13) | BIT(23)), 0xa0);
	guest_reads_cr4(v, 0xa0);
	guest_writes_cr4(v, 0x2e0);
	assert_int_equal(read_field(v, VTX_FIELD_CR4), 0x2e0);
	guest_reads_cr4(v, 0x2e0);
	guest_writes_cr4(v, 0x2a0); /* machine checks off again, it thinks */
	guest_reads_cr4(v, 0x2a0);
	guest_writes_cr4(v, 0x2e0);
	assert_int_equal(fake.deliveries, 0);
	if (has_gpr) { /* else the VMM has to refuse it */
		guest_writes_cr4(v, 0x12a0);
		assert_int_equal(s.cr4, 0x2e0);
		assert_int_equal(fake.deliveries, 1);
		assert_int_equal(fake.delivered[0], vtx_event_make(3, 13, true));
		guest_writes_cr4(v, 0); /* long mode without PAE */
		assert_int_equal(s.cr4, 0x2e0);
		assert_int_equal(fake.deliveries, 2);
	}
	fake_do((struct fake_step){.act = FAKE_CPUID, .length = 2});
	run_expect(v, 10);
	fake_vcpu_free(v);
}

/* A write that comes out is one instruction: who traces itself is told of it, and a shadow ends. */
static void test_cr4_step(void **state)
{
	struct vcpu *v = fake_vcpu();
	uint64_t rip;

	(void)state;
	if (!has_gpr) {
		fake_vcpu_free(v);
		return;
	}
	put_long_mode(v);
	put_flags(v, 2 | IF | BIT(8), 0);
	rip = s.rip;
	v->gpr[INSULA_RDX] = 0x60;
	fake_do((struct fake_step){
	    .act = FAKE_WRITE_CR, .number = 4, .gpr = INSULA_RDX, .gpa = 0x60, .length = 3});
	fake_do((struct fake_step){.act = FAKE_HLT, .length = 1});
	run_expect(v, 12);
	assert_int_equal(fake.deliveries, 1);
	assert_int_equal(fake.delivered[0], vtx_event_make(3, 1, false));
	assert_int_equal(fake.delivered_rip, rip + 3);
	put_flags(v, 2 | IF, VTX_BLOCK_STI);
	guest_writes_cr4(v, 0x20);
	assert_int_equal(s.interruptibility, 0);
	assert_int_equal(fake.deliveries, 1);
	fake_vcpu_free(v);
}

/* PAE paging's four registers are in the guest's memory, where VT-x's CPU reads them and the kernel does not:
 * a MOV to CR0 or CR4 that loads them and comes out for a bit of ours is executed again, and does not come
 * out. */
static void test_pae(void **state)
{
	struct vcpu *v = fake_vcpu();
	const struct fake_step cr0 = {
	    .act = FAKE_WRITE_CR, .number = 0, .gpr = INSULA_RBX, .gpa = 0xc0000031, .length = 3};
	const struct fake_step cr4 = {
	    .act = FAKE_WRITE_CR, .number = 4, .gpr = INSULA_RDX, .gpa = 0xf0, .length = 3};

	(void)state;
	/* what a VMM writes there cannot make an entry fail */
	for (unsigned i = 0; i < 4; i++)
		write_field(v, VTX_FIELD_PDPTE0 + 2 * i, ~UINT64_C(0));
	get(v);
	s.cr0 = 0x80000011;
	s.cr4 = 0x20;
	virt->put(v, INSULA_VS_CR, &s);
	fake_do((struct fake_step){.act = FAKE_CPUID, .length = 2});
	run_expect(v, 10);
	assert_int_equal(fake.refused, 0);
	s.cr0 = 0x11;
	virt->put(v, INSULA_VS_CR, &s);
	if (!is_svm) {
		for (unsigned i = 0; i < 4; i++)
			fake.pdpte[i] = 0x5001 + 0x1000 * i;
		v->gpr[INSULA_RBX] = cr0.gpa;
		fake_do(cr0);
		fake_do(cr0);
		fake_do((struct fake_step){.act = FAKE_HLT, .length = 1});
		run_expect(v, 12);
		assert_int_equal(fake.pdpte_loads, 1);
		assert_int_equal(s.cr0, 0xc0000031);
		assert_int_equal(s.rip, 0xfff3);
		assert_int_equal(read_field(v, VTX_FIELD_PDPTE0 + 6), 0x8001);
		fake.pdpte[3] = 0x9001;
		v->gpr[INSULA_RDX] = cr4.gpa;
		fake_do(cr4);
		fake_do(cr4);
		fake_do((struct fake_step){.act = FAKE_HLT, .length = 1});
		run_expect(v, 12);
		assert_int_equal(fake.pdpte_loads, 2);
		assert_int_equal(s.cr4, 0xf0);
		assert_int_equal(read_field(v, VTX_FIELD_PDPTE0 + 6), 0x9001);
	}
	fake_vcpu_free(v);
}

/* A CPU without a TPR shadow: CR8 is the guest's own all the same. */
static void test_cr8(void **state)
{
	struct vcpu *v;

	(void)state;
	vmx_traits.tpr_shadow = false;
	v = fake_vcpu();
	put_long_mode(v);
	v->gpr[INSULA_RSI] = 9;
	fake_do((struct fake_step){.act = FAKE_WRITE_CR, .number = 8, .gpr = INSULA_RSI, .length = 4});
	fake_do((struct fake_step){.act = FAKE_READ_CR, .number = 8, .gpr = INSULA_RDI, .length = 4});
	fake_do((struct fake_step){.act = FAKE_HLT, .length = 1});
	run_expect(v, 12);
	if (!is_svm) {
		assert_int_equal(s.gpr[INSULA_RDI], 9);
		v->gpr[INSULA_RSI] = 16;
		fake_do(
		    (struct fake_step){.act = FAKE_WRITE_CR, .number = 8, .gpr = INSULA_RSI, .length = 4});
		fake_do((struct fake_step){.act = FAKE_HLT, .length = 1});
		run_expect(v, 12);
		assert_int_equal(fake.delivered[0], vtx_event_make(3, 13, true));
	}
	fake_vcpu_free(v);
}

/* The kernel steps over an instruction of a guest that traces itself. */
static void test_step_over(void **state)
{
	struct vcpu *v = fake_vcpu();

	(void)state;
	if (is_svm) { /* nothing is stepped over there */
		fake_vcpu_free(v);
		return;
	}
	put_long_mode(v);
	put_flags(v, 2 | BIT(8), 0);
	v->gpr[INSULA_RCX] = 0xc0000081;
	fake_do((struct fake_step){.act = FAKE_WRMSR, .length = 2});
	fake_do((struct fake_step){.act = FAKE_HLT, .length = 1});
	run_expect(v, 12);
	assert_int_equal(fake.delivered[0], vtx_event_make(3, 1, false));
	assert_int_equal(s.dr6 & BIT(14), BIT(14));
	assert_int_equal(fake.delivered_rip, 0xfff2);
	fake_vcpu_free(v);
}

static void test_dr(void **state)
{
	struct vcpu *v = fake_vcpu();

	(void)state;
	/* the kernel's own: loaded at the first access, kept over exits */
	fake_do((struct fake_step){.act = FAKE_WRITE_DR, .number = 0, .gpa = 0x1000});
	fake_do((struct fake_step){.act = FAKE_WRITE_DR, .number = 0, .gpa = 0x1000});
	fake_do((struct fake_step){.act = FAKE_HLT, .length = 1});
	run_expect(v, 12);
	assert_int_equal(s.dr[0], 0x1000);
	fake_do((struct fake_step){.act = FAKE_READ_DR, .number = 0});
	fake_do((struct fake_step){.act = FAKE_HLT, .length = 1});
	run_expect(v, 12);
	assert_int_equal(s.dr[0], 0x1000);
	/* breakpoints that are on are loaded at once */
	s.dr7 = 0x401;
	s.dr[1] = 0x2000;
	virt->put(v, INSULA_VS_DEBUG, &s);
	fake_do((struct fake_step){.act = FAKE_WRITE_DR, .number = 1, .gpa = 0x3000});
	fake_do((struct fake_step){.act = FAKE_HLT, .length = 1});
	run_expect(v, 12);
	assert_int_equal(s.dr[0], 0x1000);
	assert_int_equal(s.dr[1], 0x3000);
	/* the VMM's, if it asks */
	write_field(v, VTX_FIELD_PRIMARY, VTX_PRIMARY_MOV_DR);
	fake_do((struct fake_step){.act = FAKE_READ_DR, .number = 7, .gpr = 3, .length = 3});
	run_expect(v, 29);
	assert_int_equal(s.qualification, has_gpr ? 0x317 : 0x17);
	fake_vcpu_free(v);
}

static void test_exceptions(void **state)
{
	struct vcpu *v = fake_vcpu();

	(void)state;
	/* #AC and #DB go back into the guest */
	put_long_mode(v);
	fake_do((struct fake_step){.act = FAKE_EXCEPTION, .number = 17, .error = 0});
	fake_do((struct fake_step){.act = FAKE_EXCEPTION, .number = 1, .error = 0x4000});
	fake_do((struct fake_step){.act = FAKE_EXCEPTION, .number = 13, .error = 5}); /* not intercepted */
	fake_do((struct fake_step){.act = FAKE_HLT, .length = 1});
	run_expect(v, 12);
	assert_int_equal(fake.deliveries, 2);
	assert_int_equal(fake.delivered[0], vtx_event_make(3, 17, true));
	assert_int_equal(fake.delivered[1], vtx_event_make(3, 1, false));
	assert_int_equal(s.dr6 & 0x4000, 0x4000);
	/* a VMM that asks gets them */
	write_field(v, VTX_FIELD_EXCEPTIONS, BIT(1) | BIT(14) | BIT(3));
	fake_do((struct fake_step){.act = FAKE_EXCEPTION, .number = 14, .error = 7, .gpa = 0x5000});
	run_expect(v, 0);
	assert_int_equal(s.exit_info, vtx_event_make(3, 14, true));
	assert_int_equal(s.exit_error, 7);
	assert_int_equal(s.qualification, 0x5000);
	assert_int_equal(s.length, 0);
	fake_do((struct fake_step){.act = FAKE_EXCEPTION, .number = 3, .length = 2}); /* with a prefix */
	run_expect(v, 0);
	assert_int_equal(s.exit_info, vtx_event_make(6, 3, false));
	assert_int_equal(s.length, has_length ? 2 : 0);
	/* handed on: its handler returns behind it. A VMM that is not told the length decodes */
	inject(v, s.exit_info, 0);
	v->entry_length = 2;
	fake.deliveries = 0;
	fake_do((struct fake_step){.act = FAKE_HLT, .length = 1});
	run_expect(v, 12);
	assert_int_equal(fake.delivered_rip, 0xfff2);
	/* one that comes while another event is under way: the VMM puts them in order */
	fake_do((struct fake_step){
	    .act = FAKE_EXCEPTION, .number = 17, .vectoring = vtx_event_make(0, 0x50, false)});
	run_expect(v, 0);
	assert_int_equal(s.idt_vectoring, vtx_event_make(0, 0x50, false));
	fake_vcpu_free(v);
}

static void test_host_events(void **state)
{
	struct vcpu *v = fake_vcpu();

	(void)state;
	fake_do((struct fake_step){.act = FAKE_HOST_NMI});
	fake_do((struct fake_step){.act = FAKE_HOST_MC});
	fake_do((struct fake_step){.act = FAKE_OWN_VIRT, .length = 3});
	fake_do((struct fake_step){.act = FAKE_INTERRUPT});
	fake_do((struct fake_step){.act = FAKE_CPUID, .length = 2});
	fake.interrupt = false; /* gone before it is looked for */
	run_expect(v, 10);
	assert_int_equal(fake.host_nmis, 1);
	assert_int_equal(fake.host_mcs, 1);
	assert_int_equal(fake.delivered[0], vtx_event_make(3, 6, false));
	assert_int_equal(fake.polls, 1);
	fake_do((struct fake_step){.act = FAKE_INTERRUPT});
	fake.interrupt = true;
	assert_int_equal(fake_run(v), VIRT_RUN_INTERRUPT);
	/* one that the guest does not survive is its VMM's, though that asked for no such exits */
	fake.mc_ends = true;
	fake_do((struct fake_step){.act = FAKE_HOST_MC});
	run_expect(v, 0);
	assert_int_equal(fake.host_mcs, 2);
	assert_int_equal(vtx_event_vector((vtx_event_t){{s.exit_info}}), 18);
	fake.mc_ends = false;
	/* a machine check met by VM entry itself: the host's; the guest loses nothing */
	put_flags(v, 2 | IF, 0);
	inject(v, vtx_event_make(0, 0x41, false), 0);
	fake.entry_mc = !is_svm;
	fake_do((struct fake_step){.act = FAKE_CPUID, .length = 2});
	run_expect(v, 10);
	assert_int_equal(fake.host_mcs, is_svm ? 2 : 3);
	assert_int_equal(fake.delivered[fake.deliveries - 1], vtx_event_make(0, 0x41, false));
	fake_vcpu_free(v);
}

int main(void)
{
	const struct contract_case cases[] = {
	    CASE(test_simple_exits), CASE(test_spin), CASE(test_io),	   CASE(test_gpa),	CASE(test_cr),
	    CASE(test_cr0_own),	     CASE(test_cr4_own),   CASE(test_cr4_step), CASE(test_pae),
	    CASE(test_cr8),	     CASE(test_step_over), CASE(test_dr),	CASE(test_exceptions),
	    CASE(test_host_events),  CASE(test_port_ranges),
	};

	return contract_run(cases, ARRAY_SIZE(cases));
}
