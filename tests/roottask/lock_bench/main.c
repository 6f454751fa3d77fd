/* Makes the threads of an operation on every CPU, lets them run, reads the counts before and after. */
#include "roottask/lock_bench/lock_bench.h"
#include "insula/ext.h"

#define PRIORITY 100
#define SLICE	 100000 /* microseconds: its end is no part of a measurement */
#define ROUNDS	 100	/* of the first run; the second has three times as many, and the difference counts */

struct counts {
	seL4_Word acquisitions, ticks, time;
};

static struct party parties[LOCK_BENCH_CPUS_MAX];
static struct thread_memory caller_memory[LOCK_BENCH_CPUS_MAX], other_memory[LOCK_BENCH_CPUS_MAX];
static const struct operation *now;
static volatile seL4_Word rounds;
seL4_Word cpus;
static seL4_CPtr other_space;

static seL4_Word tsc(void)
{
	unsigned lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (seL4_Word)hi << 32 | lo;
}

static struct counts count(void)
{
	struct counts c = {0, 0, tsc()};

	for (seL4_Word i = 0; i < cpus; i++) {
		seL4_MessageInfo_t info =
		    seL4_Call(runtime_bootinfo()->schedcontrol.start + i,
			      seL4_MessageInfo_new(InsulaSchedControlLockCount, 0, 0, 0));

		runtime_must((seL4_Error)seL4_MessageInfo_get_label(info),
			     "lock counts: the kernel wants the option lock-count");
		c.acquisitions += seL4_GetMR(0);
		c.ticks += seL4_GetMR(1);
	}
	return c;
}

static void caller(void *argument)
{
	struct party *p = argument;

	for (;;) {
		seL4_Wait(p->go, 0);
		now->caller(p, rounds);
		seL4_Signal(p->done);
	}
}

static void move(const struct thread *t, seL4_Word cpu)
{
	runtime_must(seL4_SchedControl_ConfigureFlags(runtime_bootinfo()->schedcontrol.start + cpu, t->sc,
						      SLICE, SLICE, 0, 0, 0),
		     "move a thread");
}

/* ---- a run ---- */

static struct counts run(seL4_Word n)
{
	struct counts before, after;

	rounds = n;
	before = count();
	for (seL4_Word i = 0; i < cpus; i++)
		seL4_Signal(parties[i].go);
	for (seL4_Word i = 0; i < cpus; i++)
		seL4_Wait(parties[i].done, 0);
	after = count();
	return (struct counts){after.acquisitions - before.acquisitions, after.ticks - before.ticks,
			       after.time - before.time};
}

static void party_new(seL4_Word i)
{
	struct party *p = &parties[i];

	p->cpu = i;
	p->endpoint = object_new(seL4_EndpointObject, 0);
	p->reply = object_new(seL4_ReplyObject, 0);
	p->there = object_new(seL4_NotificationObject, 0);
	p->back = object_new(seL4_NotificationObject, 0);
	p->ready = object_new(seL4_NotificationObject, 0);
	p->go = object_new(seL4_NotificationObject, 0);
	p->done = object_new(seL4_NotificationObject, 0);
}

static void begin(struct thread *callers, struct thread *others)
{
	for (seL4_Word i = 0; i < cpus; i++) {
		struct party *p = &parties[i];

		party_new(i);
		if (now->other) {
			others[i] = thread_new(&other_memory[i], other_space,
					       PRIORITY + (now->other_above != 0), SLICE, 0);
			move(&others[i], (i + (now->other_next != 0)) % cpus);
			thread_run(&others[i], now->other, p);
			seL4_Wait(p->ready, 0);
			if (now->passive)
				thread_make_passive(&others[i]);
		}
		callers[i] =
		    thread_new(&caller_memory[i], now->own_space ? p->space : seL4_CapInitThreadVSpace,
			       PRIORITY, SLICE, now->faults ? p->endpoint : 0);
		move(&callers[i], i);
		if (now->vcpu)
			guest_make(p, callers[i].tcb, now->vcpu == 1);
		thread_run(&callers[i], caller, p);
	}
}

static void measure(const struct operation *o)
{
	struct thread callers[LOCK_BENCH_CPUS_MAX], others[LOCK_BENCH_CPUS_MAX];
	struct counts few, many;

	now = o;
	begin(callers, others);
	run(ROUNDS); /* caches, tables */
	few = run(ROUNDS);
	many = run(3 * ROUNDS);
	print("LOCK cpus=%u op=%s operations=%u acquisitions=%u ticks=%u passed=%u\n", cpus, o->name,
	      2 * ROUNDS * (o->first_only ? 1 : cpus), many.acquisitions - few.acquisitions,
	      many.ticks - few.ticks, many.time - few.time);
	for (seL4_Word i = 0; i < cpus; i++) {
		thread_suspend(&callers[i]);
		if (o->other)
			thread_suspend(&others[i]);
	}
}

static void spaces(void)
{
	other_space = space_new();
	for (seL4_Word i = 0; i < cpus; i++) {
		struct party *p = &parties[i];

		p->space = space_new();
		p->vaddr = 0x10000000ull + i * 0x200000;
		runtime_must(
		    seL4_X86_PageTable_Map(object_new(seL4_X86_PageTableObject, 0), p->space, p->vaddr, 0),
		    "map a PT");
		runtime_must(seL4_X86_PageTable_Map(object_new(seL4_X86_PageTableObject, 0),
						    seL4_CapInitThreadVSpace, p->vaddr, 0),
			     "map a PT");
		p->frame = object_new(seL4_X86_4K, 0);
		p->untyped = object_new(seL4_UntypedObject, 12);
		p->slot = object_slot();
	}
}

void roottask_main(void)
{
	cpus = runtime_bootinfo()->numNodes;
	if (cpus > LOCK_BENCH_CPUS_MAX)
		cpus = LOCK_BENCH_CPUS_MAX;
	spaces();
	for (unsigned i = 0; i < operation_count; i++)
		measure(&operations[i]);
	print("LOCK done\n");
}
