/* The first vCPU's state as a toolstack sets it: Xen's HVM CPU record (xen/include/public/arch-x86/hvm/save.h). */
#ifndef LOAD_CPU_RECORD_H
#define LOAD_CPU_RECORD_H

#include <stdbool.h>
#include <stdint.h>
#include "insula/ext.h"

/* Fills all of *s that the record has, and marks it dirty. False: the record is too short to be one. What it says is the domain's own matter: the kernel checks it. */
bool cpu_record_load(struct insula_vcpu_state *s, const uint8_t *record, uint32_t bytes);

/* The other way: what is in *s, all groups of it, the guest's TSC, and the event that its next entry delivers (0: none). The FPU's registers are not in the state page: the record says that it has none. At least 1040 bytes. */
void cpu_record_save(const struct insula_vcpu_state *s, uint64_t tsc, uint32_t event, uint32_t error, uint8_t *record);

#endif
