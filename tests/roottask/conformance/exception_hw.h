/* Instructions that raise exceptions. */
#ifndef EXCEPTION_HW_H
#define EXCEPTION_HW_H

#include <stdint.h>

static inline void exception_divide(void)
{
	__asm__ volatile("xorl %%ecx, %%ecx\n\tdivl %%ecx" : : : "rax", "rcx", "rdx", "memory");
}

static inline void exception_step(void)
{
	__asm__ volatile("pushfq\n\torq $0x100, (%%rsp)\n\tpopfq\n\tnop" : : : "memory", "cc");
}

static inline void exception_breakpoint(void)
{
	__asm__ volatile("int3" : : : "memory");
}

static inline void exception_undefined(void)
{
	__asm__ volatile("ud2" : : : "memory");
}

static inline void exception_privileged(void)
{
	__asm__ volatile("hlt" : : : "memory");
}

static inline void exception_port(void)
{
	__asm__ volatile("inb $0x80, %%al" : : : "rax", "memory");
}

/* Through RSP and RBP a non-canonical address is a stack fault, else a general protection fault. */
static inline void exception_stack(void)
{
	__asm__ volatile("movq %%rbp, %%rax\n\tmovq $1, %%rbp\n\tshlq $63, %%rbp\n\tmovq (%%rbp), "
			 "%%rcx\n\tmovq %%rax, %%rbp"
			 :
			 :
			 : "rax", "rcx", "memory");
}

static inline void exception_address(void)
{
	__asm__ volatile("movq $1, %%rax\n\tshlq $63, %%rax\n\tmovq (%%rax), %%rcx"
			 :
			 :
			 : "rax", "rcx", "memory");
}

static inline void exception_segment(void)
{
	__asm__ volatile("movl $0x5a8, %%eax\n\tmovw %%ax, %%es" : : : "rax", "memory");
}

static inline void exception_sse(void)
{
	__asm__ volatile("pxor %%xmm0, %%xmm0" : : : "memory");
}

/* With the exception unmasked: 1 / 0. */
static inline void exception_x87_divide(void)
{
	uint16_t control = 0x37b;

	__asm__ volatile("fninit\n\tfldcw %0\n\tfld1\n\tfldz\n\tfdivrp\n\tfwait" : : "m"(control) : "memory");
}

static inline void exception_int_low(void)
{
	__asm__ volatile("int $0x30" : : : "memory");
}

static inline void exception_int_max_irq(void)
{
	__asm__ volatile("int $0x9b" : : : "memory");
}

static inline uint64_t exception_int(uint64_t rax)
{
	__asm__ volatile("int $0xa1" : "+a"(rax) : : "memory");
	return rax;
}

#endif
