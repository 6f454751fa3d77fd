/* Host tests only: the invocations that are made of what a test looks at, answered by the test. Found before abi/sel4/sel4.h by -iquote. */
#ifndef FAKE_SEL4_H
#define FAKE_SEL4_H

#include "sel4/constants.h"
#include "sel4/types.h"

seL4_Error seL4_CNode_Copy(seL4_CPtr root, seL4_Word index, seL4_Uint8 depth, seL4_CPtr from, seL4_Word from_index, seL4_Uint8 from_depth, seL4_CapRights_t rights);
seL4_Error seL4_CNode_Mint(seL4_CPtr root, seL4_Word index, seL4_Uint8 depth, seL4_CPtr from, seL4_Word from_index, seL4_Uint8 from_depth, seL4_CapRights_t rights,
			   seL4_Word badge);
seL4_Error seL4_CNode_Delete(seL4_CPtr root, seL4_Word index, seL4_Uint8 depth);

#endif
