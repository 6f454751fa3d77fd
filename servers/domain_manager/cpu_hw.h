/* The time stamp counter; and what CPUID says of the machine, in Xen's order of feature words (xen/include/public/arch-x86/cpufeatureset.h). */
#ifndef DOMAIN_MANAGER_CPU_HW_H
#define DOMAIN_MANAGER_CPU_HW_H

#include <stdint.h>

enum { CPU_EAX, CPU_EBX, CPU_ECX, CPU_EDX };

#define CPU_FEATURESET_WORDS 19u
#define CPU_NO_LEAF	     0xffffffffu /* a word that is not of CPUID: MSR_ARCH_CAPABILITIES, which no guest has */

static inline uint32_t cpu_word(uint32_t leaf, uint32_t sub, unsigned reg)
{
	uint32_t max, r[4];

	__asm__ volatile("cpuid" : "=a"(max), "=b"(r[1]), "=c"(r[2]), "=d"(r[3]) : "a"(leaf & 0x80000000u), "c"(0));
	if (leaf > max)
		return 0;
	__asm__ volatile("cpuid" : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3]) : "a"(leaf), "c"(sub));
	return r[reg];
}

static inline uint64_t cpu_tsc(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

/* The first n words. */
static inline void cpu_featureset(uint32_t *out, uint32_t n)
{
	static const struct {
		uint32_t leaf;
		uint8_t sub, reg;
	} word[CPU_FEATURESET_WORDS] = {
		{1, 0, CPU_EDX}, {1, 0, CPU_ECX}, {0x80000001u, 0, CPU_EDX}, {0x80000001u, 0, CPU_ECX}, {0xd, 1, CPU_EAX},
		{7, 0, CPU_EBX}, {7, 0, CPU_ECX}, {0x80000007u, 0, CPU_EDX}, {0x80000008u, 0, CPU_EBX}, {7, 0, CPU_EDX},
		{7, 1, CPU_EAX}, {0x80000021u, 0, CPU_EAX}, {7, 1, CPU_EBX}, {7, 2, CPU_EDX}, {7, 1, CPU_ECX}, {7, 1, CPU_EDX},
		{CPU_NO_LEAF, 0, CPU_EAX}, {CPU_NO_LEAF, 0, CPU_EDX}, {0x80000021u, 0, CPU_ECX},
	};

	for (uint32_t i = 0; i < n && i < CPU_FEATURESET_WORDS; i++)
		out[i] = cpu_word(word[i].leaf, word[i].sub, word[i].reg);
}

#endif
