/*
 * CPUID as this domain sees it: the host's leaves under an allow-list, made once at the start, and Xen's own. What the
 * vCPU or its state decides (APIC ids, OSXSAVE, XSAVE sizes) is put in at the exit.
 */
#include "servers/vmm/vmm.h"

#include <string.h>
#include <xen/arch-x86/cpuid.h>

enum { EAX, EBX, ECX, EDX };

#define BASIC_MAX 0x0du
#define EXT_MAX   0x80000008u
#define XEN_MAX   0x40000005u

/* Allowed bits, by the vendors' manuals' names. Leaf 1 */
#define L1_EDX 0x178bfbffu /* FPU VME DE PSE TSC MSR PAE MCE CX8 APIC SEP MTRR PGE MCA CMOV PAT PSE36 CLFSH MMX FXSR SSE SSE2 HTT */
#define L1_ECX 0x7ef83203u /* SSE3 PCLMUL SSSE3 FMA CX16 SSE4.1 SSE4.2 x2APIC MOVBE POPCNT AES XSAVE OSXSAVE AVX F16C RDRAND */
#define L1_ECX_X2APIC     (1u << 21)
#define L1_ECX_TSC_DEADLINE (1u << 24)
#define L1_ECX_XSAVE      (1u << 26)
#define L1_ECX_OSXSAVE    (1u << 27)
#define L1_ECX_HYPERVISOR (1u << 31)
/* Leaf 7, subleaf 0 */
#define L7_EBX_BASE   0x219c03a9u /* FSGSBASE BMI1 AVX2 SMEP BMI2 ERMS RDSEED ADX SMAP CLFLUSHOPT CLWB SHA */
#define L7_EBX_AVX512 0xd0230000u
#define L7_ECX_BASE   0x00400704u /* UMIP GFNI VAES VPCLMULQDQ RDPID */
#define L7_ECX_AVX512 0x00005842u
#define L7_EDX_BASE   0x00000410u /* FSRM, MD_CLEAR */
/* 0x80000001 */
#define E1_EDX 0x2e500800u /* SYSCALL NX MMXEXT FFXSR 1GB RDTSCP LM: the rest of leaf 1's copies are added on AMD */
#define E1_EDX_AMD_COPY 0x0183f3ffu
#define E1_ECX 0x000001f1u /* LAHF CR8 LZCNT SSE4A MISALIGNSSE 3DNOWPREFETCH */
#define E1_EDX_1GB (1u << 26)
#define E8_EBX 0x00000204u /* XSAVEERPTR WBNOINVD */

#define CR4_OSXSAVE (1ull << 18)

static struct {
	uint32_t basic[BASIC_MAX + 1][4];
	uint32_t leaf4[8][4];
	uint32_t ext[9][4];
	struct {
		uint32_t size, offset, flags;
	} xstate[64];
	uint32_t xsave_features; /* 0xd.1 EAX */
	uint64_t xcr0;
	uint32_t max_basic;
} policy;

uint64_t cpuid_xcr0_mask(void)
{
	return policy.xcr0;
}

uint32_t cpuid_xsave_bytes(void)
{
	uint32_t most = policy.xcr0 ? 576 : 0;

	for (unsigned i = 2; i < 8; i++)
		if (policy.xcr0 >> i & 1 && policy.xstate[i].offset + policy.xstate[i].size > most)
			most = policy.xstate[i].offset + policy.xstate[i].size;
	return most;
}

uint64_t cpuid_cr4_mask(void)
{
	const uint32_t *l1 = policy.basic[1], *l7 = policy.basic[7];
	uint64_t mask = 0x7ffu; /* VME .. OSXMMEXCPT */

	mask |= l7[ECX] & 1u << 2 ? 1ull << 11 : 0;   /* UMIP */
	mask |= l7[EBX] & 1u << 0 ? 1ull << 16 : 0;   /* FSGSBASE */
	mask |= l1[ECX] & 1u << 17 ? 1ull << 17 : 0;  /* PCIDE */
	mask |= l1[ECX] & L1_ECX_XSAVE ? CR4_OSXSAVE : 0;
	mask |= l7[EBX] & 1u << 7 ? 1ull << 20 : 0;   /* SMEP */
	mask |= l7[EBX] & 1u << 20 ? 1ull << 21 : 0;  /* SMAP */
	return mask;
}

static uint32_t min(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static void xstate_init(void)
{
	uint32_t r[4];

	if (!(policy.basic[1][ECX] & L1_ECX_XSAVE))
		return;
	cpu_cpuid(0xd, 0, r);
	/* components that the kernel saves for guests: x87, SSE, AVX, AVX-512 */
	policy.xcr0 = r[EAX] & cpu_xgetbv() & 0xe7u;
	cpu_cpuid(0xd, 1, r);
	policy.xsave_features = r[EAX] & 7u; /* XSAVEOPT XSAVEC XGETBV1; no supervisor components */
	for (unsigned i = 2; i < 8; i++) {
		if (!(policy.xcr0 & (1ull << i)))
			continue;
		cpu_cpuid(0xd, i, r);
		policy.xstate[i].size = r[EAX];
		policy.xstate[i].offset = r[EBX];
		policy.xstate[i].flags = r[ECX];
	}
}

void cpuid_init(void)
{
	uint32_t r[4], host_max, host_ext;
	bool avx512;

	memset(&policy, 0, sizeof(policy));
	cpu_cpuid(0, 0, r);
	host_max = r[EAX];
	policy.max_basic = min(host_max, BASIC_MAX);
	memcpy(policy.basic[0], r, sizeof(r));
	policy.basic[0][EAX] = policy.max_basic;
	vmm.is_amd = r[EBX] == 0x68747541u || r[EBX] == 0x6f677948u; /* "Auth", "Hygo" */

	cpu_cpuid(1, 0, r);
	policy.basic[1][EAX] = r[EAX];
	policy.basic[1][EBX] = (r[EBX] & 0x0000ff00u) | ((vmm.vcpu_count * 2) & 0xffu) << 16;
	policy.basic[1][ECX] = (r[ECX] & L1_ECX & ~L1_ECX_OSXSAVE) | L1_ECX_X2APIC | L1_ECX_HYPERVISOR;
	if (!(r[ECX] & L1_ECX_OSXSAVE))
		policy.basic[1][ECX] &= ~L1_ECX_XSAVE; /* the kernel did not switch it on */
	policy.basic[1][EDX] = (r[EDX] & L1_EDX) | (1u << 28);
	xstate_init();
	if (!(policy.xcr0 & 4))
		policy.basic[1][ECX] &= ~((1u << 28) | (1u << 12) | (1u << 29)); /* AVX FMA F16C */
	avx512 = (policy.xcr0 & 0xe0) == 0xe0;

	if (!vmm.is_amd) {
		if (policy.max_basic >= 2)
			cpu_cpuid(2, 0, policy.basic[2]);
		for (uint32_t i = 0; policy.max_basic >= 4 && i < 8; i++) {
			cpu_cpuid(4, i, policy.leaf4[i]);
			policy.leaf4[i][EAX] &= 0x3ffu; /* cores and threads: one each */
		}
	}
	if (policy.max_basic >= 6)
		policy.basic[6][EAX] = 1u << 2; /* ARAT: the APIC timer does not stop */
	if (policy.max_basic >= 7) {
		cpu_cpuid(7, 0, r);
		policy.basic[7][EBX] = r[EBX] & (L7_EBX_BASE | (avx512 ? L7_EBX_AVX512 : 0));
		policy.basic[7][ECX] = r[ECX] & (L7_ECX_BASE | (avx512 ? L7_ECX_AVX512 : 0));
		policy.basic[7][EDX] = r[EDX] & L7_EDX_BASE;
		if (!(policy.xcr0 & 4)) {
			policy.basic[7][EBX] &= ~(1u << 5);
			policy.basic[7][ECX] &= ~((1u << 9) | (1u << 10));
		}
	}

	cpu_cpuid(0x80000000u, 0, r);
	host_ext = r[EAX] >= 0x80000000u ? r[EAX] : 0x80000000u;
	memcpy(policy.ext[0], r, sizeof(r));
	policy.ext[0][EAX] = min(host_ext, EXT_MAX);
	for (uint32_t i = 1; i <= 8 && 0x80000000u + i <= host_ext; i++)
		cpu_cpuid(0x80000000u + i, 0, policy.ext[i]);
	policy.ext[1][ECX] &= E1_ECX;
	policy.ext[1][EDX] &= E1_EDX | (vmm.is_amd ? E1_EDX_AMD_COPY & L1_EDX : 0);
	memset(policy.ext[7], 0, sizeof(policy.ext[7])); /* TSC may change on a move: pvclock says when */
	policy.ext[8][EBX] &= E8_EBX;
	policy.ext[8][ECX] = 0;
	policy.ext[8][EDX] = 0;
}

static void xsave_leaf(const struct vcpu *v, uint32_t sub, uint32_t r[4])
{
	if (!policy.xcr0)
		return;
	if (sub == 0) {
		uint32_t now = 576, most = 576;

		for (unsigned i = 2; i < 8; i++) {
			uint32_t end = policy.xstate[i].offset + policy.xstate[i].size;

			if (policy.xcr0 & (1ull << i))
				most = end > most ? end : most;
			if (v->s->xcr0 & policy.xcr0 & (1ull << i))
				now = end > now ? end : now;
		}
		r[EAX] = (uint32_t)policy.xcr0;
		r[EBX] = now;
		r[ECX] = most;
	} else if (sub == 1) {
		r[EAX] = policy.xsave_features;
		if (policy.xsave_features & 2u) {
			r[EBX] = 576;
			for (unsigned i = 2; i < 8; i++)
				if (v->s->xcr0 & policy.xcr0 & (1ull << i)) {
					if (policy.xstate[i].flags & 2u)
						r[EBX] = (r[EBX] + 63u) & ~63u;
					r[EBX] += policy.xstate[i].size;
				}
		}
	} else if (sub < 64 && (policy.xcr0 & (1ull << sub))) {
		r[EAX] = policy.xstate[sub].size;
		r[EBX] = policy.xstate[sub].offset;
		r[ECX] = policy.xstate[sub].flags;
	}
}

static void xen_leaf(const struct vcpu *v, uint32_t leaf, uint32_t sub, uint32_t r[4])
{
	switch (leaf - XEN_CPUID_FIRST_LEAF) {
	case 0:
		r[EAX] = XEN_MAX;
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
	if (leaf >= XEN_CPUID_FIRST_LEAF && leaf <= XEN_MAX) {
		xen_leaf(v, leaf, sub, r);
		return;
	}
	if (leaf >= 0x80000000u) {
		if (leaf <= policy.ext[0][EAX])
			memcpy(r, policy.ext[leaf - 0x80000000u], 16);
		return;
	}
	if (leaf > policy.max_basic) {
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
		if (sub < 8)
			memcpy(r, policy.leaf4[sub], 16);
		break;
	case 7:
		if (sub == 0)
			memcpy(r, policy.basic[7], 16);
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
