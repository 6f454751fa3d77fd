/*
 * domctl (xen/include/public/domctl.h): domain 0's operations on domains. What is not there yet answers -ENOSYS, as a Xen would that was built
 * without it.
 */
#include "servers/domain_manager/control.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include "servers/domain_manager/domain.h"
#include "servers/domain_manager/domain_xen.h"
#include <xen/errno.h>
#include <xen/domctl.h>

/* Here, the errnos of Linux, which our servers use, are Xen's. */
_Static_assert(XEN_ESRCH == ESRCH && XEN_EINVAL == EINVAL && XEN_ENOMEM == ENOMEM, "the same numbers");

/* The domain itself, or the next: as Xen's, which old tools walk the list with. */
static int64_t info(struct xen_domctl *d)
{
	struct domain *found = domain_next(d->domain);

	if (!found)
		return -XEN_ESRCH;
	domain_xen_info(found, &d->u.getdomaininfo);
	d->domain = (domid_t)found->id;
	return found->id == d->domain ? 0 : -XEN_ESRCH;
}

static int64_t self_refused(const struct xen_domctl *d)
{
	const struct domain *own = domain_find(d->domain);

	/* who holds the control capability cannot stop itself: nobody could undo it */
	return own && own->privileged ? -XEN_EINVAL : 0;
}

int64_t control_domctl(struct control *c, const uint64_t arg[5])
{
	const struct xen_domctl *given = control_in(c, arg[0], sizeof(*given));
	struct xen_domctl d;
	int64_t r;

	if (!given)
		return CONTROL_AGAIN;
	d = *given;
	if (d.interface_version != XEN_DOMCTL_INTERFACE_VERSION)
		return -XEN_EACCES;
	switch (d.cmd) {
	case XEN_DOMCTL_getdomaininfo: {
		domid_t asked = d.domain;

		r = info(&d);
		if (r == 0 && d.domain != asked)
			r = -XEN_ESRCH;
		break;
	}
	case XEN_DOMCTL_pausedomain:
		r = self_refused(&d);
		return r ? r : domain_pause(d.domain);
	case XEN_DOMCTL_unpausedomain:
		r = self_refused(&d);
		return r ? r : domain_unpause(d.domain);
	case XEN_DOMCTL_destroydomain:
		r = self_refused(&d);
		return r ? r : domain_destroy(d.domain);
	default:
		return domain_find(d.domain) || d.cmd == XEN_DOMCTL_createdomain ? -XEN_ENOSYS : -XEN_ESRCH;
	}
	if (r == 0) {
		control_out(c, arg[0] + offsetof(struct xen_domctl, domain), &d.domain, sizeof(d.domain));
		control_out(c, arg[0] + offsetof(struct xen_domctl, u), &d.u, sizeof(d.u));
	}
	return r;
}
