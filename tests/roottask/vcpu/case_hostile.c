/*
 * What a hostile guest or VMM does to the CPU: exceptions that raise themselves for ever, faults within
 * faults, states that no CPU enters. Whatever it is, the kernel goes on: the timer ends the guest's turn,
 * others run, the next good state is entered.
 */
#include "machine.h"
#include "vcpu_hw.h"

#define R(x)	  GPR(&machine, x)
#define FAILED	  0x80000021u
#define OFFSET(x) offsetof(struct insula_vcpu_state, x)

/* The timer may have fired while something else ended the guest's turn: its signal would end the next one. */
static void hostile_end_timer(void)
{
	struct message m = {.badge = machine.notification};

	runtime_must(bare_call(machine.timer, InsulaTimerCancel, NONE, NONE), "cancel the timer");
	hw_syscall(seL4_SysNBWait, &m, 0);
}

/* ---- loops ---- */

static volatile uint64_t hostile_other_count;

static void hostile_other(void)
{
	for (;;)
		hostile_other_count++;
}

/* The guest raises exceptions without end: it neither keeps the timer out nor others from the CPU. */
static void hostile_loops(const char *name, uint64_t other)
{
	uint64_t before, result;

	case_begin(name);
	runtime_must(bare_call(other, TCBResume, NONE, NONE), "resume");
	before = hostile_other_count;
	machine_timer(20000000);
	result = machine_enter();
	case_equal(result, 0, "VMEnter's result");
	if (result)
		case_equal(machine.s->reason, UINT64_MAX, "the exit reason");
	else
		case_equal(machine_badge, 0x40, "the badge");
	case_check(hostile_other_count - before > 1000, "the other thread has run");
	hostile_end_timer();
	runtime_must(bare_call(other, TCBSuspend, NONE, NONE), "suspend");
	case_end();
}

static void hostile_exceptions(void)
{
	static const char db[] = "#DB in the handler of #DB, by the trap flag",
			  int1[] = "#DB in the handler of #DB, by INT1",
			  watch[] = "#DB in the delivery of #DB, by a breakpoint on its stack";
	uint64_t other = runtime_thread(hostile_other, runtime_sc(2000, 2000), 255);

	if (!case_left_out(machine_bochs_svm(), db,
			   "Bochs delivers the step that is pending at an exit to the host")) {
		machine_long_gate(1, guest_db_loop);
		machine_long(guest_db_loop);
		hostile_loops(db, other);
	}
	if (!case_left_out(machine_tcg(), int1, "QEMU has no INT1")) {
		machine_long_gate(1, guest_int1_loop);
		machine_long(guest_int1_loop);
		hostile_loops(int1, other);
	}
	machine_long_gate(1, guest_watch_loop);
	machine_long(guest_watch_loop);
	machine.s->dr[0] = GUEST_STACK - 8;
	machine.s->dr7 = 0x90401; /* DR0, 8 bytes, writes */
	hostile_loops(watch, other);
	runtime_must(bare_call(other, TCBSuspend, NONE, NONE), "suspend");
}

/* A handler of #AC at privilege 3 whose stack is not aligned: its delivery raises #AC, for ever unless
 * someone looks. */
static void hostile_alignment(void)
{
	static const char name[] = "#AC in the delivery of #AC";
	volatile struct insula_vcpu_state *s = machine.s;
	uint64_t at = guest_at(guest_unaligned);
	uint64_t *gdt = machine_word(GUEST_GDT), *gate = machine_word(GUEST_IDT + 8 * 17);
	uint64_t old[3] = {gdt[1], gdt[2], *gate};

	if (case_left_out(machine_tcg(), name, "QEMU has no #AC"))
		return;
	case_begin(name);
	gdt[1] = 0xcffb000000ffff;
	gdt[2] = 0xcff3000000ffff;
	*gate = (at & 0xffff) | 0xb << 16 | 0xee0000000000ull;
	machine_protected(guest_unaligned, 3);
	s->idtr.limit = 8 * 18 - 1;
	s->cr0 |= 1u << 18;
	s->rflags = 2 | 1u << 18 | 0x200;
	s->rsp = GUEST_STACK - 2;
	R(RAX) = GUEST_DATA;
	machine_timer(20000000);
	if (machine_enter() == 1) {
		case_equal(s->reason, 0, "the exit reason");
		case_equal(s->exit_info & 0x800007ff, EVENT(3, 17), "what it was");
		case_equal(s->idt_vectoring & 0x800007ff, EVENT(3, 17), "what was being delivered");
	} else {
		case_equal(machine_badge, 0x40, "the badge");
	}
	hostile_end_timer();
	gdt[1] = old[0];
	gdt[2] = old[1];
	*gate = old[2];
	case_end();
}

/* ---- faults within faults ---- */

static void hostile_nested(void)
{
	volatile struct insula_vcpu_state *s = machine.s;

	case_begin("an exception whose delivery reaches out of memory comes back with its error code");
	machine_long_gate(13, guest_hlt);
	machine_long(guest_spin);
	s->rsp = GUEST_HOLE + 0x800;
	machine_inject(EVENT(3, 13) | 1u << 11, 0x1238);
	machine_expect(48);
	case_equal(s->idt_vectoring, EVENT(3, 13) | 1u << 11, "idt_vectoring");
	case_equal(s->idt_vectoring_error, 0x1238, "its error code");
	s->rsp = GUEST_STACK;
	s->dirty = INSULA_VS_IP;
	machine_inject(s->idt_vectoring, s->idt_vectoring_error);
	machine_expect(12);
	case_equal(*machine_word(s->rsp), 0x1238, "the pushed error code");
	case_end();

	if (case_left_out(machine_bochs_svm(), "an injected event that ends in a triple fault",
			  "Bochs gives up"))
		return;
	case_begin("an injected event that ends in a triple fault");
	for (unsigned type = 0; type < 4; type += 3) {
		machine_long(guest_spin);
		s->idtr.limit = 0;
		s->rflags = 0x202;
		machine_inject(EVENT(type, type ? 14u : 0x41u) | (type ? 1u << 11 : 0), 0);
		machine_timer(20000000);
		machine_expect(2);
		hostile_end_timer();
	}
	machine_long(guest_hlt);
	machine_expect(12);
	case_end();
}

/* ---- states that no CPU enters ---- */

struct hostile_word {
	uint16_t offset;
	uint8_t bytes;
	uint64_t value;
};
#define ALL  UINT64_MAX
#define HIGH (UINT64_C(1) << 47)
#define SEG(i, part, bytes, value)                                                                           \
	{                                                                                                    \
		OFFSET(seg) + (i) * sizeof(struct insula_segment) + offsetof(struct insula_segment, part),   \
		    bytes, value                                                                             \
	}
#define SEGS(part, bytes, value)                                                                             \
	SEG(INSULA_ES, part, bytes, value), SEG(INSULA_CS, part, bytes, value),                              \
	    SEG(INSULA_SS, part, bytes, value), SEG(INSULA_DS, part, bytes, value),                          \
	    SEG(INSULA_FS, part, bytes, value), SEG(INSULA_GS, part, bytes, value),                          \
	    SEG(INSULA_LDTR, part, bytes, value), SEG(INSULA_TR, part, bytes, value)

static const struct hostile_word hostile_words[] = {
    {OFFSET(cr0), 8, 0},
    {OFFSET(cr0), 8, 0x80000010},
    {OFFSET(cr0), 8, 0xa0000011},
    {OFFSET(cr0), 8, ALL},
    {OFFSET(cr0), 8, UINT64_C(1) << 32 | 0x11},
    {OFFSET(cr4), 8, 0},
    {OFFSET(cr4), 8, ALL},
    {OFFSET(cr4), 8, 0x1020},
    {OFFSET(cr4), 8, 0x2020},
    {OFFSET(cr4), 8, 0x20020},
    {OFFSET(cr4), 8, 0x800020},
    {OFFSET(cr4), 8, UINT64_C(1) << 32 | 0x20},
    {OFFSET(efer), 8, 0},
    {OFFSET(efer), 8, 0x400},
    {OFFSET(efer), 8, 0x1500},
    {OFFSET(efer), 8, ALL},
    {OFFSET(cr3), 8, ALL},
    {OFFSET(cr3), 8, UINT64_C(1) << 63},
    {OFFSET(cr2), 8, ALL},
    {OFFSET(rflags), 8, 0},
    {OFFSET(rflags), 8, ALL},
    {OFFSET(rflags), 8, 0x20002},
    {OFFSET(rflags), 8, 0x8002},
    {OFFSET(rip), 8, ALL},
    {OFFSET(rip), 8, HIGH},
    {OFFSET(rsp), 8, HIGH},
    {OFFSET(interruptibility), 8, ALL},
    {OFFSET(interruptibility), 8, 1},
    {OFFSET(interruptibility), 8, 3},
    {OFFSET(interruptibility), 8, 4},
    {OFFSET(interruptibility), 8, 16},
    {OFFSET(activity), 8, 1},
    {OFFSET(activity), 8, 2},
    {OFFSET(activity), 8, 3},
    {OFFSET(activity), 8, ALL},
    SEGS(ar, 4, 0),
    SEGS(ar, 4, 0x10000),
    SEGS(ar, 4, 0xffffffff),
    SEGS(ar, 4, 0xf),
    SEGS(ar, 4, 0xe09b),
    SEGS(ar, 4, 0xa0fb),
    SEGS(base, 8, ALL),
    SEGS(base, 8, HIGH),
    SEGS(limit, 4, 0),
    SEGS(limit, 4, 0xfff00fff),
    SEGS(selector, 2, 0xffff),
    {OFFSET(gdtr.base), 8, HIGH},
    {OFFSET(idtr.base), 8, HIGH},
    {OFFSET(gdtr.limit), 4, ~0u},
    {OFFSET(idtr.limit), 4, ~0u},
    {OFFSET(star), 8, ALL},
    {OFFSET(lstar), 8, HIGH},
    {OFFSET(cstar), 8, HIGH},
    {OFFSET(sfmask), 8, ALL},
    {OFFSET(kernel_gs_base), 8, HIGH},
    {OFFSET(sysenter_cs), 8, ALL},
    {OFFSET(sysenter_esp), 8, HIGH},
    {OFFSET(sysenter_eip), 8, HIGH},
    {OFFSET(pat), 8, ALL},
    {OFFSET(pat), 8, 0x0202020202020202},
    {OFFSET(dr7), 8, ALL},
    {OFFSET(dr7), 8, 0},
    {OFFSET(dr6), 8, ALL},
    {OFFSET(dr), 8, ALL},
    {OFFSET(tsc_offset), 8, ALL},
    {OFFSET(xcr0), 8, ALL},
    {OFFSET(xcr0), 8, 0},
    {OFFSET(xcr0), 8, 4},
    {OFFSET(tsc_aux), 8, ALL},
    {OFFSET(entry_info), 8, ALL},
    {OFFSET(entry_info), 8, EVENT(1, 1)},
    {OFFSET(entry_info), 8, EVENT(7, 1)},
    {OFFSET(entry_info), 8, EVENT(3, 255)},
    {OFFSET(entry_info), 8, EVENT(4, 128)},
    {OFFSET(entry_info), 8, EVENT(5, 1)},
    {OFFSET(entry_info), 8, EVENT(6, 3)},
    {OFFSET(entry_info), 8, EVENT(0, 0) | 1u << 11},
    {OFFSET(window), 8, ALL},
};

static void hostile_put(const struct hostile_word *w)
{
	volatile uint8_t *at = (volatile uint8_t *)machine.s + w->offset;

	for (unsigned i = 0; i < w->bytes; i++)
		at[i] = (uint8_t)(w->value >> 8 * i);
}

/* One entry, of which anything may come but harm; then a good one. */
static bool hostile_entry(uint64_t *failed)
{
	machine_timer(3000000);
	if (machine_enter() == 1 && machine.s->reason == FAILED)
		++*failed;
	machine.s->window = 0;
	machine_write(0x4002, 1u << 7);
	machine_write(0x4004, 0);
	machine_write(0x6000, 0);
	machine_write(0x6002, 0);
	machine_write(0x6822, 0);
	machine_long(guest_hlt);
	hostile_end_timer();
	return machine_enter() == 1 && machine.s->reason == 12 && machine.s->rip == guest_at(guest_hlt);
}

static void hostile_states(void)
{
	uint64_t failed = 0, bad = 0, seed = 0x1234567;

	if (case_left_out(machine_bochs_svm(), "states that no CPU enters",
			  "Bochs gives up at a triple fault"))
		return;
	case_begin("states that no CPU enters");
	for (unsigned i = 0; i < sizeof(hostile_words) / sizeof(*hostile_words); i++) {
		machine_long(guest_cpuid_loop);
		hostile_put(&hostile_words[i]);
		if (!hostile_entry(&failed))
			bad++;
	}
	case_check(failed >= 8, "some of them are refused");
	/* and several at once */
	for (unsigned i = 0; i < 200; i++) {
		machine_long(guest_cpuid_loop);
		for (unsigned n = 0; n < 1 + i % 6; n++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			hostile_put(
			    &hostile_words[(seed >> 33) % (sizeof(hostile_words) / sizeof(*hostile_words))]);
		}
		if (!hostile_entry(&failed))
			bad++;
	}
	case_equal(bad, 0, "the number of good entries that failed behind a bad one");
	case_end();
}

/* ---- fields ---- */

/* Every field number that the format has, and what a VMM can do with it: the same on both vendors; none of
 * the host's. */
static void hostile_fields(void)
{
	uint64_t failed = 0, bad = 0, read = 0, written = 0, host = 0;

	if (case_left_out(machine_bochs_svm(), "all VMCS fields", "Bochs gives up at a triple fault"))
		return;
	case_begin("all VMCS fields");
	for (unsigned field = 0; field < 0x8000; field++) {
		if ((field & 0x3ff) >= 0x80 || field & 0x1000)
			continue;
		read += bare_call(machine.vcpu, X86VCPUReadVMCS, WORDS(field), NONE) == 0;
		machine_long(guest_cpuid_loop);
		if (machine_write(field, UINT64_MAX))
			continue;
		written++;
		host += (field & 0xc00) == 0xc00;
		/* the state page would write it again */
		machine.s->dirty = 0;
		if (!hostile_entry(&failed))
			bad++;
	}
	case_equal(host, 0, "the number of host fields");
	case_equal(bad, 0, "the number of good entries that failed behind a bad one");
	case_equal(read, 93, "the number of fields that can be read");
	case_equal(written, 78, "the number of fields that can be written");
	case_end();
}

void case_hostile(void)
{
	hostile_exceptions();
	hostile_alignment();
	hostile_nested();
	hostile_states();
	hostile_fields();
}
