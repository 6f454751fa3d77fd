/*
 * How operations report failure. The detail lies in the per-CPU area until the entry path has
 * turned it into a reply, a fault message, or nothing.
 */
#ifndef API_ERROR_H
#define API_ERROR_H

#include "types.h"
#include "sel4/constants.h"

struct lookup_fault {
	enum sel4_lookup_failure type;
	unsigned bits_left;
	unsigned bits_found; /* DepthMismatch */
	word_t guard_found;  /* GuardMismatch */
	unsigned guard_bits;
};

struct syscall_error {
	enum sel4_error type;
	word_t arg[2]; /* argument number; range min, max; cap number; bytes left */
	bool source;   /* FailedLookup: on the source side */
	struct lookup_fault lookup;
};

struct fault {
	enum sel4_fault type;
	word_t address;		    /* Cap: CPtr. VM: address */
	bool receive_phase;	    /* Cap */
	struct lookup_fault lookup; /* Cap */
	word_t number;		    /* UnknownSyscall: number. UserException: vector. Timeout: badge */
	word_t code;		    /* UserException and VM: error code */
	bool fetch;		    /* VM */
};

/* Each fills percpu->error and returns EXC_SYSCALL_ERROR. */
exception_t error_invalid_argument(unsigned number);
exception_t error_invalid_capability(unsigned number);
exception_t error_illegal_operation(void);
exception_t error_range(word_t min, word_t max);
exception_t error_alignment(void);
exception_t error_truncated(void);
exception_t error_delete_first(void);
exception_t error_revoke_first(void);
exception_t error_not_enough_memory(word_t left);
/* FailedLookup from percpu->lookup_fault. */
exception_t error_failed_lookup(bool source);
/* Fills percpu->lookup_fault and returns EXC_LOOKUP_FAULT. */
exception_t error_lookup(enum sel4_lookup_failure type, unsigned bits_left);

/* Message words of a lookup failure (type first) and of an error: how many of the array were written. */
#define ERROR_LOOKUP_WORDS 4u
#define ERROR_WORDS	   (1u + ERROR_LOOKUP_WORDS)
unsigned error_lookup_words(const struct lookup_fault *f, word_t *words);
unsigned error_words(const struct syscall_error *e, word_t *words);

#endif
