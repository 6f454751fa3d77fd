/*
 * Which CPU a vCPU's thread runs on, and how long at a time. Pure: counts vCPUs on CPUs. The domain manager's
 * one thread calls it and does what it says (domain_place.c).
 */
#ifndef DOMAIN_MANAGER_PLACEMENT_H
#define DOMAIN_MANAGER_PLACEMENT_H

#include <stdbool.h>
#include <stdint.h>

#define PLACEMENT_CPUS_MAX	 256u
#define PLACEMENT_LATENCY_US	 4000u
#define PLACEMENT_SLICE_MIN_US	 1000u
#define PLACEMENT_SLICE_ALONE_US 5000u

struct placement {
	uint32_t cpus;
	uint16_t load[PLACEMENT_CPUS_MAX]; /* vCPUs placed on each */
};

/* cpus: 1 to PLACEMENT_CPUS_MAX; more are not used. No vCPU is placed yet. */
void placement_begin(struct placement *p, uint32_t cpus);
/* A CPU for one more vCPU: the one with the fewest, of those the first from `hint` on (any number), round the
 * end. */
uint32_t placement_take(struct placement *p, uint32_t hint);
/* A vCPU that was placed on this CPU is gone. */
void placement_give_back(struct placement *p, uint32_t cpu);
/*
 * How long one of this CPU's vCPUs runs while others want it, in microseconds: all of them get their turn
 * within PLACEMENT_LATENCY_US, less than the period of a guest's clock tick (4 ms in Debian's kernels),
 * unless that were turns shorter than PLACEMENT_SLICE_MIN_US. A vCPU alone has PLACEMENT_SLICE_ALONE_US. 0:
 * no such CPU.
 */
uint32_t placement_slice_us(const struct placement *p, uint32_t cpu);
/* Is one CPU's load more than one vCPU above another's? Then a vCPU is to be moved between these two, and
 * counts as moved. */
bool placement_move(struct placement *p, uint32_t *from, uint32_t *to);

#endif
