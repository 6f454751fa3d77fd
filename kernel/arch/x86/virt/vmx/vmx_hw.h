/* VT-x's instructions. They decide nothing. On the host vmx_fake.c stands in their place. */
#ifndef VMX_HW_H
#define VMX_HW_H

#include "types.h"

struct vcpu;

/* What a VM entry came to (vmx_entry.S). */
enum vmx_entry { VMX_ENTRY_EXIT = 0, VMX_ENTRY_FAIL = 1 };
/*
 * Enters with the current VMCS: VMRESUME if `launched`, else VMLAUNCH. All GPRs of v but RSP are switched.
 * The VMCS gets HOST_RSP and HOST_RIP. FAIL: VMfailInvalid or VMfailValid, the guest has not run.
 */
enum vmx_entry vmx_entry_run(struct vcpu *v, bool launched);
/* The host's NMI handler, as if the event had come here. */
void vmx_entry_nmi(void);

struct vmx_hw_table {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

#ifdef INSULA_HOST
bool vmx_hw_on(uint64_t pa);
bool vmx_hw_clear(uint64_t pa);
bool vmx_hw_load(uint64_t pa);
uint64_t vmx_hw_read(uint64_t field);
void vmx_hw_write(uint64_t field, uint64_t value);
void vmx_hw_invept(uint64_t type, uint64_t eptp);
void vmx_hw_invvpid(uint64_t type, uint64_t vpid);
uint64_t vmx_hw_read_cr(unsigned n);
void vmx_hw_write_cr4(uint64_t v);
uint16_t vmx_hw_tr(void);
struct vmx_hw_table vmx_hw_gdt(void);
struct vmx_hw_table vmx_hw_idt(void);
void vmx_hw_load_gdt(const struct vmx_hw_table *t);
#else
#include "arch/x86/cpu_hw.h"

static inline bool vmx_hw_on(uint64_t pa)
{
	bool ok;
	__asm__ volatile("vmxon %1" : "=@cca"(ok) : "m"(pa) : "memory");
	return ok;
}
static inline bool vmx_hw_clear(uint64_t pa)
{
	bool ok;
	__asm__ volatile("vmclear %1" : "=@cca"(ok) : "m"(pa) : "memory");
	return ok;
}
static inline bool vmx_hw_load(uint64_t pa)
{
	bool ok;
	__asm__ volatile("vmptrld %1" : "=@cca"(ok) : "m"(pa) : "memory");
	return ok;
}
static inline uint64_t vmx_hw_read(uint64_t field)
{
	uint64_t v = 0;
	__asm__ volatile("vmread %1, %0" : "+r"(v) : "r"(field) : "cc");
	return v;
}
static inline void vmx_hw_write(uint64_t field, uint64_t value)
{
	__asm__ volatile("vmwrite %1, %0" : : "r"(field), "r"(value) : "cc", "memory");
}
static inline void vmx_hw_invept(uint64_t type, uint64_t eptp)
{
	const uint64_t d[2] = {eptp, 0};
	__asm__ volatile("invept %0, %1" : : "m"(d), "r"(type) : "cc", "memory");
}
static inline void vmx_hw_invvpid(uint64_t type, uint64_t vpid)
{
	const uint64_t d[2] = {vpid, 0};
	__asm__ volatile("invvpid %0, %1" : : "m"(d), "r"(type) : "cc", "memory");
}
static inline uint64_t vmx_hw_read_cr(unsigned n)
{
	return n == 0 ? cpu_read_cr0() : n == 3 ? cpu_read_cr3() : cpu_read_cr4();
}
static inline void vmx_hw_write_cr4(uint64_t v)
{
	cpu_write_cr4(v);
}
static inline uint16_t vmx_hw_tr(void)
{
	uint16_t v;
	__asm__ volatile("str %0" : "=r"(v));
	return v;
}
static inline struct vmx_hw_table vmx_hw_gdt(void)
{
	struct vmx_hw_table t;
	__asm__ volatile("sgdt %0" : "=m"(t));
	return t;
}
static inline struct vmx_hw_table vmx_hw_idt(void)
{
	struct vmx_hw_table t;
	__asm__ volatile("sidt %0" : "=m"(t));
	return t;
}
static inline void vmx_hw_load_gdt(const struct vmx_hw_table *t)
{
	__asm__ volatile("lgdt %0" : : "m"(*t));
}
#endif

#endif
