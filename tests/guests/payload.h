/*
 * The test payload: a tiny PVH kernel, one ELF file with many modes, of which the first word of its command line
 * chooses one. It runs under any hypervisor with Xen 4.17's PVH ABI; addresses are physical, 4 GiB mapped one to one.
 */
#ifndef PAYLOAD_H
#define PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <xen/xen.h>

#include "payload_hw.h"

#define PAGE 4096u

/* console.c: text goes to the console ring of the domain; without one, to CONSOLEIO_write; and to port 0xe9 when
 * neither works. console_write waits for room in the ring. */
void console_init(void);
void console_write(const char *text, size_t length);
void console_print(const char *text);
void console_number(uint64_t value);
void console_hex(uint64_t value);

/* store.c: a request (XS_READ and so on) and its words, at most 1 KiB with its head; how many bytes of the answer were kept, 0 when the store refuses. */
void store_init(void);
size_t store_ask(uint32_t type, const char *words, size_t length, char *answer, size_t room);

/* main.c: the value of "NAME=number" on the command line, decimal; and the end of RAM below 4 GiB, in bytes. */
uint64_t payload_option(const char *name, uint64_t otherwise);
uint64_t payload_ram_end(void);
_Noreturn void payload_shutdown(unsigned int reason);
/* How many interrupts and exceptions there were, by vector. An exception ends the payload, unless payload_trap_skip
 * says how many bytes long the instruction is that may fault and be skipped. */
extern volatile uint64_t payload_traps[256];
extern uint64_t payload_trap_skip;
/* evtchn_upcall_pending of a mode that takes event upcalls: cleared at each interrupt; else NULL. */
extern volatile uint8_t *payload_upcall;

/* A mode returns when it is done; then the domain powers itself off. */
struct payload_mode {
	const char *name;
	void (*run)(void);
};
extern const struct payload_mode bench_modes[];
extern const struct payload_mode hostile_modes[];
extern const struct payload_mode memory_modes[];
extern const struct payload_mode pair_modes[];
extern const struct payload_mode share_modes[];
extern const struct payload_mode fuzz_modes[];
extern const struct payload_mode ping_modes[];
extern const struct payload_mode compat_modes[];
extern const struct payload_mode flood_modes[];
extern const struct payload_mode liar_modes[];
extern const struct payload_mode grants_modes[];
extern const struct payload_mode saved_modes[];
extern const struct payload_mode handover_modes[];

/* vCPU 1 runs this, with the same tables and gates as the first, and a stack of its own. The first one's APIC is in x2APIC mode from then on. second.c */
void payload_second_start(void (*run)(void));

extern uint8_t image_start[], image_end[], hypercall_page[], page_ml4[], trap_stubs[];

static inline int64_t hypercall(uint64_t number, uint64_t a, uint64_t b)
{
	return payload_hypercall(number, a, b, 0, 0, 0);
}

static inline uint64_t address(const volatile void *p)
{
	return (uint64_t)(uintptr_t)p;
}

#endif
