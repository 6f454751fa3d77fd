/* Single instructions. They decide nothing. */
#ifndef ARCH_X86_CPU_HW_H
#define ARCH_X86_CPU_HW_H

#include "types.h"

#ifdef INSULA_HOST
/* On the host the fake of the test provides these. */
uint64_t cpu_rdmsr(uint32_t msr);
void cpu_wrmsr(uint32_t msr, uint64_t value);
ticks_t cpu_rdtsc(void);
void cpu_pause(void);
void cpu_invlpg(uint64_t v);
void cpu_invpcid_page(uint64_t pcid, uint64_t va);
uint64_t cpu_read_cr2(void);
void cpu_write_cr2(uint64_t v);
uint64_t cpu_xgetbv(void);
void cpu_xsetbv(uint64_t v);
uint64_t cpu_read_dr(unsigned n);
void cpu_write_dr(unsigned n, uint64_t v);
void cpu_cpuid(uint32_t leaf, uint32_t sub, uint32_t r[4]);
uint8_t cpu_in8(uint16_t port);
uint16_t cpu_in16(uint16_t port);
uint32_t cpu_in32(uint16_t port);
void cpu_out8(uint16_t port, uint8_t v);
void cpu_out16(uint16_t port, uint16_t v);
void cpu_out32(uint16_t port, uint32_t v);
#else
static inline uint64_t cpu_rdmsr(uint32_t msr)
{
	uint32_t lo, hi;
	__asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
	return ((uint64_t)hi << 32) | lo;
}
static inline void cpu_wrmsr(uint32_t msr, uint64_t value)
{
	__asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)) : "memory");
}
static inline ticks_t cpu_rdtsc(void)
{
	uint32_t lo, hi;
	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return ((uint64_t)hi << 32) | lo;
}
static inline uint64_t cpu_read_cr2(void)
{
	uint64_t v;
	__asm__ volatile("movq %%cr2, %0" : "=r"(v));
	return v;
}
static inline void cpu_write_cr2(uint64_t v)
{
	__asm__ volatile("movq %0, %%cr2" : : "r"(v));
}
static inline uint64_t cpu_read_cr3(void)
{
	uint64_t v;
	__asm__ volatile("movq %%cr3, %0" : "=r"(v));
	return v;
}
static inline void cpu_write_cr3(uint64_t v)
{
	__asm__ volatile("movq %0, %%cr3" : : "r"(v) : "memory");
}
static inline uint64_t cpu_read_cr0(void)
{
	uint64_t v;
	__asm__ volatile("movq %%cr0, %0" : "=r"(v));
	return v;
}
static inline void cpu_write_cr0(uint64_t v)
{
	__asm__ volatile("movq %0, %%cr0" : : "r"(v) : "memory");
}
static inline uint64_t cpu_read_cr4(void)
{
	uint64_t v;
	__asm__ volatile("movq %%cr4, %0" : "=r"(v));
	return v;
}
static inline void cpu_write_cr4(uint64_t v)
{
	__asm__ volatile("movq %0, %%cr4" : : "r"(v) : "memory");
}
static inline void cpu_invlpg(uint64_t v)
{
	__asm__ volatile("invlpg (%0)" : : "r"(v) : "memory");
}
/* Translations of one page under an identifier other than 0 (SDM 2A, INVPCID, type 0). */
static inline void cpu_invpcid_page(uint64_t pcid, uint64_t va)
{
	struct {
		uint64_t pcid, va;
	} d = {pcid, va};
	__asm__ volatile("invpcid %0, %1" : : "m"(d), "r"(0ull) : "memory");
}
static inline uint64_t cpu_xgetbv(void)
{
	uint32_t lo, hi;
	__asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
	return ((uint64_t)hi << 32) | lo;
}
static inline void cpu_xsetbv(uint64_t v)
{
	__asm__ volatile("xsetbv" : : "c"(0), "a"((uint32_t)v), "d"((uint32_t)(v >> 32)));
}
static inline void cpu_cpuid(uint32_t leaf, uint32_t sub, uint32_t r[4])
{
	__asm__ volatile("cpuid" : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3]) : "a"(leaf), "c"(sub));
}
/* Interrupts off, for good. */
NORETURN static inline void cpu_stop(void)
{
	for (;;)
		__asm__ volatile("cli\n\thlt");
}
/* Interrupts on for one instruction: a waiting one is taken. */
static inline void cpu_interrupt_window(void)
{
	__asm__ volatile("sti\n\tnop\n\tcli" : : : "memory");
}
static inline void cpu_pause(void)
{
	__asm__ volatile("pause");
}
/* In the kernel GS is its own: the user's base is in KERNEL_GS_BASE, or behind SWAPGS. FSGSBASE must be on.
 */
static inline uint64_t cpu_rdfsbase(void)
{
	uint64_t v;
	__asm__ volatile("rdfsbase %0" : "=r"(v));
	return v;
}
static inline void cpu_wrfsbase(uint64_t v)
{
	__asm__ volatile("wrfsbase %0" : : "r"(v));
}
/* What it was. One statement: nothing of ours may use GS between the two SWAPGS. */
static inline uint64_t cpu_exchange_user_gsbase(uint64_t v)
{
	uint64_t old;
	__asm__ volatile("swapgs\n\trdgsbase %0\n\twrgsbase %1\n\tswapgs" : "=&r"(old) : "r"(v) : "memory");
	return old;
}
static inline uint64_t cpu_read_user_gsbase(void)
{
	uint64_t v;
	__asm__ volatile("swapgs\n\trdgsbase %0\n\tswapgs" : "=r"(v) : : "memory");
	return v;
}
/* MOVSQ and STOSQ, repeated `words` times, upwards. */
static inline void cpu_rep_movsq(void *dst, const void *src, uint64_t words)
{
	__asm__ volatile("rep movsq" : "+D"(dst), "+S"(src), "+c"(words) : : "memory");
}
static inline void cpu_rep_stosq(void *dst, uint64_t value, uint64_t words)
{
	__asm__ volatile("rep stosq" : "+D"(dst), "+c"(words) : "a"(value) : "memory");
}
/* Loops written in C around this are not turned into calls of memcpy and the like. */
static inline void cpu_compiler_barrier(void)
{
	__asm__ volatile("" : : : "memory");
}
static inline uint64_t cpu_read_dr(unsigned n)
{
	uint64_t v = 0;
	switch (n) {
	case 0:
		__asm__ volatile("movq %%dr0, %0" : "=r"(v));
		break;
	case 1:
		__asm__ volatile("movq %%dr1, %0" : "=r"(v));
		break;
	case 2:
		__asm__ volatile("movq %%dr2, %0" : "=r"(v));
		break;
	case 3:
		__asm__ volatile("movq %%dr3, %0" : "=r"(v));
		break;
	case 6:
		__asm__ volatile("movq %%dr6, %0" : "=r"(v));
		break;
	default:
		__asm__ volatile("movq %%dr7, %0" : "=r"(v));
		break;
	}
	return v;
}
static inline void cpu_write_dr(unsigned n, uint64_t v)
{
	switch (n) {
	case 0:
		__asm__ volatile("movq %0, %%dr0" : : "r"(v));
		break;
	case 1:
		__asm__ volatile("movq %0, %%dr1" : : "r"(v));
		break;
	case 2:
		__asm__ volatile("movq %0, %%dr2" : : "r"(v));
		break;
	case 3:
		__asm__ volatile("movq %0, %%dr3" : : "r"(v));
		break;
	case 6:
		__asm__ volatile("movq %0, %%dr6" : : "r"(v));
		break;
	default:
		__asm__ volatile("movq %0, %%dr7" : : "r"(v));
		break;
	}
}
static inline uint8_t cpu_in8(uint16_t port)
{
	uint8_t v;
	__asm__ volatile("inb %w1, %b0" : "=a"(v) : "Nd"(port));
	return v;
}
static inline uint16_t cpu_in16(uint16_t port)
{
	uint16_t v;
	__asm__ volatile("inw %w1, %w0" : "=a"(v) : "Nd"(port));
	return v;
}
static inline uint32_t cpu_in32(uint16_t port)
{
	uint32_t v;
	__asm__ volatile("inl %w1, %0" : "=a"(v) : "Nd"(port));
	return v;
}
static inline void cpu_out8(uint16_t port, uint8_t v)
{
	__asm__ volatile("outb %b0, %w1" : : "a"(v), "Nd"(port));
}
static inline void cpu_out16(uint16_t port, uint16_t v)
{
	__asm__ volatile("outw %w0, %w1" : : "a"(v), "Nd"(port));
}
static inline void cpu_out32(uint16_t port, uint32_t v)
{
	__asm__ volatile("outl %0, %w1" : : "a"(v), "Nd"(port));
}
#endif

#endif
