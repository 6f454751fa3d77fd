/* What the two halves of the test share: the Untyped that objects are made from. */
#ifndef HELLO_H
#define HELLO_H

#include <stdbool.h>
#include <stddef.h>
#include "bare.h"
#include "insula/ext.h"
#include "sel4/bootinfo.h"
#include "sel4/constants.h"

extern const seL4_BootInfo *hello_bi;
extern bool hello_failed;

/* Says so, and the test has failed, unless `ok`. */
void hello_check(bool ok, const char *what);

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
