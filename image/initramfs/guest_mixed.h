/* The load of the soak test: fork, memory, timers and interrupts between CPUs, all at once, each checking
 * what it does. */
#ifndef GUEST_MIXED_H
#define GUEST_MIXED_H

/* Works for so many seconds of the guest's clock, with a line every ten and one at the end. Returns 0 when
 * all that was done came out right. */
int mixed_load(unsigned seconds);

#endif
