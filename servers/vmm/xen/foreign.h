/*
 * Pages of other domains in this one's memory, which only the holder of the control capability has. They are mapped by as many in a call of the domain
 * manager as its message holds. A guest takes them out one by one: what this file has mapped itself is taken out by as many in a call, at the latest
 * before anything else that the guest asks of its vmm. Until then the guest can use what it has given up, which harms nobody but itself: it had
 * chosen to map it. All threads of the vmm may call these.
 */
#ifndef XEN_FOREIGN_H
#define XEN_FOREIGN_H

#include <stdint.h>
#include "servers/vmm/xen/physmap_call.h"

/* After control_init. */
void foreign_init(void);
/* n pages of the domain `from`, at most DOMAIN_FOREIGNS, appear at places where nothing is: what became of each, 0 or a negative errno. */
void foreign_map(uint32_t from, const struct physmap_foreign *page, unsigned n, int32_t *error);
/* 0, also where it is put off; a negative errno: there is no page of another domain. */
int64_t foreign_remove(uint64_t gfn);
/* What was put off is done. */
void foreign_settle(void);

#endif
