/*
 * Control hypercalls of domain 0: guest memory fetched and stored through its vmm (proto/control/control.h), and the table of handlers.
 *
 * A handler is run again from its beginning whenever a piece that it asked for has come: it must ask for everything that it needs
 * before it changes anything, and it finds the same pieces in the same order. control_in() says NULL when one is not there yet, and the handler
 * returns CONTROL_AGAIN. What it found is a private copy, which does not change.
 */
#ifndef DOMAIN_MANAGER_CONTROL_H
#define DOMAIN_MANAGER_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#define CONTROL_AGAIN INT64_MIN /* no result: a piece is to be fetched first */

struct control;

/* The next piece, [address, address + bytes) of the guest. NULL: not there yet, or too large for the area (then the call ends with -EINVAL). */
const void *control_in(struct control *c, uint64_t address, uint32_t bytes);
/* `bytes` at `from` are to be stored at the guest's `address` when the call is done. What does not fit into the area ends it with -EINVAL. */
void control_out(struct control *c, uint64_t address, const void *from, uint32_t bytes);

/* Each of these is one hypercall, with its arguments as the guest's registers had them. Result: what the guest gets, or CONTROL_AGAIN. */
int64_t control_sysctl(struct control *c, const uint64_t arg[5]);
int64_t control_domctl(struct control *c, const uint64_t arg[5]);
int64_t control_platform_op(struct control *c, const uint64_t arg[5]);
int64_t control_memory_op(struct control *c, const uint64_t arg[5]);
int64_t control_hvm_op(struct control *c, const uint64_t arg[5]);
int64_t control_event_channel_op(struct control *c, const uint64_t arg[5]);
int64_t control_xen_version(struct control *c, const uint64_t arg[5]);

/* A debug key was pressed; one that means nothing does nothing. */
void control_key(char key);

/* The area's frames: made once. Returns the first of CONTROL_AREA_BYTES / 4096 slots, or 0. */
uint32_t control_area_slot(void);
/* A DOMAIN_VMM_HYPERCALL message. Returns the label's result; reply and its length are filled. */
int control_message(const uint64_t *m, unsigned length, uint64_t *reply, unsigned *reply_length);

#endif
