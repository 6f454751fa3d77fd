/*
 * For the tests of memory objects (with cap/cap_fake.c): makes them by retype, invokes them, counts flushes. The kernel's half of the
 * tables is one page of recognisable words.
 */
#ifndef OBJECT_MEMORY_FAKE_H
#define OBJECT_MEMORY_FAKE_H

#include "cap/cap_fake.h"

extern unsigned fake_flush_pages, fake_flush_roots, fake_left_roots, fake_nested;
extern uint64_t fake_kernel_half[512];

/* Root slot of a new object of this type (slots from 32 on). */
unsigned fake_object(word_t type);
/* An invocation of `slot` with up to two extra capabilities (root slots, 0: none); dispatched by type. */
exception_t fake_invoke(unsigned slot, word_t label, unsigned extra0, unsigned extra1, unsigned count, const word_t *words);
#define FAKE_INVOKE(slot, label, extra, ...)                                                                  \
	fake_invoke(slot, label, extra, 0, sizeof((word_t[]){__VA_ARGS__}) / sizeof(word_t),                  \
	            (const word_t[]){__VA_ARGS__})
/* The last invocation failed with this error and first argument. */
void fake_failed(exception_t e, enum sel4_error type, word_t arg);
/* ... with FailedLookup, MissingCapability and this many bits left; or InvalidRoot. */
void fake_missing(exception_t e, unsigned bits_left);
void fake_invalid_root(exception_t e);
/* Empties everything, ASID pool 0 in place. Slot of the pool's capability: FAKE_POOL. */
void fake_memory_reset(void);
#define FAKE_POOL    20u
#define FAKE_CONTROL 21u

#endif
