/*
 * Any lists of leaves and MSRs, put over a machine's best policy: what is accepted has no feature and no leaf beyond it, stays as it is when it is fitted again, and comes
 * back from its own list.
 */
// links: lib/cpu_policy/cpu_policy.c lib/cpu_policy/cpu_policy_max.c
// cflags: -D__XEN_TOOLS__
#include <stdlib.h>
#include <string.h>
#include "cpu_policy/cpu_policy.h"

#define MORE 3u /* than a list may have */

static const uint8_t *input;
static size_t left;
static bool amd;

static uint32_t word(void)
{
	uint32_t w = 0;
	size_t n = left < sizeof(w) ? left : sizeof(w);

	memcpy(&w, input, n);
	input += n;
	left -= n;
	return w;
}

static void cpuid(uint32_t leaf, uint32_t sub, uint32_t r[4])
{
	for (unsigned i = 0; i < 4; i++)
		r[i] = (leaf * 2654435761u + sub * 40503u + i * 97u) | 0x8fffffffu;
	if (leaf == 0) {
		r[0] = 0x16;
		memcpy(&r[1], amd ? "AuthcAMDenti" : "GenuntelineI", 12);
	} else if (leaf == 0x80000000u) {
		r[0] = amd ? 0x8000001eu : 0x80000008u;
	} else if (leaf == 0xd && sub >= 2) {
		r[0] = 64;
		r[1] = 576 + 64 * sub;
	}
}

static void check(const struct cpu_policy *p, const struct cpu_policy *max)
{
	uint32_t has[CPU_POLICY_WORDS], most[CPU_POLICY_WORDS], lost[CPU_POLICY_WORDS];
	xen_cpuid_leaf_t leaf[CPU_POLICY_LEAVES];
	xen_msr_entry_t msr[CPU_POLICY_MSRS];
	struct cpu_policy again = *p;
	struct cpu_policy_error e;
	uint32_t n;

	cpu_policy_featureset(p, has);
	cpu_policy_featureset(max, most);
	most[3] |= 2; /* CMP_LEGACY */
	for (unsigned i = 0; i < CPU_POLICY_WORDS; i++)
		if (has[i] & ~most[i])
			abort();
	if (p->basic[0][0] > max->basic[0][0] || p->feature[0][0] > max->feature[0][0] || p->extended[0][0] > (amd ? 0x80000021u : max->extended[0][0]) || p->extended[0][0] < 0x80000000u ||
	    p->xstate[0][0] & ~max->xstate[0][0] || p->xstate[0][2] > max->xstate[0][2])
		abort();
	if (cpu_policy_fit(&again, max, &e, lost) || memcmp(&again, p, sizeof(again)) != 0)
		abort();
	for (unsigned i = 0; i < CPU_POLICY_WORDS; i++)
		if (lost[i])
			abort();
	n = cpu_policy_leaves(p, leaf);
	cpu_policy_msrs(p, msr);
	memset(&again, 0, sizeof(again));
	if (cpu_policy_merge(&again, leaf, n, msr, CPU_POLICY_MSRS, &e) || memcmp(&again, p, sizeof(again)) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint64_t xcr0[4] = {0, 3, 7, 0xe7};
	xen_cpuid_leaf_t leaf[CPU_POLICY_LEAVES + MORE];
	xen_msr_entry_t msr[CPU_POLICY_MSRS + MORE];
	uint32_t lost[CPU_POLICY_WORDS], first, n = 0, msrs = 0;
	struct cpu_policy machine, max, p;
	struct cpu_policy_error e;

	input = data;
	left = size;
	first = word();
	amd = first & 1;
	cpu_policy_machine(&machine, cpuid);
	cpu_policy_max(&max, &machine, xcr0[first >> 1 & 3]);
	p = max;
	for (; left && n < CPU_POLICY_LEAVES + MORE && n < (first >> 8 & 0x7f); n++)
		leaf[n] = (xen_cpuid_leaf_t){word(), word(), word(), word(), word(), word()};
	for (; left && msrs < CPU_POLICY_MSRS + MORE && msrs < (first >> 16 & 7); msrs++)
		msr[msrs] = (xen_msr_entry_t){word(), word(), word() | (uint64_t)word() << 32};
	if (cpu_policy_merge(&p, leaf, n, msr, msrs, &e) == 0 && cpu_policy_fit(&p, &max, &e, lost) == 0)
		check(&p, &max);
	return 0;
}
