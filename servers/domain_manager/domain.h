/*
 * The table of domains. Domain ids begin at 1 (0 is the admin VM's) and are not used again until 32,752 were given out. Every domain has one
 * memory account at root: freeing it takes away everything that was made for the domain, whatever its vmm did.
 */
#ifndef DOMAIN_MANAGER_DOMAIN_H
#define DOMAIN_MANAGER_DOMAIN_H

#include <stdbool.h>
#include <stdint.h>
#include "proto/domain/domain.h"
#include "proto/vmm/vmm_start.h"

#define DOMAINS_MAX   250
#define DOMAIN_ID_MAX 32752u
#define DOMAIN_PIECES 32 /* Untypeds of guest RAM */

struct domain {
	bool used; /* false: slot is free */
	uint32_t id;
	bool privileged; /* its vmm holds the control capability: the admin VM, domain 0 */
	struct domain_spec spec;
	uint32_t account, task;
	uint32_t slot_base, slot_count; /* in our CNode: see domain.c */
	uint32_t slot_ram;              /* CNode with the RAM frames: their owner's copies */
	uint32_t slot_next;
	uint32_t console_client;
	bool console_open;
	uint32_t pauses;
	bool ready;      /* its guest runs */
	bool refused;    /* its kernel could not be loaded: told already */
	bool ended;      /* shut down or crashed; waits to be taken away or is kept */
	uint32_t shutdown_reason;
	uint64_t ram_bytes;
	uint64_t cpu_us;
	uint32_t log_lines; /* taken from its vmm */
	uint8_t uuid[16];
	struct vmm_control *control;
	uint32_t control_slot;
};

/* NULL: no such domain. */
struct domain *domain_find(uint32_t id);
/* The domain with the lowest id that is not below `from`. */
struct domain *domain_next(uint32_t from);
uint32_t domain_count(void);
void domain_describe(struct domain *d, struct domain_info *out);

/* 0 or a negative errno; *id of the new domain. */
int domain_create(const struct domain_spec *spec, uint32_t *id);
int domain_destroy(uint32_t id);
int domain_pause(uint32_t id);
int domain_unpause(uint32_t id);
int domain_shutdown(uint32_t id, uint32_t reason);
int domain_focus(uint32_t id);
/* The n-th by ascending id; false past the last. */
bool domain_info(uint32_t n, struct domain_info *out);

/* From a vmm (by the badge's id). */
void domain_vmm_ready(uint32_t id);
void domain_vmm_shutdown(uint32_t id, uint32_t reason);
void domain_vmm_refused(uint32_t id, int error, const char *why);
void domain_vmm_log(uint32_t id, const char *text);
/* A task of ours faulted. */
void domain_task_faulted(uint32_t task);

/* What shutdowns left to be done once their caller was answered: destroy, restart. */
void domain_work(void);

#endif
