/* A domain as Xen's control interfaces describe it. */
#ifndef DOMAIN_MANAGER_DOMAIN_XEN_H
#define DOMAIN_MANAGER_DOMAIN_XEN_H

#include "servers/domain_manager/domain.h"
#include <xen/domctl.h>

/* xen_domctl_getdomaininfo of a domain that is in the table. */
void domain_xen_info(struct domain *d, xen_domctl_getdomaininfo_t *out);

#endif
