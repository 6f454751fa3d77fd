/*
 * CPU policies as Xen 4.17 has them: what CPUID says to a domain, and what its policy MSRs hold. Toolstacks exchange them as a list of leaves and one of MSRs
 * (xen/include/public/arch-x86/xen.h, xen_cpuid_leaf_t and xen_msr_entry_t), and feature bits by the words of arch-x86/cpufeatureset.h. Lists come from outside: nothing
 * about them is taken for granted. What a vCPU's own state decides (APIC id, OSXSAVE, sizes of XSAVE areas) is not in a policy.
 */
#ifndef LIB_CPU_POLICY_H
#define LIB_CPU_POLICY_H

#include <stdbool.h>
#include <stdint.h>
#include <xen/xen.h>

enum { CPU_POLICY_EAX, CPU_POLICY_EBX, CPU_POLICY_ECX, CPU_POLICY_EDX };

/* Leaves and subleaves that a policy has room for, as in Xen 4.17. */
#define CPU_POLICY_BASIC      14u
#define CPU_POLICY_CACHES     6u  /* leaf 4 */
#define CPU_POLICY_FEATURES   3u  /* leaf 7 */
#define CPU_POLICY_TOPOLOGIES 2u  /* leaf 0xb */
#define CPU_POLICY_XSTATES    63u /* leaf 0xd */
#define CPU_POLICY_EXTENDED   34u
#define CPU_POLICY_EXTENDED_FIRST 0x80000000u

#define CPU_POLICY_LEAVES 120u /* of a list, at most */
#define CPU_POLICY_MSRS	  2u
#define CPU_POLICY_WORDS  19u /* of a featureset */

struct cpu_policy {
	uint32_t basic[CPU_POLICY_BASIC][4]; /* 4, 7, 0xb and 0xd are below */
	uint32_t cache[CPU_POLICY_CACHES][4];
	uint32_t feature[CPU_POLICY_FEATURES][4];
	uint32_t topology[CPU_POLICY_TOPOLOGIES][4];
	uint32_t xstate[CPU_POLICY_XSTATES][4];
	uint32_t extended[CPU_POLICY_EXTENDED][4];
	uint32_t hv_limit, hv2_limit; /* last of Xen's own leaves, and of Viridian's; 0: as many as there are */
	uint64_t platform_info;	      /* MSR 0xce */
	uint32_t arch_capabilities[2]; /* MSR 0x10a */
};

/* What a list was refused for; ~0 each where it is not that. */
struct cpu_policy_error {
	uint32_t leaf, subleaf, msr;
};

typedef void cpu_policy_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t r[4]);

/* What the machine says by its CPUID instruction, as far as there is room. */
void cpu_policy_machine(struct cpu_policy *p, cpu_policy_cpuid *cpuid);
/*
 * What a domain may have at most, and has if nobody says otherwise: what Insula offers of the machine. xcr0: the XSAVE components that guests' states are kept of, 0: the kernel
 * has not switched XSAVE on.
 */
void cpu_policy_max(struct cpu_policy *p, const struct cpu_policy *machine, uint64_t xcr0);
/* Intel's and AMD's CPUID differ in what is reserved; Hygon's is AMD's. */
bool cpu_policy_is_amd(const struct cpu_policy *p);

/* Bits of CR4, of EFER and of XCR0 that its features allow. */
uint64_t cpu_policy_cr4(const struct cpu_policy *p);
uint64_t cpu_policy_efer(const struct cpu_policy *p);
uint64_t cpu_policy_xcr0(const struct cpu_policy *p);

void cpu_policy_featureset(const struct cpu_policy *p, uint32_t words[CPU_POLICY_WORDS]);

/* As a list in ascending order; how many. */
uint32_t cpu_policy_leaves(const struct cpu_policy *p, xen_cpuid_leaf_t out[CPU_POLICY_LEAVES]);
void cpu_policy_msrs(const struct cpu_policy *p, xen_msr_entry_t out[CPU_POLICY_MSRS]);

/*
 * Lists are put over what p has; of what is there twice the last counts. -E2BIG: too many. -ERANGE: a leaf or MSR that no policy has. -EINVAL: reserved flags of an MSR.
 * -EOVERFLOW: an MSR's value. Then p is to be thrown away.
 */
int cpu_policy_merge(struct cpu_policy *p, const xen_cpuid_leaf_t *leaves, uint32_t n, const xen_msr_entry_t *msrs, uint32_t n_msrs, struct cpu_policy_error *e);
/*
 * Checked, and made what a domain can have: -EINVAL if it has leaves beyond max's (but for AMD's last, which Xen adds), bits of MSR_PLATFORM_INFO that Xen does not know, or another vendor's name. Features that max
 * has not, and those that build on one that is missing, are taken out; lost: the ones of max, by words. Sizes and what else follows from features are put right.
 */
int cpu_policy_fit(struct cpu_policy *p, const struct cpu_policy *max, struct cpu_policy_error *e, uint32_t lost[CPU_POLICY_WORDS]);

/* ---- for cpu_policy_max.c ---- */
uint32_t *cpu_policy_word(struct cpu_policy *p, unsigned word);
/* Leaves beyond the limits that the policy itself names are zeroed. */
void cpu_policy_trim(struct cpu_policy *p);

#endif
