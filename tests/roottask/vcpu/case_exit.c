/* What a guest does that comes out: reasons, qualifications, lengths (0 where the CPU gives none). */
#include "machine.h"

#define R(x) GPR(&machine, x)

static void exit_length(uint64_t n)
{
	uint64_t got = machine.s->length;

	case_check(got == n || got == 0, "the instruction's length");
}

static void exit_simple(const char *name, const char *program, bool real, uint64_t reason, uint64_t length)
{
	case_begin(name);
	if (real)
		machine_real(program);
	else
		machine_long(program);
	R(RCX) = R(RDX) = 0; /* MONITOR's hints */
	machine_expect(reason);
	exit_length(length);
	case_equal(machine.s->rip, guest_at(program), "RIP");
	case_equal(R(R9), 0x1111111111111111ull * INSULA_R9, "R9");
	case_equal(machine.s->valid & (INSULA_VS_GPR | INSULA_VS_IP | INSULA_VS_CR | INSULA_VS_EXIT),
		   INSULA_VS_GPR | INSULA_VS_IP | INSULA_VS_CR | INSULA_VS_EXIT, "the groups written");
	case_end();
}

static void exit_io(void)
{
	case_begin("OUT to an immediate port");
	machine_real(guest_out80);
	machine_expect(30);
	case_equal(machine.s->qualification & 0xffff003f, 0x800000, "the qualification");
	case_equal(machine.s->length, 2, "the length");
	case_end();

	case_begin("IN from DX, 16 bits");
	machine_real(guest_in_dx);
	machine_expect(30);
	case_equal(machine.s->qualification & 0xffff003f, 0x3f80009, "the qualification");
	case_equal(machine.s->length, 1, "the length");
	case_end();

	case_begin("REP OUTSB");
	machine_long(guest_rep_outs);
	R(RDX) = 0x3f8;
	R(RCX) = 3;
	R(RSI) = GUEST_DATA;
	machine.s->dirty |= INSULA_VS_GPR;
	machine_expect(30);
	case_equal(machine.s->qualification & 0xffff003f, 0x3f80030, "the qualification");
	case_equal(machine.s->length, 2, "the length");
	case_end();
}

static void exit_msr(void)
{
	exit_simple("RDMSR", guest_rdmsr + 6, true, 31, 2);
	exit_simple("WRMSR", guest_wrmsr + 6, true, 32, 2);

	case_begin("MSRs that are the guest's own");
	machine_long(guest_msrs);
	R(RAX) = 0x1234;
	R(RDX) = 0;
	machine.s->wanted = INSULA_VS_MSR;
	machine_expect(12);
	case_equal(machine.s->kernel_gs_base, 0x1234, "KERNEL_GS_BASE");
	case_equal(machine.s->lstar, 0x1234, "LSTAR");
	case_equal(machine.s->sysenter_eip, 0x1234, "SYSENTER_EIP");
	case_end();
}

static void exit_ept(void)
{
	volatile struct insula_vcpu_state *s = machine.s;

	case_begin("load from a hole");
	machine_real(guest_load_hole);
	s->seg[INSULA_DS].base = GUEST_HOLE;
	machine_expect(48);
	case_equal(s->gpa, GUEST_HOLE, "the guest-physical address");
	case_equal(s->qualification & 0x3f, 1, "the qualification");
	case_equal(s->rip, guest_at(guest_load_hole), "RIP");
	case_end();

	case_begin("store to a hole");
	machine_real(guest_store_hole);
	s->seg[INSULA_DS].base = GUEST_HOLE + 0x234;
	machine_expect(48);
	case_equal(s->gpa, GUEST_HOLE + 0x234, "the guest-physical address");
	case_equal(s->qualification & 2, 2, "the write bit");
	case_end();

	case_begin("jump into a hole");
	machine_long(guest_hlt);
	s->rip = GUEST_HOLE;
	machine_expect(48);
	case_equal(s->gpa, GUEST_HOLE, "the guest-physical address");
	case_equal(s->qualification & 4, 4, "the fetch bit");
	case_end();
}

/* MOV to and from CR4 by RAX, where the kernel does not know that it is RAX (SVM without decode assists). */
static void exit_cr4_emulate(void)
{
	volatile struct insula_vcpu_state *s = machine.s;

	machine_enter();
	for (unsigned i = 0; i < 4 && s->reason == 28; i++) {
		case_equal(s->qualification & 0x2f, 4, "the qualification");
		case_equal(s->length, 0, "the length");
		if (s->qualification & 0x10) {
			R(RAX) = s->cr4;
			s->dirty |= INSULA_VS_GPR;
		} else {
			s->cr4 = R(RAX);
			s->dirty |= INSULA_VS_CR;
		}
		s->rip += 3;
		s->dirty |= INSULA_VS_IP;
		machine_enter();
	}
	case_equal(s->reason, 12, "the exit reason");
}

static void exit_cr4(void)
{
	case_begin("CR4.MCE as the guest has it");
	machine_long(guest_cr4);
	exit_cr4_emulate();
	case_equal(R(RAX), 0x660, "CR4 with it");
	case_equal(machine.s->cr4, 0x660, "CR4 with it, as the VMM sees it");
	case_equal(machine_read(0x6804), 0x660, "CR4 with it, by ReadVMCS");
	machine.s->rip += 1;
	machine.s->dirty = INSULA_VS_IP;
	exit_cr4_emulate();
	case_equal(R(RAX), 0x620, "CR4 without it");
	case_equal(machine.s->cr4, 0x620, "CR4 without it, as the VMM sees it");
	case_end();
}

/* Four entries that are in memory: whoever loads them, those that the guest sees are the ones at its last MOV
 * to CR0 or CR4. */
static void exit_pae(void)
{
	volatile struct insula_vcpu_state *s = machine.s;

	case_begin("PAE paging, entered with bits of CR0 and CR4 that are the kernel's");
	for (unsigned i = 0; i < 4; i++)
		machine_write(0x280a + 2 * i,
			      UINT64_MAX); /* what a VMM writes does not count, and does not harm */
	*machine_word(GUEST_PAE) = GUEST_PAE + 0x1001;
	*machine_word(GUEST_PAE + 8) = GUEST_PAE + 0x2001;
	*machine_word(GUEST_PAE + 16) = *machine_word(GUEST_PAE + 24) = 0;
	*machine_word(GUEST_PAE + 0x1000) = *machine_word(GUEST_PAE + 0x2000) = 0xe3;
	*machine_word(GUEST_DATA) = 0x12345678;
	machine_protected(guest_pae, 0);
	R(RCX) = GUEST_PAE;
	exit_cr4_emulate();
	case_equal(s->rip, guest_at(guest_unaligned) - 1, "RIP");
	case_equal(R(RBX), 0x12345678, "read through the second entry");
	case_equal(R(RDX), 0x12345678, "read through the third");
	case_equal(s->cr0, 0xc0000031, "CR0");
	case_equal(s->cr4, 0xe0, "CR4");
	case_end();
}

static void exit_int3(void)
{
	volatile struct insula_vcpu_state *s = machine.s;
	uint64_t exceptions = machine_read(0x4004);

	if (case_left_out(machine_tcg(), "INT3 that the VMM intercepts", "QEMU does not intercept it"))
		return;
	case_begin("INT3 that the VMM intercepts");
	machine_long_gate(3, guest_hlt);
	machine_long(guest_int3);
	machine_write(0x4004, exceptions | 1u << 3);
	machine_expect(0);
	case_equal(s->exit_info, EVENT(6, 3), "what it was");
	case_equal(s->rip, guest_at(guest_int3), "RIP");
	exit_length(2);
	machine_inject(s->exit_info, 0);
	s->entry_length = 2;
	machine_expect(12);
	case_equal(*machine_word(s->rsp), guest_at(guest_int3) + 2, "the pushed RIP");
	machine_write(0x4004, exceptions);
	case_end();
}

static void exit_cr(void)
{
	volatile struct insula_vcpu_state *s = machine.s;

	case_begin("CR3 without exits");
	machine_long(guest_cr3);
	machine_expect(12);
	case_equal(R(RAX), GUEST_PML4, "CR3");
	case_end();

	case_begin("CR3 store and load exits");
	case_equal(machine_write(0x4002, machine_read(0x4002) | 1u << 15 | 1u << 16), 0, "WriteVMCS's error");
	machine_long(guest_cr3);
	machine_expect(28);
	case_equal(s->qualification & 0x3f, 0x13, "the qualification (MOV from CR3)");
	s->rip += 3;
	s->dirty = INSULA_VS_IP;
	machine_expect(28);
	case_equal(s->qualification & 0x3f, 0x03, "the qualification (MOV to CR3)");
	machine_write(0x4002, machine_read(0x4002) & ~(uint64_t)(1u << 15 | 1u << 16));
	case_end();

	case_begin("CR8 is the guest's own");
	machine_long(guest_cr8);
	R(RAX) = 5;
	machine_expect(12);
	case_equal(R(RAX), 5, "CR8");
	case_end();
}

static void exit_triple_fault(void)
{
	if (case_left_out(machine_bochs_svm(), "triple fault", "Bochs gives up"))
		return;
	case_begin("triple fault");
	machine_real(guest_ud2);
	machine.s->idtr.limit = 0;
	machine_expect(2);
	case_end();
}

/* A guest that spins leaves where the CPU can tell and the VMM wants it; else it spins to the end. */
static void exit_spin(void)
{
	const uint64_t field = 0x401e, loops = 1u << 10;
	bool can;

	machine_write(field, loops);
	can = machine_read(field) & loops;
	case_begin("a loop of PAUSEs that does not exit");
	machine_write(field, 0);
	case_equal(machine_read(field) & loops, 0, "the control");
	machine_long(guest_wait);
	machine_expect(12);
	case_end();
	if (case_left_out(!can, "a loop of PAUSEs that exits", "this CPU cannot tell"))
		return;
	case_begin("a loop of PAUSEs that exits");
	machine_write(field, loops);
	machine_long(guest_wait);
	machine_expect(40);
	exit_length(2);
	case_check(R(RCX) > 0 && R(RCX) < 200000, "it has not waited to the end, and longer than for one PAUSE");
	machine_write(field, 0);
	case_end();
}

static void exit_undefined(void)
{
	case_begin("VMRUN in the guest is undefined"); /* on VT-x by the CPU itself */
	machine_long_gate(6, guest_hlt);
	machine_long(guest_vmrun);
	machine.s->efer |= 1u << 12;
	machine_expect(12);
	case_equal(*machine_word(GUEST_STACK - 40), guest_at(guest_vmrun), "the pushed RIP");
	case_end();
}

static void exit_message(void)
{
	case_begin("the state page is taken away, the message form works, and back");
	case_equal(bare_call(machine.vcpu, InsulaVCPUSetStatePage, NONE, NONE), 0, "the error");
	machine_write(0x681e, guest_at(guest_cpuid));
	case_equal(machine_read(0x681e), guest_at(guest_cpuid), "RIP read back");
	case_equal(bare_call(machine.vcpu, InsulaVCPUSetStatePage, NONE, CAPS(machine.state_frame)), 0,
		   "the error");
	case_end();
}

void case_exits(void)
{
	exit_simple("CPUID", guest_cpuid, true, 10, 2);
	exit_simple("HLT", guest_hlt, true, 12, 1);
	exit_simple("the hypercall instruction",
		    runtime_virt() == INSULA_VIRT_VMX ? guest_vmcall : guest_vmmcall, true, 18, 3);
	exit_simple("WBINVD", guest_wbinvd, false, 54, 2);
	exit_simple("MONITOR", guest_monitor, false, 39, 3);
	exit_simple("CPUID in 64-bit mode", guest_cpuid_loop, false, 10, 2);
	exit_io();
	exit_msr();
	exit_ept();
	exit_cr();
	exit_cr4();
	exit_pae();
	exit_int3();
	exit_triple_fault();
	exit_spin();
	exit_undefined();
	exit_message();
}
