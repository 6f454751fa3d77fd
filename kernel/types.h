/*
 * Base types of the kernel. Addresses of different spaces are different types: mixing them does
 * not compile.
 */
#ifndef TYPES_H
#define TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t word_t;
typedef uint64_t ticks_t; /* TSC ticks: the kernel's only unit of time */
typedef uint64_t cptr_t;

typedef struct {
	uint64_t v;
} paddr_t; /* physical address */
typedef struct {
	uint64_t v;
} vaddr_t; /* user virtual address */
typedef struct {
	uint64_t v;
} gpaddr_t; /* guest-physical address */

static inline paddr_t paddr(uint64_t v)
{
	return (paddr_t){v};
}
static inline paddr_t paddr_add(paddr_t p, uint64_t n)
{
	return (paddr_t){p.v + n};
}
static inline vaddr_t vaddr(uint64_t v)
{
	return (vaddr_t){v};
}
static inline gpaddr_t gpaddr(uint64_t v)
{
	return (gpaddr_t){v};
}

#define BIT(n)        (UINT64_C(1) << (n))
#define MASK(n)       (BIT(n) - 1)
#define ALIGNED(v, n) (((v) & MASK(n)) == 0)
#define ALIGN_UP(v, n)   (((v) + MASK(n)) & ~MASK(n))
#define ALIGN_DOWN(v, n) ((v) & ~MASK(n))
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define CONTAINER_OF(p, type, member) ((type *)(void *)((char *)(p) - offsetof(type, member)))
#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define NORETURN    __attribute__((noreturn))
#define MUST_USE    __attribute__((warn_unused_result))

#define PAGE_BITS 12
#define PAGE_SIZE 4096u

/* How a kernel operation ended. Anything but EXC_NONE left its detail in the per-CPU area. */
typedef enum exception {
	EXC_NONE,
	EXC_FAULT,        /* percpu->fault is filled: the thread faults */
	EXC_LOOKUP_FAULT, /* percpu->lookup_fault is filled */
	EXC_SYSCALL_ERROR, /* percpu->error is filled: reply with it if it was a Call */
	EXC_PREEMPTED,    /* an interrupt waits; the system call is restarted as it was */
} exception_t;

#endif
