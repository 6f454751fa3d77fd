/*
 * The API's headers against the table of its numbers (abi/sel4/abi_table.txt): constants, sizes and offsets
 * when this is compiled, what functions make of words when it runs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "sel4/sel4.h"
#include "sel4/abi_check_gen.h"

_Thread_local seL4_IPCBuffer *__sel4_ipc_buffer;
static seL4_IPCBuffer buffer;

void sel4_syscall_send(seL4_Word number, seL4_Word dest, seL4_MessageInfo_t info,
		       struct sel4_message_registers m)
{
	(void)number, (void)dest, (void)info, (void)m;
}

seL4_MessageInfo_t sel4_syscall_receive(seL4_Word number, seL4_Word *cap, seL4_MessageInfo_t info,
					struct sel4_message_registers *m, seL4_Word reply, seL4_Word dest)
{
	(void)number, (void)cap, (void)m, (void)reply, (void)dest;
	return info;
}

seL4_Word sel4_syscall_word(seL4_Word number, seL4_Word word)
{
	(void)number;
	return word;
}

seL4_Word sel4_syscall_vmenter(seL4_Word number, seL4_Word *badge, struct sel4_message_registers *m)
{
	(void)number, (void)badge, (void)m;
	return 0;
}

static void table_is_compared(void **state)
{
	(void)state;
	/* the comparison itself was made by the compiler; an empty table would compare nothing */
	assert_in_range(ABI_CHECKED, 300, 2000);
}

static void rights(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 16; i++)
		assert_int_equal(seL4_CapRights_new(i >> 3, i >> 2 & 1, i >> 1 & 1, i & 1).words[0], i);
	assert_int_equal(seL4_AllRights.words[0], 15);
	assert_int_equal(seL4_NoRights.words[0], 0);
	assert_int_equal(seL4_ReadWrite.words[0], 3);
	assert_int_equal(seL4_CanRead.words[0], 2);
	assert_int_equal(seL4_CanWrite.words[0], 1);
	assert_int_equal(seL4_CanGrant.words[0], 4);
	assert_int_equal(seL4_CanGrantReply.words[0], 8);
	assert_int_equal(seL4_NoWrite.words[0], 14);
	assert_int_equal(seL4_NoRead.words[0], 13);
}

static void guards(void **state)
{
	(void)state;
	assert_int_equal(seL4_CNode_CapData_new(0, 51), 51);
	assert_int_equal(seL4_CNode_CapData_new(0x123, 12), 0x123 << 6 | 12);
	assert_int_equal(seL4_CNode_CapData_new(1, 64), 1 << 6); /* six bits of size */
}

static void tags(void **state)
{
	(void)state;
	for (uint64_t length = 0; length < 128; length += 9)
		for (uint64_t extra = 0; extra < 4; extra++)
			for (uint64_t unwrapped = 0; unwrapped < 8; unwrapped++) {
				seL4_MessageInfo_t t =
				    seL4_MessageInfo_new(0xabcde, unwrapped, extra, length);

				assert_int_equal(t.words[0],
						 0xabcdeull << 12 | unwrapped << 9 | extra << 7 | length);
				assert_int_equal(seL4_MessageInfo_get_length(t), length);
				assert_int_equal(seL4_MessageInfo_get_extraCaps(t), extra);
				assert_int_equal(seL4_MessageInfo_get_capsUnwrapped(t), unwrapped);
				assert_int_equal(seL4_MessageInfo_get_label(t), 0xabcde);
				assert_int_equal(seL4_MessageInfo_set_label(t, 1).words[0],
						 1ull << 12 | (t.words[0] & 0xfff));
				assert_int_equal(seL4_MessageInfo_set_extraCaps(t, 3).words[0],
						 t.words[0] | 3 << 7);
				assert_int_equal(seL4_MessageInfo_set_length(t, 127).words[0],
						 t.words[0] | 127);
			}
}

static void faults(void **state)
{
	static const uint64_t kinds[] = {1, 2, 3, 5, 6};
	seL4_Fault_t f;

	(void)state;
	__sel4_ipc_buffer = &buffer;
	for (int i = 0; i < 19; i++)
		buffer.msg[i] = 0x700 + (uint64_t)i;
	for (unsigned i = 0; i < 5; i++) {
		seL4_MessageInfo_t tag = seL4_MessageInfo_new(kinds[i], 0, 0, 4);

		f = seL4_getFault(tag);
		assert_int_equal(seL4_Fault_get_seL4_FaultType(f), kinds[i]);
		assert_int_equal(sel4_fault_word(f, 3), 0x703);
		assert_int_equal(sel4_fault_word(f, 4), 0); /* did not come */
		assert_int_equal(sel4_fault_word(f, 19), 0);
		assert_int_equal(seL4_isCapFault_tag(tag), kinds[i] == 1);
		assert_int_equal(seL4_isUnknownSyscall_tag(tag), kinds[i] == 2);
		assert_int_equal(seL4_isUserException_tag(tag), kinds[i] == 3);
		assert_int_equal(seL4_isTimeoutFault_tag(tag), kinds[i] == 5);
		assert_int_equal(seL4_isVMFault_tag(tag), kinds[i] == 6);
	}
	for (uint64_t label = 7; label < 100; label++)
		assert_int_equal(
		    seL4_Fault_get_seL4_FaultType(seL4_getFault(seL4_MessageInfo_new(label, 0, 0, 19))), 0);
	assert_int_equal(seL4_Fault_get_seL4_FaultType(seL4_getFault(seL4_MessageInfo_new(4, 0, 0, 4))), 0);
	f = seL4_getFault(seL4_MessageInfo_new(2, 0, 0, 120));
	assert_int_equal(sel4_fault_word(f, 18), 0x712);
}

static void boot_chunks(void **state)
{
	static struct {
		seL4_BootInfo info;
		char rest[4096 - sizeof(seL4_BootInfo)];
		char extra[128];
	} b;
	seL4_BootInfoHeader h;
	uint64_t length;

	(void)state;
	h = (seL4_BootInfoHeader){3, 16 + 36};
	memcpy(b.extra, &h, sizeof(h));
	h = (seL4_BootInfoHeader){5, 20};
	memcpy(b.extra + 52, &h, sizeof(h));
	b.info.extraLen = 72;
	assert_ptr_equal(sel4_bootinfo_chunk(&b.info, 3, &length), b.extra + 16);
	assert_int_equal(length, 36);
	assert_ptr_equal(sel4_bootinfo_chunk(&b.info, 5, &length), b.extra + 52 + 16);
	assert_int_equal(length, 4);
	assert_null(sel4_bootinfo_chunk(&b.info, 2, &length));
	/* a length that leads nowhere ends the search */
	h = (seL4_BootInfoHeader){3, 0};
	memcpy(b.extra, &h, sizeof(h));
	assert_null(sel4_bootinfo_chunk(&b.info, 5, &length));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(table_is_compared),
					   cmocka_unit_test(rights),
					   cmocka_unit_test(guards),
					   cmocka_unit_test(tags),
					   cmocka_unit_test(faults),
					   cmocka_unit_test(boot_chunks)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
