/*
 * Control hypercalls (domctl, sysctl, platform_op and the operations on other domains) of the domain that holds the control
 * capability: its vmm passes them to the domain manager, which alone knows what they mean.
 *
 * The domain manager does not see guest memory. It asks the vmm to fetch pieces of it, and tells it which to store; the vmm knows
 * nothing of the structures. One hypercall at a time:
 *
 *   vmm: DOMAIN_VMM_HYPERCALL, MR0 CONTROL_BEGIN, MR1 number, MR2..6 the arguments
 *   dm:  MR0 CONTROL_FETCH, MR1 count, then for each piece: guest-virtual address, bytes, offset in the area
 *   vmm: DOMAIN_VMM_HYPERCALL, MR0 CONTROL_FETCHED, when all of them are in the area; CONTROL_FAULT, when one could not be read
 *   ...  as often as the domain manager finds a further pointer in what it was given
 *   dm:  MR0 CONTROL_DONE, MR1 result (0.., a negative errno of Xen's, or CONTROL_RETRY: the vmm begins anew, soon), MR2 count of pieces to be stored, described as above
 *   vmm: stores them in their order; -EFAULT for its guest if one cannot be written
 *
 * The area is memory of the domain manager's that the vmm has mapped too. Each side copies what the other wrote before it looks at it.
 * A guest that lies about its addresses reads and writes only itself.
 */
#ifndef PROTO_CONTROL_H
#define PROTO_CONTROL_H

#include <stdint.h>

#define CONTROL_AREA_BYTES (256u << 10)
#define CONTROL_PIECES	   32u /* in one message at most */

enum control_step {
	CONTROL_BEGIN = 0,
	CONTROL_FETCHED = 1,
	CONTROL_FAULT = 2,
	CONTROL_FETCH = 3,
	CONTROL_DONE = 4,
};

#define CONTROL_RETRY (INT64_MIN + 1)

struct control_piece {
	uint64_t address; /* guest-virtual */
	uint32_t bytes;
	uint32_t offset; /* in the area; offset + bytes <= CONTROL_AREA_BYTES */
};

#endif
