/*
 * Interrupts: issuing of handlers, their notifications; an edge and a level of the real-time clock through
 * the IOAPIC; a message of QEMU's edu device, where the machine has one.
 */
#include "roottask/conformance/edu.h"
#include "roottask/conformance/worker.h"
#include "roottask/runtime/tsc_hw.h"

#define CONTROL seL4_CapIRQControl

static seL4_Error msi(seL4_CPtr slot, seL4_Word bus, seL4_Word dev, seL4_Word func, seL4_Word vector)
{
	return seL4_IRQControl_GetMSI(CONTROL, ROOT, slot, DEPTH, bus, dev, func, 0, vector);
}

static seL4_Error pin(seL4_CPtr slot, seL4_Word ioapic, seL4_Word number, seL4_Word level, seL4_Word polarity,
		      seL4_Word vector)
{
	return seL4_IRQControl_GetIOAPIC(CONTROL, ROOT, slot, DEPTH, ioapic, number, level, polarity, vector);
}

static void issuing(void)
{
	seL4_CPtr handler = object_slot(), other = object_slot(), ep = object_new(seL4_EndpointObject, 0);

	for (seL4_Word irq = 0; irq < 24; irq += 5)
		conformance_error(conformance_name("irq.get", irq),
				  seL4_IRQControl_Get(CONTROL, irq, ROOT, handler, DEPTH),
				  seL4_IllegalOperation);
	conformance_error2("irq.vector_108", msi(handler, 0, 3, 0, 108), seL4_RangeError, 0, 107);
	conformance_error2("irq.vector_109", pin(handler, 0, 4, 0, 0, 109), seL4_RangeError, 0, 107);
	conformance_error2("irq.vector_huge", msi(handler, 0, 3, 0, ~0ull), seL4_RangeError, 0, 107);
	conformance_ok("irq.vector_107", msi(handler, 0, 3, 0, 107));
	conformance_ok("irq.vector_107_delete", seL4_CNode_Delete(ROOT, handler, DEPTH));
	conformance_ok("irq.msi", msi(handler, 0, 3, 0, 50));
	conformance_equal("irq.type", conformance_type(handler), 16);
	conformance_error("irq.vector_used", msi(other, 0, 3, 0, 50), seL4_RevokeFirst);
	conformance_error("irq.vector_used_by_other_kind", pin(other, 0, 4, 0, 0, 50), seL4_RevokeFirst);
	conformance_error2("irq.bus", msi(other, 256, 3, 0, 51), seL4_RangeError, 0, 255);
	conformance_error2("irq.device", msi(other, 0, 32, 0, 51), seL4_RangeError, 0, 31);
	conformance_error2("irq.function", msi(other, 0, 3, 8, 51), seL4_RangeError, 0, 7);
	conformance_ok("irq.bus_255", msi(other, 255, 31, 7, 51));
	conformance_ok("irq.bus_255_delete", seL4_CNode_Delete(ROOT, other, DEPTH));
	conformance_error("irq.ioapic", pin(other, 77, 4, 0, 0, 51), seL4_RangeError);
	conformance_error("irq.pin", pin(other, 0, 240, 0, 0, 51), seL4_RangeError);
	conformance_error2("irq.level", pin(other, 0, 4, 2, 0, 51), seL4_RangeError, 0, 1);
	conformance_error2("irq.polarity", pin(other, 0, 4, 0, 2, 51), seL4_RangeError, 0, 1);
	conformance_error("irq.slot_used", msi(ep, 0, 3, 0, 51), seL4_DeleteFirst);
	conformance_error2("irq.root", seL4_IRQControl_GetMSI(CONTROL, ep, other, DEPTH, 0, 3, 0, 0, 51),
			   seL4_FailedLookup, 0, seL4_InvalidRoot);
	conformance_error2("irq.depth", seL4_IRQControl_GetMSI(CONTROL, ROOT, other, 99, 0, 3, 0, 0, 51),
			   seL4_RangeError, 1, 64);
	conformance_error("irq.order_vector_slot", msi(ep, 0, 3, 0, 108), seL4_RangeError);
	conformance_error("irq.order_used_slot", msi(ep, 0, 3, 0, 50), seL4_RevokeFirst);
	conformance_error("irq.order_slot_arguments", msi(ep, 256, 3, 0, 51), seL4_DeleteFirst);
	conformance_ok("irq.delete", seL4_CNode_Delete(ROOT, handler, DEPTH));
	conformance_ok("irq.vector_free", msi(handler, 0, 3, 0, 50));
	{
		seL4_CPtr copy = object_copy(handler);

		runtime_must(seL4_CNode_Delete(ROOT, handler, DEPTH), "one of two");
		conformance_error("irq.copy_keeps_it", msi(handler, 0, 3, 0, 50), seL4_RevokeFirst);
		conformance_ok("irq.ack_by_copy", seL4_IRQHandler_Ack(copy));
	}
	conformance_ok("irq.revoke_control", seL4_CNode_Revoke(ROOT, CONTROL, DEPTH));
	conformance_ok("irq.revoke_frees", msi(handler, 0, 3, 0, 50));
	runtime_must(seL4_CNode_Delete(ROOT, handler, DEPTH), "delete");
}

static void notifications(void)
{
	seL4_CPtr handler = object_slot(), n = object_new(seL4_NotificationObject, 0),
		  ep = object_new(seL4_EndpointObject, 0);
	seL4_CPtr last = object_new(seL4_NotificationObject, 0);

	runtime_must(msi(handler, 0, 3, 0, 50), "a handler");
	conformance_error1("irq.endpoint", seL4_IRQHandler_SetNotification(handler, ep),
			   seL4_InvalidCapability, 0);
	conformance_error1("irq.no_notification", seL4_IRQHandler_SetNotification(handler, 0),
			   seL4_InvalidCapability, 0);
	conformance_error1("irq.no_send",
			   seL4_IRQHandler_SetNotification(handler, object_mint(n, seL4_CanRead, 0)),
			   seL4_InvalidCapability, 0);
	conformance_ok("irq.notification", seL4_IRQHandler_SetNotification(handler, n));
	conformance_ok("irq.notification_again",
		       seL4_IRQHandler_SetNotification(handler, object_mint(n, seL4_CanWrite, 1)));
	conformance_ok("irq.ack", seL4_IRQHandler_Ack(handler));
	conformance_ok("irq.clear", seL4_IRQHandler_Clear(handler));
	conformance_ok("irq.clear_again", seL4_IRQHandler_Clear(handler));
	/* the handler's is a capability like any: the last one ends the object */
	runtime_must(seL4_IRQHandler_SetNotification(handler, last), "a notification");
	conformance_ok("irq.keeps_notification", seL4_CNode_Delete(ROOT, last, DEPTH));
	conformance_ok("irq.replace_last", seL4_IRQHandler_SetNotification(handler, n));
	conformance_ok("irq.revoke_notification", seL4_CNode_Revoke(ROOT, n, DEPTH));
	conformance_ok("irq.delete_handler", seL4_CNode_Delete(ROOT, handler, DEPTH));
}

/* ---- the real-time clock: 1024 interrupts a second on pin 8, until its register C is read ---- */

static seL4_CPtr rtc;

static seL4_Word rtc_read(seL4_Word reg)
{
	runtime_must(seL4_X86_IOPort_Out8(rtc, 0x70, reg), "the clock");
	return seL4_X86_IOPort_In8(rtc, 0x71).result;
}

static void rtc_write(seL4_Word reg, seL4_Word value)
{
	runtime_must(seL4_X86_IOPort_Out8(rtc, 0x70, reg), "the clock");
	runtime_must(seL4_X86_IOPort_Out8(rtc, 0x71, value), "the clock");
}

/* A signal within half a second (at more than 1 GHz, a few at less)? */
static seL4_Word signalled(seL4_CPtr n, seL4_Word ticks)
{
	seL4_Word end = tsc_read() + ticks, badge = 0;

	do
		(void)seL4_Poll(n, &badge);
	while (!badge && tsc_read() < end);
	return badge;
}

#define SOON	1500000000ull
#define A_WHILE 40000000ull

static void clock(void)
{
	seL4_CPtr n = object_new(seL4_NotificationObject, 0), badged = object_mint(n, seL4_AllRights, 0x11),
		  handler = object_slot();
	seL4_Word a, b;

	rtc = object_slot();
	runtime_must(seL4_X86_IOPortControl_Issue(seL4_CapIOPortControl, 0x70, 0x71, ROOT, rtc, DEPTH),
		     "the clock's ports");
	a = rtc_read(0xa);
	b = rtc_read(0xb);
	conformance_ok("irq.edge", pin(handler, 0, 8, 0, 0, 60));
	runtime_must(seL4_IRQHandler_SetNotification(handler, badged), "a notification");
	(void)rtc_read(0xc);
	rtc_write(0xa, (a & 0xf0) | 6);
	rtc_write(0xb, b | 0x40);
	conformance_equal("irq.edge_arrives", signalled(n, SOON), 0x11);
	(void)rtc_read(0xc);
	conformance_equal("irq.edge_again_without_ack", signalled(n, SOON), 0x11);
	/* without a notification it is lost; the next one is not */
	runtime_must(seL4_IRQHandler_Clear(handler), "clear");
	(void)rtc_read(0xc);
	(void)signalled(n, A_WHILE);
	conformance_equal("irq.cleared_is_lost", signalled(n, A_WHILE), 0);
	runtime_must(seL4_IRQHandler_SetNotification(handler, badged), "a notification");
	(void)rtc_read(0xc);
	conformance_equal("irq.set_again", signalled(n, SOON), 0x11);
	/* the handler goes: masked */
	runtime_must(seL4_CNode_Delete(ROOT, handler, DEPTH), "delete");
	(void)rtc_read(0xc);
	conformance_equal("irq.deleted_is_silent", signalled(n, A_WHILE), 0);

	/* the same pin as a level: asserted until register C is read, masked from the signal to the
	 * acknowledgement */
	conformance_ok("irq.level_pin", pin(handler, 0, 8, 1, 0, 61));
	runtime_must(seL4_IRQHandler_SetNotification(handler, badged), "a notification");
	(void)rtc_read(0xc);
	conformance_equal("irq.level_arrives", signalled(n, SOON), 0x11);
	conformance_equal("irq.level_masked_until_ack", signalled(n, A_WHILE), 0);
	runtime_must(seL4_IRQHandler_Ack(handler), "ack");
	conformance_equal("irq.level_still_asserted", signalled(n, SOON), 0x11);
	(void)rtc_read(0xc);
	runtime_must(seL4_IRQHandler_Ack(handler), "ack");
	conformance_equal("irq.level_next", signalled(n, SOON), 0x11);
	rtc_write(0xb, b & ~0x40ull);
	(void)rtc_read(0xc);
	runtime_must(seL4_CNode_Delete(ROOT, handler, DEPTH), "delete");
	rtc_write(0xa, a);
	runtime_must(seL4_CNode_Delete(ROOT, rtc, DEPTH), "the clock's ports");
}

/* ---- a message ---- */

static void message(void)
{
	seL4_CPtr n = object_new(seL4_NotificationObject, 0), handler = object_slot();
	struct edu edu;

	if (!edu_find(&edu)) {
		print("conformance: no edu device: no message-signalled interrupt is sent\n");
		return;
	}
	conformance_ok("irq.message_handler", msi(handler, edu.bus, edu.device, 0, 70));
	runtime_must(seL4_IRQHandler_SetNotification(handler, object_mint(n, seL4_AllRights, 0x22)),
		     "a notification");
	edu_message(&edu, 0xfee00000, seL4_FirstIRQVector + 70);
	edu_raise(&edu);
	conformance_equal("irq.message_arrives", signalled(n, SOON), 0x22);
	conformance_equal("irq.message_once", signalled(n, A_WHILE), 0);
	edu_raise(&edu);
	conformance_equal("irq.message_again_without_ack", signalled(n, SOON), 0x22);
	runtime_must(seL4_CNode_Delete(ROOT, handler, DEPTH), "delete");
	edu_raise(&edu);
	conformance_equal("irq.message_to_nobody", signalled(n, A_WHILE), 0);
	edu_end(&edu);
}

void irq_cases(void)
{
	issuing();
	notifications();
	clock();
	message();
}
