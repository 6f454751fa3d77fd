/* Devices for root and its servers: physical memory by address, I/O ports, interrupts of ISA devices. */
#ifndef ROOT_DEVICE_H
#define ROOT_DEVICE_H

#include <stdbool.h>
#include <stdint.h>
#include "acpi/acpi.h"
#include "mem/reader.h"
#include "servers/root/task.h"

/* Reads device memory (the firmware's tables) through a window. */
extern const struct mem_reader device_reader;

/* A capability in root's slot for ports [first, last], or for more around them; 0: there is none. Issued once. */
seL4_CPtr device_ports(uint16_t first, uint16_t last);
/* Gives them to a task. Root keeps its own. */
bool device_give_ports(struct task *t, seL4_CPtr to, uint16_t first, uint16_t last);
/* The handler of an ISA interrupt, by the MADT's overrides. */
bool device_give_irq(struct task *t, seL4_CPtr to, const struct acpi_madt *madt, uint8_t isa_irq);
/* Maps device memory [paddr, paddr + bytes) in a task at vaddr + (paddr modulo 2 MiB): read-write, with these attributes. */
bool device_map(struct task *t, uint64_t vaddr, uint64_t paddr, uint64_t bytes, seL4_Word attributes);

#endif
