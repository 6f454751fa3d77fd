/*
 * The runtime of this root task: objects, the order of the checks, and a last line that says whether all
 * held: "hello: all is well" or "hello: FAILED".
 */
#include "hello.h"
#include "bare_hw.h"

const seL4_BootInfo *hello_bi;
bool hello_failed;

static uint64_t hello_next, hello_untyped;

void hello_main(const seL4_BootInfo *bi);

void hello_check(bool ok, const char *what)
{
	if (ok)
		return;
	hello_failed = true;
	bare_print("hello: not so: %s\n", what);
}

uint64_t hello_slot(void)
{
	return hello_next++;
}

uint64_t hello_slot_next(void)
{
	return hello_next;
}

void hello_slot_reset(uint64_t next)
{
	hello_next = next;
}

uint64_t hello_make_from(uint64_t untyped, uint64_t type, uint64_t bits)
{
	uint64_t slot = hello_slot();
	uint64_t e = bare_call(untyped, UntypedRetype, WORDS(type, bits, 0, 0, slot, 1),
			       CAPS(seL4_CapInitThreadCNode));

	if (e)
		bare_print("hello: retype of type %d: error %d\n", type, e);
	hello_check(e == 0, "an object can be made");
	return slot;
}

uint64_t hello_make(uint64_t type, uint64_t bits)
{
	return hello_make_from(hello_untyped, type, bits);
}

static void hello_largest_untyped(void)
{
	uint64_t count = hello_bi->untyped.end - hello_bi->untyped.start, best = 0;

	for (uint64_t i = 0; i < count; i++) {
		const seL4_UntypedDesc *d = &hello_bi->untypedList[i];

		if (d->isDevice || d->sizeBits < best)
			continue;
		best = d->sizeBits;
		hello_untyped = hello_bi->untyped.start + i;
	}
	bare_print("hello: the largest untyped has 2^%d bytes\n", best);
}

void hello_main(const seL4_BootInfo *bi)
{
	hello_bi = bi;
	bare_buffer = (uint64_t *)(uintptr_t)bi->ipcBuffer;
	hello_next = bi->empty.start;
	bare_print("hello: a root task runs, at tick %d\n", hw_rdtsc());
	check_bootinfo();
	hello_largest_untyped();
	check_memory();
	check_boot_modules();
	check_threads();
	check_process(hello_untyped);
	bare_print(hello_failed ? "hello: FAILED\n" : "hello: all is well\n");
	bare_call(seL4_CapInitThreadTCB, TCBSuspend, NONE, NONE);
}
