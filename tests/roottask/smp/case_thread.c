/* Threads that run on another CPU are stopped, looked at, moved and deleted. */
#include "roottask/smp/smp.h"
#include "roottask/smp/smp_hw.h"

#define CPU_MOVES 60

static volatile seL4_Word count, fpu[4][2];

static void counter(void *argument)
{
	hw_count(argument);
}

static void suspend_resume(void)
{
	struct thread t = smp_worker(0, 1, SMP_PRIORITY, 0);
	int still = 1, goes = 1;

	count = 0;
	thread_run(&t, counter, (void *)(uintptr_t)&count);
	for (unsigned i = 0; i < 5; i++) {
		seL4_Word at = count;

		goes = goes && smp_wait_for(&count, at + 1);
		runtime_must(seL4_TCB_Suspend(t.tcb), "suspend");
		still = still && smp_still(&count);
		runtime_must(seL4_TCB_Resume(t.tcb), "resume");
	}
	smp_case("a running thread is suspended", still, "it still runs");
	smp_case("and goes on where it was", goes && smp_wait_for(&count, 1000), "it does not");
	smp_delete(t.tcb);
	smp_case("a running thread is deleted", smp_still(&count), "it still runs");
}

static void read_registers(void)
{
	struct thread t = smp_worker(0, 1, SMP_PRIORITY, 0);
	seL4_UserContext r = {0};
	int good = 1, order = 1;
	seL4_Word last = 0;

	count = 0;
	thread_run(&t, counter, (void *)(uintptr_t)&count);
	smp_wait_for(&count, 1);
	for (unsigned i = 0; i < smp_times(50); i++) {
		seL4_Word before = count, after;

		runtime_must(seL4_TCB_ReadRegisters(t.tcb, 0, 0, sizeof(r) / sizeof(seL4_Word), &r),
			     "read registers");
		after = count;
		good = good && r.rbx == HW_RBX && r.r13 == HW_R13 &&
		       r.rip >= (seL4_Word)(uintptr_t)hw_count_start &&
		       r.rip < (seL4_Word)(uintptr_t)hw_count_end;
		order = order && r.r12 >= before && r.r12 <= after + 1 && r.r12 >= last && r.r14 <= r.r12;
		last = r.r12;
	}
	smp_case("registers of a running thread are its own", good, "others");
	smp_case("and those of now", order, "old ones");
	/* Changed under its hands: it goes on with the new ones. */
	r.r12 = 1ull << 40;
	runtime_must(seL4_TCB_WriteRegisters(t.tcb, 0, 0, sizeof(r) / sizeof(seL4_Word), &r),
		     "write registers");
	smp_case("and can be written", smp_wait_for(&count, 1ull << 40), "it does not have them");
	smp_delete(t.tcb);
}

/* On our own CPU it cannot run while we do; on another it can. */
static void migration(void)
{
	struct thread t = smp_worker(0, 1, SMP_PRIORITY, 0);
	int elsewhere = 1, here = 1;

	count = 0;
	thread_run(&t, counter, (void *)(uintptr_t)&count);
	for (unsigned i = 0; i < smp_times(10) && smp_cpus > 1; i++) {
		seL4_Word at, start = smp_tsc();

		smp_move(&t, 0);
		at = count;
		smp_spin(1000);
		here = here && count == at;
		smp_move(&t, 1 + i % (smp_cpus - 1));
		while (count == at && smp_tsc() - start < 20000000 * smp_tsc_per_us)
			hw_pause();
		elsewhere = elsewhere && count != at;
	}
	smp_case("a thread is moved here", here, "it runs elsewhere");
	smp_case("a thread is moved away", elsewhere, "it does not run");
	smp_delete(t.tcb);
}

static void keep_fpu(void *argument)
{
	unsigned n = (unsigned)(uintptr_t)argument;

	hw_fpu(0x1000000ull * (n + 1), fpu[n]);
}

static void fpu_state(void)
{
	struct thread t[4];
	seL4_Word wrong = 0;
	int all = 1;

	for (unsigned n = 0; n < 4; n++) {
		fpu[n][0] = fpu[n][1] = 0;
		t[n] = smp_worker(n, n, SMP_PRIORITY, 0);
		thread_run(&t[n], keep_fpu, (void *)(uintptr_t)n);
	}
	for (unsigned i = 0; i < smp_times(CPU_MOVES); i++) {
		for (unsigned n = 0; n < 4; n++)
			smp_move(&t[n], (i * (n + 1) + n) % smp_cpus);
		smp_delay(500);
	}
	for (unsigned n = 0; n < 4; n++) {
		all = all && smp_wait_for(&fpu[n][0], fpu[n][0] + 1);
		wrong += fpu[n][1];
		smp_delete(t[n].tcb);
	}
	smp_case("FPU state goes along", all && !wrong, "a register has another's value");
}

/* Timer objects belong to the CPU on which they are set. */
static struct {
	seL4_CPtr timer, tick, done;
	volatile seL4_Word late, early;
} timers;

static void timer_user(void *argument)
{
	(void)argument;
	for (unsigned i = 0; i < 10; i++) {
		seL4_Word at = smp_tsc() + 500 * smp_tsc_per_us;

		smp_timer_set(timers.timer, at);
		seL4_Wait(timers.tick, 0);
		timers.early += smp_tsc() < at;
	}
	smp_timer_set(timers.timer, smp_tsc() + 3600000000ull * smp_tsc_per_us); /* left armed */
	seL4_Signal(timers.done);
	seL4_Wait(timers.tick, 0);
}

static void timer_per_cpu(void)
{
	seL4_Word n = smp_cpus < 8 ? smp_cpus : 8;

	timers.done = object_new(seL4_NotificationObject, 0);
	for (seL4_Word i = 0; i < n; i++) {
		struct thread t = smp_worker(0, i, SMP_PRIORITY, 0);

		timers.tick = object_new(seL4_NotificationObject, 0);
		timers.timer = smp_timer(timers.tick);
		thread_run(&t, timer_user, 0);
		seL4_Wait(timers.done, 0);
		smp_delete(timers.timer); /* armed there, deleted here */
		smp_delete(t.tcb);
	}
	smp_case("timers of every CPU", !timers.early, "one fired early");
}

/* A yield to a thread of another CPU, what it has used, its budget's end. */
static void contexts(void)
{
	struct thread t = smp_worker(0, 1, SMP_PRIORITY, 0);
	seL4_SchedContext_Consumed_t c;
	seL4_Word total = 0;

	count = 0;
	thread_run(&t, counter, (void *)(uintptr_t)&count);
	smp_wait_for(&count, 1);
	/* The CPU of a busy host may be away for long. */
	for (unsigned i = 0; i < 10 || (i < 1000 && total < 1000); i++) {
		smp_delay(2000);
		c = seL4_SchedContext_Consumed(t.sc);
		total += c.consumed;
	}
	smp_case("time used on another CPU is counted", c.error == seL4_NoError && total >= 1000,
		 "too little");
	smp_case("a thread of another CPU is yielded to",
		 seL4_SchedContext_YieldTo(t.sc).error == seL4_NoError, "error");
	runtime_must(seL4_SchedContext_Unbind(t.sc), "unbind");
	smp_case("without its context it stands", smp_still(&count), "it still runs");
	runtime_must(seL4_SchedContext_Bind(t.sc, t.tcb), "bind");
	smp_case("with it, it runs", smp_wait_for(&count, count + 1), "it does not");
	smp_delete(t.sc);
	smp_case("a context in use is deleted", smp_still(&count), "its thread still runs");
	smp_delete(t.tcb);
}

void thread_cases(void)
{
	suspend_resume();
	read_registers();
	migration();
	fpu_state();
	timer_per_cpu();
	contexts();
}
