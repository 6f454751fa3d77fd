/*
 * CPUID as this domain sees it: its policy (lib/cpu_policy), decided before it runs, and Xen's own leaves. What the
 * vCPU or its state decides (APIC ids, OSXSAVE, XSAVE sizes) is put in at the exit.
 */
#include "servers/vmm/vmm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "cpu_policy/cpu_policy.h"
#include "servers/vmm/xen/physmap_call.h"
#include <xen/arch-x86/cpuid.h>

enum { EAX, EBX, ECX, EDX };

#define XEN_LEAVES 5u
#define L1_ECX_OSXSAVE (1u << 27)
#define E1_EDX_SYSCALL (1u << 11)
#define XSAVE_BASE 576u /* bytes: the legacy region and the header */

static struct cpu_policy policy;
static uint64_t xcr0, cr4, efer;
static uint32_t xen_max;

uint64_t cpuid_xcr0_mask(void)
{
	return xcr0;
}

uint32_t cpuid_xsave_bytes(uint64_t components)
{
	uint32_t bytes = XSAVE_BASE;

	for (unsigned i = 2; i < CPU_POLICY_XSTATES; i++)
		if (components & xcr0 & 1ull << i && policy.xstate[i][EBX] + policy.xstate[i][EAX] > bytes)
			bytes = policy.xstate[i][EBX] + policy.xstate[i][EAX];
	return bytes;
}

uint64_t cpuid_cr4_mask(void)
{
	return cr4;
}

uint64_t cpuid_efer_mask(void)
{
	return efer;
}

/* Nobody has said what it is to have: all that there is, each vCPU on a core of its own. */
static void own(void)
{
	struct cpu_policy machine;
	uint32_t r[4];

	cpu_policy_machine(&machine, cpu_cpuid);
	cpu_cpuid(1, 0, r);
	cpu_policy_max(&policy, &machine, r[ECX] & L1_ECX_OSXSAVE ? cpu_xgetbv() : 0);
	policy.basic[1][EBX] = (policy.basic[1][EBX] & 0x0000ff00u) | ((vmm.vcpu_count * 2) & 0xffu) << 16;
}

void cpuid_init(void)
{
	int r = vmm.start->flags & VMM_START_BARE ? physmap_call_cpu_policy(&policy) : -ENOENT;

	if (r == -ENOENT)
		own();
	else if (r)
		abort(); /* it must not have more than it was to have */
	if (policy.basic[0][EAX] >= CPU_POLICY_BASIC || policy.extended[0][EAX] - CPU_POLICY_EXTENDED_FIRST >= CPU_POLICY_EXTENDED)
		abort();
	vmm.is_amd = cpu_policy_is_amd(&policy);
	xcr0 = cpu_policy_xcr0(&policy);
	cr4 = cpu_policy_cr4(&policy);
	efer = cpu_policy_efer(&policy);
	xen_max = policy.hv_limit == 0 || policy.hv_limit > XEN_LEAVES ? XEN_LEAVES : policy.hv_limit < 2 ? 2 : policy.hv_limit;
	xen_max += XEN_CPUID_FIRST_LEAF;
}

static void xsave_leaf(const struct vcpu *v, uint32_t sub, uint32_t r[4])
{
	uint64_t on = v->s->xcr0 & xcr0;
	uint32_t now = XSAVE_BASE;

	if (!xcr0 || sub >= CPU_POLICY_XSTATES)
		return;
	memcpy(r, policy.xstate[sub], 16);
	if (sub == 0) {
		r[EBX] = cpuid_xsave_bytes(on);
	} else if (sub == 1 && r[EAX] & 2u) {
		for (unsigned i = 2; i < 8; i++)
			if (on >> i & 1) {
				if (policy.xstate[i][ECX] & 2u)
					now = (now + 63u) & ~63u;
				now += policy.xstate[i][EAX];
			}
		r[EBX] = now;
	}
}

static void xen_leaf(const struct vcpu *v, uint32_t leaf, uint32_t sub, uint32_t r[4])
{
	switch (leaf - XEN_CPUID_FIRST_LEAF) {
	case 0:
		r[EAX] = xen_max;
		r[EBX] = XEN_CPUID_SIGNATURE_EBX;
		r[ECX] = XEN_CPUID_SIGNATURE_ECX;
		r[EDX] = XEN_CPUID_SIGNATURE_EDX;
		break;
	case 1:
		r[EAX] = (4u << 16) | 17u;
		break;
	case 2:
		r[EAX] = 1;
		r[EBX] = 0x40000000u;
		break;
	case 3:
		if (sub == 0) {
			r[ECX] = (uint32_t)(vmm.tsc_hz / 1000);
		} else if (sub == 1) {
			/* this domain's TSC offset, and the scale from TSC to nanoseconds */
			uint64_t offset = v->s->tsc_offset;

			r[EAX] = (uint32_t)offset;
			r[EBX] = (uint32_t)(offset >> 32);
			r[ECX] = vmm.clock.mul;
			r[EDX] = (uint32_t)(uint8_t)vmm.clock.shift;
		} else if (sub == 2) {
			r[EAX] = (uint32_t)(vmm.tsc_hz / 1000);
		}
		break;
	case 4:
		r[EAX] = XEN_HVM_CPUID_VCPU_ID_PRESENT | XEN_HVM_CPUID_DOMID_PRESENT |
			 XEN_HVM_CPUID_UPCALL_VECTOR;
		r[EBX] = v->id;
		r[ECX] = vmm.domid;
		break;
	default:
		break;
	}
}

static void leaf_get(const struct vcpu *v, uint32_t leaf, uint32_t sub, uint32_t r[4])
{
	memset(r, 0, 16);
	if (leaf >= XEN_CPUID_FIRST_LEAF && leaf <= xen_max) {
		xen_leaf(v, leaf, sub, r);
		return;
	}
	if (leaf >= CPU_POLICY_EXTENDED_FIRST) {
		if (leaf > policy.extended[0][EAX])
			return;
		memcpy(r, policy.extended[leaf - CPU_POLICY_EXTENDED_FIRST], 16);
		/* Intel's has SYSCALL in 64-bit mode only, and says so */
		if (leaf == CPU_POLICY_EXTENDED_FIRST + 1 && !vmm.is_amd && !(v->s->efer & EFER_LMA))
			r[EDX] &= ~E1_EDX_SYSCALL;
		return;
	}
	if (leaf > policy.basic[0][EAX]) {
		/* Intel: the highest basic leaf's data; AMD: zero. Zero on both, as Xen */
		return;
	}
	switch (leaf) {
	case 1:
		memcpy(r, policy.basic[1], 16);
		r[EBX] |= (v->lapic.id & 0xffu) << 24;
		if (v->s->cr4 & CR4_OSXSAVE)
			r[ECX] |= L1_ECX_OSXSAVE;
		break;
	case 4:
		if (sub < CPU_POLICY_CACHES)
			memcpy(r, policy.cache[sub], 16);
		break;
	case 7:
		if (sub < CPU_POLICY_FEATURES)
			memcpy(r, policy.feature[sub], 16);
		break;
	case 0xb:
		r[ECX] = sub & 0xffu;
		r[EDX] = v->lapic.id;
		break;
	case 0xd:
		xsave_leaf(v, sub, r);
		break;
	default:
		memcpy(r, policy.basic[leaf], 16);
		break;
	}
}

void cpuid_exit(struct vcpu *v)
{
	uint32_t r[4];

	leaf_get(v, (uint32_t)v->s->gpr[INSULA_RAX], (uint32_t)v->s->gpr[INSULA_RCX], r);
	if (!vcpu_skip(v))
		return;
	v->s->gpr[INSULA_RAX] = r[EAX];
	v->s->gpr[INSULA_RBX] = r[EBX];
	v->s->gpr[INSULA_RCX] = r[ECX];
	v->s->gpr[INSULA_RDX] = r[EDX];
	v->s->dirty |= INSULA_VS_GPR;
}
