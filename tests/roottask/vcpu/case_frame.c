/* Frames under a running guest (extensions): a large one is split in place, pages of it are taken and
 * replaced. */
#include "machine.h"
#include "vcpu_hw.h"

#define R(x)	  GPR(&machine, x)
#define RW	  (seL4_RightRead | seL4_RightWrite)
#define EPT_WB	  6
#define FRAME_GPA 0x200000ull
#define PAGE	  4096ull
#define RADIX	  9
#define TICKS	  3000000

static uint64_t frame_large, frame_copy, frame_parts, frame_copies;

/* Our view of one page of the large frame. */
static volatile uint64_t *frame_page(unsigned i)
{
	uint64_t slot = runtime_slot();

	runtime_must(bare_call(frame_large, InsulaFrameDerive, WORDS(slot, 64, RW, i * PAGE, 12),
			       CAPS(seL4_CapInitThreadCNode)),
		     "derive");
	return runtime_map(slot);
}

static void frame_touch(unsigned i, uint64_t value)
{
	machine_long(guest_touch);
	R(RAX) = FRAME_GPA + i * PAGE;
	R(RBX) = value;
}

static uint64_t frame_split(uint64_t frame, uint64_t node, uint64_t table)
{
	return bare_call(frame, InsulaFrameSplit, WORDS(node, 64, 0), CAPS(seL4_CapInitThreadCNode, table));
}

static void frame_count_for(uint64_t ticks)
{
	runtime_must(bare_call(machine.timer, InsulaTimerSet, WORDS(hw_rdtsc() + ticks), NONE), "timer");
	case_equal(machine_enter(), 0, "VMEnter's result");
}

static void frame_split_under_guest(void)
{
	volatile uint64_t *page = frame_page(3), *other = frame_page(9);
	uint64_t table = runtime_make(seL4_X86_EPTPTObject, 0), before;

	case_begin("a frame is split under a guest");
	frame_touch(9, 99);
	machine_expect(12);
	case_equal(*other, 99, "what the guest wrote");
	machine_long(guest_count);
	machine.s->rflags =
	    0x202; /* interrupts on: Bochs never ends the turn of a guest that spins without */
	R(RAX) = FRAME_GPA + 3 * PAGE;
	frame_count_for(TICKS);
	before = *page;
	case_check(before != 0, "the guest counts");
	case_equal(frame_split(frame_copy, frame_copies, machine.ept), seL4_InvalidCapability,
		   "a wrong table");
	case_equal(frame_split(frame_copy, frame_copies, table), 0, "the error");
	case_equal(bare_words[0], 0, "what is left");
	case_equal(frame_split(frame_large, frame_parts, 0), 0, "the error");
	case_equal(bare_words[0], 0, "what is left");
	machine.s->dirty = 0;
	frame_count_for(TICKS);
	case_check(*page > before, "the guest counts on");
	frame_touch(9, 100);
	machine_expect(12);
	case_equal(*other, 100, "what the guest wrote");
	case_end();
}

static void frame_take_pages(void)
{
	uint64_t fresh = runtime_make(seL4_X86_4K, 0);
	volatile uint64_t *seen;

	case_begin("one page of a split frame is taken, and replaced");
	runtime_must(bare_call(frame_parts, CNodeRevoke, WORDS(9, RADIX), NONE), "revoke");
	frame_touch(9, 1);
	machine_expect(48);
	case_equal(machine.s->gpa, FRAME_GPA + 9 * PAGE, "the address");
	frame_touch(8, 1);
	machine_expect(12);
	seen = runtime_map(runtime_copy(fresh, 15));
	case_equal(
	    bare_call(fresh, X86PageMapEPT, WORDS(FRAME_GPA + 9 * PAGE, RW, EPT_WB), CAPS(machine.ept)), 0,
	    "the error");
	frame_touch(9, 123);
	machine_expect(12);
	case_equal(*seen, 123, "what the guest wrote");
	case_end();
}

/* A grant: the page of another, as a child of its part; and it goes with the part's revoke. */
static void frame_foreign_page(void)
{
	uint64_t foreign = runtime_slot(), again = runtime_slot(), part = runtime_slot();

	case_begin("a foreign page, read-only, until it is revoked");
	runtime_must(
	    bare_call(seL4_CapInitThreadCNode, CNodeMove, WORDS(part, 64, 20, RADIX), CAPS(frame_parts)),
	    "move");
	case_equal(bare_call(part, InsulaFrameDerive, WORDS(foreign, 64, seL4_RightRead, 0, 12),
			     CAPS(seL4_CapInitThreadCNode)),
		   0, "the error");
	runtime_must(bare_call(frame_copies, CNodeDelete, WORDS(9 + 1, RADIX), NONE), "delete");
	case_equal(
	    bare_call(foreign, X86PageMapEPT, WORDS(FRAME_GPA + 10 * PAGE, RW, EPT_WB), CAPS(machine.ept)), 0,
	    "the error");
	frame_touch(20, 4);
	machine_expect(12);
	frame_touch(10, 5);
	machine_expect(48); /* it may not be written */
	case_equal(machine.s->gpa, FRAME_GPA + 10 * PAGE, "the address");
	/* derived and mapped at once, in the first one's place */
	case_equal(bare_call(part, InsulaFrameDeriveEPT,
			     WORDS(again, 64, RW, 0, 12, FRAME_GPA + 10 * PAGE, EPT_WB),
			     CAPS(seL4_CapInitThreadCNode, machine.ept)),
		   0, "the error");
	frame_touch(10, 6);
	machine_expect(12);
	case_equal(
	    bare_call(again, X86PageMapEPT, WORDS(FRAME_GPA + 9 * PAGE, RW, EPT_WB), CAPS(machine.ept)),
	    seL4_InvalidCapability, "it is mapped");
	runtime_must(bare_call(seL4_CapInitThreadCNode, CNodeRevoke, WORDS(part, 64), NONE), "revoke");
	frame_touch(20, 4);
	machine_expect(48);
	frame_touch(10, 7);
	machine_expect(48);
	frame_touch(21, 4);
	machine_expect(12);
	case_end();
}

void case_frames(void)
{
	frame_large = runtime_make(seL4_X86_LargePageObject, 0);
	frame_copy = runtime_copy(frame_large, 15);
	frame_parts = runtime_make(seL4_CapTableObject, RADIX);
	frame_copies = runtime_make(seL4_CapTableObject, RADIX);
	runtime_must(bare_call(frame_copy, X86PageMapEPT, WORDS(FRAME_GPA, RW, EPT_WB), CAPS(machine.ept)),
		     "guest frame");
	frame_split_under_guest();
	frame_take_pages();
	frame_foreign_page();
}
