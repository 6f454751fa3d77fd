/* Machine checks: the manuals' tables bit by bit, and the handler on banks that are an array. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "arch/x86/apic.h"
#include "arch/x86/arch.h"
#include "arch/x86/cpu.h"
#include "arch/x86/cpu_hw.h"
#include "arch/x86/mce.h"
#include "arch/x86/msr.h"
#include "panic.h"
#include "percpu.h"

enum { BANKS = 12 };

#define VAL   BIT(63)
#define OVER  BIT(62)
#define UC    BIT(61)
#define EN    BIT(60)
#define MISCV BIT(59)
#define ADDRV BIT(58)
#define PCC   BIT(57)
#define S     BIT(56)
#define AR    BIT(55)
#define DEFER BIT(44)
#define SER_P BIT(24)
#define RIPV  1ull
#define EIPV  2ull
#define MCIP  4ull
#define LMCE  8ull

struct cpu_features cpu;
struct percpu *percpu_host;
static struct percpu p;

static uint64_t banks[BANKS][4], mcg_cap, mcg_status, mcg_ctl, now;
static unsigned kicks;
static char said[4096];

/* ---- the CPU ---- */

static uint64_t *msr(uint32_t number)
{
	if (number == MSR_MCG_CAP)
		return &mcg_cap;
	if (number == MSR_MCG_STATUS)
		return &mcg_status;
	if (number == MSR_MCG_CTL)
		return &mcg_ctl;
	assert_in_range(number, MSR_MC0_CTL, MSR_MC0_CTL + 4 * (mcg_cap & 0xff) - 1);
	return &banks[(number - MSR_MC0_CTL) / 4][(number - MSR_MC0_CTL) % 4];
}

uint64_t cpu_rdmsr(uint32_t number)
{
	return *msr(number);
}

void cpu_wrmsr(uint32_t number, uint64_t v)
{
	/* only 0 may be written to these (SDM 3B, 16.3.2) */
	if (number == MSR_MCG_STATUS || (number >= MSR_MC0_CTL && (number & 3) == 1))
		assert_int_equal(v, 0);
	assert_int_not_equal(number, MSR_MCG_CAP);
	*msr(number) = v;
}

ticks_t cpu_rdtsc(void)
{
	return now += 100;
}

void cpu_pause(void)
{
}

ticks_t time_us_to_ticks(uint64_t us)
{
	return us * 10;
}

void apic_kick_self(void)
{
	kicks++;
}

void arch_halt(void)
{
	abort();
}

void panic(const char *format, ...)
{
	(void)format;
	mock_assert(false, "panic", __FILE__, __LINE__);
	abort();
}

void kprintf(const char *format, ...)
{
	va_list args;
	size_t n = strlen(said);

	va_start(args, format);
	vsnprintf(said + n, sizeof(said) - n, format, args);
	va_end(args);
}

static void start(enum cpu_vendor vendor, uint64_t cap)
{
	memset(banks, 0, sizeof(banks));
	memset(&p, 0, sizeof(p));
	memset(said, 0, sizeof(said));
	percpu_host = &p;
	p.cpu = 3;
	cpu = (struct cpu_features){.vendor = vendor, .family = 6, .model = 0x55, .mce = true};
	mcg_cap = cap;
	mcg_status = mcg_ctl = 0;
	kicks = 0;
	mce_init_cpu(&p);
}

static int setup(void **state)
{
	(void)state;
	start(CPU_INTEL, BANKS | SER_P | BIT(8));
	return 0;
}

/* ---- tables ---- */

static void test_severity_intel(void **state)
{
	(void)state;
	const struct mce_traits ser = {.recovery = true}, old = {.recovery = false};
	const struct {
		uint64_t status;
		enum mce_severity with, without;
	} t[] = {
	    {0, MCE_NONE, MCE_NONE},
	    {UC | EN | PCC, MCE_NONE, MCE_NONE}, /* not valid */
	    {VAL | EN, MCE_CORRECTED, MCE_CORRECTED},
	    {VAL | OVER | EN | PCC, MCE_CORRECTED, MCE_CORRECTED},
	    {VAL | UC, MCE_DEFERRED, MCE_DEFERRED},
	    {VAL | UC | PCC, MCE_DEFERRED, MCE_DEFERRED},
	    {VAL | UC | EN | PCC, MCE_FATAL, MCE_FATAL},
	    {VAL | UC | EN | PCC | S | AR, MCE_FATAL, MCE_FATAL},
	    {VAL | UC | EN, MCE_DEFERRED, MCE_FATAL},	  /* UCNA */
	    {VAL | UC | EN | S, MCE_OPTIONAL, MCE_FATAL}, /* SRAO */
	    {VAL | OVER | UC | EN | S, MCE_OPTIONAL, MCE_FATAL},
	    {VAL | UC | EN | S | AR, MCE_REQUIRED, MCE_FATAL}, /* SRAR */
	    {VAL | OVER | UC | EN | S | AR, MCE_FATAL, MCE_FATAL},
	    {VAL | UC | EN | AR, MCE_FATAL, MCE_FATAL},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(t); i++) {
		assert_int_equal(mce_severity(&ser, t[i].status), t[i].with);
		assert_int_equal(mce_severity(&old, t[i].status), t[i].without);
	}
}

static void test_severity_amd(void **state)
{
	(void)state;
	const struct mce_traits none = {.amd = true}, succor = {.amd = true, .recovery = true},
				both = {.amd = true, .recovery = true, .overflow_ok = true};

	assert_int_equal(mce_severity(&none, VAL | EN | S | AR), MCE_CORRECTED);
	assert_int_equal(mce_severity(&none, VAL | EN | DEFER), MCE_DEFERRED);
	assert_int_equal(mce_severity(&none, VAL | EN | UC), MCE_FATAL);
	assert_int_equal(mce_severity(&succor, VAL | EN | UC), MCE_REQUIRED);
	assert_int_equal(mce_severity(&succor, VAL | EN | UC | PCC), MCE_FATAL);
	assert_int_equal(mce_severity(&succor, VAL | EN | UC | OVER), MCE_FATAL);
	assert_int_equal(mce_severity(&both, VAL | EN | UC | OVER), MCE_REQUIRED);
	assert_int_equal(mce_severity(&both, UC), MCE_NONE);
}

static void test_verdict(void **state)
{
	(void)state;
	for (unsigned where = MCE_IN_KERNEL; where <= MCE_IN_GUEST; where++) {
		enum mce_context c = (enum mce_context)where;
		enum mce_verdict end = c == MCE_IN_KERNEL ? MCE_STOP : MCE_END;

		assert_int_equal(mce_verdict(MCE_FATAL, RIPV | EIPV, c), MCE_STOP);
		assert_int_equal(mce_verdict(MCE_REQUIRED, RIPV | EIPV, c), end);
		assert_int_equal(mce_verdict(MCE_REQUIRED, 0, c), end);
		assert_int_equal(mce_verdict(MCE_OPTIONAL, RIPV, c), MCE_GO_ON);
		assert_int_equal(mce_verdict(MCE_CORRECTED, RIPV, c), MCE_GO_ON);
		assert_int_equal(mce_verdict(MCE_NONE, RIPV, c), MCE_GO_ON); /* another CPU's */
		assert_int_equal(mce_verdict(MCE_OPTIONAL, EIPV, c), end);
		assert_int_equal(mce_verdict(MCE_OPTIONAL, 0, c), MCE_STOP);
		assert_int_equal(mce_verdict(MCE_NONE, EIPV, c), MCE_STOP);
	}
}

static void test_subject(void **state)
{
	(void)state;
	assert_string_equal(mce_subject(0x134), "cache");
	assert_string_equal(mce_subject(0x1134), "cache"); /* filtered */
	assert_string_equal(mce_subject(0x9f), "memory controller");
	assert_string_equal(mce_subject(0x14), "TLB");
	assert_string_equal(mce_subject(0xe0b), "bus or interconnect");
	assert_string_equal(mce_subject(0x400), "internal");
	assert_string_equal(mce_subject(0x5), "internal parity");
	assert_string_equal(mce_subject(0xffff0000ull), "no code");
}

/* ---- the handler ---- */

static void raise(unsigned bank, uint64_t status, uint64_t global)
{
	banks[bank][1] = status;
	banks[bank][2] = 0xabc000;
	banks[bank][3] = 0x86;
	mcg_status = global | MCIP;
}

static void test_init(void **state)
{
	(void)state;
	memset(banks, 0, sizeof(banks));
	banks[4][1] = VAL | UC | EN | PCC | ADDRV | 0x134;
	banks[4][2] = 0x777000;
	mce_init_cpu(&p);
	assert_int_equal(mcg_ctl, UINT64_MAX);
	for (unsigned i = 0; i < BANKS; i++) {
		assert_int_equal(banks[i][0], UINT64_MAX);
		assert_int_equal(banks[i][1], 0);
	}
	mce_report();
	assert_non_null(strstr(said, "CPU 3, before the start: fatal error, cache, bank 4"));
	assert_non_null(strstr(said, "address 777000, misc 0,"));

	cpu.model = 0xf; /* bank 0 is the firmware's */
	banks[0][0] = 0x55;
	mce_init_cpu(&p);
	assert_int_equal(banks[0][0], 0x55);
	cpu.mce = false;
	mcg_cap = 200;
	mce_init_cpu(&p);
	assert_int_equal(p.arch.mce.banks, 0);
}

static void test_survived(void **state)
{
	(void)state;
	banks[1][1] = VAL | EN | 0x9f;
	raise(7, VAL | UC | EN | S | MISCV | ADDRV | 0x134, RIPV);
	assert_int_equal(mce_exception(0x8), MCE_GO_ON);
	assert_int_equal(mcg_status, 0);
	assert_int_equal(banks[1][1] | banks[7][1], 0);
	assert_int_equal(kicks, 1);
	assert_string_equal(said, "");
	mce_report();
	assert_non_null(strstr(said, "CPU 3: corrected error, memory controller, bank 1"));
	assert_non_null(strstr(said, "CPU 3 in the kernel: uncorrected (unused) error, cache, bank 7"));
	assert_non_null(strstr(said, "address abc000, misc 86"));
	said[0] = '\0';
	mce_report();
	assert_string_equal(said, "");
}

static void test_ends(void **state)
{
	(void)state;
	raise(2, VAL | UC | EN | S | AR | ADDRV, RIPV | EIPV);
	assert_int_equal(mce_exception(0x2b), MCE_END);
	assert_int_equal(mcg_status, 0);
	raise(2, VAL | UC | EN | S | AR | ADDRV, RIPV | EIPV);
	assert_false(mce_guest());
	assert_non_null(strstr(said, "in a thread: uncorrected (in use)"));
	assert_non_null(strstr(said, "in a guest: uncorrected (in use)"));
	raise(2, VAL | UC | EN | S, RIPV);
	assert_true(mce_guest());
}

/* What stops the machine stays in the banks, for who reads them after the next start. */
static void test_stops(void **state)
{
	(void)state;
	uint64_t status = VAL | UC | EN | PCC;

	raise(2, status, RIPV);
	assert_int_equal(mce_exception(0x2b), MCE_STOP);
	assert_int_equal(banks[2][1], status);
	assert_int_equal(mcg_status, RIPV | MCIP);
	assert_int_equal(kicks, 0);
	raise(2, status, RIPV);
	expect_assert_failure(mce_guest());
}

static void test_log_full(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < BANKS; i++)
			banks[i][1] = VAL | EN | i;
		mcg_status = RIPV | LMCE | MCIP;
		assert_int_equal(mce_exception(0x2b), MCE_GO_ON);
		memset(said, 0, sizeof(said));
		mce_report();
		assert_non_null(strstr(said, "bank 7"));
		assert_null(strstr(said, "bank 8"));
		assert_non_null(strstr(said, "4 more errors"));
	}
}

static void test_poll(void **state)
{
	(void)state;
	mce_poll(1000);
	banks[1][1] = VAL | EN;
	mce_poll(2000); /* too early */
	assert_string_equal(said, "");
	banks[2][1] = VAL | EN | UC | S; /* its exception is on the way */
	banks[3][1] = VAL | EN | UC;
	mce_poll(1000 + time_us_to_ticks(15000000));
	assert_non_null(strstr(said, "corrected error, no code, bank 1"));
	assert_non_null(strstr(said, "deferred error, no code, bank 3"));
	assert_null(strstr(said, "bank 2"));
	assert_int_equal(banks[1][1] | banks[3][1], 0);
	assert_int_not_equal(banks[2][1], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_severity_intel, setup),
	    cmocka_unit_test_setup(test_severity_amd, setup),
	    cmocka_unit_test_setup(test_verdict, setup),
	    cmocka_unit_test_setup(test_subject, setup),
	    cmocka_unit_test_setup(test_init, setup),
	    cmocka_unit_test_setup(test_survived, setup),
	    cmocka_unit_test_setup(test_ends, setup),
	    cmocka_unit_test_setup(test_log_full, setup),
	    cmocka_unit_test_setup(test_poll, setup),
	    cmocka_unit_test_setup(test_stops, setup), /* last: it does stop */
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
