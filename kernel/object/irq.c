/*
 * Device interrupts as objects: which vector is issued to which IOAPIC pin or message, and which notification
 * it signals. Owns the two tables; the notification slots are part of the derivation tree and so lie in the
 * window. Called by invocations, by deletion, and by the entry path for each device interrupt. It never
 * touches a device but through arch.h.
 */
#include "object/irq.h"
#include "api/error.h"
#include "api/invocation.h"
#include "arch/x86/arch.h"
#include "cap/cnode.h"
#include "ipc/notification.h"
#include "panic.h"
#include "sel4/constants.h"

enum irq_source { IRQ_FREE, IRQ_PIN, IRQ_MESSAGE };

struct irq_route {
	uint8_t source; /* enum irq_source */
	bool level;
	uint8_t ioapic;
	uint8_t pin;
};

static struct irq_route irq_routes[IRQ_VECTOR_COUNT];
static struct cte *irq_slots; /* IRQ_VECTOR_COUNT: the notification of each */

_Static_assert(IRQ_VECTOR_COUNT == seL4_MaxIRQVector + 1, "vectors of the profile");

void irq_init(struct cte *slots)
{
	irq_slots = slots;
}

static void irq_mask(unsigned irq, bool masked)
{
	if (irq_routes[irq].source == IRQ_PIN)
		irq_ioapic_mask(irq_routes[irq].ioapic, irq_routes[irq].pin, masked);
}

/* ---- control ---- */

/* Message words 2 to 5 of GetIOAPIC. */
static exception_t irq_check_pin(struct irq_route *route)
{
	word_t ioapic = invocation_arg(2), pin = invocation_arg(3), level = invocation_arg(4);
	word_t polarity = invocation_arg(5);
	unsigned count = irq_ioapic_count(), pins;

	if (count == 0)
		return error_illegal_operation();
	if (ioapic >= count)
		return error_range(0, count - 1);
	pins = irq_ioapic_pins((unsigned)ioapic);
	if (pin >= pins)
		return error_range(0, pins ? pins - 1 : 0);
	if (level > 1)
		return error_range(0, 1);
	if (polarity > 1)
		return error_range(0, 1);
	*route = (struct irq_route){IRQ_PIN, level == 1, (uint8_t)ioapic, (uint8_t)pin};
	return EXC_NONE;
}

/*
 * Message words 2 to 4 of GetMSI: the function that will send it. Address and data are its driver's business.
 */
static exception_t irq_check_message(struct irq_route *route)
{
	static const word_t max[3] = {255, 31, 7};

	for (unsigned i = 0; i < ARRAY_SIZE(max); i++)
		if (invocation_arg(2 + i) > max[i])
			return error_range(0, max[i]);
	*route = (struct irq_route){IRQ_MESSAGE, false, 0, 0};
	return EXC_NONE;
}

static void irq_issue(unsigned irq, struct irq_route route, bool low_active, struct cte *control,
		      struct cte *dst)
{
	if (route.source == IRQ_PIN) {
		/* A pin has one vector: an earlier handler of this pin has none from now on. */
		for (unsigned i = 0; i < IRQ_VECTOR_COUNT; i++)
			if (irq_routes[i].source == IRQ_PIN && irq_routes[i].ioapic == route.ioapic &&
			    irq_routes[i].pin == route.pin)
				irq_routes[i].source = IRQ_MESSAGE;
		irq_ioapic_route(route.ioapic, route.pin, route.level, low_active,
				 (uint8_t)(IRQ_VECTOR_FIRST + irq));
	}
	irq_routes[irq] = route;
	irq_mask(irq, false);
	cte_insert(cap_irq_handler_with_irq(cap_of_type(CAP_IRQ_HANDLER), irq), control, dst);
}

exception_t irq_control_decode(word_t label, unsigned length, struct cte *slot)
{
	struct irq_route route = {0};
	struct lookup_result dst;
	word_t irq;
	exception_t e;

	if (label == IRQIssueIRQHandler) /* legacy interrupt numbers: there is no 8259 in use */
		return length < 3 || !invocation_extra(0) ? error_truncated() : error_illegal_operation();
	if (label != X86IRQIssueIRQHandlerIOAPIC && label != X86IRQIssueIRQHandlerMSI)
		return error_illegal_operation();
	if (length < 7 || !invocation_extra(0))
		return error_truncated();
	irq = invocation_arg(6);
	if (irq > seL4_MaxIRQVector)
		return error_range(0, seL4_MaxIRQVector);
	if (irq_routes[irq].source != IRQ_FREE)
		return error_revoke_first();
	dst = cnode_target_slot(invocation_extra(0)->cap, invocation_arg(0), invocation_arg(1), false);
	if (dst.status != EXC_NONE)
		return dst.status;
	e = cte_ensure_empty(dst.slot);
	if (e == EXC_NONE)
		e = label == X86IRQIssueIRQHandlerIOAPIC ? irq_check_pin(&route) : irq_check_message(&route);
	if (e != EXC_NONE)
		return e;
	irq_issue((unsigned)irq, route, invocation_arg(5) == 1, slot, dst.slot);
	return EXC_NONE;
}

/* ---- handler ---- */

static exception_t irq_set_notification(unsigned irq)
{
	struct cte *n = invocation_extra(0);
	exception_t e;
	cap_t cap;

	if (!n)
		return error_truncated();
	cap = n->cap;
	if (cap_type(cap) != CAP_NOTIFICATION || !cap_notification_can_send(cap))
		return error_invalid_capability(0);
	/* n stays: it is not the table's slot, which no one can name */
	e = cte_delete(&irq_slots[irq], true);
	if (e != EXC_NONE)
		return e;
	cte_insert(cap, n, &irq_slots[irq]);
	return EXC_NONE;
}

exception_t irq_handler_decode(word_t label, unsigned length, cap_t cap)
{
	unsigned irq = (unsigned)cap_irq_handler_irq(cap);

	(void)length;
	switch (label) {
	case IRQAckIRQ:
		irq_mask(irq, false);
		return EXC_NONE;
	case IRQSetIRQHandler:
		return irq_set_notification(irq);
	case IRQClearIRQHandler:
		return cte_delete(&irq_slots[irq], true);
	default:
		return error_illegal_operation();
	}
}

exception_t irq_handler_drain(unsigned irq)
{
	irq_mask(irq, true);
	return cte_delete(&irq_slots[irq], true);
}

void irq_handler_release(unsigned irq)
{
	irq_routes[irq].source = IRQ_FREE;
}

/* ---- the interrupt ---- */

void irq_dispatch(unsigned irq)
{
	cap_t n;

	INVARIANT(irq < IRQ_VECTOR_COUNT);
	/* A level stays asserted until its driver has been there: masked until Ack. */
	if (irq_routes[irq].level)
		irq_mask(irq, true);
	irq_eoi();
	n = irq_slots[irq].cap;
	if (cap_type(n) == CAP_NOTIFICATION)
		notification_signal(cap_notification_of(n), cap_notification_badge(n));
}
