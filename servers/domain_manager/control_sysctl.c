/*
 * sysctl (xen/include/public/sysctl.h): what domain 0 may ask about and do to the machine. One physical socket without NUMA, one CPU
 * pool with the credit2 scheduler is what the tools see.
 */
#include "servers/domain_manager/control.h"

#include <stddef.h>
#include <string.h>
#include "proto/root/root.h"
#include "servers/domain_manager/console_call.h"
#include "servers/domain_manager/control_policy.h"
#include "servers/domain_manager/domain.h"
#include "servers/domain_manager/domain_xen.h"
#include "servers/domain_manager/page_store.h"
#include "user/env.h"
#include <xen/errno.h>
#include <xen/domctl.h>
#include <xen/sysctl.h>
#include <xen/xen.h>

#define LIST_MAX    512u  /* domains in one answer: they fit into the area */
#define CPUS_MAX    256u
#define KEYS_MAX    64u /* in one call */
#define LOG_FAR	    (1u << 30) /* much more than the log keeps: positions are compared modulo 2^32 */
#define POOL	    0u
#define DISTANCE    10u /* of a node to itself (ACPI's SLIT) */
#define CAPS_SYSCTL (XEN_SYSCTL_PHYSCAP_hvm | XEN_SYSCTL_PHYSCAP_hap | XEN_SYSCTL_PHYSCAP_gnttab_v1)

/* Parts of a sysctl that are written back. */
#define BACK(c, arg, s, member)                                                                                        \
	control_out(c, (arg) + offsetof(struct xen_sysctl, u.member), &(s)->u.member, sizeof((s)->u.member))

static int64_t physinfo(struct xen_sysctl_physinfo *p)
{
	uint64_t info[ROOT_INFO_WORDS];

	if (page_store_info(info))
		return -XEN_EIO;
	memset(p, 0, sizeof(*p));
	p->threads_per_core = 1;
	p->nr_cpus = env_get()->cpu_count;
	p->cores_per_socket = p->nr_cpus;
	p->max_cpu_id = p->nr_cpus - 1;
	p->nr_nodes = 1;
	p->cpu_khz = (uint32_t)(env_get()->tsc_hz / 1000);
	p->capabilities = CAPS_SYSCTL;
	p->total_pages = info[ROOT_INFO_TOTAL] >> 12;
	/* claims are of memory that is still free */
	for (struct domain *d = domain_next(0); d; d = domain_next(d->id + 1))
		p->outstanding_pages += d->map.claim;
	p->free_pages = (info[ROOT_INFO_FREE] >> 12) + p->outstanding_pages;
	p->max_mfn = (info[ROOT_INFO_TOTAL] >> 12) - 1;
	policy_hw_cap(p->hw_cap, sizeof(p->hw_cap) / sizeof(p->hw_cap[0]));
	return 0;
}

static int64_t list(struct control *c, struct xen_sysctl_getdomaininfolist *l)
{
	static xen_domctl_getdomaininfo_t all[LIST_MAX];
	uint32_t n = 0, max = l->max_domains < LIST_MAX ? l->max_domains : LIST_MAX;
	struct domain *d;

	for (uint32_t from = l->first_domain; n < max && (d = domain_next(from)) != NULL; from = d->id + 1)
		domain_xen_info(d, &all[n++]);
	control_out(c, (uint64_t)(uintptr_t)l->buffer.p, all, n * (uint32_t)sizeof(all[0]));
	l->num_domains = n;
	return 0;
}

/* Insula's log is what Xen's console ring is. Cleared: read, and not shown again; the monitor's `log` still has it. */
static int64_t console(struct control *c, struct xen_sysctl_readconsole *r)
{
	static char text[16384];
	static uint32_t cleared; /* a position */
	uint32_t from = cleared, n = 0, max = r->count < sizeof(text) ? r->count : (uint32_t)sizeof(text);

	if (r->incremental && (int32_t)(r->index - cleared) > 0)
		from = r->index;
	if (console_log_read(&from, text, max, &n))
		return -XEN_EIO;
	if (r->clear)
		cleared = from + n;
	else if (from - cleared > LOG_FAR)
		cleared = from - LOG_FAR / 2;
	control_out(c, (uint64_t)(uintptr_t)r->buffer.p, text, n);
	r->count = n;
	r->index = from + n;
	return 0;
}

static int64_t topology(struct control *c, struct xen_sysctl_cputopoinfo *t)
{
	xen_sysctl_cputopo_t cpu[CPUS_MAX];
	uint32_t n = env_get()->cpu_count < CPUS_MAX ? env_get()->cpu_count : CPUS_MAX;

	if (t->cputopo.p) {
		n = t->num_cpus < n ? t->num_cpus : n;
		for (uint32_t i = 0; i < n; i++)
			cpu[i] = (xen_sysctl_cputopo_t){.core = i, .socket = 0, .node = 0};
		control_out(c, (uint64_t)(uintptr_t)t->cputopo.p, cpu, n * (uint32_t)sizeof(cpu[0]));
	}
	t->num_cpus = n; /* how many were told, or would be */
	return 0;
}

static int64_t numa(struct control *c, struct xen_sysctl_numainfo *a)
{
	uint64_t info[ROOT_INFO_WORDS];
	const uint32_t distance = DISTANCE;
	xen_sysctl_meminfo_t m;

	if (page_store_info(info))
		return -XEN_EIO;
	m = (xen_sysctl_meminfo_t){.memsize = info[ROOT_INFO_TOTAL], .memfree = info[ROOT_INFO_FREE]};
	if (a->num_nodes && a->meminfo.p)
		control_out(c, (uint64_t)(uintptr_t)a->meminfo.p, &m, sizeof(m));
	if (a->num_nodes && a->distance.p)
		control_out(c, (uint64_t)(uintptr_t)a->distance.p, &distance, sizeof(distance));
	if (a->num_nodes || (!a->meminfo.p && !a->distance.p))
		a->num_nodes = 1;
	return 0;
}

static uint32_t cpus_bitmap(uint8_t *map, uint32_t bits)
{
	uint32_t n = env_get()->cpu_count < bits ? env_get()->cpu_count : bits;

	memset(map, 0, CPUS_MAX / 8);
	for (uint32_t i = 0; i < n && i < CPUS_MAX; i++)
		map[i / 8] = (uint8_t)(map[i / 8] | 1u << (i % 8));
	return ((bits < CPUS_MAX ? bits : CPUS_MAX) + 7) / 8;
}

static int64_t pool(struct control *c, struct xen_sysctl_cpupool_op *p)
{
	uint8_t map[CPUS_MAX / 8];
	uint32_t bytes = cpus_bitmap(map, p->cpumap.nr_bits);

	switch (p->op) {
	case XEN_SYSCTL_CPUPOOL_OP_INFO:
		/* "this one or the next": there is none behind the first */
		if (p->cpupool_id != POOL)
			return -XEN_ENOENT;
		p->sched_id = XEN_SCHEDULER_CREDIT2;
		p->n_dom = domain_count();
		control_out(c, (uint64_t)(uintptr_t)p->cpumap.bitmap.p, map, bytes);
		return 0;
	case XEN_SYSCTL_CPUPOOL_OP_FREEINFO:
		memset(map, 0, sizeof(map));
		control_out(c, (uint64_t)(uintptr_t)p->cpumap.bitmap.p, map, bytes);
		return 0;
	case XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN: {
		const struct domain *d = domain_find(p->domid);

		if (!d)
			return -XEN_ESRCH;
		if (d->privileged)
			return -XEN_EPERM;
		return p->cpupool_id == POOL ? 0 : -XEN_ENOENT;
	}
	case XEN_SYSCTL_CPUPOOL_OP_DESTROY:
		return p->cpupool_id == POOL ? -XEN_EBUSY : -XEN_ENOENT;
	case XEN_SYSCTL_CPUPOOL_OP_ADDCPU:
	case XEN_SYSCTL_CPUPOOL_OP_RMCPU:
		if (p->cpupool_id != POOL)
			return -XEN_ENOENT;
		return p->cpu >= env_get()->cpu_count ? -XEN_EINVAL : -XEN_EOPNOTSUPP;
	case XEN_SYSCTL_CPUPOOL_OP_CREATE:
		return -XEN_EOPNOTSUPP;
	default:
		return -XEN_ENOSYS;
	}
}

static int64_t debug_keys(struct control *c, const struct xen_sysctl_debug_keys *k)
{
	uint32_t n = k->nr_keys < KEYS_MAX ? k->nr_keys : KEYS_MAX;
	const char *key = control_in(c, (uint64_t)(uintptr_t)k->keys.p, n);

	if (!key)
		return CONTROL_AGAIN;
	for (uint32_t i = 0; i < n; i++)
		control_key(key[i]);
	return 0;
}

static int64_t scheduler(struct xen_sysctl_scheduler_op *o)
{
	uint32_t us = o->u.sched_credit2.ratelimit_us;

	if (o->cmd != XEN_SYSCTL_SCHEDOP_putinfo && o->cmd != XEN_SYSCTL_SCHEDOP_getinfo)
		return -XEN_EINVAL;
	if (o->cpupool_id != POOL)
		return -XEN_ESRCH;
	if (o->sched_id != XEN_SCHEDULER_CREDIT2)
		return -XEN_EINVAL;
	if (o->cmd == XEN_SYSCTL_SCHEDOP_putinfo) {
		if (us && (us > XEN_SYSCTL_SCHED_RATELIMIT_MAX || us < XEN_SYSCTL_SCHED_RATELIMIT_MIN))
			return -XEN_EINVAL;
		domain_ratelimit_set(us);
	} else {
		o->u.sched_credit2.ratelimit_us = domain_ratelimit();
	}
	return 0;
}

static int64_t available(struct xen_sysctl_availheap *a)
{
	uint64_t info[ROOT_INFO_WORDS];

	if (a->node > 0)
		return -XEN_EINVAL;
	if (page_store_info(info))
		return -XEN_EIO;
	a->avail_bytes = info[ROOT_INFO_FREE];
	return 0;
}

int64_t control_sysctl(struct control *c, const uint64_t arg[5])
{
	const struct xen_sysctl *given = control_in(c, arg[0], sizeof(*given));
	struct xen_sysctl s;
	int64_t r;

	if (!given)
		return CONTROL_AGAIN;
	s = *given;
	if (s.interface_version != XEN_SYSCTL_INTERFACE_VERSION)
		return -XEN_EACCES;
	switch (s.cmd) {
	case XEN_SYSCTL_readconsole:
		r = console(c, &s.u.readconsole);
		break;
	case XEN_SYSCTL_physinfo:
		r = physinfo(&s.u.physinfo);
		break;
	case XEN_SYSCTL_sched_id:
		s.u.sched_id.sched_id = XEN_SCHEDULER_CREDIT2;
		r = 0;
		break;
	case XEN_SYSCTL_getdomaininfolist:
		r = list(c, &s.u.getdomaininfolist);
		break;
	case XEN_SYSCTL_availheap:
		r = available(&s.u.availheap);
		break;
	case XEN_SYSCTL_cputopoinfo:
		r = topology(c, &s.u.cputopoinfo);
		break;
	case XEN_SYSCTL_numainfo:
		r = numa(c, &s.u.numainfo);
		break;
	case XEN_SYSCTL_cpupool_op:
		r = pool(c, &s.u.cpupool_op);
		break;
	case XEN_SYSCTL_debug_keys:
		r = debug_keys(c, &s.u.debug_keys);
		break;
	case XEN_SYSCTL_scheduler_op:
		r = scheduler(&s.u.scheduler_op);
		break;
	case XEN_SYSCTL_get_cpu_levelling_caps:
		s.u.cpu_levelling_caps.caps = 0; /* it is about PV domains */
		r = 0;
		break;
	case XEN_SYSCTL_get_cpu_featureset:
		r = policy_system_featureset(c, &s.u.cpu_featureset);
		break;
	case XEN_SYSCTL_get_cpu_policy:
		r = policy_system_get(c, &s.u.cpu_policy);
		break;
	case XEN_SYSCTL_get_pmstat:
	case XEN_SYSCTL_psr_cmt_op:
		return -XEN_ENODEV;
	default:
		return -XEN_ENOSYS;
	}
	/* the structure goes back where Xen's would: also what did not change */
	if (r == 0)
		BACK(c, arg[0], &s, pad);
	return r;
}
