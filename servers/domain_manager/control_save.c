/* See control_save.h. */
#include "servers/domain_manager/control_save.h"

#include <string.h>
#include "proto/control/control.h"
#include "servers/domain_manager/domain.h"
#include <xen/errno.h>

#define BATCH_MAX   1024u /* pages in one call, as Xen has it */
#define BITMAP_MAX  (CONTROL_AREA_BYTES - 8192u) /* bytes: beside it there is what the call itself is about */

/* ---- what is where ---- */

/* A page of memory that another may map: one that is populated on demand is, when it is looked at. */
static bool has_page(const struct domain *d, uint64_t gfn)
{
	enum p2m_kind kind = p2m_get(&d->map.p2m, gfn).kind;

	return kind == P2M_RAM || kind == P2M_POD;
}

int64_t save_page_types(struct control *c, const struct domain *d, const struct xen_domctl_getpageframeinfo3 *p)
{
	static xen_pfn_t type[BATCH_MAX];
	const xen_pfn_t *gfn;

	if (p->num > BATCH_MAX)
		return -XEN_E2BIG;
	gfn = control_in(c, (uint64_t)(uintptr_t)p->array.p, (uint32_t)(p->num * sizeof(*gfn)));
	if (!gfn)
		return CONTROL_AGAIN;
	for (uint64_t i = 0; i < p->num; i++)
		type[i] = gfn[i] < P2M_GFN_LIMIT && has_page(d, gfn[i]) ? XEN_DOMCTL_PFINFO_NOTAB : XEN_DOMCTL_PFINFO_XTAB;
	control_out(c, (uint64_t)(uintptr_t)p->array.p, type, (uint32_t)(p->num * sizeof(type[0])));
	return 0;
}

/* ---- what was written ---- */

/*
 * No page of a domain that runs is write-protected: each that it has may have been written since it was looked at last, and is dirty in every round. A migration's last
 * round is of a suspended domain, and right.
 */
static int64_t dirty(struct control *c, const struct domain *d, struct xen_domctl_shadow_op *o)
{
	static uint8_t map[BITMAP_MAX];
	uint64_t gfn = 0, count = 0;

	if (!d->log_dirty || o->mode & ~(uint32_t)XEN_DOMCTL_SHADOW_LOGDIRTY_FINAL)
		return -XEN_EINVAL;
	if (o->pages > BITMAP_MAX * 8)
		return -XEN_ENOMEM;
	memset(map, 0, sizeof(map));
	for (; p2m_next(&d->map.p2m, gfn, &gfn) && gfn < o->pages; gfn++)
		if (has_page(d, gfn)) {
			map[gfn / 8] = (uint8_t)(map[gfn / 8] | 1u << gfn % 8);
			count++;
		}
	o->stats = (struct xen_domctl_shadow_op_stats){.dirty_count = (uint32_t)count};
	if (o->dirty_bitmap.p)
		control_out(c, (uint64_t)(uintptr_t)o->dirty_bitmap.p, map, (uint32_t)((o->pages + 7) / 8));
	return 0;
}

static int64_t log_dirty(struct domain *d)
{
	if (d->log_dirty)
		return -XEN_EINVAL;
	d->log_dirty = true;
	return 0;
}

int64_t save_shadow_op(struct control *c, struct domain *d, struct xen_domctl_shadow_op *o)
{
	if (!d->bare)
		return -XEN_EINVAL;
	switch (o->op) {
	case XEN_DOMCTL_SHADOW_OP_OFF:
		d->log_dirty = false;
		return 0;
	case XEN_DOMCTL_SHADOW_OP_ENABLE:
		return o->mode == XEN_DOMCTL_SHADOW_ENABLE_LOG_DIRTY ? log_dirty(d) : -XEN_EINVAL;
	case XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY:
		return log_dirty(d);
	case XEN_DOMCTL_SHADOW_OP_CLEAN:
	case XEN_DOMCTL_SHADOW_OP_PEEK:
		return dirty(c, d, o);
	case XEN_DOMCTL_SHADOW_OP_GET_ALLOCATION:
		o->mb = (uint32_t)((d->mempool_bytes + (1u << 20) - 1) >> 20); /* rounded up, as Xen's */
		return 0;
	default:
		return -XEN_EINVAL;
	}
}

/* ---- going on ---- */

int64_t save_resume(struct domain *d)
{
	if (!d->bare)
		return -XEN_EINVAL;
	if (d->dying)
		return -XEN_ESRCH;
	if (!d->ended)
		return 0;
	if (d->stopped)
		return -XEN_EBUSY;
	domain_resume(d);
	return 0;
}
