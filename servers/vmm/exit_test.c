/* MSRs, ports, and accesses outside memory: what is answered, what faults, and that emulated instructions touch only what they name. */
// links: servers/vmm/fake/vmm_fake.c servers/vmm/apic/lapic.c servers/vmm/console.c servers/vmm/cpuid.c lib/cpu_policy/cpu_policy.c lib/cpu_policy/cpu_policy_max.c servers/vmm/cr.c servers/vmm/exit.c
// links: servers/vmm/guest.c servers/vmm/io.c servers/vmm/lock.c servers/vmm/memory.c servers/vmm/mmio.c servers/vmm/msr.c
// links: servers/vmm/timer.c servers/vmm/context.c servers/vmm/vcpu.c servers/vmm/vcpu_start.c servers/vmm/load/cpu_record.c servers/vmm/walk.c servers/vmm/fetch.c
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
#include "servers/vmm/xen/xen.h"
#include <xen/xen.h>
#include <xen/hvm/params.h>
#include <xen/hvm/save.h>
#include <xen/sched.h>

#define CODE 0x1000u
#define HOLE 0x200000u /* mapped by the guest, no memory */
#define GP   13u
#define PF   14u

static struct vcpu *v;

static int setup(void **state)
{
	(void)state;
	fake.intel = false;
	fake_start(2);
	v = vmm.vcpu[0];
	return 0;
}

static void code(const char *bytes, unsigned n)
{
	fake_poke(CODE, bytes, n);
	v->s->rip = CODE;
	v->s->length = v->s->insn_count = 0;
	v->s->idt_vectoring = 0;
	v->inject_info = 0;
}

/* The vector raised, or -1. */
static int raised(void)
{
	return v->inject_info & EVENT_VALID ? (int)EVENT_VECTOR(v->inject_info) : -1;
}

static bool rdmsr(uint32_t msr, uint64_t *value)
{
	code("\x0f\x32", 2);
	v->s->gpr[INSULA_RCX] = 0xdead00000000ull | msr;
	msr_read_exit(v);
	*value = v->s->gpr[INSULA_RDX] << 32 | v->s->gpr[INSULA_RAX];
	return raised() < 0;
}

static bool wrmsr(uint32_t msr, uint64_t value)
{
	code("\x0f\x30", 2);
	v->s->gpr[INSULA_RCX] = msr;
	v->s->gpr[INSULA_RAX] = value & 0xffffffffu;
	v->s->gpr[INSULA_RDX] = value >> 32;
	msr_write_exit(v);
	assert_int_equal(v->s->rip, raised() < 0 ? CODE + 2 : CODE);
	return raised() < 0;
}

/* Those that there are not, where the toolstack wants no faults; what there is keeps its rules. */
static void relaxed(void **state)
{
	uint64_t value = 1;

	(void)state;
	assert_false(rdmsr(0x12345, &value));
	assert_false(wrmsr(0x12345, 1));
	fake.start.flags |= VMM_START_MSR_RELAXED;
	assert_true(rdmsr(0x12345, &value));
	assert_int_equal(value, 0);
	assert_true(wrmsr(0x12345, 1));
	assert_false(wrmsr(0xc0000080u, 1u << 12)); /* SVME */
	assert_false(rdmsr(0x800, &value));
}

static void msrs(void **state)
{
	uint64_t value;

	(void)state;
	assert_true(rdmsr(0x1b, &value));
	assert_int_equal(value, 0xfee00900);
	assert_false(wrmsr(0x1b, 0xfed00900));
	assert_false(rdmsr(0x800, &value)); /* xAPIC mode: the x2APIC registers are not there */
	assert_true(wrmsr(0x1b, 0xfee00d00));
	assert_true(rdmsr(0x802, &value));
	assert_false(wrmsr(0x802, 0));
	assert_false(rdmsr(0x8ff, &value));
	/* EFER: known bits only, LME not under paging, LMA not by hand */
	assert_true(rdmsr(0xc0000080u, &value));
	assert_false(wrmsr(0xc0000080u, value | 1u << 12)); /* SVME */
	assert_false(wrmsr(0xc0000080u, value & ~0x100ull));
	assert_true(wrmsr(0xc0000080u, value & ~0x400ull));
	assert_int_equal(v->s->efer & 0x400, 0x400);
	assert_false(wrmsr(0xc0000080u, 1ull << 63));
	assert_true(wrmsr(0x277, 0x0007040600070406ull));
	assert_false(wrmsr(0x277, 2));
	assert_false(wrmsr(0x277, 8ull << 56));
	assert_false(wrmsr(0xc0000103u, 1ull << 32));
	assert_false(wrmsr(0x1d9, 1));
	/* the hypercall page goes to memory only */
	assert_true(wrmsr(0x40000000u, 0x9000));
	assert_false(wrmsr(0x40000000u, 0x9001));
	assert_false(wrmsr(0x40000000u, FAKE_LOW_RAM));
	assert_false(wrmsr(0x40000000u, UINT64_MAX & ~0xfffull));
	/* never the host's: SVM, microcode, feature control, speculation control */
	assert_false(wrmsr(0xc0010114u, 0));
	assert_false(wrmsr(0xc0010117u, 0x1000));
	assert_false(rdmsr(0xc0010117u, &value));
	assert_false(wrmsr(0x79, 0));
	assert_false(wrmsr(0x3a, 0));
	assert_false(rdmsr(0xffffffffu, &value));
	assert_true(raised() == GP);
	/* machine-check banks: none, or as many as a domain had on Xen */
	assert_false(rdmsr(0x400, &value));
	assert_false(wrmsr(0x401, 0));
	v->vmce[0] = 0x1c02; /* two, with MCi_CTL2 */
	assert_true(rdmsr(0x179, &value));
	assert_int_equal(value, 0x1c02);
	value = 1;
	assert_true(rdmsr(0x407, &value));
	assert_int_equal(value, 0);
	assert_true(wrmsr(0x400, ~0ull));
	assert_false(rdmsr(0x408, &value));
	assert_false(rdmsr(0x17b, &value));
	assert_true(wrmsr(0x281, 0x40000001));
	assert_true(rdmsr(0x281, &value));
	assert_int_equal(value, 0x40000001);
	assert_false(rdmsr(0x282, &value));
	v->vmce[0] = 0;
}

static void ports(void **state)
{
	(void)state;
	code("\xe4\x61", 2); /* IN AL, 0x61 */
	v->s->gpr[INSULA_RAX] = 0x1122334455667788ull;
	v->s->qualification = 0x61u << 16 | 8u;
	io_exit(v);
	assert_int_equal(v->s->gpr[INSULA_RAX], 0x11223344556677ffull);
	code("\xed", 1); /* IN EAX, DX */
	v->s->qualification = 0xcfcu << 16 | 8u | 3u;
	io_exit(v);
	assert_int_equal(v->s->gpr[INSULA_RAX], 0xffffffffull);
	for (uint64_t port = 0x3f; port <= 0x43; port++) {
		code("\xec", 1); /* IN AL, DX: the PIT's counters are zeros */
		v->s->gpr[INSULA_RAX] = 0x1122334455667788ull;
		v->s->qualification = port << 16 | 8u;
		io_exit(v);
		assert_int_equal(v->s->gpr[INSULA_RAX], port > 0x3f && port < 0x43 ? 0x1122334455667700ull : 0x11223344556677ffull);
	}
	code("\x6e", 1); /* OUTS */
	v->s->qualification = 0xe9u << 16 | 16u;
	io_exit(v);
	assert_int_equal(raised(), GP);
	code("\xe6\xe9", 2);
	v->s->qualification = 0xe9u << 16;
	fake.signals = 0;
	io_exit(v);
	assert_int_equal(fake.signals, 1); /* to the console server */
}

static void access_exit(uint64_t g, uint64_t how)
{
	v->s->gpa = g;
	v->s->qualification = how;
	ept_exit(v);
}

static void nothing_there(void **state)
{
	(void)state;
	code("\x48\x8b\x03", 3); /* MOV RAX, [RBX] */
	v->s->gpr[INSULA_RBX] = HOLE + 8;
	access_exit(HOLE + 8, EPT_VIOLATION_READ);
	assert_int_equal(v->s->gpr[INSULA_RAX], UINT64_MAX);
	assert_int_equal(v->s->rip, CODE + 3);
	code("\x88\x03", 2); /* MOV [RBX], AL: dropped */
	access_exit(HOLE + 8, EPT_VIOLATION_WRITE);
	assert_int_equal(v->s->rip, CODE + 2);
	assert_int_equal(raised(), -1);
	/* across a page */
	v->s->gpr[INSULA_RBX] = HOLE + 0xffc;
	code("\x48\x8b\x03", 3);
	access_exit(HOLE + 0xffc, EPT_VIOLATION_READ);
	assert_int_equal(raised(), 6);
	/* what is no memory instruction: LOCK UD */
	code("\xf0\x0f\x0b", 3);
	access_exit(HOLE, EPT_VIOLATION_READ);
	assert_int_equal(raised(), 6);
	/* where we have something, and the guest has not: a page that it gave back */
	fake_poke(FAKE_MID_RAM, "\1\2\3\4\5\6\7", 8);
	code("\x48\x8b\x03", 3);
	v->s->gpr[INSULA_RBX] = FAKE_MID_RAM;
	access_exit(FAKE_MID_RAM, EPT_VIOLATION_READ);
	assert_int_equal(v->s->gpr[INSULA_RAX], UINT64_MAX);
	code("\x48\x89\x03", 3);
	access_exit(FAKE_MID_RAM, EPT_VIOLATION_WRITE);
	{
		uint64_t kept;

		fake_peek(FAKE_MID_RAM, &kept, sizeof(kept));
		assert_int_equal(kept, 0x0007060504030201ull);
	}
	/* not mapped by the guest at all */
	code("\x8b\x03", 2);
	v->s->gpr[INSULA_RBX] = 6ull << 30;
	access_exit(HOLE, EPT_VIOLATION_READ);
	assert_int_equal(raised(), PF);
	assert_int_equal(v->s->cr2, 6ull << 30);
	/* running there ends the domain */
	access_exit(HOLE, EPT_VIOLATION_FETCH);
	assert_int_equal(fake.reason, SHUTDOWN_crash);
}

static void events_into_nothing(void **state)
{
	(void)state;
	code("\x48\x8b\x03", 3);
	v->s->gpr[INSULA_RAX] = 0;
	v->s->gpr[INSULA_RBX] = HOLE;
	v->s->idt_vectoring = EVENT_MAKE(EVENT_EXTERNAL, 0x30);
	access_exit(HOLE, EPT_VIOLATION_WRITE);
	assert_int_equal(fake.shutdowns, 1);
	assert_int_equal(v->s->gpr[INSULA_RAX], 0); /* the instruction at RIP had no part in it */
}

/* A user program may change its instruction between exit and emulation: it must not reach what it could not. */
static void user_mode(void **state)
{
	uint64_t *pd = (uint64_t *)(TASK_RAM_VADDR + FAKE_TABLES + 0x2000), was = 0x1122334455667788ull;

	(void)state;
	v->s->seg[INSULA_SS].ar |= 3u << 5;
	v->s->seg[INSULA_CS].ar |= 3u << 5;
	/* the code stays the user's, high RAM becomes the kernel's */
	((uint64_t *)(TASK_RAM_VADDR + FAKE_TABLES + 0x2000 + 4 * 0x1000))[0] &= ~4ull;
	(void)pd;
	fake_poke(FAKE_HIGH_RAM, &was, sizeof(was));
	code("\x48\x8b\x03", 3);
	v->s->gpr[INSULA_RAX] = 0;
	v->s->gpr[INSULA_RBX] = FAKE_HIGH_RAM;
	access_exit(HOLE, EPT_VIOLATION_READ);
	assert_int_equal(raised(), PF);
	assert_int_equal(v->inject_error, 5); /* present, user */
	assert_int_equal(v->s->gpr[INSULA_RAX], 0);
	code("\x48\x89\x03", 3);
	access_exit(HOLE, EPT_VIOLATION_WRITE);
	assert_int_equal(raised(), PF);
	assert_int_equal(v->inject_error, 7);
	fake_peek(FAKE_HIGH_RAM, &was, sizeof(was));
	assert_int_equal(was, 0x1122334455667788ull);
}

static void strings(void **state)
{
	uint64_t word = 0x8877665544332211ull;

	(void)state;
	/* REP STOSD into nothing: one element per exit */
	code("\xf3\xab", 2);
	v->s->gpr[INSULA_RCX] = 3;
	v->s->gpr[INSULA_RDI] = HOLE;
	v->s->rflags = 2;
	access_exit(HOLE, EPT_VIOLATION_WRITE);
	assert_int_equal(v->s->gpr[INSULA_RCX], 2);
	assert_int_equal(v->s->gpr[INSULA_RDI], HOLE + 4);
	assert_int_equal(v->s->rip, CODE);
	access_exit(HOLE + 4, EPT_VIOLATION_WRITE);
	access_exit(HOLE + 8, EPT_VIOLATION_WRITE);
	assert_int_equal(v->s->rip, CODE + 2);
	/* MOVSQ from RAM, backwards, with a DS base that 64-bit mode ignores */
	code("\x48\xa5", 2);
	v->s->seg[INSULA_DS].base = 0x100000;
	v->s->rflags = 0x402;
	fake_poke(0x4000, &word, 8);
	v->s->gpr[INSULA_RSI] = 0x4000;
	v->s->gpr[INSULA_RDI] = HOLE;
	access_exit(HOLE, EPT_VIOLATION_WRITE);
	assert_int_equal(v->s->gpr[INSULA_RSI], 0x4000 - 8);
	assert_int_equal(v->s->rip, CODE + 2);
	/* an element across a page is not written where the guest did not say */
	code("\x48\xa5", 2);
	v->s->gpr[INSULA_RSI] = HOLE;
	v->s->gpr[INSULA_RDI] = 0x4ffc;
	access_exit(HOLE, EPT_VIOLATION_READ);
	assert_int_equal(raised(), 6);
	fake_peek(0x5000, &word, 8);
	assert_int_equal(word, 0);
	/* a count of zero does nothing */
	code("\xf3\xab", 2);
	v->s->gpr[INSULA_RCX] = 0;
	access_exit(HOLE, EPT_VIOLATION_WRITE);
	assert_int_equal(v->s->rip, CODE + 2);
}

/* Who traces itself is told after each iteration, with RIP still at the instruction, and after the last one behind it. */
static void strings_traced(void **state)
{
	static const char *const repeated[] = {"\xf3\xab", "\xf3\xa5", "\xf3\xad"}; /* STOSD, MOVSD, LODSD */

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		code(repeated[i], 2);
		v->s->gpr[INSULA_RCX] = 3;
		v->s->gpr[INSULA_RDI] = HOLE;
		v->s->gpr[INSULA_RSI] = i == 1 ? 0x4000 : HOLE;
		v->s->rflags = 0x102;
		v->s->interruptibility = SHADOW_STI;
		for (unsigned n = 1; n <= 3; n++) {
			v->step_pending = false;
			fake.steps = 0;
			access_exit(HOLE + 4 * (n - 1), i == 2 ? EPT_VIOLATION_READ : EPT_VIOLATION_WRITE);
			assert_int_equal(fake.steps, 1);
			assert_true(v->step_pending);
			assert_int_equal(v->s->gpr[INSULA_RCX], 3 - n);
			assert_int_equal(v->s->rip, n < 3 ? CODE : CODE + 2);
			assert_int_equal(v->s->interruptibility, 0);
		}
	}
	/* an iteration that faults is none */
	code("\xf3\xab", 2);
	v->s->gpr[INSULA_RCX] = 3;
	v->s->gpr[INSULA_RDI] = 6ull << 30;
	v->step_pending = false;
	fake.steps = 0;
	access_exit(HOLE, EPT_VIOLATION_WRITE);
	assert_int_equal(raised(), PF);
	assert_int_equal(fake.steps, 0);
	assert_false(v->step_pending);
	v->s->rflags = 2;
}

/* A guest whose record says that it is in PAE paging begins with its four top entries: on VT-x nobody else loads them. */
static void pae_record(void **state)
{
	struct hvm_hw_cpu c = {.rip = CODE, .cr0 = 0x80000011u, .cr3 = 0x4020, .cr4 = 0x20, .cs_arbytes = 0xc9b, .cs_limit = ~0u};
	const uint64_t top[4] = {0x5001, 0x6001, 0, 0x8001}, none[4] = {0};
	uint8_t record[sizeof(c)];

	(void)state;
	fake_poke(0x4020, top, sizeof(top));
	memcpy(record, &c, sizeof(c));
	assert_true(vcpu_start_record(v, record, sizeof(record)));
	assert_memory_equal(fake.pdpte, top, sizeof(top));
	/* outside its memory there are none */
	c.cr3 = FAKE_LOW_RAM - 16;
	memcpy(record, &c, sizeof(c));
	assert_true(vcpu_start_record(v, record, sizeof(record)));
	assert_memory_equal(fake.pdpte + 2, none, 16);
	/* long mode has none */
	c.cr3 = 0x4020;
	c.msr_efer = 0x500;
	memcpy(record, &c, sizeof(c));
	memset(fake.pdpte, 0, sizeof(fake.pdpte));
	assert_true(vcpu_start_record(v, record, sizeof(record)));
	assert_memory_equal(fake.pdpte, none, sizeof(none));
}

/* MOV to and from CR4, which come out where the kernel cannot decode them. */
static void cr4(void **state)
{
	const uint64_t old = v->s->cr4;

	(void)state;
	v->s->reason = EXIT_CR;
	code("\x0f\x22\xe0", 3); /* MOV CR4, RAX */
	v->s->gpr[INSULA_RAX] = old | 0x2c0;
	v->s->dirty = 0;
	exit_handle(v);
	assert_int_equal(raised(), -1);
	assert_int_equal(v->s->cr4, old | 0x2c0);
	assert_true(v->s->dirty & INSULA_VS_CR);
	assert_int_equal(v->s->rip, CODE + 3);
	code("\x41\x0f\x20\xe1", 4); /* MOV R9, CR4 */
	exit_handle(v);
	assert_int_equal(v->s->gpr[INSULA_R9], old | 0x2c0);
	assert_int_equal(v->s->rip, CODE + 4);
	code("\x0f\x20\xe4", 3); /* MOV RSP, CR4; and back */
	exit_handle(v);
	assert_int_equal(v->s->rsp, old | 0x2c0);
	v->s->rsp = old;
	code("\x0f\x22\xe4", 3);
	exit_handle(v);
	assert_int_equal(v->s->cr4, old);
	/* what the CPU would refuse: unknown bits, what is not offered, long mode without PAE, PCIDs with a PCID in CR3 */
	for (unsigned bit = 0; bit < 64; bit++) {
		uint64_t value = old ^ 1ull << bit;

		code("\x0f\x22\xe0", 3);
		v->s->gpr[INSULA_RAX] = value;
		exit_handle(v);
		if (bit == 5 || bit == 17 || (value & ~cpuid_cr4_mask())) {
			assert_int_equal(raised(), GP);
			assert_int_equal(v->s->rip, CODE);
			assert_int_equal(v->s->cr4, old);
			continue;
		}
		assert_true(bit <= 11 || bit == 16 || bit == 18 || bit == 20 || bit == 21);
		assert_int_equal(v->s->cr4, value);
		v->s->cr4 = old;
	}
	/* another instruction by now */
	code("\x0f\x22\xd8", 3); /* MOV CR3, RAX */
	exit_handle(v);
	assert_int_equal(raised(), 6);
	assert_int_equal(v->s->cr4, old);
}

static void xapic_page(void **state)
{
	(void)state;
	code("\x8b\x03", 2);
	v->s->gpr[INSULA_RBX] = 0xfee00030u;
	access_exit(0xfee00030u, EPT_VIOLATION_READ);
	assert_int_equal(v->s->gpr[INSULA_RAX], 0x50014);
	/* SVR on, then a self IPI */
	code("\xc7\x03\xff\x01\0\0", 6);
	v->s->gpr[INSULA_RBX] = 0xfee000f0u;
	access_exit(0xfee000f0u, EPT_VIOLATION_WRITE);
	code("\xc7\x03\x41\0\x04\0", 6);
	v->s->gpr[INSULA_RBX] = 0xfee00300u;
	access_exit(0xfee00300u, EPT_VIOLATION_WRITE);
	assert_int_equal(lapic_pending(&v->lapic), 0x41);
	/* a byte of a register reads, and does not write */
	code("\x8a\x03", 2);
	v->s->gpr[INSULA_RBX] = 0xfee00032u;
	access_exit(0xfee00032u, EPT_VIOLATION_READ);
	assert_int_equal(v->s->gpr[INSULA_RAX] & 0xff, 5);
	for (uint32_t reg = 0; reg < 0x1000; reg += 4) {
		code("\x8b\x03", 2);
		v->s->gpr[INSULA_RBX] = 0xfee00000u + reg;
		access_exit(0xfee00000u + reg, EPT_VIOLATION_READ);
		code("\x89\x03", 2);
		v->s->gpr[INSULA_RAX] = 0xffffffffu;
		access_exit(0xfee00000u + reg, EPT_VIOLATION_WRITE);
		code("\xc6\x03\xff", 3);
		access_exit(0xfee00000u + reg, EPT_VIOLATION_WRITE);
	}
}

/* A guest that spins gives its turn to others, and goes on behind its PAUSE. */
static void spins(void **state)
{
	(void)state;
	code("\xf3\x90", 2);
	v->s->reason = EXIT_PAUSE;
	exit_handle(v);
	assert_int_equal(fake.yields, 1);
	assert_int_equal(v->s->rip, CODE + 2);
	assert_int_equal(v->run, VCPU_RUNNING);
	assert_int_equal(fake.pause_loops, vmm.vcpu_count);
}

static void halts(void **state)
{
	(void)state;
	vmm.vcpu[1]->run = VCPU_RUNNING;
	code("\xf4", 1);
	v->s->reason = EXIT_HLT;
	exit_handle(v);
	assert_int_equal(v->run, VCPU_HALTED);
	(void)lapic_write(&v->lapic, 0xf0, 0x1ff, 0);
	(void)lapic_accept(&v->lapic, 0x40, false);
	fake_run(v);
	assert_int_equal(v->run, VCPU_RUNNING);
	/* with interrupts off: a pending one must not make it spin */
	(void)lapic_accept(&v->lapic, 0x50, false);
	code("\xf4", 1);
	v->s->rflags = 2;
	exit_handle(v);
	fake_run(v);
	assert_int_equal(v->run, VCPU_OFFLINE);
	assert_int_equal(fake.shutdowns, 0);
	vmm.vcpu[1]->s->rip = CODE;
	vmm.vcpu[1]->s->length = 1;
	vmm.vcpu[1]->s->reason = EXIT_HLT;
	vmm.vcpu[1]->s->rflags = 2;
	exit_handle(vmm.vcpu[1]);
	assert_int_equal(fake.shutdowns, 1);
	assert_int_equal(fake.reason, SHUTDOWN_poweroff);
}

static void crosses_and_ends(void **state)
{
	(void)state;
	v->s->reason = 1u << 31 | EXIT_ENTRY_GUEST_STATE;
	exit_handle(v);
	assert_int_equal(fake.reason, SHUTDOWN_crash);
	(void)setup(NULL);
	v->s->reason = EXIT_TRIPLE_FAULT;
	exit_handle(v);
	assert_int_equal(fake.reason, SHUTDOWN_crash);
	(void)setup(NULL);
	fake.start.flags |= VMM_START_BARE;
	hvm_init();
	vmm.control->param[HVM_PARAM_TRIPLE_FAULT_REASON] = SHUTDOWN_reboot;
	v->s->reason = EXIT_TRIPLE_FAULT;
	exit_handle(v);
	assert_int_equal(fake.reason, SHUTDOWN_reboot);
	(void)setup(NULL);
	v->s->reason = 200;
	exit_handle(v);
	assert_int_equal(fake.shutdowns, 1);
	(void)setup(NULL);
	/* XSETBV: only what was offered, at CPL 0 */
	code("\x0f\x01\xd1", 3);
	v->s->reason = EXIT_XSETBV;
	v->s->gpr[INSULA_RCX] = 0;
	v->s->gpr[INSULA_RDX] = 0;
	v->s->gpr[INSULA_RAX] = 7;
	exit_handle(v);
	assert_int_equal(v->s->xcr0, 7);
	for (uint32_t bad = 0; bad < 0x400; bad++) {
		if (bad == 1 || bad == 3 || bad == 7)
			continue;
		code("\x0f\x01\xd1", 3);
		v->s->gpr[INSULA_RAX] = bad;
		exit_handle(v);
		assert_int_equal(raised(), GP);
		assert_int_equal(v->s->xcr0, 7);
	}
	/* what it has held is remembered */
	code("\x0f\x01\xd1", 3);
	v->s->gpr[INSULA_RAX] = 1;
	exit_handle(v);
	assert_int_equal(v->s->xcr0, 1);
	assert_int_equal(v->xcr0_accum, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(msrs, setup),
		cmocka_unit_test_setup(relaxed, setup),
		cmocka_unit_test_setup(ports, setup),
		cmocka_unit_test_setup(nothing_there, setup),
		cmocka_unit_test_setup(events_into_nothing, setup),
		cmocka_unit_test_setup(user_mode, setup),
		cmocka_unit_test_setup(strings, setup),
		cmocka_unit_test_setup(strings_traced, setup),
		cmocka_unit_test_setup(pae_record, setup),
		cmocka_unit_test_setup(cr4, setup),
		cmocka_unit_test_setup(xapic_page, setup),
		cmocka_unit_test_setup(spins, setup),
		cmocka_unit_test_setup(halts, setup),
		cmocka_unit_test_setup(crosses_and_ends, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
