/*
 * Instructions of the test payload: privileged ones, and hypercalls (VMMCALL, register convention of
 * xen/arch-x86/xen-x86_64.h). Decides nothing.
 */
#ifndef PAYLOAD_HW_H
#define PAYLOAD_HW_H

#include <stdint.h>

static inline uint64_t payload_tsc(void)
{
	uint32_t low, high;

	__asm__ volatile("lfence; rdtsc; lfence" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

struct payload_cpuid {
	uint32_t a, b, c, d;
};

static inline struct payload_cpuid payload_cpuid(uint32_t leaf)
{
	struct payload_cpuid r;

	__asm__ volatile("cpuid" : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d) : "0"(leaf), "2"(0) : "memory");
	return r;
}

static inline uint64_t payload_rdmsr(uint32_t msr)
{
	uint32_t low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr) : "memory");
	return (uint64_t)high << 32 | low;
}

static inline void payload_wrmsr(uint32_t msr, uint64_t value)
{
	__asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)) : "memory");
}

static inline void payload_out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline uint8_t payload_in8(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
	return value;
}

static inline int64_t payload_hypercall(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e)
{
	int64_t result;
	register uint64_t r10 __asm__("r10") = d;
	register uint64_t r8 __asm__("r8") = e;

	__asm__ volatile("vmmcall"
			 : "=a"(result), "+D"(a), "+S"(b), "+d"(c), "+r"(r10), "+r"(r8)
			 : "0"(number)
			 : "memory", "rcx", "r9", "r11");
	return result;
}

struct __attribute__((packed)) payload_table {
	uint16_t limit;
	uint64_t base;
};

static inline void payload_lidt(const struct payload_table *table)
{
	__asm__ volatile("lidt %0" : : "m"(*table));
}

static inline void payload_sti(void) { __asm__ volatile("sti" : : : "memory"); }
static inline void payload_cli(void) { __asm__ volatile("cli" : : : "memory"); }
#define PAYLOAD_STORE_BYTES 3 /* of the instruction */
static inline void payload_store(volatile uint64_t *at, uint64_t value)
{
	__asm__ volatile("movq %1, (%0)" : : "D"(at), "a"(value) : "memory");
}
static inline void payload_halt(void) { __asm__ volatile("sti; hlt" : : : "memory"); }
static inline void payload_pause(void) { __asm__ volatile("pause" : : : "memory"); }
static inline void payload_int3(void) { __asm__ volatile("int3" : : : "memory"); }
static inline void payload_fence(void) { __asm__ volatile("mfence" : : : "memory"); }

#endif
