#include "servers/domain_manager/control_policy.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include "servers/domain_manager/cpu_hw.h"
#include "user/log.h"
#include <xen/errno.h>
#include <xen/domctl.h>
#include <xen/sysctl.h>

/* The errnos of lib/cpu_policy are Linux's. */
_Static_assert(XEN_E2BIG == E2BIG && XEN_ERANGE == ERANGE && XEN_EINVAL == EINVAL && XEN_EOVERFLOW == EOVERFLOW, "the same numbers");
_Static_assert(sizeof(struct cpu_policy) % 8 == 0, "whole words");

static const struct cpu_policy *machine(void)
{
	static struct cpu_policy p;

	if (!p.basic[0][CPU_POLICY_EBX])
		cpu_policy_machine(&p, cpu_leaf);
	return &p;
}

static const struct cpu_policy *most(void)
{
	static struct cpu_policy p;

	if (!p.basic[0][CPU_POLICY_EBX])
		cpu_policy_max(&p, machine(), cpu_xcr0());
	return &p;
}

const struct cpu_policy *policy_of(const struct domain *d)
{
	return d->policy ? d->policy : most();
}

void policy_hw_cap(uint32_t *out, uint32_t n)
{
	uint32_t words[CPU_POLICY_WORDS];

	cpu_policy_featureset(machine(), words);
	memcpy(out, words, (n < CPU_POLICY_WORDS ? n : CPU_POLICY_WORDS) * sizeof(words[0]));
}

/* The whole featureset: Xen's order of CPUID words (arch-x86/cpufeatureset.h). */
int64_t policy_system_featureset(struct control *c, struct xen_sysctl_cpu_featureset *f)
{
	uint32_t words[CPU_POLICY_WORDS];

	if (f->index == XEN_SYSCTL_cpu_featureset_pv || f->index == XEN_SYSCTL_cpu_featureset_pv_max)
		return -XEN_EOPNOTSUPP;
	if (f->index > XEN_SYSCTL_cpu_featureset_hvm_max)
		return -XEN_EINVAL;
	cpu_policy_featureset(f->index == XEN_SYSCTL_cpu_featureset_raw || f->index == XEN_SYSCTL_cpu_featureset_host ? machine() : most(), words);
	if (f->features.p) {
		if (f->nr_features < CPU_POLICY_WORDS)
			return -XEN_ENOBUFS;
		control_out(c, (uint64_t)(uintptr_t)f->features.p, words, sizeof(words));
	}
	f->nr_features = CPU_POLICY_WORDS;
	return 0;
}

/* For whoever asks without room, how much there must be. */
static int64_t tell(struct control *c, const struct cpu_policy *p, uint64_t leaves_at, uint32_t *nr_leaves, uint64_t msrs_at, uint32_t *nr_msrs)
{
	static xen_cpuid_leaf_t leaf[CPU_POLICY_LEAVES];
	xen_msr_entry_t msr[CPU_POLICY_MSRS];
	uint32_t leaves = cpu_policy_leaves(p, leaf);

	cpu_policy_msrs(p, msr);
	if ((leaves_at && *nr_leaves < leaves) || (msrs_at && *nr_msrs < CPU_POLICY_MSRS))
		return -XEN_ENOBUFS;
	if (leaves_at)
		control_out(c, leaves_at, leaf, leaves * (uint32_t)sizeof(leaf[0]));
	if (msrs_at)
		control_out(c, msrs_at, msr, sizeof(msr));
	*nr_leaves = leaves_at ? leaves : CPU_POLICY_LEAVES;
	*nr_msrs = CPU_POLICY_MSRS;
	return 0;
}

int64_t policy_system_get(struct control *c, struct xen_sysctl_cpu_policy *p)
{
	bool host = p->index == XEN_SYSCTL_cpu_policy_raw || p->index == XEN_SYSCTL_cpu_policy_host;

	if (p->_rsvd || p->index > XEN_SYSCTL_cpu_policy_hvm_default)
		return -XEN_EINVAL;
	if (p->index == XEN_SYSCTL_cpu_policy_pv_max || p->index == XEN_SYSCTL_cpu_policy_pv_default)
		return -XEN_EOPNOTSUPP;
	return tell(c, host ? machine() : most(), (uint64_t)(uintptr_t)p->leaves.p, &p->nr_leaves, (uint64_t)(uintptr_t)p->msrs.p, &p->nr_msrs);
}

int64_t policy_get(struct control *c, const struct domain *d, struct xen_domctl_cpu_policy *p)
{
	return tell(c, policy_of(d), (uint64_t)(uintptr_t)p->leaves.p, &p->nr_leaves, (uint64_t)(uintptr_t)p->msrs.p, &p->nr_msrs);
}

/* Features that its maker counted on go with a line: a guest from another machine may use them all the same. */
static void lost_log(const struct domain *d, const uint32_t lost[CPU_POLICY_WORDS])
{
	for (unsigned i = 0; i < CPU_POLICY_WORDS; i++)
		if (lost[i])
			log_line("domain %u: its CPU policy asks for features that there are not here: word %u, bits %#x", d->id, i, lost[i]);
}

/* 0, or what Xen says; then its policy is as it was. */
static int put(struct domain *d, const xen_cpuid_leaf_t *leaf, uint32_t leaves, const xen_msr_entry_t *msr, uint32_t msrs, struct cpu_policy_error *e)
{
	uint32_t lost[CPU_POLICY_WORDS];
	struct cpu_policy is = *policy_of(d);
	int r = cpu_policy_merge(&is, leaf, leaves, msr, msrs, e);

	if (!r)
		r = cpu_policy_fit(&is, most(), e, lost);
	if (r)
		return r;
	if (!d->policy)
		d->policy = domain_heap_alloc(&d->heap, 1, sizeof(*d->policy));
	if (!d->policy)
		return -XEN_ENOMEM;
	*d->policy = is;
	lost_log(d, lost);
	return 0;
}

int64_t policy_set(struct control *c, struct domain *d, struct xen_domctl_cpu_policy *p)
{
	bool too_many = p->nr_leaves > CPU_POLICY_LEAVES || p->nr_msrs > CPU_POLICY_MSRS;
	struct cpu_policy_error e = {~0u, ~0u, ~0u};
	const xen_cpuid_leaf_t *leaf = NULL;
	const xen_msr_entry_t *msr = NULL;
	int r = -XEN_E2BIG;

	if (!d->bare || d->started)
		return -XEN_EEXIST;
	if (p->nr_leaves && !too_many)
		leaf = control_in(c, (uint64_t)(uintptr_t)p->leaves.p, p->nr_leaves * (uint32_t)sizeof(*leaf));
	if (p->nr_msrs && !too_many)
		msr = control_in(c, (uint64_t)(uintptr_t)p->msrs.p, p->nr_msrs * (uint32_t)sizeof(*msr));
	if (!too_many && ((p->nr_leaves && !leaf) || (p->nr_msrs && !msr)))
		return CONTROL_AGAIN;
	if (!too_many)
		r = put(d, leaf, p->nr_leaves, msr, p->nr_msrs, &e);
	p->err_leaf = e.leaf;
	p->err_subleaf = e.subleaf;
	p->err_msr = e.msr;
	return r;
}

int policy_words(const struct domain *d, uint64_t first, uint64_t *reply, unsigned *reply_length)
{
	uint64_t words = sizeof(*d->policy) / sizeof(uint64_t), n;

	if (!d->policy)
		return -ENOENT;
	if (first >= words)
		return -EINVAL;
	n = words - first < DOMAIN_POLICY_WORDS ? words - first : DOMAIN_POLICY_WORDS;
	memcpy(reply, (const uint8_t *)d->policy + first * sizeof(uint64_t), n * sizeof(uint64_t));
	*reply_length = (unsigned)n;
	return 0;
}
