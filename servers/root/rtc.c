/* The real-time clock's date. See rtc.h. */
#include "servers/root/rtc.h"

#define RTC_24_HOURS 0x02u /* status B */
#define RTC_BINARY   0x04u
#define RTC_PM       0x80u /* hours, 12-hour form */

static unsigned rtc_number(uint8_t v, bool binary)
{
	return binary ? v : (v >> 4) * 10u + (v & 15u);
}

static bool rtc_leap(unsigned year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

uint64_t rtc_unix(const struct rtc_registers *r)
{
	static const uint16_t before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
	bool binary = r->status_b & RTC_BINARY, half = !(r->status_b & RTC_24_HOURS);
	unsigned second = rtc_number(r->seconds, binary), minute = rtc_number(r->minutes, binary);
	unsigned hour = rtc_number(half ? r->hours & (uint8_t)~RTC_PM : r->hours, binary), day = rtc_number(r->day, binary);
	unsigned month = rtc_number(r->month, binary), year = rtc_number(r->year, binary), century = rtc_number(r->century, binary);
	uint64_t days = 0;

	if (half)
		hour = hour % 12 + (r->hours & RTC_PM ? 12u : 0u);
	year += century >= 19 && century <= 23 ? century * 100 : year < 70 ? 2000 : 1900;
	if (second > 60 || minute > 59 || hour > 23 || day < 1 || day > 31 || month < 1 || month > 12 || year < 1970 || year > 2399)
		return 0;
	for (unsigned y = 1970; y < year; y++)
		days += rtc_leap(y) ? 366 : 365;
	days += before[month - 1] + (month > 2 && rtc_leap(year) ? 1u : 0u) + day - 1;
	return ((days * 24 + hour) * 60 + minute) * 60 + second;
}
