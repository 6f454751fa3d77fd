/* Guest RAM of a domain: Untypeds of its account made into frames, copied to its vmm. */
#ifndef DOMAIN_MANAGER_RAM_H
#define DOMAIN_MANAGER_RAM_H

#include "servers/domain_manager/domain.h"

/* How RAM of a given size lies in guest-physical space and in Untypeds: pieces by descending size, so that each is aligned. Pure. */
struct ram_piece {
	uint64_t gpa;
	unsigned size_bits;
};
#define RAM_LOW_END  0xf0000000ull /* as libxl's: the rest begins at 4 GiB */
#define RAM_HIGH_GPA (1ull << 32)
/* Number of pieces for `bytes` (a multiple of 1 MiB), or -E2BIG. */
int ram_plan(uint64_t bytes, struct ram_piece piece[DOMAIN_PIECES]);

unsigned ram_frame_bits(unsigned size_bits, bool huge);
/* Frames in total. */
uint32_t ram_frames(const struct ram_piece *piece, int count, bool huge);

/*
 * Allocates and retypes; frames go to the domain's RAM CNode, copies to the vmm's CNode from `vmm_slot` on; fills start->extent.
 * 0 or a negative errno; what was made goes with the account.
 */
int ram_build(struct domain *d, const struct ram_piece *piece, int count, bool huge, uint32_t vmm_cnode, uint32_t vmm_slot,
	      struct vmm_start *start);

#endif
