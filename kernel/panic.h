/*
 * The end of the machine: an invariant of the kernel does not hold. No guest, user or firmware
 * input may lead here. Prints one line, registers, a backtrace on every console, and halts.
 */
#ifndef PANIC_H
#define PANIC_H

#include "types.h"

NORETURN void panic(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* For what a correct kernel never sees; kept in release builds. */
#define INVARIANT(cond)                                                                                      \
	do {                                                                                                 \
		if (unlikely(!(cond)))                                                                       \
			panic("%s:%d: %s", __FILE__, __LINE__, #cond);                                       \
	} while (0)

/*
 * The kernel's console before and beside the servers (kernel/arch/x86/console.c): serial port and
 * framebuffer or VGA text. %d %u %x %lx %lu %ld %s %c %p with width and zero padding are understood.
 */
void kprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));
void kputchar(char c);

/*
 * Boot cannot go on: one plain line for the user on every console, then halt. Unlike panic this is
 * the machine's or the user's doing, not a bug.
 */
NORETURN void boot_stop(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
