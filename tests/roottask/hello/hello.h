/* What the two halves of the test share: output, invocations, the Untyped that objects are made from. */
#ifndef HELLO_H
#define HELLO_H

#include <stdbool.h>
#include <stddef.h>
#include "insula/ext.h"
#include "sel4/bootinfo.h"
#include "sel4/constants.h"

extern const seL4_BootInfo *hello_bi;
extern bool hello_failed;

/* %s %d %x (64 bits) only. */
void hello_print(const char *format, ...);
/* Says so, and the test has failed, unless `ok`. */
void hello_check(bool ok, const char *what);

/* Call on a capability: words, then up to two extra capabilities. Returns the result's label; its words in hello_words. */
uint64_t hello_call(uint64_t cap, uint64_t label, const uint64_t *words, unsigned count, const uint64_t *caps,
                    unsigned cap_count);
extern uint64_t hello_words[8];
#define HELLO_WORDS(...) (const uint64_t[]){__VA_ARGS__}, sizeof((uint64_t[]){__VA_ARGS__}) / 8
#define HELLO_CAPS(...)  (const uint64_t[]){__VA_ARGS__}, sizeof((uint64_t[]){__VA_ARGS__}) / 8
#define HELLO_NONE       NULL, 0

/* Retypes from the largest RAM Untyped into the next free slot; returns it. */
uint64_t hello_make(uint64_t type, uint64_t bits);
uint64_t hello_make_from(uint64_t untyped, uint64_t type, uint64_t bits);
uint64_t hello_slot(void);
uint64_t hello_slot_next(void); /* without taking it */
void hello_slot_reset(uint64_t next);

/* check.c */
void check_bootinfo(void);
void check_memory(void);
void check_threads(void);
void check_boot_modules(void);
void hello_thread(uint64_t argument);
extern const char hello_thread_start[], process_thread_start[];

/* process.c */
void check_process(uint64_t untyped);
void process_thread(uint64_t endpoint);

#endif
