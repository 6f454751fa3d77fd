/* Host tests only: CPUID leaves and the TSC are variables of vmm_fake.c. */
#ifndef VMM_CPU_HW_H
#define VMM_CPU_HW_H

#include <stdint.h>

void cpu_cpuid(uint32_t leaf, uint32_t sub, uint32_t r[4]);
uint64_t cpu_xgetbv(void);
uint64_t cpu_tsc(void);

#endif
