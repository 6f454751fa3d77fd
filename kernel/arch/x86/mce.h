/*
 * Machine checks: errors that the hardware has found in itself, read from its banks (Intel SDM 3B, chapter
 * 16; AMD APM 2, chapter 9). Each becomes one line on the console. What can be survived is: corrected errors
 * and those that need no action are only told; one that broke what a thread or a guest was doing ends that
 * thread or guest; all else stops the machine.
 *
 * The exception comes between any two instructions, so mce_take() takes no lock and prints nothing: it leaves
 * records in the CPU's area, and mce_report() prints them when the kernel is in order again. Corrected errors
 * raise nothing here (no CMCI): mce_poll() looks for them.
 */
#ifndef ARCH_X86_MCE_H
#define ARCH_X86_MCE_H

#include "arch/x86/mce_record.h"

struct percpu;

enum mce_context { MCE_IN_KERNEL, MCE_IN_USER, MCE_IN_GUEST };

enum mce_verdict {
	MCE_GO_ON,
	MCE_END,  /* what ran, thread or guest, cannot go on; everything else can */
	MCE_STOP, /* nothing can */
};

enum mce_severity {
	MCE_NONE,
	MCE_CORRECTED,
	MCE_DEFERRED, /* not corrected, not used either: nothing to be done now */
	MCE_OPTIONAL, /* nobody has used the wrong data */
	MCE_REQUIRED, /* what ran was about to use it */
	MCE_FATAL,
};

struct mce_traits {
	bool amd;
	bool recovery;	  /* Intel: MCG_CAP.SER_P; AMD: SUCCOR */
	bool overflow_ok; /* AMD: an overflow loses nothing that matters */
};

/* ---- pure ---- */
enum mce_severity mce_severity(const struct mce_traits *t, uint64_t status);
enum mce_verdict mce_verdict(enum mce_severity worst, uint64_t mcg_status, enum mce_context where);
/* What an error code (status bits 15:0) is about, as a word or two. */
const char *mce_subject(uint64_t status);

/* ---- on this CPU ---- */
/* All banks on; what they hold from before is taken as told. Before CR4.MCE. */
void mce_init_cpu(struct percpu *p);
/* The exception: reads and clears the banks, notes what they hold. After MCE_STOP they are left as they were,
 * for the firmware and the next start. */
enum mce_verdict mce_take(enum mce_context where);
/* Prints what was noted, a line each. */
void mce_report(void);
/* Looks for corrected errors if it has not for a while. */
void mce_poll(ticks_t now);

/* After a guest's turn that it ended: false: the guest cannot go on, its VMM is to be told. Prints; does not
 * return if the machine cannot go on. */
bool mce_guest(void);
/* Called by vectors.S on a stack of its own: an enum mce_verdict. user: the CS of what was interrupted has
 * privilege 3. */
unsigned mce_exception(uint64_t cs);

#endif
