/* The domain manager's operations on this domain's guest-physical memory and grants (proto/domain). 0 or a negative errno, which are Xen's numbers too. */
#ifndef XEN_PHYSMAP_CALL_H
#define XEN_PHYSMAP_CALL_H

#include <stdbool.h>
#include <stdint.h>
#include "proto/domain/domain.h"

struct physmap_foreign {
	uint64_t gfn, from_gfn;
};
/* Page from_gfn of another domain appears at gfn, after the foreign page at *gone is taken out (NULL: none). For the holder of the control capability only. */
int32_t physmap_call_foreign(uint32_t from, const struct physmap_foreign *page, const uint64_t *gone);
/* The same of n pages, at most DOMAIN_FOREIGNS: what became of each. As many at most are taken out before. Of no pages `from` says nothing. */
void physmap_call_foreigns(uint32_t from, const struct physmap_foreign *page, unsigned n, int32_t *error, const uint64_t *gone, unsigned gones);
int64_t physmap_call_remove(uint64_t gfn);
/* n pages at most DOMAIN_PAGES are given back, or wanted again: how many were done. */
unsigned physmap_call_balloon(bool out, const uint64_t *gfn, unsigned n);
/* The page at gfn is there for us from now on; *what: DOMAIN_NEED_*. */
int64_t physmap_call_need(uint64_t gfn, uint64_t *what);
int64_t physmap_call_reservation(uint64_t *pages, uint64_t *most);
/* A frame of the domain's grant table appears at gfn. */
int64_t physmap_call_grant_frame(uint32_t index, uint64_t gfn);
int64_t physmap_call_grant_size(uint32_t *frames, uint32_t *most);
/* n at most DOMAIN_MAPS; what became of each (GNTST_*), and the handles of those that are mapped. */
void physmap_call_grant_map(const struct domain_map *map, unsigned n, int16_t status[DOMAIN_MAPS], uint32_t handle[DOMAIN_MAPS]);
struct physmap_unmap {
	uint64_t gfn, handle;
};
void physmap_call_grant_unmap(const struct physmap_unmap *unmap, unsigned n, int16_t status[DOMAIN_MAPS]);
/* n copies, at most DOMAIN_COPIES; what became of each. */
void physmap_call_grant_copy(const struct domain_copy *copy, unsigned n, int16_t status[DOMAIN_COPIES]);

/* Entries of the memory map that the toolstack has set, from `first` on: how many there are in all, and up to 30 of them. -ENOENT: none was set. */
struct physmap_e820 {
	uint64_t addr, size;
	uint32_t type;
} __attribute__((packed));
int64_t physmap_call_e820(uint32_t first, uint32_t *all, struct physmap_e820 out[30], uint32_t *n);

/* What the domain's CPUID says, as its toolstack has set it. -ENOENT: it has set nothing. */
struct cpu_policy;
int physmap_call_cpu_policy(struct cpu_policy *p);

#endif
