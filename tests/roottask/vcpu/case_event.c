/* Events into the guest: injection, windows, NMIs, exceptions; and signals that end a guest's turn. */
#include "machine.h"
#include "vcpu_hw.h"

#define R(x) GPR(&machine, x)
#define IF   0x200u

static void event_external(void)
{
	volatile struct insula_vcpu_state *s = machine.s;

	case_begin("an external interrupt");
	machine_real_gate(0x41, guest_hlt2);
	machine_real(guest_spin);
	s->rip = guest_at(guest_cpuid);
	s->rflags = 2 | IF;
	machine_inject(EVENT(0, 0x41), 0);
	machine_expect(12);
	case_equal(s->rip, guest_at(guest_hlt2), "RIP");
	case_equal(s->rflags & IF, 0, "IF");
	case_equal(s->entry_info >> 31, 0, "the valid bit of entry_info");
	case_equal(s->idt_vectoring, 0, "idt_vectoring");
	case_end();

	case_begin("an interrupt waits for STI");
	machine_real(guest_cli_sti);
	machine_inject(EVENT(0, 0x41), 0);
	machine_expect(12);
	case_equal(s->rip, guest_at(guest_hlt2), "RIP");
	case_end();

	case_begin("an interrupt that cannot go in comes back");
	machine_real(guest_cpuid);
	machine_inject(EVENT(0, 0x41), 0);
	machine_expect(10);
	case_equal(s->idt_vectoring, EVENT(0, 0x41), "idt_vectoring");
	case_end();

	case_begin("an interrupt whose delivery faults comes back");
	machine_real_gate(0x41, guest_hlt2);
	machine_real(guest_cpuid);
	s->rflags = 2 | IF;
	s->seg[INSULA_SS].base = GUEST_HOLE;
	machine_inject(EVENT(0, 0x41), 0);
	machine_expect(48);
	case_equal(s->idt_vectoring, EVENT(0, 0x41), "idt_vectoring");
	case_equal(s->gpa & ~0xfffull, GUEST_HOLE + ((GUEST_STACK - 2) & ~0xfffull),
		   "the guest-physical address");
	s->seg[INSULA_SS].base = 0;
	s->dirty = INSULA_VS_SEG;
	machine_inject(s->idt_vectoring, 0);
	machine_expect(12);
	case_equal(s->rip, guest_at(guest_hlt2), "RIP after the second try");
	case_end();
}

static void event_window(void)
{
	volatile struct insula_vcpu_state *s = machine.s;

	case_begin("a window that is open");
	machine_real(guest_hlt);
	s->rflags = 2 | IF;
	s->window = 1;
	machine_expect(7);
	case_equal(s->rip, guest_at(guest_hlt), "RIP");
	case_end();

	case_begin("a window that opens");
	machine_real(guest_cli_sti);
	s->window = 1;
	machine_expect(7);
	case_equal(s->rip, guest_at(guest_cli_sti) + 4, "RIP behind STI and its shadow");
	case_end();

	case_begin("a window behind an injected interrupt");
	machine_real_gate(0x42, guest_iret);
	machine_real(guest_hlt2);
	s->rip = guest_at(guest_hlt2);
	s->rflags = 2 | IF;
	s->window = 1;
	machine_inject(EVENT(0, 0x42), 0);
	machine_expect(7);
	case_equal(s->rip, guest_at(guest_hlt2), "RIP");
	case_equal(s->idt_vectoring, 0, "idt_vectoring");
	case_end();
}

static void event_nmi(void)
{
	volatile struct insula_vcpu_state *s = machine.s;

	case_begin("an NMI, and the next one after its IRET");
	machine_real_gate(2, guest_nmi_handler);
	machine_real(guest_hlt);
	s->window = 2;
	machine_expect(8);
	machine_inject(EVENT(2, 2), 0);
	s->window = 2;
	machine_expect(8);
	case_equal(s->rip, guest_at(guest_hlt), "RIP at the window");
	case_equal(s->rflags & 0x100, 0, "TF");
	case_equal(s->interruptibility & 8, 0, "NMI blocking");
	s->window = 0;
	machine_expect(12);
	case_end();

	case_begin("NMIs are blocked in the handler");
	machine_real_gate(2, guest_hlt2);
	machine_real(guest_hlt);
	machine_inject(EVENT(2, 2), 0);
	machine_expect(12);
	case_equal(s->interruptibility & 8, 8, "NMI blocking");
	s->interruptibility = 0;
	s->dirty = INSULA_VS_IP;
	machine_expect(12);
	case_end();
}

static void event_step(void)
{
	volatile struct insula_vcpu_state *s = machine.s;

	if (case_left_out(machine_bochs_svm(), "the guest's own single step",
			  "Bochs delivers the step that is pending at an exit to the host"))
		return;
	case_begin("the guest's own single step");
	machine_long_gate(1, guest_db_handler);
	machine_long(guest_step);
	R(R8) = 0;
	machine.s->wanted = INSULA_VS_DEBUG;
	machine_expect(12);
	case_check(R(R8) >= 2, "its handler has run");
	case_equal(s->dr6 & 0x4000, 0x4000, "DR6.BS");
	case_end();
}

static void event_exception(void)
{
	volatile struct insula_vcpu_state *s = machine.s;

	case_begin("an exception with an error code");
	machine_long_gate(13, guest_read_sse + 5);
	machine_long(guest_spin);
	machine_inject(EVENT(3, 13) | 1u << 11, 0x1234);
	machine_expect(12);
	case_equal(*machine_word(s->rsp), 0x1234, "the pushed error code");
	case_equal(*machine_word(s->rsp + 8), guest_at(guest_spin), "the pushed RIP");
	case_end();

	case_begin("a software interrupt's return address");
	machine_long_gate(0x30, guest_read_sse + 5);
	machine_long(guest_int80);
	machine_inject(EVENT(4, 0x30), 0);
	s->entry_length = 2;
	machine_expect(12);
	case_equal(*machine_word(s->rsp), guest_at(guest_int80) + 2, "the pushed RIP");
	case_end();

	case_begin("an event that no CPU has");
	machine_long(guest_hlt);
	machine_inject(EVENT(1, 0x20), 0);
	machine_expect(0x80000021);
	machine_long(guest_hlt);
	machine_inject(EVENT(3, 200), 0);
	machine_expect(0x80000021);
	machine_long(guest_hlt);
	machine_expect(12);
	case_end();
}

static void event_signal(void)
{
	volatile struct insula_vcpu_state *s = machine.s;
	struct message m = {0};

	case_begin("a signal that waits already");
	m = (struct message){.badge = machine.notification, .info = 0};
	hw_syscall(seL4_SysNBSend, &m, 0);
	machine_long(guest_spin);
	case_equal(machine_enter(), 0, "VMEnter's result");
	case_equal(s->reason, UINT64_MAX, "the reason");
	case_equal(s->rip, guest_at(guest_spin), "RIP");
	case_end();

	case_begin("a timer's signal stops a spinning guest");
	machine_long(guest_spin);
	s->rflags = 2 | IF;
	runtime_must(bare_call(machine.timer, InsulaTimerSet, WORDS(hw_rdtsc() + 3000000), NONE), "timer");
	case_equal(machine_enter(), 0, "VMEnter's result");
	case_equal(machine_badge, 0x40, "the badge");
	case_equal(s->rip, guest_at(guest_spin), "RIP");
	case_end();
}

static void event_signal_off(void)
{
	static const char spin[] = "Bochs never ends the turn of a guest that spins with IF clear";
	volatile struct insula_vcpu_state *s = machine.s;
	bool bochs = runtime_option("bochs"); /* neither on VT-x nor on SVM */

	case_left_out(bochs, "a timer's signal stops a guest that spins with interrupts off", spin);
	case_left_out(bochs, "a signal while an event waits hands it back", spin);
	if (bochs)
		return;
	case_begin("a timer's signal stops a guest that spins with interrupts off");
	machine_long(guest_spin);
	runtime_must(bare_call(machine.timer, InsulaTimerSet, WORDS(hw_rdtsc() + 3000000), NONE), "timer");
	case_equal(machine_enter(), 0, "VMEnter's result");
	case_equal(machine_badge, 0x40, "the badge");
	case_end();

	case_begin("a signal while an event waits hands it back");
	machine_long(guest_spin);
	machine_inject(EVENT(0, 0x41), 0);
	runtime_must(bare_call(machine.timer, InsulaTimerSet, WORDS(hw_rdtsc() + 3000000), NONE), "timer");
	case_equal(machine_enter(), 0, "VMEnter's result");
	case_equal(s->idt_vectoring, EVENT(0, 0x41), "idt_vectoring");
	case_end();
}

void case_events(void)
{
	event_external();
	event_window();
	event_nmi();
	event_exception();
	event_step();
	event_signal();
	event_signal_off();
}
