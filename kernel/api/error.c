/*
 * Error records of the operation under way. Called by decode functions; read by invocation_answer_error() and
 * the fault layer. It must never decide who is told.
 */
#include "api/error.h"
#include "percpu.h"

static exception_t error_set(enum sel4_error type, word_t arg0, word_t arg1)
{
	struct syscall_error *e = &percpu_self()->error;

	e->type = type;
	e->arg[0] = arg0;
	e->arg[1] = arg1;
	return EXC_SYSCALL_ERROR;
}

exception_t error_invalid_argument(unsigned number)
{
	return error_set(seL4_InvalidArgument, number, 0);
}

exception_t error_invalid_capability(unsigned number)
{
	return error_set(seL4_InvalidCapability, number, 0);
}

exception_t error_illegal_operation(void)
{
	return error_set(seL4_IllegalOperation, 0, 0);
}

exception_t error_range(word_t min, word_t max)
{
	return error_set(seL4_RangeError, min, max);
}

exception_t error_alignment(void)
{
	return error_set(seL4_AlignmentError, 0, 0);
}

exception_t error_truncated(void)
{
	return error_set(seL4_TruncatedMessage, 0, 0);
}

exception_t error_delete_first(void)
{
	return error_set(seL4_DeleteFirst, 0, 0);
}

exception_t error_revoke_first(void)
{
	return error_set(seL4_RevokeFirst, 0, 0);
}

exception_t error_not_enough_memory(word_t left)
{
	return error_set(seL4_NotEnoughMemory, left, 0);
}

exception_t error_failed_lookup(bool source)
{
	struct percpu *p = percpu_self();

	p->error.source = source;
	p->error.lookup = p->lookup_fault;
	return error_set(seL4_FailedLookup, source, 0);
}

exception_t error_lookup(enum sel4_lookup_failure type, unsigned bits_left)
{
	struct lookup_fault *f = &percpu_self()->lookup_fault;

	f->type = type;
	f->bits_left = bits_left;
	f->bits_found = 0;
	f->guard_found = 0;
	f->guard_bits = 0;
	return EXC_LOOKUP_FAULT;
}

unsigned error_lookup_words(const struct lookup_fault *f, word_t *words)
{
	words[0] = f->type;
	switch (f->type) {
	case seL4_MissingCapability:
		words[1] = f->bits_left;
		return 2;
	case seL4_DepthMismatch:
		words[1] = f->bits_left;
		words[2] = f->bits_found;
		return 3;
	case seL4_GuardMismatch:
		words[1] = f->bits_left;
		words[2] = f->guard_found;
		words[3] = f->guard_bits;
		return 4;
	case seL4_InvalidRoot:
	case seL4_NoFailure:
		break;
	}
	return 1;
}

unsigned error_words(const struct syscall_error *e, word_t *words)
{
	switch (e->type) {
	case seL4_InvalidArgument:
	case seL4_InvalidCapability:
	case seL4_NotEnoughMemory:
		words[0] = e->arg[0];
		return 1;
	case seL4_RangeError:
		words[0] = e->arg[0];
		words[1] = e->arg[1];
		return 2;
	case seL4_FailedLookup:
		words[0] = e->source;
		return 1 + error_lookup_words(&e->lookup, words + 1);
	default:
		return 0;
	}
}
