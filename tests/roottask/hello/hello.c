/*
 * A root task in one file: enough of a runtime to run the checks, and a last line that says whether all held:
 * "hello: all is well" or "hello: FAILED".
 */
#include "hello.h"
#include "hello_hw.h"
#include <stdarg.h>

const seL4_BootInfo *hello_bi;
bool hello_failed;
uint64_t hello_words[8];

static uint64_t hello_next, hello_untyped;
static uint64_t *hello_buffer;

void hello_main(const seL4_BootInfo *bi);

static void hello_put(char c)
{
	struct hello_message m = {.badge = (uint64_t)(unsigned char)c};

	hello_syscall(seL4_SysDebugPutChar, &m, 0);
}

static void hello_number(uint64_t v, unsigned base)
{
	char digits[24];
	unsigned n = 0;

	do {
		digits[n++] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v);
	while (n)
		hello_put(digits[--n]);
}

void hello_print(const char *format, ...)
{
	va_list a;

	va_start(a, format);
	for (; *format; format++) {
		if (*format != '%') {
			hello_put(*format);
			continue;
		}
		switch (*++format) {
		case 's':
			for (const char *s = va_arg(a, const char *); *s; s++)
				hello_put(*s);
			break;
		case 'd':
			hello_number(va_arg(a, uint64_t), 10);
			break;
		default:
			hello_number(va_arg(a, uint64_t), 16);
			break;
		}
	}
	va_end(a);
}

void hello_check(bool ok, const char *what)
{
	if (ok)
		return;
	hello_failed = true;
	hello_print("hello: not so: %s\n", what);
}

uint64_t hello_call(uint64_t cap, uint64_t label, const uint64_t *words, unsigned count, const uint64_t *caps,
                    unsigned cap_count)
{
	struct hello_message m = {.badge = cap, .info = label << 12 | (uint64_t)cap_count << 7 | count};

	for (unsigned i = 0; i < count; i++) {
		if (i < 4)
			m.mr[i] = words[i];
		else
			hello_buffer[1 + i] = words[i];
	}
	for (unsigned i = 0; i < cap_count; i++)
		hello_buffer[122 + i] = caps[i];
	hello_syscall(seL4_SysCall, &m, 0);
	for (unsigned i = 0; i < 8; i++)
		hello_words[i] = i < 4 ? m.mr[i] : hello_buffer[1 + i];
	return m.info >> 12;
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
	uint64_t e = hello_call(untyped, UntypedRetype, HELLO_WORDS(type, bits, 0, 0, slot, 1),
	                        HELLO_CAPS(seL4_CapInitThreadCNode));

	if (e)
		hello_print("hello: retype of type %d: error %d\n", type, e);
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
	hello_print("hello: the largest untyped has 2^%d bytes\n", best);
}

void hello_main(const seL4_BootInfo *bi)
{
	hello_bi = bi;
	hello_buffer = (uint64_t *)(uintptr_t)bi->ipcBuffer;
	hello_next = bi->empty.start;
	hello_print("hello: a root task runs, at tick %d\n", hello_rdtsc());
	check_bootinfo();
	hello_largest_untyped();
	check_memory();
	check_boot_modules();
	check_threads();
	check_process(hello_untyped);
	hello_print(hello_failed ? "hello: FAILED\n" : "hello: all is well\n");
	hello_call(seL4_CapInitThreadTCB, TCBSuspend, HELLO_NONE, HELLO_NONE);
}
