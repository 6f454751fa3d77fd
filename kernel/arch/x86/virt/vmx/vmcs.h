/*
 * VMCS fields and controls that are no part of the vCPU ABI (that part: ../vtx.h): host state, addresses,
 * hidden controls. Intel SDM vol. 3C chapter 25 and appendices A, B.
 */
#ifndef VMX_VMCS_H
#define VMX_VMCS_H

#include "types.h"

enum vmcs_field {
	VMCS_VPID = 0x0000,
	VMCS_HOST_ES = 0x0c00,
	VMCS_HOST_CS = 0x0c02,
	VMCS_HOST_SS = 0x0c04,
	VMCS_HOST_DS = 0x0c06,
	VMCS_HOST_FS = 0x0c08,
	VMCS_HOST_GS = 0x0c0a,
	VMCS_HOST_TR = 0x0c0c,
	VMCS_IO_MAP_A = 0x2000,
	VMCS_IO_MAP_B = 0x2002,
	VMCS_MSR_MAP = 0x2004,
	VMCS_VIRTUAL_APIC = 0x2012,
	VMCS_EPTP = 0x201a,
	VMCS_HOST_PAT = 0x2c00,
	VMCS_HOST_EFER = 0x2c02,
	VMCS_EXIT_MSR_STORE_COUNT = 0x400e,
	VMCS_EXIT_MSR_LOAD_COUNT = 0x4010,
	VMCS_ENTRY_MSR_LOAD_COUNT = 0x4014,
	VMCS_PLE_GAP = 0x4020,
	VMCS_PLE_WINDOW = 0x4022,
	VMCS_HOST_SYSENTER_CS = 0x4c00,
	VMCS_HOST_CR0 = 0x6c00,
	VMCS_HOST_CR3 = 0x6c02,
	VMCS_HOST_CR4 = 0x6c04,
	VMCS_HOST_FS_BASE = 0x6c06,
	VMCS_HOST_GS_BASE = 0x6c08,
	VMCS_HOST_TR_BASE = 0x6c0a,
	VMCS_HOST_GDTR_BASE = 0x6c0c,
	VMCS_HOST_IDTR_BASE = 0x6c0e,
	VMCS_HOST_SYSENTER_ESP = 0x6c10,
	VMCS_HOST_SYSENTER_EIP = 0x6c12,
	VMCS_HOST_RSP = 0x6c14,
	VMCS_HOST_RIP = 0x6c16,
};

/* Capability MSRs (appendix A). */
enum vmx_msr {
	VMX_MSR_FEATURE_CONTROL = 0x3a,
	VMX_MSR_BASIC = 0x480,
	VMX_MSR_PIN = 0x481,
	VMX_MSR_PRIMARY = 0x482,
	VMX_MSR_EXIT = 0x483,
	VMX_MSR_ENTRY = 0x484,
	VMX_MSR_CR0_FIXED0 = 0x486,
	VMX_MSR_CR0_FIXED1 = 0x487,
	VMX_MSR_CR4_FIXED0 = 0x488,
	VMX_MSR_CR4_FIXED1 = 0x489,
	VMX_MSR_SECONDARY = 0x48b,
	VMX_MSR_EPT_VPID = 0x48c,
	VMX_MSR_TRUE_PIN = 0x48d, /* then primary, exit, entry: used if BASIC bit 55 is set */
	VMX_MSR_TRUE_PRIMARY = 0x48e,
	VMX_MSR_TRUE_EXIT = 0x48f,
	VMX_MSR_TRUE_ENTRY = 0x490,
};
#define VMX_FEATURE_LOCKED	BIT(0)
#define VMX_FEATURE_OUTSIDE_SMX BIT(2)
#define VMX_BASIC_TRUE		BIT(55)

/* Pin-based controls (25.6.1). */
#define VMX_PIN_INTERRUPTS   BIT(0)
#define VMX_PIN_NMI	     BIT(3)
#define VMX_PIN_VIRTUAL_NMIS BIT(5)
/* Secondary controls (25.6.2). */
#define VMX_SECONDARY_EPT	   BIT(1)
#define VMX_SECONDARY_RDTSCP	   BIT(3)
#define VMX_SECONDARY_VPID	   BIT(5)
#define VMX_SECONDARY_WBINVD	   BIT(6)
#define VMX_SECONDARY_UNRESTRICTED BIT(7)
#define VMX_SECONDARY_INVPCID	   BIT(12)
/* PAUSE-loop exiting (25.6.13): a spin's PAUSEs are that many cycles from one to the next, and it lasts. */
#define VMX_PLE_GAP    128u
#define VMX_PLE_WINDOW 4096u
/* Exit controls (25.7.1). */
#define VMX_EXIT_SAVE_DEBUG BIT(2)
#define VMX_EXIT_HOST_64    BIT(9)
#define VMX_EXIT_SAVE_PAT   BIT(18)
#define VMX_EXIT_LOAD_PAT   BIT(19)
#define VMX_EXIT_SAVE_EFER  BIT(20)
#define VMX_EXIT_LOAD_EFER  BIT(21)
/* Entry controls (25.8.1). */
#define VMX_ENTRY_LOAD_DEBUG BIT(2)
#define VMX_ENTRY_LOAD_PAT   BIT(14)
#define VMX_ENTRY_LOAD_EFER  BIT(15)
/* EPT and VPID capabilities (A.10). */
#define VMX_EPT_CAP_WALK_4	  BIT(6)
#define VMX_EPT_CAP_WB		  BIT(14)
#define VMX_EPT_CAP_2M		  BIT(16)
#define VMX_EPT_CAP_1G		  BIT(17)
#define VMX_EPT_CAP_INVEPT	  BIT(20)
#define VMX_EPT_CAP_AD		  BIT(21)
#define VMX_EPT_CAP_INVEPT_SINGLE BIT(25)
#define VMX_EPT_CAP_INVEPT_ALL	  BIT(26)
#define VMX_EPT_CAP_INVVPID	  BIT(32)
#define VMX_EPT_CAP_INVVPID_ALL	  BIT(42)

enum vmx_invept { VMX_INVEPT_SINGLE = 1, VMX_INVEPT_ALL = 2 };
enum vmx_invvpid { VMX_INVVPID_ALL = 2 };

#endif
