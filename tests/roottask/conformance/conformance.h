/*
 * A root task that checks the kernel's seL4 API, subject by subject, against docs/kernel-abi.md: a line per
 * case on the debug console, `PASS NAME` or `FAIL NAME: ...`, then `conformance: N cases, M failed` and
 * `DONE`. Uses seL4's ABI only (and, where the subject is an extension, Insula's). With QEMU's isa-debug-exit
 * at port 0xf4 the machine ends with status 1 (all passed) or 3.
 *
 * The first thread judges, at the highest priority, on the first node; worker threads (worker.h) do what is
 * judged.
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
#define SELF  seL4_CapInitThreadTCB
#define HERE  seL4_CapInitThreadVSpace

extern unsigned conformance_cases, conformance_failed;

/* "PREFIX.NUMBER", "PREFIX.SUFFIX": valid until the next call but three. */
const char *conformance_name(const char *prefix, seL4_Word number);
const char *conformance_name2(const char *prefix, const char *suffix);

void conformance_case(const char *name, bool good, const char *why);
void conformance_equal(const char *name, seL4_Word got, seL4_Word want);
/* An invocation's result, and the first words of its error. */
void conformance_error(const char *name, seL4_Error got, seL4_Error want);
void conformance_error1(const char *name, seL4_Error got, seL4_Error want, seL4_Word mr0);
void conformance_error2(const char *name, seL4_Error got, seL4_Error want, seL4_Word mr0, seL4_Word mr1);
void conformance_error3(const char *name, seL4_Error got, seL4_Error want, seL4_Word mr0, seL4_Word mr1,
			seL4_Word mr2);
void conformance_ok(const char *name, seL4_Error got);

/* A Call with a label, so many extra capabilities and words, which are set already; the label of the answer.
 */
seL4_Error conformance_raw(seL4_CPtr cap, seL4_Word label, seL4_Word caps, seL4_Word length);

/* An Untyped of RAM of this size, for the caller alone. */
seL4_CPtr conformance_untyped(unsigned bits);
/* What DebugCapIdentify says. */
seL4_Word conformance_type(seL4_CPtr cap);
/* Is there hardware virtualization, so that vCPU and EPT objects exist? */
bool conformance_has_virt(void);
unsigned conformance_nodes(void);

/* The subjects, each in its own file. */
void bootinfo_cases(void);
void cnode_cases(void);
void rights_cases(void);
void label_cases(void);
void untyped_cases(void);
void size_cases(void);
void zombie_cases(void);
void long_cases(void);
void endpoint_cases(void);
void combined_cases(void);
void transfer_cases(void);
void reply_cases(void);
void notification_cases(void);
void tcb_cases(void);
void register_cases(void);
void thread_cases(void);
void sched_cases(void);
void time_cases(void);
void yield_cases(void);
void domain_cases(void);
void vspace_cases(void);
void frame_cases(void);
void asid_cases(void);
void ioport_cases(void);
void irq_cases(void);
void fault_cases(void);
void exception_cases(void);
void syscall_cases(void);
void iospace_cases(void);
void vcpu_cases(void);
void timer_cases(void);
void node_cases(void);

#endif
