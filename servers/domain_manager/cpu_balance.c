/* vCPUs that compute, among all CPUs (cpu_balance.h). */
#include "servers/domain_manager/cpu_balance.h"

#include <stddef.h>

/* Parts of a CPU: whose vCPUs used as much may have had no more to give; who uses less does not count; what one may
 * have used at most, with what was not seen in time for the last sample. */
#define BUSY	 (BALANCE_WHOLE / 5 * 4)
#define LIGHT	 (BALANCE_WHOLE / 100)
#define USED_MAX (2 * BALANCE_WHOLE)
#define ABOUT	 4u /* who lacks less than this many-th of its part has about all of it */

#define SAMPLE_US 100000u /* a longer sample counts as this */
#define LAG_KEPT  32	  /* each sample takes this many-th of a lag away: it is never more than so many of what a sample adds */

/* How far a search goes: rounds of dividing, vCPUs of one CPU, CPUs to move one from. */
#define ROUNDS	   16u
#define CANDIDATES 16u
#define SOURCES	   4u

/* What a move is worth, in microseconds: a whole CPU that else is idle, which is more than any lag; to where the vCPU
 * prefers to be; away from another vCPU of its domain, which it may have to wait for. And what it is at least. */
#define WORTH_IDLE    ((USED_MAX / BALANCE_WHOLE * LAG_KEPT + 1) * (int64_t)SAMPLE_US)
#define WORTH_PREFERS 40000
#define WORTH_SIBLING 15000
#define WORTH_LEAST   30000

void balance_begin(struct balance *b, uint32_t cpus)
{
	b->cpus = cpus < PLACEMENT_CPUS_MAX ? cpus : PLACEMENT_CPUS_MAX;
	for (uint32_t i = 0; i < b->cpus; i++)
		b->first[i] = NULL;
}

void balance_add(struct balance *b, struct balance_vcpu *v, uint32_t cpu)
{
	v->weight = v->weight ? v->weight : 1;
	v->used = v->used < USED_MAX ? v->used : USED_MAX;
	v->cap = v->cap < BALANCE_WHOLE ? v->cap : BALANCE_WHOLE;
	v->next = b->first[cpu];
	b->first[cpu] = v;
}

/* ---- shares ---- */

/* What is left for those whose share is open, and their weights. */
struct division {
	uint64_t left, weights;
};

#define OPEN UINT32_MAX /* a share */

/* Who wants no more than its weight gives it has that, and the others divide the rest. */
static bool settle_one(struct division *d, struct balance_vcpu *v)
{
	if (v->share != OPEN || (uint64_t)v->wants * d->weights > d->left * v->weight)
		return false;
	v->share = v->wants;
	d->left -= v->wants;
	d->weights -= v->weight;
	return true;
}

static void share_rest(const struct division *d, struct balance_vcpu *v)
{
	uint64_t part;

	if (v->share != OPEN)
		return;
	part = d->weights ? d->left * v->weight / d->weights : 0;
	v->share = part < v->wants ? (uint32_t)part : v->wants;
}

/* The shares of those on one CPU; of `more` too, as if it were there, and without `less`. */
static void divide(struct balance_vcpu *first, struct balance_vcpu *more, const struct balance_vcpu *less)
{
	struct division d = {.left = BALANCE_WHOLE};
	bool again = true;

	for (struct balance_vcpu *v = first; v; v = v->next) {
		v->share = v == less ? 0 : OPEN;
		d.weights += v == less ? 0 : v->weight;
	}
	if (more) {
		more->share = OPEN;
		d.weights += more->weight;
	}
	for (unsigned round = 0; again && round < ROUNDS; round++) {
		again = more && settle_one(&d, more);
		for (struct balance_vcpu *v = first; v; v = v->next)
			again = settle_one(&d, v) || again;
	}
	for (struct balance_vcpu *v = first; v; v = v->next)
		share_rest(&d, v);
	if (more)
		share_rest(&d, more);
}

/* What can be used of a CPU by those that may run there. */
static uint64_t usable(const struct balance *b, uint32_t cpu)
{
	uint64_t sum = 0;

	for (uint32_t on = 0; on < b->cpus && sum < BALANCE_WHOLE; on++)
		for (const struct balance_vcpu *v = b->first[on]; v && sum < BALANCE_WHOLE; v = v->next)
			sum += on == cpu || placement_mask_has(&v->affinity->hard, cpu) ? v->wants : 0;
	return sum < BALANCE_WHOLE ? sum : BALANCE_WHOLE;
}

/* All CPUs divided among all, as if each could be on any, on several at a time, but have no more than one. */
static void divide_all(struct balance *b)
{
	struct division d = {0};
	bool again = true;

	for (uint32_t cpu = 0; cpu < b->cpus; cpu++)
		for (struct balance_vcpu *v = b->first[cpu]; v; v = v->next) {
			v->share = OPEN;
			d.weights += v->weight;
		}
	for (uint32_t cpu = 0; cpu < b->cpus; cpu++)
		d.left += usable(b, cpu);
	for (unsigned round = 0; again && round < ROUNDS; round++) {
		again = false;
		for (uint32_t cpu = 0; cpu < b->cpus; cpu++)
			for (struct balance_vcpu *v = b->first[cpu]; v; v = v->next)
				again = settle_one(&d, v) || again;
	}
	for (uint32_t cpu = 0; cpu < b->cpus; cpu++)
		for (struct balance_vcpu *v = b->first[cpu]; v; v = v->next) {
			share_rest(&d, v);
			v->fair = v->share;
		}
}

/* ---- a sample ---- */

/*
 * On a busy CPU that several share, who used about what its weight gives it would have used more: all that it may; so
 * would who used about a whole CPU. The others had what they wanted: they are not behind.
 */
static bool wants_of(struct balance_vcpu *first)
{
	uint64_t used = 0, weights = 0;
	unsigned sharers = 0;
	bool busy;

	for (struct balance_vcpu *v = first; v; v = v->next) {
		used += v->used;
		if (v->used < LIGHT)
			continue;
		weights += v->weight;
		sharers++;
	}
	busy = sharers > 1 && used >= BUSY;
	for (struct balance_vcpu *v = first; v; v = v->next) {
		bool more = busy && v->used >= LIGHT && v->used * weights * ABOUT >= (uint64_t)BALANCE_WHOLE * v->weight * (ABOUT - 1);

		more = more || v->used >= BUSY;
		v->wants = more ? v->cap : v->used;
		if (!more && v->lag_us > 0)
			v->lag_us /= 2;
	}
	return busy;
}

bool balance_sample(struct balance *b, uint32_t passed_us)
{
	int64_t passed = passed_us < SAMPLE_US ? passed_us : SAMPLE_US;
	bool busy = false;

	for (uint32_t cpu = 0; cpu < b->cpus; cpu++)
		busy = wants_of(b->first[cpu]) || busy;
	divide_all(b);
	for (uint32_t cpu = 0; cpu < b->cpus; cpu++)
		for (struct balance_vcpu *v = b->first[cpu]; v; v = v->next) {
			int64_t behind = ((int64_t)v->fair - v->used) * passed / (int64_t)BALANCE_WHOLE;

			v->lag_us += (int32_t)(behind - v->lag_us / LAG_KEPT);
		}
	return busy;
}

/* ---- moves ---- */

static int64_t worth_of(const struct balance_vcpu *v)
{
	return ((int64_t)v->lag_us + WORTH_IDLE) * v->share / (int64_t)BALANCE_WHOLE;
}

/* What the shares of a CPU are worth, with these changes. */
static int64_t worth(struct balance_vcpu *first, struct balance_vcpu *more, const struct balance_vcpu *less)
{
	int64_t sum = 0;

	divide(first, more, less);
	for (const struct balance_vcpu *v = first; v; v = v->next)
		sum += v == less ? 0 : worth_of(v);
	return sum + (more ? worth_of(more) : 0);
}

/* What it is worth to this vCPU to be here, whatever its share. */
static int64_t worth_place(const struct balance *b, const struct balance_vcpu *v, uint32_t cpu)
{
	int64_t sum = placement_mask_has(&v->affinity->soft, cpu) ? WORTH_PREFERS : 0;

	for (const struct balance_vcpu *o = b->first[cpu]; o; o = o->next)
		sum -= o != v && o->domain == v->domain ? WORTH_SIBLING : 0;
	return sum;
}

/* How far behind all those of a CPU are, whose shares are known; 0: nobody is, or one vCPU has it for itself. */
static int64_t behind(const struct balance_vcpu *first)
{
	int64_t sum = 0;

	if (!first || !first->next)
		return 0;
	for (const struct balance_vcpu *v = first; v; v = v->next)
		sum += (v->lag_us > 0 ? v->lag_us : 0) + (v->wants - v->share) * WORTH_IDLE / (int64_t)BALANCE_WHOLE;
	return sum;
}

/* The CPU that is furthest behind, but less than `below`, or as far and after `cpu`. b->cpus: none. */
static uint32_t next_behind(const struct balance *b, const int64_t far[], int64_t below, uint32_t cpu)
{
	uint32_t found = b->cpus;

	for (uint32_t i = 0; i < b->cpus; i++)
		if (far[i] > 0 && (far[i] < below || (far[i] == below && i > cpu)) && (found == b->cpus || far[i] > far[found]))
			found = i;
	return found;
}

static bool can_go(const struct balance *b, const struct balance_vcpu *v)
{
	unsigned n = 0;

	for (uint32_t cpu = 0; cpu < b->cpus; cpu++)
		n += placement_mask_has(&v->affinity->hard, cpu);
	return v->wants && n > 1;
}

static void move(struct balance *b, struct balance_vcpu *v, uint32_t from, uint32_t to)
{
	struct balance_vcpu **link = &b->first[from];

	while (*link != v)
		link = &(*link)->next;
	*link = v->next;
	v->next = b->first[to];
	b->first[to] = v;
}

/* The move of this vCPU that gains most, if it gains more than *most. */
static bool best_of(struct balance *b, struct balance_vcpu *v, uint32_t from, const int64_t now[], int64_t *most, uint32_t *to)
{
	int64_t without = worth(b->first[from], NULL, v) - now[from] - worth_place(b, v, from);
	bool found = false;

	for (uint32_t cpu = 0; cpu < b->cpus; cpu++) {
		int64_t gain;

		if (cpu == from || !placement_mask_has(&v->affinity->hard, cpu))
			continue;
		gain = without + worth(b->first[cpu], v, NULL) - now[cpu] + worth_place(b, v, cpu);
		if (gain <= *most)
			continue;
		*most = gain;
		*to = cpu;
		found = true;
	}
	return found;
}

static struct balance_vcpu *best_from(struct balance *b, uint32_t from, const int64_t now[], uint32_t *to)
{
	struct balance_vcpu *best = NULL;
	int64_t most = WORTH_LEAST;
	unsigned tried = 0;

	for (struct balance_vcpu *v = b->first[from]; v && tried < CANDIDATES; v = v->next) {
		if (!can_go(b, v))
			continue;
		tried++;
		if (best_of(b, v, from, now, &most, to))
			best = v;
	}
	return best;
}

struct balance_vcpu *balance_move(struct balance *b, uint32_t *from, uint32_t *to)
{
	int64_t far[PLACEMENT_CPUS_MAX], now[PLACEMENT_CPUS_MAX], below = INT64_MAX;

	for (uint32_t cpu = 0; cpu < b->cpus; cpu++) {
		now[cpu] = worth(b->first[cpu], NULL, NULL);
		far[cpu] = behind(b->first[cpu]);
	}
	*from = b->cpus;
	for (unsigned tried = 0; tried < SOURCES; tried++) {
		struct balance_vcpu *v;

		*from = next_behind(b, far, below, *from);
		if (*from == b->cpus)
			return NULL;
		below = far[*from];
		v = best_from(b, *from, now, to);
		if (v) {
			move(b, v, *from, *to);
			return v;
		}
	}
	return NULL;
}
