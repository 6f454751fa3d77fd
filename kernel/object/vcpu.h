/*
 * vCPU objects: binding to a thread, VMEnter, VMCS field access, the state page. Vendor-neutral; vendors
 * stand behind arch/x86/virt/virt.h.
 */
#ifndef OBJECT_VCPU_H
#define OBJECT_VCPU_H

#include "cap/cte.h"

struct tcb;
struct vcpu;

struct vcpu *cap_vcpu_of(cap_t c);
void vcpu_init(struct vcpu *v);
void vcpu_finalise(struct vcpu *v);
void vcpu_unbind_tcb(struct tcb *t); /* the thread dies or gets another */
exception_t vcpu_decode(word_t label, unsigned length, cap_t cap);
exception_t tcb_set_ept_root_decode(unsigned length, cap_t tcb_cap);

/*
 * System call VMEnter of the current thread: takes the message or state page; the thread becomes RUNNING_VM,
 * or stays RUNNING with a result (pending notification, failed entry).
 */
void vcpu_enter_syscall(void);
/*
 * The current thread is RUNNING_VM and scheduled: runs its guest until something is to be done. Returns with
 * the thread RUNNING (exit delivered in registers and message) or still RUNNING_VM (an interrupt is pending
 * in percpu).
 */
void vcpu_run(struct tcb *t);
/* t's guest must leave guest mode soon (signal, suspend): its thread is RUNNING_VM. Local CPU: nothing to be
 * done. */
void vcpu_kick(struct tcb *t);
/* A signal on the notification bound to a RUNNING_VM thread: VMEnter returns 0 with the badge. */
void vcpu_deliver_signal(struct tcb *t, word_t badge);
/*
 * t is RUNNING_VM and is being stopped without an exit (suspend, timeout fault): its VMEnter message
 * registers (MR0-2) are brought up to date, so that re-executing the system call goes on where the guest is.
 * Its state is the caller's to change.
 */
void vcpu_leave(struct tcb *t);
/* An I/O port capability (any copy, not only the last) is going away: the vCPU that got ports by it loses
 * them. */
void vcpu_io_gone(cap_t ioport);
/* The state page's frame capability is going away. */
void vcpu_state_page_gone(struct vcpu *v);

#endif
