/* The first vCPU's state as a toolstack sets it: Xen's HVM CPU record (xen/include/public/arch-x86/hvm/save.h). */
#ifndef LOAD_CPU_RECORD_H
#define LOAD_CPU_RECORD_H

#include <stdbool.h>
#include <stdint.h>
#include "insula/ext.h"

/* Fills all of *s that the record has, and marks it dirty. False: the record is too short to be one. What it says is the domain's own matter: the kernel checks it. */
bool cpu_record_load(struct insula_vcpu_state *s, const uint8_t *record, uint32_t bytes);

#endif
