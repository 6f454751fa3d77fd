/*
 * The invariants of the whole kernel, walked in debug builds: docs/testing.md lists them. check_all() looks
 * at every capability in the system and at every object that one names, and changes nothing. It is called
 * between two operations (DebugSnapshot, host fuzzers), under the kernel lock, with the current thread
 * running: never in the middle of one. Time: linear in the number of capabilities, slots of CNodes, threads
 * and page-table entries, but for a sort of the top-level memory.
 */
#ifndef DEBUG_CHECK_H
#define DEBUG_CHECK_H

#include "types.h"

/* What is wrong first. The numbers say where: their meaning is in `what`. */
struct check_result {
	const char *what;
	uint64_t where, a, b;
	uint64_t caps, threads; /* looked at */
};

/* True: all is as it should be. */
bool check_all(struct check_result *r);

/* check_all(), and the end of the machine with one line if something is wrong. */
void check_or_stop(void);

/*
 * Breaks an invariant on purpose, to see that it is noticed: kind 0 to CHECK_BREAKS - 1. False: there is no
 * such kind, or nothing that could be broken so. Debug kernels only.
 */
#define CHECK_BREAKS 11u
bool check_break(unsigned kind);

#endif
