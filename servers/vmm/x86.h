/* Registers and exceptions of the architecture (Intel SDM volume 3, chapters 2 and 6; AMD APM volume 2,
 * chapters 3 and 8). */
#ifndef VMM_X86_H
#define VMM_X86_H

#define X86_NMI 2
#define X86_UD	6
#define X86_GP	13
#define X86_PF	14

#define RFLAGS_TF (1ull << 8)
#define RFLAGS_IF (1ull << 9)
#define RFLAGS_DF (1ull << 10)

#define CR0_WP (1ull << 16)
#define CR0_PG (1ull << 31)

#define CR4_PSE	    (1ull << 4)
#define CR4_PAE	    (1ull << 5)
#define CR4_LA57    (1ull << 12)
#define CR4_PCIDE   (1ull << 17)
#define CR4_OSXSAVE (1ull << 18)
#define CR4_SMEP    (1ull << 20)

#define EFER_LME (1ull << 8)
#define EFER_LMA (1ull << 10)
#define EFER_NXE (1ull << 11)

/* a code segment's access rights, as VT-x has them */
#define CS_LONG	      (1u << 13)
#define CS_DEFAULT_32 (1u << 14)

#endif
