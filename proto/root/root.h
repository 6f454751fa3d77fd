/*
 * Root's service: memory accounts, processes, boot modules, the machine's end. Called by the
 * domain manager (all of it), by other servers (the parts marked *). The caller is known by its badge
 * (task id). Label = enum root_call; results: label 0 or a negative errno (Linux numbers) as label,
 * cast to 52 bits; words as listed. Capabilities are not transferred by message: root, which holds the
 * client's CNode, puts them into the slots that the client names; a slot that is not empty is -EEXIST, one that does not exist -EINVAL.
 * Everywhere: -EINVAL for arguments that are missing or make no sense, -EPERM for calls that the caller may not make, -ENOENT for an
 * account or task that does not exist or is not the caller's.
 *
 * An account is a set of Untypeds. Everything made for a domain is made from its account, so that freeing the
 * account (revoke of each Untyped) leaves nothing of it anywhere. Accounts and tasks belong to who made them.
 */
#ifndef PROTO_ROOT_H
#define PROTO_ROOT_H

#include <stdint.h>

enum root_call {
	/* * -> words of enum root_info */
	ROOT_INFO = 1,
	/* -> account. -ENOMEM, -EMFILE */
	ROOT_ACCOUNT_CREATE,
	/* account: revokes all, gives all back. The account's tasks end. -ENOENT */
	ROOT_ACCOUNT_FREE,
	/* account, size bits (4..47), slot -> block: an Untyped of that size. -ENOMEM: no such block free. The copy is a child of
	 * root's: the caller may retype it, and never needs to delete it. The block's number is for ROOT_ACCOUNT_RETURN. */
	ROOT_ACCOUNT_ALLOC,
	/* account -> bytes: all blocks that it holds, what is kept for it, root's for the account's tasks included */
	ROOT_ACCOUNT_SIZE,
	/* account, threads, CNode bits, own-Untyped bits (0 none), heap bytes, priority, flags; then name of the program (4 words,
	 * NUL-padded) and the caller's slot base: root puts there CNode, VSpace, then per thread TCB, SC,
	 * notification. -> task id. The process is made, not started (TCB_Resume of thread 0 starts it).
	 * flags: ROOT_TASK_EPT makes an EPT root for it.
	 * Priority: at most the caller's own. -ENOMEM, -ENOENT (no such program), -EEXIST (a slot). After an error the slots from the
	 * base on may hold some of the capabilities, and the account keeps what was made: the caller frees it. */
	ROOT_TASK_CREATE,
	/* task, offset in struct task_env (of argument or data, multiple of 8), then up to 100 words: fills its environment before the start */
	ROOT_TASK_ENV,
	/* task, module, -> bytes: maps a boot module read-only at TASK_MODULE_VADDR + (n << 32), n-th mapping of that task. At most 8. The
	 * last page's rest is zero. */
	ROOT_TASK_MAP_MODULE,
	/* * -> number of modules: those of the boot loader, by order; the servers' archive is not among them */
	ROOT_MODULE_COUNT,
	/* * module -> bytes, then its name (resolved), NUL, and the rest of its string, as text: 100 words, zeros after its end. -ENOENT */
	ROOT_MODULE_GET,
	/* reserved */
	ROOT_FAULT_NOTIFY,
	/* -> task id, fault label, ip, address: a task of the caller's that faulted, each fault told once; -ENOENT when there is no other.
	 * When there is one, root signals the caller's notification of thread 0 with ROOT_FAULT_BADGE. */
	ROOT_FAULT_NEXT,
	/* * kind: 0 power off, 1 reboot. Only for the monitor and the domain manager; -EPERM else. Returns only if it failed: -EIO */
	ROOT_MACHINE_END,
	/* * -> struct insula_bi_machine as words */
	ROOT_MACHINE,
	/* * offset -> bytes that follow from there, then Insula's own command line from that offset as text: up to 100 words */
	ROOT_CMDLINE,
	/* account, block that ROOT_ACCOUNT_ALLOC gave: what was made of it is revoked, and it goes back. -ENOENT: the account has no such block */
	ROOT_ACCOUNT_RETURN,
	/* account, bytes: so much of the free memory is kept for this account's blocks, in place of what was kept for it before. A block that it gets does not lower the
	 * figure: its owner does. -ENOMEM: there is not so much; nothing changed */
	ROOT_ACCOUNT_RESERVE,
	/* account, block that ROOT_ACCOUNT_ALLOC gave, another account of the caller's: the block is that one's from now on, with what was made of it. -ENOENT: no such
	 * block, or no such account */
	ROOT_ACCOUNT_MOVE,
};

#define ROOT_TASK_EPT 1u

/* Priorities of the servers. A caller of ROOT_TASK_CREATE chooses below its own. */
enum root_priority {
	ROOT_PRIORITY_ROOT = 250,
	ROOT_PRIORITY_CONSOLE = 240,
	ROOT_PRIORITY_DOMAIN_MANAGER = 230,
	ROOT_PRIORITY_MONITOR = 220,
	ROOT_PRIORITY_VMM = 100,
};

/* Badge of root's signal: a task of yours has faulted (ROOT_FAULT_NEXT). */
#define ROOT_FAULT_BADGE (1ull << 62)

/* Words of ROOT_INFO, in bytes where not said otherwise. */
enum root_info {
	ROOT_INFO_TOTAL = 0,  /* RAM as the firmware reported it */
	ROOT_INFO_FREE,       /* in no block that anyone holds, and not kept for an account */
	ROOT_INFO_KERNEL,     /* kept by the kernel since boot */
	ROOT_INFO_SERVERS,    /* root's own and its servers' */
	ROOT_INFO_SLOTS,      /* slots in use in root's CNode */
	ROOT_INFO_ACCOUNTS,   /* number of accounts, the servers' not counted */
	ROOT_INFO_TASKS,      /* number of tasks, the servers included */
	ROOT_INFO_DOMAINS,    /* held by accounts that servers made, or kept for them */
	ROOT_INFO_MODULES,    /* boot modules */
	ROOT_INFO_LARGEST,    /* log2 of the largest free block, 0 if there is none */
	ROOT_INFO_WORDS,
};

/* Slots from the caller's base in ROOT_TASK_CREATE. */
enum root_task_slot {
	ROOT_TASK_SLOT_CNODE = 0,
	ROOT_TASK_SLOT_VSPACE = 1,
	ROOT_TASK_SLOT_THREAD = 2, /* + 3 * thread: TCB, SC, notification */
};

#endif
