/* Measures the TSC and the APIC timer against a known clock (time.h). Called by time_init. */
#include "arch/x86/apic.h"
#include "arch/x86/cpu_hw.h"
#include "arch/x86/time.h"

enum { TIME_TRIES = 16, TIME_ERROR_WANTED_PPM = 10 };
#define TIME_FS_PER_S	1000000000000000ull
#define TIME_SHORTEST	(TIME_FS_PER_S / 50) /* 20 ms */
#define TIME_LONGEST	(TIME_FS_PER_S / 2)
#define TIME_DEAD_TICKS BIT(27) /* no count in so many TSC ticks: it stands still */

/* The clock followed since the first reading: readings must come more often than it wraps. */
struct time_follow {
	const struct time_reference *r;
	uint64_t last;
	uint64_t counts;
};

struct time_sample {
	uint64_t tsc;	/* in the middle of the reading */
	uint64_t width; /* between the readings of the TSC around it */
	uint64_t counts;
	uint32_t apic;
};

static uint64_t time_follow(struct time_follow *f)
{
	uint64_t now = f->r->read();

	f->counts += (now - f->last) & f->r->mask;
	f->last = now;
	return f->counts;
}

/* The one reading of several that was disturbed least. */
static struct time_sample time_sample(struct time_follow *f)
{
	struct time_sample best = {.width = UINT64_MAX};

	for (unsigned i = 0; i < TIME_TRIES; i++) {
		uint64_t before = cpu_rdtsc();
		uint64_t counts = time_follow(f);
		uint64_t after = cpu_rdtsc();
		uint32_t apic = apic_timer_current();
		if (after - before < best.width)
			best =
			    (struct time_sample){before + (after - before) / 2, after - before, counts, apic};
	}
	return best;
}

static bool time_runs(struct time_follow *f)
{
	uint64_t start = cpu_rdtsc(), first = time_follow(f);

	while (cpu_rdtsc() - start < TIME_DEAD_TICKS)
		if (time_follow(f) - first >= 2)
			return true;
	return false;
}

bool time_calibrate(const struct time_reference *r, struct time_measured *out)
{
	struct time_follow f = {.r = r, .last = r->read()};
	struct time_sample start, end;
	uint64_t fs, ticks, wrong;

	if (!time_runs(&f))
		return false;
	start = time_sample(&f);
	for (uint64_t wanted = TIME_SHORTEST;; wanted *= 2) {
		while ((time_follow(&f) - start.counts) * r->period_fs < wanted)
			cpu_pause();
		end = time_sample(&f);
		fs = (end.counts - start.counts) * r->period_fs;
		ticks = end.tsc - start.tsc;
		if (ticks == 0)
			return false;
		out->tsc_hz = time_muldiv(ticks, TIME_FS_PER_S, fs);
		/* Each reading is off by half its width at most, and by what the clock had gone on within a
		 * count. */
		wrong = (start.width + end.width) / 2 + time_muldiv(out->tsc_hz, r->period_fs, TIME_FS_PER_S);
		out->error_ppm = (uint32_t)time_muldiv(wrong, 1000000, ticks);
		if (out->error_ppm <= TIME_ERROR_WANTED_PPM || wanted * 2 > TIME_LONGEST)
			break;
	}
	out->apic_per_tsc = time_muldiv(start.apic - end.apic, BIT(32), ticks) + 1;
	return true;
}
