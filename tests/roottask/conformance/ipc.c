/* Messages between two threads, capabilities in them, notifications. The partner has a lower priority: it runs while we wait. */
#include "roottask/conformance/conformance.h"

#define ECHO_LABEL 0x77

static struct thread_memory echo_memory;
static struct {
	seL4_CPtr ep, reply, slot;
} echo;

/* Answers with what it got: badge, label, length, extra capabilities, unwrapped, then the first words plus one. */
static void echo_thread(void *argument)
{
	seL4_Word badge;
	seL4_MessageInfo_t info;

	(void)argument;
	seL4_SetCapReceivePath(ROOT, echo.slot, DEPTH);
	info = seL4_Recv(echo.ep, &badge, echo.reply);
	for (;;) {
		seL4_Word words = seL4_MessageInfo_get_length(info), got[120];

		for (seL4_Word i = 0; i < words && i < 115; i++)
			got[i] = seL4_GetMR((int)i) + 1;
		seL4_SetMR(0, badge);
		seL4_SetMR(1, seL4_MessageInfo_get_label(info));
		seL4_SetMR(2, words);
		seL4_SetMR(3, seL4_MessageInfo_get_extraCaps(info));
		seL4_SetMR(4, seL4_MessageInfo_get_capsUnwrapped(info));
		for (seL4_Word i = 0; i < words && i < 115; i++)
			seL4_SetMR((int)(i + 5), got[i]);
		info = seL4_ReplyRecv(echo.ep, seL4_MessageInfo_new(ECHO_LABEL, 0, 0, words < 115 ? words + 5 : 120), &badge, echo.reply);
	}
}

static seL4_MessageInfo_t call(seL4_CPtr to, seL4_Word label, seL4_Word caps, seL4_Word length)
{
	for (seL4_Word i = 0; i < length && i < seL4_MsgMaxLength; i++)
		seL4_SetMR((int)i, 100 + i);
	return seL4_Call(to, seL4_MessageInfo_new(label, 0, caps, length));
}

static void messages(void)
{
	seL4_CPtr badged = object_mint(echo.ep, seL4_AllRights, 0xfeedface12345678ull);
	seL4_MessageInfo_t info = call(badged, 5, 0, 3);

	conformance_equal("ipc.reply_label", seL4_MessageInfo_get_label(info), ECHO_LABEL);
	conformance_equal("ipc.reply_length", seL4_MessageInfo_get_length(info), 8);
	conformance_equal("ipc.badge", seL4_GetMR(0), 0xfeedface12345678ull);
	conformance_equal("ipc.label", seL4_GetMR(1), 5);
	conformance_equal("ipc.length", seL4_GetMR(2), 3);
	conformance_case("ipc.words", seL4_GetMR(5) == 101 && seL4_GetMR(6) == 102 && seL4_GetMR(7) == 103, "words differ");
	(void)call(echo.ep, 0xfffffffffffffull, 0, 100);
	conformance_equal("ipc.unbadged", seL4_GetMR(0), 0);
	conformance_equal("ipc.label_52_bits", seL4_GetMR(1), 0xfffffffffffffull);
	conformance_case("ipc.long_words", seL4_GetMR(5) == 101 && seL4_GetMR(104) == 200, "words of a long message differ");
	(void)call(echo.ep, 1, 0, 125);
	conformance_equal("ipc.length_cut", seL4_GetMR(2), 120);
}

static void capabilities(void)
{
	seL4_CPtr n = object_new(seL4_NotificationObject, 0), badged = object_mint(echo.ep, seL4_AllRights, 9), stingy;

	seL4_SetCap(0, n);
	(void)call(echo.ep, 1, 1, 0);
	conformance_equal("ipc.cap_count", seL4_GetMR(3), 1);
	conformance_equal("ipc.cap_not_unwrapped", seL4_GetMR(4), 0);
	conformance_equal("ipc.cap_arrives", seL4_DebugCapIdentify(echo.slot), 6);
	(void)seL4_CNode_Delete(ROOT, echo.slot, DEPTH);
	/* to the same endpoint: unwrapped to its badge */
	seL4_SetCap(0, badged);
	(void)call(echo.ep, 1, 1, 0);
	conformance_equal("ipc.cap_unwrapped", seL4_GetMR(4), 1);
	conformance_equal("ipc.cap_unwrapped_no_slot", seL4_DebugCapIdentify(echo.slot), 0);
	/* without grant it stays */
	stingy = object_mint(echo.ep, seL4_CapRights_new(1, 0, 1, 1), 3);
	seL4_SetCap(0, n);
	(void)call(stingy, 1, 1, 0);
	conformance_equal("ipc.no_grant_no_cap", seL4_GetMR(3), 0);
	conformance_equal("ipc.no_grant_slot_empty", seL4_DebugCapIdentify(echo.slot), 0);
}

static void notifications(void)
{
	seL4_CPtr n = object_new(seL4_NotificationObject, 0), one = object_mint(n, seL4_AllRights, 1), four = object_mint(n, seL4_AllRights, 4);
	seL4_CPtr reply = object_new(seL4_ReplyObject, 0), ep = object_new(seL4_EndpointObject, 0);
	seL4_Word badge = 99;

	(void)seL4_Poll(n, &badge);
	conformance_equal("notification.poll_empty", badge, 0);
	seL4_Signal(one);
	seL4_Signal(four);
	seL4_Signal(one);
	(void)seL4_Wait(n, &badge);
	conformance_equal("notification.badges", badge, 5);
	(void)seL4_Poll(n, &badge);
	conformance_equal("notification.taken", badge, 0);
	/* unbadged signals wake without a badge */
	seL4_Signal(n);
	badge = 99;
	(void)seL4_Wait(n, &badge);
	conformance_equal("notification.unbadged", badge, 0);
	badge = 99;
	(void)seL4_NBRecv(ep, &badge, reply);
	conformance_equal("ipc.nbrecv_empty", badge, 0);
	seL4_NBSend(ep, seL4_MessageInfo_new(1, 0, 0, 0));
	conformance_case("ipc.nbsend_dropped", true, "");
	/* a bound notification is received on an endpoint */
	conformance_error("notification.bind", seL4_TCB_BindNotification(seL4_CapInitThreadTCB, n), 0);
	seL4_Signal(four);
	(void)seL4_Recv(ep, &badge, reply);
	conformance_equal("notification.bound", badge, 4);
	conformance_error("notification.unbind", seL4_TCB_UnbindNotification(seL4_CapInitThreadTCB), 0);
}

/* The timer extension, on the same notification machinery. */
static void timers(void)
{
	seL4_CPtr timer = object_new(insula_TimerObject, 0), n = object_new(seL4_NotificationObject, 0);
	seL4_CPtr badged = object_mint(n, seL4_AllRights, 0x10), deaf = object_mint(n, seL4_CanRead, 0);
	seL4_Word badge = 0;

	conformance_equal("timer.type", seL4_DebugCapIdentify(timer), insula_CapTypeTimer);
	conformance_error("timer.unbound", insula_Timer_Set(timer, 1), seL4_IllegalOperation);
	conformance_error1("timer.no_send", insula_Timer_Bind(timer, deaf), seL4_InvalidCapability, 1);
	conformance_error("timer.bind", insula_Timer_Bind(timer, badged), 0);
	conformance_error("timer.past", insula_Timer_Set(timer, 1), 0);
	(void)seL4_Poll(n, &badge);
	conformance_equal("timer.past_signals", badge, 0x10);
	conformance_error("timer.never", insula_Timer_Set(timer, ~0ull), 0);
	(void)seL4_Poll(n, &badge);
	conformance_equal("timer.never_waits", badge, 0);
	conformance_error("timer.cancel", insula_Timer_Cancel(timer), 0);
	conformance_error("timer.delete", seL4_CNode_Delete(ROOT, timer, DEPTH), 0);
}

void ipc_cases(void)
{
	struct thread t = thread_new(&echo_memory, seL4_CapInitThreadVSpace, 100, 10000, 0);

	echo.ep = object_new(seL4_EndpointObject, 0);
	echo.reply = object_new(seL4_ReplyObject, 0);
	echo.slot = object_slot();
	thread_run(&t, echo_thread, 0);
	messages();
	capabilities();
	notifications();
	timers();
	thread_suspend(&t);
}
