/* Between entry.S and main.c. */
#ifndef ROOT_BOOT_H
#define ROOT_BOOT_H

#include "sel4/bootinfo.h"

/* On root's stack, before anything else. */
_Noreturn void boot_start(const seL4_BootInfo *bi);

#endif
