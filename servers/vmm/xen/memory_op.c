/*
 * memory_op (xen/include/public/memory.h): the part that a domain needs to find its memory, to place
 * Xen's pages, and to give RAM back and get it again (ballooning). The latter is the domain manager's of a domain that a toolstack built; of others such requests do
 * none of their extents, which is what Xen answers when it can do none.
 */
#include "servers/vmm/xen/argument.h"
#include "servers/vmm/xen/foreign.h"
#include "servers/vmm/xen/xen.h"

#include <stddef.h>
#include "servers/vmm/xen/physmap_call.h"
#include <xen/errno.h>
#include <xen/hvm/params.h>
#include <xen/memory.h>
#include <xen/xen.h>

#define MEMOP_CMD_MASK 63u

static bool is_self(uint32_t domain)
{
	return domain == DOMID_SELF || domain == vmm.domid;
}

static int64_t own_pages(struct vcpu *v, uint64_t at, bool most)
{
	uint64_t now, limit;
	domid_t d;

	if (!guest_read(v, gva(at), &d, sizeof(d)))
		return -XEN_EFAULT;
	if (!is_self(d))
		return xen_other_domain(d);
	if (physmap_call_reservation(&now, &limit))
		return (int64_t)(vmm.ram_bytes >> 12);
	return (int64_t)(most ? limit : now);
}

static int64_t place(unsigned space, uint64_t index, uint64_t gfn)
{
	int64_t r;

	vmm_lock();
	switch (space) {
	case XENMAPSPACE_shared_info:
		r = index ? -XEN_EINVAL : shared_info_place(gfn);
		break;
	case XENMAPSPACE_grant_table:
		r = grant_place(gfn, index);
		break;
	default:
		r = -XEN_EINVAL;
		break;
	}
	vmm_unlock();
	return r;
}

static bool foreign_may(domid_t from, uint64_t gfn)
{
	return !is_self(from) && !(gfn >> 34) && !memory_at(gpa(gfn << 12), 1);
}

/* Another domain's page, where this one has nothing. */
static int32_t foreign(domid_t from, uint64_t from_gfn, uint64_t gfn)
{
	int32_t error = -XEN_EINVAL;

	if (foreign_may(from, gfn))
		foreign_map(from, &(struct physmap_foreign){.gfn = gfn, .from_gfn = from_gfn}, 1, &error);
	return error;
}

static int64_t add_to_physmap(struct vcpu *v, uint64_t at, bool abi32)
{
	struct xen_add_to_physmap a;

	if (!argument_read(v, &compat_add_to_physmap, abi32, at, &a))
		return -XEN_EFAULT;
	if (!is_self(a.domid))
		return xen_other_domain(a.domid);
	if (a.space == XENMAPSPACE_gmfn_foreign)
		return -XEN_EPERM;
	return place(a.space, a.idx, a.gpfn);
}

/*
 * Several of a batch's entries from `first` on, which name other domains' pages, by one call. How many were done; 0: they cannot be read together, and go one by one, as
 * those before what is not there are done; -EFAULT.
 */
static int64_t foreign_several(struct vcpu *v, const struct xen_add_to_physmap_batch *a, bool abi32, uint32_t first)
{
	uint64_t index[DOMAIN_FOREIGNS], gfn[DOMAIN_FOREIGNS];
	struct physmap_foreign page[DOMAIN_FOREIGNS];
	int32_t answer[DOMAIN_FOREIGNS], error[DOMAIN_FOREIGNS];
	uint32_t n = a->size - first < DOMAIN_FOREIGNS ? a->size - first : DOMAIN_FOREIGNS, pages = 0;

	if (!argument_words_read(v, abi32, (uint64_t)(uintptr_t)a->idxs.p, first, index, n) || !argument_words_read(v, abi32, (uint64_t)(uintptr_t)a->gpfns.p, first, gfn, n))
		return 0;
	for (uint32_t i = 0; i < n; i++) {
		error[i] = foreign_may(a->u.foreign_domid, gfn[i]) ? 0 : -XEN_EINVAL;
		if (!error[i])
			page[pages++] = (struct physmap_foreign){.gfn = gfn[i], .from_gfn = index[i]};
	}
	if (pages)
		foreign_map(a->u.foreign_domid, page, pages, answer);
	for (uint32_t i = 0, k = 0; i < n; i++) {
		if (!error[i])
			error[i] = answer[k++];
	}
	return guest_write(v, gva((uint64_t)(uintptr_t)a->errs.p + first * sizeof(error[0])), error, n * sizeof(error[0])) ? (int64_t)n : -XEN_EFAULT;
}

/* What became of each entry is in its error: the call itself fails where these, or the entries, are not there. */
static int64_t add_to_physmap_batch(struct vcpu *v, uint64_t at, bool abi32)
{
	struct xen_add_to_physmap_batch a;

	if (!argument_read(v, &compat_add_to_physmap_batch, abi32, at, &a))
		return -XEN_EFAULT;
	if (!is_self(a.domid))
		return xen_other_domain(a.domid);
	if (a.space == XENMAPSPACE_gmfn_foreign && !control_allowed())
		return -XEN_EPERM;
	if (a.space != XENMAPSPACE_gmfn_foreign)
		foreign_settle();
	for (uint32_t i = 0; i < a.size; i++) {
		uint64_t index, gfn;
		int32_t error;

		if (a.space == XENMAPSPACE_gmfn_foreign && a.size - i > 1) {
			int64_t n = foreign_several(v, &a, abi32, i);

			if (n < 0)
				return n;
			if (n > 0) {
				i += (uint32_t)n - 1;
				continue;
			}
		}
		if (!argument_words_read(v, abi32, (uint64_t)(uintptr_t)a.idxs.p, i, &index, 1) ||
		    !argument_words_read(v, abi32, (uint64_t)(uintptr_t)a.gpfns.p, i, &gfn, 1))
			return -XEN_EFAULT;
		error = a.space == XENMAPSPACE_gmfn_foreign ? foreign(a.u.foreign_domid, index, gfn)
							    : (int32_t)place(a.space, index, gfn);
		if (!guest_write(v, gva((uint64_t)(uintptr_t)a.errs.p + i * sizeof(error)), &error, sizeof(error)))
			return -XEN_EFAULT;
	}
	return 0;
}

/* Pages of RAM at places where none is. How many were populated before one could not be. */
static unsigned add_pages(const uint64_t *gfn, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (gfn[i] >> 34 || gfn[i] << 12 == LAPIC_BASE || !memory_add_ram(gpa(gfn[i] << 12)))
			n = i;
	return physmap_call_balloon(false, gfn, n);
}

/* Extents done, which is Xen's only answer: `start` of them by an earlier part of the call. Only single pages. */
static int64_t reservation(struct vcpu *v, uint32_t op, uint64_t start, uint64_t at, bool abi32)
{
	struct xen_memory_reservation r;
	uint64_t done = start;

	if (!argument_read(v, &compat_memory_reservation, abi32, at, &r) || !is_self(r.domid) || r.extent_order || op == XENMEM_increase_reservation)
		return (int64_t)start;
	while (done < r.nr_extents) {
		uint64_t gfn[DOMAIN_PAGES], n = r.nr_extents - done < DOMAIN_PAGES ? r.nr_extents - done : DOMAIN_PAGES;
		unsigned now;

		if (!argument_words_read(v, abi32, (uint64_t)(uintptr_t)r.extent_start.p, done, gfn, n))
			break;
		now = op == XENMEM_decrease_reservation ? physmap_call_balloon(true, gfn, (unsigned)n) : add_pages(gfn, (unsigned)n);
		done += now;
		if (now < n)
			break;
	}
	return (int64_t)done;
}

/* The map that the toolstack has set, as far as there is room for it. A domain that was loaded by its vmm has its map in the start information. */
static int64_t memory_map(struct vcpu *v, uint64_t at, bool abi32)
{
	struct physmap_e820 part[30];
	struct xen_memory_map m;
	uint32_t all = 0, n, done = 0;

	if (!argument_read(v, &compat_memory_map, abi32, at, &m))
		return -XEN_EFAULT;
	do {
		if (physmap_call_e820(done, &all, part, &n))
			return -XEN_ENOSYS;
		if (m.buffer.p && all > m.nr_entries)
			all = m.nr_entries;
		if (n > all - done)
			n = all - done;
		if (m.buffer.p && !guest_write(v, gva((uint64_t)(uintptr_t)m.buffer.p + done * sizeof(part[0])), part, n * sizeof(part[0])))
			return -XEN_EFAULT;
		done += n;
	} while (n && done < all);
	m.nr_entries = all;
	return argument_write(v, &compat_memory_map, abi32, at, &m) ? 0 : -XEN_EFAULT;
}

static int64_t remove(struct vcpu *v, uint64_t at, bool abi32)
{
	struct xen_remove_from_physmap r;

	if (!argument_read(v, &compat_remove_from_physmap, abi32, at, &r))
		return -XEN_EFAULT;
	if (!is_self(r.domid))
		return xen_other_domain(r.domid);
	/* of its RAM and Xen's pages none can be taken away yet */
	if (memory_at(gpa(r.gpfn << 12), 1))
		return -XEN_ENOENT;
	return foreign_remove(r.gpfn);
}

/* Operations whose structure begins with, or has, another domain's id are a toolstack's. */
static bool on_other(struct vcpu *v, uint32_t op, uint64_t at, bool abi32, domid_t *of)
{
	uint64_t offset = 0;

	*of = 0;
	switch (op) {
	case XENMEM_current_reservation:
	case XENMEM_maximum_reservation:
	case XENMEM_maximum_gpfn:
	case XENMEM_set_memory_map:
	case XENMEM_acquire_resource:
	case XENMEM_get_vnumainfo:
		break;
	case XENMEM_increase_reservation:
	case XENMEM_decrease_reservation:
	case XENMEM_populate_physmap:
	case XENMEM_claim_pages:
		offset = argument_offset(&compat_memory_reservation, abi32, offsetof(struct xen_memory_reservation, domid));
		break;
	case XENMEM_get_sharing_freed_pages:
	case XENMEM_get_sharing_shared_pages:
	case XENMEM_set_pod_target:
	case XENMEM_get_pod_target:
		return true;
	default:
		return false;
	}
	return guest_read(v, gva(at + offset), of, sizeof(*of)) && !is_self(*of);
}

static bool is_reservation(uint32_t op)
{
	return op == XENMEM_increase_reservation || op == XENMEM_decrease_reservation || op == XENMEM_populate_physmap;
}

int64_t memory_op(struct vcpu *v, const uint64_t arg[5], bool abi32)
{
	uint32_t op = (uint32_t)arg[0] & MEMOP_CMD_MASK, start = (uint32_t)arg[0] / (MEMOP_CMD_MASK + 1);
	domid_t of;

	if (op != XENMEM_add_to_physmap_batch && op != XENMEM_remove_from_physmap)
		foreign_settle();
	if (op == XENMEM_acquire_resource && !control_allowed())
		return -XEN_EACCES;
	if (on_other(v, op, arg[1], abi32, &of)) {
		if (!control_allowed())
			return is_reservation(op) ? (int64_t)start : xen_other_domain(of);
		/* a toolstack's structures are taken from 64-bit callers only */
		return abi32 ? -XEN_ENOSYS : control_call(v, __HYPERVISOR_memory_op, arg);
	}
	switch (op) {
	case XENMEM_add_to_physmap:
		return add_to_physmap(v, arg[1], abi32);
	case XENMEM_add_to_physmap_batch:
		return add_to_physmap_batch(v, arg[1], abi32);
	case XENMEM_current_reservation:
	case XENMEM_maximum_reservation:
		return own_pages(v, arg[1], op == XENMEM_maximum_reservation);
	case XENMEM_maximum_gpfn: {
		int64_t r = own_pages(v, arg[1], false);

		return r < 0 ? r : (int64_t)(memory_end().v >> 12) - 1;
	}
	case XENMEM_increase_reservation:
	case XENMEM_decrease_reservation:
	case XENMEM_populate_physmap:
		return reservation(v, op, start, arg[1], abi32);
	case XENMEM_memory_map:
		return memory_map(v, arg[1], abi32);
	case XENMEM_machine_memory_map:
	case XENMEM_machphys_mapping:
		return -XEN_ENOSYS; /* PV domains' */
	case XENMEM_set_memory_map:
	case XENMEM_claim_pages:
		return -XEN_EPERM;
	case XENMEM_get_vnumainfo:
		return -XEN_EOPNOTSUPP;
	case XENMEM_remove_from_physmap:
		return remove(v, arg[1], abi32);
	default:
		xen_log_once("memory_op", op);
		return -XEN_ENOSYS;
	}
}
