/* What of a machine a domain may have, and what of a policy is kept. */
#include "cpu_policy/cpu_policy.h"

#include <errno.h>
#include <string.h>
#include <xen/arch-x86/cpufeatureset.h>

enum { EAX, EBX, ECX, EDX };

#define F(name)		 XEN_X86_FEATURE_##name
#define EXTENDED_AMD	 0x80000021u
#define EXTENDED_INTEL	 0x80000008u
#define SIGNATURE	 0x0fff0fffu /* family, model, stepping */
#define CLFLUSH_SIZE	 0x0000ff00u
#define LOGICAL		 0x00ff0000u /* processors of a package */
#define CACHE_SHARED_ONE 0x3ffu	     /* leaf 4: one thread shares it, of one core */
#define XSAVE_LEGACY	 576u
#define STATE_AVX	 (1ull << 2)
#define STATE_AVX512	 0xe0ull
#define ARAT		 (1u << 2) /* leaf 6: the APIC timer does not stop */
#define CPUID_FAULTING	 (1ull << 31) /* of MSR_PLATFORM_INFO */

/* Offered where the machine has them, by the vendors' manuals' names. AVX-512: only where all its states are kept. */
static const uint32_t offered[CPU_POLICY_WORDS] = {
	[0] = 0x178bfbffu, /* FPU VME DE PSE TSC MSR PAE MCE CX8 APIC SEP MTRR PGE MCA CMOV PAT PSE36 CLFSH MMX FXSR SSE SSE2 HTT */
	[1] = 0x76f83203u, /* SSE3 PCLMUL SSSE3 FMA CX16 SSE4.1 SSE4.2 x2APIC MOVBE POPCNT AES XSAVE AVX F16C RDRAND */
	[2] = 0x2e500800u, /* SYSCALL NX MMXEXT FFXSR 1GB RDTSCP LM: the rest of leaf 1's copies are added on AMD */
	[3] = 0x000001f1u, /* LAHF CR8 LZCNT SSE4A MISALIGNSSE 3DNOWPREFETCH */
	[4] = 0x00000007u, /* XSAVEOPT XSAVEC XGETBV1; no supervisor components */
	[5] = 0x219c03a9u | 0xd0230000u, /* FSGSBASE BMI1 AVX2 SMEP BMI2 ERMS RDSEED ADX SMAP CLFLUSHOPT CLWB SHA | AVX-512 F DQ IFMA CD BW VL */
	[6] = 0x00400704u | 0x00005842u, /* UMIP GFNI VAES VPCLMULQDQ RDPID | AVX-512 VBMI VBMI2 VNNI BITALG VPOPCNTDQ */
	[8] = 0x00000204u, /* XSAVEERPTR WBNOINVD */
	[9] = 0x00000410u, /* FSRM, MD_CLEAR */
};
#define COPIES 0x0183f3ffu /* of leaf 1's EDX in 0x80000001's, on AMD */

/* What says nothing without another. */
static const struct {
	uint16_t feature, needs;
} depends[] = {
	{F(MMX), F(FPU)},
	{F(PSE36), F(PSE)},
	{F(LM), F(PAE)},
	{F(NX), F(PAE)},
	{F(X2APIC), F(APIC)},
	{F(MMXEXT), F(MMX)},
	{F(FFXSR), F(FXSR)},
	{F(SSE), F(FXSR)},
	{F(SSE2), F(SSE)},
	{F(MISALIGNSSE), F(SSE)},
	{F(SSE3), F(SSE2)},
	{F(LM), F(SSE2)},
	{F(AESNI), F(SSE2)},
	{F(PCLMULQDQ), F(SSE2)},
	{F(SHA), F(SSE2)},
	{F(GFNI), F(SSE2)},
	{F(SSSE3), F(SSE3)},
	{F(SSE4A), F(SSE3)},
	{F(SSE4_1), F(SSSE3)},
	{F(SSE4_2), F(SSE4_1)},
	{F(XSAVEOPT), F(XSAVE)},
	{F(XSAVEC), F(XSAVE)},
	{F(XGETBV1), F(XSAVE)},
	{F(AVX), F(XSAVE)},
	{F(FMA), F(AVX)},
	{F(F16C), F(AVX)},
	{F(AVX2), F(AVX)},
	{F(VAES), F(AVX2)},
	{F(VPCLMULQDQ), F(AVX2)},
	{F(AVX512F), F(AVX2)},
	{F(AVX512DQ), F(AVX512F)},
	{F(AVX512_IFMA), F(AVX512F)},
	{F(AVX512CD), F(AVX512F)},
	{F(AVX512BW), F(AVX512F)},
	{F(AVX512VL), F(AVX512F)},
	{F(AVX512_VNNI), F(AVX512F)},
	{F(AVX512_VPOPCNTDQ), F(AVX512F)},
	{F(AVX512_VBMI), F(AVX512BW)},
	{F(AVX512_VBMI2), F(AVX512BW)},
	{F(AVX512_BITALG), F(AVX512BW)},
	{F(CX16), F(LM)},
	{F(LAHF_LM), F(LM)},
	{F(PAGE1GB), F(LM)},
};

static uint32_t min(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static bool has(struct cpu_policy *p, unsigned feature)
{
	return *cpu_policy_word(p, feature / 32) >> (feature % 32) & 1;
}

static void set(struct cpu_policy *p, unsigned feature, bool to)
{
	uint32_t *word = cpu_policy_word(p, feature / 32), bit = 1u << (feature % 32);

	*word = to ? *word | bit : *word & ~bit;
}

bool cpu_policy_is_amd(const struct cpu_policy *p)
{
	return p->basic[0][EBX] == 0x68747541u || p->basic[0][EBX] == 0x6f677948u; /* "Auth", "Hygo" */
}

struct allows {
	uint64_t bits;
	uint16_t feature;
};

static uint64_t allowed(const struct cpu_policy *p, const struct allows *a, unsigned n)
{
	uint32_t words[CPU_POLICY_WORDS];
	uint64_t bits = 0;

	cpu_policy_featureset(p, words);
	for (unsigned i = 0; i < n; i++)
		if (words[a[i].feature / 32] >> (a[i].feature % 32) & 1)
			bits |= a[i].bits;
	return bits;
}

uint64_t cpu_policy_cr4(const struct cpu_policy *p)
{
	static const struct allows a[] = {{3u, F(VME)},		{1u << 2, F(TSC)},	 {1u << 3, F(DE)},	{1u << 4, F(PSE)},	{1u << 5, F(PAE)},
					  {1u << 6, F(MCE)},	{1u << 7, F(PGE)},	 {1u << 9, F(FXSR)},	{1u << 10, F(SSE)},	{1u << 11, F(UMIP)},
					  {1u << 16, F(FSGSBASE)}, {1u << 17, F(PCID)}, {1u << 18, F(XSAVE)}, {1u << 20, F(SMEP)}, {1u << 21, F(SMAP)}};

	return 1u << 8 | allowed(p, a, sizeof(a) / sizeof(a[0])); /* PCE */
}

uint64_t cpu_policy_efer(const struct cpu_policy *p)
{
	static const struct allows a[] = {{1u, F(SYSCALL)}, {5u << 8, F(LM)}, {1u << 11, F(NX)}, {1u << 14, F(FFXSR)}};

	return allowed(p, a, sizeof(a) / sizeof(a[0]));
}

uint64_t cpu_policy_xcr0(const struct cpu_policy *p)
{
	return p->xstate[0][EAX] | (uint64_t)p->xstate[0][EDX] << 32;
}

/* Until there is nothing more to take away: a chain is no longer than the table. */
static void depend(struct cpu_policy *p)
{
	bool changed = true;

	if (p->basic[0][EAX] < 0xd)
		set(p, F(XSAVE), false);
	while (changed) {
		changed = false;
		for (unsigned i = 0; i < sizeof(depends) / sizeof(depends[0]); i++)
			if (has(p, depends[i].feature) && !has(p, depends[i].needs)) {
				set(p, depends[i].feature, false);
				changed = true;
			}
	}
}

/* Leaf 0xd follows from the features; where the components are, and how large, from the machine. */
static void xstate_make(struct cpu_policy *p, const uint32_t machine[CPU_POLICY_XSTATES][4])
{
	uint32_t instructions = p->xstate[1][EAX], size = XSAVE_LEGACY;
	uint32_t from[8][4];
	uint64_t states;

	memcpy(from, machine, sizeof(from));
	memset(p->xstate, 0, sizeof(p->xstate));
	if (!has(p, F(XSAVE)))
		return;
	states = 3u | (has(p, F(AVX)) ? STATE_AVX : 0) | (has(p, F(AVX512F)) ? STATE_AVX512 : 0);
	for (unsigned i = 2; i < 8; i++)
		if (states >> i & 1) {
			memcpy(p->xstate[i], from[i], sizeof(from[i]));
			p->xstate[i][ECX] &= 2u; /* aligned in compact form */
			p->xstate[i][EDX] = 0;
			if (from[i][EBX] + from[i][EAX] > size)
				size = from[i][EBX] + from[i][EAX];
		}
	p->xstate[0][EAX] = (uint32_t)states;
	p->xstate[0][ECX] = size;
	p->xstate[1][EAX] = instructions;
}

/* What no domain is told: power, performance counters, topology (each vCPU is a package's core), nested virtualization, the vendor's other matters. */
static void hide(struct cpu_policy *p)
{
	bool amd = cpu_policy_is_amd(p);

	p->basic[1][EAX] &= SIGNATURE;
	p->basic[1][EBX] &= CLFLUSH_SIZE | LOGICAL;
	for (unsigned i = 2; i < CPU_POLICY_BASIC; i++) {
		uint32_t kept = i == 6 ? p->basic[i][EAX] & ARAT : 0;

		if (i != 2 || amd)
			memset(p->basic[i], 0, sizeof(p->basic[i]));
		else
			p->basic[i][EAX] = (p->basic[i][EAX] & ~0xffu) | 1; /* one call tells all */
		p->basic[i][EAX] |= kept;
	}
	memset(p->topology, 0, sizeof(p->topology));
	if (amd)
		memset(p->cache, 0, sizeof(p->cache));
	for (unsigned i = 0; i < CPU_POLICY_CACHES; i++) {
		p->cache[i][EAX] &= 0xffffc3ffu;
		p->cache[i][EDX] &= 7u;
	}
	memset(p->feature[2], 0, 3 * sizeof(uint32_t)); /* its EDX has features */
	if (amd) {
		memcpy(&p->extended[0][EBX], &p->basic[0][EBX], 3 * sizeof(uint32_t));
		p->extended[1][EAX] = p->basic[1][EAX];
		p->extended[1][EBX] &= 0xff00ffffu;
	} else {
		memset(&p->extended[0][EBX], 0, 3 * sizeof(uint32_t));
		p->extended[1][EAX] = p->extended[1][EBX] = 0;
		memset(p->extended[5], 0, sizeof(p->extended[5]));
		p->extended[6][EAX] = p->extended[6][EBX] = p->extended[6][EDX] = 0;
	}
	p->extended[1][EDX] &= ~COPIES;
	if (amd)
		p->extended[1][EDX] |= p->basic[1][EDX] & COPIES;
	p->extended[7][EAX] = p->extended[7][EBX] = p->extended[7][ECX] = 0;
	p->extended[8][ECX] &= amd ? 0x0003f0ffu : 0;
	p->extended[8][EDX] = 0;
	for (unsigned i = 9; i < CPU_POLICY_EXTENDED; i++) {
		uint32_t features[4] = {p->extended[i][EAX], 0, p->extended[i][ECX], 0};

		if (i == 0x21)
			memcpy(p->extended[i], features, sizeof(features));
		else if ((i != 0x19 && i != 0x1a) || (i == 0x19 && !has(p, F(PAGE1GB))))
			memset(p->extended[i], 0, sizeof(p->extended[i]));
	}
}

/* Address bits: no more than max's, and what paging without PAE has at least. */
static void addresses(struct cpu_policy *p, uint32_t most)
{
	uint32_t physical = min(p->extended[8][EAX] & 0xffu, most & 0xffu), least = has(p, F(PAE)) || has(p, F(PSE36)) ? 36 : 32;

	p->extended[8][EAX] = (physical < least ? least : physical) | (has(p, F(LM)) ? 48u : 32u) << 8;
}

static void follow(struct cpu_policy *p, const uint32_t machine[CPU_POLICY_XSTATES][4], uint32_t address_bits)
{
	depend(p);
	xstate_make(p, machine);
	hide(p);
	addresses(p, address_bits);
	cpu_policy_trim(p);
}

void cpu_policy_max(struct cpu_policy *p, const struct cpu_policy *machine, uint64_t xcr0)
{
	bool amd = cpu_policy_is_amd(machine);

	*p = *machine;
	for (unsigned i = 0; i < CPU_POLICY_WORDS; i++)
		*cpu_policy_word(p, i) &= offered[i];
	set(p, F(HTT), true);
	set(p, F(X2APIC), true);
	set(p, F(HYPERVISOR), true);
	if (!xcr0)
		set(p, F(XSAVE), false);
	if (!(xcr0 & STATE_AVX))
		set(p, F(AVX), false);
	if ((xcr0 & STATE_AVX512) != STATE_AVX512)
		set(p, F(AVX512F), false);
	p->basic[6][EAX] = p->basic[0][EAX] >= 6 ? ARAT : 0;
	if (!(p->basic[1][EBX] & LOGICAL))
		p->basic[1][EBX] |= 1u << 16;
	for (unsigned i = 0; i < CPU_POLICY_CACHES; i++)
		p->cache[i][EAX] &= CACHE_SHARED_ONE;
	p->extended[0][EAX] = min(p->extended[0][EAX], amd ? EXTENDED_AMD : EXTENDED_INTEL);
	memset(p->extended[0x19], 0, sizeof(p->extended[0x19]));
	memset(p->extended[0x1a], 0, sizeof(p->extended[0x1a]));
	p->extended[8][ECX] = 0;
	p->hv_limit = p->hv2_limit = 0;
	p->platform_info = 0;
	if (p->extended[0][EAX] < EXTENDED_INTEL)
		p->extended[8][EAX] = 36; /* what a CPU has that does not say */
	follow(p, machine->xstate, p->extended[8][EAX]);
}

static int refuse(struct cpu_policy_error *e, uint32_t leaf, uint32_t subleaf, uint32_t msr)
{
	*e = (struct cpu_policy_error){leaf, subleaf, msr};
	return -EINVAL;
}

/* Xen tells domains of AMD's last leaf on machines that end before it, for a bit of its own: theirs are taken. */
static uint32_t extended_most(const struct cpu_policy *max)
{
	return cpu_policy_is_amd(max) ? EXTENDED_AMD : max->extended[0][EAX];
}

int cpu_policy_fit(struct cpu_policy *p, const struct cpu_policy *max, struct cpu_policy_error *e, uint32_t lost[CPU_POLICY_WORDS])
{
	uint32_t most[CPU_POLICY_WORDS];

	*e = (struct cpu_policy_error){~0u, ~0u, ~0u};
	cpu_policy_trim(p);
	if (p->basic[0][EAX] > max->basic[0][EAX] || memcmp(&p->basic[0][EBX], &max->basic[0][EBX], 3 * sizeof(uint32_t)) != 0)
		return refuse(e, 0, XEN_CPUID_NO_SUBLEAF, ~0u);
	if (p->feature[0][EAX] > max->feature[0][EAX])
		return refuse(e, 7, 0, ~0u);
	if (p->extended[0][EAX] > extended_most(max))
		return refuse(e, CPU_POLICY_EXTENDED_FIRST, XEN_CPUID_NO_SUBLEAF, ~0u);
	if (p->platform_info & ~CPUID_FAULTING)
		return refuse(e, ~0u, ~0u, 0xce);
	p->platform_info &= max->platform_info;
	p->extended[0][EAX] = CPU_POLICY_EXTENDED_FIRST | min(p->extended[0][EAX] & 0xffffu, extended_most(max) & 0xffffu);
	cpu_policy_featureset(max, most);
	most[F(CMP_LEGACY) / 32] |= 1u << F(CMP_LEGACY) % 32; /* topology is the toolstack's to tell */
	for (unsigned i = 0; i < CPU_POLICY_WORDS; i++) {
		uint32_t *word = cpu_policy_word(p, i);

		lost[i] = *word & ~most[i];
		*word &= most[i];
	}
	p->basic[1][EBX] = (p->basic[1][EBX] & ~CLFLUSH_SIZE) | (max->basic[1][EBX] & CLFLUSH_SIZE);
	p->basic[6][EAX] &= max->basic[6][EAX];
	follow(p, max->xstate, max->extended[8][EAX]);
	return 0;
}
