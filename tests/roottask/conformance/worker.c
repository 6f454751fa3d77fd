/* Worker threads. See worker.h. */
#include "roottask/conformance/worker.h"
#include "roottask/runtime/tsc_hw.h"

#define WORKERS	      24
#define WORKER_SLICE  10000 /* microseconds */
#define WORKER_TICKS  (20ull * 1000 * 1000 * 1000)
#define WORKER_BOTTOM 1

static struct thread_memory memories[WORKERS];
static struct worker workers[WORKERS];
static bool used[WORKERS];

struct worker *worker_new_in(seL4_CPtr vspace, seL4_Word priority, seL4_CPtr fault)
{
	for (unsigned i = 0; i < WORKERS; i++)
		if (!used[i]) {
			used[i] = true;
			workers[i] = (struct worker){
			    .thread = thread_new(&memories[i], vspace, priority, WORKER_SLICE, fault)};
			return &workers[i];
		}
	runtime_must(seL4_NotEnoughMemory, "a worker");
	return 0;
}

struct worker *worker_new(seL4_Word priority, seL4_CPtr fault)
{
	return worker_new_in(HERE, priority, fault);
}

static void worker_entry(void *argument)
{
	struct worker *w = argument;

	w->begun++;
	w->work(w);
	w->done++;
	for (;;)
		if (seL4_TCB_Suspend(
			w->thread.tcb)) /* its CSpace has no such capability: a fault ends it as well */
			(void)seL4_Wait(0, 0);
}

void worker_start(struct worker *w, void (*work)(struct worker *))
{
	w->work = work;
	w->begun = w->done = 0;
	(void)seL4_TCB_Suspend(w->thread.tcb);
	thread_run(&w->thread, worker_entry, w);
}

void worker_run(struct worker *w, void (*work)(struct worker *))
{
	worker_start(w, work);
	worker_settle();
}

void worker_end(struct worker *w)
{
	(void)seL4_TCB_Suspend(w->thread.tcb);
	(void)seL4_CNode_Delete(ROOT, w->thread.tcb, DEPTH);
	(void)seL4_CNode_Delete(ROOT, w->thread.sc, DEPTH);
	used[w - workers] = false;
}

void worker_settle(void)
{
	runtime_must(seL4_TCB_SetPriority(SELF, SELF, WORKER_BOTTOM), "a low priority");
	runtime_must(seL4_TCB_SetPriority(SELF, SELF, seL4_MaxPrio), "the highest priority");
}

bool worker_wait(const volatile seL4_Word *word, seL4_Word least)
{
	seL4_Word end = tsc_read() + WORKER_TICKS;

	while (*word < least)
		if (tsc_read() > end)
			return false;
		else
			seL4_Yield();
	return true;
}

/* ---- pieces of work ---- */

static void words_out(const struct worker *w)
{
	for (int i = 0; i < 5; i++)
		seL4_SetMR(i, w->word[i]);
	for (seL4_Word i = 5; i < w->length && i < seL4_MsgMaxLength; i++)
		seL4_SetMR((int)i, i);
}

static void words_in(struct worker *w, seL4_MessageInfo_t info)
{
	w->info = info;
	w->label = seL4_MessageInfo_get_label(info);
	w->length = seL4_MessageInfo_get_length(info);
	w->sum = 0;
	for (int i = 0; i < 5; i++)
		w->word[i] = seL4_GetMR(i);
	for (seL4_Word i = 0; i < w->length && i < seL4_MsgMaxLength; i++)
		w->sum += seL4_GetMR((int)i);
}

static seL4_MessageInfo_t info_out(const struct worker *w)
{
	return seL4_MessageInfo_new(w->label, 0, w->caps, w->length);
}

void worker_send(struct worker *w)
{
	words_out(w);
	seL4_Send(w->cap, info_out(w));
}

void worker_nbsend(struct worker *w)
{
	words_out(w);
	seL4_NBSend(w->cap, info_out(w));
}

void worker_call(struct worker *w)
{
	words_out(w);
	words_in(w, seL4_Call(w->cap, info_out(w)));
}

void worker_recv(struct worker *w)
{
	words_in(w, seL4_Recv(w->cap, &w->badge, w->reply));
}

void worker_nbrecv(struct worker *w)
{
	words_in(w, seL4_NBRecv(w->cap, &w->badge, w->reply));
}

void worker_waits(struct worker *w)
{
	words_in(w, seL4_Wait(w->cap, &w->badge));
}

void worker_nbwait(struct worker *w)
{
	words_in(w, seL4_NBWait(w->cap, &w->badge));
}

void worker_signal(struct worker *w)
{
	seL4_Signal(w->cap);
}

void worker_serve(struct worker *w)
{
	words_in(w, seL4_Recv(w->cap, &w->badge, w->reply));
	for (;;) {
		w->done++;
		for (int i = 0; i < 5; i++)
			seL4_SetMR(i, w->word[i] + 1);
		words_in(w, seL4_ReplyRecv(w->cap, seL4_MessageInfo_new(w->label, 0, 0, w->length), &w->badge,
					   w->reply));
	}
}

void worker_spin(struct worker *w)
{
	for (;;)
		w->begun++;
}

seL4_Word worker_register(const struct worker *w, unsigned index)
{
	seL4_UserContext regs = {0};
	seL4_Word words[20];

	for (int i = 0; i < 20; i++)
		words[i] = seL4_GetMR(i);
	runtime_must(seL4_TCB_ReadRegisters(w->thread.tcb, false, 0, 20, &regs), "a worker's registers");
	for (int i = 0; i < 20; i++)
		seL4_SetMR(i, words[i]);
	return ((const seL4_Word *)(const void *)&regs)[index];
}
