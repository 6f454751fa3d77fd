/* Objects, threads, cases (runtime.h). The last line says "vcpu: all N cases passed" or how
 * many failed. */
#include "runtime.h"

#define RUNTIME_VA 0x20000000000ull
#define RW	   (seL4_RightRead | seL4_RightWrite)

const seL4_BootInfo *runtime_bi;

static uint64_t runtime_next, runtime_untyped, runtime_va = RUNTIME_VA;
static const char *case_name;
static unsigned case_count, case_failures;
static bool case_failed;

/* ---- cases ---- */

void case_begin(const char *name)
{
	case_name = name;
	case_failed = false;
	case_count++;
}

void case_check(bool ok, const char *what)
{
	if (ok)
		return;
	bare_print("vcpu: %s: not so: %s\n", case_name, what);
	case_failed = true;
}

void case_equal(uint64_t got, uint64_t wanted, const char *what)
{
	if (got == wanted)
		return;
	bare_print("vcpu: %s: %s is 0x%x, not 0x%x\n", case_name, what, got, wanted);
	case_failed = true;
}

void case_end(void)
{
	if (case_failed)
		case_failures++;
	else
		bare_print("vcpu: %s: ok\n", case_name);
}

bool case_left_out(bool cannot, const char *name, const char *reason)
{
	if (cannot)
		bare_print("vcpu: left out: %s (%s)\n", name, reason);
	return cannot;
}

void runtime_must(uint64_t error, const char *what)
{
	if (error == 0)
		return;
	bare_print("vcpu: FAILED: %s: error %d\n", what, error);
	bare_call(seL4_CapInitThreadTCB, TCBSuspend, NONE, NONE);
}

/* ---- objects ---- */

uint64_t runtime_slot(void)
{
	return runtime_next++;
}

uint64_t runtime_make(uint64_t type, uint64_t bits)
{
	uint64_t slot = runtime_slot();

	runtime_must(bare_call(runtime_untyped, UntypedRetype, WORDS(type, bits, 0, 0, slot, 1),
			       CAPS(seL4_CapInitThreadCNode)),
		     "retype");
	return slot;
}

uint64_t runtime_copy(uint64_t cap, uint64_t rights)
{
	uint64_t slot = runtime_slot();

	runtime_must(bare_call(seL4_CapInitThreadCNode, CNodeCopy, WORDS(slot, 64, cap, 64, rights),
			       CAPS(seL4_CapInitThreadCNode)),
		     "copy");
	return slot;
}

uint64_t runtime_mint(uint64_t cap, uint64_t badge)
{
	uint64_t slot = runtime_slot();

	runtime_must(bare_call(seL4_CapInitThreadCNode, CNodeMint, WORDS(slot, 64, cap, 64, 15, badge),
			       CAPS(seL4_CapInitThreadCNode)),
		     "mint");
	return slot;
}

void runtime_delete(uint64_t cap)
{
	runtime_must(bare_call(seL4_CapInitThreadCNode, CNodeDelete, WORDS(cap, 64), NONE), "delete");
}

void *runtime_map(uint64_t frame)
{
	void *at = (void *)runtime_va;

	runtime_must(bare_call(frame, X86PageMap, WORDS(runtime_va, RW, 0), CAPS(seL4_CapInitThreadVSpace)),
		     "map");
	runtime_va += 4096;
	return at;
}

/* ---- boot information ---- */

static const void *runtime_chunk(uint64_t id)
{
	const char *at = (const char *)runtime_bi + 4096, *end = at + runtime_bi->extraLen;
	seL4_BootInfoHeader h;

	for (; at < end; at += h.len) {
		__builtin_memcpy(&h, at, sizeof(h));
		if (h.id == id)
			return at + sizeof(h);
		if (h.len < sizeof(h))
			break;
	}
	return NULL;
}

bool runtime_option(const char *word)
{
	const char *c = runtime_chunk(INSULA_BOOTINFO_CMDLINE);
	unsigned n;

	for (; c && *c; c++) {
		for (n = 0; word[n] && c[n] == word[n]; n++)
			;
		if (!word[n] && (c[n] == ' ' || !c[n]))
			return true;
	}
	return false;
}

uint32_t runtime_virt(void)
{
	struct insula_bi_machine m;
	const void *chunk = runtime_chunk(INSULA_BOOTINFO_MACHINE);

	if (!chunk)
		return INSULA_VIRT_NONE;
	__builtin_memcpy(&m, chunk, sizeof(m));
	return m.virt;
}

/* ---- threads ---- */

uint64_t runtime_sc(uint64_t budget, uint64_t period)
{
	uint64_t sc = runtime_make(seL4_SchedContextObject, 7);

	runtime_must(bare_call(runtime_bi->schedcontrol.start, SchedControlConfigureFlags,
			       WORDS(budget, period, 0, 0, 0), CAPS(sc)),
		     "configure a scheduling context");
	return sc;
}

uint64_t runtime_thread(void (*f)(void), uint64_t sc, uint64_t priority)
{
	uint64_t tcb = runtime_make(seL4_TCBObject, 0), frame = runtime_make(seL4_X86_4K, 0);
	uint64_t stack = (uint64_t)(uintptr_t)runtime_map(runtime_make(seL4_X86_4K, 0)) + 4096 - 16;
	uint64_t buffer = (uint64_t)(uintptr_t)runtime_map(frame);

	runtime_must(bare_call(tcb, TCBConfigure, WORDS(0, 0, buffer),
			       CAPS(seL4_CapInitThreadCNode, seL4_CapInitThreadVSpace, frame)),
		     "configure a thread");
	runtime_must(bare_call(tcb, TCBSetPriority, WORDS(priority), CAPS(seL4_CapInitThreadTCB)),
		     "priority");
	if (sc)
		runtime_must(bare_call(sc, SchedContextBind, NONE, CAPS(tcb)), "bind");
	/* rip rsp rflags rax rbx rcx rdx rsi rdi ... */
	runtime_must(bare_call(tcb, TCBWriteRegisters,
			       WORDS(1, 20, (uint64_t)(uintptr_t)runtime_thread_start, stack, 0x202, 0, 0, 0,
				     0, 0, (uint64_t)(uintptr_t)f, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
			       NONE),
		     "start a thread");
	return tcb;
}

/* ---- start ---- */

static void runtime_largest_untyped(void)
{
	uint64_t count = runtime_bi->untyped.end - runtime_bi->untyped.start, best = 0;

	for (uint64_t i = 0; i < count && i < seL4_BootInfoUntypedMax; i++) {
		const seL4_UntypedDesc *d = &runtime_bi->untypedList[i];

		if (d->isDevice || d->sizeBits < best)
			continue;
		best = d->sizeBits;
		runtime_untyped = runtime_bi->untyped.start + i;
	}
}

void runtime_main(const seL4_BootInfo *bi)
{
	static const uint64_t tables[] = {seL4_X86_PDPTObject, seL4_X86_PageDirectoryObject,
					  seL4_X86_PageTableObject};
	static const uint64_t labels[] = {X86PDPTMap, X86PageDirectoryMap, X86PageTableMap};

	runtime_bi = bi;
	bare_buffer = (uint64_t *)(uintptr_t)bi->ipcBuffer;
	runtime_next = bi->empty.start;
	runtime_largest_untyped();
	for (unsigned i = 0; i < 3; i++)
		runtime_must(bare_call(runtime_make(tables[i], 0), labels[i], WORDS(RUNTIME_VA, 0),
				       CAPS(seL4_CapInitThreadVSpace)),
			     "tables");
	test_main();
	if (case_failures)
		bare_print("vcpu: FAILED: %d of %d cases\n", (uint64_t)case_failures, (uint64_t)case_count);
	else
		bare_print("vcpu: all %d cases passed\n", (uint64_t)case_count);
	bare_call(seL4_CapInitThreadTCB, TCBSuspend, NONE, NONE);
}
