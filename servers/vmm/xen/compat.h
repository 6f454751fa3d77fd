/*
 * The 32-bit ABI's structures (Xen's "compat" ones): those of the public headers whose layout is another with pointers, xen_ulong_t and xen_pfn_t of
 * 32 bits and 64-bit numbers at multiples of 4. Pure: which bytes of one become which of the other. Pointers and numbers gain zeros on
 * the way in and lose their upper half on the way out.
 */
#ifndef XEN_COMPAT_H
#define XEN_COMPAT_H

#include <stdint.h>

/* The same member in both. */
struct compat_field {
	uint8_t native, native_bytes;
	uint8_t compat, compat_bytes; /* no more than native_bytes */
};

#define COMPAT_FIELDS 8u
#define COMPAT_BYTES  48u /* no structure has more */
struct compat_layout {
	uint8_t native_bytes, compat_bytes;
	uint8_t fields;
	struct compat_field field[COMPAT_FIELDS];
};

extern const struct compat_layout compat_add_to_physmap;	  /* memory.h: xen_add_to_physmap */
extern const struct compat_layout compat_add_to_physmap_batch;	  /* xen_add_to_physmap_batch */
extern const struct compat_layout compat_remove_from_physmap;	  /* xen_remove_from_physmap */
extern const struct compat_layout compat_memory_reservation;	  /* xen_memory_reservation */
extern const struct compat_layout compat_memory_map;		  /* xen_memory_map */
extern const struct compat_layout compat_gnttab_setup_table;	  /* grant_table.h */
extern const struct compat_layout compat_gnttab_copy;
extern const struct compat_layout compat_sched_poll;		  /* sched.h */
extern const struct compat_layout compat_set_singleshot_timer;	  /* vcpu.h: vcpu_set_singleshot_timer */
extern const struct compat_layout compat_register_runstate_area; /* vcpu_register_runstate_memory_area */
extern const struct compat_layout compat_register_time_area;	  /* vcpu_register_time_memory_area */
extern const struct compat_layout compat_runstate_info;		  /* vcpu_runstate_info */
extern const struct compat_layout compat_platform_parameters;	  /* version.h: xen_platform_parameters */

/* from: l->compat_bytes; to: l->native_bytes, of which all are written: zeros where there is no member. */
void compat_to_native(const struct compat_layout *l, const void *from, void *to);
/* from: l->native_bytes; to: l->compat_bytes, zeros where there is no member. */
void compat_from_native(const struct compat_layout *l, const void *from, void *to);
/* Where the member is that begins at `native` of the native structure. There must be one. */
uint32_t compat_offset(const struct compat_layout *l, uint32_t native);

#endif
