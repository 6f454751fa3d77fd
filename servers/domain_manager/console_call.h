/* The console's service (proto/console/console.h) as functions: 0 or a negative errno. */
#ifndef DOMAIN_MANAGER_CONSOLE_CALL_H
#define DOMAIN_MANAGER_CONSOLE_CALL_H

#include <stdint.h>

struct vmm_control;

/*
 * A ring for `name`. `signal` is our slot with the notification that the console signals; the ring's frame is put into
 * `frame`, the notification to signal the console with into `notify` (both our slots, empty).
 */
int console_open(const char *name, uint32_t kind, uint32_t domain, uint32_t signal, uint32_t frame, uint32_t notify, uint32_t *client);
int console_close(uint32_t client);
int console_focus(uint32_t client);

/* A page of our own memory for struct vmm_control, and the slot of its frame; NULL if there is no memory. */
struct vmm_control *control_page(uint32_t *slot);

/* Up to max bytes of Insula's log from *position on, or from the oldest that is kept, which *position then is (proto/console/console.h); *n says how many. */
int console_log_read(uint32_t *position, char *text, uint32_t max, uint32_t *n);

#endif
