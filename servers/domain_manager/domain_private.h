/* What the files of the table of domains (domain*.c) share. */
#ifndef DOMAIN_MANAGER_DOMAIN_PRIVATE_H
#define DOMAIN_MANAGER_DOMAIN_PRIVATE_H

#include "proto/root/root.h"
#include "servers/domain_manager/domain.h"

#define SLOT_THREADS(d) ((d)->slot_base + ROOT_TASK_SLOT_THREAD)

/* A free row of the table, with slots for that many vCPUs, and this id, which nobody has, or any (0); NULL:
 * no row, or no memory. */
struct domain *domain_take(const struct domain_spec *spec, uint32_t id);
/* All that it has is given back, whatever step its making reached; the row is free. */
void domain_release(struct domain *d);

/* ---- domain_vmm.c ---- */
/*
 * Its account, its vmm's process, which does not run yet, and its second-level tables. first_own: slots of
 * the vmm's CNode from there on are the vmm's own.
 */
int domain_vmm_create(struct domain *d, uint32_t first_own);
/* The page shared with its vmm, into that slot of the vmm's CNode. */
int domain_vmm_control(struct domain *d, uint32_t slot, struct vmm_start *start);
/* What is the same for all is filled into `start`, and its vmm gets it. */
int domain_vmm_tell(const struct domain *d, struct vmm_start *start, uint32_t first_own);

/* ---- domain_place.c ---- */
/* Its vCPUs' threads, made and not yet running, go to the least loaded CPUs, with their weight's turns.
 * -ENOMEM: the domain is to be released. */
int domain_place(struct domain *d);
/* Before it leaves the table. */
void domain_unplace(struct domain *d);

/* What its vCPUs used of the last passed_us is known (struct balance_vcpu): some move, and the kernel is told, of parts of caps too. True: while this
 * goes on it is worth asking again soon. */
bool domain_balance(uint32_t passed_us);
/* Does a CPU have several vCPUs, and is there another? */
bool domain_crowded(void);

/* ---- domain_load.c ---- */
/* Places or caps changed: what vCPUs use may matter from now on. */
void domain_load_begin(void);
/* The domain's cap was set: its vCPUs have even parts of it. */
void domain_cap_begin(struct domain *d);

#endif
