/* One capability of every kind. See specimen.h. */
#include "roottask/conformance/specimen.h"

#define SPECIMENS 32

static struct specimen set[SPECIMENS + 1];
static unsigned count;

static struct specimen *add(const char *name, seL4_CPtr cap, seL4_Word type, seL4_Word first, seL4_Word last)
{
	set[count] = (struct specimen){.name = name, .cap = cap, .type = type, .first = first, .last = last};
	return &set[count++];
}

static void memory_kinds(void)
{
	seL4_CPtr frame = object_new(seL4_X86_4K, 0);
	struct specimen *s = add("frame", frame, 1, X86PageMap, X86PageUnmap);

	s->more[0] = X86PageMapIO;
	s->more[1] = X86PageGetAddress;
	s->more[2] = X86PageMapEPT;
	add("page_table", object_new(seL4_X86_PageTableObject, 0), 3, X86PageTableMap, X86PageTableUnmap);
	add("page_directory", object_new(seL4_X86_PageDirectoryObject, 0), 5, X86PageDirectoryMap,
	    X86PageDirectoryUnmap);
	add("pdpt", object_new(seL4_X86_PDPTObject, 0), 7, X86PDPTMap, X86PDPTUnmap);
	add("pml4", object_new(seL4_X64_PML4Object, 0), 9, 1, 0);
	add("asid_control", seL4_CapASIDControl, 11, X86ASIDControlMakePool, X86ASIDControlMakePool);
	add("asid_pool", seL4_CapInitThreadASIDPool, 13, X86ASIDPoolAssign, X86ASIDPoolAssign);
	add("io_page_table", object_new(seL4_X86_IOPageTableObject, 0), 17, X86IOPageTableMap,
	    X86IOPageTableUnmap);
}

static void device_kinds(void)
{
	seL4_CPtr port = object_slot(), handler = object_slot();

	runtime_must(seL4_X86_IOPortControl_Issue(seL4_CapIOPortControl, 0xe000, 0xe00f, ROOT, port, DEPTH),
		     "ports");
	runtime_must(seL4_IRQControl_GetMSI(seL4_CapIRQControl, ROOT, handler, DEPTH, 0, 5, 0, 0, 99),
		     "an interrupt");
	add("irq_control", seL4_CapIRQControl, 14, X86IRQIssueIRQHandlerIOAPIC, X86IRQIssueIRQHandlerMSI)
	    ->more[0] = IRQIssueIRQHandler;
	add("irq_handler", handler, 16, IRQAckIRQ, IRQClearIRQHandler);
	add("io_port_control", seL4_CapIOPortControl, 31, X86IOPortControlIssue, X86IOPortControlIssue);
	add("io_port", port, 19, X86IOPortIn8, X86IOPortOut32);
}

static void guest_kinds(void)
{
	struct specimen *s;

	if (!conformance_has_virt())
		return;
	s = add("vcpu", object_new(seL4_X86_VCPUObject, 0), 21, X86VCPUSetTCB, X86VCPUWriteRegisters);
	s->more[0] = X86VCPUReadMSR;
	s->more[1] = X86VCPUWriteMSR;
	add("ept_page_table", object_new(seL4_X86_EPTPTObject, 0), 23, X86EPTPTMap, X86EPTPTUnmap);
	add("ept_page_directory", object_new(seL4_X86_EPTPDObject, 0), 25, X86EPTPDMap, X86EPTPDUnmap);
	add("ept_pdpt", object_new(seL4_X86_EPTPDPTObject, 0), 27, X86EPTPDPTMap, X86EPTPDPTUnmap);
	add("ept_pml4", object_new(seL4_X86_EPTPML4Object, 0), 29, 1, 0);
}

const struct specimen *specimen_all(void)
{
	if (count)
		return set;
	add("untyped", object_new(seL4_UntypedObject, 12), 2, UntypedRetype, UntypedRetype);
	add("tcb", object_new(seL4_TCBObject, 0), 12, TCBReadRegisters, TCBSetFlags)->more[0] = TCBSetEPTRoot;
	add("cnode", object_new(seL4_CapTableObject, 4), 10, CNodeRevoke, CNodeRotate);
	add("domain", seL4_CapDomain, 20, DomainSetSet, DomainScheduleSetStart);
	add("sched_control", runtime_bootinfo()->schedcontrol.start, 24, SchedControlConfigureFlags,
	    SchedControlConfigureFlags);
	add("sched_context", object_new(seL4_SchedContextObject, 8), 22, SchedContextBind,
	    SchedContextYieldTo);
	memory_kinds();
	device_kinds();
	guest_kinds();
	return set;
}
