/* Policies read from the machine, and to and from lists of leaves. */
#include "cpu_policy/cpu_policy.h"

#include <errno.h>
#include <string.h>

enum { EAX, EBX, ECX, EDX };

#define XEN_FIRST 0x40000000u
#define VIRIDIAN  0x40000100u
#define HV_LIMIT  0xffu
#define CACHE_TYPE 0x1fu
#define LEVEL_TYPE 0xff00u

enum { MSR_PLATFORM_INFO = 0xce, MSR_ARCH_CAPABILITIES = 0x10a };

static uint32_t min(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* ---- limits: how many leaves there are by its own words ---- */

static uint32_t basic_end(const struct cpu_policy *p)
{
	return min(p->basic[0][EAX], CPU_POLICY_BASIC - 1) + 1;
}

static uint32_t feature_end(const struct cpu_policy *p)
{
	return p->basic[0][EAX] < 7 ? 0 : min(p->feature[0][EAX], CPU_POLICY_FEATURES - 1) + 1;
}

static uint32_t extended_end(const struct cpu_policy *p)
{
	return min(p->extended[0][EAX] & 0xffffu, CPU_POLICY_EXTENDED - 1) + 1;
}

static uint64_t xstates(const struct cpu_policy *p)
{
	uint64_t user = p->xstate[0][EAX] | (uint64_t)p->xstate[0][EDX] << 32;

	return user | p->xstate[1][ECX] | (uint64_t)p->xstate[1][EDX] << 32;
}

static uint32_t cache_end(const struct cpu_policy *p)
{
	uint32_t n = 0;

	while (p->basic[0][EAX] >= 4 && n < CPU_POLICY_CACHES && p->cache[n][EAX] & CACHE_TYPE)
		n++;
	return n;
}

static uint32_t topology_end(const struct cpu_policy *p)
{
	uint32_t n = 0;

	while (p->basic[0][EAX] >= 0xb && n < CPU_POLICY_TOPOLOGIES && p->topology[n][ECX] & LEVEL_TYPE)
		n++;
	return n;
}

static uint32_t xstate_end(const struct cpu_policy *p)
{
	uint32_t n = 2;

	if (p->basic[0][EAX] < 0xd || !xstates(p))
		return 0;
	for (uint32_t i = 2; i < CPU_POLICY_XSTATES; i++)
		if (xstates(p) >> i & 1)
			n = i + 1;
	return n;
}

static void zero_from(uint32_t (*leaf)[4], uint32_t from, uint32_t end)
{
	if (from < end)
		memset(leaf[from], 0, (end - from) * sizeof(leaf[0]));
}

void cpu_policy_trim(struct cpu_policy *p)
{
	zero_from(p->basic, basic_end(p), CPU_POLICY_BASIC);
	zero_from(p->cache, cache_end(p), CPU_POLICY_CACHES);
	zero_from(p->feature, feature_end(p), CPU_POLICY_FEATURES);
	zero_from(p->topology, topology_end(p), CPU_POLICY_TOPOLOGIES);
	zero_from(p->xstate, xstate_end(p), CPU_POLICY_XSTATES);
	zero_from(p->extended, extended_end(p), CPU_POLICY_EXTENDED);
}

/* ---- the machine ---- */

void cpu_policy_machine(struct cpu_policy *p, cpu_policy_cpuid *cpuid)
{
	memset(p, 0, sizeof(*p));
	cpuid(0, 0, p->basic[0]);
	for (uint32_t i = 1; i < basic_end(p); i++)
		if (i != 4 && i != 7 && i != 0xb && i != 0xd)
			cpuid(i, 0, p->basic[i]);
	for (uint32_t i = 0; p->basic[0][EAX] >= 4 && i < CPU_POLICY_CACHES; i++)
		cpuid(4, i, p->cache[i]);
	if (p->basic[0][EAX] >= 7)
		cpuid(7, 0, p->feature[0]);
	for (uint32_t i = 1; i < feature_end(p); i++)
		cpuid(7, i, p->feature[i]);
	for (uint32_t i = 0; p->basic[0][EAX] >= 0xb && i < CPU_POLICY_TOPOLOGIES; i++)
		cpuid(0xb, i, p->topology[i]);
	for (uint32_t i = 0; p->basic[0][EAX] >= 0xd && i < 2; i++)
		cpuid(0xd, i, p->xstate[i]);
	for (uint32_t i = 2; i < xstate_end(p); i++)
		if (xstates(p) >> i & 1)
			cpuid(0xd, i, p->xstate[i]);
	cpuid(CPU_POLICY_EXTENDED_FIRST, 0, p->extended[0]);
	if (p->extended[0][EAX] < CPU_POLICY_EXTENDED_FIRST)
		memset(p->extended[0], 0, sizeof(p->extended[0])); /* it has none */
	for (uint32_t i = 1; i < extended_end(p); i++)
		cpuid(CPU_POLICY_EXTENDED_FIRST + i, 0, p->extended[i]);
	p->basic[0][EAX] = basic_end(p) - 1;
	p->feature[0][EAX] = feature_end(p) ? feature_end(p) - 1 : 0;
	p->extended[0][EAX] = CPU_POLICY_EXTENDED_FIRST + extended_end(p) - 1;
	cpu_policy_trim(p);
}

/* ---- features ---- */

uint32_t *cpu_policy_word(struct cpu_policy *p, unsigned word)
{
	switch (word) {
	case 0:
		return &p->basic[1][EDX];
	case 1:
		return &p->basic[1][ECX];
	case 2:
		return &p->extended[1][EDX];
	case 3:
		return &p->extended[1][ECX];
	case 4:
		return &p->xstate[1][EAX];
	case 5:
		return &p->feature[0][EBX];
	case 6:
		return &p->feature[0][ECX];
	case 7:
		return &p->extended[7][EDX];
	case 8:
		return &p->extended[8][EBX];
	case 9:
		return &p->feature[0][EDX];
	case 10:
		return &p->feature[1][EAX];
	case 11:
		return &p->extended[0x21][EAX];
	case 12:
		return &p->feature[1][EBX];
	case 13:
		return &p->feature[2][EDX];
	case 14:
		return &p->feature[1][ECX];
	case 15:
		return &p->feature[1][EDX];
	case 16:
		return &p->arch_capabilities[0];
	case 17:
		return &p->arch_capabilities[1];
	default:
		return &p->extended[0x21][ECX];
	}
}

void cpu_policy_featureset(const struct cpu_policy *p, uint32_t words[CPU_POLICY_WORDS])
{
	struct cpu_policy copy = *p;

	for (unsigned i = 0; i < CPU_POLICY_WORDS; i++)
		words[i] = *cpu_policy_word(&copy, i);
}

/* ---- lists ---- */

static void put(xen_cpuid_leaf_t *out, uint32_t *n, uint32_t leaf, uint32_t sub, const uint32_t r[4])
{
	if (*n < CPU_POLICY_LEAVES)
		out[(*n)++] = (xen_cpuid_leaf_t){.leaf = leaf, .subleaf = sub, .a = r[EAX], .b = r[EBX], .c = r[ECX], .d = r[EDX]};
}

/* All that there are, and as its end the first that is none. */
static void put_some(xen_cpuid_leaf_t *out, uint32_t *n, uint32_t leaf, const uint32_t (*r)[4], uint32_t count, uint32_t room)
{
	for (uint32_t i = 0; i <= count && i < room; i++)
		put(out, n, leaf, i, r[i]);
}

uint32_t cpu_policy_leaves(const struct cpu_policy *p, xen_cpuid_leaf_t out[CPU_POLICY_LEAVES])
{
	uint32_t n = 0, end = xstate_end(p);

	for (uint32_t leaf = 0; leaf < basic_end(p); leaf++) {
		if (leaf == 4)
			put_some(out, &n, leaf, p->cache, cache_end(p), CPU_POLICY_CACHES);
		else if (leaf == 7)
			put_some(out, &n, leaf, p->feature, feature_end(p) - 1, CPU_POLICY_FEATURES);
		else if (leaf == 0xb)
			put_some(out, &n, leaf, p->topology, topology_end(p), CPU_POLICY_TOPOLOGIES);
		else if (leaf == 0xd)
			put_some(out, &n, leaf, p->xstate, end > 2 ? end - 1 : 1, CPU_POLICY_XSTATES);
		else
			put(out, &n, leaf, XEN_CPUID_NO_SUBLEAF, p->basic[leaf]);
	}
	put(out, &n, XEN_FIRST, XEN_CPUID_NO_SUBLEAF, (const uint32_t[4]){p->hv_limit});
	put(out, &n, VIRIDIAN, XEN_CPUID_NO_SUBLEAF, (const uint32_t[4]){p->hv2_limit});
	for (uint32_t i = 0; i < extended_end(p); i++)
		put(out, &n, CPU_POLICY_EXTENDED_FIRST + i, XEN_CPUID_NO_SUBLEAF, p->extended[i]);
	return n;
}

void cpu_policy_msrs(const struct cpu_policy *p, xen_msr_entry_t out[CPU_POLICY_MSRS])
{
	out[0] = (xen_msr_entry_t){.idx = MSR_PLATFORM_INFO, .val = p->platform_info};
	out[1] = (xen_msr_entry_t){.idx = MSR_ARCH_CAPABILITIES, .val = p->arch_capabilities[0] | (uint64_t)p->arch_capabilities[1] << 32};
}

/* Where a policy keeps this leaf; NULL: nowhere. */
static uint32_t *place(struct cpu_policy *p, uint32_t leaf, uint32_t sub)
{
	switch (leaf) {
	case 4:
		return sub < CPU_POLICY_CACHES ? p->cache[sub] : NULL;
	case 7:
		return sub < CPU_POLICY_FEATURES ? p->feature[sub] : NULL;
	case 0xb:
		return sub < CPU_POLICY_TOPOLOGIES ? p->topology[sub] : NULL;
	case 0xd:
		return sub < CPU_POLICY_XSTATES ? p->xstate[sub] : NULL;
	default:
		break;
	}
	if (sub != XEN_CPUID_NO_SUBLEAF)
		return NULL;
	if (leaf < CPU_POLICY_BASIC)
		return p->basic[leaf];
	return leaf >= CPU_POLICY_EXTENDED_FIRST && leaf - CPU_POLICY_EXTENDED_FIRST < CPU_POLICY_EXTENDED ? p->extended[leaf - CPU_POLICY_EXTENDED_FIRST] : NULL;
}

static int merge_leaf(struct cpu_policy *p, const xen_cpuid_leaf_t *l)
{
	bool alone = l->subleaf == XEN_CPUID_NO_SUBLEAF;
	uint32_t *at = place(p, l->leaf, l->subleaf);

	if (at) {
		at[EAX] = l->a;
		at[EBX] = l->b;
		at[ECX] = l->c;
		at[EDX] = l->d;
	} else if (l->leaf == XEN_FIRST && alone) {
		p->hv_limit = l->a & HV_LIMIT;
	} else if (l->leaf == VIRIDIAN && alone) {
		p->hv2_limit = l->a & HV_LIMIT;
	} else {
		return -ERANGE;
	}
	return 0;
}

static int merge_msr(struct cpu_policy *p, const xen_msr_entry_t *m)
{
	if (m->flags)
		return -EINVAL;
	if (m->idx == MSR_PLATFORM_INFO) {
		if (m->val >> 32)
			return -EOVERFLOW;
		p->platform_info = m->val;
	} else if (m->idx == MSR_ARCH_CAPABILITIES) {
		p->arch_capabilities[0] = (uint32_t)m->val;
		p->arch_capabilities[1] = (uint32_t)(m->val >> 32);
	} else {
		return -ERANGE;
	}
	return 0;
}

int cpu_policy_merge(struct cpu_policy *p, const xen_cpuid_leaf_t *leaves, uint32_t n, const xen_msr_entry_t *msrs, uint32_t n_msrs, struct cpu_policy_error *e)
{
	int r = 0;

	*e = (struct cpu_policy_error){~0u, ~0u, ~0u};
	if (n > CPU_POLICY_LEAVES || n_msrs > CPU_POLICY_MSRS)
		return -E2BIG;
	for (uint32_t i = 0; i < n; i++) {
		r = merge_leaf(p, &leaves[i]);
		if (r) {
			e->leaf = leaves[i].leaf;
			e->subleaf = leaves[i].subleaf;
			return r;
		}
	}
	for (uint32_t i = 0; i < n_msrs; i++) {
		r = merge_msr(p, &msrs[i]);
		if (r) {
			e->msr = msrs[i].idx;
			return r;
		}
	}
	return 0;
}
