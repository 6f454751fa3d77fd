/*
 * VM-exit reasons, interruption information and qualifications: Intel SDM volume 3, appendix C and sections 25.9, 28.2.
 * The vCPU ABI speaks them on both vendors.
 */
#ifndef INSULA_EXIT_REASON_H
#define INSULA_EXIT_REASON_H

enum insula_exit_reason {
	EXIT_EXCEPTION = 0,
	EXIT_INTERRUPT = 1,
	EXIT_TRIPLE_FAULT = 2,
	EXIT_INIT = 3,
	EXIT_SIPI = 4,
	EXIT_INTERRUPT_WINDOW = 7,
	EXIT_NMI_WINDOW = 8,
	EXIT_TASK_SWITCH = 9,
	EXIT_CPUID = 10,
	EXIT_GETSEC = 11,
	EXIT_HLT = 12,
	EXIT_INVD = 13,
	EXIT_INVLPG = 14,
	EXIT_RDPMC = 15,
	EXIT_RDTSC = 16,
	EXIT_RSM = 17,
	EXIT_VMCALL = 18,
	EXIT_VMX_FIRST = 19, /* VMCLEAR .. VMXON: 19..27 */
	EXIT_VMX_LAST = 27,
	EXIT_CR = 28,
	EXIT_DR = 29,
	EXIT_IO = 30,
	EXIT_RDMSR = 31,
	EXIT_WRMSR = 32,
	EXIT_ENTRY_GUEST_STATE = 33,
	EXIT_ENTRY_MSR = 34,
	EXIT_MWAIT = 36,
	EXIT_TRAP_FLAG = 37,
	EXIT_MONITOR = 39,
	EXIT_PAUSE = 40,
	EXIT_ENTRY_MCE = 41,
	EXIT_TPR = 43,
	EXIT_EPT_VIOLATION = 48,
	EXIT_EPT_MISCONFIG = 49,
	EXIT_RDTSCP = 51,
	EXIT_PREEMPTION_TIMER = 52,
	EXIT_WBINVD = 54,
	EXIT_XSETBV = 55,
	EXIT_RDRAND = 57,
	EXIT_INVPCID = 58,
	EXIT_VMFUNC = 59,
};
#define EXIT_ENTRY_FAILED (1u << 31)

/* Interruption information */
#define EVENT_VALID        (1u << 31)
#define EVENT_ERROR_CODE   (1u << 11)
#define EVENT_TYPE(i)      (((i) >> 8) & 7u)
#define EVENT_VECTOR(i)    ((i) & 0xffu)
#define EVENT_EXTERNAL     0u
#define EVENT_NMI          2u
#define EVENT_EXCEPTION    3u
#define EVENT_SOFT_INT     4u
#define EVENT_PRIV_SOFT    5u
#define EVENT_SOFT_EXC     6u
#define EVENT_MAKE(type, vector) (EVENT_VALID | ((type) << 8) | (vector))

/* Interruptibility */
#define SHADOW_STI    1u
#define SHADOW_MOV_SS 2u
#define SHADOW_NMI    8u

/* I/O qualification */
#define IO_SIZE(q)   (((unsigned)(q) & 7u) + 1)
#define IO_IN(q)     (((q) >> 3) & 1u)
#define IO_STRING(q) (((q) >> 4) & 1u)
#define IO_REP(q)    (((q) >> 5) & 1u)
#define IO_PORT(q)   ((uint16_t)((q) >> 16))

/* EPT violation qualification */
#define EPT_VIOLATION_READ  1u
#define EPT_VIOLATION_WRITE 2u
#define EPT_VIOLATION_FETCH 4u

#endif
