/* The first vCPU's state as a toolstack sets it: Xen's HVM CPU record (xen/include/public/arch-x86/hvm/save.h). */
#ifndef LOAD_CPU_RECORD_H
#define LOAD_CPU_RECORD_H

#include <stdbool.h>
#include <stdint.h>
#include "insula/ext.h"

/* Fills all of *s that the record has, and marks it dirty. False: the record is too short to be one. What it says is the domain's own matter: the kernel checks it. */
bool cpu_record_load(struct insula_vcpu_state *s, const uint8_t *record, uint32_t bytes);

/* The other way: what is in *s, all groups of it, the guest's TSC, the event that its next entry delivers (0: none), and the FPU's registers of an XSAVE area in standard form. At least 1040 bytes. */
void cpu_record_save(const struct insula_vcpu_state *s, uint64_t tsc, uint32_t event, uint32_t error, const uint8_t *area, uint8_t *record);
/* The guest's TSC in a record of 1040 bytes. */
uint64_t cpu_record_tsc(const uint8_t *record);
/* The event that the next entry delivers (EVENT_*, abi/insula/exit_reason.h), and its error code; 0: none, or one that no entry delivers. A software interrupt is none: its instruction runs again. */
uint32_t cpu_record_event(const uint8_t *record, uint32_t *error);
/* The FPU's registers that a record of 1040 bytes has, as an area; the initial ones if it has none. */
void cpu_record_fpu(const uint8_t *record, struct insula_vcpu_fpu *area);

/* A component of XSAVE areas beyond x87 and SSE, as CPUID leaf 0xd describes it; size 0: there is none. */
struct xsave_component {
	uint32_t size, offset;
	bool aligned; /* in compacted form, to 64 bytes */
};
#define XSAVE_COMPONENTS 63u
/* An area as the kernel gives it (insula/ext.h), in standard form, with the components of `keep`; what is in its initial state has the initial values, too. xsave: there is XSAVE, else it is FXSAVE's. */
void cpu_record_area(const struct insula_vcpu_fpu *from, const struct xsave_component component[XSAVE_COMPONENTS], bool xsave, uint64_t keep, struct insula_vcpu_fpu *to);

#endif
