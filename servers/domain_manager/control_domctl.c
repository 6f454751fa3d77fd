/*
 * domctl (xen/include/public/domctl.h): domain 0's operations on domains. What is not there yet answers -ENOSYS, as a Xen would that was built
 * without it.
 */
#include "servers/domain_manager/control.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include "proto/control/control.h"
#include "proto/vmm/vmm_start.h"
#include "servers/domain_manager/control_context.h"
#include "servers/domain_manager/control_policy.h"
#include "servers/domain_manager/control_save.h"
#include "servers/domain_manager/cpu_hw.h"
#include "servers/domain_manager/domain.h"
#include "servers/domain_manager/domain_end.h"
#include "servers/domain_manager/domain_memory.h"
#include "servers/domain_manager/grant.h"
#include "servers/domain_manager/domain_xen.h"
#include "servers/domain_manager/page_store.h"
#include "user/env.h"
#include <xen/errno.h>
#include <xen/domctl.h>

#define CREATE_FLAGS	(XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap | XEN_DOMCTL_CDF_oos_off)
#define TSC_NATIVE	2u /* Xen's tsc_mode: never emulated */
#define TSC_TOLERANCE	100u
#define MASK_BYTES_MAX	512u /* of a CPU mask that a caller may have */

/* Here, the errnos of Linux, which our servers use, are Xen's. */
_Static_assert(XEN_ESRCH == ESRCH && XEN_EINVAL == EINVAL && XEN_ENOMEM == ENOMEM && XEN_EEXIST == EEXIST && XEN_EBUSY == EBUSY, "the same numbers");

/* ---- life ---- */

static int64_t create(struct xen_domctl *d)
{
	const struct xen_domctl_createdomain *c = &d->u.createdomain;
	uint32_t id;
	int r;

	if (d->domain != 0 && d->domain >= DOMID_FIRST_RESERVED)
		d->domain = 0; /* any */
	if (!(c->flags & XEN_DOMCTL_CDF_hvm))
		return -XEN_EINVAL; /* no PV domains */
	if (!(c->flags & XEN_DOMCTL_CDF_hap) || c->flags & ~CREATE_FLAGS || c->iommu_opts || c->vmtrace_size || c->cpupool_id)
		return -XEN_EINVAL;
	if (c->arch.emulation_flags != XEN_X86_EMU_LAPIC || c->arch.misc_flags & ~XEN_X86_MSR_RELAXED)
		return -XEN_EINVAL; /* PVH only: no device model */
	if (XEN_DOMCTL_GRANT_version(c->grant_opts) != 1)
		return -XEN_EINVAL;
	/* as on Xen, a negative number asks for the default */
	if (c->max_grant_frames > (int32_t)GRANT_FRAMES_MAX || c->max_grant_frames == 0 || c->max_maptrack_frames > (int32_t)GRANT_MAPTRACK_MAX)
		return -XEN_EINVAL;
	r = domain_create_bare(c->max_vcpus, c->handle, d->domain, c->max_grant_frames < 0 ? GRANT_FRAMES_MAX : (uint32_t)c->max_grant_frames,
			       c->max_maptrack_frames < 0 ? GRANT_MAPTRACK_MAX : (uint32_t)c->max_maptrack_frames,
			       c->max_evtchn_port < VMM_MAX_PORTS ? c->max_evtchn_port + 1 : VMM_MAX_PORTS, c->arch.misc_flags & XEN_X86_MSR_RELAXED, &id);
	if (r)
		return r;
	d->domain = (domid_t)id;
	return 0;
}

/* Of this domain, or of the next above it: xenconsoled finds all that there are so. */
static int64_t info(struct xen_domctl *d)
{
	struct domain *found;

	if (d->domain >= DOMID_FIRST_RESERVED)
		return -XEN_EINVAL;
	found = domain_next(d->domain);
	if (!found)
		return -XEN_ESRCH;
	d->domain = (domid_t)found->id;
	domain_xen_info(found, &d->u.getdomaininfo);
	return 0;
}

/* ---- vCPUs and scheduling ---- */

/* A mask of CPUs that the caller has room for: of those that there are, ours; the rest is zeros. */
static void mask_out(struct control *c, const struct xenctl_bitmap *to, const struct placement_mask *m)
{
	uint8_t bytes[MASK_BYTES_MAX] = {0};
	uint32_t room = to->nr_bits < MASK_BYTES_MAX * 8 ? to->nr_bits : MASK_BYTES_MAX * 8;

	for (uint32_t cpu = 0; cpu < env_get()->cpu_count && cpu < PLACEMENT_CPUS_MAX && cpu < room; cpu++)
		if (placement_mask_has(m, cpu))
			bytes[cpu / 8] = (uint8_t)(bytes[cpu / 8] | 1u << (cpu % 8));
	control_out(c, (uint64_t)(uintptr_t)to->bitmap.p, bytes, (room + 7) / 8);
}

/* False: not there yet. */
static bool mask_in(struct control *c, const struct xenctl_bitmap *from, struct placement_mask *m)
{
	uint32_t bits = from->nr_bits < PLACEMENT_CPUS_MAX ? from->nr_bits : PLACEMENT_CPUS_MAX;
	const uint8_t *bytes = control_in(c, (uint64_t)(uintptr_t)from->bitmap.p, (bits + 7) / 8);

	if (!bytes)
		return false;
	memset(m, 0, sizeof(*m));
	for (uint32_t cpu = 0; cpu < bits; cpu++)
		m->word[cpu / 64] |= (uint64_t)(bytes[cpu / 8] >> (cpu % 8) & 1) << (cpu % 64);
	return true;
}

static struct placement_mask mask_and(const struct placement_mask *a, const struct placement_mask *b)
{
	struct placement_mask m;

	for (unsigned i = 0; i < sizeof(m.word) / sizeof(m.word[0]); i++)
		m.word[i] = a->word[i] & b->word[i];
	return m;
}

/* There is one node, and all domains are on it. */
static int64_t node_affinity(struct control *c, const struct xenctl_bitmap *nodes, bool set)
{
	struct placement_mask asked;

	if (!set) {
		uint8_t bytes[MASK_BYTES_MAX] = {1};
		uint32_t room = nodes->nr_bits < MASK_BYTES_MAX * 8 ? nodes->nr_bits : MASK_BYTES_MAX * 8;

		control_out(c, (uint64_t)(uintptr_t)nodes->bitmap.p, bytes, (room + 7) / 8);
		return 0;
	}
	if (!mask_in(c, nodes, &asked))
		return CONTROL_AGAIN;
	return placement_mask_has(&asked, 0) ? 0 : -XEN_EINVAL;
}

static int64_t affinity(struct control *c, struct domain *d, struct xen_domctl_vcpuaffinity *a, bool set)
{
	bool hard = a->flags & XEN_VCPUAFFINITY_HARD, soft = a->flags & XEN_VCPUAFFINITY_SOFT;
	struct placement_mask hard_mask, soft_mask;
	const struct placement_affinity *has;

	if (a->vcpu >= d->spec.vcpus)
		return -XEN_EINVAL;
	if (!hard && !soft)
		return a->flags ? 0 : -XEN_EINVAL; /* FORCE: nothing is to be undone */
	if ((hard && !a->cpumap_hard.bitmap.p) || (soft && !a->cpumap_soft.bitmap.p))
		return -XEN_EINVAL;
	has = &d->vcpu[a->vcpu].affinity;
	if (set) {
		bool there = !hard || mask_in(c, &a->cpumap_hard, &hard_mask);

		if ((soft && !mask_in(c, &a->cpumap_soft, &soft_mask)) || !there)
			return CONTROL_AGAIN;
		if (domain_affinity_set(d, a->vcpu, hard ? &hard_mask : NULL, soft ? &soft_mask : NULL))
			return -XEN_EINVAL;
	}
	/* what it is now; of one that was set, what of it takes effect */
	if (hard)
		mask_out(c, &a->cpumap_hard, &has->hard);
	soft_mask = set ? mask_and(&has->soft, &has->hard) : has->soft;
	if (soft)
		mask_out(c, &a->cpumap_soft, &soft_mask);
	return 0;
}

static int64_t vcpu_info(struct domain *d, struct xen_domctl_getvcpuinfo *v)
{
	if (v->vcpu >= d->spec.vcpus)
		return -XEN_EINVAL;
	v->online = (uint8_t)(domain_online(d) >> v->vcpu & 1);
	v->blocked = (uint8_t)(v->online && __atomic_load_n(&d->control->state, __ATOMIC_RELAXED) >> v->vcpu & 1);
	v->running = (uint8_t)(v->online && !v->blocked && !d->pauses);
	v->cpu_time = domain_vcpu_us(d, v->vcpu) * 1000;
	v->cpu = d->cpu[v->vcpu];
	return 0;
}

static int64_t scheduler(struct domain *d, struct xen_domctl_scheduler_op *o)
{
	if (o->sched_id != XEN_SCHEDULER_CREDIT2)
		return -XEN_EINVAL;
	switch (o->cmd) {
	case XEN_DOMCTL_SCHEDOP_getinfo:
		o->u.credit2.weight = d->weight;
		o->u.credit2.cap = d->cap;
		return 0;
	case XEN_DOMCTL_SCHEDOP_putinfo:
		/* a weight of 0 is none; a cap of 0 is: there is no cap */
		if (o->u.credit2.cap > 100 * d->spec.vcpus)
			return -XEN_EINVAL;
		domain_weight_set(d, o->u.credit2.weight ? o->u.credit2.weight : d->weight, o->u.credit2.cap);
		return 0;
	default:
		return -XEN_EINVAL;
	}
}

/* ---- others ---- */

/* Tables come out of the domain's account as they are needed, up to that. As on Xen it is of whole pages, and no more than there are. */
static int64_t mempool_set(struct domain *d, uint64_t bytes)
{
	uint64_t info[ROOT_INFO_WORDS];

	if (!d->bare || bytes % 4096)
		return -XEN_EINVAL;
	if (bytes > d->mempool_bytes && (page_store_info(info) || bytes - d->mempool_bytes > info[ROOT_INFO_FREE]))
		return -XEN_ENOMEM;
	return domain_tables_set(d, bytes);
}

/* A PVH domain has no power button that would be seen: pressing it does nothing, as on Xen. */
static int64_t trigger(struct domain *d, const struct xen_domctl_sendtrigger *t)
{
	if (t->vcpu >= d->spec.vcpus)
		return -XEN_ESRCH;
	switch (t->trigger) {
	case XEN_DOMCTL_SENDTRIGGER_NMI:
		__atomic_fetch_or(&d->control->nmi, 1u << t->vcpu, __ATOMIC_ACQ_REL);
		__atomic_fetch_or(&d->control->request, VMM_REQUEST_NMI, __ATOMIC_RELEASE);
		domain_signal_control(d);
		return 0;
	case XEN_DOMCTL_SENDTRIGGER_POWER:
	case XEN_DOMCTL_SENDTRIGGER_SLEEP:
		return 0;
	default:
		return -XEN_ENOSYS;
	}
}

/*
 * A guest's TSC is the machine's, with an offset. One that ran at another rate would have to be emulated, which Xen does; it must allow the machine's (native), or it
 * does not come here. Rates are measured: a part in a hundred is the same.
 */
static int64_t tsc_info_set(struct domain *d, const struct xen_domctl_tsc_info *t)
{
	uint64_t khz = env_get()->tsc_hz / 1000, asked = t->gtsc_khz ? t->gtsc_khz : khz;

	if (t->tsc_mode > TSC_NATIVE)
		return -XEN_EINVAL;
	if (t->tsc_mode != TSC_NATIVE && (asked > khz ? asked - khz : khz - asked) > khz / TSC_TOLERANCE)
		return -XEN_EOPNOTSUPP;
	d->tsc_mode = t->tsc_mode;
	return 0;
}

/* ---- by command ---- */

static bool writes_back(uint32_t cmd)
{
	switch (cmd) {
	case XEN_DOMCTL_createdomain:
	case XEN_DOMCTL_getdomaininfo:
	case XEN_DOMCTL_getvcpuinfo:
	case XEN_DOMCTL_getvcpuaffinity:
	case XEN_DOMCTL_setvcpuaffinity:
	case XEN_DOMCTL_scheduler_op:
	case XEN_DOMCTL_gethvmcontext:
	case XEN_DOMCTL_gethvmcontext_partial:
	case XEN_DOMCTL_gettscinfo:
	case XEN_DOMCTL_shadow_op:
	case XEN_DOMCTL_get_cpu_policy:
	case XEN_DOMCTL_get_paging_mempool_size:
		return true;
	default:
		return false;
	}
}

/* Those that would stop domain 0, or change how it was built. */
static bool not_for_itself(uint32_t cmd)
{
	switch (cmd) {
	case XEN_DOMCTL_destroydomain:
	case XEN_DOMCTL_pausedomain:
	case XEN_DOMCTL_unpausedomain:
	case XEN_DOMCTL_sethvmcontext:
	case XEN_DOMCTL_gethvmcontext:
	case XEN_DOMCTL_gethvmcontext_partial:
	case XEN_DOMCTL_getvcpucontext:
	case XEN_DOMCTL_setvcpucontext:
	case XEN_DOMCTL_settscinfo:
	case XEN_DOMCTL_resumedomain:
	case XEN_DOMCTL_set_cpu_policy:
	case XEN_DOMCTL_shadow_op:
		return true;
	default:
		return false;
	}
}

/* Where there is more to do, the caller's vmm asks again; others are served before. */
static int64_t again(int r)
{
	return r == -EAGAIN ? CONTROL_RETRY : r;
}

static int64_t on_domain(struct control *c, struct xen_domctl *d, struct domain *of)
{
	switch (d->cmd) {
	case XEN_DOMCTL_pausedomain:
		return domain_pause(d->domain);
	case XEN_DOMCTL_unpausedomain:
		return domain_unpause(d->domain);
	case XEN_DOMCTL_destroydomain:
		return again(domain_destroy(d->domain));
	case XEN_DOMCTL_max_vcpus:
		return d->u.max_vcpus.max == of->spec.vcpus ? 0 : -XEN_EINVAL;
	case XEN_DOMCTL_max_mem:
		domain_allow_pages(of, d->u.max_mem.max_memkb / 4);
		return 0;
	case XEN_DOMCTL_setvcpuaffinity:
	case XEN_DOMCTL_getvcpuaffinity:
		return affinity(c, of, &d->u.vcpuaffinity, d->cmd == XEN_DOMCTL_setvcpuaffinity);
	case XEN_DOMCTL_setnodeaffinity:
	case XEN_DOMCTL_getnodeaffinity:
		return node_affinity(c, &d->u.nodeaffinity.nodemap, d->cmd == XEN_DOMCTL_setnodeaffinity);
	case XEN_DOMCTL_getvcpuinfo:
		return vcpu_info(of, &d->u.getvcpuinfo);
	case XEN_DOMCTL_scheduler_op:
		return scheduler(of, &d->u.scheduler_op);
	case XEN_DOMCTL_settscinfo:
		return tsc_info_set(of, &d->u.tsc_info);
	case XEN_DOMCTL_gettscinfo:
		d->u.tsc_info = (struct xen_domctl_tsc_info){.tsc_mode = of->tsc_mode, .gtsc_khz = (uint32_t)(env_get()->tsc_hz / 1000)};
		return 0;
	case XEN_DOMCTL_set_paging_mempool_size:
		return mempool_set(of, d->u.paging_mempool.size);
	case XEN_DOMCTL_get_paging_mempool_size:
		d->u.paging_mempool.size = of->mempool_bytes;
		return 0;
	case XEN_DOMCTL_gethvmcontext:
		return context_get(c, of, &d->u.hvmcontext);
	case XEN_DOMCTL_gethvmcontext_partial:
		return context_part(c, of, &d->u.hvmcontext_partial);
	case XEN_DOMCTL_getvcpucontext:
		return vcpu_context_get(c, of, &d->u.vcpucontext);
	case XEN_DOMCTL_setvcpucontext:
		return vcpu_context_set(c, of, &d->u.vcpucontext);
	case XEN_DOMCTL_getpageframeinfo3:
		return save_page_types(c, of, &d->u.getpageframeinfo3);
	case XEN_DOMCTL_shadow_op:
		return save_shadow_op(c, of, &d->u.shadow_op);
	case XEN_DOMCTL_resumedomain:
		return save_resume(of);
	case XEN_DOMCTL_sethvmcontext:
		return context_set(c, of, &d->u.hvmcontext);
	case XEN_DOMCTL_sendtrigger:
		return trigger(of, &d->u.sendtrigger);
	case XEN_DOMCTL_psr_cmt_op:
		return -XEN_ENODEV; /* as on Xen where the CPU cannot monitor its caches */
	case XEN_DOMCTL_get_cpu_policy:
		return policy_get(c, of, &d->u.cpu_policy);
	case XEN_DOMCTL_set_cpu_policy:
		return policy_set(c, of, &d->u.cpu_policy);
	default:
		return -XEN_ENOSYS;
	}
}

int64_t control_domctl(struct control *c, const uint64_t arg[5])
{
	const struct xen_domctl *given = control_in(c, arg[0], sizeof(*given));
	struct domain *of;
	struct xen_domctl d;
	int64_t r;

	if (!given)
		return CONTROL_AGAIN;
	d = *given;
	if (d.interface_version != XEN_DOMCTL_INTERFACE_VERSION)
		return -XEN_EACCES;
	if (d.cmd == XEN_DOMCTL_createdomain) {
		r = create(&d);
	} else if (d.cmd == XEN_DOMCTL_getdomaininfo) {
		r = info(&d);
	} else {
		of = domain_find(d.domain);
		if (!of)
			return -XEN_ESRCH;
		if (of->privileged && not_for_itself(d.cmd))
			return -XEN_EINVAL;
		r = on_domain(c, &d, of);
	}
	/* a policy that is refused: what for */
	if ((r == 0 && writes_back(d.cmd)) || (r < 0 && r != CONTROL_AGAIN && r != -XEN_EEXIST && d.cmd == XEN_DOMCTL_set_cpu_policy)) {
		control_out(c, arg[0] + offsetof(struct xen_domctl, domain), &d.domain, sizeof(d.domain));
		control_out(c, arg[0] + offsetof(struct xen_domctl, u), &d.u, sizeof(d.u));
	}
	return r;
}
