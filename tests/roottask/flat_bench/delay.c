/* The longest delay of a periodic thread. See flat_bench.h. A tick of the machine is a nanosecond. */
#include "roottask/flat_bench/flat_bench.h"
#include "roottask/runtime/runtime.h"
#include "roottask/runtime/thread.h"
#include "roottask/runtime/tsc_hw.h"

#define SELF		   seL4_CapInitThreadTCB
#define DELAY_BUDGET	   40
#define DELAY_PRIO	   150
#define DELAY_CALLER_PRIO  100
#define DELAY_TICKS	   ((seL4_Word)DELAY_PERIOD * 1000)
#define DELAY_IDLE_PERIODS 400

static struct thread_memory delay_memory;
static struct thread delay_thread;
static volatile seL4_Word delay_last, delay_longest, delay_turns;

static void delay_turn(void *nothing)
{
	(void)nothing;
	for (;;) {
		seL4_Word now = tsc_read();

		if (delay_last && now - delay_last > delay_longest)
			delay_longest = now - delay_last;
		delay_last = now;
		delay_turns++;
		seL4_Yield();
	}
}

void delay_init(void)
{
	delay_thread = thread_new(&delay_memory, seL4_CapInitThreadVSpace, DELAY_PRIO, DELAY_PERIOD, 0);
	runtime_must(seL4_SchedControl_Configure(runtime_bootinfo()->schedcontrol.start, delay_thread.sc,
						 DELAY_BUDGET, DELAY_PERIOD, 0, 0),
		     "a period");
	thread_run(&delay_thread, delay_turn, 0);
}

void delay_start(void)
{
	seL4_Word turns;

	runtime_must(seL4_TCB_SetPriority(SELF, SELF, DELAY_CALLER_PRIO), "a priority below");
	turns = delay_turns;
	while (delay_turns < turns + 3)
		;
	delay_longest = 0;
}

void delay_idle(void)
{
	seL4_Word turns = delay_turns;

	while (delay_turns < turns + DELAY_IDLE_PERIODS)
		;
}

seL4_Word delay_stop(void)
{
	seL4_Word longest;

	/* a turn that is due while the kernel works comes before this one goes on */
	longest = delay_longest;
	runtime_must(seL4_TCB_SetPriority(SELF, SELF, seL4_MaxPrio), "the highest priority");
	delay_last = 0;
	return longest > DELAY_TICKS ? longest - DELAY_TICKS : 0;
}
