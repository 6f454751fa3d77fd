/*
 * Insula's extensions to the seL4 API. All labels, object types, attributes and bootinfo chunk
 * ids that seL4 does not have are here, in ranges far from seL4's. docs/extensions/ describes
 * each. A root task that knows nothing of them runs unchanged.
 */
#ifndef INSULA_EXT_H
#define INSULA_EXT_H

#include <stdint.h>

/* Object types for Untyped_Retype, and their sizes. */
#define insula_TimerObject 64u
#define insula_TimerBits   7u

/* DebugCapIdentify's answer for a timer capability. */
#define insula_CapTypeTimer 33u

/* Flag of SchedControl_ConfigureFlags, beside seL4's (docs/extensions/wake-first.md). */
#define insula_SchedContext_WakeFirst (1u << 8)

/* Bit of the attribute word of X86PageMap: the mapping is not executable. */
#define insula_X86_ExecuteNever (1u << 8)

/*
 * Invocation labels.
 *
 * InsulaTimerBind     timer    extra cap: notification with send right (none: unbind)
 *                              The notification capability's badge is signalled at expiry.
 * InsulaTimerSet      timer    MR0: absolute deadline in TSC ticks. Replaces an armed deadline. A
 *                              deadline in the past signals at once. Unbound: IllegalOperation.
 * InsulaTimerCancel   timer    no arguments; an armed deadline is forgotten.
 * InsulaVCPUSetStatePage vcpu  extra cap: 4 KiB non-device frame with read and write (none: remove).
 *                              The kernel keeps the frame mapped; VMEnter then uses struct
 *                              insula_vcpu_state in place of its message registers.
 * InsulaFrameDerive   frame    extra cap: root CNode. MR0, MR1: index and depth of an empty slot below it;
 *                              MR2: rights; MR3: offset in bytes; MR4: log2 of the part's size (12, 21, 30).
 *                              A capability to that part, as a child of the invoked one.
 * InsulaFrameDeriveEPT frame   extra caps: as InsulaFrameDerive; the EPT root. MR0 to MR4: as there; MR5: guest-physical
 *                              address, MR6: memory type (X86PageMapEPT's). The same, and the part is mapped.
 * InsulaFrameSplit    frame    2 MiB or 1 GiB. Extra caps: root CNode; if the frame is mapped, an unmapped table
 *                              of the next lower level of its space (PT or PD, EPT PT or EPT PD). MR0, MR1, MR2:
 *                              index, depth and offset of 512 empty slots, as Retype's. The invoked capability is
 *                              replaced by 512 to its parts. Answer MR0: 0; or 1: it is left as the parent of
 *                              what could not be handed on.
 * InsulaSchedContextCharge sched context  extra cap: reply object on which a caller waits. MR0: TSC ticks that this
 *                              context used for the caller's; no more than it has consumed are moved. Answer MR0: how many.
 *                              Nobody waits, or without a context: IllegalOperation.
 * InsulaSchedControlLockCount sched control  no arguments. Answer MR0: how often its CPU has taken the kernel lock,
 *                              MR1: TSC ticks for which it has held it, both since boot. Not counted (boot option
 *                              lock-count): IllegalOperation.
 */
enum insula_label {
	InsulaTimerBind = 0x10000,
	InsulaTimerSet = 0x10001,
	InsulaTimerCancel = 0x10002,
	InsulaVCPUSetStatePage = 0x10010,
	InsulaFrameDerive = 0x10020,
	InsulaFrameSplit = 0x10021,
	InsulaFrameDeriveEPT = 0x10022,
	InsulaSchedControlLockCount = 0x10030,
	InsulaSchedContextCharge = 0x10031,
};

#define insula_FrameParts 512u /* that InsulaFrameSplit makes */

/* Extra bootinfo chunks. */
enum insula_bootinfo_id {
	INSULA_BOOTINFO_CMDLINE = 0x1000, /* the kernel's command line, NUL-terminated */
	INSULA_BOOTINFO_MODULE = 0x1001,  /* struct insula_bi_module, one chunk per module in boot order */
	INSULA_BOOTINFO_UNTYPED = 0x1002, /* struct insula_bi_untyped: Untypeds beyond the first 230 */
	INSULA_BOOTINFO_MACHINE = 0x1003, /* struct insula_bi_machine */
};

/*
 * A boot module. The Untypeds in slots [start, end) cover [paddr, paddr + bytes) exactly, rounded up
 * to whole pages whose remainder is zero, in ascending order, none larger than needed; they are not in
 * bootinfo's untypedList. The first retype of each keeps the memory's content. The servers'
 * archive inside the image comes as the first module, with the string "name=insula-servers".
 */
struct insula_bi_module {
	uint64_t paddr;
	uint64_t bytes;
	uint64_t untyped_start;
	uint64_t untyped_end;
	char string[]; /* NUL-terminated: the boot loader's, unchanged */
};

struct insula_bi_untyped {
	uint64_t first_slot;
	uint64_t count;
	struct {
		uint64_t paddr;
		uint8_t size_bits;
		uint8_t is_device;
		uint8_t padding[6];
	} desc[];
};

enum insula_virt { INSULA_VIRT_NONE = 0, INSULA_VIRT_VMX = 1, INSULA_VIRT_SVM = 2 };

struct insula_bi_machine {
	uint64_t tsc_hz;
	uint32_t virt;         /* enum insula_virt */
	uint32_t virt_features; /* enum insula_virt_feature */
	uint64_t memory_total; /* bytes of RAM that the firmware reported */
	uint64_t memory_kernel; /* bytes kept by the kernel: image, window tables, per-CPU data, boot objects */
	uint32_t ioapic_count;
	uint32_t cpu_count; /* running */
	char version[32];
	char cpu_name[49];
	char features[463]; /* words separated by blanks: what was found and is used */
};

enum insula_virt_feature {
	INSULA_VIRT_NRIP = 1,        /* exits carry the instruction length */
	INSULA_VIRT_DECODE = 2,      /* nested faults carry the instruction's bytes */
	INSULA_VIRT_HUGE_PAGES = 4,  /* 1 GiB second-level pages */
	INSULA_VIRT_APIC_TPR = 8,
	INSULA_VIRT_PAUSE_LOOP = 16, /* a guest that spins with PAUSE can be made to exit (VMCS field 401eh, bit 10) */
};

/*
 * The state page: shared by a vCPU's VMM and the kernel, which reads and writes it only inside VMEnter
 * and never trusts it: every value is checked as WriteVMCS checks it.
 *
 * VMEnter: the kernel takes the groups set in `dirty`, clears `dirty`, and always takes `gpr` if
 * INSULA_VS_GPR is dirty, `entry_*` (then sets entry_info's valid bit to 0), and `window`.
 * On return: RSI is 0 (a signal on the bound notification, badge in RDI; nothing left to be done
 * for the guest; IP, CR, GPR are written, reason is UINT64_MAX) or 1 (an exit). GPR, EXIT, IP and CR are always written;
 * with IP come seg[INSULA_CS] and seg[INSULA_SS], with CR comes xcr0 (all out only). SEG, MSR, DEBUG, CTL, USED and FPU are written when set in `wanted`. `valid` says what was written.
 * If entry_info was injected at the time of a return, it is reported again in `idt_vectoring`.
 */
enum insula_vs_group {
	INSULA_VS_GPR = 1,   /* gpr[] */
	INSULA_VS_IP = 2,    /* rip, rsp, rflags, interruptibility, activity */
	INSULA_VS_CR = 4,    /* cr0, cr3, cr4, efer, cr2 */
	INSULA_VS_SEG = 8,   /* seg[], gdtr, idtr */
	INSULA_VS_MSR = 16,  /* star ... pat */
	INSULA_VS_DEBUG = 32, /* dr7, dr[0..3], dr6 */
	INSULA_VS_EXIT = 64, /* reason ... insn_bytes; out only */
	INSULA_VS_CTL = 128, /* tsc_offset, xcr0, tsc_aux; in and out */
	INSULA_VS_USED = 256, /* used_ticks; out only */
	INSULA_VS_FPU = 512, /* struct insula_vcpu_fpu; in and out */
};

enum insula_gpr {
	INSULA_RAX, INSULA_RCX, INSULA_RDX, INSULA_RBX, INSULA_RSP_UNUSED, INSULA_RBP, INSULA_RSI, INSULA_RDI,
	INSULA_R8, INSULA_R9, INSULA_R10, INSULA_R11, INSULA_R12, INSULA_R13, INSULA_R14, INSULA_R15,
	INSULA_GPR_COUNT
};

enum insula_seg {
	INSULA_ES, INSULA_CS, INSULA_SS, INSULA_DS, INSULA_FS, INSULA_GS, INSULA_LDTR, INSULA_TR,
	INSULA_SEG_COUNT
};

struct insula_segment {
	uint64_t base;
	uint32_t limit; /* in bytes, expanded */
	uint16_t selector;
	uint16_t reserved;
	uint32_t ar; /* VT-x access rights; bit 16 unusable */
	uint32_t reserved2;
};

struct insula_vcpu_state {
	/* VMM to kernel */
	uint64_t dirty;
	uint64_t wanted;
	uint64_t window;      /* 1: exit when the guest can take an interrupt; 2: ... an NMI */
	uint64_t entry_info;  /* VM-entry interruption information, VT-x format (bit 31 valid) */
	uint64_t entry_error; /* error code of entry_info */
	uint64_t entry_length; /* instruction length for software events */
	/* kernel to VMM */
	uint64_t valid;
	uint64_t reason;        /* VT-x basic exit reason; bit 31 set: entry failed */
	uint64_t qualification; /* VT-x format */
	uint64_t length;        /* instruction length, 0 where the CPU gives none */
	uint64_t gpa;
	uint64_t gla;           /* guest linear address of an EPT violation if bit 7 of qualification */
	uint64_t exit_info;     /* VM-exit interruption information */
	uint64_t exit_error;
	uint64_t idt_vectoring; /* VT-x format: event that was being delivered */
	uint64_t idt_vectoring_error;
	uint64_t insn_count;    /* of insn_bytes; 0 where the CPU gives none */
	uint8_t insn_bytes[16];
	uint64_t used_ticks; /* of the TSC: all that the scheduling context ever consumed, at the last return for a signal or with INSULA_VS_USED wanted */
	/* both ways */
	uint64_t gpr[INSULA_GPR_COUNT]; /* enum insula_gpr; [4] unused */
	uint64_t rip, rsp, rflags, interruptibility, activity; /* VT-x encodings; activity 0 active, 1 HLT */
	uint64_t cr0, cr3, cr4, efer, cr2;
	struct insula_segment seg[INSULA_SEG_COUNT];
	struct insula_segment gdtr, idtr; /* base, limit */
	uint64_t star, lstar, cstar, sfmask, kernel_gs_base, sysenter_cs, sysenter_esp, sysenter_eip, pat;
	uint64_t dr7, dr[4], dr6;
	uint64_t tsc_offset, xcr0, tsc_aux;
};

/*
 * The x87, SSE and AVX registers, at INSULA_FPU_OFFSET of the state page: an area of XSAVE (Intel SDM volume 1, 13.4) with the components that the kernel has switched on. Written out it is in compacted form
 * where XCOMP_BV says so; taken in it is in standard form, and XSTATE_BV and MXCSR lose the bits that the CPU does not have. Without XSAVE its first 512 bytes count, as FXSAVE's.
 */
#define INSULA_FPU_OFFSET 1024u
struct insula_vcpu_fpu {
	uint8_t area[2752];
};
_Static_assert(sizeof(struct insula_vcpu_state) <= INSULA_FPU_OFFSET && INSULA_FPU_OFFSET + sizeof(struct insula_vcpu_fpu) <= 4096, "state page");

#endif
