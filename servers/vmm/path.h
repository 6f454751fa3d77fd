/*
 * The way to a page of the guest's, remembered: where each page-table entry on it lies, and its value. If the
 * registers that decide a walk and all these values are what they were, then so is the walk's result: nothing
 * has to be told of what the guest invalidates. Where a page of Xen's was taken from its place meanwhile, it
 * is looked for again. During one hypercall what has held once holds on: so a CPU may remember it too.
 */
#ifndef VMM_PATH_H
#define VMM_PATH_H

#include "servers/vmm/vmm.h"
#include "servers/vmm/walk.h"

static inline bool guest_is_user(const struct vcpu *v)
{
	return (v->s->seg[INSULA_SS].ar >> 5 & 3) == 3;
}

/* As the vCPU is now. A user program's access has its rights: it may change the instruction while it is
 * emulated. */
static inline struct walk_mode guest_walk_mode(const struct vcpu *v)
{
	const struct insula_vcpu_state *s = v->s;

	return (struct walk_mode){s->cr0, s->cr3, s->cr4, s->efer, guest_is_user(v)};
}

/* What a page is wanted for. A path holds for all that was found to be allowed. */
enum guest_access { GUEST_READ = 1, GUEST_WRITE = 2, GUEST_FETCH = 4, GUEST_ACCESS = 7 /* mask */ };
#define GUEST_NO_MEMORY (UINT32_MAX - 1) /* no fault: the guest has no memory there */

static inline bool guest_path_is(const struct guest_path *p, uint64_t page, enum guest_access access)
{
	return (p->key & (~(uint64_t)GUEST_ACCESS | access)) == (page | access);
}

static inline bool guest_path_holds(const struct guest_path *p, const struct vcpu *v)
{
	const struct insula_vcpu_state *s = v->s;

	if (((p->cr3 ^ s->cr3) | (p->cr0 ^ s->cr0) | (p->cr4 ^ s->cr4) | (p->efer ^ s->efer)) ||
	    p->removed != __atomic_load_n(&vmm.pages_removed, __ATOMIC_ACQUIRE) || p->user != guest_is_user(v))
		return false;
	for (unsigned i = 0; i < p->levels; i++)
		if (__atomic_load_n(p->entry[i], __ATOMIC_RELAXED) != p->value[i])
			return false;
	return true;
}

/* The walk, which p is to remember (guest.c). */
uint8_t *guest_path_find(const struct vcpu *v, struct guest_path *p, uint64_t page, enum guest_access access,
			 uint32_t *error);

/*
 * The guest's page at a linear address that is a page's, for this access. p: where this vCPU would have it.
 * NULL: *error is as struct walk_result's, or GUEST_NO_MEMORY. The page is good for as long as the domain
 * lives, and the guest may be changing what is in it.
 */
static inline uint8_t *guest_page(struct vcpu *v, struct guest_path *p, uint64_t page,
				  enum guest_access access, uint32_t *error)
{
	bool is = guest_path_is(p, page, access);
	uint8_t *memory;

	if (is && v->hypercall && p->hypercall == v->hypercall &&
	    p->removed == __atomic_load_n(&vmm.pages_removed, __ATOMIC_ACQUIRE))
		return p->memory;
	memory = is && guest_path_holds(p, v) ? p->memory : guest_path_find(v, p, page, access, error);
	p->hypercall = v->hypercall;
	return memory;
}

#endif
