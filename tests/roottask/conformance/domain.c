/* Domains: one domain, two schedule slots of which the second is the end. */
#include "roottask/conformance/conformance.h"

#define DOMAIN seL4_CapDomain

static seL4_Error raw3(seL4_Word label, seL4_Word a, seL4_Word b, seL4_Word c)
{
	seL4_SetMR(0, a);
	seL4_SetMR(1, b);
	seL4_SetMR(2, c);
	return conformance_raw(DOMAIN, label, 0, 3);
}

void domain_cases(void)
{
	seL4_CPtr ep = object_new(seL4_EndpointObject, 0), tcb = object_new(seL4_TCBObject, 0);

	conformance_error1("domain.number", seL4_DomainSet_Set(DOMAIN, 1, SELF), seL4_InvalidArgument, 0);
	conformance_error1("domain.number_255", seL4_DomainSet_Set(DOMAIN, 255, SELF), seL4_InvalidArgument,
			   0);
	conformance_error1("domain.no_tcb", seL4_DomainSet_Set(DOMAIN, 0, ep), seL4_InvalidArgument, 1);
	conformance_error1("domain.order_number_kind", seL4_DomainSet_Set(DOMAIN, 9, ep),
			   seL4_InvalidArgument, 0);
	seL4_SetMR(0, 256);
	seL4_SetCap(0, tcb);
	conformance_error1("domain.number_256_is_not_0", conformance_raw(DOMAIN, DomainSetSet, 1, 1),
			   seL4_InvalidArgument, 0);
	conformance_ok("domain.set_self", seL4_DomainSet_Set(DOMAIN, 0, SELF));
	conformance_ok("domain.set_other", seL4_DomainSet_Set(DOMAIN, 0, tcb));
	conformance_error2("domain.schedule_index", seL4_DomainSet_ScheduleConfigure(DOMAIN, 1, 0, 100),
			   seL4_RangeError, 0, 0);
	conformance_error2("domain.schedule_index_huge",
			   seL4_DomainSet_ScheduleConfigure(DOMAIN, ~0ull, 0, 100), seL4_RangeError, 0, 0);
	conformance_error2("domain.schedule_domain", seL4_DomainSet_ScheduleConfigure(DOMAIN, 0, 1, 100),
			   seL4_RangeError, 0, 0);
	conformance_error1("domain.schedule_duration",
			   seL4_DomainSet_ScheduleConfigure(DOMAIN, 0, 0, 1ull << 56), seL4_InvalidArgument,
			   2);
	conformance_error1("domain.schedule_zero_at_start", seL4_DomainSet_ScheduleConfigure(DOMAIN, 0, 0, 0),
			   seL4_InvalidArgument, 2);
	conformance_error("domain.order_index_domain", raw3(DomainScheduleConfigure, 5, 5, 1ull << 60),
			  seL4_RangeError);
	conformance_ok("domain.schedule", seL4_DomainSet_ScheduleConfigure(DOMAIN, 0, 0, (1ull << 56) - 1));
	conformance_ok("domain.schedule_short", seL4_DomainSet_ScheduleConfigure(DOMAIN, 0, 0, 1));
	conformance_error2("domain.start_index", seL4_DomainSet_ScheduleSetStart(DOMAIN, 1), seL4_RangeError,
			   0, 0);
	conformance_ok("domain.start", seL4_DomainSet_ScheduleSetStart(DOMAIN, 0));
	conformance_ok("domain.copy", seL4_DomainSet_Set(object_copy(DOMAIN), 0, SELF));
}
