/*
 * Non-maskable interrupts. Nothing of ours raises them: the platform does, for an error, a watchdog, a
 * button. They come between any two instructions, so they are only counted; what they may mean is told when
 * the kernel is in order again.
 */
#ifndef ARCH_X86_NMI_H
#define ARCH_X86_NMI_H

#include "types.h"

/* Called by vectors.S on a stack of its own. */
void nmi_take(void);
/* One line if some came since the last report, and at most one a second. */
void nmi_report(ticks_t now);

#endif
