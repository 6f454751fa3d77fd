/* The invocations of a TCB, by subject. Called by tcb_decode() only. Facts: section 7. */
#ifndef OBJECT_TCB_DECODE_H
#define OBJECT_TCB_DECODE_H

#include "object/tcb.h"

/* The invoked capability: it may vanish while an old CSpace is deleted. */
struct tcb_invoked {
	struct tcb *tcb;
	struct cte *slot;
	cap_t cap;
};

/* tcb_config.c */
exception_t tcb_configure_decode(const struct tcb_invoked *in, unsigned length);
exception_t tcb_set_space_decode(const struct tcb_invoked *in, unsigned length);
exception_t tcb_set_ipc_buffer_decode(const struct tcb_invoked *in, unsigned length);
exception_t tcb_set_timeout_decode(const struct tcb_invoked *in);
/* Replaces a capability of the thread; null: only removes. EXC_PREEMPTED as cte_delete(). */
exception_t tcb_install_cap(const struct tcb_invoked *in, enum tcb_slot index, cap_t cap, struct cte *source);

/* tcb_registers.c */
exception_t tcb_read_registers_decode(struct tcb *t, unsigned length);
exception_t tcb_write_registers_decode(struct tcb *t, unsigned length);
exception_t tcb_copy_registers_decode(struct tcb *t, unsigned length);
exception_t tcb_set_tls_base_decode(struct tcb *t, unsigned length);
exception_t tcb_set_flags_decode(struct tcb *t, unsigned length);

/* tcb_sched.c */
exception_t tcb_set_priority_decode(struct tcb *t, unsigned length);
exception_t tcb_set_mcp_decode(struct tcb *t, unsigned length);
exception_t tcb_set_sched_params_decode(const struct tcb_invoked *in, unsigned length);

#endif
