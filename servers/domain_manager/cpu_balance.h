/*
 * Which vCPU had better be on which CPU, by what each used: weights divide all CPUs among all vCPUs that compute,
 * as credit2's do, though each vCPU is on one CPU at a time. Pure: the caller samples, and makes the moves.
 *
 * Each vCPU has a lag: CPU time that its weight would have given it of all CPUs together, less what it had where
 * it was. A move is worth what it changes in everybody's share, each counted by its lag; so with three that
 * compute on two CPUs they take turns in being alone. Shares are in hundredths of a percent of one CPU.
 */
#ifndef DOMAIN_MANAGER_CPU_BALANCE_H
#define DOMAIN_MANAGER_CPU_BALANCE_H

#include <stdbool.h>
#include <stdint.h>
#include "servers/domain_manager/placement.h"

#define BALANCE_WHOLE 10000u /* of one CPU */

struct balance_vcpu {
	/* the caller's: domain is any number that its domain's vCPUs have in common, used what it had since the last
	 * sample, cap its own one or BALANCE_WHOLE */
	uint32_t domain, weight, used, cap;
	const struct placement_affinity *affinity;
	int32_t lag_us; /* 0 at first, and kept from sample to sample */
	/* ours, of this sample */
	uint32_t wants, fair, share;
	struct balance_vcpu *next;
};

struct balance {
	uint32_t cpus;
	struct balance_vcpu *first[PLACEMENT_CPUS_MAX]; /* those on each CPU */
};

/* cpus: 1 to PLACEMENT_CPUS_MAX. Nobody is on them. */
void balance_begin(struct balance *b, uint32_t cpus);
/* It is on this CPU, below cpus; it stays the caller's memory until the moves are made. */
void balance_add(struct balance *b, struct balance_vcpu *v, uint32_t cpu);
/*
 * All were added, and what they used they used in `passed_us`: lags follow. False: no CPU that two or more vCPUs
 * share is busy, so no move is worth anything.
 */
bool balance_sample(struct balance *b, uint32_t passed_us);
/* The best move from the CPU that is furthest behind, made in b; NULL: none is worth it. At most `cpus` moves of
 * one sample make sense. */
struct balance_vcpu *balance_move(struct balance *b, uint32_t *from, uint32_t *to);

#endif
