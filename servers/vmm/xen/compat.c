#include "servers/vmm/xen/compat.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <xen/grant_table.h>
#include <xen/memory.h>
#include <xen/sched.h>
#include <xen/vcpu.h>
#include <xen/version.h>
#include <xen/xen.h>

/* The public headers' members in their order, as a 32-bit compiler lays them out. */
struct add_to_physmap_32 {
	domid_t domid;
	uint16_t size;
	uint32_t space, idx, gpfn;
};
struct add_to_physmap_batch_32 {
	domid_t domid;
	uint16_t space, size, u;
	uint32_t idxs, gpfns, errs;
};
struct remove_from_physmap_32 {
	domid_t domid;
	uint32_t gpfn;
};
struct memory_reservation_32 {
	uint32_t extent_start, nr_extents, extent_order, mem_flags;
	domid_t domid;
};
struct memory_map_32 {
	uint32_t nr_entries, buffer;
};
struct gnttab_setup_table_32 {
	domid_t dom;
	uint32_t nr_frames;
	int16_t status;
	uint32_t frame_list;
};
struct gnttab_copy_side_32 {
	uint32_t u;
	domid_t domid;
	uint16_t offset;
};
struct gnttab_copy_32 {
	struct gnttab_copy_side_32 source, dest;
	uint16_t len, flags;
	int16_t status;
};
struct sched_poll_32 {
	uint32_t ports, nr_ports;
	uint32_t timeout[2];
};
struct set_singleshot_timer_32 {
	uint32_t timeout_abs_ns[2];
	uint32_t flags;
};
/* Their union has a pointer, which counts, and 64 bits, which make it so long. */
struct register_area_32 {
	uint32_t addr, upper;
};
struct runstate_info_32 {
	int32_t state;
	uint32_t state_entry_time[2];
	uint32_t time[4][2];
};
struct platform_parameters_32 {
	uint32_t virt_start;
};

_Static_assert(sizeof(struct add_to_physmap_32) == 16 && sizeof(struct add_to_physmap_batch_32) == 20 && sizeof(struct remove_from_physmap_32) == 8 &&
		       sizeof(struct memory_reservation_32) == 20 && sizeof(struct memory_map_32) == 8,
	       "memory.h of a 32-bit guest");
_Static_assert(sizeof(struct gnttab_setup_table_32) == 16 && sizeof(struct gnttab_copy_32) == 24,
	       "grant_table.h of a 32-bit guest");
_Static_assert(sizeof(struct sched_poll_32) == 16 && sizeof(struct set_singleshot_timer_32) == 12 && sizeof(struct register_area_32) == 8 &&
		       sizeof(struct runstate_info_32) == 44,
	       "sched.h and vcpu.h of a 32-bit guest");
/* What has one layout in both, and is in no table here. */
_Static_assert(sizeof(struct gnttab_map_grant_ref) == 32 && sizeof(struct gnttab_unmap_grant_ref) == 24 && sizeof(struct gnttab_query_size) == 16,
	       "grant_table.h");

#define FIELD(n, c, m)                                                                                                 \
	{                                                                                                              \
		offsetof(n, m), sizeof(((n *)0)->m), offsetof(c, m), sizeof(((c *)0)->m)                               \
	}
#define LAYOUT(n, c, count) .native_bytes = sizeof(n), .compat_bytes = sizeof(c), .fields = (count)

#define N struct xen_add_to_physmap
#define C struct add_to_physmap_32
const struct compat_layout compat_add_to_physmap = {
	LAYOUT(N, C, 5), {FIELD(N, C, domid), FIELD(N, C, size), FIELD(N, C, space), FIELD(N, C, idx), FIELD(N, C, gpfn)}};
#undef N
#undef C

#define N struct xen_add_to_physmap_batch
#define C struct add_to_physmap_batch_32
const struct compat_layout compat_add_to_physmap_batch = {
	LAYOUT(N, C, 7),
	{FIELD(N, C, domid), FIELD(N, C, space), FIELD(N, C, size), FIELD(N, C, u), FIELD(N, C, idxs), FIELD(N, C, gpfns), FIELD(N, C, errs)}};
#undef N
#undef C

#define N struct xen_remove_from_physmap
#define C struct remove_from_physmap_32
const struct compat_layout compat_remove_from_physmap = {LAYOUT(N, C, 2), {FIELD(N, C, domid), FIELD(N, C, gpfn)}};
#undef N
#undef C

#define N struct xen_memory_reservation
#define C struct memory_reservation_32
const struct compat_layout compat_memory_reservation = {
	LAYOUT(N, C, 5), {FIELD(N, C, extent_start), FIELD(N, C, nr_extents), FIELD(N, C, extent_order), FIELD(N, C, mem_flags), FIELD(N, C, domid)}};
#undef N
#undef C

#define N struct xen_memory_map
#define C struct memory_map_32
const struct compat_layout compat_memory_map = {LAYOUT(N, C, 2), {FIELD(N, C, nr_entries), FIELD(N, C, buffer)}};
#undef N
#undef C

#define N struct gnttab_setup_table
#define C struct gnttab_setup_table_32
const struct compat_layout compat_gnttab_setup_table = {
	LAYOUT(N, C, 4), {FIELD(N, C, dom), FIELD(N, C, nr_frames), FIELD(N, C, status), FIELD(N, C, frame_list)}};
#undef N
#undef C

/* A reference is the lower half of its union in both. */
#define N struct gnttab_copy
#define C struct gnttab_copy_32
const struct compat_layout compat_gnttab_copy = {LAYOUT(N, C, 8),
						 {FIELD(N, C, source.u), FIELD(N, C, source.domid), FIELD(N, C, source.offset), FIELD(N, C, dest.u),
						  FIELD(N, C, dest.domid), FIELD(N, C, dest.offset),
						  {offsetof(N, len), 4, offsetof(C, len), 4}, /* and flags */
						  FIELD(N, C, status)}};
#undef N
#undef C

#define N struct sched_poll
#define C struct sched_poll_32
const struct compat_layout compat_sched_poll = {LAYOUT(N, C, 3), {FIELD(N, C, ports), FIELD(N, C, nr_ports), FIELD(N, C, timeout)}};
#undef N
#undef C

#define N struct vcpu_set_singleshot_timer
#define C struct set_singleshot_timer_32
const struct compat_layout compat_set_singleshot_timer = {LAYOUT(N, C, 2), {FIELD(N, C, timeout_abs_ns), FIELD(N, C, flags)}};
#undef N
#undef C

#define C struct register_area_32
const struct compat_layout compat_register_runstate_area = {LAYOUT(struct vcpu_register_runstate_memory_area, C, 1),
							    {FIELD(struct vcpu_register_runstate_memory_area, C, addr)}};
const struct compat_layout compat_register_time_area = {LAYOUT(struct vcpu_register_time_memory_area, C, 1),
							{FIELD(struct vcpu_register_time_memory_area, C, addr)}};
#undef C

#define N struct vcpu_runstate_info
#define C struct runstate_info_32
const struct compat_layout compat_runstate_info = {LAYOUT(N, C, 3), {FIELD(N, C, state), FIELD(N, C, state_entry_time), FIELD(N, C, time)}};
#undef N
#undef C

const struct compat_layout compat_platform_parameters = {LAYOUT(struct xen_platform_parameters, struct platform_parameters_32, 1),
							 {FIELD(struct xen_platform_parameters, struct platform_parameters_32, virt_start)}};

void compat_to_native(const struct compat_layout *l, const void *from, void *to)
{
	memset(to, 0, l->native_bytes);
	for (unsigned i = 0; i < l->fields; i++)
		memcpy((uint8_t *)to + l->field[i].native, (const uint8_t *)from + l->field[i].compat, l->field[i].compat_bytes);
}

void compat_from_native(const struct compat_layout *l, const void *from, void *to)
{
	memset(to, 0, l->compat_bytes);
	for (unsigned i = 0; i < l->fields; i++)
		memcpy((uint8_t *)to + l->field[i].compat, (const uint8_t *)from + l->field[i].native, l->field[i].compat_bytes);
}

uint32_t compat_offset(const struct compat_layout *l, uint32_t native)
{
	for (unsigned i = 0; i < l->fields; i++)
		if (l->field[i].native == native)
			return l->field[i].compat;
	abort();
}
