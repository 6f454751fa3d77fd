/*
 * A root task that checks the kernel's seL4 API against docs and facts of that API: one line per case on the debug console, `ok NAME` or
 * `not ok NAME: why`, then `conformance: N cases, M not ok` and `DONE`. Uses seL4's ABI only. With QEMU's isa-debug-exit at port 0xf4 the
 * machine ends with status 1 (all ok) or 3.
 */
#ifndef CONFORMANCE_H
#define CONFORMANCE_H

#include "roottask/runtime/object.h"
#include "roottask/runtime/print.h"
#include "roottask/runtime/runtime.h"
#include "roottask/runtime/space.h"
#include "roottask/runtime/thread.h"

#define ROOT  seL4_CapInitThreadCNode
#define DEPTH seL4_WordBits

extern unsigned conformance_cases, conformance_failed;

void conformance_case(const char *name, bool good, const char *why);
void conformance_equal(const char *name, seL4_Word got, seL4_Word want);
/* An invocation's result, and the first words of its error. */
void conformance_error(const char *name, seL4_Error got, seL4_Error want);
void conformance_error1(const char *name, seL4_Error got, seL4_Error want, seL4_Word mr0);
void conformance_error2(const char *name, seL4_Error got, seL4_Error want, seL4_Word mr0, seL4_Word mr1);
void conformance_error3(const char *name, seL4_Error got, seL4_Error want, seL4_Word mr0, seL4_Word mr1, seL4_Word mr2);

void cnode_cases(void);
void untyped_cases(void);
void ipc_cases(void);
void tcb_cases(void);
void sched_cases(void);
void vspace_cases(void);
void device_cases(void);
void fault_cases(void);

#endif
