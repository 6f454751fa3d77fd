/* Instructions whose exit tells no length: prefixes, modes, pages that are not there, the code segment's end, and the remembered way to a page. */
// links: servers/vmm/fake/vmm_fake.c servers/vmm/apic/lapic.c servers/vmm/console.c servers/vmm/cpuid.c lib/cpu_policy/cpu_policy.c lib/cpu_policy/cpu_policy_max.c servers/vmm/cr.c servers/vmm/exit.c
// links: servers/vmm/guest.c servers/vmm/io.c servers/vmm/lock.c servers/vmm/memory.c servers/vmm/mmio.c servers/vmm/msr.c
// links: servers/vmm/timer.c servers/vmm/context.c servers/vmm/vcpu.c servers/vmm/vcpu_start.c servers/vmm/load/cpu_record.c servers/vmm/walk.c
// links: servers/vmm/xen/console_io.c servers/vmm/xen/dispatch.c servers/vmm/xen/event_op.c servers/vmm/xen/evtchn.c servers/vmm/xen/evtchn_fifo.c servers/vmm/xen/evtchn_remote.c servers/vmm/xen/physmap_call.c user/message.c
// links: servers/vmm/xen/argument.c servers/vmm/xen/compat.c servers/vmm/xen/grant.c servers/vmm/xen/hvm.c servers/vmm/xen/foreign.c servers/vmm/xen/memory_op.c servers/vmm/xen/sched_op.c
// links: servers/vmm/xen/shared_info.c servers/vmm/xen/vcpu_op.c servers/vmm/xen/version.c
// links: lib/insn/insn.c lib/insn/insn_exec.c lib/pvclock/pvclock.c lib/ring/ring.c
// cflags: -std=gnu11 -iquote servers/vmm/fake/include -D__XEN_TOOLS__
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "insula/exit_reason.h"
#include "servers/vmm/fake/vmm_fake.h"
#include "servers/vmm/walk.h"

#define CODE   0x2000u
#define TABLES 0x20000u /* a second set: 4-level, mapping LINEAR's pages one by one */
#define LINEAR 0xffffffff80000000ull
#define UD     6
#define GP     13
#define PF     14

static struct vcpu *v;

static int setup(void **state)
{
	(void)state;
	fake.intel = false;
	fake_start(1);
	v = vmm.vcpu[0];
	v->s->seg[INSULA_CS].limit = 0xffffffffu;
	return 0;
}

static int raised(void)
{
	return v->inject_info & EVENT_VALID ? (int)EVENT_VECTOR(v->inject_info) : -1;
}

static void entry(unsigned table, unsigned index, uint64_t value)
{
	fake_poke(TABLES + table * 0x1000u + index * 8u, &value, 8);
}

/* LINEAR + n * 4 KiB is at CODE + n * 4 KiB, for n = 0 and 1. */
static void own_tables(void)
{
	v->s->cr3 = TABLES;
	entry(0, 511, (TABLES + 0x1000) | 3);
	entry(1, 510, (TABLES + 0x2000) | 3);
	entry(2, 0, (TABLES + 0x3000) | 3);
	entry(3, 0, CODE | 3);
	entry(3, 1, (CODE + 0x1000) | 3);
}

static void mode(enum insn_mode m)
{
	setup(NULL);
	if (m == INSN_MODE_64)
		return;
	v->s->cr0 = m == INSN_MODE_32 ? 0x31 : 0x10;
	v->s->efer = v->s->cr4 = v->s->cr3 = 0;
	v->s->seg[INSULA_CS].ar = m == INSN_MODE_32 ? 0xc09b : 0x9b;
	v->s->seg[INSULA_CS].limit = m == INSN_MODE_32 ? 0xffffffffu : 0xffffu;
}

/* ---- every exit that needs a length, behind every redundant prefix ---- */

struct exiting {
	uint64_t reason;
	const char *bytes;
	unsigned n;
	bool raises; /* the VMM answers with an exception: RIP stays */
};

static const struct exiting exiting[] = {
    {EXIT_CPUID, "\x0f\xa2", 2, false},	      {EXIT_RDMSR, "\x0f\x32", 2, false},
    {EXIT_WRMSR, "\x0f\x30", 2, false},	      {EXIT_HLT, "\xf4", 1, false},
    {EXIT_VMCALL, "\x0f\x01\xd9", 3, false},     {EXIT_VMCALL, "\x0f\x01\xc1", 3, false},
    {EXIT_XSETBV, "\x0f\x01\xd1", 3, false},     {EXIT_WBINVD, "\x0f\x09", 2, false},
    {EXIT_INVD, "\x0f\x08", 2, false},	      {EXIT_PAUSE, "\xf3\x90", 2, false},
    {EXIT_MONITOR, "\x0f\x01\xc8", 3, true},     {EXIT_MWAIT, "\x0f\x01\xc9", 3, true},
};

static void put_exit(const struct exiting *e, const uint8_t *prefix, unsigned prefixes, uint64_t rip)
{
	uint8_t bytes[32];

	memset(bytes, 0xcc, sizeof(bytes));
	if (prefixes)
		memcpy(bytes, prefix, prefixes);
	memcpy(bytes + prefixes, e->bytes, e->n);
	fake_poke(CODE, bytes, sizeof(bytes));
	v->s->rip = rip;
	v->s->length = v->s->insn_count = 0;
	v->s->idt_vectoring = 0;
	v->s->reason = e->reason;
	v->s->gpr[INSULA_RAX] = 1;
	v->s->gpr[INSULA_RDX] = 0;
	v->s->gpr[INSULA_RCX] = e->reason == EXIT_XSETBV ? 0 : 0x277; /* PAT */
	if (e->reason == EXIT_WRMSR)
		v->s->gpr[INSULA_RAX] = 0x00070406;
	v->inject_info = 0;
	v->run = VCPU_RUNNING;
	v->s->rflags = 0x202;
}

static void prefixes(void **state)
{
	static const uint8_t one[] = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf2, 0xf3};
	uint8_t p[15];

	(void)state;
	for (unsigned m = 0; m < 3; m++) {
		for (unsigned i = 0; i < sizeof(exiting) / sizeof(*exiting); i++) {
			const struct exiting *e = &exiting[i];

			mode((enum insn_mode)m);
			for (unsigned count = 0; count <= 15 - e->n; count++) {
				/* F2 and F3 exclude each other; PAUSE is an F3 */
				for (unsigned k = 0; k < count; k++)
					p[k] = one[(k * 3 + count + i) % (e->reason == EXIT_PAUSE ? 8 : 10)];
				if (m == INSN_MODE_64 && count && (count & 1))
					p[count - 1] = 0x48;
				if (e->reason == EXIT_PAUSE && count)
					p[count - 1] = 0x66; /* REX before F3 counts for nothing; here none */
				put_exit(e, p, count, CODE);
				exit_handle(v);
				assert_int_equal(raised(), e->raises ? UD : -1);
				assert_int_equal(v->s->rip, CODE + (e->raises ? 0 : count + e->n));
			}
			/* sixteen bytes are no instruction */
			memset(p, 0x2e, sizeof(p));
			put_exit(e, p, 16 - e->n, CODE);
			exit_handle(v);
			assert_int_equal(v->s->rip, CODE);
			assert_true(raised() == UD);
		}
	}
}

/* The CPU gives the length of port I/O on both vendors, and it is used as it is. */
static void given_length(void **state)
{
	static const struct exiting in = {EXIT_IO, "\xec", 1, false};

	(void)state;
	put_exit(&in, NULL, 0, CODE);
	v->s->length = 5;
	v->s->qualification = 0x610008;
	exit_handle(v);
	assert_int_equal(v->s->rip, CODE + 5);
}

static void segments(void **state)
{
	(void)state;
	/* real mode: the base counts, and addresses wrap at 4 GiB */
	mode(INSN_MODE_16);
	v->s->seg[INSULA_CS].base = 0x1000;
	put_exit(&exiting[0], NULL, 0, CODE - 0x1000);
	exit_handle(v);
	assert_int_equal(v->s->rip, CODE - 0x1000 + 2);
	v->s->seg[INSULA_CS].base = 0xffffff00u;
	put_exit(&exiting[0], NULL, 0, CODE + 0x100);
	exit_handle(v);
	assert_int_equal(v->s->rip, CODE + 0x102);
	/* CPUID of 2 bytes that ends with the segment, and one that does not fit */
	v->s->seg[INSULA_CS].base = CODE - 0xfffe;
	put_exit(&exiting[0], NULL, 0, 0xfffe);
	exit_handle(v);
	assert_int_equal(raised(), -1);
	v->s->seg[INSULA_CS].base = CODE - 0xffff;
	put_exit(&exiting[0], NULL, 0, 0xffff);
	exit_handle(v);
	assert_int_equal(raised(), GP);
	assert_int_equal(v->s->rip, 0xffff);
	/* an address that is none */
	mode(INSN_MODE_64);
	put_exit(&exiting[0], NULL, 0, 0x800000000000ull);
	exit_handle(v);
	assert_int_equal(raised(), GP);
}

/* ---- pages ---- */

static void page_boundary(void **state)
{
	static const uint8_t cpuid[] = {0x0f, 0xa2};

	(void)state;
	own_tables();
	for (unsigned at = 0xff0; at < 0x1000; at++) {
		setup(NULL);
		own_tables();
		put_exit(&exiting[0], NULL, 0, LINEAR + at);
		fake_poke(CODE + at, cpuid, 2);
		exit_handle(v);
		assert_int_equal(raised(), -1);
		assert_int_equal(v->s->rip, LINEAR + at + 2);
		/* without the second page: only what reaches into it faults, as it would on the CPU */
		entry(3, 1, 0);
		put_exit(&exiting[0], NULL, 0, LINEAR + at);
		fake_poke(CODE + at, cpuid, 2);
		exit_handle(v);
		assert_int_equal(raised(), at == 0xfff ? PF : -1);
		if (at != 0xfff)
			continue;
		assert_int_equal(v->s->rip, LINEAR + at);
		assert_int_equal(v->s->cr2, LINEAR + 0x1000);
		assert_int_equal(v->inject_error & PF_PRESENT, 0);
		/* there, but not to be executed */
		v->s->efer |= 0x800;
		entry(3, 1, (CODE + 0x1000) | 3 | 1ull << 63);
		put_exit(&exiting[0], NULL, 0, LINEAR + at);
		fake_poke(CODE + at, cpuid, 2);
		exit_handle(v);
		assert_int_equal(raised(), PF);
		assert_int_equal(v->inject_error, PF_PRESENT | PF_FETCH);
		assert_true(v->s->dirty & INSULA_VS_CR);
	}
	/* a page of no memory is nobody's fault: what is there is no instruction */
	entry(3, 1, 0x7ffffff000ull | 3);
	put_exit(&exiting[0], NULL, 0, LINEAR + 0xfff);
	fake_poke(CODE + 0xfff, cpuid, 1);
	exit_handle(v);
	assert_int_equal(raised(), UD);
}

static unsigned length_at(uint64_t linear)
{
	struct insn in;

	v->s->rip = linear;
	v->inject_info = 0;
	return guest_instruction(v, &in) ? in.length : 0;
}

/* Whatever of the way to a page changes is seen, at once. */
static void changed_tables(void **state)
{
	(void)state;
	own_tables();
	fake_poke(CODE, "\x0f\xa2", 2);
	fake_poke(CODE + 0x1000, "\x2e\x0f\xa2", 3);
	for (unsigned round = 0; round < 3; round++) {
		assert_int_equal(length_at(LINEAR), 2);
		/* another page, by the last entry */
		entry(3, 0, (CODE + 0x1000) | 3);
		assert_int_equal(length_at(LINEAR), 3);
		entry(3, 0, CODE | 0x63); /* accessed, dirty: the same page */
		assert_int_equal(length_at(LINEAR), 2);
		/* by each table above */
		entry(2, 0, 0);
		assert_int_equal(length_at(LINEAR), 0);
		assert_int_equal(raised(), PF);
		entry(2, 0, (CODE & ~0x1fffffull) | 0x83);
		assert_int_equal(length_at(LINEAR + CODE + 0x1000), 3);
		entry(2, 0, (TABLES + 0x3000) | 3);
		assert_int_equal(length_at(LINEAR), 2);
		entry(1, 510, 0);
		assert_int_equal(length_at(LINEAR), 0);
		entry(1, 510, (TABLES + 0x2000) | 3);
		assert_int_equal(length_at(LINEAR), 2);
		entry(0, 511, 0);
		assert_int_equal(length_at(LINEAR), 0);
		entry(0, 511, (TABLES + 0x1000) | 3);
		assert_int_equal(length_at(LINEAR), 2);
		/* by the registers that decide: CPL, CR3, EFER.NXE, paging itself */
		v->s->seg[INSULA_SS].ar |= 0x60;
		assert_int_equal(length_at(LINEAR), 0);
		assert_int_equal(v->inject_error & (PF_PRESENT | PF_USER), PF_PRESENT | PF_USER);
		v->s->seg[INSULA_SS].ar &= ~0x60u;
		assert_int_equal(length_at(LINEAR), 2);
		v->s->cr3 = 0x7000;
		assert_int_equal(length_at(LINEAR), 0);
		v->s->cr3 = TABLES;
		entry(3, 0, CODE | 3 | 1ull << 63);
		v->s->efer &= ~0x800ull;
		assert_int_equal(length_at(LINEAR), 2);
		v->s->efer |= 0x800;
		assert_int_equal(length_at(LINEAR), 0);
		entry(3, 0, CODE | 3);
		assert_int_equal(length_at(LINEAR), 2);
		/* the bytes themselves */
		fake_poke(CODE, "\x66\x66\xf4", 3);
		assert_int_equal(length_at(LINEAR), 3);
		fake_poke(CODE, "\x0f\xa2", 2);
		assert_int_equal(length_at(LINEAR), 2);
		/* pages that share a place in what is remembered */
		for (unsigned i = 1; i < 16; i++) {
			entry(3, i, CODE | 3);
			assert_int_equal(length_at(LINEAR + i * 0x1000u), 2);
		}
		entry(3, 1, (CODE + 0x1000) | 3);
		assert_int_equal(length_at(LINEAR + 0x1000), 3);
	}
}

/* 32-bit and PAE paging are walked as well. */
static void other_paging(void **state)
{
	uint32_t directory = 0x26000 | 3, page = CODE | 3;
	uint64_t pointer = 0x27000 | 1, table = 0x28000 | 3, leaf = CODE | 3;

	(void)state;
	mode(INSN_MODE_32);
	v->s->cr0 = 0x80000031u;
	v->s->cr3 = 0x25000;
	fake_poke(0x25000, &directory, 4);
	fake_poke(0x26000 + 5 * 4, &page, 4);
	fake_poke(CODE, "\x0f\xa2", 2);
	assert_int_equal(length_at(0x5000), 2);
	page = 0;
	fake_poke(0x26000 + 5 * 4, &page, 4);
	assert_int_equal(length_at(0x5000), 0);
	v->s->cr4 = 0x20;
	v->s->cr3 = 0x29000;
	fake_poke(0x29000, &pointer, 8);
	fake_poke(0x27000, &table, 8);
	fake_poke(0x28000 + 5 * 8, &leaf, 8);
	assert_int_equal(length_at(0x5000), 2);
	leaf = 0;
	fake_poke(0x28000 + 5 * 8, &leaf, 8);
	assert_int_equal(length_at(0x5000), 0);
}

/* A guest that traces itself gets the step over what was done for it, before any interrupt. */
static void traced(void **state)
{
	(void)state;
	put_exit(&exiting[0], NULL, 0, CODE);
	exit_handle(v);
	assert_int_equal(fake.steps, 0);
	put_exit(&exiting[0], NULL, 0, CODE);
	v->s->rflags |= 0x100;
	(void)lapic_write(&v->lapic, 0xf0, 0x1ff, 0);
	(void)lapic_accept(&v->lapic, 0x40, false);
	exit_handle(v);
	assert_int_equal(fake.steps, 1);
	v->s->entry_info = 0;
	fake_run(v);
	assert_int_equal(v->s->entry_info, 0);
	assert_int_equal(v->s->window & 1, 1);
	fake_run(v);
	assert_int_equal(v->s->entry_info, EVENT_MAKE(EVENT_EXTERNAL, 0x40));
}

/* Copies remember the way too: for reading and for writing each its own. */
static void copies(void **state)
{
	static const char text[] = "0123456789abcdef";
	char got[17] = {0};

	(void)state;
	setup(NULL);
	own_tables();
	v->s->cr0 |= 1u << 16; /* WP */
	for (unsigned round = 0; round < 3; round++) {
		entry(3, 0, CODE | 3);
		entry(3, 1, (CODE + 0x1000) | 3);
		assert_true(guest_write(v, gva(LINEAR + 0xff8), text, 16));
		fake_peek(CODE + 0xff8, got, 16);
		assert_memory_equal(got, text, 16);
		memset(got, 0, sizeof(got));
		assert_true(guest_read(v, gva(LINEAR + 0xff8), got, 16));
		assert_memory_equal(got, text, 16);
		/* no longer writable: the second page, which is come to after the first */
		entry(3, 1, (CODE + 0x1000) | 1);
		assert_false(guest_write(v, gva(LINEAR + 0xff8), "ABCDEFGHIJKLMNOP", 16));
		assert_true(guest_read(v, gva(LINEAR + 0xff8), got, 16));
		assert_memory_equal(got, "ABCDEFGH89abcdef", 16);
		v->s->cr0 &= ~(1ull << 16);
		assert_true(guest_write(v, gva(LINEAR + 0x1000), "IJKLMNOP", 8));
		v->s->cr0 |= 1u << 16;
		assert_false(guest_write(v, gva(LINEAR + 0x1000), "x", 1));
		/* another page */
		entry(3, 1, CODE | 3);
		assert_true(guest_read(v, gva(LINEAR + 0x1ff8), got, 8));
		assert_memory_equal(got, "ABCDEFGH", 8);
		/* by a table above, of which both are */
		entry(2, 0, 0);
		assert_false(guest_read(v, gva(LINEAR + 0x1ff8), got, 8));
		assert_false(guest_write(v, gva(LINEAR + 0x1ff8), text, 8));
		entry(2, 0, (TABLES + 0x3000) | 3);
		/* a page of no memory */
		entry(3, 1, 0x7ffffff000ull | 3);
		assert_false(guest_read(v, gva(LINEAR + 0x1000), got, 1));
		assert_false(guest_write(v, gva(LINEAR + 0x1000), text, 1));
		assert_int_equal(raised(), -1);
	}
}

/* What was found during a hypercall is good until that ends, or an access faults, as a CPU's own memory of it is; and for what was found to be allowed. */
static void copies_of_one_hypercall(void **state)
{
	uint8_t got[8];

	(void)state;
	setup(NULL);
	own_tables();
	fake_poke(CODE, "01234567", 8);
	assert_true(guest_read(v, gva(LINEAR), got, 8));
	v->hypercall = ++v->hypercalls;
	entry(3, 0, 0);
	assert_false(guest_read(v, gva(LINEAR), got, 8)); /* found before it */
	entry(3, 0, CODE | 1);
	v->s->cr0 |= 1u << 16; /* WP */
	assert_true(guest_read(v, gva(LINEAR), got, 8));
	entry(3, 0, 0);
	fake_poke(CODE, "abcdefgh", 8);
	assert_true(guest_read(v, gva(LINEAR), got, 8));
	assert_memory_equal(got, "abcdefgh", 8);
	entry(3, 0, CODE | 1);
	assert_false(guest_write(v, gva(LINEAR), "x", 1));
	entry(3, 0, 0);
	assert_false(guest_read(v, gva(LINEAR), got, 8));
	entry(3, 0, CODE | 3);
	assert_true(guest_read(v, gva(LINEAR), got, 8));
	entry(3, 0, 0);
	assert_true(guest_write(v, gva(LINEAR), "x", 1));
	assert_true(guest_read(v, gva(LINEAR), got, 8));
	assert_memory_equal(got, "xbcdefgh", 8);
	assert_false(guest_read(v, gva(LINEAR + 0x2000), got, 8));
	vmm.pages_removed++;
	assert_false(guest_read(v, gva(LINEAR), got, 8));
	entry(3, 0, CODE | 3);
	assert_true(guest_read(v, gva(LINEAR), got, 8));
	entry(3, 0, 0);
	v->hypercall = 0;
	assert_false(guest_read(v, gva(LINEAR), got, 8));
	entry(3, 0, CODE | 3);
	assert_true(guest_read(v, gva(LINEAR), got, 8));
	entry(3, 0, 0);
	v->hypercall = ++v->hypercalls;
	assert_false(guest_read(v, gva(LINEAR), got, 8));
	/* one that is really made */
	v->hypercall = 0;
	entry(3, 0, CODE | 3);
	fake_poke(CODE, "\x0f\x01\xd9", 3);
	v->s->rip = LINEAR;
	v->s->length = 0;
	v->s->reason = EXIT_VMCALL;
	v->s->gpr[INSULA_RAX] = 63;
	exit_handle(v);
	assert_int_equal(v->s->gpr[INSULA_RAX], (uint64_t)-38);
	assert_int_equal(v->s->rip, LINEAR + 3);
	assert_int_equal(v->hypercall, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(prefixes, setup),
		cmocka_unit_test_setup(given_length, setup),
		cmocka_unit_test_setup(segments, setup),
		cmocka_unit_test_setup(page_boundary, setup),
		cmocka_unit_test_setup(changed_tables, setup),
		cmocka_unit_test_setup(other_paging, setup),
		cmocka_unit_test_setup(traced, setup),
		cmocka_unit_test_setup(copies, setup),
		cmocka_unit_test_setup(copies_of_one_hypercall, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
