/* Between the files of the vCPU object; nobody else includes it. */
#ifndef OBJECT_VCPU_PRIVATE_H
#define OBJECT_VCPU_PRIVATE_H

#include "object/vcpu.h"
#include "arch/x86/virt/vcpu_struct.h"
#include "arch/x86/virt/virt.h"
#include "arch/x86/virt/vtx.h"

/* vcpu.c: around what is done to a vCPU for another thread than its own. Lock held. */
void vcpu_hold(struct vcpu *v);

/* vcpu_io.c: ports that guests reach directly, and that they lose them with the capability that gave them. */
exception_t vcpu_io_enable(struct vcpu *v, unsigned length);
exception_t vcpu_io_disable(struct vcpu *v, unsigned length);
void vcpu_io_init(struct vcpu *v);
void vcpu_io_finalise(struct vcpu *v);

/* vcpu_message.c: the two forms in which VMEnter's arguments and results travel. */
void vcpu_message_in(struct tcb *t, struct vcpu *v);
/* reason: that of the exit, or UINT64_MAX for an entry that was refused. */
void vcpu_message_out(struct tcb *t, struct vcpu *v, uint64_t reason);
/* MR0-2 only. */
void vcpu_message_refresh(struct tcb *t, struct vcpu *v);
void vcpu_state_in(struct vcpu *v);
void vcpu_state_out(struct vcpu *v);

/* What VMEnter returns in RSI. */
enum vcpu_result { VCPU_RESULT_SIGNAL = 0, VCPU_RESULT_EXIT = 1 };
#define VCPU_REASON_NONE UINT64_MAX

#endif
