/* Domain 0 as Xen's boot options describe it (xen-command-line: dom0_mem, dom0_max_vcpus). Pure. */
#ifndef MONITOR_DOM0_H
#define MONITOR_DOM0_H

#include <stdbool.h>
#include <stdint.h>
#include "proto/domain/domain.h"

/*
 * Fills memory, vcpus, name and flags of *spec; kernel and ramdisk are the caller's. `free` is the memory that domains can have, in bytes, `cpus` the
 * machine's. dom0_mem=SIZE[,min:SIZE][,max:SIZE] in KiB without suffix; a negative size leaves that much to others. Without it domain 0 gets half of what
 * is free. dom0_max_vcpus=MIN-MAX or MAX. False, and *wrong names the option, when one cannot be understood.
 */
bool dom0_options(const char *line, uint64_t free, uint32_t cpus, struct domain_spec *spec, const char **wrong);

#endif
