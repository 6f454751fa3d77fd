/*
 * Threads. A TCB object is 4 KiB: the thread's capability slots, its structure, and its FPU state
 * (XSAVE area, eager). The structure's state is changed by sched/ and ipc/ only.
 */
#ifndef OBJECT_TCB_H
#define OBJECT_TCB_H

#include "cap/cte.h"
#include "api/error.h"
#include "arch/x86/context.h"
#include "rbtree/rbtree.h"

struct endpoint;
struct notification;
struct reply;
struct sched_context;
struct vcpu;

enum tcb_slot {
	TCB_CSPACE,
	TCB_VSPACE,
	TCB_IPC_BUFFER, /* frame capability, held FRAME_KERNEL while set */
	TCB_FAULT_HANDLER,
	TCB_TIMEOUT_HANDLER,
	TCB_EPT_ROOT,
	TCB_SLOT_COUNT
};

enum thread_state {
	THREAD_INACTIVE,
	THREAD_RUNNING,
	THREAD_RESTART,	   /* to re-execute at ctx.restart_ip */
	THREAD_RUNNING_VM, /* in VMEnter: its vCPU's guest runs when it is scheduled */
	THREAD_BLOCKED_RECV,
	THREAD_BLOCKED_SEND,
	THREAD_BLOCKED_REPLY,
	THREAD_BLOCKED_NOTIFICATION,
	THREAD_IDLE,
};

/* The second word of no capability: there is no such type. */
#define TCB_CSPACE_UNKNOWN UINT64_MAX

struct tcb {
	struct cte slot[TCB_SLOT_COUNT];

	struct context ctx; /* user registers; layout known to the entry path */
	enum thread_state state;
	bool queued;	      /* in a ready queue */
	bool released_queued; /* in the release queue */
	bool fpu_disabled;
	bool switch_unusual; /* the plain switch is not for it: arch/x86/switch.c */
	uint8_t held_trap; /* exception that is to be handled when it runs next, from state RESTART (sched_hold_trap) */
	uint8_t domain;
	uint8_t priority, mcp;
	uint32_t cpu; /* where it runs: its scheduling context's */

	struct tcb *queue_next, *queue_prev; /* ready queue */
	struct rbtree_node release_node;

	/* slot[TCB_CSPACE] taken apart, as long as its second word is this one (api/lookup.h) */
	uint64_t cspace_word;
	struct cte *cspace_slots;
	uint64_t cspace_radix;

	/* blocked in IPC */
	struct tcb *ipc_next, *ipc_prev; /* endpoint's or notification's queue (ipc/queue.h) */
	struct tcb *ipc_higher;		 /* of the last of its priority there: the last of the next higher */
	void *blocking_object;		 /* endpoint or notification */
	struct reply *reply; /* BLOCKED_RECV: reply object given; BLOCKED_REPLY: the one that holds us */
	word_t send_badge;
	uint64_t send_time; /* BLOCKED_SEND: how many had begun to wait so before (ipc/endpoint.c) */
	bool can_grant, can_grant_reply, is_call;

	struct notification *bound_notification;
	struct sched_context *sc;
	struct sched_context *yield_to; /* YieldTo in progress on this SC */

	uint64_t cr3, cr3_generation; /* kept by vspace_cr3() */

	vaddr_t ipc_buffer;    /* user address; the frame is in slot[TCB_IPC_BUFFER] */
	word_t *ipc_buffer_kv; /* window address, NULL without a usable buffer */
	bool ipc_buffer_writable;

	struct vcpu *vcpu;  /* bound vCPU */
	struct fault fault; /* being handled; type NullFault if none */
	struct lookup_fault lookup_fault;
	char name[32];

	struct fpu_state fpu __attribute__((aligned(64)));
};
_Static_assert(sizeof(struct tcb) <= 4096, "a TCB object is 2^12 bytes");

static inline struct tcb *cap_tcb_of(cap_t c);

/* tcb.c */
exception_t tcb_decode(word_t label, unsigned length, struct cte *slot, cap_t cap, bool call);
/* Initialises a zeroed TCB object (retype). */
void tcb_init(struct tcb *t);
/* Last capability is gone: stop the thread, unbind all. Its slots are then emptied by the caller. */
void tcb_finalise(struct tcb *t);
/* Stops it: IPC cancelled, out of all queues. */
void tcb_suspend(struct tcb *t);
/* The frame in slot[TCB_IPC_BUFFER] is about to go (called by cap finalisation). */
void tcb_ipc_buffer_gone(struct tcb *t);

#include "arch/x86/mm/window.h"
static inline struct tcb *cap_tcb_of(cap_t c)
{
	return window_kv(paddr(cap_tcb_ptr(c)));
}

#endif
