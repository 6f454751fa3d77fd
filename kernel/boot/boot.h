/*
 * Start-up: from the boot loader's entry to the first thread. boot_main runs once, on the boot
 * CPU, with the image mapped at KERNEL_BASE + offset and the low 4 GiB mapped identically for its own use only.
 */
#ifndef BOOT_BOOT_H
#define BOOT_BOOT_H

#include "types.h"

/* Called by kernel/boot/start.S in 64-bit mode. magic, info: as the loader gave them; load_base: where the image lies. */
NORETURN void boot_main(uint32_t magic, uint32_t info, uint64_t load_base);

#endif
