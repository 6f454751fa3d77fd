/*
 * The state of a domain's vCPUs in control hypercalls: Xen's records as a toolstack reads them of a domain that runs, is paused or has shut down, and sets them, of a running domain or of one that it
 * restores before its first unpause.
 */
#ifndef DOMAIN_MANAGER_CONTROL_CONTEXT_H
#define DOMAIN_MANAGER_CONTROL_CONTEXT_H

#include "servers/domain_manager/control.h"
#include <xen/xen.h>
#include <xen/domctl.h>

struct domain;

/* XEN_DOMCTL_gethvmcontext, _gethvmcontext_partial, _sethvmcontext, _getvcpucontext, _setvcpucontext; results as a handler's (control.h). */
int64_t context_get(struct control *c, struct domain *d, struct xen_domctl_hvmcontext *h);
int64_t context_part(struct control *c, struct domain *d, struct xen_domctl_hvmcontext_partial *p);
int64_t context_set(struct control *c, struct domain *d, const struct xen_domctl_hvmcontext *h);
int64_t vcpu_context_get(struct control *c, struct domain *d, const struct xen_domctl_vcpucontext *v);
int64_t vcpu_context_set(struct control *c, struct domain *d, const struct xen_domctl_vcpucontext *v);

#endif
