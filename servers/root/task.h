/*
 * Processes: their objects, address space, capabilities and environment page. All that a process consists of is made from its account,
 * except the pages of its program that nobody can write.
 */
#ifndef ROOT_TASK_H
#define ROOT_TASK_H

#include <stdbool.h>
#include <stdint.h>
#include "proto/task/task.h"
#include "servers/root/account.h"
#include "servers/root/program.h"

#define TASKS_MAX    512u
#define TASK_MODULES 8u

struct task_fault {
	bool pending; /* to be told to the parent */
	uint64_t label, ip, address;
};

struct task {
	uint32_t id;     /* 0: free; its badge at root's endpoint */
	uint32_t parent; /* task id; 0: root */
	struct account *account;
	char name[32];
	/* root's slots */
	seL4_CPtr cnode, vspace;
	seL4_CPtr keep;   /* CNode with the capabilities of everything mapped in it */
	seL4_CPtr signal; /* its first thread's notification, badged for news of faults; 0: it makes no tasks */
	unsigned cnode_bits, keep_bits;
	uint32_t keep_next, env_index;
	uint32_t threads, priority, modules;
	struct task_fault fault;
};

struct task_spec {
	const char *program;
	uint32_t threads;
	unsigned cnode_bits, untyped_bits;
	uint64_t heap_bytes;
	uint32_t priority, flags; /* ROOT_TASK_* */
	uint64_t budget_us, period_us; /* equal: round robin */
	struct task *creator;     /* NULL: root; else gets its capabilities from slot_base on */
	seL4_CPtr slot_base;
};

/* What all environments have in common. */
void task_begin(const struct task_env *common, uint32_t cpu_count, seL4_CPtr sched_control, seL4_CPtr endpoint);

/* 0 and *out, or a negative errno; then the account keeps what was made. */
int task_create(struct account *a, const struct task_spec *spec, struct task **out);
/* Takes all tasks of an account from the table; their objects go with the account. */
void task_end_all(const struct account *a);
/* Lets thread 0 run. */
bool task_start(struct task *t);

/* NULL: none. */
struct task *task_find(uint32_t id);
/* The next after t (NULL: the first) in the table. */
struct task *task_next(struct task *t);
uint32_t task_count(void);

/* ---- before its start ---- */

/* A copy of root's capability `slot` into the task's slot `to`. 0, -EEXIST, -EINVAL. */
int task_give(struct task *t, seL4_CPtr to, seL4_CPtr slot, seL4_CapRights_t rights, seL4_Word badge);
/* News of its tasks' faults will be signalled to its first thread with this badge. 0, -ENOMEM. */
int task_signal_make(struct task *t, seL4_Word badge);
/* Bytes of the environment page. False: outside argument and data. */
bool task_env_write(struct task *t, uint64_t offset, const void *bytes, uint64_t n);
/* Maps a frame of root's (any slot; it moves to the task's) at vaddr; tables come from the account. */
int task_map(struct task *t, seL4_CPtr frame, uint64_t vaddr, seL4_CapRights_t rights, seL4_Word attributes);

#endif
