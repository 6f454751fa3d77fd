/*
 * The VMCB: control area and state-save area. AMD64 APM vol. 2, appendix B. Bit words: svm.fields.
 */
#ifndef SVM_VMCB_H
#define SVM_VMCB_H

#include "types.h"

struct vmcb_segment {
	uint16_t selector;
	uint16_t attrib; /* svm_attrib */
	uint32_t limit;	 /* bytes, expanded */
	uint64_t base;
};

struct vmcb {
	/* control area */
	uint16_t cr_read, cr_write; /* 000h */
	uint16_t dr_read, dr_write;
	uint32_t exceptions;
	uint32_t misc1, misc2, misc3; /* 00Ch */
	uint8_t reserved1[0x03c - 0x018];
	uint16_t pause_threshold, pause_count;
	uint64_t iopm_pa, msrpm_pa; /* 040h */
	uint64_t tsc_offset;
	uint32_t asid; /* 058h */
	uint8_t tlb_control;
	uint8_t reserved2[3];
	uint64_t vintr;						   /* 060h: svm_vintr */
	uint64_t shadow;					   /* 068h: bit 0 interrupt shadow */
	uint64_t exit_code, exit_info1, exit_info2, exit_int_info; /* 070h */
	uint64_t np_enable;					   /* 090h */
	uint8_t reserved3[0x0a8 - 0x098];
	uint64_t event_inj; /* 0A8h: svm_event */
	uint64_t n_cr3;	    /* 0B0h */
	uint64_t lbr_control;
	uint64_t clean;	    /* 0C0h */
	uint64_t nrip;	    /* 0C8h */
	uint8_t insn_count; /* 0D0h */
	uint8_t insn_bytes[15];
	uint8_t reserved4[0x400 - 0x0e0];
	/* state-save area */
	struct vmcb_segment es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr; /* 400h */
	uint8_t reserved5[0x4cb - 0x4a0];
	uint8_t cpl;
	uint8_t reserved6[4];
	uint64_t efer; /* 4D0h */
	uint8_t reserved7[0x548 - 0x4d8];
	uint64_t cr4, cr3, cr0, dr7, dr6, rflags, rip; /* 548h */
	uint8_t reserved8[0x5d8 - 0x580];
	uint64_t rsp; /* 5D8h */
	uint64_t s_cet, ssp, isst;
	uint64_t rax; /* 5F8h */
	uint64_t star, lstar, cstar, sfmask, kernel_gs_base;
	uint64_t sysenter_cs, sysenter_esp, sysenter_eip;
	uint64_t cr2; /* 640h */
	uint8_t reserved9[0x668 - 0x648];
	uint64_t g_pat; /* 668h */
	uint64_t dbgctl;
	uint64_t br_from, br_to, last_excp_from, last_excp_to;
	uint8_t reserved10[0x1000 - 0x698];
};
_Static_assert(sizeof(struct vmcb) == 4096, "VMCB size");
_Static_assert(offsetof(struct vmcb, exceptions) == 0x008, "VMCB layout");
_Static_assert(offsetof(struct vmcb, misc1) == 0x00c, "VMCB layout");
_Static_assert(offsetof(struct vmcb, iopm_pa) == 0x040, "VMCB layout");
_Static_assert(offsetof(struct vmcb, tsc_offset) == 0x050, "VMCB layout");
_Static_assert(offsetof(struct vmcb, asid) == 0x058, "VMCB layout");
_Static_assert(offsetof(struct vmcb, tlb_control) == 0x05c, "VMCB layout");
_Static_assert(offsetof(struct vmcb, vintr) == 0x060, "VMCB layout");
_Static_assert(offsetof(struct vmcb, exit_code) == 0x070, "VMCB layout");
_Static_assert(offsetof(struct vmcb, exit_int_info) == 0x088, "VMCB layout");
_Static_assert(offsetof(struct vmcb, np_enable) == 0x090, "VMCB layout");
_Static_assert(offsetof(struct vmcb, event_inj) == 0x0a8, "VMCB layout");
_Static_assert(offsetof(struct vmcb, n_cr3) == 0x0b0, "VMCB layout");
_Static_assert(offsetof(struct vmcb, clean) == 0x0c0, "VMCB layout");
_Static_assert(offsetof(struct vmcb, nrip) == 0x0c8, "VMCB layout");
_Static_assert(offsetof(struct vmcb, insn_count) == 0x0d0, "VMCB layout");
_Static_assert(offsetof(struct vmcb, es) == 0x400, "VMCB layout");
_Static_assert(offsetof(struct vmcb, tr) == 0x490, "VMCB layout");
_Static_assert(offsetof(struct vmcb, cpl) == 0x4cb, "VMCB layout");
_Static_assert(offsetof(struct vmcb, efer) == 0x4d0, "VMCB layout");
_Static_assert(offsetof(struct vmcb, cr4) == 0x548, "VMCB layout");
_Static_assert(offsetof(struct vmcb, rip) == 0x578, "VMCB layout");
_Static_assert(offsetof(struct vmcb, rsp) == 0x5d8, "VMCB layout");
_Static_assert(offsetof(struct vmcb, rax) == 0x5f8, "VMCB layout");
_Static_assert(offsetof(struct vmcb, star) == 0x600, "VMCB layout");
_Static_assert(offsetof(struct vmcb, cr2) == 0x640, "VMCB layout");
_Static_assert(offsetof(struct vmcb, g_pat) == 0x668, "VMCB layout");

/* misc1, offset 00Ch */
#define SVM_MISC1_INTR	      BIT(0)
#define SVM_MISC1_NMI	      BIT(1)
#define SVM_MISC1_SMI	      BIT(2)
#define SVM_MISC1_INIT	      BIT(3)
#define SVM_MISC1_VINTR	      BIT(4)
#define SVM_MISC1_RDTSC	      BIT(14)
#define SVM_MISC1_RDPMC	      BIT(15)
#define SVM_MISC1_CPUID	      BIT(18)
#define SVM_MISC1_RSM	      BIT(19)
#define SVM_MISC1_IRET	      BIT(20)
#define SVM_MISC1_INVD	      BIT(22)
#define SVM_MISC1_PAUSE	      BIT(23)
#define SVM_MISC1_HLT	      BIT(24)
#define SVM_MISC1_INVLPG      BIT(25)
#define SVM_MISC1_INVLPGA     BIT(26)
#define SVM_MISC1_IOIO	      BIT(27)
#define SVM_MISC1_MSR	      BIT(28)
#define SVM_MISC1_TASK_SWITCH BIT(29)
#define SVM_MISC1_SHUTDOWN    BIT(31)
/* misc2, offset 010h */
#define SVM_MISC2_VMRUN	      BIT(0)
#define SVM_MISC2_VMMCALL     BIT(1)
#define SVM_MISC2_VMLOAD      BIT(2)
#define SVM_MISC2_VMSAVE      BIT(3)
#define SVM_MISC2_STGI	      BIT(4)
#define SVM_MISC2_CLGI	      BIT(5)
#define SVM_MISC2_SKINIT      BIT(6)
#define SVM_MISC2_RDTSCP      BIT(7)
#define SVM_MISC2_WBINVD      BIT(9)
#define SVM_MISC2_MONITOR     BIT(10)
#define SVM_MISC2_MWAIT	      BIT(11)
#define SVM_MISC2_MWAIT_ARMED BIT(12)
#define SVM_MISC2_XSETBV      BIT(13)
#define SVM_MISC2_RDPRU	      BIT(14)

/* Pause filter (15.14.4): so many PAUSEs of one entry are a spin, if none is more cycles after the one before
 * (CPUID Fn8000_000A_EDX[PauseFilterThreshold]; without, whatever comes between them). */
#define SVM_PAUSE_COUNT	    3000u
#define SVM_PAUSE_THRESHOLD 128u

/* Clean bits (15.15.3): what the CPU may have kept since the last VMRUN of this VMCB on it. */
#define SVM_CLEAN_INTERCEPTS BIT(0) /* and TSC offset, pause filter */
#define SVM_CLEAN_MAPS	     BIT(1)
#define SVM_CLEAN_ASID	     BIT(2)
#define SVM_CLEAN_VINTR	     BIT(3)
#define SVM_CLEAN_NP	     BIT(4)
#define SVM_CLEAN_CR	     BIT(5) /* CR0, CR3, CR4, EFER */
#define SVM_CLEAN_DR	     BIT(6)
#define SVM_CLEAN_DT	     BIT(7)
#define SVM_CLEAN_SEG	     BIT(8) /* and CPL */
#define SVM_CLEAN_CR2	     BIT(9)
#define SVM_CLEAN_ALL	     MASK(10)

#define SVM_TLB_FLUSH_ALL 1 /* TLB_CONTROL (15.16.1) */

/* Exit codes (appendix C). */
enum svm_exit_code {
	SVM_EXIT_CR_READ = 0x00,
	SVM_EXIT_CR_WRITE = 0x10,
	SVM_EXIT_DR_READ = 0x20,
	SVM_EXIT_DR_WRITE = 0x30,
	SVM_EXIT_EXCEPTION = 0x40,
	SVM_EXIT_INTR = 0x60,
	SVM_EXIT_NMI = 0x61,
	SVM_EXIT_SMI = 0x62,
	SVM_EXIT_INIT = 0x63,
	SVM_EXIT_VINTR = 0x64,
	SVM_EXIT_CR0_SELECTIVE = 0x65,
	SVM_EXIT_RDTSC = 0x6e,
	SVM_EXIT_RDPMC = 0x6f,
	SVM_EXIT_CPUID = 0x72,
	SVM_EXIT_RSM = 0x73,
	SVM_EXIT_IRET = 0x74,
	SVM_EXIT_INVD = 0x76,
	SVM_EXIT_PAUSE = 0x77,
	SVM_EXIT_HLT = 0x78,
	SVM_EXIT_INVLPG = 0x79,
	SVM_EXIT_INVLPGA = 0x7a,
	SVM_EXIT_IOIO = 0x7b,
	SVM_EXIT_MSR = 0x7c,
	SVM_EXIT_TASK_SWITCH = 0x7d,
	SVM_EXIT_SHUTDOWN = 0x7f,
	SVM_EXIT_VMRUN = 0x80,
	SVM_EXIT_VMMCALL = 0x81,
	SVM_EXIT_VMLOAD = 0x82,
	SVM_EXIT_VMSAVE = 0x83,
	SVM_EXIT_STGI = 0x84,
	SVM_EXIT_CLGI = 0x85,
	SVM_EXIT_SKINIT = 0x86,
	SVM_EXIT_RDTSCP = 0x87,
	SVM_EXIT_WBINVD = 0x89,
	SVM_EXIT_MONITOR = 0x8a,
	SVM_EXIT_MWAIT = 0x8b,
	SVM_EXIT_MWAIT_ARMED = 0x8c,
	SVM_EXIT_XSETBV = 0x8d,
	SVM_EXIT_NPF = 0x400,
};
#define SVM_EXIT_INVALID 0xffffffffu /* low 32 bits; TCG writes no more than these */

#endif
