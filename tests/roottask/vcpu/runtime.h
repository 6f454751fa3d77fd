/* Enough of a runtime, on bare.h: objects, threads; and the book-keeping of cases. */
#ifndef RUNTIME_H
#define RUNTIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "bare.h"
#include "insula/ext.h"
#include "sel4/bootinfo.h"
#include "sel4/constants.h"

extern const seL4_BootInfo *runtime_bi;

/* A case: begin names it, every check in it must hold, end prints its line: "vcpu: NAME: ok" or what was
 * wrong. */
void case_begin(const char *name);
void case_check(bool ok, const char *what);
void case_equal(uint64_t got, uint64_t wanted, const char *what);
void case_end(void);
/* True where an emulator cannot do it: the case is left out, and that is said. */
bool case_left_out(bool cannot, const char *name, const char *reason);

uint64_t runtime_slot(void);
/* Retypes from the largest RAM Untyped; returns the slot. Stops the test if that fails. */
uint64_t runtime_make(uint64_t type, uint64_t bits);
/* A copy of a capability of ours. */
uint64_t runtime_copy(uint64_t cap, uint64_t rights);
uint64_t runtime_mint(uint64_t cap, uint64_t badge);
void runtime_delete(uint64_t cap);
/* Is this word on the kernel's command line? */
bool runtime_option(const char *word);
/* enum insula_virt of this machine. */
uint32_t runtime_virt(void);
/* Maps a frame read-write at the next free address of ours. */
void *runtime_map(uint64_t frame);
/* A thread with its own stack and IPC buffer; `sc` 0: passive. Runs f at once. */
uint64_t runtime_thread(void (*f)(void), uint64_t sc, uint64_t priority);
/* A scheduling context with this budget and period in us. */
uint64_t runtime_sc(uint64_t budget, uint64_t period);
void runtime_must(uint64_t error, const char *what);

void runtime_main(const seL4_BootInfo *bi);
extern const char runtime_thread_start[];
void test_main(void);

#endif
