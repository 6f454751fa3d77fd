/*
 * Labels and messages of all objects: a label that is not an object's own is illegal there, whatever else the
 * message has; too few words or capabilities are a truncated message.
 */
#include "roottask/conformance/specimen.h"

/* ---- every kind of capability says what it is ---- */

static void types(void)
{
	for (const struct specimen *s = specimen_all(); s->name; s++)
		conformance_equal(conformance_name2("type", s->name), conformance_type(s->cap), s->type);
	conformance_equal("type.null", conformance_type(object_slot()), 0);
	conformance_equal("type.endpoint", conformance_type(object_new(seL4_EndpointObject, 0)), 4);
	conformance_equal("type.notification", conformance_type(object_new(seL4_NotificationObject, 0)), 6);
	conformance_equal("type.reply", conformance_type(object_new(seL4_ReplyObject, 0)), 8);
	conformance_equal("type.nowhere", conformance_type(1ull << 50), 0);
	conformance_equal("type.io_space_without_iommu", conformance_type(seL4_CapIOSpace), 0);
}

/* ---- labels ---- */

static bool own(const struct specimen *s, seL4_Word label)
{
	if (label >= s->first && label <= s->last)
		return true;
	for (unsigned i = 0; i < 4; i++)
		if (s->more[i] && s->more[i] == label)
			return true;
	return false;
}

static seL4_Error with_everything(const struct specimen *s, seL4_Word label)
{
	for (int i = 0; i < 3; i++)
		seL4_SetCap(i, ROOT);
	return conformance_raw(s->cap, label, 3, 22);
}

static void foreign(void)
{
	for (const struct specimen *s = specimen_all(); s->name; s++) {
		seL4_Word bad = 0;

		for (seL4_Word label = 0; label < seL4_NumInvocationLabels && !bad; label++)
			if (!own(s, label) && with_everything(s, label) != seL4_IllegalOperation)
				bad = label + 1;
		conformance_equal(conformance_name2("label.foreign", s->name), bad, 0);
		conformance_error(conformance_name2("label.beyond", s->name),
				  with_everything(s, seL4_NumInvocationLabels), seL4_IllegalOperation);
		conformance_error(conformance_name2("label.52_bits", s->name),
				  with_everything(s, 0xfffffffffffffull), seL4_IllegalOperation);
		/* also without words and capabilities: the label is looked at first */
		conformance_error(conformance_name2("label.before_message", s->name),
				  conformance_raw(s->cap, 200, 0, 0), seL4_IllegalOperation);
	}
}

/* ---- too short ---- */

struct invocation {
	seL4_Word label, words, caps;
	const char *name;
};

#define ROW(label, words, caps)                                                                              \
	{                                                                                                    \
		label, words, caps, #label                                                                   \
	}

static const struct invocation invocations[] = {
    ROW(UntypedRetype, 6, 1),
    ROW(TCBReadRegisters, 2, 0),
    ROW(TCBWriteRegisters, 2, 0),
    ROW(TCBCopyRegisters, 1, 1),
    ROW(TCBConfigure, 3, 3),
    ROW(TCBSetPriority, 1, 1),
    ROW(TCBSetMCPriority, 1, 1),
    ROW(TCBSetSchedParams, 2, 3),
    ROW(TCBSetTimeoutEndpoint, 0, 1),
    ROW(TCBSetIPCBuffer, 1, 1),
    ROW(TCBSetSpace, 2, 3),
    ROW(TCBBindNotification, 0, 1),
    ROW(TCBSetTLSBase, 1, 0),
    ROW(TCBSetFlags, 2, 0),
    ROW(TCBSetEPTRoot, 0, 1),
    ROW(CNodeRevoke, 2, 0),
    ROW(CNodeDelete, 2, 0),
    ROW(CNodeCancelBadgedSends, 2, 0),
    ROW(CNodeCopy, 5, 1),
    ROW(CNodeMint, 6, 1),
    ROW(CNodeMove, 4, 1),
    ROW(CNodeMutate, 5, 1),
    ROW(CNodeRotate, 8, 2),
    ROW(IRQIssueIRQHandler, 3, 1),
    ROW(IRQSetIRQHandler, 0, 1),
    ROW(DomainSetSet, 1, 1),
    ROW(DomainScheduleConfigure, 3, 0),
    ROW(DomainScheduleSetStart, 1, 0),
    ROW(SchedControlConfigureFlags, 5, 1),
    ROW(SchedContextBind, 0, 1),
    ROW(SchedContextUnbindObject, 0, 1),
    ROW(X86PDPTMap, 2, 1),
    ROW(X86VCPUReadMSR, 1, 0),
    ROW(X86VCPUWriteMSR, 2, 0),
    ROW(X86PageDirectoryMap, 2, 1),
    ROW(X86PageTableMap, 2, 1),
    ROW(X86IOPageTableMap, 1, 1),
    ROW(X86PageMap, 3, 1),
    ROW(X86PageMapIO, 2, 1),
    ROW(X86PageMapEPT, 3, 1),
    ROW(X86ASIDControlMakePool, 2, 2),
    ROW(X86ASIDPoolAssign, 0, 1),
    ROW(X86IOPortControlIssue, 4, 1),
    ROW(X86IOPortIn8, 1, 0),
    ROW(X86IOPortIn16, 1, 0),
    ROW(X86IOPortIn32, 1, 0),
    ROW(X86IOPortOut8, 2, 0),
    ROW(X86IOPortOut16, 2, 0),
    ROW(X86IOPortOut32, 2, 0),
    ROW(X86IRQIssueIRQHandlerIOAPIC, 7, 1),
    ROW(X86IRQIssueIRQHandlerMSI, 7, 1),
    ROW(X86VCPUSetTCB, 0, 1),
    ROW(X86VCPUReadVMCS, 1, 0),
    ROW(X86VCPUWriteVMCS, 2, 0),
    ROW(X86VCPUEnableIOPort, 2, 1),
    ROW(X86VCPUDisableIOPort, 2, 0),
    ROW(X86VCPUWriteRegisters, 15, 0),
    ROW(X86EPTPDPTMap, 2, 1),
    ROW(X86EPTPDMap, 2, 1),
    ROW(X86EPTPTMap, 2, 1),
};

static const struct specimen *owner(seL4_Word label)
{
	for (const struct specimen *s = specimen_all(); s->name; s++)
		if (own(s, label))
			return s;
	return 0;
}

static seL4_CPtr filled, hollow; /* two slots of a CNode of 16: used, and not */

/* The invocation's message, so far valid that nothing before its last word is wrong. */
static seL4_Error cut(const struct specimen *s, seL4_Word label, seL4_Word caps, seL4_Word words)
{
	const bool copy = label >= CNodeRevoke && label <= CNodeRotate;
	const seL4_Word of_cnode[] = {hollow, 4, filled, 4, 15, 0, filled, 4};

	for (int i = 0; i < 8; i++)
		seL4_SetMR(i, copy ? of_cnode[i] : 0);
	for (int i = 0; i < 3; i++)
		seL4_SetCap(i, copy ? s->cap : ROOT);
	return conformance_raw(s->cap, label, caps, words);
}

static void truncated(void)
{
	for (unsigned i = 0; i < sizeof(invocations) / sizeof(invocations[0]); i++) {
		const struct invocation *v = &invocations[i];
		const struct specimen *s = owner(v->label);

		if (!s)
			continue; /* vCPU and EPT objects on a machine without */
		if (v->words)
			conformance_error(conformance_name2("truncated.words", v->name),
					  cut(s, v->label, v->caps, v->words - 1), seL4_TruncatedMessage);
		if (v->caps)
			conformance_error(conformance_name2("truncated.caps", v->name),
					  cut(s, v->label, v->caps - 1, v->words), seL4_TruncatedMessage);
	}
}

/* ---- capabilities that no Call gets anything from ---- */

static void uninvokable(void)
{
	seL4_CPtr ep = object_new(seL4_EndpointObject, 0), n = object_new(seL4_NotificationObject, 0);

	conformance_error1("label.empty_slot", conformance_raw(object_slot(), 1, 0, 0),
			   seL4_InvalidCapability, 0);
	conformance_error1("label.endpoint_no_send",
			   conformance_raw(object_mint(ep, seL4_CanRead, 0), 1, 0, 0), seL4_InvalidCapability,
			   0);
	conformance_error1("label.notification_no_send",
			   conformance_raw(object_mint(n, seL4_CanRead, 0), 1, 0, 0), seL4_InvalidCapability,
			   0);
	conformance_ok("label.notification", conformance_raw(n, 1000, 0, 0));
	conformance_ok("label.reply_of_nobody", conformance_raw(object_new(seL4_ReplyObject, 0), 1000, 0, 0));
}

void label_cases(void)
{
	const struct specimen *cnode = owner(CNodeCopy);

	filled = 3;
	hollow = 4;
	runtime_must(seL4_CNode_Copy(cnode->cap, filled, 4, ROOT, object_new(seL4_EndpointObject, 0), DEPTH,
				     seL4_AllRights),
		     "a copy");
	types();
	foreign();
	truncated();
	uninvokable();
}
