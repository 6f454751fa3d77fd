/*
 * Words, messages and rights of the seL4 API with libsel4's names. Plain C, no system calls.
 */
#ifndef SEL4_TYPES_H
#define SEL4_TYPES_H

#include <stdbool.h>
#include <stdint.h>
#include "sel4/constants.h"

typedef uint64_t seL4_Word;
typedef uint64_t seL4_Uint64;
typedef uint32_t seL4_Uint32;
typedef uint16_t seL4_Uint16;
typedef uint8_t seL4_Uint8;
typedef int64_t seL4_Int64;
typedef uint8_t seL4_Bool;
typedef uint64_t seL4_Time; /* microseconds */

typedef seL4_Word seL4_CPtr;
typedef seL4_Word seL4_NodeId;
typedef seL4_Word seL4_PAddr;
typedef seL4_Word seL4_Domain;
typedef int seL4_Error; /* enum sel4_error */

typedef seL4_CPtr seL4_CNode;
typedef seL4_CPtr seL4_IRQHandler;
typedef seL4_CPtr seL4_IRQControl;
typedef seL4_CPtr seL4_TCB;
typedef seL4_CPtr seL4_Untyped;
typedef seL4_CPtr seL4_DomainSet;
typedef seL4_CPtr seL4_SchedContext;
typedef seL4_CPtr seL4_SchedControl;
typedef seL4_CPtr seL4_X86_ASIDControl;
typedef seL4_CPtr seL4_X86_ASIDPool;
typedef seL4_CPtr seL4_X86_IOSpace;
typedef seL4_CPtr seL4_X86_IOPort;
typedef seL4_CPtr seL4_X86_IOPortControl;
typedef seL4_CPtr seL4_X86_Page;
typedef seL4_CPtr seL4_X86_PDPT;
typedef seL4_CPtr seL4_X86_PageDirectory;
typedef seL4_CPtr seL4_X86_PageTable;
typedef seL4_CPtr seL4_X86_IOPageTable;
typedef seL4_CPtr seL4_X86_VCPU;
typedef seL4_CPtr seL4_X86_EPTPML4;
typedef seL4_CPtr seL4_X86_EPTPDPT;
typedef seL4_CPtr seL4_X86_EPTPD;
typedef seL4_CPtr seL4_X86_EPTPT;
typedef seL4_CPtr insula_Timer;

typedef seL4_Word seL4_X86_VMAttributes;
typedef seL4_Word seL4_X86_EPT_VMAttributes;
enum sel4_x86_attributes {
	seL4_X86_Default_VMAttributes = 0,
	seL4_X86_WriteBack = 0,
	seL4_X86_WriteThrough = 1,
	seL4_X86_CacheDisabled = 2,
	seL4_X86_Uncacheable = 3,
	seL4_X86_WriteCombining = 4,
};
enum sel4_x86_ept_attributes {
	seL4_X86_EPT_Uncached_VMAttributes = 0,
	seL4_X86_EPT_Uncacheable = 0,
	seL4_X86_EPT_WriteCombining = 1,
	seL4_X86_EPT_WriteThrough = 4,
	seL4_X86_EPT_WriteProtected = 5,
	seL4_X86_EPT_WriteBack = 6,
	seL4_X86_EPT_Default_VMAttributes = 6,
};

/* ---- message info: length 0-6, extraCaps 7-8, capsUnwrapped 9-11, label 12-63 ---- */

typedef struct seL4_MessageInfo {
	seL4_Word words[1];
} seL4_MessageInfo_t;

static inline seL4_MessageInfo_t seL4_MessageInfo_new(seL4_Word label, seL4_Word caps_unwrapped, seL4_Word extra_caps,
						      seL4_Word length)
{
	return (seL4_MessageInfo_t){{label << 12 | (caps_unwrapped & 7) << 9 | (extra_caps & 3) << 7 | (length & 0x7f)}};
}

static inline seL4_Word seL4_MessageInfo_get_label(seL4_MessageInfo_t info)
{
	return info.words[0] >> 12;
}

static inline seL4_Word seL4_MessageInfo_get_capsUnwrapped(seL4_MessageInfo_t info)
{
	return info.words[0] >> 9 & 7;
}

static inline seL4_Word seL4_MessageInfo_get_extraCaps(seL4_MessageInfo_t info)
{
	return info.words[0] >> 7 & 3;
}

static inline seL4_Word seL4_MessageInfo_get_length(seL4_MessageInfo_t info)
{
	return info.words[0] & 0x7f;
}

static inline seL4_MessageInfo_t seL4_MessageInfo_set_label(seL4_MessageInfo_t info, seL4_Word label)
{
	return (seL4_MessageInfo_t){{(info.words[0] & 0xfff) | label << 12}};
}

static inline seL4_MessageInfo_t seL4_MessageInfo_set_length(seL4_MessageInfo_t info, seL4_Word length)
{
	return (seL4_MessageInfo_t){{(info.words[0] & ~0x7full) | (length & 0x7f)}};
}

static inline seL4_MessageInfo_t seL4_MessageInfo_set_extraCaps(seL4_MessageInfo_t info, seL4_Word extra_caps)
{
	return (seL4_MessageInfo_t){{(info.words[0] & ~0x180ull) | (extra_caps & 3) << 7}};
}

/* ---- rights ---- */

typedef struct seL4_CapRights {
	seL4_Word words[1];
} seL4_CapRights_t;

static inline seL4_CapRights_t seL4_CapRights_new(seL4_Word grant_reply, seL4_Word grant, seL4_Word read, seL4_Word write)
{
	return (seL4_CapRights_t){{(grant_reply & 1) << 3 | (grant & 1) << 2 | (read & 1) << 1 | (write & 1)}};
}

#define seL4_AllRights     seL4_CapRights_new(1, 1, 1, 1)
#define seL4_NoRights      seL4_CapRights_new(0, 0, 0, 0)
#define seL4_ReadWrite     seL4_CapRights_new(0, 0, 1, 1)
#define seL4_CanRead       seL4_CapRights_new(0, 0, 1, 0)
#define seL4_CanWrite      seL4_CapRights_new(0, 0, 0, 1)
#define seL4_CanGrant      seL4_CapRights_new(0, 1, 0, 0)
#define seL4_CanGrantReply seL4_CapRights_new(1, 0, 0, 0)
#define seL4_NoWrite       seL4_CapRights_new(1, 1, 1, 0)
#define seL4_NoRead        seL4_CapRights_new(1, 1, 0, 1)

/* ---- CNode guard data for Mint, Mutate, TCB_Configure ---- */

static inline seL4_Word seL4_CNode_CapData_new(seL4_Word guard, seL4_Word guard_size)
{
	return guard << 6 | (guard_size & 63);
}

/* ---- register contexts ---- */

typedef struct seL4_UserContext {
	seL4_Word rip, rsp, rflags, rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15;
	seL4_Word fs_base, gs_base;
} seL4_UserContext;

typedef struct seL4_VCPUContext {
	seL4_Word eax, ebx, ecx, edx, esi, edi, ebp, r8, r9, r10, r11, r12, r13, r14, r15;
} seL4_VCPUContext;

/* ---- the IPC buffer ---- */

typedef struct seL4_IPCBuffer {
	seL4_MessageInfo_t tag;
	seL4_Word msg[seL4_MsgMaxLength];
	seL4_Word userData;
	seL4_Word caps_or_badges[seL4_MsgMaxExtraCaps];
	seL4_CPtr receiveCNode;
	seL4_CPtr receiveIndex;
	seL4_Word receiveDepth;
} seL4_IPCBuffer;
_Static_assert(sizeof(seL4_IPCBuffer) == 1024, "IPC buffer layout");

/* ---- messages of VM exits (VMEnter without a state page) ---- */

#define SEL4_VMENTER_RESULT_NOTIF 0
#define SEL4_VMENTER_RESULT_FAULT 1
enum sel4_vmenter_word {
	SEL4_VMENTER_CALL_EIP_MR = 0,
	SEL4_VMENTER_CALL_CONTROL_PPC_MR = 1,
	SEL4_VMENTER_CALL_CONTROL_ENTRY_MR = 2,
	SEL4_VMENTER_FAULT_REASON_MR = 3,
	SEL4_VMENTER_FAULT_QUALIFICATION_MR = 4,
	SEL4_VMENTER_FAULT_INSTRUCTION_LEN_MR = 5,
	SEL4_VMENTER_FAULT_GUEST_PHYSICAL_MR = 6,
	SEL4_VMENTER_FAULT_RFLAGS_MR = 7,
	SEL4_VMENTER_FAULT_GUEST_INT_MR = 8,
	SEL4_VMENTER_FAULT_CR3_MR = 9,
	SEL4_VMENTER_FAULT_EAX = 10,
	SEL4_VMENTER_FAULT_EBX = 11,
	SEL4_VMENTER_FAULT_ECX = 12,
	SEL4_VMENTER_FAULT_EDX = 13,
	SEL4_VMENTER_FAULT_ESI = 14,
	SEL4_VMENTER_FAULT_EDI = 15,
	SEL4_VMENTER_FAULT_EBP = 16,
	SEL4_VMENTER_FAULT_R8 = 17,
	SEL4_VMENTER_FAULT_R9 = 18,
	SEL4_VMENTER_FAULT_R10 = 19,
	SEL4_VMENTER_FAULT_R11 = 20,
	SEL4_VMENTER_FAULT_R12 = 21,
	SEL4_VMENTER_FAULT_R13 = 22,
	SEL4_VMENTER_FAULT_R14 = 23,
	SEL4_VMENTER_FAULT_R15 = 24,
};

#endif
