/* hvm_op (xen/include/public/hvm/hvm_op.h) on other domains: the parameters that a toolstack sets and asks. */
#include "servers/domain_manager/control.h"

#include <stddef.h>
#include "servers/domain_manager/domain.h"
#include <xen/errno.h>
#include <xen/xen.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>

_Static_assert(HVM_NR_PARAMS <= VMM_PARAMS, "room for them");

/* Set once: what the guest may have read already cannot change. */
static bool once(uint32_t index)
{
	switch (index) {
	case HVM_PARAM_STORE_PFN:
	case HVM_PARAM_STORE_EVTCHN:
	case HVM_PARAM_CONSOLE_PFN:
	case HVM_PARAM_CONSOLE_EVTCHN:
	case HVM_PARAM_IDENT_PT:
		return true;
	default:
		return false;
	}
}

static int64_t set(struct domain *d, const struct xen_hvm_param *p)
{
	uint64_t *at = &d->control->param[p->index];

	if (once(p->index) && *at && *at != p->value)
		return -XEN_EEXIST;
	__atomic_store_n(at, p->value, __ATOMIC_RELAXED);
	return 0;
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
	if (arg[0] == HVMOP_set_param)
		return set(d, &p);
	p.value = __atomic_load_n(&d->control->param[p.index], __ATOMIC_RELAXED);
	control_out(c, arg[1] + offsetof(struct xen_hvm_param, value), &p.value, sizeof(p.value));
	return 0;
}
