/*
 * What a root task needs that uses no stub of sel4/sel4.h, only the system calls themselves: output and
 * invocations. For tasks with a Makefile of their own.
 */
#ifndef BARE_H
#define BARE_H

#include <stddef.h>
#include <stdint.h>

extern uint64_t *bare_buffer; /* the first thread's IPC buffer: bootinfo's, to be set first */

/* %s, %d, %x (64 bits) only. */
void bare_print(const char *format, ...);

/* Call on a capability: words, then extra capabilities. Returns the result's label; its words are in
 * bare_words. */
uint64_t bare_call(uint64_t cap, uint64_t label, const uint64_t *words, unsigned count, const uint64_t *caps,
		   unsigned cap_count);
extern uint64_t bare_words[8];
#define WORDS(...) (const uint64_t[]){__VA_ARGS__}, (unsigned)(sizeof((uint64_t[]){__VA_ARGS__}) / 8)
#define CAPS(...)  (const uint64_t[]){__VA_ARGS__}, (unsigned)(sizeof((uint64_t[]){__VA_ARGS__}) / 8)
#define NONE	   NULL, 0

#endif
