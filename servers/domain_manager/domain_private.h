/* What domain.c and domain_bare.c share of the table of domains. */
#ifndef DOMAIN_MANAGER_DOMAIN_PRIVATE_H
#define DOMAIN_MANAGER_DOMAIN_PRIVATE_H

#include "proto/root/root.h"
#include "servers/domain_manager/domain.h"

#define VMM_PRIORITY	 100u
#define VMM_HEAP(vcpus, ports) ((32u << 10) + (vcpus) * (8u << 10) + (((ports) * VMM_PORT_BYTES + 4095u) & ~4095u))
#define VMM_UNTYPED_BITS 19u
#define VMM_OWN_SLOTS	 320u /* of its CNode, beyond the fixed ones: its objects and placed pages */
#define SLOT_THREADS(d)	 ((d)->slot_base + ROOT_TASK_SLOT_THREAD)

static inline unsigned domain_log2_up(uint32_t n)
{
	unsigned bits = 0;

	while ((1u << bits) < n)
		bits++;
	return bits;
}

/* A free row of the table, with slots for that many vCPUs, and this id, which nobody has, or any (0); NULL: no row, or no memory. */
struct domain *domain_take(const struct domain_spec *spec, uint32_t id);
/* All that it has is given back, whatever step its making reached; the row is free. */
void domain_release(struct domain *d);
/* The page shared with its vmm, into slot vmm_slot of the vmm's CNode. */
int domain_control_connect(struct domain *d, uint32_t vmm_cnode, uint32_t vmm_slot, struct vmm_start *start);

/* ---- domain_place.c ---- */
/* Its vCPUs' threads, made and not yet running, go to the least loaded CPUs, with their weight's turns. -ENOMEM: the domain is to be released. */
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

/* ---- domain_bare.c ---- */
int domain_bare_start(struct domain *d);
/* What domain_destroy does, of any domain. */
int domain_end(struct domain *d);
/* struct vmm_control: where it has memory. */
void domain_ram_describe(struct domain *d);
/* What domain_release has to do after the account was freed, for its memory and what it shared with others. */
void domain_bare_end(struct domain *d);

#endif
