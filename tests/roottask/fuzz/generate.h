/*
 * Random invocations: any label on any capability, mostly one that its object has, with arguments that are
 * near what it takes. Pure: all chance comes from the caller. Used by the root task here and by the kernel's
 * fuzzers on the host.
 */
#ifndef FUZZ_GENERATE_H
#define FUZZ_GENERATE_H

#include <stdint.h>

#define GENERATE_WORDS 24u /* message words of the longest invocation */
#define GENERATE_CAPS  3u

struct generate_world {
	uint64_t (*random)(void *ctx);
	/* DebugCapIdentify's answer for a slot. */
	unsigned (*type_of)(void *ctx, unsigned slot);
	void *ctx;
	unsigned slots; /* of the CNode in which all capabilities are; [1, slots) are used */
	unsigned depth; /* bits that its slots take, from a capability to it in one of its slots */
	uint64_t cptr;	/* of slot 0: a slot's capability address, and index */
	uint64_t image; /* of code that threads may run: `image_words` of 16 bytes */
	unsigned image_words;
	uint64_t buffer;       /* where an IPC buffer could be */
	uint64_t deadline;     /* a time soon */
	unsigned untyped_bits; /* the largest objects that there is memory for */
};

struct generate_invocation {
	uint64_t target; /* address of the capability */
	uint64_t label;
	unsigned length, extra;
	uint64_t caps[GENERATE_CAPS];
	uint64_t words[GENERATE_WORDS];
};

/* A number below n, n > 0. */
unsigned generate_below(const struct generate_world *w, unsigned n);
/* A slot whose capability is of this type, if one is found soon; any type: 255. */
unsigned generate_slot(const struct generate_world *w, unsigned type);
/* Register contents: what a thread that is about to make system calls might have. */
uint64_t generate_register(const struct generate_world *w);
/* A system call's number, mostly one that there is; never one that ends the machine or prints much. */
int64_t generate_syscall(const struct generate_world *w);
/* A message tag. */
uint64_t generate_tag(const struct generate_world *w);
void generate(const struct generate_world *w, struct generate_invocation *out);

#endif
