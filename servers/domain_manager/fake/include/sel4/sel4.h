/* Host tests only: the invocations that are made of what a test looks at, answered by the test. Found before abi/sel4/sel4.h by -iquote. */
#ifndef FAKE_SEL4_H
#define FAKE_SEL4_H

#include "insula/ext.h"
#include "sel4/constants.h"
#include "sel4/types.h"

seL4_Error seL4_CNode_Copy(seL4_CPtr root, seL4_Word index, seL4_Uint8 depth, seL4_CPtr from, seL4_Word from_index, seL4_Uint8 from_depth, seL4_CapRights_t rights);
seL4_Error seL4_CNode_Mint(seL4_CPtr root, seL4_Word index, seL4_Uint8 depth, seL4_CPtr from, seL4_Word from_index, seL4_Uint8 from_depth, seL4_CapRights_t rights,
			   seL4_Word badge);
seL4_Error seL4_CNode_Delete(seL4_CPtr root, seL4_Word index, seL4_Uint8 depth);
seL4_Error seL4_CNode_Move(seL4_CPtr root, seL4_Word index, seL4_Uint8 depth, seL4_CPtr from, seL4_Word from_index, seL4_Uint8 from_depth);
seL4_Error seL4_Untyped_Retype(seL4_CPtr untyped, seL4_Word type, seL4_Word bits, seL4_CPtr root, seL4_Word node_index, seL4_Word node_depth, seL4_Word offset, seL4_Word n);

seL4_Error seL4_X86_Page_Map(seL4_CPtr frame, seL4_CPtr vspace, seL4_Word vaddr, seL4_CapRights_t rights, seL4_Word attributes);
seL4_Error seL4_X86_Page_MapEPT(seL4_CPtr frame, seL4_CPtr ept, seL4_Word gpa, seL4_CapRights_t rights, seL4_Word attributes);
seL4_Error seL4_X86_PDPT_Map(seL4_CPtr table, seL4_CPtr vspace, seL4_Word vaddr, seL4_Word attributes);
seL4_Error seL4_X86_PageDirectory_Map(seL4_CPtr table, seL4_CPtr vspace, seL4_Word vaddr, seL4_Word attributes);
seL4_Error seL4_X86_PageTable_Map(seL4_CPtr table, seL4_CPtr vspace, seL4_Word vaddr, seL4_Word attributes);
seL4_Error seL4_X86_EPTPDPT_Map(seL4_CPtr table, seL4_CPtr ept, seL4_Word gpa, seL4_Word attributes);
seL4_Error seL4_X86_EPTPD_Map(seL4_CPtr table, seL4_CPtr ept, seL4_Word gpa, seL4_Word attributes);
seL4_Error seL4_X86_EPTPT_Map(seL4_CPtr table, seL4_CPtr ept, seL4_Word gpa, seL4_Word attributes);
seL4_Error seL4_TCB_Suspend(seL4_CPtr tcb);
seL4_Error seL4_SchedContext_Unbind(seL4_CPtr context);
seL4_Word seL4_GetMR(int i);

typedef struct {
	int error;
	seL4_Word left;
} insula_Frame_Split_t;
insula_Frame_Split_t insula_Frame_Split(seL4_CPtr frame, seL4_CPtr root, seL4_Word node_index, seL4_Word node_depth, seL4_Word offset, seL4_CPtr table);
seL4_Error insula_Frame_Derive(seL4_CPtr frame, seL4_CPtr root, seL4_Word index, seL4_Uint8 depth, seL4_CapRights_t rights, seL4_Word offset, seL4_Word bits);
seL4_Error insula_Frame_DeriveEPT(seL4_CPtr frame, seL4_CPtr root, seL4_Word index, seL4_Uint8 depth, seL4_CapRights_t rights, seL4_Word offset, seL4_Word bits, seL4_CPtr ept,
				  seL4_Word gpa, seL4_Word attributes);

#endif
