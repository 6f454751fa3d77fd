/*
 * The kernel's console: a serial port, and VGA text or a framebuffer. Everything that kprintf and
 * DebugPutChar say goes to both and into a ring that keeps the last CONSOLE_LOG bytes. Works from the first
 * line of C on: first on COM1 only. Nothing here may fail or wait without a bound; no input.
 */
#ifndef ARCH_X86_CONSOLE_H
#define ARCH_X86_CONSOLE_H

#include "types.h"
#include "multiboot/boot_info.h"

enum { CONSOLE_LOG = 8192 };

/*
 * Boot, while the low 4 GiB are mapped: chooses by the command line (`console_port=`, `debug_port=`, `com1=`,
 * `com2=`, `console=`) and the screen that the boot loader reported, and repeats what was said before. fb is
 * copied. May be called again.
 */
void console_init(const char *cmdline, const struct boot_info_fb *fb);
/* Boot, as soon as kmap_device works: the screen through it. Between the end of the low mapping and this call
 * the screen is left alone. */
void console_map(void);
/* A device frame was mapped into an address space. If it shows the screen, that belongs to a server from now on: only a panic is still
 * shown there by the kernel. */
void console_device_mapped(uint64_t start, uint64_t size);
/* A panic or boot_stop: every console, whoever has it. */
void console_force(void);

#endif
