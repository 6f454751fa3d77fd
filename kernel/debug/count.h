/*
 * Which invocations have succeeded: counted in debug builds, for a fuzzer that wants to know what it reached.
 * Under the kernel lock.
 */
#ifndef DEBUG_COUNT_H
#define DEBUG_COUNT_H

#include "types.h"

/* DebugRun's argument below this breaks an invariant (check.h); from it on it is this plus a label. */
#define COUNT_FIRST 0x1000000u

/*
 * How often an invocation with this label has succeeded whose caller wanted no answer (Send, NBSend): random
 * ones are of that kind, those that make ready what they work on are not. 0 for a label that there is not.
 */
uint64_t count_successes(word_t label);

#endif
