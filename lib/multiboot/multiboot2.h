/* Multiboot 2 information (specification 2.0, section 3.6). Called by multiboot_decode only. */
#ifndef LIB_MULTIBOOT_MULTIBOOT2_H
#define LIB_MULTIBOOT_MULTIBOOT2_H

#include "multiboot/boot_info_build.h"

enum multiboot_error multiboot2_decode(struct boot_info_build *b, uint64_t info);

#endif
