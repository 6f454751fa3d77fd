/*
 * The page that the vmms of two domains share for the event channels between them: a bit for each channel and direction. Made by the domain manager; each side
 * writes what it likes, and can only make events of these channels pending.
 *
 * Sender: sets the bit of the channel, then the bit of its word in `summary`; if that was clear, signals the other vmm. Receiver: takes summary by exchange with
 * 0, then each word named there, but leaves the bits of channels that it does not know. A bit stays until it is taken, and while it is there nobody signals: the
 * receiver looks, too, when it hears of a channel's bind or close. The channel of a closed port is nobody else's until the other end's vmm has been told.
 */
#ifndef PROTO_VMM_PAIR_H
#define PROTO_VMM_PAIR_H

#include <stdint.h>

#define VMM_PAIR_CHANNELS 4096u

struct vmm_pair {
	struct {
		uint64_t summary;
		uint64_t reserved[7];
		uint64_t word[VMM_PAIR_CHANNELS / 64];
	} to[2]; /* [0]: to the domain with the lower id */
};
_Static_assert(sizeof(struct vmm_pair) <= 4096, "a page");

#endif
