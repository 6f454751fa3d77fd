/*
 * Second-level tables (EPT objects; NPT format on AMD): mapping frames into guest-physical space. The
 * entry format is the vendor's (arch/x86/virt/virt.h); the walk is one.
 */
#ifndef OBJECT_EPT_H
#define OBJECT_EPT_H

#include "cap/cte.h"

exception_t ept_decode(word_t label, unsigned length, struct cte *slot, cap_t cap); /* EPT paging structures */
exception_t ept_map_frame(unsigned length, struct cte *slot, cap_t frame);          /* X86PageMapEPT */
exception_t ept_derive_frame(unsigned length, struct cte *slot, cap_t frame);       /* InsulaFrameDeriveEPT */
void ept_unmap_frame(cap_t frame);
void ept_finalise(cap_t cap, bool final);

#endif
