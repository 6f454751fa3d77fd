/*
 * The machine's CPU policy as Xen's tools exchange it: CPUID leaves in ascending order, and the MSRs of a policy (xen/include/public/arch-x86/xen.h,
 * xen_cpuid_leaf_t and xen_msr_entry_t).
 */
#ifndef DOMAIN_MANAGER_CPU_POLICY_H
#define DOMAIN_MANAGER_CPU_POLICY_H

#include <stdbool.h>
#include <stdint.h>
#include <xen/xen.h>

#define CPU_POLICY_LEAVES 120u /* at most, as in Xen 4.17 */
#define CPU_POLICY_MSRS	  2u

/* All leaves that a guest may be given; how many. */
uint32_t cpu_policy_leaves(xen_cpuid_leaf_t out[CPU_POLICY_LEAVES]);
void cpu_policy_msrs(xen_msr_entry_t out[CPU_POLICY_MSRS]);
/* May a toolstack set this leaf? False names one that no policy has. */
bool cpu_policy_has(const xen_cpuid_leaf_t *leaf);

#endif
