/* QEMU's edu device (1234:11e8): it raises an interrupt when it is told to. Its registers are mapped, its
 * configuration space is used by ports. */
#ifndef EDU_H
#define EDU_H

#include "roottask/conformance/conformance.h"

struct edu {
	seL4_CPtr ports;
	seL4_Word bus, device;
	seL4_Word msi; /* offset of its message capability */
	volatile uint32_t *registers;
};

/* False: the machine has none. */
bool edu_find(struct edu *e);
/* Its interrupts are messages of this address and data from now on. */
void edu_message(const struct edu *e, uint32_t address, uint32_t data);
/* Raises and forgets. */
void edu_raise(const struct edu *e);
void edu_end(struct edu *e);

#endif
