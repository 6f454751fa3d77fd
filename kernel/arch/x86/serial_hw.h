/* A 16550 serial port, output only, polled. Port numbers are those of its first register. */
#ifndef ARCH_X86_SERIAL_HW_H
#define ARCH_X86_SERIAL_HW_H

#include "types.h"

/* Is there one (its scratch register keeps what is written)? */
bool serial_present(uint16_t port);
/* 8n1 at this speed, FIFOs on, no interrupts. */
void serial_init(uint16_t port, uint32_t baud);
/* Waits until there is room, but not for ever. */
void serial_put(uint16_t port, char c);
/* What the BIOS data area says about the first serial port, if that is one of the usual ports; else 0x3f8.
 * The low memory must be mapped. */
uint16_t serial_bios_port(void);

#endif
