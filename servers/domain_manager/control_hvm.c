/* hvm_op (xen/include/public/hvm/hvm_op.h) on other domains: the parameters that a toolstack sets and asks. */
#include "servers/domain_manager/control.h"

#include <stddef.h>
#include "servers/domain_manager/domain.h"
#include <xen/errno.h>
#include <xen/xen.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/sched.h>

_Static_assert(HVM_NR_PARAMS <= VMM_PARAMS, "room for them");

/* Those that Xen has no more. */
static bool gone(uint32_t index)
{
	switch (index) {
	case HVM_PARAM_PAE_ENABLED:
	case HVM_PARAM_DM_DOMAIN:
	case HVM_PARAM_NESTEDHVM:
	case HVM_PARAM_MEMORY_EVENT_CR0:
	case HVM_PARAM_MEMORY_EVENT_CR3:
	case HVM_PARAM_MEMORY_EVENT_CR4:
	case HVM_PARAM_MEMORY_EVENT_INT3:
	case HVM_PARAM_MEMORY_EVENT_SINGLE_STEP:
	case HVM_PARAM_BUFIOREQ_EVTCHN:
	case HVM_PARAM_MEMORY_EVENT_MSR:
		return true;
	default:
		return false;
	}
}

/* Values of what a PVH domain has not, and those that mean nothing. */
static int64_t refused(uint32_t index, uint64_t value)
{
	switch (index) {
	case HVM_PARAM_ACPI_IOPORTS_LOCATION:
		return -XEN_ENODEV;
	case HVM_PARAM_VIRIDIAN:
		return -XEN_EINVAL;
	case HVM_PARAM_TIMER_MODE:
		return value > HVMPTM_one_missed_tick_pending ? -XEN_EINVAL : 0;
	case HVM_PARAM_ACPI_S_STATE:
	case HVM_PARAM_MCA_CAP:
		return value ? -XEN_EINVAL : 0;
	case HVM_PARAM_TRIPLE_FAULT_REASON:
		return value > SHUTDOWN_MAX ? -XEN_EINVAL : 0;
	case HVM_PARAM_X87_FIP_WIDTH:
		return value && value != 4 && value != 8 ? -XEN_EINVAL : 0;
	default:
		return 0;
	}
}

int64_t control_hvm_op(struct control *c, const uint64_t arg[5])
{
	const struct xen_hvm_param *given;
	struct xen_hvm_param p;
	struct domain *d;

	if (arg[0] != HVMOP_set_param && arg[0] != HVMOP_get_param)
		return -XEN_ENOSYS;
	given = control_in(c, arg[1], sizeof(*given));
	if (!given)
		return CONTROL_AGAIN;
	p = *given;
	if (p.index >= HVM_NR_PARAMS)
		return -XEN_EINVAL;
	d = domain_find(p.domid == DOMID_SELF ? 0 : p.domid);
	if (!d || d->dying)
		return -XEN_ESRCH;
	if (!d->bare)
		return -XEN_EINVAL;
	if (gone(p.index))
		return -XEN_EINVAL;
	if (arg[0] == HVMOP_set_param) {
		int64_t r = refused(p.index, p.value);

		if (!r)
			__atomic_store_n(&d->control->param[p.index], p.value, __ATOMIC_RELAXED);
		return r;
	}
	p.value = __atomic_load_n(&d->control->param[p.index], __ATOMIC_RELAXED);
	control_out(c, arg[1] + offsetof(struct xen_hvm_param, value), &p.value, sizeof(p.value));
	return 0;
}
