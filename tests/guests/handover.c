/*
 * Two vCPUs that wait for each other by looking, with PAUSE between two looks, as a kernel's locks do. `handover` says how many ticks of the TSC one waits for the other: where they
 * share a CPU the rest of a turn, or less if a guest that spins gives its turn away. `rounds`: how often.
 */
#include "payload.h"

static volatile uint64_t turn; /* even: the first one's */
static uint64_t rounds;

static void wait_for(uint64_t n)
{
	while (turn != n)
		payload_pause();
}

static void second(void)
{
	for (uint64_t n = 1; n < 2 * rounds; n += 2) {
		wait_for(n);
		turn = n + 1;
	}
}

static void handover(void)
{
	uint64_t start;

	rounds = payload_option("rounds", 50);
	payload_second_start(second);
	turn = 1; /* it is up when it answers */
	wait_for(2);
	start = payload_tsc();
	for (uint64_t n = 2; n < 2 * rounds; n += 2) {
		turn = n + 1;
		wait_for(n + 2);
	}
	console_print("HANDOVER ticks ");
	console_number((payload_tsc() - start) / (rounds - 1) / 2);
	console_print("\n");
}

const struct payload_mode handover_modes[] = {
	{ "handover", handover },
	{ NULL, NULL },
};
