/*
 * Which CPU a vCPU's thread runs on, and how long at a time. Pure: counts vCPUs on CPUs. The domain manager's
 * one thread calls it and does what it says (domain_place.c).
 */
#ifndef DOMAIN_MANAGER_PLACEMENT_H
#define DOMAIN_MANAGER_PLACEMENT_H

#include <stdbool.h>
#include <stdint.h>

#define PLACEMENT_CPUS_MAX	 256u
#define PLACEMENT_LATENCY_US	 3800u
#define PLACEMENT_SLICE_MIN_US	 1000u
#define PLACEMENT_SLICE_ALONE_US 5000u

struct placement {
	uint32_t cpus;
	uint16_t load[PLACEMENT_CPUS_MAX]; /* vCPUs placed on each */
};

struct placement_mask {
	uint64_t word[PLACEMENT_CPUS_MAX / 64];
};

/* Where a vCPU may run, and where it should: there unless these CPUs have two vCPUs more than another that it
 * may run on. A preference for none of those that it may run on is none. */
struct placement_affinity {
	struct placement_mask hard, soft;
};

static inline bool placement_mask_has(const struct placement_mask *m, uint32_t cpu)
{
	return m->word[cpu / 64] >> (cpu % 64) & 1;
}

/* cpus: 1 to PLACEMENT_CPUS_MAX; more are not used. No vCPU is placed yet. */
void placement_begin(struct placement *p, uint32_t cpus);
/* Every CPU that there may be. */
void placement_anywhere(struct placement_affinity *a);
/* Is one of our CPUs among them? Only such a mask may be the hard one of a vCPU. */
bool placement_possible(const struct placement *p, const struct placement_mask *hard);
/* A CPU for one more vCPU: of those that it may run on the one with the fewest, of these the first from
 * `hint` on (any number), round the end. */
uint32_t placement_take(struct placement *p, const struct placement_affinity *a, uint32_t hint);
/* A vCPU that was placed on one of our CPUs is on another one of them. */
void placement_change(struct placement *p, uint32_t from, uint32_t to);
/* The most vCPUs that there are on one CPU. */
uint32_t placement_most(const struct placement *p);
/* A vCPU that was placed on this CPU is gone. */
void placement_give_back(struct placement *p, uint32_t cpu);
/*
 * How long one of this CPU's vCPUs runs while others want it, in microseconds: all of them get their turn
 * within PLACEMENT_LATENCY_US, less than the period of a guest's clock tick (4 ms in Debian's kernels), and each
 * turn, which is what one that wakes may have to wait for, is below 2 ms. No turn is shorter than
 * PLACEMENT_SLICE_MIN_US. A vCPU alone has PLACEMENT_SLICE_ALONE_US. 0:
 * no such CPU.
 */
uint32_t placement_slice_us(const struct placement *p, uint32_t cpu);
/* Where a vCPU that is placed on this CPU had better be, or the same: counted as there from now on. Asked
 * again and again for every vCPU, the answers come to rest. */
uint32_t placement_move(struct placement *p, const struct placement_affinity *a, uint32_t cpu);

#endif
