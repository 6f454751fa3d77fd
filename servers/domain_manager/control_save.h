/*
 * What a toolstack needs of a domain beside its vCPUs' state (control_context.h) to save and to migrate it: which pages it has, which were written, and letting one that suspended go on.
 */
#ifndef DOMAIN_MANAGER_CONTROL_SAVE_H
#define DOMAIN_MANAGER_CONTROL_SAVE_H

#include "servers/domain_manager/control.h"
#include <xen/xen.h>
#include <xen/domctl.h>

struct domain;

/* XEN_DOMCTL_getpageframeinfo3, _shadow_op, _resumedomain; results as a handler's (control.h). */
int64_t save_page_types(struct control *c, const struct domain *d, const struct xen_domctl_getpageframeinfo3 *p);
int64_t save_shadow_op(struct control *c, struct domain *d, struct xen_domctl_shadow_op *o);
int64_t save_resume(struct domain *d);

#endif
