/*
 * A root task that tries the kernel's entry and exit paths from user mode: registers over system calls,
 * exceptions, preemption and interrupts, hostile register values, segment bases, the alarm, an IOAPIC pin.
 * Prints one line per case and "entry: all passed" or "entry: N failed" last. It uses seL4's API and Insula's
 * timer object only.
 */
#include "insula/ext.h"
#include "sel4/bootinfo.h"
#include "sel4/constants.h"
#include "sel4_hw.h"

enum { WORDS = 20, IP = 0, SP = 1, FLAGS = 2, RAX = 3, RDI = 8, RSI = 7, RDX = 6, FS = 18, GS = 19 };
enum { PRIO_TEST = 254 };

static const seL4_BootInfo *bi;
static volatile uint64_t *buffer; /* IPC buffer */
static uint64_t untyped, next_slot, tsc_mhz;
static unsigned failed, cases;

static bool split; /* the kernel says that page tables are split: none of its own pages is present in ours */
static uint64_t endpoint, reply, alarm_notification, alarm_timer, tcb, tcb2, sc, sc2;

/* ---- output ---- */

static void put(char c)
{
	struct message m = {0};
	sel4_call(seL4_SysDebugPutChar, (uint8_t)c, 0, &m);
}

static void say(const char *s)
{
	while (*s)
		put(*s++);
}

static void say_hex(uint64_t v)
{
	for (int i = 60; i >= 0; i -= 4)
		if ((v >> i) != 0 || i == 0)
			put("0123456789abcdef"[(v >> i) & 15]);
}

static bool check(bool good, const char *name, uint64_t got, uint64_t wanted)
{
	cases++;
	say(good ? "ok   " : "FAIL ");
	say(name);
	if (!good) {
		failed++;
		say(": got ");
		say_hex(got);
		say(" instead of ");
		say_hex(wanted);
	}
	put('\n');
	return good;
}

static void equal(const char *name, uint64_t got, uint64_t wanted)
{
	check(got == wanted, name, got, wanted);
}

/* ---- invocations ---- */

static uint64_t invoke(uint64_t cap, uint64_t label, const uint64_t *caps, unsigned cap_count,
		       const uint64_t *words, unsigned count)
{
	struct message m = {.tag = TAG(label, cap_count, count)};

	for (unsigned i = 0; i < cap_count; i++)
		buffer[122 + i] = caps[i];
	for (unsigned i = 0; i < count; i++) {
		if (i < 4)
			m.mr[i] = words[i];
		else
			buffer[1 + i] = words[i];
	}
	sel4_call(seL4_SysCall, cap, 0, &m);
	for (unsigned i = 0; i < 4; i++)
		buffer[1 + i] = m.mr[i];
	return m.tag >> 12;
}
#define INVOKE(cap, label, caps, words)                                                                      \
	invoke(cap, label, caps, sizeof(caps) / sizeof((caps)[0]), words, sizeof(words) / sizeof((words)[0]))
#define LIST(...) ((const uint64_t[]){__VA_ARGS__})

static void must(const char *what, uint64_t error)
{
	if (error == 0)
		return;
	say("FAIL preparation: ");
	say(what);
	say(" gave error ");
	say_hex(error);
	say("\nentry: 1 failed\n");
	for (;;)
		;
}

static uint64_t make(uint64_t type, uint64_t bits)
{
	must("retype", INVOKE(untyped, UntypedRetype, LIST(seL4_CapInitThreadCNode),
			      LIST(type, bits, 0, 0, next_slot, 1)));
	return next_slot++;
}

static void configure_sc(uint64_t c, uint64_t budget, uint64_t period)
{
	must("sched control", INVOKE(bi->schedcontrol.start, SchedControlConfigureFlags, LIST(c),
				     LIST(budget, period, 0, 0, 0)));
}

static uint64_t make_thread(uint64_t context)
{
	uint64_t t = make(seL4_TCBObject, 0);

	must("TCB configure",
	     INVOKE(t, TCBConfigure, LIST(seL4_CapInitThreadCNode, seL4_CapInitThreadVSpace, 0),
		    LIST(0, 0, 0)));
	must("TCB sched params", INVOKE(t, TCBSetSchedParams, LIST(seL4_CapInitThreadTCB, context, endpoint),
					LIST(PRIO_TEST, PRIO_TEST)));
	return t;
}

static void write_registers(uint64_t t, const uint64_t words[WORDS], bool resume)
{
	uint64_t all[WORDS + 2] = {resume, WORDS};

	for (unsigned i = 0; i < WORDS; i++)
		all[2 + i] = words[i];
	must("write registers", invoke(t, TCBWriteRegisters, LIST(0), 0, all, WORDS + 2));
}

static uint64_t read_register(uint64_t t, unsigned i)
{
	must("read registers", INVOKE(t, TCBReadRegisters, ((const uint64_t[0]){}), LIST(0, WORDS)));
	return buffer[1 + i];
}

/* Waits for a fault; its words are in buffer[1...]. The label. */
static uint64_t wait_fault(void)
{
	struct message m = {0};

	sel4_call(seL4_SysRecv, endpoint, reply, &m);
	for (unsigned i = 0; i < 4; i++)
		buffer[1 + i] = m.mr[i];
	return m.tag >> 12;
}

static void sleep_us(uint64_t us)
{
	struct message m = {0};

	must("timer",
	     INVOKE(alarm_timer, InsulaTimerSet, ((const uint64_t[0]){}), LIST(sel4_rdtsc() + us * tsc_mhz)));
	sel4_call(seL4_SysWait, alarm_notification, 0, &m);
}

/* ---- cases ---- */

void entry_registers(const uint64_t in[16], uint64_t out[16]);
void entry_spinner(void);
void entry_odd_flags(void);
extern const char entry_registers_return[], fault_step_at[], entry_odd_flags_end[];
void fault_divide(void), fault_breakpoint(void), fault_undefined(void), fault_hlt(void), fault_in(void),
    fault_int_low(void), fault_int_timer(void), fault_int_device(void), fault_int_open(void),
    fault_read(void), fault_write(void), fault_jump(void), fault_stack(void), fault_cr(void),
    fault_segment(void), fault_syscall(void), fault_fpu(void), fault_far(void), fault_step(void),
    fault_step_syscall(void);

static void case_registers(void)
{
	uint64_t in[16], out[16];
	unsigned wrong = 0;

	for (unsigned i = 0; i < 16; i++)
		in[i] = 0x1111111111111111ull * i + 0x8000000000000001ull;
	in[3] = (uint64_t)(int64_t)seL4_SysYield;
	entry_registers(in, out);
	for (unsigned i = 0; i < 16; i++)
		if (i != 2 && i != 11 && in[i] != out[i])
			wrong |= 1u << i;
	equal("system call keeps every register, RSP too", wrong, 0);
	equal("RCX is the return address", out[2], (uint64_t)entry_registers_return);
	check((out[11] & 0xfffff000) == 0 && (out[11] & 0x202) == 0x202, "R11 is the flags", out[11], 0x202);
}

static uint64_t start[WORDS];

static void start_at(void (*code)(void), uint64_t rdi, uint64_t rax)
{
	static uint64_t stack[64];

	for (unsigned i = 0; i < WORDS; i++)
		start[i] = 0;
	start[IP] = (uint64_t)code;
	start[SP] = (uint64_t)(stack + 64);
	start[RDI] = rdi;
	start[RAX] = rax;
}

static void exception(const char *name, void (*code)(void), uint64_t rdi, uint64_t vector, uint64_t error)
{
	/* QEMU 7.2 counts IDT entries of 16 bytes in the error code of an INT that is refused. */
	const uint64_t also = error & 2 ? (error - 2) * 2 + 2 : error;
	uint64_t label;

	start_at(code, rdi, 0x123456);
	write_registers(tcb, start, true);
	label = wait_fault();
	if (label != seL4_Fault_UserException)
		equal(name, label, seL4_Fault_UserException);
	else if (buffer[1 + 3] != vector || (buffer[1 + 4] != error && buffer[1 + 4] != also))
		equal(name, buffer[1 + 3] << 32 | buffer[1 + 4], vector << 32 | error);
	else
		equal(name, buffer[1], (uint64_t)code + (vector == 3 ? 1 : 0));
}

static void page_fault(const char *name, void (*code)(void), uint64_t rdi, uint64_t ip, uint64_t address,
		       uint64_t fetch, uint64_t error)
{
	start_at(code, rdi, 0);
	write_registers(tcb, start, true);
	equal(name, wait_fault(), seL4_Fault_VMFault);
	equal("... at the instruction", buffer[1], ip);
	equal("... of the address", buffer[2], address);
	equal("... as a fetch or not", buffer[3], fetch);
	equal("... with the error code", buffer[4], error);
}

/* Whether a page is present there shows in the error code. */
static void kernel_address(const char *name, uint64_t address, bool in_split)
{
	page_fault(name, fault_read, address, (uint64_t)fault_read, address, 0, split && !in_split ? 4 : 5);
}

static void case_exceptions(void)
{
	uint64_t label = 0;

	exception("divide error", fault_divide, 0, 0, 0);
	exception("breakpoint", fault_breakpoint, 0, 3, 0);
	exception("invalid opcode", fault_undefined, 0, 6, 0);
	exception("HLT is privileged", fault_hlt, 0, 13, 0);
	exception("IN is privileged", fault_in, 0, 13, 0);
	exception("CR0 is privileged", fault_cr, 0, 13, 0);
	exception("INT 0x80 is closed", fault_int_low, 0, 13, 0x80 * 8 + 2);
	exception("INT of the alarm's vector is closed", fault_int_timer, 0, 13, 0xf0 * 8 + 2);
	exception("INT of a device vector is closed", fault_int_device, 0, 13, 0x30 * 8 + 2);
	exception("address that is not canonical", fault_read, 0x800000000000, 13, 0);
	exception("the kernel's code selector", fault_segment, 8, 13, 8);
	page_fault("page fault, read", fault_read, 0x1000, (uint64_t)fault_read, 0x1000, 0, 4);
	page_fault("page fault, write", fault_write, 0x2008, (uint64_t)fault_write, 0x2008, 0, 6);
	kernel_address("page fault, kernel address", 0xffffffff80100000, false);
	kernel_address("page fault, kernel's page tables", 0xfffffe7f3f9fc000, false);
	kernel_address("page fault, per-CPU area", 0xffffff0000001000, false);
	kernel_address("page fault, per-CPU area of the entry path", 0xffffff0000000000, true);

	/* A budget that ends with the step restarts the thread behind it: the trap comes an instruction
	 * later. */
	for (unsigned i = 0; i < 3; i++) {
		start_at(fault_step, 0, 0);
		write_registers(tcb, start, true);
		label = wait_fault();
		if (buffer[1] == (uint64_t)fault_step_at)
			break;
	}
	equal("single step", label, seL4_Fault_UserException);
	equal("... vector", buffer[4], 1);
	equal("... behind the instruction", buffer[1], (uint64_t)fault_step_at);

	start_at(fault_step_syscall, 0, 0);
	write_registers(tcb, start, true);
	equal("single step over a system call", wait_fault(), seL4_Fault_UserException);
	equal("... vector", buffer[4], 1);
}

static void case_unknown(void)
{
	start_at(fault_int_open, 0, 0x12345678);
	write_registers(tcb, start, true);
	equal("INT 0xa5 is an unknown system call", wait_fault(), seL4_Fault_UnknownSyscall);
	equal("... its number", buffer[1 + 18], 0xa5345678);
	equal("... its address", buffer[1 + 15], (uint64_t)fault_int_open);
	start_at(fault_syscall, 7, 9);
	start[RDX] = 1234;
	write_registers(tcb, start, true);
	equal("unknown system call", wait_fault(), seL4_Fault_UnknownSyscall);
	equal("... its number", buffer[1 + 18], 1234);
	equal("... its RAX", buffer[1 + 0], 9);
	equal("... its address", buffer[1 + 15], (uint64_t)fault_syscall);
}

static void case_hostile_registers(void)
{
	start_at(fault_undefined, 0, 0);
	start[IP] = 0x800000000000;
	start[FLAGS] = UINT64_MAX & ~0x100ull;
	start[FS] = 0x8000000000000000;
	start[GS] = 0x0000900000000000;
	write_registers(tcb, start, false);
	equal("RIP that is not canonical is 0", read_register(tcb, IP), 0);
	equal("FS base that is not canonical is 0", read_register(tcb, FS), 0);
	equal("GS base that is not canonical is 0", read_register(tcb, GS), 0);
	equal("flags are sanitised", read_register(tcb, FLAGS), 0xed7);
	write_registers(tcb, start, true);
	equal("... and the thread faults in user mode", wait_fault(), seL4_Fault_VMFault);
	equal("... at 0", buffer[1], 0);

	start_at(fault_undefined, 0, 0);
	start[IP] = 0xffffffff80100000;
	write_registers(tcb, start, true);
	equal("start at a kernel address", wait_fault(), seL4_Fault_VMFault);
	equal("... is a fetch from user mode", buffer[4], split ? 0x14 : 0x15);

	/* Where exactly, and for RSP which of the two, differs from CPU to CPU and in emulation. */
	start_at(fault_jump, 0x800000000000, 0);
	write_registers(tcb, start, true);
	equal("jump to an address that is not canonical", wait_fault(), seL4_Fault_UserException);
	equal("... is a general protection fault", buffer[4], 13);
	start_at(fault_stack, 0, 0);
	start[SP] = 0x800000001000;
	write_registers(tcb, start, true);
	equal("RSP that is not canonical", wait_fault(), seL4_Fault_UserException);
	check(buffer[4] == 12 || buffer[4] == 13, "... is a stack fault", buffer[4], 12);
}

/* False: the kernel does not let the last page be mapped, and no instruction can end where user space does.
 */
static bool map_last_page(void)
{
	const uint64_t at = 0x7ffffffff000, vspace = seL4_CapInitThreadVSpace;
	uint64_t frame;

	must("map PDPT", INVOKE(make(seL4_X86_PDPTObject, 0), X86PDPTMap, LIST(vspace), LIST(at, 0)));
	must("map PD",
	     INVOKE(make(seL4_X86_PageDirectoryObject, 0), X86PageDirectoryMap, LIST(vspace), LIST(at, 0)));
	must("map PT", INVOKE(make(seL4_X86_PageTableObject, 0), X86PageTableMap, LIST(vspace), LIST(at, 0)));
	frame = make(seL4_X86_4K, 0);
	if (INVOKE(frame, X86PageMap, LIST(vspace), LIST(at, 3, 0)) != 0)
		return false;
	((volatile uint8_t *)at)[4094] = 0x0f; /* SYSCALL */
	((volatile uint8_t *)at)[4095] = 0x05;
	return true;
}

static void case_last_byte(void)
{
	if (!map_last_page()) {
		check(true, "the last page of user space cannot be mapped", 0, 0);
		return;
	}
	start_at((void (*)(void))0x7ffffffffffe, 0, 0);
	start[RDX] = (uint64_t)(int64_t)seL4_SysYield;
	write_registers(tcb, start, true);
	check(wait_fault() == seL4_Fault_VMFault,
	      "SYSCALL as the last instruction of user space faults in user mode", 0, 6);
	equal("... at 0", buffer[1], 0);
}

static void case_flags(void)
{
	start_at(entry_odd_flags, 0, 0);
	write_registers(tcb, start, true);
	equal("NT, AC, DF, ID over system calls and interrupts", wait_fault(), seL4_Fault_UserException);
	equal("... faulted where meant", buffer[1], (uint64_t)entry_odd_flags_end);
	equal("... and stayed", read_register(tcb, RAX), 0);
}

static void case_bases(void)
{
	static uint64_t tls[2] = {0x1122334455667788, 0x99};
	struct message m = {0};

	sel4_call(seL4_SysSetTLSBase, (uint64_t)tls, 0, &m);
	equal("SetTLSBase", sel4_read_fs0(), tls[0]);
	sleep_us(2000);
	equal("... after another thread", sel4_read_fs0(), tls[0]);
	if (!sel4_has_fsgsbase()) {
		say("     (no FSGSBASE)\n");
		return;
	}
	sel4_wrfsbase((uint64_t)&tls[1]);
	sleep_us(2000);
	equal("FS base written by the user stays", sel4_rdfsbase(), (uint64_t)&tls[1]);
	sel4_call(seL4_SysSetTLSBase, (uint64_t)tls, 0, &m);
	equal("SetTLSBase to the value it had before", sel4_rdfsbase(), (uint64_t)tls);
	/* The boot CPU's own area: nothing may go by this value. */
	sel4_wrgsbase(0xffffff0000000000);
	for (unsigned i = 0; i < 1000; i++)
		sel4_call(seL4_SysYield, 0, 0, &m);
	for (uint64_t end = sel4_rdtsc() + 20000 * tsc_mhz; sel4_rdtsc() < end;)
		;
	sleep_us(2000);
	equal("GS base like the kernel's", sel4_rdgsbase(), 0xffffff0000000000);
	sel4_wrgsbase(0);
	sel4_call(seL4_SysSetTLSBase, 0x8000000000000000, 0, &m);
	equal("TLS base that is not canonical is 0", sel4_rdfsbase(), 0);
}

static void case_preemption(void)
{
	static uint64_t result[2][2];
	uint64_t a, b;

	for (unsigned i = 0; i < 2; i++) {
		start_at(entry_spinner, i == 0 ? 0x1234567800000000 : 0xfedcba9800000000, 0);
		start[RSI] = (uint64_t)result[i];
		write_registers(i == 0 ? tcb : tcb2, start, true);
	}
	sleep_us(100000);
	must("suspend", INVOKE(tcb, TCBSuspend, ((const uint64_t[0]){}), ((const uint64_t[0]){})));
	must("suspend", INVOKE(tcb2, TCBSuspend, ((const uint64_t[0]){}), ((const uint64_t[0]){})));
	a = *(volatile uint64_t *)&result[0][0];
	b = *(volatile uint64_t *)&result[1][0];
	check(a > 1000 && b > 1000, "two threads share the CPU", a, b);
	check(a < 2 * b && b < 2 * a, "... about evenly", a, b);
	equal("... first thread's registers", *(volatile uint64_t *)&result[0][1], 0);
	equal("... second thread's registers", *(volatile uint64_t *)&result[1][1], 0);
}

static void case_fpu(void)
{
	must("set flags",
	     INVOKE(tcb, TCBSetFlags, ((const uint64_t[0]){}), LIST(0, seL4_TCBFlag_fpuDisabled)));
	exception("FPU disabled", fault_fpu, 0, 7, 0);
	must("set flags",
	     INVOKE(tcb, TCBSetFlags, ((const uint64_t[0]){}), LIST(seL4_TCBFlag_fpuDisabled, 0)));
	start_at(fault_fpu, 0, 0);
	write_registers(tcb, start, true);
	wait_fault();
	equal("FPU enabled again", buffer[1 + 3], 6); /* the UD2 behind it */
}

static void case_alarm(void)
{
	struct message m = {0};
	uint64_t before, took;
	unsigned late = 0;

	for (unsigned i = 1; i <= 50; i++) {
		before = sel4_rdtsc();
		sleep_us(i * 37);
		took = sel4_rdtsc() - before;
		if (took < i * 37 * tsc_mhz) {
			equal("alarm is never early", took, i * 37 * tsc_mhz);
			return;
		}
		if (took - i * 37 * tsc_mhz > 1000 * tsc_mhz)
			late++;
	}
	/* An emulator's host has other things to do at times. */
	check(late <= 10, "alarm is seldom more than 1 ms late", late, 0);
	must("timer", INVOKE(alarm_timer, InsulaTimerSet, ((const uint64_t[0]){}), LIST(1)));
	sel4_call(seL4_SysNBWait, alarm_notification, 0, &m);
	check(m.badge != 0, "deadline in the past fires at once", m.badge, 1);
}

static void out8(uint64_t ports, uint64_t port, uint64_t v)
{
	must("port", INVOKE(ports, X86IOPortOut8, ((const uint64_t[0]){}), LIST(port, v)));
}

/* The PIT, on pin 2 of the first IOAPIC in every PC. */
static void case_pin(void)
{
	const uint64_t root = seL4_CapInitThreadCNode;
	uint64_t ports = next_slot++, handler = next_slot++, n = make(seL4_NotificationObject, 0), before;
	struct message m = {0};
	unsigned i;

	must("port issue",
	     INVOKE(seL4_CapIOPortControl, X86IOPortControlIssue, LIST(root), LIST(0x40, 0x43, ports, 64)));
	must("irq issue", INVOKE(seL4_CapIRQControl, X86IRQIssueIRQHandlerIOAPIC, LIST(root),
				 LIST(handler, 64, 0, 2, 0, 0, 5)));
	must("irq notification", INVOKE(handler, IRQSetIRQHandler, LIST(n), ((const uint64_t[0]){})));
	out8(ports, 0x43, 0x34); /* channel 0, mode 2 */
	out8(ports, 0x40, 11932 & 0xff);
	out8(ports, 0x40, 11932 >> 8); /* 100 Hz */
	must("irq ack", INVOKE(handler, IRQAckIRQ, ((const uint64_t[0]){}), ((const uint64_t[0]){})));
	sel4_call(seL4_SysWait, n, 0, &m);
	before = sel4_rdtsc();
	for (i = 0; i < 10; i++) {
		must("irq ack", INVOKE(handler, IRQAckIRQ, ((const uint64_t[0]){}), ((const uint64_t[0]){})));
		sel4_call(seL4_SysWait, n, 0, &m);
	}
	before = (sel4_rdtsc() - before) / tsc_mhz;
	check(before > 50000 && before < 200000, "ten interrupts of an IOAPIC pin at 100 Hz take 0.1 s",
	      before, 100000);
	out8(ports, 0x43, 0x30);
	out8(ports, 0x40, 0);
	out8(ports, 0x40, 0);
}

/* ---- start ---- */

static bool has_word(const char *text, const char *word)
{
	for (;; text++) {
		unsigned n = 0;

		while (word[n] != 0 && text[n] == word[n])
			n++;
		if (word[n] == 0 && (text[n] == 0 || text[n] == ' '))
			return true;
		while (*text != 0 && *text != ' ')
			text++;
		if (*text == 0)
			return false;
	}
}

static void prepare(void)
{
	const uint8_t *at = (const uint8_t *)bi + 4096, *end = at + bi->extraLen;
	uint64_t best = 0, badged;

	buffer = (volatile uint64_t *)bi->ipcBuffer;
	next_slot = bi->empty.start;
	for (uint64_t i = 0; i < bi->untyped.end - bi->untyped.start; i++) {
		if (!bi->untypedList[i].isDevice && bi->untypedList[i].sizeBits > best) {
			best = bi->untypedList[i].sizeBits;
			untyped = bi->untyped.start + i;
		}
	}
	for (; at < end; at += ((const seL4_BootInfoHeader *)at)->len) {
		const void *chunk = at + sizeof(seL4_BootInfoHeader);

		if (((const seL4_BootInfoHeader *)at)->id == SEL4_BOOTINFO_HEADER_X86_TSC_FREQ)
			tsc_mhz = *(const uint32_t *)chunk;
		if (((const seL4_BootInfoHeader *)at)->id == INSULA_BOOTINFO_MACHINE)
			split = has_word(((const struct insula_bi_machine *)chunk)->features, "split-tables");
	}
	endpoint = make(seL4_EndpointObject, 0);
	reply = make(seL4_ReplyObject, 0);
	alarm_notification = make(seL4_NotificationObject, 0);
	badged = next_slot++;
	must("mint", INVOKE(seL4_CapInitThreadCNode, CNodeMint, LIST(seL4_CapInitThreadCNode),
			    LIST(badged, 64, alarm_notification, 64, 3, 1)));
	alarm_timer = make(insula_TimerObject, 0);
	must("timer bind", INVOKE(alarm_timer, InsulaTimerBind, LIST(badged), ((const uint64_t[0]){})));
	sc = make(seL4_SchedContextObject, 8);
	sc2 = make(seL4_SchedContextObject, 8);
	configure_sc(sc, 1000, 1000);
	configure_sc(sc2, 1000, 1000);
	tcb = make_thread(sc);
	tcb2 = make_thread(sc2);
}

void entry_main(const seL4_BootInfo *info);
void entry_main(const seL4_BootInfo *info)
{
	bi = info;
	case_registers();
	prepare();
	case_exceptions();
	case_unknown();
	case_hostile_registers();
	case_last_byte();
	case_alarm();
	case_flags();
	case_bases();
	case_preemption();
	case_fpu();
	case_pin();
	say("entry: ");
	if (failed == 0) {
		say("all passed\n");
	} else {
		say_hex(failed);
		say(" failed\n");
	}
	for (;;)
		sleep_us(1000000);
}
