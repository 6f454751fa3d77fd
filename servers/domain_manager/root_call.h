/* Root's service (proto/root/root.h) as functions. All return 0 or a negative errno unless they say otherwise. */
#ifndef DOMAIN_MANAGER_ROOT_CALL_H
#define DOMAIN_MANAGER_ROOT_CALL_H

#include <stdint.h>
#include "proto/root/root.h"

int root_account_create(uint32_t *account);
int root_account_free(uint32_t account);
int root_account_alloc(uint32_t account, unsigned size_bits, uint32_t slot);
/* The same; *block names it for root_account_return, which revokes all that was made of it. */
int root_account_alloc_block(uint32_t account, unsigned size_bits, uint32_t slot, uint64_t *block);
int root_account_return(uint32_t account, uint64_t block);
/* The block is of another account from now on. */
int root_account_move(uint32_t account, uint64_t block, uint32_t to);
/* In place of what was kept for it. -ENOMEM: nothing changed. */
int root_account_reserve(uint32_t account, uint64_t bytes);
int root_account_size(uint32_t account, uint64_t *bytes);

struct root_task {
	uint32_t account;
	uint32_t threads;
	uint32_t cnode_bits, untyped_bits;
	uint64_t heap_bytes;
	uint32_t priority, flags;
	const char *program;
	uint32_t slot_base;
};
int root_task_create(const struct root_task *t, uint32_t *task);
/* Fills bytes [offset, offset + bytes) of the task's environment page; both multiples of 8. */
int root_task_env(uint32_t task, uint32_t offset, const void *data, uint32_t bytes);
int root_task_map_module(uint32_t task, uint32_t module, uint64_t *bytes);
/* Module by name; its remaining words go to args. */
int root_module_find(const char *name, uint32_t *module, char *args, uint32_t args_size);
/* The next task of ours that faulted; -ENOENT when there is none. */
int root_fault_next(uint32_t *task);

/* Insula's own command line, cut to size - 1 bytes; zeros behind it. */
int root_cmdline(char *text, uint32_t size);
/* All words of enum root_info. What is free at root alone: page_store.h has the rest. */
int root_info(uint64_t info[ROOT_INFO_WORDS]);
/* Returns only if it failed. */
enum { ROOT_MACHINE_POWER_OFF = 0, ROOT_MACHINE_REBOOT = 1 };
int root_machine_end(uint64_t how);

#endif
