#include "servers/domain_manager/cpu_policy.h"

#include "servers/domain_manager/cpu_hw.h"

#define BASIC_MAX    0xdu
#define EXTENDED     0x80000000u
#define EXTENDED_MAX 0x80000021u
#define XEN_FIRST    0x40000000u
#define VIRIDIAN     0x40000100u
#define CACHE_MAX    6u
#define FEATURE_MAX  2u
#define TOPOLOGY_MAX 2u
#define XSTATE_MAX   63u

enum { MSR_PLATFORM_INFO = 0xce, MSR_ARCH_CAPABILITIES = 0x10a };

static void leaf_put(xen_cpuid_leaf_t *out, uint32_t *n, uint32_t leaf, uint32_t sub)
{
	uint32_t s = sub == XEN_CPUID_NO_SUBLEAF ? 0 : sub;

	if (*n == CPU_POLICY_LEAVES)
		return;
	out[(*n)++] = (xen_cpuid_leaf_t){.leaf = leaf,
					 .subleaf = sub,
					 .a = cpu_word(leaf, s, CPU_EAX),
					 .b = cpu_word(leaf, s, CPU_EBX),
					 .c = cpu_word(leaf, s, CPU_ECX),
					 .d = cpu_word(leaf, s, CPU_EDX)};
}

static void xstate_put(xen_cpuid_leaf_t *out, uint32_t *n)
{
	uint64_t components = cpu_word(0xd, 0, CPU_EAX) | (uint64_t)cpu_word(0xd, 0, CPU_EDX) << 32;

	leaf_put(out, n, 0xd, 0);
	leaf_put(out, n, 0xd, 1);
	for (uint32_t i = 2; i < XSTATE_MAX; i++)
		if (components >> i & 1)
			leaf_put(out, n, 0xd, i);
}

static void basic_put(xen_cpuid_leaf_t *out, uint32_t *n, uint32_t leaf)
{
	uint32_t i = 0, last;

	switch (leaf) {
	case 4:
		do
			leaf_put(out, n, leaf, i);
		while ((out[*n - 1].a & 0x1f) != 0 && ++i < CACHE_MAX);
		break;
	case 7:
		last = cpu_word(7, 0, CPU_EAX);
		for (; i <= last && i <= FEATURE_MAX; i++)
			leaf_put(out, n, leaf, i);
		break;
	case 0xb:
		for (; i < TOPOLOGY_MAX; i++)
			leaf_put(out, n, leaf, i);
		break;
	case 0xd:
		xstate_put(out, n);
		break;
	default:
		leaf_put(out, n, leaf, XEN_CPUID_NO_SUBLEAF);
		break;
	}
}

uint32_t cpu_policy_leaves(xen_cpuid_leaf_t out[CPU_POLICY_LEAVES])
{
	uint32_t n = 0, basic = cpu_word(0, 0, CPU_EAX), extended = cpu_word(EXTENDED, 0, CPU_EAX);

	for (uint32_t leaf = 0; leaf <= basic && leaf <= BASIC_MAX; leaf++)
		basic_put(out, &n, leaf);
	out[0].a = basic < BASIC_MAX ? basic : BASIC_MAX;
	/* which of the hypervisor's own leaves there are is not in the machine's CPUID */
	out[n++] = (xen_cpuid_leaf_t){.leaf = XEN_FIRST, .subleaf = XEN_CPUID_NO_SUBLEAF};
	out[n++] = (xen_cpuid_leaf_t){.leaf = VIRIDIAN, .subleaf = XEN_CPUID_NO_SUBLEAF};
	for (uint32_t leaf = EXTENDED; leaf <= extended && leaf <= EXTENDED_MAX; leaf++) {
		leaf_put(out, &n, leaf, XEN_CPUID_NO_SUBLEAF);
		if (leaf == EXTENDED && out[n - 1].a > EXTENDED_MAX)
			out[n - 1].a = EXTENDED_MAX;
	}
	return n;
}

void cpu_policy_msrs(xen_msr_entry_t out[CPU_POLICY_MSRS])
{
	out[0] = (xen_msr_entry_t){.idx = MSR_PLATFORM_INFO};
	out[1] = (xen_msr_entry_t){.idx = MSR_ARCH_CAPABILITIES};
}

bool cpu_policy_has(const xen_cpuid_leaf_t *l)
{
	switch (l->leaf) {
	case 4:
		return l->subleaf < CACHE_MAX;
	case 7:
		return l->subleaf <= FEATURE_MAX;
	case 0xb:
		return l->subleaf < TOPOLOGY_MAX;
	case 0xd:
		return l->subleaf < XSTATE_MAX;
	case XEN_FIRST:
	case VIRIDIAN:
		return l->subleaf == XEN_CPUID_NO_SUBLEAF;
	default:
		return l->subleaf == XEN_CPUID_NO_SUBLEAF && (l->leaf <= BASIC_MAX || (l->leaf >= EXTENDED && l->leaf <= EXTENDED_MAX));
	}
}
