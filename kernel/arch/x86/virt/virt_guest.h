/*
 * What both vendors do alike for a guest: registers that neither VMCB nor VMCS switches (FPU, XCR0, DR0-3,
 * TSC_AUX), checks of values that the CPU would refuse, the exit's record, the I/O map. Called by
 * object/vcpu.c and the vendors.
 */
#ifndef ARCH_X86_VIRT_GUEST_H
#define ARCH_X86_VIRT_GUEST_H

#include "arch/x86/virt/vcpu_struct.h"
#include "arch/x86/virt/vtx.h"

struct percpu;

#define VIRT_PAT_RESET 0x0007040600070406ull /* AMD64 APM vol. 2, 7.8.1 */

/* IA32_VMX_MISC, the one capability register that ReadMSR shows (Intel SDM vol. 3D A.6): EFER.LMA is kept in
 * the entry controls. */
#define VIRT_MSR_VMX_MISC   0x485u
#define VIRT_VMX_MISC_VALUE BIT(5)

/* The nearest address of 48-bit form. */
static inline uint64_t virt_guest_canonical(uint64_t value)
{
	return (uint64_t)((int64_t)(value << 16) >> 16);
}
/* `value` if each of its eight memory types exists, else `old`. */
uint64_t virt_guest_pat(uint64_t value, uint64_t old);
/* Would MOV to CR4 accept `value` (Intel SDM vol. 2B; APM vol. 3)? `old` is what the guest has, `allowed`
 * what it may set. */
bool virt_guest_cr4_legal(uint64_t value, uint64_t old, uint64_t allowed, bool lma, uint64_t cr3);
void virt_guest_put_ctl(struct vcpu *v, uint64_t xcr0, uint64_t tsc_aux);

/* v->exit into the state page's words. */
void virt_guest_get_exit(const struct vcpu *v, struct insula_vcpu_state *s);
/* All but the unused one; every exit passes here, so it is written out. Each word is read once. */
static inline void virt_guest_copy_gpr(uint64_t *to, const uint64_t *from)
{
	const volatile uint64_t *f = from;

	to[INSULA_RAX] = f[INSULA_RAX];
	to[INSULA_RCX] = f[INSULA_RCX];
	to[INSULA_RDX] = f[INSULA_RDX];
	to[INSULA_RBX] = f[INSULA_RBX];
	to[INSULA_RBP] = f[INSULA_RBP];
	to[INSULA_RSI] = f[INSULA_RSI];
	to[INSULA_RDI] = f[INSULA_RDI];
	to[INSULA_R8] = f[INSULA_R8];
	to[INSULA_R9] = f[INSULA_R9];
	to[INSULA_R10] = f[INSULA_R10];
	to[INSULA_R11] = f[INSULA_R11];
	to[INSULA_R12] = f[INSULA_R12];
	to[INSULA_R13] = f[INSULA_R13];
	to[INSULA_R14] = f[INSULA_R14];
	to[INSULA_R15] = f[INSULA_R15];
}
/* Nothing has happened yet. */
void virt_guest_clear_exit(struct vcpu *v);

/*
 * The event on its way into the guest is v->entry_info, a VMM's word or what a delivery that did not come to
 * its end left. virt_guest_event says before each entry whether there is one, and has made a word of it that
 * a CPU accepts, the same on both vendors: false in *exists, no CPU has such an event.
 */
bool virt_guest_event(struct vcpu *v, bool protected_mode, bool *exists);
/* The guest gets this exception at its next entry; an interrupt that waited for its window waits behind it.
 */
void virt_guest_raise(struct vcpu *v, unsigned vector, bool error_valid, uint32_t error);
/* The guest goes on after an exit that was not the VMM's: a delivery that was interrupted starts again. */
void virt_guest_again(struct vcpu *v);

/* Reset values of all that is in struct vcpu proper. The object is zero. */
void virt_guest_init(struct vcpu *v);

/*
 * Around a stretch of runs on this CPU: after load the CPU's FPU, XCR0 and TSC_AUX are the guest's; unload
 * brings the thread's back, so that no thread ever sees a guest's registers. Nothing in between may leave the
 * stretch without unload.
 */
void virt_guest_load(struct vcpu *v, struct tcb *t);
void virt_guest_unload(struct vcpu *v, struct tcb *t);
/* DR0-3: loaded at the guest's first use in a stretch. */
void virt_guest_load_dr(struct vcpu *v);

/* Ports first..last exit, or not. */
void virt_guest_io(struct vcpu *v, uint16_t first, uint16_t last, bool allow);

#endif
