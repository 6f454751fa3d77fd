/* Machine checks (mce.h): what they mean, and the banks' registers. Called by vectors.S, by virt/ after an
 * exit, by the interrupt path and by panic. */
#include "arch/x86/mce.h"
#include "arch/x86/apic.h"
#include "arch/x86/arch.h"
#include "arch/x86/cpu.h"
#include "arch/x86/cpu_hw.h"
#include "arch/x86/mce_fields.h"
#include "arch/x86/msr.h"
#include "panic.h"
#include "percpu.h"

enum { MCE_CTL, MCE_STATUS, MCE_ADDRESS, MCE_MISC }; /* registers of a bank */
enum { MCE_BANKS_MAX = 64, MCE_BANK_STRIDE = 4, MCE_POLL_SECONDS = 15, MCE_RENDEZVOUS_US = 1000 };

static struct mce_traits mce_traits;
static volatile bool mce_stopping; /* some CPU has found an error that stops the machine */

/* ---- meaning ---- */

static enum mce_severity mce_severity_amd(const struct mce_traits *t, mce_status_t s)
{
	if (mce_status_pcc(s))
		return MCE_FATAL;
	if (mce_status_deferred(s))
		return MCE_DEFERRED;
	if (!mce_status_uc(s))
		return MCE_CORRECTED;
	if (!t->recovery || (mce_status_over(s) && !t->overflow_ok))
		return MCE_FATAL;
	return MCE_REQUIRED;
}

enum mce_severity mce_severity(const struct mce_traits *t, uint64_t status)
{
	const mce_status_t s = {{status}};

	if (!mce_status_valid(s))
		return MCE_NONE;
	if (t->amd)
		return mce_severity_amd(t, s);
	if (!mce_status_uc(s))
		return MCE_CORRECTED;
	if (!mce_status_en(s))
		return MCE_DEFERRED; /* its exception is off: it has raised none (16.10.4.1) */
	if (mce_status_pcc(s) || !t->recovery)
		return MCE_FATAL;
	if (!mce_status_s(s)) /* AR without S means nothing (table 16-6) */
		return mce_status_ar(s) ? MCE_FATAL : MCE_DEFERRED;
	if (!mce_status_ar(s))
		return MCE_OPTIONAL;
	return mce_status_over(s) ? MCE_FATAL : MCE_REQUIRED;
}

enum mce_verdict mce_verdict(enum mce_severity worst, uint64_t mcg_status, enum mce_context where)
{
	const mcg_status_t g = {{mcg_status}};

	if (worst == MCE_FATAL)
		return MCE_STOP;
	if (worst == MCE_REQUIRED)
		return where == MCE_IN_KERNEL ? MCE_STOP : MCE_END;
	if (mcg_status_ripv(g))
		return MCE_GO_ON;
	/* There is no way back to the instruction. If it was its own error, only what it belonged to is lost.
	 */
	return mcg_status_eipv(g) && where != MCE_IN_KERNEL && worst != MCE_NONE ? MCE_END : MCE_STOP;
}

/* Compound error codes (16.9.2; APM 2, 9.3.3): the position of the highest bit says which. Bit 12 is a
 * remark. */
const char *mce_subject(uint64_t status)
{
	unsigned code = status & 0xefff;

	if (code & 0x800)
		return "bus or interconnect";
	if (code & 0x400)
		return "internal";
	if (code & 0x200)
		return "unknown part";
	if (code & 0x100)
		return "cache";
	if (code & 0x80)
		return "memory controller";
	if (code & 0x10)
		return "TLB";
	return code == 5 ? "internal parity" : code == 0 ? "no code" : "unclassified";
}

/* ---- registers ---- */

static uint64_t mce_read(unsigned bank, unsigned r)
{
	return cpu_rdmsr(MSR_MC0_CTL + bank * MCE_BANK_STRIDE + r);
}

static void mce_write(unsigned bank, unsigned r, uint64_t v)
{
	cpu_wrmsr(MSR_MC0_CTL + bank * MCE_BANK_STRIDE + r, v);
}

/* The exception may come within: a place is taken before it is written, and whoever came in between has
 * written his when it returns. */
static void mce_note(struct mce_log *l, unsigned bank, uint64_t status, enum mce_severity severity,
		     enum mce_context where, bool old)
{
	const mce_status_t s = {{status}};
	uint32_t place = __atomic_load_n(&l->noted, __ATOMIC_RELAXED);

	do {
		if (place - l->told == MCE_RECORDS) {
			l->lost++;
			return;
		}
	} while (!__atomic_compare_exchange_n(&l->noted, &place, place + 1, false, __ATOMIC_ACQ_REL,
					      __ATOMIC_RELAXED));
	l->records[place % MCE_RECORDS] = (struct mce_record){
	    .status = status,
	    .address = mce_status_addrv(s) ? mce_read(bank, MCE_ADDRESS) : 0,
	    .misc = mce_status_miscv(s) ? mce_read(bank, MCE_MISC) : 0,
	    .mcg_status = cpu_rdmsr(MSR_MCG_STATUS),
	    .bank = (uint8_t)bank,
	    .severity = (uint8_t)severity,
	    .where = (uint8_t)where,
	    .old = old,
	};
}

void mce_init_cpu(struct percpu *p)
{
	struct mce_log *l = &p->arch.mce;
	mcg_cap_t cap;

	*l = (struct mce_log){.banks = 0};
	if (!cpu.mce)
		return;
	cap = (mcg_cap_t){{cpu_rdmsr(MSR_MCG_CAP)}};
	mce_traits.amd = cpu.vendor == CPU_AMD;
	mce_traits.recovery = mce_traits.amd ? cpu.mce_succor : mcg_cap_ser_p(cap);
	mce_traits.overflow_ok = cpu.mce_overflow;
	l->banks = (uint32_t)mcg_cap_count(cap);
	if (l->banks > MCE_BANKS_MAX)
		l->banks = MCE_BANKS_MAX;
	if (mcg_cap_ctl_p(cap))
		cpu_wrmsr(MSR_MCG_CTL, UINT64_MAX);
	for (unsigned i = 0; i < l->banks; i++) {
		uint64_t status = mce_read(i, MCE_STATUS);
		enum mce_severity severity = mce_severity(&mce_traits, status);

		if (severity != MCE_NONE)
			mce_note(l, i, status, severity, MCE_IN_KERNEL, true);
		/* Bank 0 of the P6 family is the firmware's (16.5). */
		if (i != 0 || cpu.vendor != CPU_INTEL || cpu.family != 6 || cpu.model >= 0x1a)
			mce_write(i, MCE_CTL, UINT64_MAX);
		mce_write(i, MCE_STATUS, 0);
	}
}

/* ---- the exception ---- */

/*
 * Intel's CPUs raise it on all at once, and the one that sees the error need not be the first to look. So
 * each waits a moment before it goes back: if another has to stop the machine, no user code runs on in
 * between.
 */
static void mce_rendezvous(uint64_t mcg_status)
{
	ticks_t start = cpu_rdtsc(), wait = time_us_to_ticks(MCE_RENDEZVOUS_US);

	if (mce_traits.amd || mcg_status_lmce((mcg_status_t){{mcg_status}}))
		return;
	while (cpu_rdtsc() - start < wait) {
		if (mce_stopping)
			arch_halt();
		cpu_pause();
	}
}

enum mce_verdict mce_take(enum mce_context where)
{
	struct mce_log *l = &percpu_self()->arch.mce;
	uint64_t mcg_status = cpu_rdmsr(MSR_MCG_STATUS), seen = 0;
	enum mce_severity worst = MCE_NONE;
	enum mce_verdict verdict;

	for (unsigned i = 0; i < l->banks; i++) {
		uint64_t status = mce_read(i, MCE_STATUS);
		enum mce_severity severity = mce_severity(&mce_traits, status);

		if (severity == MCE_NONE)
			continue;
		mce_note(l, i, status, severity, where, false);
		seen |= BIT(i);
		if (severity > worst)
			worst = severity;
	}
	verdict = mce_verdict(worst, mcg_status, where);
	if (verdict == MCE_STOP) {
		mce_stopping = true;
		return verdict;
	}
	for (unsigned i = 0; i < l->banks; i++)
		if (seen & BIT(i))
			mce_write(i, MCE_STATUS, 0);
	mce_rendezvous(mcg_status);
	/* The last thing: from here on the next one may come; before, it would be a shutdown. */
	cpu_wrmsr(MSR_MCG_STATUS, 0);
	return verdict;
}

unsigned mce_exception(uint64_t cs)
{
	const uint64_t user = 3;
	enum mce_verdict v = mce_take(cs & user ? MCE_IN_USER : MCE_IN_KERNEL);

	if (v != MCE_STOP)
		apic_kick_self();
	return v;
}

bool mce_guest(void)
{
	enum mce_verdict v = mce_take(MCE_IN_GUEST);

	mce_report();
	if (v == MCE_STOP)
		panic("a machine check that cannot be survived");
	return v == MCE_GO_ON;
}

/* ---- telling ---- */

static void mce_print(const struct mce_record *r)
{
	static const char *const severities[] = {
	    "none", "corrected", "deferred", "uncorrected (unused)", "uncorrected (in use)", "fatal"};
	static const char *const places[] = {"the kernel", "a thread", "a guest"};

	kprintf("Machine check on CPU %u%s%s: %s error, %s, bank %u, status %016lx, address %lx, misc %lx, "
		"global status %lx\n",
		percpu_self()->cpu,
		r->old			      ? ", before the start"
		: r->severity >= MCE_OPTIONAL ? " in "
					      : "",
		r->old || r->severity < MCE_OPTIONAL ? "" : places[r->where], severities[r->severity],
		mce_subject(r->status), r->bank, r->status, r->address, r->misc, r->mcg_status);
}

void mce_report(void)
{
	struct mce_log *l = &percpu_self()->arch.mce;

	while (__atomic_load_n(&l->noted, __ATOMIC_ACQUIRE) != l->told) {
		struct mce_record r = l->records[l->told % MCE_RECORDS];

		__atomic_store_n(&l->told, l->told + 1, __ATOMIC_RELEASE);
		mce_print(&r);
	}
	if (l->lost != 0) {
		kprintf("Machine check on CPU %u: %u more errors\n", percpu_self()->cpu, l->lost);
		l->lost = 0;
	}
}

void mce_poll(ticks_t now)
{
	struct mce_log *l = &percpu_self()->arch.mce;

	if (likely(now < l->next_poll))
		return;
	l->next_poll = now + time_us_to_ticks(MCE_POLL_SECONDS * 1000000ull);
	for (unsigned i = 0; i < l->banks; i++) {
		uint64_t status = mce_read(i, MCE_STATUS);
		enum mce_severity severity = mce_severity(&mce_traits, status);

		/* The others have their exception, or will have it. */
		if (severity != MCE_CORRECTED && severity != MCE_DEFERRED)
			continue;
		mce_note(l, i, status, severity, MCE_IN_KERNEL, false);
		mce_write(i, MCE_STATUS, 0);
	}
	mce_report();
}
