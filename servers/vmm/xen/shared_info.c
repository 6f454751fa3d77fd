/*
 * The shared info page, vcpu_info, the clock and runstate that guests read (xen/include/public/xen.h, vcpu.h).
 *
 * The page a guest asks for with XENMAPSPACE_shared_info is its own RAM: what it holds is given up, and the
 * information lives there from then on. Before that it lives in a page of the vmm's.
 */
#include "servers/vmm/xen/argument.h"
#include "servers/vmm/xen/xen.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <xen/errno.h>
#include <xen/event_channel.h>
#include <xen/vcpu.h>
#include <xen/xen.h>
#include <xen/foreign/x86_32.h>

#define NS_PER_S 1000000000ull

static struct shared_info *info; /* in either layout */
static struct shared_info own __attribute__((aligned(4096)));
static struct vcpu_info parked[VMM_MAX_VCPUS]; /* of vCPUs beyond the page's 32 */
static bool runstate_flag; /* VMASST_TYPE_runstate_update_flag */

/* Both layouts begin with vCPU infos of 64 bytes, in which the time is at the same place; bitmaps are little-endian, whatever the guest's words are. */
_Static_assert(sizeof(struct vcpu_info) == 64 && sizeof(struct vcpu_info_x86_32) == 64, "as many in both");
_Static_assert(offsetof(struct vcpu_info, time) == offsetof(struct vcpu_info_x86_32, time) && sizeof(struct vcpu_time_info) == sizeof(struct vcpu_time_info_x86_32),
	       "the same time");
_Static_assert(offsetof(struct shared_info, evtchn_pending) == offsetof(struct shared_info_x86_32, evtchn_pending), "the same ports");
_Static_assert(offsetof(struct shared_info, wc_version) == 0xc00 && offsetof(struct shared_info_x86_32, wc_version) == 0x900 &&
		       offsetof(struct shared_info_x86_32, arch.wc_sec_hi) == 0x924,
	       "the wall clock");

void *shared_info_page(void)
{
	return info;
}

static bool is_32(void)
{
	return __atomic_load_n(&vmm.shared_info_32, __ATOMIC_RELAXED);
}

static uint32_t *word_of(void *base, size_t offset)
{
	return (uint32_t *)(void *)((uint8_t *)base + offset);
}

uint32_t shared_info_ports(void)
{
	return is_32() ? 32 * 32 : (uint32_t)EVTCHN_2L_NR_CHANNELS;
}

uint32_t *shared_info_pending(uint32_t port)
{
	return word_of(info, offsetof(struct shared_info, evtchn_pending) + port / 32 * 4);
}

uint32_t *shared_info_mask(uint32_t port)
{
	return word_of(info, (is_32() ? offsetof(struct shared_info_x86_32, evtchn_mask) : offsetof(struct shared_info, evtchn_mask)) + port / 32 * 4);
}

uint8_t *vcpu_info_upcall_pending(const struct vcpu *v)
{
	return (uint8_t *)v->vcpu_info + offsetof(struct vcpu_info, evtchn_upcall_pending);
}

uint8_t *vcpu_info_upcall_mask(const struct vcpu *v)
{
	return (uint8_t *)v->vcpu_info + offsetof(struct vcpu_info, evtchn_upcall_mask);
}

/* The selector has a bit for each of the guest's words. */
bool vcpu_info_select(const struct vcpu *v, uint32_t port)
{
	bool half = is_32();
	uint32_t bit = half ? port / 32 : port / 64, mask = 1u << (bit % 32);
	size_t offset = half ? offsetof(struct vcpu_info_x86_32, evtchn_pending_sel) : offsetof(struct vcpu_info, evtchn_pending_sel) + bit / 32 * 4;

	return __atomic_fetch_or(word_of(v->vcpu_info, offset), mask, __ATOMIC_ACQ_REL) & mask;
}

void vcpu_info_select_all(const struct vcpu *v)
{
	size_t offset = is_32() ? offsetof(struct vcpu_info_x86_32, evtchn_pending_sel) : offsetof(struct vcpu_info, evtchn_pending_sel);

	for (unsigned i = 0; i < (is_32() ? 1 : 2); i++)
		__atomic_store_n(word_of(v->vcpu_info, offset + i * 4), UINT32_MAX, __ATOMIC_RELEASE);
}

static void wall_clock(void)
{
	uint64_t ns = vmm.wall_ns_start;
	/* version, seconds, nanoseconds, and elsewhere the seconds' upper half */
	uint32_t *wc = word_of(info, is_32() ? offsetof(struct shared_info_x86_32, wc_version) : offsetof(struct shared_info, wc_version));
	uint32_t *upper = word_of(info, is_32() ? offsetof(struct shared_info_x86_32, arch.wc_sec_hi) : offsetof(struct shared_info, wc_sec_hi));

	wc[0] = (wc[0] + 1) | 1;
	__atomic_thread_fence(__ATOMIC_RELEASE);
	wc[1] = (uint32_t)(ns / NS_PER_S);
	wc[2] = (uint32_t)(ns % NS_PER_S);
	*upper = (uint32_t)((ns / NS_PER_S) >> 32);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	wc[0]++;
}

void shared_info_latch(const struct vcpu *v)
{
	__atomic_store_n(&vmm.shared_info_32, !guest_is_64bit(v), __ATOMIC_RELAXED);
	wall_clock();
}

void shared_info_init(void)
{
	memset(&own, 0, sizeof(own));
	info = &own;
	runstate_flag = false;
	vmm.shared_info_32 = false;
	memset(info->evtchn_mask, 0xff, sizeof(info->evtchn_mask));
	for (uint32_t i = 0; i < vmm.vcpu_count; i++) {
		struct vcpu *v = vmm.vcpu[i];

		v->vcpu_info = i < XEN_LEGACY_MAX_VCPUS ? &info->vcpu_info[i] : &parked[i];
		v->runstate_now = XEN_RUNSTATE_OFFLINE;
	}
	wall_clock();
}

bool shared_info_is_at(uint64_t g)
{
	return info != &own && (uint64_t)(uintptr_t)info == TASK_RAM_VADDR + g;
}

int64_t shared_info_place(uint64_t gfn)
{
	struct shared_info *to, *from = info;

	if (gfn >> 34)
		return -XEN_EINVAL;
	if (grant_is_at(gfn << 12))
		return -XEN_EBUSY;
	to = memory_at(gpa(gfn << 12), PAGE);
	if (!to)
		to = memory_place_page(gpa(gfn << 12));
	if (!to)
		return -XEN_EINVAL;
	if (to == info)
		return 0;
	memset(to, 0, PAGE);
	memcpy(to, info, sizeof(*info));
	for (uint32_t i = 0; i < vmm.vcpu_count; i++) {
		struct vcpu *v = vmm.vcpu[i];

		if (i < XEN_LEGACY_MAX_VCPUS && v->vcpu_info == &info->vcpu_info[i])
			v->vcpu_info = &to->vcpu_info[i];
	}
	info = to;
	wall_clock();
	for (uint32_t i = 0; i < vmm.vcpu_count; i++)
		xen_update_time(vmm.vcpu[i]);
	/* the page of ours that it was in, if it was in one */
	if (from != &own)
		memory_remove_page(gpa((uint64_t)(uintptr_t)from - TASK_RAM_VADDR));
	return 0;
}

int64_t vcpu_info_register(struct vcpu *v, uint64_t gfn, uint32_t offset)
{
	void *to, *from = v->vcpu_info;

	if (offset > PAGE - sizeof(struct vcpu_info) || offset % (is_32() ? 4 : 8))
		return -XEN_ENXIO;
	if (gfn >> 34)
		return -XEN_EINVAL;
	if (v->vcpu_info_registered)
		return -XEN_EINVAL;
	to = memory_at(gpa((gfn << 12) + offset), sizeof(struct vcpu_info));
	if (!to)
		return -XEN_EINVAL;
	memmove(to, from, sizeof(struct vcpu_info)); /* the guest may name the place where it is, or beside it */
	v->vcpu_info = to;
	v->vcpu_info_registered = true;
	xen_update_time(v);
	evtchn_vcpu_info_changed(v);
	return 0;
}

/* All vCPUs share one base: the TSC at the domain's start is system time 0. A guest's own TSC offset is its own matter. */
void xen_update_time(struct vcpu *v)
{
	/* one of a 32-bit guest is at a multiple of 4 */
	uint8_t *vi = (uint8_t *)v->vcpu_info + offsetof(struct vcpu_info, time);
	uint32_t *shown = word_of(vi, offsetof(struct vcpu_time_info, version));
	struct vcpu_time_info t = {
		.tsc_timestamp = vmm.tsc_start + v->s->tsc_offset,
		.system_time = 0,
		.tsc_to_system_mul = vmm.clock.mul,
		.tsc_shift = vmm.clock.shift,
		.flags = XEN_PVCLOCK_TSC_STABLE_BIT,
	};
	uint32_t version = *shown & ~1u;

	/* odd while it changes (vcpu_time_info's contract) */
	__atomic_store_n(shown, version + 1, __ATOMIC_RELEASE);
	t.version = version + 1;
	memcpy(vi, &t, sizeof(t));
	__atomic_store_n(shown, version + 2, __ATOMIC_RELEASE);
	if (v->time_area.size) {
		t.version = version + 1;
		guest_area_write(&v->time_area, 0, &t, sizeof(t));
		t.version = version + 2;
		guest_area_write(&v->time_area, offsetof(struct vcpu_time_info, version), &t.version, sizeof(t.version));
	}
}

/* ---- runstate ---- */

static void runstate_fill(struct vcpu *v, struct vcpu_runstate_info *r)
{
	r->state = (int)v->runstate_now;
	r->state_entry_time = v->runstate_entry_ns;
	memcpy(r->time, v->runstate_time, sizeof(r->time));
}

static void runstate_publish(struct vcpu *v)
{
	struct vcpu_runstate_info r;
	bool half = is_32();
	uint32_t entry = (uint32_t)argument_offset(&compat_runstate_info, half, offsetof(struct vcpu_runstate_info, state_entry_time));
	uint8_t compat[COMPAT_BYTES];

	if (!v->runstate.size)
		return;
	memset(&r, 0, sizeof(r));
	runstate_fill(v, &r);
	if (runstate_flag) {
		r.state_entry_time |= XEN_RUNSTATE_UPDATE;
		guest_area_write(&v->runstate, entry, &r.state_entry_time, sizeof(r.state_entry_time));
		__atomic_thread_fence(__ATOMIC_RELEASE);
	}
	if (half)
		compat_from_native(&compat_runstate_info, &r, compat);
	guest_area_write(&v->runstate, 0, half ? (const void *)compat : &r, (uint32_t)argument_size(&compat_runstate_info, half));
	if (runstate_flag) {
		__atomic_thread_fence(__ATOMIC_RELEASE);
		r.state_entry_time &= ~XEN_RUNSTATE_UPDATE;
		guest_area_write(&v->runstate, entry, &r.state_entry_time, sizeof(r.state_entry_time));
	}
}

void xen_runstate(struct vcpu *v, unsigned state)
{
	uint64_t now = time_system_ns();

	if (state == v->runstate_now)
		return;
	vmm_lock(); /* another vCPU may be registering or reading ours */
	v->runstate_time[v->runstate_now] += now - v->runstate_entry_ns;
	v->runstate_entry_ns = now;
	v->runstate_now = state;
	if (state == XEN_RUNSTATE_RUNNING)
		__atomic_fetch_and(&vmm.control->state, ~(1u << v->id), __ATOMIC_RELAXED);
	else
		__atomic_fetch_or(&vmm.control->state, 1u << v->id, __ATOMIC_RELAXED);
	runstate_publish(v);
	vmm_unlock();
}

#define GIVEN_LEAST_NS 20000u /* less is the way in and out */

static uint64_t tsc_to_ns(uint64_t ticks)
{
	return pvclock_ns(vmm.clock, ticks);
}

/* Until now it was in its state for that much less, and RUNNABLE. Under vmm_lock. */
static void runnable_add(struct vcpu *v, uint64_t ns)
{
	uint64_t now = time_system_ns(), since = now - v->runstate_entry_ns;

	ns = ns < since ? ns : since;
	v->runstate_time[XEN_RUNSTATE_RUNNABLE] += ns;
	v->runstate_entry_ns += ns;
}

void xen_runstate_given(struct vcpu *v)
{
	uint64_t now = cpu_tsc(), passed = now - v->ran_tsc, used = v->s->used_ticks - v->ran_ticks;
	/* two clocks that are read one after the other: below zero, too, and at the start */
	bool less = passed < used;
	uint64_t ns = less ? 0 : tsc_to_ns(passed - used);

	if (!less && ns < GIVEN_LEAST_NS)
		return;
	v->ran_tsc = now;
	v->ran_ticks = v->s->used_ticks;
	if (less)
		return;
	vmm_lock();
	runnable_add(v, ns);
	runstate_publish(v);
	vmm_unlock();
}

void xen_runstate_blocked(struct vcpu *v, uint64_t since, uint64_t due)
{
	uint64_t now = cpu_tsc(), late = due < now ? now - due : 0;

	v->ran_tsc += now - since;
	if (late > now - since)
		late = now - since;
	if (tsc_to_ns(late) < GIVEN_LEAST_NS)
		return;
	vmm_lock();
	runnable_add(v, tsc_to_ns(late));
	vmm_unlock();
}

int64_t runstate_get(struct vcpu *of, struct vcpu *v, uint64_t to, bool abi32)
{
	struct vcpu_runstate_info r;

	/* who asks once will ask again: from then on each exit says what was used until it */
	if (of == v && v->s->wanted & INSULA_VS_USED)
		xen_runstate_given(v);
	v->s->wanted |= INSULA_VS_USED;
	memset(&r, 0, sizeof(r));
	vmm_lock();
	runstate_fill(of, &r);
	r.time[of->runstate_now] += time_system_ns() - of->runstate_entry_ns;
	vmm_unlock();
	return argument_write(v, &compat_runstate_info, abi32, to, &r) ? 0 : -XEN_EFAULT;
}

int64_t runstate_register(struct vcpu *of, struct vcpu *v, uint64_t area, bool abi32)
{
	struct guest_area made = {.size = 0};

	if (area && !guest_area_set(v, &made, gva(area), (uint32_t)argument_size(&compat_runstate_info, abi32)))
		return -XEN_EFAULT;
	vmm_lock();
	of->runstate = made;
	runstate_publish(of);
	vmm_unlock();
	return 0;
}

int64_t vm_assist_op(struct vcpu *v, const uint64_t arg[5], bool abi32)
{
	(void)v, (void)abi32;
	if (arg[1] >= 64 || arg[1] != VMASST_TYPE_runstate_update_flag)
		return -XEN_EINVAL;
	if (arg[0] != VMASST_CMD_enable && arg[0] != VMASST_CMD_disable)
		return -XEN_ENOSYS;
	runstate_flag = arg[0] == VMASST_CMD_enable;
	return 0;
}
