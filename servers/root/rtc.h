/* The real-time clock of a PC (MC146818) as its registers show it. Pure. */
#ifndef ROOT_RTC_H
#define ROOT_RTC_H

#include <stdbool.h>
#include <stdint.h>

/* Registers, as indices of the CMOS memory. */
enum { RTC_SECONDS = 0, RTC_MINUTES = 2, RTC_HOURS = 4, RTC_DAY = 7, RTC_MONTH = 8, RTC_YEAR = 9, RTC_STATUS_A = 10, RTC_STATUS_B = 11 };
#define RTC_UPDATING 0x80u /* in status A */

struct rtc_registers {
	uint8_t seconds, minutes, hours, day, month, year, century; /* century 0: there is none */
	uint8_t status_b;
};

/* Seconds since 1970 (UTC, as the clock is taken to run); 0 if it shows no date from 1970 to 2399. */
uint64_t rtc_unix(const struct rtc_registers *r);

#endif
