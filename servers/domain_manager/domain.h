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
#include "servers/domain_manager/cpu_balance.h"
#include "servers/domain_manager/domain_heap.h"
#include "servers/domain_manager/physmap.h"
#include "servers/domain_manager/placement.h"

struct cpu_policy;
struct e820_entry;
struct evtchn_end;
struct grant_table;

#define DOMAINS_MAX   250
#define DOMAIN_PORTS  4096u /* of one that Insula itself makes; domain 0 has VMM_MAX_PORTS */
#define EVTCHN_ENDS_HASH 64u

struct domain_vcpu {
	struct placement_affinity affinity;
	uint64_t used_us; /* CPU time */
	uint32_t cap;     /* its part of the domain's, in hundredths of a percent; 0 none */
	uint64_t sampled_us; /* used_us when that was last looked at (domain_load.c) */
	struct balance_vcpu balance;
	/* what the kernel was told last */
	uint32_t budget_us, period_us;
	bool capped;
	uint16_t cpu_told;
};

struct domain {
	bool used; /* false: slot is free */
	uint32_t row; /* of the table */
	uint32_t id;
	bool privileged; /* its vmm holds the control capability: the admin VM, domain 0 */
	struct domain_spec spec;
	uint32_t account, task;
	struct domain_heap heap; /* what is noted of it */
	uint32_t slot_base, slot_count; /* in our CNode: see domain.c */
	uint32_t slot_next;
	uint32_t console_client;
	bool console_open;
	uint32_t pauses;
	bool ready;      /* its guest runs */
	bool refused;    /* its kernel could not be loaded: told already */
	bool ended;      /* shut down or crashed; waits to be taken away or is kept */
	uint32_t shutdown_reason;
	uint64_t ram_bytes;
	uint16_t cpu[VMM_MAX_VCPUS]; /* where its vCPUs run: the first `placed` */
	uint32_t placed;
	struct domain_vcpu *vcpu; /* spec.vcpus of them */
	uint64_t served; /* ticks of ours that it has not been charged for yet */
	uint32_t log_lines; /* taken from its vmm */
	uint8_t uuid[16];
	/* of domains that a toolstack builds (domain_bare.c) */
	bool bare;
	bool started;    /* its vmm has been let run */
	bool told;       /* its end, to domain 0 */
	bool stopped;    /* its vmm will never run again */
	bool dying;      /* destroyed; kept while others have pages of its mapped */
	bool gone;       /* its account has been freed */
	struct physmap map;
	/* ports that concern other domains; those that its vmm has to be told of; the one that it was told of last, until it asks again (evtchn.c) */
	struct evtchn_end *ends[EVTCHN_ENDS_HASH], *changed, *changed_last;
	uint32_t end_count, stale_pairs;
	uint32_t ports; /* event channels: it may have those below */
	struct grant_table *grants; /* grant.c */
	uint32_t grant_frames_max, maptrack_frames;
	uint64_t peers[VMM_PEERS / 64];
	uint32_t peer_slot;      /* first of VMM_PEERS slots of its vmm's CNode */
	uint64_t max_pages;
	uint32_t tsc_mode;
	uint16_t weight, cap;  /* credit2's: cap in percent of a CPU for all its vCPUs, 0 none */
	uint64_t mempool_bytes;
	/* context.c */
	uint32_t context_slot, context_number;
	uint64_t context_until;
	bool context_asked, context_valid;
	bool log_dirty; /* control_save.c */
	struct cpu_policy *policy; /* that a toolstack has set (control_policy.c) */
	struct e820_entry *e820; /* XENMEM_set_memory_map */
	uint32_t e820_count;
	struct vmm_control *control;
	uint32_t control_slot;
};

/* NULL: no such domain. */
struct domain *domain_find(uint32_t id);
/* The domain with the lowest id that is not below `from`. */
struct domain *domain_next(uint32_t from);
/* Of all rows, DOMAINS_MAX; NULL: it is free. */
struct domain *domain_row(unsigned row);
uint32_t domain_count(void);

/* ---- domain_info.c ---- */
/* Bit i: vCPU i is up. */
uint32_t domain_online(const struct domain *d);
/* CPU time of one of its vCPUs, in microseconds. */
uint64_t domain_vcpu_us(struct domain *d, uint32_t vcpu);
void domain_describe(struct domain *d, struct domain_info *out);
/* The n-th by ascending id; false past the last. */
bool domain_info(uint32_t n, struct domain_info *out);

/* ---- domain_create.c, domain_bare.c ---- */
/* 0 or a negative errno; *id of the new domain. */
int domain_create(const struct domain_spec *spec, uint32_t *id);
/*
 * A domain without memory, paused, whose vmm waits for the first unpause. id 0: the next free one; else that, or -EEXIST. uuid: what its
 * maker calls it. grant_frames and maptrack_frames: grant.h. ports: event channels, VMM_MAX_PORTS at most. msr_relaxed: vmm_start.h.
 */
int domain_create_bare(uint32_t vcpus, const uint8_t uuid[16], uint32_t wanted, uint32_t grant_frames, uint32_t maptrack_frames, uint32_t ports, bool msr_relaxed,
		       uint32_t *id);

/* ---- domain_run.c ---- */
int domain_pause(uint32_t id);
int domain_unpause(uint32_t id);
int domain_shutdown(uint32_t id, uint32_t reason);
/* It had ended, its vmm has not: it goes on. */
void domain_resume(struct domain *d);
int domain_focus(uint32_t id);
/* A vCPU's thread looks at what `badge` stands for. */
void domain_signal(struct domain *d, uint32_t vcpu, uint64_t badge);
/* Its vmm looks at struct vmm_control. */
void domain_signal_control(struct domain *d);
/* Domain 0 looks what has become of other domains. */
void domain_exception(void);

/* ---- domain_place.c ---- */
/* NULL: that mask stays. -EINVAL: none of the machine's CPUs is in the hard one. */
int domain_affinity_set(struct domain *d, uint32_t vcpu, const struct placement_mask *hard, const struct placement_mask *soft);
void domain_weight_set(struct domain *d, uint16_t weight, uint16_t cap);
/* Credit2's, of all CPUs: how long a vCPU runs at least before another's turn, if there is a choice. In microseconds. */
uint32_t domain_ratelimit(void);
void domain_ratelimit_set(uint32_t us);

/* ---- domain_load.c ---- */
/* The badge of a signal on our notification, and what it asks for. */
#define DOMAIN_LOAD_BADGE (1ull << 61)
void domain_load_tick(void);
/* A call of a domain's vmm, which waits for the answer, came at `start` (TSC): what passed since is its vCPUs' time. */
void domain_load_served(uint32_t id, uint64_t start);

/* ---- domain_vmm.c ---- */
/* From a vmm (by the badge's id). */
void domain_vmm_ready(uint32_t id);
void domain_vmm_shutdown(uint32_t id, uint32_t reason);
void domain_vmm_refused(uint32_t id, const char *why);
void domain_vmm_log(uint32_t id, const char *text);
/* A task of ours faulted. */
void domain_task_faulted(uint32_t task);

#endif
