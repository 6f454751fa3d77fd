/*
 * A client's end of the console server's rings (proto/console/console.h). One thread per struct, or a lock around.
 */
#ifndef USER_CONSOLE_CLIENT_H
#define USER_CONSOLE_CLIENT_H

#include <stdint.h>
#include "proto/console/console.h"
#include "ring/ring.h"
#include "sel4/types.h"

struct console_client {
	uint32_t number;
	seL4_CPtr frame;  /* of the shared page */
	seL4_CPtr notify; /* signals the console after output */
	struct ring out, in;
};

/*
 * Opens a ring at the console (TASK_SLOT_CONSOLE) and maps it at vaddr. `signal`: our slot with a notification capability (send) that the
 * console signals when input came or output drained; 0: none. 0 or a negative errno.
 */
int console_client_open(struct console_client *c, const char *name, enum console_kind kind, uint32_t domain, seL4_CPtr signal,
			uint64_t vaddr);

/* Writes all of it, yielding while the ring is full. */
void console_client_write_all(struct console_client *c, const char *text, uint32_t n);

#endif
