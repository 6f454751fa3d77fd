/* The kernel's clock and alarm (arch.h, time.h): owns the TSC's frequency and the choice of timer. */
#include "arch/x86/time.h"
#include "arch/x86/apic.h"
#include "arch/x86/arch.h"
#include "arch/x86/cpu.h"
#include "arch/x86/cpu_hw.h"
#include "arch/x86/mm/kmap.h"
#include "arch/x86/time_hw.h"
#include "panic.h"
#include "percpu.h"

#define TIME_PM_PERIOD_FS  279365115ull /* 3.579545 MHz */
#define TIME_PIT_PERIOD_FS 838095345ull /* 1.193182 MHz */
#define TIME_HPET_BYTES	   1024u
#define TIME_HZ_LEAST	   10000000ull
#define TIME_HZ_MOST	   100000000000ull

uint64_t time_tsc_hz;
static struct time_scale time_scale;
static uint64_t time_apic_per_tsc;

static bool time_try(const struct time_reference *r, struct time_measured *m)
{
	return time_calibrate(r, m) && m->tsc_hz >= TIME_HZ_LEAST && m->tsc_hz <= TIME_HZ_MOST &&
	       m->apic_per_tsc > 1;
}

static bool time_try_hpet(const struct acpi_hpet *hpet, struct time_measured *m, const char **name)
{
	struct time_reference r = {.name = "HPET", .read = time_hpet_read, .mask = MASK(32)};

	if (hpet == NULL || hpet->paddr == 0)
		return false;
	r.period_fs = time_hpet_start(kmap_device(paddr(hpet->paddr), TIME_HPET_BYTES, KMAP_UC));
	*name = r.name;
	return r.period_fs != 0 && time_try(&r, m);
}

static bool time_try_pm(const struct acpi_fadt *fadt, struct time_measured *m, const char **name)
{
	const struct time_reference r = {
	    .name = "ACPI timer", .read = time_pm_read, .mask = MASK(24), .period_fs = TIME_PM_PERIOD_FS};

	if (fadt == NULL || fadt->pm_timer.space != ACPI_SPACE_IO || fadt->pm_timer.address == 0 ||
	    fadt->pm_timer.address > UINT16_MAX)
		return false;
	time_pm_start((uint16_t)fadt->pm_timer.address);
	*name = r.name;
	return time_try(&r, m);
}

static bool time_try_pit(struct time_measured *m, const char **name)
{
	const struct time_reference r = {
	    .name = "PIT", .read = time_pit_read, .mask = MASK(16), .period_fs = TIME_PIT_PERIOD_FS};

	time_pit_start();
	*name = r.name;
	return time_try(&r, m);
}

void time_init(const struct acpi_hpet *hpet, const struct acpi_fadt *fadt)
{
	struct time_measured m;
	const char *name = "";

	/* In deadline mode the counter does not count: as one-shot for the measurement. */
	apic_timer_count_down();
	if (!time_try_hpet(hpet, &m, &name) && !time_try_pm(fadt, &m, &name) && !time_try_pit(&m, &name))
		boot_stop("no clock (HPET, ACPI timer, PIT) is running to measure the CPU's time-stamp "
			  "counter with");
	apic_init_cpu(percpu_self());
	time_tsc_hz = m.tsc_hz;
	time_scale = time_scale_make(m.tsc_hz);
	time_apic_per_tsc = m.apic_per_tsc;
	kprintf("Time: TSC %lu.%03lu MHz by %s (to %u ppm)%s, alarm by %s\n", m.tsc_hz / 1000000,
		m.tsc_hz / 1000 % 1000, name, m.error_ppm, cpu.invariant_tsc ? "" : ", not invariant",
		cpu.tsc_deadline ? "TSC deadline" : "APIC timer");
}

ticks_t time_us_to_ticks(uint64_t us)
{
	return time_scale_to_ticks(&time_scale, us);
}

uint64_t time_ticks_to_us(ticks_t t)
{
	return time_scale_to_us(&time_scale, t);
}

uint64_t time_max_us(void)
{
	return time_scale_to_us(&time_scale, TIME_TICKS_MAX) - 1;
}

void time_set_deadline(ticks_t deadline)
{
	uint64_t now, count;

	if (cpu.tsc_deadline) {
		/* 0 would stop it; UINT64_MAX, none, is never reached. */
		apic_timer_deadline(deadline != 0 ? deadline : 1);
		return;
	}
	if (deadline == UINT64_MAX) {
		apic_timer_one_shot(0);
		return;
	}
	now = cpu_rdtsc();
	if (deadline <= now) {
		apic_timer_one_shot(1);
		return;
	}
	/* Rounded up: an alarm that is early by a tick would only have to be set again. */
	deadline -= now;
	if (deadline > UINT32_MAX)
		deadline = UINT32_MAX;
	count = ((deadline * time_apic_per_tsc) >> 32) + 1;
	apic_timer_one_shot(count > UINT32_MAX ? UINT32_MAX : (uint32_t)count);
}
