/* HPET, ACPI PM timer, PIT (time_hw.h). Called by time.c at boot. */
#include "arch/x86/time_hw.h"
#include "arch/x86/cpu_hw.h"

enum { TIME_HPET_CAPABILITIES = 0, TIME_HPET_PERIOD = 4, TIME_HPET_CONFIG = 0x10, TIME_HPET_COUNTER = 0xf0 };
enum { TIME_HPET_ON = 1, TIME_HPET_PERIOD_MAX = 100000000 };
enum { TIME_PIT_CHANNEL2 = 0x42, TIME_PIT_COMMAND = 0x43, TIME_PIT_GATE = 0x61 };

static volatile uint8_t *time_hpet_base;
static uint16_t time_pm_port;

uint64_t time_hpet_start(volatile uint8_t *base)
{
	uint32_t period = *(volatile uint32_t *)(base + TIME_HPET_PERIOD);
	volatile uint32_t *config = (volatile uint32_t *)(base + TIME_HPET_CONFIG);

	time_hpet_base = base;
	if (period == 0 || period > TIME_HPET_PERIOD_MAX)
		return 0;
	if ((*config & TIME_HPET_ON) == 0)
		*config |= TIME_HPET_ON;
	return period;
}

uint64_t time_hpet_read(void)
{
	return *(volatile uint32_t *)(time_hpet_base + TIME_HPET_COUNTER);
}

void time_pm_start(uint16_t port)
{
	time_pm_port = port;
}

uint64_t time_pm_read(void)
{
	return cpu_in32(time_pm_port) & 0xffffff;
}

void time_pit_start(void)
{
	/* Gate on, speaker off; channel 2, both bytes, mode 2, from 0x10000. */
	cpu_out8(TIME_PIT_GATE, (uint8_t)((cpu_in8(TIME_PIT_GATE) & 0x0c) | 1));
	cpu_out8(TIME_PIT_COMMAND, 0xb4);
	cpu_out8(TIME_PIT_CHANNEL2, 0);
	cpu_out8(TIME_PIT_CHANNEL2, 0);
}

uint64_t time_pit_read(void)
{
	uint32_t count;

	cpu_out8(TIME_PIT_COMMAND, 0x80); /* latch */
	count = cpu_in8(TIME_PIT_CHANNEL2);
	count |= (uint32_t)cpu_in8(TIME_PIT_CHANNEL2) << 8;
	return (0x10000 - count) & 0xffff;
}
