/* Numbers of model-specific registers, and their bits. SDM 4; AMD APM 2, appendix A. */
#ifndef ARCH_X86_MSR_H
#define ARCH_X86_MSR_H

#define MSR_TSC		   0x10u
#define MSR_APIC_BASE	   0x1bu
#define MSR_APIC_BASE_X2   (1u << 10)
#define MSR_APIC_BASE_ON   (1u << 11)
#define MSR_ARCH_CAPABILITIES 0x10au
#define MSR_MCG_CAP	   0x179u
#define MSR_MCG_STATUS	   0x17au
#define MSR_MCG_CTL	   0x17bu
#define MSR_PAT		   0x277u
#define MSR_TSC_DEADLINE   0x6e0u
#define MSR_MC0_CTL	   0x400u /* + 4 * bank: CTL, STATUS, ADDR, MISC */
#define MSR_X2APIC	   0x800u /* + register / 16 */
#define MSR_EFER	   0xc0000080u
#define MSR_EFER_SCE	   (1u << 0)
#define MSR_EFER_NXE	   (1u << 11)
#define MSR_STAR	   0xc0000081u
#define MSR_LSTAR	   0xc0000082u
#define MSR_CSTAR	   0xc0000083u
#define MSR_SFMASK	   0xc0000084u
#define MSR_FS_BASE	   0xc0000100u
#define MSR_GS_BASE	   0xc0000101u
#define MSR_KERNEL_GS_BASE 0xc0000102u

#endif
