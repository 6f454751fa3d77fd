/* Timer objects: errors, deadlines, what happens to a timer whose notification goes. */
#include "roottask/ext/ext.h"
#include "roottask/runtime/tsc_hw.h"

#define TICKS 200000

static seL4_CPtr timer, notification;

static seL4_Word poll(void)
{
	seL4_Word badge = 0;

	seL4_Poll(notification, &badge);
	return badge;
}

static seL4_Word wait_until(uint64_t end)
{
	seL4_Word badge = 0;

	while (!badge && tsc_read() < end)
		badge = poll();
	return badge;
}

static seL4_CPtr device(void)
{
	const seL4_BootInfo *b = runtime_bootinfo();

	for (seL4_Word i = 0; i < b->untyped.end - b->untyped.start; i++)
		if (b->untypedList[i].isDevice && b->untypedList[i].sizeBits >= 12)
			return b->untyped.start + i;
	return 0;
}

static void errors(void)
{
	const seL4_CapRights_t receive_only = seL4_CapRights_new(0, 0, 1, 0);
	seL4_CPtr deaf = object_slot(), slot = object_slot();

	check_equal("timer.identify", seL4_DebugCapIdentify(timer), insula_CapTypeTimer);
	check_error1("timer.of_device_memory",
		     seL4_Untyped_Retype(device(), insula_TimerObject, 0, ROOT, 0, 0, slot, 1),
		     seL4_InvalidArgument, 1);
	check_error("timer.set_unbound", insula_Timer_Set(timer, 1), seL4_IllegalOperation);
	check_error("timer.set_short", raw(timer, InsulaTimerSet, 0, 0, 0, 0), seL4_TruncatedMessage);
	check_error("timer.cancel_unbound", insula_Timer_Cancel(timer), 0);
	check_error("timer.unbind_unbound", insula_Timer_Unbind(timer), 0);
	check_error1("timer.bind_timer", insula_Timer_Bind(timer, timer), seL4_InvalidCapability, 1);
	check_error1("timer.bind_null", insula_Timer_Bind(timer, slot), seL4_InvalidCapability, 1);
	runtime_must(seL4_CNode_Mint(ROOT, deaf, DEPTH, ROOT, notification, DEPTH, receive_only, 0), "mint");
	check_error1("timer.bind_without_send", insula_Timer_Bind(timer, deaf), seL4_InvalidCapability, 1);
	check_error("timer.label", raw(timer, InsulaTimerCancel + 1, 0, 0, 0, 0), seL4_IllegalOperation);
	check_error("timer.label_of_frames", raw(timer, InsulaFrameSplit, 3, 1, ROOT, 0),
		    seL4_IllegalOperation);
}

static void deadlines(void)
{
	seL4_CPtr badged = object_mint(notification, seL4_AllRights, 0x40),
		  other = object_mint(notification, seL4_AllRights, 0x80), copy;
	uint64_t start, late;

	check_error("timer.bind", insula_Timer_Bind(timer, badged), 0);
	check_error("timer.past", insula_Timer_Set(timer, 0), 0);
	check_equal("timer.past_signals_at_once", poll(), 0x40);
	start = tsc_read();
	check_error("timer.set", insula_Timer_Set(timer, start + TICKS), 0);
	check_equal("timer.not_before", tsc_read() < start + TICKS ? poll() : 0, 0);
	check_equal("timer.at_deadline", wait_until(start + 100 * TICKS), 0x40);
	late = tsc_read();
	check("timer.not_early", late >= start + TICKS, "the signal came before the deadline");
	check_equal("timer.once", wait_until(tsc_read() + 3 * TICKS), 0);
	check_error("timer.set_far", insula_Timer_Set(timer, UINT64_MAX), 0);
	check_error("timer.set_nearer", insula_Timer_Set(timer, tsc_read() + TICKS), 0);
	check_equal("timer.replaced", wait_until(tsc_read() + 100 * TICKS), 0x40);
	check_error("timer.set_again", insula_Timer_Set(timer, tsc_read() + TICKS), 0);
	check_error("timer.cancel", insula_Timer_Cancel(timer), 0);
	check_equal("timer.cancelled", wait_until(tsc_read() + 5 * TICKS), 0);
	/* another binding forgets the deadline that was set for the first */
	check_error("timer.set_then_bind", insula_Timer_Set(timer, tsc_read() + TICKS), 0);
	check_error("timer.bind_other", insula_Timer_Bind(timer, other), 0);
	check_equal("timer.forgotten", wait_until(tsc_read() + 5 * TICKS), 0);
	copy = object_copy(timer);
	check_error("timer.set_by_copy", insula_Timer_Set(copy, 1), 0);
	check_equal("timer.other_badge", poll(), 0x80);
	check_error("timer.unbind", insula_Timer_Unbind(timer), 0);
	check_error("timer.unbound", insula_Timer_Set(timer, 1), seL4_IllegalOperation);
	/* the badge's capability is the timer's own copy: it stays when the original goes, and goes when it
	 * is revoked */
	runtime_must(insula_Timer_Bind(timer, badged), "bind");
	runtime_must(seL4_CNode_Delete(ROOT, badged, DEPTH), "delete");
	check_error("timer.set_after_delete", insula_Timer_Set(timer, 1), 0);
	check_equal("timer.signals_after_delete", poll(), 0x40);
	check_error("timer.armed", insula_Timer_Set(timer, tsc_read() + TICKS), 0);
	check_error("timer.revoke_notification", seL4_CNode_Revoke(ROOT, notification, DEPTH), 0);
	check_equal("timer.revoked_is_silent", wait_until(tsc_read() + 5 * TICKS), 0);
	check_error("timer.revoked_is_unbound", insula_Timer_Set(timer, 1), seL4_IllegalOperation);
	badged = object_mint(notification, seL4_AllRights, 0x40);
	runtime_must(insula_Timer_Bind(timer, badged), "bind");
	runtime_must(insula_Timer_Set(timer, tsc_read() + TICKS), "set");
	check_error("timer.delete_one", seL4_CNode_Delete(ROOT, timer, DEPTH), 0);
	check_equal("timer.copy_keeps_it", wait_until(tsc_read() + 100 * TICKS), 0x40);
	runtime_must(insula_Timer_Set(copy, tsc_read() + TICKS), "set");
	check_error("timer.delete_last", seL4_CNode_Delete(ROOT, copy, DEPTH), 0);
	check_equal("timer.deleted_is_silent", wait_until(tsc_read() + 5 * TICKS), 0);
}

/* More than one interrupt may serve. */
static void many(void)
{
	enum { N = 40 };
	seL4_CPtr t[N];
	uint64_t end = tsc_read() + 40 * TICKS;
	seL4_Word seen = 0;

	for (unsigned i = 0; i < N; i++) {
		t[i] = object_new(insula_TimerObject, 0);
		runtime_must(insula_Timer_Bind(t[i], object_mint(notification, seL4_AllRights, 1ull << i)),
			     "bind");
	}
	for (unsigned i = 0; i < N; i++)
		runtime_must(insula_Timer_Set(t[i], end), "set");
	while (seen != (1ull << N) - 1 && tsc_read() < end + 200 * TICKS)
		seen |= poll();
	check_equal("timer.forty_at_once", seen, (1ull << N) - 1);
}

void timer_cases(void)
{
	timer = object_new(insula_TimerObject, 0);
	notification = object_new(seL4_NotificationObject, 0);
	errors();
	deadlines();
	many();
}
