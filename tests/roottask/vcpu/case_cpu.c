/* CPU state that is nobody's but its owner's: FPU, XCR0, debug registers; the guest's share of the CPU; and
 * the cost of an exit. */
#include "machine.h"
#include "vcpu_hw.h"

#define R(x) GPR(&machine, x)

static void cpu_fpu(void)
{
	case_begin("SSE registers of guest and VMM");
	machine_long(guest_sse);
	R(RAX) = 0x1122334455667788;
	hw_set_xmm0(0x99aabbccddeeff00);
	machine_expect(12);
	case_equal(hw_get_xmm0(), 0x99aabbccddeeff00, "the VMM's XMM0");
	machine_long(guest_read_sse);
	machine_expect(12);
	case_equal(R(RAX), 0x1122334455667788, "the guest's XMM0");
	case_end();
}

static void cpu_xcr0(void)
{
	uint32_t r[4];
	uint64_t host;

	hw_cpuid(1, r);
	if (!(r[2] & 1u << 27))
		return;
	case_begin("XCR0 of guest and VMM");
	host = hw_xgetbv();
	machine_long(guest_xsetbv);
	machine.s->cr4 |= 1u << 18;
	R(RAX) = 3;
	machine.s->wanted = INSULA_VS_CTL;
	machine_enter();
	if (machine.s->reason == 55) {
		machine.s->xcr0 = 3;
		machine.s->rip += 3;
		machine.s->dirty = INSULA_VS_CTL | INSULA_VS_IP;
		machine_enter();
	}
	case_equal(machine.s->reason, 12, "the exit reason");
	case_equal(machine.s->xcr0, 3, "the guest's XCR0");
	case_equal(hw_xgetbv(), host, "the VMM's XCR0");
	machine.s->xcr0 = 4;
	machine.s->rip = guest_at(guest_hlt);
	machine.s->dirty = INSULA_VS_CTL | INSULA_VS_IP;
	machine_expect(12);
	case_equal(machine.s->xcr0, 3, "XCR0 after an illegal value");
	case_end();
}

static void cpu_debug(void)
{
	case_begin("debug registers stay with their guest");
	machine_long(guest_dr);
	R(RAX) = 0x1000;
	R(RBX) = 0x2000;
	machine.s->wanted = INSULA_VS_DEBUG;
	machine_expect(12);
	case_equal(machine.s->dr[0], 0x1000, "DR0");
	case_equal(machine.s->dr[3], 0x2000, "DR3");
	machine.s->rip = guest_at(guest_read_dr);
	machine.s->gpr[INSULA_RAX] = machine.s->gpr[INSULA_RBX] = 0;
	machine.s->dirty = INSULA_VS_IP | INSULA_VS_GPR;
	machine_expect(12);
	case_equal(R(RAX), 0x1000, "DR0 read by the guest");
	case_equal(R(RBX), 0x2000, "DR3 read by the guest");
	case_end();
}

static volatile uint64_t cpu_other_count;

static void cpu_other(void)
{
	for (;;)
		cpu_other_count++;
}

static void cpu_share(void)
{
	volatile uint64_t *counter = machine_word(GUEST_DATA);
	uint64_t before, tcb;

	case_begin("a spinning guest shares the CPU");
	tcb = runtime_thread(cpu_other, runtime_sc(2000, 2000), 255);
	machine_long(guest_count);
	machine.s->rflags = 0x202;
	R(RAX) = GUEST_DATA;
	*counter = 0;
	runtime_must(bare_call(machine.timer, InsulaTimerSet, WORDS(hw_rdtsc() + 100000000), NONE), "timer");
	before = cpu_other_count;
	case_equal(machine_enter(), 0, "VMEnter's result");
	case_check(*counter > 1000, "the guest has run");
	case_check(cpu_other_count - before > 1000, "the other thread has run");
	runtime_must(bare_call(tcb, TCBSuspend, NONE, NONE), "suspend");
	case_end();
}

#define CPU_EXITS 1000

static void cpu_cost(void)
{
	volatile struct insula_vcpu_state *s = machine.s;
	uint64_t start, ticks;

	machine_long(guest_cpuid_loop);
	machine_enter();
	start = hw_rdtsc();
	for (unsigned i = 0; i < CPU_EXITS; i++) {
		s->rip += 2;
		s->dirty = INSULA_VS_IP;
		machine_enter();
	}
	ticks = hw_rdtsc() - start;
	case_begin("1000 CPUID exits");
	case_equal(s->reason, 10, "the exit reason");
	case_end();
	bare_print("vcpu: one exit and entry by the state page: %d ticks\n", ticks / CPU_EXITS);
}

void case_cpus(void)
{
	cpu_fpu();
	cpu_xcr0();
	cpu_debug();
	cpu_share();
	cpu_cost();
}
