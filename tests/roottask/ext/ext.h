/*
 * A root task that checks Insula's extensions to the seL4 API (docs/extensions/): one line per case, `ok
 * NAME` or `not ok NAME: why`, then `ext: N cases, M not ok` and `DONE`. Lines `cost NAME N` are ticks of the
 * time stamp counter: instructions, on the deterministic machine.
 */
#ifndef EXT_H
#define EXT_H

#include "roottask/runtime/object.h"
#include "roottask/runtime/print.h"
#include "roottask/runtime/runtime.h"
#include "roottask/runtime/space.h"
#include "roottask/runtime/thread.h"

#define ROOT  seL4_CapInitThreadCNode
#define DEPTH seL4_WordBits
#define HERE  seL4_CapInitThreadVSpace
#define PAGE  4096ull
#define BIG   (1ull << 21)
#define PARTS ((seL4_Word)insula_FrameParts)

/* ext.c: the verdict of a case. */
void check(const char *name, bool good, const char *why);
void check_equal(const char *name, seL4_Word got, seL4_Word want);
/* An invocation's result, and the first words of its error. */
void check_error(const char *name, seL4_Error got, seL4_Error want);
void check_error1(const char *name, seL4_Error got, seL4_Error want, seL4_Word mr0);
void check_error2(const char *name, seL4_Error got, seL4_Error want, seL4_Word mr0, seL4_Word mr1);
void check_error3(const char *name, seL4_Error got, seL4_Error want, seL4_Word mr0, seL4_Word mr1,
		  seL4_Word mr2);
void cost(const char *name, seL4_Word ticks);
/* An invocation that is only a label, some words of 0 and these capabilities. */
seL4_Error raw(seL4_CPtr cap, seL4_Word label, unsigned words, unsigned caps, seL4_CPtr cap0, seL4_CPtr cap1);

/* memory.c: addresses of this task's own for large pages, with all tables but the lowest. */
uint64_t memory_window(void);
seL4_CPtr memory_table(void); /* a new PT */
/* An Untyped of 2 MiB, and the large frame that is all of it. */
struct memory_large {
	seL4_CPtr untyped, frame;
};
struct memory_large memory_large(void);
seL4_Error memory_map(seL4_CPtr frame, uint64_t at, seL4_CapRights_t rights);
seL4_CPtr
memory_node(unsigned radix); /* a CNode for the parts of a frame: slots are named as memory_in() says */
/* A copy in a free slot of ours of what a node's slot holds. The original can then be deleted from there. */
seL4_CPtr memory_take(seL4_CPtr node, seL4_Word index);
/* Is there nothing in this slot? */
bool memory_empty(seL4_CPtr slot);

/* watch.c: a second thread, of higher priority, that comes in between every `ticks` and does something; its
 * fault is a failure. */
void watch_start(void);
void watch_every(seL4_Word ticks, void (*what)(unsigned nth));
/* No more; returns how often it ran. */
unsigned watch_stop(void);
bool watch_faulted(void);

/* Cases by extension. */
void derive_cases(void);
void split_cases(void);
void split_race_cases(void);
void timer_cases(void);
void state_cases(void);
void never_cases(void);
void charge_cases(void);

static inline uint64_t ext_word(uint64_t at)
{
	return *(volatile uint64_t *)at;
}
static inline void ext_write(uint64_t at, uint64_t value)
{
	*(volatile uint64_t *)at = value;
}

#endif
