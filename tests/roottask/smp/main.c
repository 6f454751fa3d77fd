/* Workers, time, counting, the order of the cases. */
#include "roottask/smp/smp.h"
#include "insula/ext.h"
#include "roottask/smp/smp_hw.h"

#define SMP_PATIENCE_US 20000000u

seL4_Word smp_cpus, smp_rounds = 3000, smp_virt, smp_tsc_per_us, smp_guest_if, smp_by_turns, smp_walk;
static seL4_Word smp_times_most;

static struct thread_memory smp_memory[SMP_WORKERS];
static seL4_Word smp_count, smp_failed;
static seL4_CPtr smp_delay_timer, smp_delay_notification;

void smp_case(const char *name, int good, const char *why)
{
	smp_count++;
	if (good) {
		print("ok %s\n", name);
		return;
	}
	smp_failed++;
	print("not ok %s: %s\n", name, why);
}

unsigned smp_times(unsigned n)
{
	return n < smp_times_most ? n : (unsigned)smp_times_most;
}

/* ---- time ---- */

seL4_Word smp_tsc(void)
{
	return hw_rdtsc();
}

static seL4_Word smp_invoke(seL4_CPtr cap, seL4_Word label, seL4_CPtr extra, seL4_Word length, seL4_Word word)
{
	seL4_SetMR(0, word);
	if (extra)
		seL4_SetCap(0, extra);
	return seL4_MessageInfo_get_label(seL4_Call(cap, seL4_MessageInfo_new(label, 0, extra != 0, length)));
}

seL4_CPtr smp_timer(seL4_CPtr notification)
{
	seL4_CPtr timer = object_new(insula_TimerObject, 0);

	runtime_must((seL4_Error)smp_invoke(timer, InsulaTimerBind, notification, 0, 0), "bind a timer");
	return timer;
}

void smp_timer_set(seL4_CPtr timer, seL4_Word tsc)
{
	runtime_must((seL4_Error)smp_invoke(timer, InsulaTimerSet, 0, 1, tsc), "set a timer");
}

void smp_delay(seL4_Word us)
{
	smp_timer_set(smp_delay_timer, smp_tsc() + us * smp_tsc_per_us);
	seL4_Wait(smp_delay_notification, 0);
}

void smp_spin(seL4_Word us)
{
	seL4_Word start = smp_tsc();

	while (smp_tsc() - start < us * smp_tsc_per_us)
		hw_pause();
}

int smp_wait_for(const volatile seL4_Word *p, seL4_Word value)
{
	for (seL4_Word waited = 0; *p < value; waited += 500) {
		if (waited >= SMP_PATIENCE_US)
			return 0;
		smp_delay(500);
	}
	return 1;
}

int smp_still(const volatile seL4_Word *p)
{
	seL4_Word before = *p;

	smp_delay(5000);
	return *p == before;
}

/* ---- workers ---- */

void smp_move(const struct thread *t, seL4_Word cpu)
{
	if (cpu >= smp_cpus)
		cpu = smp_cpus - 1;
	runtime_must(seL4_SchedControl_ConfigureFlags(runtime_bootinfo()->schedcontrol.start + cpu, t->sc, SMP_SLICE, SMP_SLICE, 0, 0, 0),
		     "move a scheduling context");
}

struct thread smp_worker(unsigned n, seL4_Word cpu, seL4_Word priority, seL4_CPtr fault_endpoint)
{
	struct thread t = thread_new(&smp_memory[n], seL4_CapInitThreadVSpace, priority, SMP_SLICE, fault_endpoint);

	smp_move(&t, cpu);
	return t;
}

void smp_delete(seL4_CPtr cap)
{
	runtime_must(seL4_CNode_Delete(seL4_CapInitThreadCNode, cap, seL4_WordBits), "delete");
}

/* ---- the clock: one for all CPUs ---- */

enum { CLOCK_CPUS = 8 };

static struct {
	volatile seL4_Word asked, answered, tsc;
} smp_clock;

static void smp_clock_answer(void *argument)
{
	(void)argument;
	for (seL4_Word n = 1;; n++) {
		while (smp_clock.asked != n)
			hw_pause();
		smp_clock.tsc = smp_tsc();
		smp_clock.answered = n;
	}
}

/* Each CPU's time lies between a time before and a time behind it that the first one reads, but for what nobody can measure. */
static void smp_clock_case(void)
{
	const seL4_Word blur = 2 * smp_tsc_per_us;
	int good = 1;

	/* of many, one: where CPUs take turns each answer takes a round of all */
	for (seL4_Word cpu = 1; cpu < (smp_cpus > CLOCK_CPUS ? 2 : smp_cpus); cpu++) {
		struct thread t = smp_worker(0, cpu, SMP_PRIORITY, 0);

		smp_clock.asked = smp_clock.answered = 0;
		thread_run(&t, smp_clock_answer, 0);
		for (seL4_Word n = 1; n <= 10 && good; n++) {
			seL4_Word before = smp_tsc();

			smp_clock.asked = n;
			good = smp_wait_for(&smp_clock.answered, n) && smp_clock.tsc + blur >= before && smp_clock.tsc <= smp_tsc() + blur;
		}
		smp_delete(t.tcb);
	}
	smp_case("the clock is one for all CPUs", good, "another CPU's time is earlier or later");
}

/* ---- what boot says ---- */

static const void *smp_chunk(seL4_Word id)
{
	const seL4_BootInfo *b = runtime_bootinfo();
	const char *at = (const char *)b + 4096, *end = at + b->extraLen;

	while (at < end) {
		const seL4_BootInfoHeader *h = (const void *)at;

		if (h->id == id)
			return h + 1;
		at += h->len;
	}
	return 0;
}

static seL4_Word smp_option(const char *line, const char *key, seL4_Word otherwise)
{
	for (; line && *line; line++) {
		unsigned n = 0;
		seL4_Word value = 0;

		while (key[n] && line[n] == key[n])
			n++;
		if (key[n])
			continue;
		for (; line[n] >= '0' && line[n] <= '9'; n++)
			value = value * 10 + (seL4_Word)(line[n] - '0');
		return value;
	}
	return otherwise;
}

void roottask_main(void)
{
	const seL4_BootInfo *b = runtime_bootinfo();
	const struct insula_bi_machine *m = smp_chunk(INSULA_BOOTINFO_MACHINE);

	smp_cpus = b->numNodes;
	smp_rounds = smp_option(smp_chunk(INSULA_BOOTINFO_CMDLINE), "rounds=", smp_rounds);
	smp_times_most = smp_option(smp_chunk(INSULA_BOOTINFO_CMDLINE), "times=", ~0ull);
	smp_virt = m->virt;
	smp_by_turns = smp_option(smp_chunk(INSULA_BOOTINFO_CMDLINE), "by-turns=", 0);
	smp_walk = smp_option(smp_chunk(INSULA_BOOTINFO_CMDLINE), "walk=", 0);
	smp_guest_if = smp_option(smp_chunk(INSULA_BOOTINFO_CMDLINE), "guest-if=", 0) != 0;
	smp_tsc_per_us = m->tsc_hz / 1000000;
	smp_delay_notification = object_new(seL4_NotificationObject, 0);
	smp_delay_timer = smp_timer(smp_delay_notification);
	smp_case("bootinfo counts CPUs", m->cpu_count == smp_cpus && smp_cpus > 0, "not the same everywhere");
	smp_case("a control capability per CPU", b->schedcontrol.start == 16 && b->schedcontrol.end == 16 + smp_cpus, "slots");
	smp_clock_case();
	if (smp_option(smp_chunk(INSULA_BOOTINFO_CMDLINE), "guests-only=", 0)) {
		guest_stress_cases();
	} else if (smp_option(smp_chunk(INSULA_BOOTINFO_CMDLINE), "boot-only=", 0) == 0) {
		ipc_cases();
		thread_cases();
		memory_cases();
		guest_cases();
		guest_stress_cases();
		stress_cases();
	}
	print("smp: %u CPUs, %u cases, %u not ok\n", smp_cpus, smp_count, smp_failed);
}
