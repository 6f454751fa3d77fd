/*
 * Every stub of an invocation or system call, on a fake SYSCALL instruction: numbers, and the place of every argument and result, against the
 * table of the API.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "sel4/sel4.h"

_Thread_local seL4_IPCBuffer *__sel4_ipc_buffer;
static seL4_IPCBuffer buffer;

/* What the last call had in registers. */
static struct {
	char kind;
	int64_t number;
	uint64_t cap, reply, dest;
	seL4_MessageInfo_t info;
	struct sel4_message_registers m;
	seL4_MessageInfo_t answer;
} seen;

#define ANSWER(i) (0x1122334455667700ull + (i))

void sel4_syscall_send(seL4_Word number, seL4_Word dest, seL4_MessageInfo_t info, struct sel4_message_registers m)
{
	seen.kind = 's';
	seen.number = (int64_t)number;
	seen.cap = dest;
	seen.info = info;
	seen.m = m;
}

seL4_MessageInfo_t sel4_syscall_receive(seL4_Word number, seL4_Word *cap, seL4_MessageInfo_t info, struct sel4_message_registers *m,
					seL4_Word reply, seL4_Word dest)
{
	seen.kind = 'r';
	seen.number = (int64_t)number;
	seen.cap = *cap;
	seen.info = info;
	seen.m = *m;
	seen.reply = reply;
	seen.dest = dest;
	*cap = 0xbad6e;
	*m = (struct sel4_message_registers){ANSWER(0), ANSWER(1), ANSWER(2), ANSWER(3)};
	return seen.answer;
}

seL4_Word sel4_syscall_word(seL4_Word number, seL4_Word word)
{
	seen.kind = 'w';
	seen.number = (int64_t)number;
	seen.cap = word;
	return 0x1234;
}

seL4_Word sel4_syscall_vmenter(seL4_Word number, seL4_Word *badge, struct sel4_message_registers *m)
{
	seen.kind = 'v';
	seen.number = (int64_t)number;
	seen.m = *m;
	*badge = 0xbad6e;
	*m = (struct sel4_message_registers){ANSWER(0), ANSWER(1), ANSWER(2), ANSWER(3)};
	return seen.answer.words[0];
}

struct stub_check {
	const char *name;
	uint64_t label;
	int (*call)(uint64_t *result);
	unsigned caps, words;
	uint64_t cap[3], word[12];
	uint64_t result_mask;
};
#include "sel4/invocations_check_gen.h"

static void begin(void)
{
	memset(&buffer, 0x5c, sizeof(buffer));
	memset(&seen, 0, sizeof(seen));
	__sel4_ipc_buffer = &buffer;
	seen.answer = seL4_MessageInfo_new(0, 0, 0, 4);
}

static uint64_t word_seen(unsigned i)
{
	const uint64_t in_registers[] = {seen.m.mr0, seen.m.mr1, seen.m.mr2, seen.m.mr3};

	return i < 4 ? in_registers[i] : buffer.msg[i];
}

static void invoked(uint64_t label, unsigned caps, unsigned words)
{
	assert_int_equal(seen.kind, 'r');
	assert_int_equal(seen.number, -1);
	assert_int_equal(seen.cap, 0x7001);
	assert_int_equal(seL4_MessageInfo_get_label(seen.info), label);
	assert_int_equal(seL4_MessageInfo_get_extraCaps(seen.info), caps);
	assert_int_equal(seL4_MessageInfo_get_length(seen.info), words);
	assert_int_equal(seL4_MessageInfo_get_capsUnwrapped(seen.info), 0);
}

static void all_invocations(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(stub_checks) / sizeof(stub_checks[0]); i++) {
		const struct stub_check *c = &stub_checks[i];
		uint64_t result = 0;

		begin();
		if (c->call(&result))
			fail_msg("%s: error without one", c->name);
		invoked(c->label, c->caps, c->words);
		for (unsigned k = 0; k < c->caps; k++)
			assert_int_equal(buffer.caps_or_badges[k], c->cap[k]);
		for (unsigned k = 0; k < c->words; k++)
			assert_int_equal(word_seen(k), c->word[k]);
		assert_int_equal(result, ANSWER(0) & c->result_mask);
		/* an error, and its words in the buffer */
		begin();
		seen.answer = seL4_MessageInfo_new(seL4_FailedLookup, 0, 0, 3);
		assert_int_equal(c->call(&result), seL4_FailedLookup);
		assert_int_equal(seL4_GetMR(2), ANSWER(2));
	}
}

static void flags_and_contexts(void **state)
{
	seL4_UserContext regs;
	seL4_VCPUContext guest;
	uint64_t *w = (uint64_t *)(void *)&regs;

	(void)state;
	_Static_assert(sizeof(regs) == 20 * 8 && sizeof(guest) == 15 * 8, "words of the contexts");
	for (unsigned i = 0; i < 20; i++)
		w[i] = 0x900 + i;
	begin();
	assert_int_equal(seL4_TCB_WriteRegisters(0x7001, 1, 0xa5, 20, &regs), 0);
	invoked(3, 0, 22);
	assert_int_equal(word_seen(0), 0xa501);
	assert_int_equal(word_seen(1), 20);
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(word_seen(2 + i), 0x900 + i);
	/* the order of the context's words */
	assert_ptr_equal(&regs.rip, &w[0]);
	assert_ptr_equal(&regs.rsp, &w[1]);
	assert_ptr_equal(&regs.rflags, &w[2]);
	assert_ptr_equal(&regs.rdi, &w[8]);
	assert_ptr_equal(&regs.r15, &w[17]);
	assert_ptr_equal(&regs.fs_base, &w[18]);
	assert_ptr_equal(&regs.gs_base, &w[19]);

	begin();
	for (unsigned i = 4; i < 20; i++)
		buffer.msg[i] = 0x800 + i;
	assert_int_equal(seL4_TCB_ReadRegisters(0x7001, 1, 2, 20, &regs), 0);
	invoked(2, 0, 2);
	assert_int_equal(word_seen(0), 0x201);
	assert_int_equal(word_seen(1), 20);
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(w[i], i < 4 ? ANSWER(i) : 0x800 + i);

	for (unsigned i = 0; i < 5; i++) {
		begin();
		assert_int_equal(seL4_TCB_CopyRegisters(0x7001, 0x99, i == 0, i == 1, i == 2, i == 3, i == 4 ? 0xff : 0), 0);
		invoked(4, 1, 1);
		assert_int_equal(buffer.caps_or_badges[0], 0x99);
		assert_int_equal(word_seen(0), i == 4 ? 0xff00 : 1u << i);
	}

	for (unsigned i = 0; i < 15; i++)
		((uint64_t *)(void *)&guest)[i] = 0x700 + i;
	begin();
	assert_int_equal(seL4_X86_VCPU_WriteRegisters(0x7001, &guest), 0);
	invoked(71, 0, 15);
	for (unsigned i = 0; i < 15; i++)
		assert_int_equal(word_seen(i), 0x700 + i);
	assert_int_equal(guest.ebp, 0x706);
	assert_int_equal(guest.r15, 0x70e);
}

static void sent(char kind, int number, uint64_t cap, uint64_t reply, uint64_t dest)
{
	assert_int_equal(seen.kind, kind);
	assert_int_equal(seen.number, number);
	assert_int_equal(seen.cap, cap);
	assert_int_equal(seen.reply, reply);
	assert_int_equal(seen.dest, dest);
}

static void system_calls(void **state)
{
	seL4_MessageInfo_t info = seL4_MessageInfo_new(77, 0, 0, 5);
	seL4_Word badge, a = 1, b = 2, c = 3, d = 4;

	(void)state;
	begin();
	for (int i = 0; i < 5; i++)
		seL4_SetMR(i, 0x600 + (seL4_Word)i);
	seL4_Send(5, info);
	sent('s', -5, 5, 0, 0);
	assert_int_equal(seen.info.words[0], info.words[0]);
	assert_int_equal(seen.m.mr0, 0x600);
	assert_int_equal(seen.m.mr3, 0x603);
	seL4_NBSend(5, info);
	sent('s', -6, 5, 0, 0);
	seL4_Signal(5);
	sent('s', -5, 5, 0, 0);
	assert_int_equal(seen.info.words[0], 1);
	(void)seL4_Call(5, info);
	sent('r', -1, 5, 0, 0);
	assert_int_equal(seL4_GetMR(0), ANSWER(0));
	assert_int_equal(seL4_GetMR(3), ANSWER(3));
	(void)seL4_Recv(5, &badge, 6);
	sent('r', -7, 5, 6, 0);
	assert_int_equal(badge, 0xbad6e);
	(void)seL4_NBRecv(5, NULL, 6);
	sent('r', -8, 5, 6, 0);
	(void)seL4_Wait(5, &badge);
	sent('r', -9, 5, 0, 0);
	(void)seL4_Poll(5, &badge);
	sent('r', -10, 5, 0, 0);
	(void)seL4_ReplyRecv(5, info, &badge, 6);
	sent('r', -2, 5, 6, 0);
	(void)seL4_NBSendRecv(7, info, 5, &badge, 6);
	sent('r', -3, 5, 6, 7);
	(void)seL4_NBSendWait(7, info, 5, &badge);
	sent('r', -4, 5, 7, 0);
	(void)seL4_CallWithMRs(5, info, &a, &b, &c, &d);
	sent('r', -1, 5, 0, 0);
	assert_int_equal(seen.m.mr3, 4);
	assert_int_equal(d, ANSWER(3));
	(void)seL4_CallWithMRs(5, info, &a, NULL, NULL, NULL);
	assert_int_equal(seen.m.mr0, ANSWER(0));
	assert_int_equal(seen.m.mr1, 0);
	(void)seL4_ReplyRecvWithMRs(5, info, &badge, &a, &b, &c, &d, 6);
	sent('r', -2, 5, 6, 0);
	seL4_Yield();
	assert_int_equal(seen.number, -11);
	seL4_DebugPutChar('\xff');
	assert_int_equal(seen.number, -12);
	assert_int_equal(seen.cap, 0xff);
	assert_int_equal(seL4_DebugCapIdentify(9), 0x1234);
	assert_int_equal(seen.number, -15);
	seL4_DebugNameThread(9, "name");
	assert_int_equal(seen.number, -17);
	assert_string_equal((const char *)buffer.msg, "name");
	seL4_SetTLSBase(0x1000);
	assert_int_equal(seen.number, -33);
	assert_int_equal(seen.cap, 0x1000);
}

static void vm_enter(void **state)
{
	seL4_Word badge = 1;

	(void)state;
	begin();
	seL4_SetMR(0, 0x40);
	seL4_SetMR(2, 0x42);
	seen.answer.words[0] = SEL4_VMENTER_RESULT_FAULT;
	assert_int_equal(seL4_VMEnter(&badge), SEL4_VMENTER_RESULT_FAULT);
	sent('v', -32, 0, 0, 0);
	assert_int_equal(badge, 1);
	assert_int_equal(seen.m.mr0, 0x40);
	assert_int_equal(seen.m.mr2, 0x42);
	assert_int_equal(seL4_GetMR(3), ANSWER(3));
	seen.answer.words[0] = SEL4_VMENTER_RESULT_NOTIF;
	assert_int_equal(seL4_VMEnter(&badge), SEL4_VMENTER_RESULT_NOTIF);
	assert_int_equal(badge, 0xbad6e);
}

static void words(void **state)
{
	seL4_MessageInfo_t i = seL4_MessageInfo_new(0xfedcba9876543ull, 5, 2, 100);

	(void)state;
	assert_int_equal(i.words[0], 0xfedcba9876543ull << 12 | 5 << 9 | 2 << 7 | 100);
	assert_int_equal(seL4_MessageInfo_get_label(i), 0xfedcba9876543ull);
	assert_int_equal(seL4_MessageInfo_get_capsUnwrapped(i), 5);
	assert_int_equal(seL4_MessageInfo_get_extraCaps(i), 2);
	assert_int_equal(seL4_MessageInfo_get_length(i), 100);
	i = seL4_MessageInfo_set_length(i, 3);
	assert_int_equal(seL4_MessageInfo_get_length(i), 3);
	assert_int_equal(seL4_MessageInfo_get_extraCaps(i), 2);
	assert_int_equal(seL4_CapRights_new(1, 0, 0, 0).words[0], 8);
	assert_int_equal(seL4_CapRights_new(0, 1, 0, 0).words[0], 4);
	assert_int_equal(seL4_CanRead.words[0], 2);
	assert_int_equal(seL4_CanWrite.words[0], 1);
	assert_int_equal(seL4_CNode_CapData_new(5, 51), 5 << 6 | 51);
	assert_int_equal(offsetof(seL4_IPCBuffer, msg), 8);
	assert_int_equal(offsetof(seL4_IPCBuffer, userData), 968);
	assert_int_equal(offsetof(seL4_IPCBuffer, caps_or_badges), 976);
	assert_int_equal(offsetof(seL4_IPCBuffer, receiveCNode), 1000);
	assert_int_equal(offsetof(seL4_IPCBuffer, receiveDepth), 1016);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(all_invocations), cmocka_unit_test(flags_and_contexts), cmocka_unit_test(system_calls),
					   cmocka_unit_test(vm_enter), cmocka_unit_test(words)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
