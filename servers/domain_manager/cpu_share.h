/*
 * credit2's weights and caps as budgets and periods of scheduling contexts. Pure: the numbers of one CPU in,
 * those of one vCPU out.
 *
 * vCPUs without a cap take turns: who is the heavier has the longer turn, so that those who want the CPU have
 * it in proportion to their weights, whoever else sleeps. One that wakes has a part of its turn at once, if
 * it does not compute (docs/extensions/wake-first.md). A capped one has turns of the same length, and waits
 * after each until its cap allows the next. Times are in microseconds.
 */
#ifndef DOMAIN_MANAGER_CPU_SHARE_H
#define DOMAIN_MANAGER_CPU_SHARE_H

#include <stdbool.h>
#include <stdint.h>

#define CPU_SHARE_WEIGHT 256u /* credit2's default */
#define CPU_SHARE_CAP_WHOLE                                                                                  \
	10000u			 /* a cap is in hundredths of a percent of one CPU; from here on it is none */
#define CPU_SHARE_TURN_MIN  100u /* no turn is shorter; XEN_SYSCTL_SCHED_RATELIMIT_MIN */
#define CPU_SHARE_TURN_MAX  1900u /* nor longer, but for the sake of proportion: who wakes may have to wait for one */
#define CPU_SHARE_ROUND_MAX 100000u /* one turn of each takes no longer, unless all have the shortest */

/* The vCPUs of one CPU. */
struct cpu_share_load {
	uint32_t vcpus;
	uint64_t weights;  /* their sum */
	uint32_t lightest, heaviest; /* the least of them, and the most */
	uint32_t turn_us;  /* wanted for one of mean weight */
	uint32_t least_us; /* wanted at least for the lightest, at the cost of a longer round, if nobody's turn is longer than
			    * CPU_SHARE_TURN_MAX for that, or than this itself */
};

struct cpu_share {
	uint32_t budget_us, period_us;
	bool capped; /* else budget_us is its turn in the round of period_us that all have theirs in */
};

void cpu_share_begin(struct cpu_share_load *l, uint32_t turn_us, uint32_t least_us);
/* One more vCPU, of this weight (0 is taken for 1). */
void cpu_share_add(struct cpu_share_load *l, uint32_t weight);
/* For one of those that were added. cap: in hundredths of a percent, 0: none. budget_us >=
 * CPU_SHARE_TURN_MIN, period_us >= budget_us. */
struct cpu_share cpu_share_of(const struct cpu_share_load *l, uint32_t weight, uint32_t cap);

/*
 * A domain's cap for the n vCPUs that share it, from what each used of its part since the last time: who used
 * all of it gets what the others leave. All in hundredths of a percent of one CPU; part[] is changed. No part
 * is 0 unless the cap is too small, and their sum is at most the cap.
 */
void cpu_share_split(uint32_t cap, unsigned n, const uint32_t used[], uint32_t part[]);

#endif
