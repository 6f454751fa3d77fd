/*
 * CSpace: address resolution, and invocations on CNode capabilities.
 * A CNode is an array of 2^radix slots.
 */
#ifndef CAP_CNODE_H
#define CAP_CNODE_H

#include "arch/x86/mm/window.h"
#include "cap/cte.h"

struct tcb;

/* The slots of a CNode. */
static inline struct cte *cap_cnode_slots(cap_t node)
{
	return window_kv(paddr(cap_cnode_ptr(node)));
}

struct lookup_result { /* two words: it is returned in registers */
	struct cte *slot;
	exception_t status; /* EXC_NONE, or EXC_LOOKUP_FAULT with percpu->lookup_fault filled */
	unsigned bits_left;
};
_Static_assert(sizeof(struct lookup_result) == 16, "in registers");

/* Resolves `bits` low bits of cptr from a CNode capability. May stop early at a non-CNode: bits_left > 0. */
struct lookup_result cnode_resolve(cap_t root, cptr_t cptr, unsigned bits);
/* Thread's CSpace, all 64 bits, any capability. The slot of the object found. */
struct lookup_result cnode_lookup_slot(struct tcb *thread, cptr_t cptr);
/*
 * A slot named by (root, index, depth) in an invocation. Exactly resolved, else EXC_SYSCALL_ERROR
 * with percpu->error filled (FailedLookup, RangeError). `is_source` goes into FailedLookup's MR0.
 */
struct lookup_result cnode_target_slot(cap_t root, cptr_t index, word_t depth, bool is_source);

/*
 * The CNode that gets many capabilities at once: root itself if depth is 0, else the one in the slot (index, depth)
 * below it. EXC_SYSCALL_ERROR as above if there is none.
 */
exception_t cnode_target_node(cap_t root, cptr_t index, word_t depth, cap_t *node);

exception_t cnode_decode(word_t label, unsigned length, cap_t cap);

#endif
