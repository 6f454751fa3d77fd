/*
 * VT-x's numbers as far as they are the vCPU ABI of both vendors: exit reasons, event types, control bits,
 * and the VMCS field encodings that ReadVMCS, WriteVMCS take. Intel SDM vol. 3C chapter 25 and appendices B,
 * C. Bit words: vtx.fields.
 */
#ifndef ARCH_X86_VIRT_VTX_H
#define ARCH_X86_VIRT_VTX_H

#include "types.h"
#include "kernel/arch/x86/virt/vtx_fields.h"

/* Basic exit reasons (appendix C). */
enum vtx_reason {
	VTX_REASON_EXCEPTION = 0,
	VTX_REASON_INTERRUPT = 1,
	VTX_REASON_TRIPLE_FAULT = 2,
	VTX_REASON_INIT = 3,
	VTX_REASON_SIPI = 4,
	VTX_REASON_INTERRUPT_WINDOW = 7,
	VTX_REASON_NMI_WINDOW = 8,
	VTX_REASON_TASK_SWITCH = 9,
	VTX_REASON_CPUID = 10,
	VTX_REASON_GETSEC = 11,
	VTX_REASON_HLT = 12,
	VTX_REASON_INVD = 13,
	VTX_REASON_INVLPG = 14,
	VTX_REASON_RDPMC = 15,
	VTX_REASON_RDTSC = 16,
	VTX_REASON_VMCALL = 18,
	VTX_REASON_VMX_FIRST = 19, /* VMCLEAR .. VMXON: 19 to 27 */
	VTX_REASON_VMX_LAST = 27,
	VTX_REASON_CR = 28,
	VTX_REASON_DR = 29,
	VTX_REASON_IO = 30,
	VTX_REASON_RDMSR = 31,
	VTX_REASON_WRMSR = 32,
	VTX_REASON_ENTRY_STATE = 33, /* with VTX_REASON_FAILED: invalid guest state */
	VTX_REASON_MWAIT = 36,
	VTX_REASON_MONITOR = 39,
	VTX_REASON_PAUSE = 40,
	VTX_REASON_ENTRY_MC = 41,
	VTX_REASON_TPR = 43,
	VTX_REASON_EPT_VIOLATION = 48,
	VTX_REASON_EPT_MISCONFIG = 49,
	VTX_REASON_INVEPT = 50,
	VTX_REASON_RDTSCP = 51,
	VTX_REASON_INVVPID = 53,
	VTX_REASON_WBINVD = 54,
	VTX_REASON_XSETBV = 55,
	VTX_REASON_RDRAND = 57,
	VTX_REASON_INVPCID = 58,
	VTX_REASON_VMFUNC = 59,
	VTX_REASON_RDSEED = 61,
	VTX_REASON_XSAVES = 63,
	VTX_REASON_XRSTORS = 64,
};
#define VTX_REASON_FAILED BIT(31)

/* Event types (table 25-17). */
enum vtx_event_type {
	VTX_EVENT_EXTERNAL = 0,
	VTX_EVENT_NMI = 2,
	VTX_EVENT_EXCEPTION = 3,
	VTX_EVENT_SOFTWARE = 4,
	VTX_EVENT_PRIVILEGED = 5,     /* INT1 */
	VTX_EVENT_SOFT_EXCEPTION = 6, /* INT3, INTO */
};

/* A VMM's event word: no bit outside the format, and none that only the CPU sets (table 25-17). */
#define VTX_EVENT_MASK 0x80000fffu

/* Interruptibility state (table 25-3). */
#define VTX_BLOCK_STI	 BIT(0)
#define VTX_BLOCK_MOV_SS BIT(1)
#define VTX_BLOCK_NMI	 BIT(3)

/* Primary processor-based controls (table 25-6). */
#define VTX_PRIMARY_INTERRUPT_WINDOW BIT(2)
#define VTX_PRIMARY_TSC_OFFSET	     BIT(3)
#define VTX_PRIMARY_HLT		     BIT(7)
#define VTX_PRIMARY_INVLPG	     BIT(9)
#define VTX_PRIMARY_MWAIT	     BIT(10)
#define VTX_PRIMARY_RDPMC	     BIT(11)
#define VTX_PRIMARY_RDTSC	     BIT(12)
#define VTX_PRIMARY_CR3_LOAD	     BIT(15)
#define VTX_PRIMARY_CR3_STORE	     BIT(16)
#define VTX_PRIMARY_CR8_LOAD	     BIT(19)
#define VTX_PRIMARY_CR8_STORE	     BIT(20)
#define VTX_PRIMARY_TPR_SHADOW	     BIT(21)
#define VTX_PRIMARY_NMI_WINDOW	     BIT(22)
#define VTX_PRIMARY_MOV_DR	     BIT(23)
#define VTX_PRIMARY_IO_MAPS	     BIT(25)
#define VTX_PRIMARY_MSR_MAPS	     BIT(28)
#define VTX_PRIMARY_MONITOR	     BIT(29)
#define VTX_PRIMARY_PAUSE	     BIT(30)
#define VTX_PRIMARY_SECONDARY	     BIT(31)
/* Bits that are 1 on every CPU (default1 without CR3 exiting). */
#define VTX_PRIMARY_RESERVED1 0x04006172u

/* What a VMM may choose, and what is always on: the same on both vendors. */
#define VTX_PRIMARY_FREE                                                                                     \
	(VTX_PRIMARY_INTERRUPT_WINDOW | VTX_PRIMARY_HLT | VTX_PRIMARY_INVLPG | VTX_PRIMARY_RDTSC |           \
	 VTX_PRIMARY_CR3_LOAD | VTX_PRIMARY_CR3_STORE | VTX_PRIMARY_CR8_LOAD | VTX_PRIMARY_CR8_STORE |       \
	 VTX_PRIMARY_NMI_WINDOW | VTX_PRIMARY_MOV_DR | VTX_PRIMARY_PAUSE)
#define VTX_PRIMARY_FORCED                                                                                   \
	(VTX_PRIMARY_RESERVED1 | VTX_PRIMARY_TSC_OFFSET | VTX_PRIMARY_MWAIT | VTX_PRIMARY_RDPMC |            \
	 VTX_PRIMARY_IO_MAPS | VTX_PRIMARY_MSR_MAPS | VTX_PRIMARY_MONITOR | VTX_PRIMARY_SECONDARY)
#define VTX_PRIMARY_INITIAL (VTX_PRIMARY_FORCED | VTX_PRIMARY_HLT)

/* Pin-based controls: external interrupts, NMIs, virtual NMIs, and the reserved ones. Nothing to choose. */
#define VTX_PIN_VALUE 0x3fu
/* Secondary controls as reported: EPT, RDTSCP, VPID, WBINVD exiting, unrestricted guest; and what a VMM may
 * choose where the CPU has it. */
#define VTX_SECONDARY_VALUE	 (BIT(1) | BIT(3) | BIT(5) | BIT(6) | BIT(7))
#define VTX_SECONDARY_PAUSE_LOOP BIT(10)
/* Exit controls: 64-bit host, PAT and EFER saved and loaded, and the reserved ones. */
#define VTX_EXIT_VALUE 0x003fefffu
/* Entry controls: PAT and EFER loaded, the reserved ones; bit 9 follows EFER.LMA. */
#define VTX_ENTRY_VALUE	    0x0000d1ffu
#define VTX_ENTRY_LONG_MODE BIT(9)

/* VMCS field encodings (appendix B). Segment fields go up by 2 in the order of enum insula_seg. */
enum vtx_field {
	VTX_FIELD_ES_SELECTOR = 0x0800, /* .. TR 0x080e */
	VTX_FIELD_VMCS_LINK = 0x2800,
	VTX_FIELD_TSC_OFFSET = 0x2010,
	VTX_FIELD_GPA = 0x2400,
	VTX_FIELD_DEBUGCTL = 0x2802,
	VTX_FIELD_PAT = 0x2804,
	VTX_FIELD_EFER = 0x2806,
	VTX_FIELD_PERF_GLOBAL = 0x2808,
	VTX_FIELD_PDPTE0 = 0x280a, /* .. 0x2810 */
	VTX_FIELD_PIN = 0x4000,
	VTX_FIELD_PRIMARY = 0x4002,
	VTX_FIELD_EXCEPTIONS = 0x4004,
	VTX_FIELD_PF_MASK = 0x4006,
	VTX_FIELD_PF_MATCH = 0x4008,
	VTX_FIELD_CR3_TARGETS = 0x400a,
	VTX_FIELD_EXIT_CONTROLS = 0x400c,
	VTX_FIELD_ENTRY_CONTROLS = 0x4012,
	VTX_FIELD_ENTRY_INFO = 0x4016,
	VTX_FIELD_ENTRY_ERROR = 0x4018,
	VTX_FIELD_ENTRY_LENGTH = 0x401a,
	VTX_FIELD_TPR_THRESHOLD = 0x401c,
	VTX_FIELD_SECONDARY = 0x401e,
	VTX_FIELD_INSTRUCTION_ERROR = 0x4400,
	VTX_FIELD_REASON = 0x4402,
	VTX_FIELD_EXIT_INFO = 0x4404,
	VTX_FIELD_EXIT_ERROR = 0x4406,
	VTX_FIELD_IDT_INFO = 0x4408,
	VTX_FIELD_IDT_ERROR = 0x440a,
	VTX_FIELD_EXIT_LENGTH = 0x440c,
	VTX_FIELD_EXIT_INSTRUCTION = 0x440e,
	VTX_FIELD_ES_LIMIT = 0x4800, /* .. TR 0x480e */
	VTX_FIELD_GDTR_LIMIT = 0x4810,
	VTX_FIELD_IDTR_LIMIT = 0x4812,
	VTX_FIELD_ES_AR = 0x4814, /* .. TR 0x4822 */
	VTX_FIELD_INTERRUPTIBILITY = 0x4824,
	VTX_FIELD_ACTIVITY = 0x4826,
	VTX_FIELD_SMBASE = 0x4828,
	VTX_FIELD_SYSENTER_CS = 0x482a,
	VTX_FIELD_PREEMPTION_TIMER = 0x482e,
	VTX_FIELD_CR0_MASK = 0x6000,
	VTX_FIELD_CR4_MASK = 0x6002,
	VTX_FIELD_CR0_SHADOW = 0x6004,
	VTX_FIELD_CR4_SHADOW = 0x6006,
	VTX_FIELD_CR3_TARGET0 = 0x6008, /* .. 0x600e */
	VTX_FIELD_QUALIFICATION = 0x6400,
	VTX_FIELD_IO_RCX = 0x6402, /* then RSI, RDI, RIP: of SMM alone */
	VTX_FIELD_GLA = 0x640a,
	VTX_FIELD_CR0 = 0x6800,
	VTX_FIELD_CR3 = 0x6802,
	VTX_FIELD_CR4 = 0x6804,
	VTX_FIELD_ES_BASE = 0x6806, /* .. TR 0x6814 */
	VTX_FIELD_GDTR_BASE = 0x6816,
	VTX_FIELD_IDTR_BASE = 0x6818,
	VTX_FIELD_DR7 = 0x681a,
	VTX_FIELD_RSP = 0x681c,
	VTX_FIELD_RIP = 0x681e,
	VTX_FIELD_RFLAGS = 0x6820,
	VTX_FIELD_PENDING_DEBUG = 0x6822,
	VTX_FIELD_SYSENTER_ESP = 0x6824,
	VTX_FIELD_SYSENTER_EIP = 0x6826,
};

static inline uint64_t vtx_event_make(uint64_t type, uint64_t vector, bool error_valid)
{
	vtx_event_t e = {{0}};

	e = vtx_event_with_vector(vtx_event_with_type(vtx_event_with_valid(e, 1), type), vector);
	return vtx_event_with_error_valid(e, error_valid).w[0];
}

#endif
