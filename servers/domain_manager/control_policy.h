/* CPU policies for domain 0: the machine's, what domains may have of it, and each domain's own (lib/cpu_policy; xen/include/public/sysctl.h and domctl.h). */
#ifndef DOMAIN_MANAGER_CONTROL_POLICY_H
#define DOMAIN_MANAGER_CONTROL_POLICY_H

#include <stdint.h>
#include "cpu_policy/cpu_policy.h"
#include "servers/domain_manager/control.h"
#include "servers/domain_manager/domain.h"

struct xen_domctl_cpu_policy;
struct xen_sysctl_cpu_featureset;
struct xen_sysctl_cpu_policy;

/* Each is one hypercall, as control.h says. */
int64_t policy_system_get(struct control *c, struct xen_sysctl_cpu_policy *p);
int64_t policy_system_featureset(struct control *c, struct xen_sysctl_cpu_featureset *f);
int64_t policy_get(struct control *c, const struct domain *d, struct xen_domctl_cpu_policy *p);
/* Whatever is refused, the domain's policy is as it was. */
int64_t policy_set(struct control *c, struct domain *d, struct xen_domctl_cpu_policy *p);

/* The first n words of the machine's featureset. */
void policy_hw_cap(uint32_t *out, uint32_t n);
/* What was set of it, or what a domain has at most. */
const struct cpu_policy *policy_of(const struct domain *d);
/* DOMAIN_VMM_CPU_POLICY. */
int policy_words(const struct domain *d, uint64_t first, uint64_t *reply, unsigned *reply_length);

#endif
