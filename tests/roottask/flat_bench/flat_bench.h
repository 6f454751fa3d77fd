/*
 * Parts of the benchmark: the page of code of servers in address spaces of their own, and how late a thread
 * of high priority is woken while the first one works.
 */
#ifndef FLAT_BENCH_H
#define FLAT_BENCH_H

#include "sel4/sel4.h"

/* A server's code: RBX is its endpoint, R12 its reply object. A page of its own, without a stack. */
extern const char flat_thread[];

/*
 * The longest delay: a thread wants to run every DELAY_PERIOD microseconds. From delay_start() to
 * delay_stop() the caller has a priority below it; what the kernel does for the caller then, the thread has
 * to wait for. delay_stop() returns by how many ticks the longest time between two of its turns was more than
 * a period.
 */
#define DELAY_PERIOD 97 /* no divisor of anything in the kernel */
void delay_init(void);
void delay_start(void);
void delay_idle(void); /* some hundred periods in user mode */
seL4_Word delay_stop(void);

#endif
