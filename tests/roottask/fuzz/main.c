/* The controllers, one on each CPU: random invocations, and time for the threads under test. */
#include "roottask/fuzz/fuzz.h"
#include "roottask/fuzz/time_hw.h"

#define CONTROL_BUDGET_US 4000u
#define CONTROL_PERIOD_US 5000u
#define PROGRESS	  20000u
#define PAUSE_ONE_IN	  4u
#define PAUSE_TICKS	  60000u
#define NOTHING		  1000u
#define REFRESH		  4u /* slots looked at again in each step */

struct controller {
	seL4_Word state; /* of the random numbers */
	seL4_Word steps;
	volatile seL4_Word done;
	unsigned cpu, look;
	seL4_CPtr timer, notification;
	uint8_t types[FUZZ_SLOTS]; /* as last seen */
	struct generate_world world;
	volatile bool idle; /* it does not touch what is under test */
};

static struct controller controllers[MAX_CPUS];
static struct thread_memory memories[MAX_CPUS];
static unsigned cpus;
static seL4_Word seed, total, check_every, recycle_every;
static volatile bool hold; /* the first controller wants to be alone */

static uint64_t roll(void *ctx)
{
	struct controller *c = ctx;

	c->state ^= c->state << 13;
	c->state ^= c->state >> 7;
	c->state ^= c->state << 17;
	return c->state * 0x2545f4914f6cdd1dul;
}

static unsigned type_of(void *ctx, unsigned slot)
{
	const struct controller *c = ctx;

	return c->types[slot];
}

static void look_at(struct controller *c, seL4_Word slot)
{
	if (slot < FUZZ_SLOTS)
		c->types[slot] = (uint8_t)seL4_DebugCapIdentify(fuzz_cptr + slot);
}

/* The buffers of the threads under test: what they say. */
static void fill_buffer(struct controller *c)
{
	const struct generate_world *w = &c->world;
	seL4_IPCBuffer *b = &fuzz_buffers[generate_below(w, FUZZ_BUFFERS * 4)];
	struct generate_invocation v;

	generate(w, &v);
	for (unsigned i = 0; i < v.length && i < GENERATE_WORDS; i++)
		b->msg[i] = v.words[i];
	for (unsigned i = 0; i < GENERATE_CAPS; i++)
		b->caps_or_badges[i] = v.caps[i];
	b->receiveCNode = fuzz_cptr + FUZZ_NODE;
	b->receiveIndex = fuzz_cptr + generate_slot(w, 0);
	b->receiveDepth = DEPTH;
}

/* Never blocks: what the capability is may have changed since it was looked at. */
static void invoke(struct controller *c)
{
	struct generate_invocation v;

	c->world.deadline = time_hw_now();
	generate(&c->world, &v);
	for (unsigned i = 0; i < v.length && i < GENERATE_WORDS; i++)
		seL4_SetMR((int)i, v.words[i]);
	for (unsigned i = 0; i < GENERATE_CAPS; i++)
		seL4_SetCap((int)i, v.caps[i]);
	seL4_NBSend(v.target, seL4_MessageInfo_new(v.label, 0, v.extra, v.length));
	look_at(c, v.target - fuzz_cptr);
	for (unsigned i = 0; i < 2 && i < v.length; i++)
		look_at(c, v.words[2 * i] - fuzz_cptr);
	for (unsigned i = 0; i < REFRESH; i++, c->look++)
		look_at(c, c->look % FUZZ_SLOTS);
}

/* Lets the threads of this CPU run for a while. */
static void pause_for(struct controller *c, seL4_Word ticks)
{
	insula_Timer_Set(c->timer, time_hw_now() + ticks);
	seL4_Wait(c->notification, 0);
}

static void progress(const struct controller *c)
{
	seL4_Word kinds = 0, used = 0;
	uint8_t seen[64] = {0};

	for (unsigned i = 0; i < FUZZ_SLOTS; i++) {
		used += c->types[i] != 0;
		if (c->types[i] && !seen[c->types[i] % 64]) {
			seen[c->types[i] % 64] = 1;
			kinds++;
		}
	}
	print("fuzz: seed %u, CPU %u: %u invocations; %u capabilities of %u kinds\n", seed, (seL4_Word)c->cpu,
	      c->done, used, kinds);
}

static void step(struct controller *c)
{
	if (generate_below(&c->world, 4) == 0)
		fill_buffer(c);
	invoke(c);
	if (check_every && c->done % check_every == 0)
		seL4_DebugSnapshot();
	if (generate_below(&c->world, PAUSE_ONE_IN) == 0)
		pause_for(c, generate_below(&c->world, PAUSE_TICKS));
	c->done++;
	if (c->done % PROGRESS == 0)
		progress(c);
}

/* Any but the first. */
static void control(void *argument)
{
	struct controller *c = argument;

	for (;;) {
		c->idle = hold || c->done == c->steps;
		if (c->idle)
			pause_for(c, PAUSE_TICKS);
		else
			step(c);
	}
}

static void wait_alone(struct controller *c)
{
	hold = true;
	for (unsigned i = 1; i < cpus; i++)
		while (!controllers[i].idle)
			pause_for(c, PAUSE_TICKS / 4);
}

static void control_first(struct controller *c)
{
	while (c->done < c->steps) {
		if (c->done % recycle_every == 0) {
			wait_alone(c);
			world_make();
			pause_for(c, 20 * PAUSE_TICKS);
			world_talk();
			hold = false;
		}
		step(c);
	}
	for (unsigned i = 1; i < cpus; i++)
		while (controllers[i].done < controllers[i].steps)
			pause_for(c, PAUSE_TICKS);
	wait_alone(c);
}

static void controller_init(struct controller *c, unsigned cpu)
{
	c->cpu = cpu;
	c->state = (seed + 1) * 0x9e3779b97f4a7c15ul + cpu;
	c->steps = total / cpus + (cpu < total % cpus);
	c->timer = object_new(insula_TimerObject, 0);
	c->notification = object_new(seL4_NotificationObject, 0);
	runtime_must(insula_Timer_Bind(c->timer, c->notification), "bind a timer");
	c->world = (struct generate_world){
	    .random = roll,
	    .type_of = type_of,
	    .ctx = c,
	    .slots = FUZZ_SLOTS,
	    .depth = DEPTH,
	    .cptr = fuzz_cptr,
	    .image = (seL4_Word)(uintptr_t)worker_code,
	    .image_words = (unsigned)(worker_code_end - worker_code) / 16,
	    .buffer = (seL4_Word)(uintptr_t)fuzz_buffers,
	    .untyped_bits = 21,
	};
}

static void start_other(unsigned cpu)
{
	struct thread t =
	    thread_new(&memories[cpu], seL4_CapInitThreadVSpace, seL4_MaxPrio, CONTROL_PERIOD_US, 0);

	runtime_must(seL4_SchedControl_Configure(runtime_bootinfo()->schedcontrol.start + cpu, t.sc,
						 CONTROL_BUDGET_US, CONTROL_PERIOD_US, 0, 0),
		     "a controller's CPU");
	world_share(t.tcb);
	thread_run(&t, control, &controllers[cpu]);
}

/* A debug kernel breaks one of its invariants when asked, and must notice. */
static void break_it(seL4_Word kind)
{
	(void)object_copy(object_new(seL4_EndpointObject, 0));
	seL4_DebugSnapshot();
	if (!sel4_syscall_word((seL4_Word)seL4_SysDebugRun, kind)) {
		print("fuzz: nothing to break\n");
		runtime_stop();
	}
	seL4_DebugSnapshot();
	print("fuzz: the damage was not noticed\n");
	runtime_stop();
}

/* Of the invocations that controllers and threads under test sent: a debug kernel counts
 * (kernel/debug/count.h). */
static void print_successes(void)
{
	const seL4_Word first = 0x1000000;

	for (seL4_Word label = 1; label <= InsulaSchedContextCharge; label++) {
		if (label == seL4_NumInvocationLabels)
			label = InsulaTimerBind;
		print("fuzz: label %u succeeded %u times\n", label,
		      sel4_syscall_word((seL4_Word)seL4_SysDebugRun, first + label));
	}
}

void roottask_main(void)
{
	cpus = (unsigned)runtime_bootinfo()->numNodes;
	cpus = cpus < MAX_CPUS ? cpus : MAX_CPUS;
	seed = option("fuzz.seed", 1);
	total = option("fuzz.steps", 100000);
	check_every = option("fuzz.check", 0);
	recycle_every = option("fuzz.recycle", 1500);
	if (option("fuzz.break", NOTHING) != NOTHING)
		break_it(option("fuzz.break", NOTHING));
	print("fuzz: %u invocations on %u CPUs, seed %u\n", total, (seL4_Word)cpus, seed);
	world_init(cpus);
	runtime_must(seL4_SchedControl_Configure(runtime_bootinfo()->schedcontrol.start, seL4_CapInitThreadSC,
						 CONTROL_BUDGET_US, CONTROL_PERIOD_US, 0, 0),
		     "the first controller's time");
	for (unsigned i = 0; i < cpus; i++)
		controller_init(&controllers[i], i);
	hold = true;
	for (unsigned i = 1; i < cpus; i++)
		start_other(i);
	control_first(&controllers[0]);
	world_end();
	if (check_every)
		seL4_DebugSnapshot();
	if (option("fuzz.count", 0))
		print_successes();
	print("fuzz: %u invocations on %u CPUs, seed %u: all is well\n", total, (seL4_Word)cpus, seed);
}
