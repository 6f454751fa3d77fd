/*
 * What the tests of capabilities stand on: an arena as physical memory, whose pages can be touched only while
 * they are in the window (the host's own page protection), a message to decode, and interrupts that come when
 * a test wants them.
 */
#ifndef CAP_CAP_FAKE_H
#define CAP_CAP_FAKE_H

#include "api/invocation.h"
#include "cap/cnode.h"
#include "cap/untyped.h"
#include "sel4/constants.h"

#define FAKE_PHYS    0x40000000ull /* the arena's physical address: 1 GiB aligned */
#define FAKE_BYTES   (32ull << 20)
#define FAKE_RADIX   8u	 /* of the root CNode, which lies in the arena's first pages */
#define FAKE_UT	     16u /* root slot of the RAM Untyped: the upper half of the arena */
#define FAKE_UT_BITS 24u

extern struct percpu *percpu_host;
extern uint64_t fake_poll_every; /* every n-th irq_poll says yes; 0: none */
extern unsigned fake_polls;
extern unsigned fake_events[64]; /* finalisations by enum cap_type */

/* Everything as after boot: empty root CNode but for the Untyped in FAKE_UT. */
void fake_reset(void);
struct cte *fake_root(unsigned slot);
cap_t fake_root_cap(void);
bool fake_present(paddr_t p);
unsigned fake_present_count(paddr_t start, uint64_t bytes);
/* Pages become readable and writable for the test; the window is as it was. */
void fake_peek(paddr_t p, void *to, uint64_t bytes);
void fake_poke(paddr_t p, uint8_t value, uint64_t bytes);

/* The message of the next decode. */
void fake_message(unsigned count, const word_t *words);
#define FAKE_MESSAGE(...)                                                                                    \
	fake_message(sizeof((word_t[]){__VA_ARGS__}) / sizeof(word_t), (const word_t[]){__VA_ARGS__})
void fake_extra(struct cte *c0, struct cte *c1);
extern unsigned fake_length; /* as set by fake_message */
extern word_t fake_result;   /* of invocation_reply1 */

/* One invocation, restarted as long as it is preempted. `root` is extra capability 0 where one is needed. */
exception_t fake_retype(struct cte *ut, word_t type, unsigned user_bits, unsigned slot, unsigned count);
exception_t fake_cnode(word_t label, unsigned count, const word_t *words);
#define FAKE_CNODE(label, ...)                                                                               \
	fake_cnode(label, sizeof((word_t[]){__VA_ARGS__}) / sizeof(word_t), (const word_t[]){__VA_ARGS__})
exception_t fake_copy(unsigned dst, unsigned src);
exception_t fake_mint(unsigned dst, unsigned src, word_t badge);
exception_t fake_delete(unsigned slot);
exception_t fake_revoke(unsigned slot);
/* As these, for slots named by 12 bits: root slot, then slot of a CNode of radix 4 there. */
#define FAKE_IN(node, slot) ((node) << 4 | (slot))
exception_t fake_copy_deep(unsigned dst, unsigned dst_depth, unsigned src, unsigned src_depth);
struct cte *fake_in(unsigned node, unsigned slot);

/* The list through slot is consistent in both directions; returns its length. */
unsigned fake_check_list(const struct cte *slot);

#endif
