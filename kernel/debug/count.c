/* See count.h. The linker puts __wrap_invocation_decode in invocation_decode's place (build/kernel.mk). */
#include "debug/count.h"
#include "api/invocation.h"
#include "insula/ext.h"
#include "sel4/constants.h"

#define COUNT_EXTENSIONS 64u /* labels from InsulaTimerBind on */

static uint64_t count_of[seL4_NumInvocationLabels + COUNT_EXTENSIONS];

exception_t __real_invocation_decode(word_t label, unsigned length, struct cte *slot, bool call,
				     bool first_phase);
exception_t __wrap_invocation_decode(word_t label, unsigned length, struct cte *slot, bool call,
				     bool first_phase);

static uint64_t *count_place(word_t label)
{
	if (label < seL4_NumInvocationLabels)
		return &count_of[label];
	if (label >= InsulaTimerBind && label < InsulaTimerBind + COUNT_EXTENSIONS)
		return &count_of[seL4_NumInvocationLabels + (label - InsulaTimerBind)];
	return NULL;
}

exception_t __wrap_invocation_decode(word_t label, unsigned length, struct cte *slot, bool call,
				     bool first_phase)
{
	exception_t e = __real_invocation_decode(label, length, slot, call, first_phase);
	uint64_t *count = count_place(label);

	if (e == EXC_NONE && !call && count)
		++*count;
	return e;
}

uint64_t count_successes(word_t label)
{
	const uint64_t *count = count_place(label);

	return count ? *count : 0;
}
