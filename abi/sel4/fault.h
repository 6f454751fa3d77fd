/*
 * Faults as their handler sees them: a message whose label is the kind (enum sel4_fault), with these words;
 * and the words of its answer. The handler receives on the endpoint that the thread was given (TCB_SetSpace,
 * SetSchedParams, SetTimeoutEndpoint) and answers by the reply object: label 0 restarts the thread, any other
 * leaves it stopped (faults of capabilities and of memory restart it in any case).
 */
#ifndef SEL4_FAULT_H
#define SEL4_FAULT_H

#include "sel4/syscalls.h"

/* A capability could not be found, or not be used. BitsLeft and what follows: only as far as the kind of
 * failure has them. */
enum sel4_cap_fault_word {
	seL4_CapFault_IP = 0, /* of the system call itself */
	seL4_CapFault_Addr = 1,
	seL4_CapFault_InRecvPhase = 2,
	seL4_CapFault_LookupFailureType = 3, /* enum sel4_lookup_failure */
	seL4_CapFault_BitsLeft = 4,
	seL4_CapFault_DepthMismatch_BitsFound = 5,
	seL4_CapFault_GuardMismatch_GuardFound = 5,
	seL4_CapFault_GuardMismatch_BitsFound = 6,
};

/* The answer may have the first 18: they become the thread's registers. */
enum sel4_unknown_syscall_word {
	seL4_UnknownSyscall_RAX = 0,
	seL4_UnknownSyscall_RBX = 1,
	seL4_UnknownSyscall_RCX = 2,
	seL4_UnknownSyscall_RDX = 3,
	seL4_UnknownSyscall_RSI = 4,
	seL4_UnknownSyscall_RDI = 5,
	seL4_UnknownSyscall_RBP = 6,
	seL4_UnknownSyscall_R8 = 7,
	seL4_UnknownSyscall_R9 = 8,
	seL4_UnknownSyscall_R10 = 9,
	seL4_UnknownSyscall_R11 = 10,
	seL4_UnknownSyscall_R12 = 11,
	seL4_UnknownSyscall_R13 = 12,
	seL4_UnknownSyscall_R14 = 13,
	seL4_UnknownSyscall_R15 = 14,
	seL4_UnknownSyscall_FaultIP =
	    15, /* of the instruction itself: a handler that does the call moves it on */
	seL4_UnknownSyscall_SP = 16,
	seL4_UnknownSyscall_FLAGS = 17,
	seL4_UnknownSyscall_Syscall = 18,
	seL4_UnknownSyscall_Length = 19,
};

/* The answer may have the first three. */
enum sel4_user_exception_word {
	seL4_UserException_FaultIP = 0,
	seL4_UserException_SP = 1,
	seL4_UserException_FLAGS = 2,
	seL4_UserException_Number = 3, /* vector */
	seL4_UserException_Code = 4,
	seL4_UserException_Length = 5,
};

enum sel4_vm_fault_word {
	seL4_VMFault_IP = 0,
	seL4_VMFault_Addr = 1,
	seL4_VMFault_PrefetchFault = 2, /* 1: instruction fetch */
	seL4_VMFault_FSR = 3,		/* the page fault's error code */
	seL4_VMFault_Length = 4,
};

enum sel4_timeout_word {
	seL4_Timeout_Data = 0,	   /* badge of the scheduling context */
	seL4_Timeout_Consumed = 1, /* microseconds; there only if the thread still has its context */
	seL4_Timeout_Length = 2,
};

/* What the answer to a timeout may have: they become the thread's registers. */
enum sel4_timeout_reply_word {
	seL4_TimeoutReply_FaultIP = 0,
	seL4_TimeoutReply_RSP = 1,
	seL4_TimeoutReply_FLAGS = 2,
	seL4_TimeoutReply_RAX = 3,
	seL4_TimeoutReply_RBX = 4,
	seL4_TimeoutReply_RCX = 5,
	seL4_TimeoutReply_RDX = 6,
	seL4_TimeoutReply_RSI = 7,
	seL4_TimeoutReply_RDI = 8,
	seL4_TimeoutReply_RBP = 9,
	seL4_TimeoutReply_R8 = 10,
	seL4_TimeoutReply_R9 = 11,
	seL4_TimeoutReply_R10 = 12,
	seL4_TimeoutReply_R11 = 13,
	seL4_TimeoutReply_R12 = 14,
	seL4_TimeoutReply_R13 = 15,
	seL4_TimeoutReply_R14 = 16,
	seL4_TimeoutReply_R15 = 17,
	seL4_TimeoutReply_TLS_BASE = 18,
	seL4_TimeoutReply_Length = 19,
};

/* Is the message that was received a fault of this kind? Only of messages from an endpoint that nothing but
 * faults comes through. */
static inline bool seL4_isCapFault_tag(seL4_MessageInfo_t tag)
{
	return seL4_MessageInfo_get_label(tag) == seL4_Fault_CapFault;
}

static inline bool seL4_isUnknownSyscall_tag(seL4_MessageInfo_t tag)
{
	return seL4_MessageInfo_get_label(tag) == seL4_Fault_UnknownSyscall;
}

static inline bool seL4_isUserException_tag(seL4_MessageInfo_t tag)
{
	return seL4_MessageInfo_get_label(tag) == seL4_Fault_UserException;
}

static inline bool seL4_isTimeoutFault_tag(seL4_MessageInfo_t tag)
{
	return seL4_MessageInfo_get_label(tag) == seL4_Fault_Timeout;
}

static inline bool seL4_isVMFault_tag(seL4_MessageInfo_t tag)
{
	return seL4_MessageInfo_get_label(tag) == seL4_Fault_VMFault;
}

/* A fault's message, kept: the words that came, the rest 0. */
typedef struct seL4_Fault {
	seL4_Word words[1 + seL4_UnknownSyscall_Length]; /* the kind, then its words */
} seL4_Fault_t;

/* The fault in the message that was just received; NullFault if its label is none. */
static inline seL4_Fault_t seL4_getFault(seL4_MessageInfo_t tag)
{
	seL4_Fault_t fault = {{0}};
	seL4_Word length = seL4_MessageInfo_get_length(tag);

	switch (seL4_MessageInfo_get_label(tag)) {
	case seL4_Fault_CapFault:
	case seL4_Fault_UnknownSyscall:
	case seL4_Fault_UserException:
	case seL4_Fault_Timeout:
	case seL4_Fault_VMFault:
		break;
	default:
		return fault;
	}
	fault.words[0] = seL4_MessageInfo_get_label(tag);
	for (seL4_Word i = 0; i < length && i < seL4_UnknownSyscall_Length; i++)
		fault.words[1 + i] = seL4_GetMR((int)i);
	return fault;
}

static inline seL4_Word seL4_Fault_get_seL4_FaultType(seL4_Fault_t fault)
{
	return fault.words[0];
}

/* Word i (one of the enumerators above) of the fault's message. */
static inline seL4_Word sel4_fault_word(seL4_Fault_t fault, unsigned i)
{
	return i < seL4_UnknownSyscall_Length ? fault.words[1 + i] : 0;
}

#endif
