/*
 * Scheduling domains. The profile has one domain and two schedule slots, so a thread is always in the domain
 * that runs; the schedule is kept for what the invocations answer. Called by invocation_decode.
 */
#include "object/ioport.h"
#include "api/error.h"
#include "api/invocation.h"
#include "object/tcb.h"
#include "percpu.h"
#include "sel4/constants.h"

#define DOMAIN_SCHEDULE_SLOTS 2u /* the last is the end mark */
#define DOMAIN_DURATION_BITS  56

static uint64_t domain_schedule[DOMAIN_SCHEDULE_SLOTS] = {1, 0}; /* ticks; 0 is the end mark */
static const unsigned domain_start; /* the only slot that can be a start */

static exception_t domain_set(unsigned length)
{
	word_t domain;

	if (length < 1)
		return error_truncated();
	domain = invocation_arg(0);
	if (domain >= DOMAIN_COUNT)
		return error_invalid_argument(0);
	if (!invocation_extra(0))
		return error_truncated();
	if (cap_type(invocation_extra(0)->cap) != CAP_TCB)
		return error_invalid_argument(1);
	cap_tcb_of(invocation_extra(0)->cap)->domain = (uint8_t)domain;
	return EXC_NONE;
}

static exception_t domain_configure(unsigned length)
{
	word_t index, domain, duration;

	if (length < 3)
		return error_truncated();
	index = invocation_arg(0);
	domain = invocation_arg(1);
	duration = invocation_arg(2);
	if (index >= DOMAIN_SCHEDULE_SLOTS - 1)
		return error_range(0, DOMAIN_SCHEDULE_SLOTS - 2);
	if (domain >= DOMAIN_COUNT)
		return error_range(0, DOMAIN_COUNT - 1);
	if (duration > MASK(DOMAIN_DURATION_BITS))
		return error_invalid_argument(2);
	if (duration == 0 && domain != 0)
		return error_invalid_argument(1);
	if (duration == 0 && index == domain_start)
		return error_invalid_argument(2);
	domain_schedule[index] = duration;
	return EXC_NONE;
}

static exception_t domain_set_start(unsigned length)
{
	word_t index;

	if (length < 1)
		return error_truncated();
	index = invocation_arg(0);
	if (index >= DOMAIN_SCHEDULE_SLOTS - 1)
		return error_range(0, DOMAIN_SCHEDULE_SLOTS - 2);
	if (domain_schedule[index] == 0)
		return error_invalid_argument(0);
	return EXC_NONE; /* domain 0 runs already */
}

exception_t domain_decode(word_t label, unsigned length)
{
	switch (label) {
	case DomainSetSet:
		return domain_set(length);
	case DomainScheduleConfigure:
		return domain_configure(length);
	case DomainScheduleSetStart:
		return domain_set_start(length);
	default:
		return error_illegal_operation();
	}
}
