/* Weights and caps into budgets and periods (cpu_share.h). */
#include "servers/domain_manager/cpu_share.h"

#define SPLIT_OPEN 0x80000000u /* of a part: not settled */

void cpu_share_begin(struct cpu_share_load *l, uint32_t turn_us, uint32_t least_us)
{
	*l = (struct cpu_share_load){.turn_us = turn_us, .least_us = least_us};
}

void cpu_share_add(struct cpu_share_load *l, uint32_t weight)
{
	weight = weight ? weight : 1;
	l->vcpus++;
	l->weights += weight;
	if (l->vcpus == 1 || weight < l->lightest)
		l->lightest = weight;
	if (weight > l->heaviest)
		l->heaviest = weight;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* How long it takes until each has had its turn. */
static uint64_t round_us(const struct cpu_share_load *l)
{
	uint64_t longest = larger(larger(l->turn_us, l->least_us), CPU_SHARE_TURN_MAX);
	uint64_t wanted = larger((uint64_t)l->turn_us * l->vcpus, l->least_us * l->weights / l->lightest);
	uint64_t least = (uint64_t)CPU_SHARE_TURN_MIN * l->vcpus, most = larger(least, CPU_SHARE_ROUND_MAX);
	/* so that nobody's turn is longer, and the lightest's can still be in proportion */
	uint64_t bound = larger(longest * l->weights / l->heaviest, CPU_SHARE_TURN_MIN * l->weights / l->lightest);

	return smaller(larger(smaller(wanted, bound), least), most);
}

struct cpu_share cpu_share_of(const struct cpu_share_load *l, uint32_t weight, uint32_t cap)
{
	uint64_t round, turn, period;

	weight = weight ? weight : 1;
	round = round_us(l);
	turn = round * weight / l->weights;
	if (turn < CPU_SHARE_TURN_MIN)
		turn = CPU_SHARE_TURN_MIN;
	if (!cap || cap >= CPU_SHARE_CAP_WHOLE)
		return (struct cpu_share){(uint32_t)turn, (uint32_t)(turn > round ? turn : round), false};
	period = turn * CPU_SHARE_CAP_WHOLE / cap;
	/* less than its weight would give it: it has its turn in each round all the same, a shorter one */
	if (period > round) {
		period = round;
		turn = period * cap / CPU_SHARE_CAP_WHOLE;
		if (turn < CPU_SHARE_TURN_MIN) {
			turn = CPU_SHARE_TURN_MIN;
			period = turn * CPU_SHARE_CAP_WHOLE / cap;
		}
	}
	return (struct cpu_share){(uint32_t)turn, (uint32_t)(period > turn ? period : turn + 1), true};
}

/* What a vCPU is given at least, so that it can be seen to want more. */
#define SPLIT_LEAST 100u

static uint32_t split_wanted(uint32_t used, uint32_t part, uint32_t least)
{
	uint32_t wanted = used + used / 4;

	if (used >= part - part / 8)
		return CPU_SHARE_CAP_WHOLE;
	return wanted > least ? wanted : least;
}

void cpu_share_split(uint32_t cap, unsigned n, const uint32_t used[], uint32_t part[])
{
	uint32_t least = cap / n < SPLIT_LEAST ? cap / n : SPLIT_LEAST, left = cap, fair = 0;
	unsigned others = n;
	bool again = true;

	/* those who want no more than an even part get that; then the even part of the others is larger */
	for (unsigned i = 0; i < n; i++)
		part[i] = split_wanted(used[i], part[i], least) | SPLIT_OPEN;
	while (again && others) {
		again = false;
		fair = left / others;
		for (unsigned i = 0; i < n; i++)
			if (part[i] & SPLIT_OPEN && (part[i] & ~SPLIT_OPEN) <= fair) {
				part[i] &= ~SPLIT_OPEN;
				left -= part[i];
				others--;
				again = true;
			}
	}
	for (unsigned i = 0; i < n; i++)
		if (part[i] & SPLIT_OPEN)
			part[i] = fair;
	/* nobody wants the rest now; whoever does next finds a part of it */
	if (!others)
		for (unsigned i = 0; i < n; i++) {
			part[i] += left / n;
			part[i] = part[i] < CPU_SHARE_CAP_WHOLE ? part[i] : CPU_SHARE_CAP_WHOLE;
		}
}
