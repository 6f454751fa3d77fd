/*
 * Time-stamp counters of two CPUs compared (smp_start.h): the boot CPU asks, the other answers with its
 * counter, and the answer that came back fastest counts. What remains unknown is half the way there and back.
 */
#include "arch/x86/smp/smp_start.h"
#include "arch/x86/cpu_hw.h"
#include "arch/x86/msr.h"

#define SMP_TSC_ROUNDS 32u

enum smp_tsc_wish { SMP_TSC_READ, SMP_TSC_MOVE, SMP_TSC_END };

static struct {
	uint32_t asked;	   /* number of the question; the boot CPU's */
	uint32_t answered; /* of the one answered last; the other's */
	enum smp_tsc_wish wish;
	int64_t move;
	uint64_t tsc;
} smp_tsc;

static uint64_t smp_tsc_ask(enum smp_tsc_wish wish)
{
	uint32_t n = smp_tsc.asked + 1;

	smp_tsc.wish = wish;
	__atomic_store_n(&smp_tsc.asked, n, __ATOMIC_RELEASE);
	while (__atomic_load_n(&smp_tsc.answered, __ATOMIC_ACQUIRE) != n)
		cpu_pause();
	return smp_tsc.tsc;
}

int64_t smp_tsc_compare(uint64_t *error)
{
	uint64_t best = UINT64_MAX;
	int64_t ahead = 0;

	for (unsigned i = 0; i < SMP_TSC_ROUNDS; i++) {
		uint64_t before = cpu_rdtsc(), theirs = smp_tsc_ask(SMP_TSC_READ),
			 width = cpu_rdtsc() - before;

		if (width >= best)
			continue;
		best = width;
		ahead = (int64_t)(theirs - (before + width / 2));
	}
	*error = best / 2 + 1;
	return ahead;
}

void smp_tsc_set(int64_t ahead)
{
	smp_tsc.move = ahead;
	smp_tsc_ask(SMP_TSC_MOVE);
}

void smp_tsc_end(void)
{
	smp_tsc_ask(SMP_TSC_END);
}

void smp_tsc_answer(void)
{
	enum smp_tsc_wish wish;
	uint32_t n;

	do {
		n = smp_tsc.answered + 1;
		while (__atomic_load_n(&smp_tsc.asked, __ATOMIC_ACQUIRE) != n)
			cpu_pause();
		wish = smp_tsc.wish;
		if (wish == SMP_TSC_MOVE)
			cpu_wrmsr(MSR_TSC, cpu_rdtsc() - (uint64_t)smp_tsc.move);
		smp_tsc.tsc = cpu_rdtsc();
		__atomic_store_n(&smp_tsc.answered, n, __ATOMIC_RELEASE);
	} while (wish != SMP_TSC_END);
}
