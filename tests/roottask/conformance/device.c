/* I/O ports, interrupts, ASID control, domains. */
#include "roottask/conformance/conformance.h"

static void ports(void)
{
	seL4_CPtr port = object_slot(), other = object_slot();

	conformance_error1("ioport.reversed", seL4_X86_IOPortControl_Issue(seL4_CapIOPortControl, 0x2f9, 0x2f8, ROOT, port, DEPTH),
			   seL4_InvalidArgument, 1);
	conformance_error("ioport.issue", seL4_X86_IOPortControl_Issue(seL4_CapIOPortControl, 0x2f8, 0x2ff, ROOT, port, DEPTH), 0);
	conformance_error("ioport.overlap", seL4_X86_IOPortControl_Issue(seL4_CapIOPortControl, 0x2ff, 0x300, ROOT, other, DEPTH),
			  seL4_RevokeFirst);
	conformance_error("ioport.slot_used", seL4_X86_IOPortControl_Issue(seL4_CapIOPortControl, 0x3e8, 0x3ef, ROOT, port, DEPTH),
			  seL4_DeleteFirst);
	conformance_error("ioport.in", seL4_X86_IOPort_In8(port, 0x2fd).error, 0);
	conformance_error("ioport.outside", seL4_X86_IOPort_In8(port, 0x300).error, seL4_IllegalOperation);
	conformance_error("ioport.across", seL4_X86_IOPort_In16(port, 0x2ff).error, seL4_IllegalOperation);
	conformance_error("ioport.delete", seL4_CNode_Delete(ROOT, port, DEPTH), 0);
	conformance_error("ioport.free_again", seL4_X86_IOPortControl_Issue(seL4_CapIOPortControl, 0x2ff, 0x300, ROOT, other, DEPTH), 0);
}

static void interrupts(void)
{
	seL4_CPtr handler = object_slot(), other = object_slot(), n = object_new(seL4_NotificationObject, 0);
	seL4_CPtr weak = object_mint(n, seL4_CanRead, 0), ep = object_new(seL4_EndpointObject, 0);

	conformance_error("irq.get", seL4_IRQControl_Get(seL4_CapIRQControl, 5, ROOT, handler, DEPTH), seL4_IllegalOperation);
	conformance_error2("irq.vector", seL4_IRQControl_GetMSI(seL4_CapIRQControl, ROOT, handler, DEPTH, 0, 3, 0, 0, 108),
			   seL4_RangeError, 0, 107);
	conformance_error("irq.msi", seL4_IRQControl_GetMSI(seL4_CapIRQControl, ROOT, handler, DEPTH, 0, 3, 0, 0, 50), 0);
	conformance_error("irq.vector_used", seL4_IRQControl_GetMSI(seL4_CapIRQControl, ROOT, other, DEPTH, 0, 3, 0, 0, 50), seL4_RevokeFirst);
	conformance_error("irq.bus", seL4_IRQControl_GetMSI(seL4_CapIRQControl, ROOT, other, DEPTH, 256, 3, 0, 0, 51), seL4_RangeError);
	conformance_error("irq.device", seL4_IRQControl_GetMSI(seL4_CapIRQControl, ROOT, other, DEPTH, 0, 32, 0, 0, 51), seL4_RangeError);
	conformance_error("irq.ioapic", seL4_IRQControl_GetIOAPIC(seL4_CapIRQControl, ROOT, other, DEPTH, 77, 4, 0, 0, 51), seL4_RangeError);
	conformance_error1("irq.endpoint", seL4_IRQHandler_SetNotification(handler, ep), seL4_InvalidCapability, 0);
	conformance_error1("irq.no_send", seL4_IRQHandler_SetNotification(handler, weak), seL4_InvalidCapability, 0);
	conformance_error("irq.notification", seL4_IRQHandler_SetNotification(handler, n), 0);
	conformance_error("irq.ack", seL4_IRQHandler_Ack(handler), 0);
	conformance_error("irq.clear", seL4_IRQHandler_Clear(handler), 0);
	conformance_error("irq.delete", seL4_CNode_Delete(ROOT, handler, DEPTH), 0);
	conformance_error("irq.vector_free", seL4_IRQControl_GetMSI(seL4_CapIRQControl, ROOT, handler, DEPTH, 0, 3, 0, 0, 50), 0);
}

static void asids_and_domains(void)
{
	seL4_CPtr ep = object_new(seL4_EndpointObject, 0), small = object_new(seL4_UntypedObject, 11), pool = object_slot();

	conformance_error1("asid.no_untyped", seL4_X86_ASIDControl_MakePool(seL4_CapASIDControl, ep, ROOT, pool, DEPTH),
			   seL4_InvalidCapability, 1);
	conformance_error1("asid.small", seL4_X86_ASIDControl_MakePool(seL4_CapASIDControl, small, ROOT, pool, DEPTH),
			   seL4_InvalidCapability, 1);
	conformance_error("asid.pool", seL4_X86_ASIDControl_MakePool(seL4_CapASIDControl, object_new(seL4_UntypedObject, 12), ROOT, pool, DEPTH), 0);
	conformance_equal("asid.pool_type", seL4_DebugCapIdentify(pool), 13);
	conformance_error1("domain.number", seL4_DomainSet_Set(seL4_CapDomain, 1, seL4_CapInitThreadTCB), seL4_InvalidArgument, 0);
	conformance_error1("domain.no_tcb", seL4_DomainSet_Set(seL4_CapDomain, 0, ep), seL4_InvalidArgument, 1);
	conformance_error("domain.set", seL4_DomainSet_Set(seL4_CapDomain, 0, seL4_CapInitThreadTCB), 0);
}

void device_cases(void)
{
	ports();
	interrupts();
	asids_and_domains();
}
