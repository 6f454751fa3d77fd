/* 16550 serial port (PC16550D data sheet, section 8). Called by console.c only. */
#include "arch/x86/serial_hw.h"
#include "arch/x86/cpu_hw.h"

enum {
	SERIAL_DATA = 0,
	SERIAL_IER = 1,
	SERIAL_FCR = 2,
	SERIAL_LCR = 3,
	SERIAL_MCR = 4,
	SERIAL_LSR = 5,
	SERIAL_SCRATCH = 7,
};
enum {
	SERIAL_LCR_8N1 = 3,
	SERIAL_LCR_DIVISOR = 0x80,
	SERIAL_LSR_EMPTY = 0x20,
	SERIAL_MCR_DTR_RTS_OUT2 = 0x0b
};
enum { SERIAL_CLOCK = 115200, SERIAL_PATIENCE = 200000, SERIAL_BDA_COM1 = 0x400 };

bool serial_present(uint16_t port)
{
	cpu_out8((uint16_t)(port + SERIAL_SCRATCH), 0x5a);
	if (cpu_in8((uint16_t)(port + SERIAL_SCRATCH)) != 0x5a)
		return false;
	cpu_out8((uint16_t)(port + SERIAL_SCRATCH), 0xa5);
	return cpu_in8((uint16_t)(port + SERIAL_SCRATCH)) == 0xa5;
}

void serial_init(uint16_t port, uint32_t baud)
{
	uint32_t divisor = SERIAL_CLOCK / baud;

	cpu_out8((uint16_t)(port + SERIAL_IER), 0);
	cpu_out8((uint16_t)(port + SERIAL_LCR), SERIAL_LCR_DIVISOR);
	cpu_out8((uint16_t)(port + SERIAL_DATA), (uint8_t)divisor);
	cpu_out8((uint16_t)(port + SERIAL_IER), (uint8_t)(divisor >> 8));
	cpu_out8((uint16_t)(port + SERIAL_LCR), SERIAL_LCR_8N1);
	cpu_out8((uint16_t)(port + SERIAL_FCR), 0xc7);
	cpu_out8((uint16_t)(port + SERIAL_MCR), SERIAL_MCR_DTR_RTS_OUT2);
}

void serial_put(uint16_t port, char c)
{
	for (unsigned i = 0; i < SERIAL_PATIENCE; i++) {
		if (cpu_in8((uint16_t)(port + SERIAL_LSR)) & SERIAL_LSR_EMPTY)
			break;
		cpu_pause();
	}
	cpu_out8((uint16_t)(port + SERIAL_DATA), (uint8_t)c);
}

uint16_t serial_bios_port(void)
{
	uint16_t port;

	__asm__ volatile("movw (%1), %0" : "=r"(port) : "r"((uint64_t)SERIAL_BDA_COM1));
	return port == 0x2f8 || port == 0x3e8 || port == 0x2e8 ? port : 0x3f8;
}
