/*
 * Root's service: memory accounts, processes, boot modules, the machine's end. Called by the
 * domain manager (all of it), by other servers (the parts marked *). The caller is known by its badge
 * (task id). Label = enum root_call; results: label 0 or a negative errno (Linux numbers) as label,
 * cast to 52 bits; words as listed. Capabilities are not transferred by message: root, which holds the
 * client's CNode, puts them into the slots that the client names; a slot that is not empty is -EEXIST.
 *
 * An account is a set of Untypeds. Everything made for a domain is made from its account, so that freeing the
 * account (revoke of each Untyped) leaves nothing of it anywhere.
 */
#ifndef PROTO_ROOT_H
#define PROTO_ROOT_H

#include <stdint.h>

enum root_call {
	/* * -> memory total, free, kernel, root's own and servers' bytes, slots in use in root's CNode, accounts, tasks */
	ROOT_INFO = 1,
	/* -> account. -ENOMEM, -EMFILE */
	ROOT_ACCOUNT_CREATE,
	/* account: revokes all, gives all back. The account's tasks end. -ENOENT */
	ROOT_ACCOUNT_FREE,
	/* account, size bits (4..47), slot: an Untyped of that size. -ENOMEM: no such block free. The copy is a child of
	 * root's: the caller may retype it, and never needs to delete it. */
	ROOT_ACCOUNT_ALLOC,
	/* account -> bytes */
	ROOT_ACCOUNT_SIZE,
	/* account, threads, CNode bits, own-Untyped bits (0 none), heap bytes, priority, flags; then name of the program (4 words,
	 * NUL-padded) and the caller's slot base: root puts there CNode, VSpace, then per thread TCB, SC,
	 * notification. -> task id. The process is made, not started (TCB_Resume of thread 0 starts it).
	 * flags: ROOT_TASK_EPT makes an EPT root for it. */
	ROOT_TASK_CREATE,
	/* task, offset in env->data or argument, then up to 100 words: fills its environment before the start */
	ROOT_TASK_ENV,
	/* task, module, -> bytes: maps a boot module read-only at TASK_MODULE_VADDR + (n << 32), n-th mapping of that task */
	ROOT_TASK_MAP_MODULE,
	/* * -> number of modules */
	ROOT_MODULE_COUNT,
	/* * module -> bytes, then its string's first 200 bytes as words (name resolved: name NUL rest-of-words) */
	ROOT_MODULE_GET,
	/* * slot: notification capability of root's that is signalled... reserved for faults: see ROOT_FAULT_NOTIFY */
	ROOT_FAULT_NOTIFY,
	/* -> task id, fault label, ip, address: a task of the caller's accounts that faulted; -ENOENT when there is no other */
	ROOT_FAULT_NEXT,
	/* * kind: 0 power off, 1 reboot. Only for the monitor and the domain manager; -EPERM else */
	ROOT_MACHINE_END,
	/* * -> struct insula_bi_machine as words */
	ROOT_MACHINE,
	/* * -> console command line words of Insula's own command line, offset in MR0, up to 100 words */
	ROOT_CMDLINE,
};

#define ROOT_TASK_EPT 1u

/* Slots from the caller's base in ROOT_TASK_CREATE. */
enum root_task_slot {
	ROOT_TASK_SLOT_CNODE = 0,
	ROOT_TASK_SLOT_VSPACE = 1,
	ROOT_TASK_SLOT_THREAD = 2, /* + 3 * thread: TCB, SC, notification */
};

#endif
