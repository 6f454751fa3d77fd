/*
 * Objects by type: sizes, creation at retype, finalisation. The one place that knows all types; each
 * object's own file does the work.
 */
#ifndef OBJECT_OBJECT_H
#define OBJECT_OBJECT_H

#include "cap/cte.h"

/* Can objects of this type be made on this machine? (vCPUs and EPT tables: only with VT-x or SVM.) */
bool object_type_exists(word_t type);
/*
 * log2 of the size of an object of this existing type. user_bits (< 64) counts for Untypeds, CNodes and SCs
 * only.
 */
unsigned object_size_bits(word_t type, unsigned user_bits);
/* Neither frame nor Untyped: the kernel itself reads and writes it, so it is in the window. */
bool object_is_kernel(word_t type);
/* The first capability of an object in this memory, and that of an object of the same kind so many bytes
 * behind. */
cap_t object_cap(word_t type, paddr_t memory, unsigned user_bits, bool device);
cap_t object_cap_behind(cap_t cap, uint64_t bytes);
/* The state in which an object begins, in memory that is zero and in the window. For most it is just zero. */
bool object_has_state(word_t type);
void object_init(word_t type, paddr_t memory, unsigned user_bits);
/* Both. Unless it is a frame or Untyped, the memory is in the window. */
cap_t object_create(word_t type, paddr_t memory, unsigned user_bits, bool device);

/*
 * slot->cap, the last of its object, is about to go: what may take long before object_finalise(), which is
 * short. Threads that wait at an endpoint or notification are restarted; interrupts and timers let go of the
 * notification that they signal. EXC_PREEMPTED: call again; until then the capability gives no right and
 * cannot be copied.
 */
exception_t object_drain(struct cte *slot);

struct finalise_result {
	cap_t remainder; /* null, or a zombie to go on with */
	cap_t cleanup;	 /* an interrupt or port range to be free for issue once the slot is empty, or null */
};
/*
 * slot->cap is about to go; `final`: it is the last of its object. The slot tells who holds a frame that is
 * FRAME_KERNEL: the TCB (4 KiB aligned) or vCPU (16 KiB aligned) in which it lies. `exposed`: it has to be
 * possible at once, so the remainder must not be a zombie.
 */
struct finalise_result object_finalise(struct cte *slot, bool final, bool exposed);
/* After the slot of `cleanup` is empty. */
void object_post_delete(cap_t cleanup);

#endif
