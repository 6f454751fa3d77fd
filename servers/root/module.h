/*
 * Boot modules. Their memory comes from the boot loader at any address; at the start each is moved to frames of its own, as large as can be,
 * so that mapping one costs little; the old memory becomes ordinary RAM.
 */
#ifndef ROOT_MODULE_H
#define ROOT_MODULE_H

#include <stdbool.h>
#include <stdint.h>
#include "cmdline/cmdline.h"
#include "servers/root/bootinfo.h"
#include "servers/root/task.h"

#define MODULE_ARGS 768u

struct module {
	char name[CMDLINE_NAME];
	char args[MODULE_ARGS];
	uint64_t bytes;
	seL4_CPtr frames; /* CNode: large ones first, then small ones; 0: there was no memory */
	unsigned radix;
	uint32_t large, small;
};

/* Maps the servers' archive, the first module of that name, into root; *bytes of it. NULL: there is none, or no memory. */
const uint8_t *module_archive(const struct bootinfo *b, uint64_t *bytes);
/* Takes all other modules. A line for each that cannot be taken. */
void module_begin(const struct bootinfo *b);

uint32_t module_count(void);
/* NULL past the last. */
const struct module *module_get(uint64_t n);
/* Memory of all of them. */
uint64_t module_bytes(void);

/* Maps one read-only, not executable, as the task's next. 0, -ENOMEM, -EINVAL. */
int module_map(struct task *t, const struct module *m);

#endif
