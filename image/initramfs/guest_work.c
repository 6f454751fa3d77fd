/*
 * The guest's side of the timing tests: works, or sleeps, and reports once a second what the guest believes
 * about time. Started by init; returns in modes tsc and mixed only. The host compares the reports with the emulator's clock.
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "guest_mixed.h"

static uint64_t tsc(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

static double seconds(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void report(const char *what, uint64_t work)
{
	double cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
	uint64_t now = tsc();

	printf("INSULA-GUEST: %s work=%" PRIu64 " mono=%.6f real=%.6f cpu=%.6f tsc=%" PRIu64 "\n",
	       what, work, seconds(CLOCK_MONOTONIC), seconds(CLOCK_REALTIME), cpu, now);
	fflush(stdout);
}

static void spin(void)
{
	volatile uint32_t state = 1;
	double next = seconds(CLOCK_MONOTONIC);

	for (uint64_t work = 0;; work++) {
		for (int i = 0; i < 10000; i++)
			state = state * 1664525u + 1013904223u;
		if (seconds(CLOCK_MONOTONIC) >= next) {
			report("spin", work);
			next += 1;
		}
	}
}

static void sleep_and_report(void)
{
	for (uint64_t n = 0;; n++) {
		struct timespec second = { .tv_sec = 1 };

		report("clock", n);
		nanosleep(&second, NULL);
	}
}

static void flood(void)
{
	for (uint64_t n = 0;; n++)
		printf("INSULA-GUEST: flood %" PRIu64 " ----------------------------------------------------------\n", n);
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "spin";

	if (!strcmp(mode, "tsc")) {
		printf("%" PRIu64 "\n", tsc());
		return 0;
	}
	if (!strcmp(mode, "mixed"))
		return mixed_load(argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 60);
	if (!strcmp(mode, "clock"))
		sleep_and_report();
	if (!strcmp(mode, "flood"))
		flood();
	spin();
}
