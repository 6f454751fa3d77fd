/* See virt_fuzz_fake.h. */
#include "arch/x86/virt/virt_fuzz_fake.h"
#include "arch/x86/virt/virt_guest.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define GUESTS 3
#define STATE_WORDS                                                                                          \
	((sizeof(struct insula_vcpu_state) - offsetof(struct insula_vcpu_state, gpr)) / sizeof(uint64_t))
#define ALL_GROUPS                                                                                           \
	(INSULA_VS_GPR | INSULA_VS_IP | INSULA_VS_CR | INSULA_VS_SEG | INSULA_VS_MSR | INSULA_VS_DEBUG |     \
	 INSULA_VS_CTL)

static struct {
	const uint8_t *data;
	size_t left;
} in;
static struct vcpu *guest[GUESTS];
static unsigned guest_cpu[GUESTS];

/* ---- input ---- */

static uint64_t take(unsigned bytes)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < bytes && in.left; i++, in.left--)
		v |= (uint64_t)*in.data++ << 8 * i;
	return v;
}

/* Values that mean something somewhere, single bits, and anything. */
static uint64_t take_value(void)
{
	static const uint64_t known[] = {
	    0,
	    0x11,
	    0x31,
	    0x80000011,
	    0x80000031,
	    0xe0000011,
	    0x20,
	    0x60,
	    0x620,
	    0x20020,
	    0x500,
	    0x100,
	    0xd01,
	    2,
	    0x202,
	    0x102,
	    0x20002,
	    0x3000,
	    0xa09b,
	    0xc09b,
	    0xe09b,
	    0x10000,
	    0x8b,
	    0x83,
	    0x400,
	    0x401,
	    0x90401,
	    0x8000001,
	    0x0007040600070406,
	    0x0202020202020202,
	    UINT64_C(1) << 47,
	    7,
	    0xe7,
	    0x80000b0e,
	    0x80000202,
	    0x80000041,
	    0x80000603,
	};
	uint64_t how = take(1);

	switch (how >> 6) {
	case 0:
		return known[how % ARRAY_SIZE(known)];
	case 1:
		return UINT64_C(1) << (how & 63);
	case 2:
		return ~(UINT64_C(1) << (how & 63));
	default:
		return take(1 + (how & 7));
	}
}

/* ---- the VMM ---- */

static void put_words(struct vcpu *v)
{
	static struct insula_vcpu_state s;
	uint64_t groups = take(1), count = take(1) % 16, word;
	uint64_t *words = s.gpr;

	virt->get(v, ALL_GROUPS, &s);
	for (uint64_t i = 0; i < count; i++) {
		word = take(2) % STATE_WORDS;
		words[word] = take_value();
	}
	virt->put(v, groups, &s);
}

static void put_long_mode(struct vcpu *v)
{
	static struct insula_vcpu_state s;

	virt->get(v, ALL_GROUPS, &s);
	s.rip = 0x1000;
	s.rflags = 2 | take(2) % 4 << 8;
	s.interruptibility = 0;
	s.cr0 = 0x80000011;
	s.cr3 = 0x3000;
	s.cr4 = 0x20;
	s.efer = 0x500;
	s.seg[INSULA_CS].ar = 0xa09b;
	s.seg[INSULA_TR].ar = 0x8b;
	s.dr7 = 0x400;
	virt->put(v, ALL_GROUPS, &s);
}

static uint32_t take_field(void)
{
	static const uint32_t first[] = {0x0800, 0x2010, 0x2800, 0x4000, 0x4012, 0x4400,
					 0x4800, 0x4820, 0x6000, 0x6400, 0x6800, 0x6c00};
	uint64_t n = take(2);

	return n & 0x8000 ? (uint32_t)take(2) : first[n % ARRAY_SIZE(first)] + 2 * (uint32_t)(n >> 8 & 31);
}

static void write_field(struct vcpu *v)
{
	uint32_t field = take_field();
	uint64_t value = take_value(), back = 0;

	if (!virt->write_field(v, field, &value))
		return;
	assert_false((field & 0xc00) == 0xc00); /* the host's */
	assert_true(virt->read_field(v, field, &back));
	assert_int_equal(value, back); /* what it was told was stored */
}

static void write_msr(struct vcpu *v)
{
	uint32_t msr = (uint32_t)(0xc0000080 + take(1) % 8);
	uint64_t value = take_value(), back = 0;

	if (virt->write_msr(v, msr, &value)) {
		assert_true(virt->read_msr(v, msr, &back));
		assert_int_equal(value, back);
	}
}

static void inject(struct vcpu *v)
{
	v->entry_info = (take(1) & 1 ? take_value() | 0x80000000 : 0x80000000 | take(2)) & VTX_EVENT_MASK;
	v->entry_error = (uint32_t)take(4);
	v->entry_length = (uint32_t)take(1) & 15;
}

/* ---- the guest ---- */

static struct fake_step take_step(void)
{
	static const uint8_t cr[] = {0, 3, 4, 8}, sizes[] = {1, 2, 4};
	struct fake_step s = {0};

	s.act = (enum fake_act)(take(1) % (FAKE_RAW + 1));
	s.length = 1 + (unsigned)take(1) % 15;
	s.number = take(2);
	s.gpa = take_value() & MASK(52);
	s.error = take(2);
	s.size = sizes[s.error % 3];
	s.gpr = (unsigned)take(1) & 15;
	s.string = s.error & 8;
	s.rep = s.error & 16;
	s.present = s.error & 32;
	if (take(1) < 32) {
		static const uint16_t types[] = {0x041, 0x202, 0xb0d, 0xb0e, 0x306,
						 0x480, 0x603, 0xb08, 0xb11, 0x301};

		s.vectoring = 0x80000000 | types[take(1) % ARRAY_SIZE(types)];
		s.vectoring_error = (uint32_t)take(2);
	}
	switch (s.act) {
	case FAKE_READ_CR:
	case FAKE_WRITE_CR:
		s.number = cr[s.number % 4];
		break;
	case FAKE_READ_DR:
	case FAKE_WRITE_DR:
		s.number &= 3;
		break;
	case FAKE_EXCEPTION:
		s.number &= 31;
		break;
	case FAKE_RAW: /* any exit that the CPU has, whatever was asked for */
		s.number = s.number & 0x100 ? 0x400 : s.number & 0xff;
		break;
	default:
		break;
	}
	return s;
}

static void script(void)
{
	fake.steps = fake.done = fake.deliveries = 0;
	for (uint64_t n = take(1) % 12; n > 0; n--)
		fake_do(take_step());
	fake.interrupt = take(1) & 1;
	fake.mc_ends = take(1) & 1;
	fake.entry_mc = virt == &virt_vmx && take(1) < 8;
}

/* ---- what comes out ---- */

/* No two guests have one tag on one CPU. */
static void check_tags(void)
{
	for (unsigned i = 0; i < GUESTS; i++) {
		for (unsigned j = 0; j < i; j++) {
			const struct virt_tag *a = &guest[i]->tag, *b = &guest[j]->tag;

			if (a->tag && b->tag && a->cpu == b->cpu && a->generation == b->generation)
				assert_int_not_equal(a->tag, b->tag);
		}
	}
}

static void check_exit(struct vcpu *v, enum virt_run r)
{
	static struct insula_vcpu_state s;

	virt->get(v, ALL_GROUPS | INSULA_VS_EXIT, &s);
	assert_true(r == VIRT_RUN_EXIT || r == VIRT_RUN_INTERRUPT || r == VIRT_RUN_FAILED);
	assert_int_equal(r == VIRT_RUN_FAILED, r != VIRT_RUN_INTERRUPT && s.reason >> 31);
	if (r == VIRT_RUN_FAILED)
		assert_int_equal(v->entry_info, 0);
	assert_in_range(s.length, 0, 15);
	assert_in_range(s.insn_count, 0, 15);
	/* what belongs to the host does not show */
	assert_int_equal(s.efer & BIT(12), 0);
	assert_int_equal(s.cr4 & BIT(13), 0);
	assert_int_equal(s.rflags & 2, 2);
	assert_int_equal(s.gdtr.limit >> 16 | s.idtr.limit >> 16, 0);
	if (virt == &virt_svm) /* who looks before has nothing refused */
		assert_int_equal(fake.refused, 0);
	assert_false(fake.stale);
	assert_int_not_equal(v->tag.tag, UINT32_MAX);
	check_tags();
}

static void run(unsigned n)
{
	struct vcpu *v = guest[n];
	uint64_t blocked = 0;
	enum virt_run r;

	fake_cpu(guest_cpu[n]);
	script();
	assert_true(virt->read_field(v, VTX_FIELD_INTERRUPTIBILITY, &blocked));
	fake.nmi_blocked = blocked & VTX_BLOCK_NMI;
	r = fake_run(v);
	check_exit(v, r);
	if (v->exit.idt && take(1) & 1) {
		v->entry_info = v->exit.idt;
		v->entry_error = v->exit.idt_error;
	}
}

static void flush(void)
{
	uint64_t root = take(1) % 3;

	fake.root_version[root]++;
	for (unsigned c = 0; c < FAKE_CPUS; c++) {
		fake_cpu(c);
		virt->ept_flush(percpu_self(), FAKE_ROOT(root + 1));
	}
}

static void step(void)
{
	unsigned op = (unsigned)take(1), n = op >> 4 & 3;
	uint16_t first, last;
	struct vcpu *v;

	n %= GUESTS;
	v = guest[n];
	fake_cpu(guest_cpu[n]);
	switch (op & 15) {
	case 0:
	case 1:
		put_words(v);
		break;
	case 2:
		put_long_mode(v);
		break;
	case 3:
	case 4:
	case 5:
		write_field(v);
		break;
	case 6:
		write_msr(v);
		break;
	case 7:
	case 8:
		inject(v);
		break;
	case 9:
		v->primary &= ~(uint32_t)(VTX_PRIMARY_INTERRUPT_WINDOW | VTX_PRIMARY_NMI_WINDOW);
		v->primary |= take(1) & 1 ? (uint32_t)VTX_PRIMARY_INTERRUPT_WINDOW : 0;
		v->primary |= take(1) & 1 ? (uint32_t)VTX_PRIMARY_NMI_WINDOW : 0;
		break;
	case 10:
		first = (uint16_t)take(2);
		last = (uint16_t)take(2);
		virt->ioport(v, first, last, take(1) & 1);
		break;
	case 11:
		flush();
		break;
	case 12:
		virt->set_ept_root(v, FAKE_ROOT(1 + take(1) % 3), true);
		break;
	case 13:
		virt->vcpu_clear(v);
		guest_cpu[n] = (unsigned)take(1) % FAKE_CPUS;
		break;
	default:
		run(n);
		break;
	}
}

void virt_fuzz_run(const struct virt_ops *ops, const uint8_t *data, size_t size)
{
	in.data = data;
	in.left = size;
	fake_start(ops);
	for (unsigned i = 0; i < GUESTS; i++) {
		guest[i] = fake_vcpu();
		guest_cpu[i] = 0;
	}
	for (unsigned i = 0; in.left && i < 400; i++)
		step();
	for (unsigned i = 0; i < GUESTS; i++)
		run(i);
	for (unsigned i = 0; i < GUESTS; i++) {
		fake_cpu(guest_cpu[i]);
		fake_vcpu_free(guest[i]);
	}
}
