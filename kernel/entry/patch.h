/*
 * Patch sites: places in the entry and exit paths that cost one instruction when unused and get their code
 * at boot, when it is known what this CPU needs. The order of the sites is that of the hardware's demands:
 * CR3 before the stack, predictors before the first RET, VERW last.
 *
 * An assembler file writes PATCH_SITE(PATCH_x, bytes); a *_hw.c or *_hw.h file puts PATCH_SITE_TEXT(PATCH_x, bytes)
 * into an asm statement. Each makes a record in the section .patch_sites. patch_apply fills all sites with
 * one id. What a site's code may use is said beside its id. No site's code may fault.
 */
#ifndef ENTRY_PATCH_H
#define ENTRY_PATCH_H

/* Entry from user mode. No RET or indirect branch lies before PREDICTORS. */
#define PATCH_ENTRY_FENCE      1 /* traps, after the test of the mode and swapgs: LFENCE. 3 bytes */
#define PATCH_ENTRY_CLAC       2 /* traps (SYSCALL has the flag masked): CLAC. 3 bytes */
#define PATCH_SYSCALL_CR3      3 /* free: RSP. To the kernel's tables. 13 bytes */
#define PATCH_TRAP_CR3         4 /* free: RDI. 13 bytes */
#define PATCH_FAULT_CR3        7 /* exceptions in the kernel; free: RAX. 13 bytes */
#define PATCH_ENTRY_PREDICTORS 5 /* free: RAX RCX RDX. IBRS; untrain or IBPB; branch history. 40 bytes */
/* Return to user mode. */
#define PATCH_EXIT_PREDICTORS 8 /* free: RCX RDX; RAX is kept. IBPB if a guest ran; IBRS. 40 bytes */
#define PATCH_SYSRET_CR3      10 /* free: RSP. 23 bytes */
#define PATCH_IRET_CR3        11 /* free: RAX. 23 bytes */
#define PATCH_EXIT_VERW       12 /* free: none. VERW of an absolute address. 8 bytes */
/* NMI, #MC, #DF, #DB: the code tests at run time what is needed. */
#define PATCH_IST_ENTRY     13 /* free: RAX RCX RDX; RBP is what IST_EXIT finds there. 16 bytes */
#define PATCH_IST_EXIT      14 /* free: RAX RCX RDX RBP. 8 bytes */
/* Guest entry and exit (virt). */
#define PATCH_VMEXIT_RSB     16 /* RSB fill, or one CALL and LFENCE. 5 bytes (a jump to code that jumps back) */
#define PATCH_VMEXIT_SPEC    17 /* free: RAX RCX RDX. Host SPEC_CTRL. 24 bytes */
#define PATCH_VMEXIT_UNTRAIN 18
#define PATCH_VMEXIT_BHB     19
#define PATCH_VMENTER_L1D    20 /* free: RAX RCX RDX. 16 bytes */
#define PATCH_VMENTER_SPEC   21 /* free: RAX RCX RDX. Guest SPEC_CTRL; no RET, no indirect branch after it. 24 bytes */
#define PATCH_VMENTER_SCRUB  22 /* before the last registers are loaded: DIV */
#define PATCH_VMENTER_VERW   23 /* free: none; ZF is lost. 8 bytes */
/* Idle. */
#define PATCH_IDLE_ENTER    24 /* free: RAX RCX RDX. VERW, RSB, SPEC_CTRL. 32 bytes */
#define PATCH_IDLE_LEAVE    25 /* free: RAX RCX RDX. 24 bytes */
/* Switch to another address space (switch.c). */
#define PATCH_SWITCH        26 /* free: RAX RCX RDX. IBPB. 16 bytes */
/* A new address space (mm/space_hw.h). RDI: the value for CR3, which goes there or into percpu_entry (split.c); free: none. 9 bytes */
#define PATCH_SPACE         27
#define PATCH_SPACE_CR3     31
/* The kernel lock (lock.c), when more than one CPU runs: a call that keeps RSI and RDI, for each kind of entry; and its end. */
#define PATCH_LOCK_SYSCALL   32 /* 5 bytes */
#define PATCH_LOCK_TRAP      33 /* 5 bytes */
#define PATCH_LOCK_INTERRUPT 34 /* 5 bytes */
#define PATCH_LOCK_LEAVE     35 /* free: none; flags are lost. 8 bytes */
#define PATCH_LOCK_TAKEN     36 /* by the slow way in; where the lock is counted. free: RAX RDX. 8 bytes */
/* The FPU (fpu.c): not mitigations, but chosen at boot in the same way. RDI: the area; free: RAX RDX. */
#define PATCH_FPU_SAVE      28 /* 11 bytes */
#define PATCH_FPU_LOAD      29 /* 11 bytes */
#define PATCH_FPU_QUIRK     30 /* before LOAD. 11 bytes */

#define PATCH_TEXT2(x) #x
#define PATCH_TEXT(x)  PATCH_TEXT2(x)

#ifdef __ASSEMBLER__

.macro patch_site id, bytes
661:
	.if \bytes == 3
	.byte 0x0f, 0x1f, 0x00
	.elseif \bytes == 5
	.byte 0x0f, 0x1f, 0x44, 0x00, 0x00
	.elseif \bytes == 8
	.byte 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00
	.else /* a jump is one instruction too */
	.byte 0xeb, \bytes - 2
	.skip \bytes - 2, 0xcc
	.endif
	.pushsection .patch_sites, "a", @progbits
	.quad 661b
	.short \bytes, \id
	.long 0
	.popsection
.endm
#define PATCH_SITE(id, bytes) patch_site id, bytes

#else

#include "types.h"

/* For asm statements in *_hw.c: at least 3 bytes, jumped over. (Compilers take them for long: to be always_inline.) */
#define PATCH_SITE_TEXT(id, bytes)                                                                           \
	"661:\n\t.byte 0xeb, " PATCH_TEXT(bytes) " - 2\n\t.skip " PATCH_TEXT(bytes) " - 2, 0xcc\n\t"          \
	".pushsection .patch_sites, \"a\", @progbits\n\t.quad 661b\n\t.short " PATCH_TEXT(bytes) ", " PATCH_TEXT(id) \
	"\n\t.long 0\n\t.popsection\n\t"
struct patch_site {
	uint64_t address;
	uint16_t length;
	uint16_t id; /* PATCH_* */
	uint32_t reserved;
};

/*
 * Boot: where the image can be written: the difference between the writable alias of an address of the image
 * and the address. Before this, and after patch_done(), patch_apply must not be called.
 */
void patch_init(uint64_t alias_offset);
void patch_done(void);

/*
 * Fills every site of this id with `length` bytes and NOPs behind them. False, and nothing written, if there
 * is no site with this id or one is too short. Only on the boot CPU, before any other runs.
 */
bool patch_apply(unsigned id, const uint8_t *bytes, unsigned length);
/* The same with a CALL of `target`. */
bool patch_apply_call(unsigned id, void (*target)(void));

#endif
#endif
