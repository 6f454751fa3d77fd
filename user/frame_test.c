/* What the kernel is asked, and what is given back when it, or memory, says no. The kernel here is a list of
 * answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include "proto/task/task.h"
#include "user/frame.h"
#include "user/object.h"
#include "user/slot.h"
#include "user/vspace.h"

#define FRAME 70u
#define TABLE 80u

_Thread_local seL4_IPCBuffer *__sel4_ipc_buffer;
static seL4_IPCBuffer buffer;

static struct call {
	uint64_t label, cap, mr[5], extra[2];
} call[4];
static unsigned deletes;
static unsigned calls, slots_out, tables_out, table_type;
static int answer[4], map_answer;
static uint64_t answer_word;
static bool no_slots, no_tables;

void sel4_syscall_send(seL4_Word number, seL4_Word dest, seL4_MessageInfo_t info,
		       struct sel4_message_registers m)
{
	(void)number, (void)dest, (void)info, (void)m;
	fail();
}

seL4_MessageInfo_t sel4_syscall_receive(seL4_Word number, seL4_Word *cap, seL4_MessageInfo_t info,
					struct sel4_message_registers *m, seL4_Word reply, seL4_Word dest)
{
	struct call *c = &call[calls];

	(void)number, (void)reply, (void)dest;
	if (calls == 4) { /* only emptying 512 slots takes more */
		assert_int_equal(seL4_MessageInfo_get_label(info), CNodeDelete);
		deletes++;
		return seL4_MessageInfo_new(0, 0, 0, 0);
	}
	*c = (struct call){seL4_MessageInfo_get_label(info),
			   *cap,
			   {m->mr0, m->mr1, m->mr2, m->mr3, seL4_GetMR(4)},
			   {seL4_GetCap(0), seL4_GetCap(1)}};
	m->mr0 = answer_word;
	return seL4_MessageInfo_new((seL4_Word)answer[calls++], 0, 0, 1);
}

seL4_Word sel4_syscall_word(seL4_Word number, seL4_Word word)
{
	(void)number, (void)word;
	return 0;
}

seL4_Word sel4_syscall_vmenter(seL4_Word number, seL4_Word *badge, struct sel4_message_registers *m)
{
	(void)number, (void)badge, (void)m;
	return 0;
}

seL4_CPtr slot_alloc(void)
{
	return slot_alloc_range(1);
}
seL4_CPtr slot_alloc_range(uint32_t n)
{
	if (no_slots)
		return 0;
	slots_out += n;
	return 1000;
}
void slot_free(seL4_CPtr slot)
{
	assert_true(slot == 1000 || slot == FRAME);
	slots_out--;
}
void slot_free_range(seL4_CPtr first, uint32_t n)
{
	assert_int_equal(first, 1000);
	slots_out -= n;
}
seL4_CPtr object_create_slot(seL4_Word type, unsigned bits)
{
	(void)bits;
	if (no_tables)
		return 0;
	table_type = (unsigned)type;
	tables_out++;
	return TABLE;
}
void object_delete(seL4_CPtr slot)
{
	assert_true(slot == 0 || slot == TABLE);
	tables_out -= slot != 0;
}
int vspace_map(seL4_CPtr frame, uint64_t vaddr, bool write, bool execute)
{
	assert_int_equal(frame, 1000);
	assert_int_equal(vaddr, 0x7000);
	assert_false(execute);
	(void)write;
	return map_answer;
}

static int setup(void **state)
{
	(void)state;
	__sel4_ipc_buffer = &buffer;
	memset(&buffer, 0, sizeof(buffer));
	memset(call, 0, sizeof(call));
	memset(answer, 0, sizeof(answer));
	calls = tables_out = deletes = 0;
	slots_out = 1; /* the frame's own */
	map_answer = 0;
	answer_word = 0;
	no_slots = no_tables = false;
	return 0;
}

static void page(void **state)
{
	seL4_CPtr at = 0;

	(void)state;
	assert_int_equal(frame_page_map(FRAME, 0x5000, 0x7000, false, &at), 0);
	assert_int_equal(at, 1000);
	assert_int_equal(calls, 1);
	assert_int_equal(call[0].label, InsulaFrameDerive);
	assert_int_equal(call[0].cap, FRAME);
	assert_int_equal(call[0].extra[0], TASK_SLOT_CNODE);
	assert_int_equal(call[0].mr[0], 1000);
	assert_int_equal(call[0].mr[1], 64);
	assert_int_equal(call[0].mr[2], seL4_RightRead);
	assert_int_equal(call[0].mr[3], 0x5000);
	assert_int_equal(call[0].mr[4], 12);
	frame_page_unmap(at);
	assert_int_equal(call[1].label, CNodeDelete);
	assert_int_equal(call[1].mr[0], 1000);
	assert_int_equal(slots_out, 1);
	assert_int_equal(frame_page_map(FRAME, 0, 0x7000, true, &at), 0);
	assert_int_equal(call[2].mr[2], seL4_RightRead | seL4_RightWrite);
}

static void page_refused(void **state)
{
	seL4_CPtr at = 5;

	(void)state;
	answer[0] = seL4_RangeError;
	assert_int_equal(frame_page_map(FRAME, 0x5000, 0x7000, true, &at), -EINVAL);
	map_answer = -EEXIST;
	assert_int_equal(frame_page_map(FRAME, 0x5000, 0x7000, true, &at), -EEXIST);
	assert_int_equal(call[2].label, CNodeDelete);
	assert_int_equal(slots_out, 1);
	no_slots = true;
	assert_int_equal(frame_page_map(FRAME, 0x5000, 0x7000, true, &at), -ENOMEM);
	assert_int_equal(calls, 3);
	assert_int_equal(at, 5);
}

static void split(void **state)
{
	seL4_CPtr first = 0;

	(void)state;
	assert_int_equal(frame_split(FRAME, FRAME_IN_EPT, &first), 0);
	assert_int_equal(first, 1000);
	assert_int_equal(table_type, seL4_X86_EPTPTObject);
	assert_int_equal(call[0].label, InsulaFrameSplit);
	assert_int_equal(call[0].extra[0], TASK_SLOT_CNODE);
	assert_int_equal(call[0].extra[1], TABLE);
	assert_int_equal(call[0].mr[1], 0);
	assert_int_equal(call[0].mr[2], 1000);
	assert_int_equal(slots_out, 512);
	answer_word = 1; /* left: its slot is not free */
	assert_int_equal(frame_split(FRAME, FRAME_IN_VSPACE, &first), 1);
	assert_int_equal(table_type, seL4_X86_PageTableObject);
	assert_int_equal(slots_out, 1024);
	assert_int_equal(frame_split_more(FRAME, first), 1);
	answer_word = 0;
	assert_int_equal(frame_split_more(FRAME, first), 0);
	assert_int_equal(call[3].extra[1], 0);
	assert_int_equal(slots_out, 1023);
	assert_int_equal(tables_out, 2);
}

static void split_refused(void **state)
{
	seL4_CPtr first = 5;

	(void)state;
	answer[0] = seL4_InvalidCapability;
	assert_int_equal(frame_split(FRAME, FRAME_IN_VSPACE, &first), -EINVAL);
	no_tables = true;
	assert_int_equal(frame_split(FRAME, FRAME_IN_VSPACE, &first), -ENOMEM);
	no_slots = true;
	assert_int_equal(frame_split(FRAME, FRAME_NOT_MAPPED, &first), -ENOMEM);
	assert_int_equal(calls + deletes, 1 + 512);
	assert_int_equal(call[3].mr[0], 1002);
	assert_int_equal(slots_out, 1);
	assert_int_equal(tables_out, 0);
	assert_int_equal(first, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(page, setup),
	    cmocka_unit_test_setup(page_refused, setup),
	    cmocka_unit_test_setup(split, setup),
	    cmocka_unit_test_setup(split_refused, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
