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
 * The current thread is RUNNING_VM and scheduled: runs its guest until something is to be done. True: the
 * thread is RUNNING, with the exit or refusal in its registers and message. False: the kernel is wanted (an interrupt
 * is pending in percpu, or a signal has come: vcpu_take_signal).
 *
 * This and vcpu_enter_syscall() are called without the kernel lock. They touch only the current thread, its
 * vCPU, and of the rest what nobody changes without having taken the thread off its CPU (remote_stall) or its CPU out of
 * the guest (tlb_flush_nested): the binding of vCPU, state page and message buffer, the EPT root.
 */
bool vcpu_run(struct tcb *t);
/* Lock held: a signal that is pending for the current thread, if it still is RUNNING_VM, ends its VMEnter. */
void vcpu_take_signal(struct tcb *t);
/* Its thread goes to another CPU. */
void vcpu_migrate(struct vcpu *v);
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
