/* Host tests only: the system calls that the vmm makes, answered by vmm_fake.c. Found before abi/sel4/sel4.h by -iquote. */
#ifndef FAKE_SEL4_H
#define FAKE_SEL4_H

#include <stdint.h>
#include "insula/ext.h"
#include "sel4/constants.h"

typedef uint64_t seL4_Word;
typedef uint64_t seL4_CPtr;

#define seL4_ReadWrite 3u
#define SEL4_VMENTER_RESULT_FAULT 1

void seL4_Yield(void);
void seL4_Signal(seL4_CPtr n);
void seL4_Wait(seL4_CPtr n, seL4_Word *badge);
seL4_Word seL4_VMEnter(seL4_Word *badge);
seL4_Word seL4_GetMR(unsigned i);
int seL4_X86_EPTPDPT_Map(seL4_CPtr t, seL4_CPtr root, uint64_t g, seL4_Word attributes);
int seL4_X86_EPTPD_Map(seL4_CPtr t, seL4_CPtr root, uint64_t g, seL4_Word attributes);
int seL4_X86_EPTPT_Map(seL4_CPtr t, seL4_CPtr root, uint64_t g, seL4_Word attributes);
int seL4_X86_Page_MapEPT(seL4_CPtr frame, seL4_CPtr root, uint64_t g, seL4_Word rights, seL4_Word attributes);
int seL4_X86_Page_Unmap(seL4_CPtr frame);
int seL4_X86_VCPU_SetTCB(seL4_CPtr vcpu, seL4_CPtr tcb);
typedef struct {
	int error;
	seL4_Word value;
} seL4_X86_VCPU_ReadVMCS_t;
seL4_X86_VCPU_ReadVMCS_t seL4_X86_VCPU_ReadVMCS(seL4_CPtr vcpu, seL4_Word field);
typedef struct {
	int error;
	seL4_Word written;
} seL4_X86_VCPU_WriteVMCS_t;
seL4_X86_VCPU_WriteVMCS_t seL4_X86_VCPU_WriteVMCS(seL4_CPtr vcpu, seL4_Word field, seL4_Word value);
int seL4_TCB_SetEPTRoot(seL4_CPtr tcb, seL4_CPtr root);
int insula_VCPU_SetStatePage(seL4_CPtr vcpu, seL4_CPtr frame);
int insula_Timer_Bind(seL4_CPtr timer, seL4_CPtr notification);
int insula_Timer_Set(seL4_CPtr timer, uint64_t tsc);
int insula_Timer_Cancel(seL4_CPtr timer);

#endif
