/*
 * The grant table, version 1 (xen/include/public/grant_table.h). The frames of a domain that a toolstack built, and of domain 0, are the domain manager's, who
 * maps what others have granted and copies between domains; of another that Insula itself made they are pages of its own, which nobody else can map.
 */
#include "servers/vmm/xen/argument.h"
#include "servers/vmm/xen/xen.h"

#include <stddef.h>
#include <string.h>
#include "servers/vmm/xen/physmap_call.h"
#include <xen/errno.h>
#include <xen/grant_table.h>
#include <xen/xen.h>

#define FRAMES_MAX 64u /* Xen's default */
#define BATCH_MAX  65536u

static uint64_t frames[FRAMES_MAX]; /* guest-physical page of each frame, 0 while not placed */
static uint32_t frame_count = 1;

void grant_init(void)
{
	memset(frames, 0, sizeof(frames));
	frame_count = 1;
}

static bool is_self(uint32_t domain)
{
	return domain == DOMID_SELF || domain == vmm.domid;
}

static bool is_shared(void)
{
	return vmm.start->flags & (VMM_START_BARE | VMM_START_CONTROL);
}

/* A frame that is the domain manager's. The page that the guest names must be outside its RAM: in it there is no hole to put one. */
static int64_t place_shared(uint64_t gfn, uint32_t index)
{
	uint64_t g = gfn << 12;
	int64_t r;

	if (frames[index] != g && memory_at(gpa(g), 1))
		return -XEN_EBUSY;
	r = physmap_call_grant_frame(index, gfn);
	if (r)
		return r;
	if (frames[index] != g) {
		if (frames[index])
			memory_remove_page(gpa(frames[index]));
		frames[index] = memory_add_page(gpa(g)) ? g : 0;
	}
	if (!frames[index])
		return -XEN_ENOMEM;
	if (index >= frame_count)
		frame_count = index + 1;
	return 0;
}

bool grant_is_at(uint64_t g)
{
	for (unsigned i = 0; i < FRAMES_MAX; i++)
		if (frames[i] && frames[i] == g)
			return true;
	return false;
}

/* A frame that is here: memory of the guest's own, or a page of ours. Where it was its own memory, that stays. */
static int64_t place_own(uint64_t gfn, uint32_t index)
{
	uint64_t g = gfn << 12;
	void *to;

	if (frames[index] == g)
		return 0;
	if (shared_info_is_at(g) || grant_is_at(g))
		return -XEN_EBUSY;
	to = memory_at(gpa(g), PAGE);
	if (!to)
		to = memory_place_page(gpa(g));
	if (!to)
		return -XEN_ENOMEM;
	if (frames[index])
		memmove(to, memory_at(gpa(frames[index]), PAGE), PAGE);
	else
		memset(to, 0, PAGE);
	if (frames[index])
		memory_remove_page(gpa(frames[index]));
	frames[index] = g;
	return 0;
}

int64_t grant_place(uint64_t gfn, uint64_t index)
{
	int64_t r;

	if (index >= FRAMES_MAX || gfn >> 34)
		return -XEN_EINVAL;
	if (is_shared())
		return place_shared(gfn, (uint32_t)index);
	r = place_own(gfn, (uint32_t)index);
	if (!r && index >= frame_count)
		frame_count = (uint32_t)index + 1;
	return r;
}

/* What its toolstack allows. */
static uint32_t frames_max(void)
{
	uint32_t now, most;

	return is_shared() && !physmap_call_grant_size(&now, &most) && most < FRAMES_MAX ? most : FRAMES_MAX;
}

/* Of an operation on this domain's table. */
static int16_t status_of(domid_t domain)
{
	if (is_self(domain))
		return GNTST_okay;
	return domain >= DOMID_FIRST_RESERVED ? GNTST_bad_domain : GNTST_permission_denied;
}

static int64_t setup_table(struct vcpu *v, uint64_t at, bool abi32)
{
	struct gnttab_setup_table s;

	if (!argument_read(v, &compat_gnttab_setup_table, abi32, at, &s))
		return -XEN_EFAULT;
	s.status = status_of(s.dom);
	if (s.status != GNTST_okay) {
		;
	} else if (s.nr_frames > frames_max()) {
		s.status = GNTST_general_error;
	} else {
		if (s.nr_frames > frame_count)
			frame_count = s.nr_frames;
		for (uint32_t i = 0; i < s.nr_frames; i++) {
			uint64_t pfn = frames[i] ? frames[i] >> 12 : UINT64_MAX;

			if (!argument_word_write(v, abi32, (uint64_t)(uintptr_t)s.frame_list.p, i, pfn))
				return -XEN_EFAULT;
		}
	}
	at += argument_offset(&compat_gnttab_setup_table, abi32, offsetof(struct gnttab_setup_table, status));
	return guest_write(v, gva(at), &s.status, sizeof(s.status)) ? 0 : -XEN_EFAULT;
}

static int64_t query_size(struct vcpu *v, uint64_t at)
{
	struct gnttab_query_size q;

	if (!guest_read(v, gva(at), &q, sizeof(q)))
		return -XEN_EFAULT;
	q.status = status_of(q.dom);
	if (q.status == GNTST_okay) {
		q.nr_frames = frame_count;
		q.max_nr_frames = frames_max();
	}
	return guest_write(v, gva(at), &q, sizeof(q)) ? 0 : -XEN_EFAULT;
}

static int64_t version(struct vcpu *v, uint64_t op, uint64_t at)
{
	if (op == GNTTABOP_set_version) {
		struct gnttab_set_version s;
		int64_t r;

		if (!guest_read(v, gva(at), &s, sizeof(s)))
			return -XEN_EFAULT;
		r = s.version == 1 ? 0 : s.version == 2 ? -XEN_ENOSYS : -XEN_EINVAL;
		s.version = 1; /* what it has, whatever it asked for */
		return guest_write(v, gva(at), &s, sizeof(s)) ? r : -XEN_EFAULT;
	} else {
		struct gnttab_get_version g;

		if (!guest_read(v, gva(at), &g, sizeof(g)))
			return -XEN_EFAULT;
		if (!is_self(g.dom))
			return xen_other_domain(g.dom);
		g.version = 1;
		return guest_write(v, gva(at), &g, sizeof(g)) ? 0 : -XEN_EFAULT;
	}
}

/* ---- other domains' pages ---- */

/* As many elements as one call to the domain manager takes. */
static bool map_some(struct vcpu *v, uint64_t at, unsigned n, bool abi32)
{
	struct gnttab_map_grant_ref m[DOMAIN_MAPS];
	struct domain_map map[DOMAIN_MAPS];
	int16_t status[DOMAIN_MAPS];
	uint32_t handle[DOMAIN_MAPS];
	unsigned asked = 0, answer = 0;

	(void)abi32;
	if (!guest_read(v, gva(at), m, n * sizeof(*m)))
		return false;
	for (unsigned i = 0; i < n; i++) {
		m[i].status = m[i].host_addr & (PAGE - 1) || m[i].host_addr >> 46 || memory_at(gpa(m[i].host_addr), 1) ? GNTST_bad_virt_addr : GNTST_okay;
		if (m[i].status == GNTST_okay)
			map[asked++] = (struct domain_map){.gfn = m[i].host_addr >> 12,
							   .domain = m[i].dom,
							   .ref = m[i].ref,
							   .flags = m[i].flags};
	}
	if (asked)
		physmap_call_grant_map(map, asked, status, handle);
	for (unsigned i = 0; i < n; i++) {
		bool was_asked = m[i].status == GNTST_okay;

		if (!was_asked)
			continue;
		m[i].status = status[answer];
		if (m[i].status == GNTST_okay) {
			m[i].dev_bus_addr = 0;
			m[i].handle = handle[answer];
		}
		answer++;
	}
	return guest_write(v, gva(at), m, n * sizeof(*m));
}

static bool unmap_some(struct vcpu *v, uint64_t at, unsigned n, bool abi32)
{
	struct gnttab_unmap_grant_ref u[DOMAIN_MAPS];
	struct physmap_unmap unmap[DOMAIN_MAPS];
	int16_t status[DOMAIN_MAPS];

	(void)abi32;
	if (!guest_read(v, gva(at), u, n * sizeof(*u)))
		return false;
	for (unsigned i = 0; i < n; i++)
		unmap[i] = (struct physmap_unmap){.gfn = u[i].host_addr >> 12, .handle = u[i].handle};
	physmap_call_grant_unmap(unmap, n, status);
	/* the rest of an element is input: it stays as the guest has it by now */
	for (unsigned i = 0; i < n; i++)
		if (!guest_write(v, gva(at + i * sizeof(*u) + offsetof(struct gnttab_unmap_grant_ref, status)), &status[i], sizeof(status[i])))
			return false;
	return true;
}

static bool copy_some(struct vcpu *v, uint64_t at, unsigned n, bool abi32)
{
	struct domain_copy copy[DOMAIN_COPIES] = {0};
	int16_t status[DOMAIN_COPIES];
	const uint64_t size = argument_size(&compat_gnttab_copy, abi32), result = argument_offset(&compat_gnttab_copy, abi32, offsetof(struct gnttab_copy, status));
	struct gnttab_copy c;

	for (unsigned i = 0; i < n; i++) {
		if (!argument_read(v, &compat_gnttab_copy, abi32, at + i * size, &c))
			return false;
		copy[i] = (struct domain_copy){.source = c.flags & GNTCOPY_source_gref ? c.source.u.ref : c.source.u.gmfn,
					       .dest = c.flags & GNTCOPY_dest_gref ? c.dest.u.ref : c.dest.u.gmfn,
					       .source_domain = c.source.domid,
					       .dest_domain = c.dest.domid,
					       .source_offset = c.source.offset,
					       .dest_offset = c.dest.offset,
					       .flags = c.flags,
					       .bytes = c.len};
	}
	physmap_call_grant_copy(copy, n, status);
	for (unsigned i = 0; i < n; i++)
		if (!guest_write(v, gva(at + i * size + result), &status[i], sizeof(status[i])))
			return false;
	return true;
}

static int64_t batch(struct vcpu *v, uint64_t at, uint64_t count, uint64_t size, unsigned most, bool (*some)(struct vcpu *v, uint64_t at, unsigned n, bool abi32), bool abi32)
{
	for (uint64_t i = 0; i < count; i += most)
		if (!some(v, at + i * size, count - i < most ? (unsigned)(count - i) : most, abi32))
			return -XEN_EFAULT;
	return 0;
}

int64_t grant_table_op(struct vcpu *v, const uint64_t arg[5], bool abi32)
{
	uint64_t op = (uint32_t)arg[0], count = (uint32_t)arg[2];
	int64_t r;

	if ((int32_t)count < 0)
		return -XEN_EINVAL;
	vmm_lock();
	switch (op) {
	case GNTTABOP_setup_table:
		r = count == 1 ? setup_table(v, arg[1], abi32) : -XEN_EINVAL;
		break;
	case GNTTABOP_query_size:
		r = count == 1 ? query_size(v, arg[1]) : -XEN_EINVAL;
		break;
	case GNTTABOP_set_version:
	case GNTTABOP_get_version:
		r = version(v, op, arg[1]);
		break;
	case GNTTABOP_map_grant_ref:
		r = count > BATCH_MAX ? -XEN_EINVAL : batch(v, arg[1], count, sizeof(struct gnttab_map_grant_ref), DOMAIN_MAPS, map_some, abi32);
		break;
	case GNTTABOP_unmap_grant_ref:
		r = count > BATCH_MAX ? -XEN_EINVAL : batch(v, arg[1], count, sizeof(struct gnttab_unmap_grant_ref), DOMAIN_MAPS, unmap_some, abi32);
		break;
	case GNTTABOP_copy:
		r = count > BATCH_MAX ? -XEN_EINVAL : batch(v, arg[1], count, argument_size(&compat_gnttab_copy, abi32), DOMAIN_COPIES, copy_some, abi32);
		break;
	default:
		r = -XEN_ENOSYS;
		break;
	}
	vmm_unlock();
	if (r == -XEN_ENOSYS)
		xen_log_once("grant_table_op", op);
	return r;
}
