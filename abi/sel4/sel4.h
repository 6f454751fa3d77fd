/*
 * The seL4 API for C programs: types, system calls, invocations, and Insula's extensions' stubs. libsel4's names and argument
 * order, MCS on x86_64.
 *
 * Every invocation stub calls the capability in its first argument and returns enum sel4_error, or a structure with `error` and the
 * results. An error's words are then in the IPC buffer (seL4_GetMR): for seL4_FailedLookup with seL4_MissingCapability, word 2 has the
 * bits that were left.
 */
#ifndef SEL4_SEL4_H
#define SEL4_SEL4_H

#include "insula/ext.h"
#include "sel4/bootinfo.h"
#include "sel4/constants.h"
#include "sel4/fault.h"
#include "sel4/invocations_gen.h"
#include "sel4/syscalls.h"
#include "sel4/types.h"

/* Constant bandwidth; with budget == period round robin. Times in microseconds. */
static inline seL4_Error seL4_SchedControl_Configure(seL4_SchedControl service, seL4_SchedContext sc, seL4_Time budget,
						     seL4_Time period, seL4_Word extra_refills, seL4_Word badge)
{
	return seL4_SchedControl_ConfigureFlags(service, sc, budget, period, extra_refills, badge, 0);
}

#endif
