/* Multiboot 1 information (specification 0.6.96, section 3.3). Called by multiboot_decode only. */
#ifndef LIB_MULTIBOOT_MULTIBOOT1_H
#define LIB_MULTIBOOT_MULTIBOOT1_H

#include "multiboot/boot_info_build.h"

enum multiboot_error multiboot1_decode(struct boot_info_build *b, uint64_t info);

#endif
