/*
 * Numbers of the seL4 API in Insula's profile: MCS, SMP, IOMMU and VT-x labels present, 64-bit
 * guests, x86_64. A contract that we do not own: nothing here may change. Plain C, usable in the
 * kernel, in servers and on the host. libsel4's names are used where it has them.
 */
#ifndef SEL4_CONSTANTS_H
#define SEL4_CONSTANTS_H

#include <stdint.h>

/* System call numbers, passed sign-extended in RDX. */
enum sel4_syscall {
	seL4_SysCall = -1,
	seL4_SysReplyRecv = -2,
	seL4_SysNBSendRecv = -3,
	seL4_SysNBSendWait = -4,
	seL4_SysSend = -5,
	seL4_SysNBSend = -6,
	seL4_SysRecv = -7,
	seL4_SysNBRecv = -8,
	seL4_SysWait = -9,
	seL4_SysNBWait = -10,
	seL4_SysYield = -11,
	seL4_SysDebugPutChar = -12,
	seL4_SysDebugDumpScheduler = -13,
	seL4_SysDebugHalt = -14,
	seL4_SysDebugCapIdentify = -15,
	seL4_SysDebugSnapshot = -16,
	seL4_SysDebugNameThread = -17,
	seL4_SysDebugSendIPI = -18,
	seL4_SysDebugGetThreadAffinity = -19,
	seL4_SysDebugRun = -20,
	seL4_SysX86DangerousWRMSR = -30,
	seL4_SysX86DangerousRDMSR = -31,
	seL4_SysVMEnter = -32,
	seL4_SysSetTLSBase = -33,
};

/* Results of an invocation, the label of the reply. */
enum sel4_error {
	seL4_NoError = 0,
	seL4_InvalidArgument = 1,
	seL4_InvalidCapability = 2,
	seL4_IllegalOperation = 3,
	seL4_RangeError = 4,
	seL4_AlignmentError = 5,
	seL4_FailedLookup = 6,
	seL4_TruncatedMessage = 7,
	seL4_DeleteFirst = 8,
	seL4_RevokeFirst = 9,
	seL4_NotEnoughMemory = 10,
};

enum sel4_lookup_failure {
	seL4_NoFailure = 0,
	seL4_InvalidRoot = 1,
	seL4_MissingCapability = 2,
	seL4_DepthMismatch = 3,
	seL4_GuardMismatch = 4,
};

enum sel4_fault {
	seL4_Fault_NullFault = 0,
	seL4_Fault_CapFault = 1,
	seL4_Fault_UnknownSyscall = 2,
	seL4_Fault_UserException = 3,
	seL4_Fault_Timeout = 5,
	seL4_Fault_VMFault = 6,
};

/* Object types of Untyped_Retype. */
enum sel4_object {
	seL4_UntypedObject = 0,
	seL4_TCBObject = 1,
	seL4_EndpointObject = 2,
	seL4_NotificationObject = 3,
	seL4_CapTableObject = 4,
	seL4_SchedContextObject = 5,
	seL4_ReplyObject = 6,
	seL4_X86_PDPTObject = 7,
	seL4_X64_PML4Object = 8,
	seL4_X64_HugePageObject = 9,
	seL4_X86_4K = 10,
	seL4_X86_LargePageObject = 11,
	seL4_X86_PageTableObject = 12,
	seL4_X86_PageDirectoryObject = 13,
	seL4_X86_IOPageTableObject = 14,
	seL4_X86_VCPUObject = 15,
	seL4_X86_EPTPML4Object = 16,
	seL4_X86_EPTPDPTObject = 17,
	seL4_X86_EPTPDObject = 18,
	seL4_X86_EPTPTObject = 19,
	seL4_ObjectTypeCount = 20,
};

/* log2 of object sizes in bytes. */
enum sel4_object_bits {
	seL4_WordBits = 64,
	seL4_SlotBits = 5,
	seL4_MinUntypedBits = 4,
	seL4_MaxUntypedBits = 47,
	seL4_TCBBits = 12,
	seL4_EndpointBits = 4,
	seL4_NotificationBits = 6,
	seL4_ReplyBits = 5,
	seL4_MinSchedContextBits = 7,
	seL4_PageBits = 12,
	seL4_LargePageBits = 21,
	seL4_HugePageBits = 30,
	seL4_PageTableBits = 12,
	seL4_PageDirBits = 12,
	seL4_PDPTBits = 12,
	seL4_PML4Bits = 12,
	seL4_IOPageTableBits = 12,
	seL4_ASIDPoolBits = 12,
	seL4_X86_VCPUBits = 14,
	seL4_X86_EPTPML4Bits = 12,
	seL4_X86_EPTPDPTBits = 12,
	seL4_X86_EPTPDBits = 12,
	seL4_X86_EPTPTBits = 12,
	seL4_IPCBufferSizeBits = 10,
	/* log2 of how many entries a table, pool or pool table has */
	seL4_PageTableIndexBits = 9,
	seL4_PageDirIndexBits = 9,
	seL4_PDPTIndexBits = 9,
	seL4_PML4IndexBits = 9,
	seL4_NumASIDPoolsBits = 3,
	seL4_ASIDPoolIndexBits = 9,
};

/* Limits of the profile. */
enum sel4_limits {
	seL4_MsgMaxLength = 120,
	seL4_MsgMaxExtraCaps = 3,
	seL4_MsgLengthBits = 7,
	seL4_MsgExtraCapBits = 2,
	seL4_FastMessageRegisters = 4,
	seL4_RetypeMaxObjects = 256,
	seL4_MinPrio = 0,
	seL4_MaxPrio = 255,
	seL4_MinBudgetUs = 20,
	seL4_CoreSchedContextBytes = 128,
	seL4_RefillSizeBytes = 16,
	seL4_MaxIRQVector = 107, /* hardware vector 0x30 + n */
	seL4_FirstIRQVector = 0x30,
	seL4_UserContextWords = 20,
	seL4_ASIDPoolCount = 8,
	seL4_ASIDPoolEntries = 512,
	seL4_BootInfoUntypedMax = 230,
	seL4_RootCNodeBits = 13,
};
/* The first address that a program should not use; and the last that the kernel takes for one of user space. */
#define seL4_UserTop   0x7ffffffff000ull
#define SEL4_USER_LAST 0x7fffffffffffull

/* Slots of the first thread's CNode. */
enum sel4_root_slot {
	seL4_CapNull = 0,
	seL4_CapInitThreadTCB = 1,
	seL4_CapInitThreadCNode = 2,
	seL4_CapInitThreadVSpace = 3,
	seL4_CapIRQControl = 4,
	seL4_CapASIDControl = 5,
	seL4_CapInitThreadASIDPool = 6,
	seL4_CapIOPortControl = 7,
	seL4_CapIOSpace = 8,
	seL4_CapBootInfoFrame = 9,
	seL4_CapInitThreadIPCBuffer = 10,
	seL4_CapDomain = 11,
	seL4_CapSMMUSIDControl = 12, /* null on x86, as the next and the last */
	seL4_CapSMMUCBControl = 13,
	seL4_CapInitThreadSC = 14,
	seL4_CapSMC = 15,
	seL4_NumInitialCaps = 16,
};

/* Bits of the rights word. */
#define seL4_RightWrite      1u
#define seL4_RightRead       2u
#define seL4_RightGrant      4u
#define seL4_RightGrantReply 8u

enum sel4_sched_context_flag { seL4_SchedContext_NoFlag = 0, seL4_SchedContext_Sporadic = 1 };
enum sel4_tcb_flag { seL4_TCBFlag_NoFlag = 0, seL4_TCBFlag_fpuDisabled = 1 };

/* Invocation labels. */
enum sel4_label {
	UntypedRetype = 1,
	TCBReadRegisters = 2,
	TCBWriteRegisters = 3,
	TCBCopyRegisters = 4,
	TCBConfigure = 5,
	TCBSetPriority = 6,
	TCBSetMCPriority = 7,
	TCBSetSchedParams = 8,
	TCBSetTimeoutEndpoint = 9,
	TCBSetIPCBuffer = 10,
	TCBSetSpace = 11,
	TCBSuspend = 12,
	TCBResume = 13,
	TCBBindNotification = 14,
	TCBUnbindNotification = 15,
	TCBSetTLSBase = 16,
	TCBSetFlags = 17,
	CNodeRevoke = 18,
	CNodeDelete = 19,
	CNodeCancelBadgedSends = 20,
	CNodeCopy = 21,
	CNodeMint = 22,
	CNodeMove = 23,
	CNodeMutate = 24,
	CNodeRotate = 25,
	IRQIssueIRQHandler = 26,
	IRQAckIRQ = 27,
	IRQSetIRQHandler = 28,
	IRQClearIRQHandler = 29,
	DomainSetSet = 30,
	DomainScheduleConfigure = 31,
	DomainScheduleSetStart = 32,
	SchedControlConfigureFlags = 33,
	SchedContextBind = 34,
	SchedContextUnbind = 35,
	SchedContextUnbindObject = 36,
	SchedContextConsumed = 37,
	SchedContextYieldTo = 38,
	X86PDPTMap = 39,
	X86PDPTUnmap = 40,
	X86VCPUReadMSR = 41,
	X86VCPUWriteMSR = 42,
	X86PageDirectoryMap = 43,
	X86PageDirectoryUnmap = 44,
	X86PageTableMap = 45,
	X86PageTableUnmap = 46,
	X86IOPageTableMap = 47,
	X86IOPageTableUnmap = 48,
	X86PageMap = 49,
	X86PageUnmap = 50,
	X86PageMapIO = 51,
	X86PageGetAddress = 52,
	X86PageMapEPT = 53,
	X86ASIDControlMakePool = 54,
	X86ASIDPoolAssign = 55,
	X86IOPortControlIssue = 56,
	X86IOPortIn8 = 57,
	X86IOPortIn16 = 58,
	X86IOPortIn32 = 59,
	X86IOPortOut8 = 60,
	X86IOPortOut16 = 61,
	X86IOPortOut32 = 62,
	X86IRQIssueIRQHandlerIOAPIC = 63,
	X86IRQIssueIRQHandlerMSI = 64,
	TCBSetEPTRoot = 65,
	X86VCPUSetTCB = 66,
	X86VCPUReadVMCS = 67,
	X86VCPUWriteVMCS = 68,
	X86VCPUEnableIOPort = 69,
	X86VCPUDisableIOPort = 70,
	X86VCPUWriteRegisters = 71,
	X86EPTPDPTMap = 72,
	X86EPTPDPTUnmap = 73,
	X86EPTPDMap = 74,
	X86EPTPDUnmap = 75,
	X86EPTPTMap = 76,
	X86EPTPTUnmap = 77,
	seL4_NumInvocationLabels = 78,
};

/* Extra bootinfo chunk ids. */
enum sel4_bootinfo_id {
	SEL4_BOOTINFO_HEADER_PADDING = 0,
	SEL4_BOOTINFO_HEADER_X86_VBE = 1,
	SEL4_BOOTINFO_HEADER_X86_MBMMAP = 2,
	SEL4_BOOTINFO_HEADER_X86_ACPI_RSDP = 3,
	SEL4_BOOTINFO_HEADER_X86_FRAMEBUFFER = 4,
	SEL4_BOOTINFO_HEADER_X86_TSC_FREQ = 5,
	SEL4_BOOTINFO_HEADER_FDT = 6, /* never on x86 */
};

#endif
