/* Host tests only: what user/message.h asks for. */
#ifndef FAKE_SEL4_TYPES_H
#define FAKE_SEL4_TYPES_H

#include "sel4/sel4.h"

typedef struct {
	uint64_t words[1];
} seL4_MessageInfo_t;

#endif
