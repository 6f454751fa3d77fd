/* Where the guest puts the shared pages: shared info, vcpu_info, grant frames; memory_op and hvm_op with hostile arguments. */
// links: servers/vmm/fake/vmm_fake.c servers/vmm/apic/lapic.c servers/vmm/console.c servers/vmm/cpuid.c lib/cpu_policy/cpu_policy.c lib/cpu_policy/cpu_policy_max.c servers/vmm/cr.c servers/vmm/exit.c
// links: servers/vmm/guest.c servers/vmm/io.c servers/vmm/lock.c servers/vmm/memory.c servers/vmm/mmio.c servers/vmm/msr.c
// links: servers/vmm/timer.c servers/vmm/context.c servers/vmm/vcpu.c servers/vmm/vcpu_start.c servers/vmm/load/cpu_record.c servers/vmm/walk.c servers/vmm/fetch.c
// links: servers/vmm/xen/console_io.c servers/vmm/xen/dispatch.c servers/vmm/xen/event_op.c servers/vmm/xen/evtchn.c servers/vmm/xen/evtchn_fifo.c servers/vmm/xen/evtchn_remote.c servers/vmm/xen/physmap_call.c user/message.c
// links: servers/vmm/xen/argument.c servers/vmm/xen/compat.c servers/vmm/xen/grant.c servers/vmm/xen/hvm.c servers/vmm/xen/foreign.c servers/vmm/xen/memory_op.c servers/vmm/xen/sched_op.c
// links: servers/vmm/xen/shared_info.c servers/vmm/xen/vcpu_op.c servers/vmm/xen/version.c
// links: lib/insn/insn.c lib/insn/insn_exec.c lib/pvclock/pvclock.c lib/ring/ring.c
// cflags: -std=gnu11 -iquote servers/vmm/fake/include -D__XEN_TOOLS__
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <errno.h>
#include "insula/exit_reason.h"
#include "proto/domain/domain.h"
#include "servers/vmm/fake/vmm_fake.h"
#include "servers/vmm/load/layout.h"
#include "servers/vmm/xen/evtchn.h"
#include "servers/vmm/xen/foreign.h"
#include <xen/errno.h>
#include <xen/grant_table.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/memory.h>
#include <xen/vcpu.h>
#include <xen/xen.h>

#define ARG	     0x2000u
#define EXTENT_SHIFT 6 /* in the operation, where a call that is continued starts */

__extension__ typedef unsigned __int128 wide;

static int setup(void **state)
{
	(void)state;
	fake_start(2);
	return 0;
}

static int64_t memory(uint64_t op, void *a, size_t size)
{
	const uint64_t arg[5] = {op, ARG};
	int64_t r;

	fake_poke(ARG, a, size);
	r = memory_op(vmm.vcpu[0], arg, false);
	fake_peek(ARG, a, size);
	return r;
}

static int64_t add(unsigned space, uint64_t index, uint64_t gfn)
{
	struct xen_add_to_physmap a = {.domid = DOMID_SELF, .space = space, .idx = index, .gpfn = gfn};

	return memory(XENMEM_add_to_physmap, &a, sizeof(a));
}

static int64_t register_info(uint32_t vcpu, uint64_t gfn, uint32_t offset)
{
	const struct vcpu_register_vcpu_info r = {.mfn = gfn, .offset = offset};
	const uint64_t arg[5] = {VCPUOP_register_vcpu_info, vcpu, ARG};

	fake_poke(ARG, &r, sizeof(r));
	return vcpu_op(vmm.vcpu[0], arg, false);
}

static void place_shared_info(void **state)
{
	struct shared_info *s;

	(void)state;
	assert_int_equal(add(XENMAPSPACE_shared_info, 0, 0x10), 0);
	s = (struct shared_info *)memory_at(gpa(0x10000), PAGE);
	assert_ptr_equal(shared_info_page(), s);
	assert_ptr_equal(vmm.vcpu[1]->vcpu_info, &s->vcpu_info[1]);
	assert_int_equal(s->wc_version & 1, 0);
	assert_int_equal(s->wc_sec, 1700000000);
	assert_int_equal(s->vcpu_info[0].time.version & 1, 0);
	/* the same place again changes nothing */
	evtchn_unmask(5);
	assert_int_equal(add(XENMAPSPACE_shared_info, 0, 0x10), 0);
	assert_int_equal(s->evtchn_mask[0], ~0x20ul);
	/* another place takes all of it along */
	assert_int_equal(add(XENMAPSPACE_shared_info, 0, 0x11), 0);
	s = (struct shared_info *)memory_at(gpa(0x11000), PAGE);
	assert_int_equal(s->evtchn_mask[0], ~0x20ul);
	assert_ptr_equal(vmm.vcpu[0]->vcpu_info, &s->vcpu_info[0]);
	/* outside RAM a page is made, but not where a device is */
	assert_int_equal(add(XENMAPSPACE_shared_info, 0, 0xfeff8), 0);
	assert_int_equal(add(XENMAPSPACE_shared_info, 0, LAPIC_BASE >> 12), -XEN_EINVAL);
	assert_int_equal(add(XENMAPSPACE_shared_info, 0, 1ull << 34), -XEN_EINVAL);
	assert_int_equal(add(XENMAPSPACE_shared_info, 0, UINT64_MAX), -XEN_EINVAL);
	assert_int_equal(add(XENMAPSPACE_shared_info, 0, (1ull << 34) - 1), 0);
	assert_int_equal(add(XENMAPSPACE_shared_info, 1, 0x10), -XEN_EINVAL);
	/* pages and memory are bounded */
	for (uint64_t gfn = 0x200000; gfn < 0x200000 + 300 * 512; gfn += 512)
		(void)add(XENMAPSPACE_shared_info, 0, gfn);
	assert_int_equal(add(XENMAPSPACE_shared_info, 0, 0x900000), -XEN_EINVAL);
	assert_int_equal(add(XENMAPSPACE_shared_info, 0, 0x10), 0);
}

static void place_vcpu_info(void **state)
{
	struct vcpu *v = vmm.vcpu[0];

	(void)state;
	assert_int_equal(register_info(0, 0x10, PAGE - sizeof(struct vcpu_info) + 1), -XEN_ENXIO);
	assert_int_equal(register_info(0, 0x10, UINT32_MAX), -XEN_ENXIO);
	assert_int_equal(register_info(0, FAKE_LOW_RAM >> 12, 0), -XEN_EINVAL);
	assert_int_equal(register_info(0, LAPIC_BASE >> 12, 0), -XEN_EINVAL);
	assert_int_equal(register_info(0, UINT64_MAX, 0), -XEN_EINVAL);
	assert_int_equal(register_info(2, 0x10, 0), -XEN_ENOENT);
	/* onto itself, shifted: the copy overlaps */
	assert_int_equal(add(XENMAPSPACE_shared_info, 0, 0x10), 0);
	assert_int_equal(register_info(0, 0x10, 8), 0);
	assert_ptr_equal(v->vcpu_info, memory_at(gpa(0x10008), 1));
	assert_int_equal(((struct vcpu_info *)v->vcpu_info)->evtchn_pending_sel, ~0ul);
	assert_int_equal(register_info(0, 0x11, 0), -XEN_EINVAL); /* once */
	/* of another vCPU only while it does not run */
	vmm.vcpu[1]->run = VCPU_RUNNING;
	assert_int_equal(register_info(1, 0x12, 64), -XEN_EINVAL);
	vmm.vcpu[1]->run = VCPU_OFFLINE;
	assert_int_equal(register_info(1, 0x12, 64), 0);
	/* moving the shared page leaves registered ones where they are */
	assert_int_equal(add(XENMAPSPACE_shared_info, 0, 0x20), 0);
	assert_ptr_equal(v->vcpu_info, memory_at(gpa(0x10008), 1));
}

/* pvclock as a guest computes it: system time by its own TSC, whatever offset that has. */
static uint64_t guest_clock(const struct vcpu *v)
{
	const struct vcpu_time_info *t = &((const struct vcpu_info *)v->vcpu_info)->time;
	uint64_t delta = fake.tsc + v->s->tsc_offset - t->tsc_timestamp;

	delta = t->tsc_shift >= 0 ? delta << t->tsc_shift : delta >> -t->tsc_shift;
	return t->system_time + (uint64_t)(((wide)delta * t->tsc_to_system_mul) >> 32);
}

static void clock_follows_the_tsc(void **state)
{
	struct vcpu *v = vmm.vcpu[0];

	(void)state;
	assert_int_equal(add(XENMAPSPACE_shared_info, 0, 0x10), 0);
	fake_advance_ns(123456789);
	assert_in_range(guest_clock(v), 123456780, 123456790);
	v->s->gpr[INSULA_RCX] = 0x10;
	v->s->gpr[INSULA_RAX] = v->s->gpr[INSULA_RDX] = 0;
	v->s->length = 2;
	msr_write_exit(v); /* the guest sets its TSC to 0 */
	assert_in_range(guest_clock(v), 123456780, 123456790);
	v->s->gpr[INSULA_RCX] = 0x3b;
	v->s->gpr[INSULA_RAX] = 5000;
	msr_write_exit(v);
	assert_in_range(guest_clock(v), 123456780, 123456790);
}

/* The domain manager's answer to a grant's map: there is no such domain. */
static int bad_domain(struct message *m, uint64_t label)
{
	assert_int_equal(label, DOMAIN_VMM_GRANT_MAP);
	message_begin(m);
	message_put(m, (uint64_t)(int64_t)GNTST_bad_domain);
	message_put(m, 0);
	message_begin_read(m);
	return 0;
}

static void grants(void **state)
{
	struct gnttab_query_size q = {.dom = DOMID_SELF};
	struct gnttab_setup_table s = {.dom = DOMID_SELF, .nr_frames = 3};
	uint64_t arg[5] = {GNTTABOP_query_size, ARG, 1};
	xen_pfn_t frames[3];

	(void)state;
	memset((void *)(TASK_RAM_VADDR + 0x15000), 0xee, PAGE);
	assert_int_equal(add(XENMAPSPACE_grant_table, 0, 0x15), 0);
	assert_int_equal(*(uint8_t *)(TASK_RAM_VADDR + 0x15fff), 0);
	assert_int_equal(add(XENMAPSPACE_grant_table, 0, 0x15), 0);
	/* it goes where the guest wants it next, with what is in it; where it was in RAM, that stays */
	*(uint8_t *)(TASK_RAM_VADDR + 0x15ffe) = 0x77;
	assert_int_equal(add(XENMAPSPACE_grant_table, 0, 0x16), 0);
	assert_int_equal(*(uint8_t *)(TASK_RAM_VADDR + 0x16ffe), 0x77);
	assert_int_equal(add(XENMAPSPACE_grant_table, 1, 0x16), -XEN_EBUSY);
	assert_int_equal(add(XENMAPSPACE_shared_info, 0, 0x16), -XEN_EBUSY);
	assert_int_equal(add(XENMAPSPACE_grant_table, 0, 0xfeff0), 0);
	assert_int_equal(*(uint8_t *)(TASK_RAM_VADDR + 0xfeff0ffe), 0x77);
	assert_int_equal(add(XENMAPSPACE_grant_table, 0, 0x15), 0);
	/* outside RAM there is nothing any more, until it is wanted there again */
	assert_null(memory_at(gpa(0xfeff0000), 1));
	assert_int_equal(add(XENMAPSPACE_shared_info, 0, 0xfeff0), 0);
	assert_int_equal(add(XENMAPSPACE_grant_table, 0, 0xfeff0), -XEN_EBUSY);
	assert_int_equal(*(uint8_t *)(TASK_RAM_VADDR + 0xfeff0ffe), 0);
	{
		domid_t self = DOMID_SELF;
		const uint64_t there[5] = {XENMEM_maximum_reservation, 0xfeff0100};

		/* it is the guest's, and found again, but only until it goes */
		*(domid_t *)(TASK_RAM_VADDR + 0xfeff0100) = self;
		assert_true(memory_op(vmm.vcpu[0], there, false) > 0);
		assert_true(memory_op(vmm.vcpu[0], there, false) > 0);
		assert_int_equal(add(XENMAPSPACE_shared_info, 0, 0x17), 0);
		assert_int_equal(memory_op(vmm.vcpu[0], there, false), -XEN_EFAULT);
	}
	assert_null(memory_at(gpa(0xfeff0000), 1));
	assert_int_equal(add(XENMAPSPACE_grant_table, 63, 0xfefff), 0);
	assert_int_equal(add(XENMAPSPACE_grant_table, 64, 0x17), -XEN_EINVAL);
	assert_int_equal(add(XENMAPSPACE_grant_table, UINT64_MAX, 0x17), -XEN_EINVAL);
	assert_int_equal(add(XENMAPSPACE_grant_table, XENMAPIDX_grant_table_status, 0x17), -XEN_EINVAL);
	assert_int_equal(add(XENMAPSPACE_grant_table, 1, LAPIC_BASE >> 12), -XEN_ENOMEM);
	fake_poke(ARG, &q, sizeof(q));
	assert_int_equal(grant_table_op(vmm.vcpu[0], arg, false), 0);
	fake_peek(ARG, &q, sizeof(q));
	assert_int_equal(q.nr_frames, 64);
	assert_int_equal(q.max_nr_frames, 64);
	/* the list of frames at the end of RAM, and one past it */
	arg[0] = GNTTABOP_setup_table;
	s.frame_list.p = (void *)(uintptr_t)(FAKE_LOW_RAM - sizeof(frames));
	fake_poke(ARG, &s, sizeof(s));
	assert_int_equal(grant_table_op(vmm.vcpu[0], arg, false), 0);
	fake_peek(FAKE_LOW_RAM - sizeof(frames), frames, sizeof(frames));
	assert_int_equal(frames[0], 0x15);
	assert_int_equal(frames[1], ~0ul);
	s.frame_list.p = (void *)(uintptr_t)(FAKE_LOW_RAM - sizeof(frames) + 1);
	fake_poke(ARG, &s, sizeof(s));
	assert_int_equal(grant_table_op(vmm.vcpu[0], arg, false), -XEN_EFAULT);
	s.nr_frames = UINT32_MAX;
	fake_poke(ARG, &s, sizeof(s));
	assert_int_equal(grant_table_op(vmm.vcpu[0], arg, false), 0);
	fake_peek(ARG, &s, sizeof(s));
	assert_int_equal(s.status, GNTST_general_error);
	/* batches whose addresses wrap, or are longer than memory */
	for (uint64_t op = 0; op < 14; op++) {
		static const uint64_t at[] = {UINT64_MAX - 64, FAKE_LOW_RAM - 4, 0x7ffffffffff8ull};

		for (unsigned i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
			uint64_t hostile[5] = {op, at[i], 1000};
			int64_t r = grant_table_op(vmm.vcpu[0], hostile, false);

			assert_true(r == -XEN_EFAULT || r == -XEN_ENOSYS || r == -XEN_EINVAL);
			hostile[2] = UINT32_MAX;
			r = grant_table_op(vmm.vcpu[0], hostile, false);
			assert_true(r == -XEN_EINVAL);
		}
	}
	{
		struct gnttab_map_grant_ref m[2] = {{.dom = 0}, {.dom = 1}};
		const uint64_t map[5] = {GNTTABOP_map_grant_ref, ARG, 2};

		m[0].host_addr = 64ull << 20;
		fake_poke(ARG, m, sizeof(m));
		fake.call = bad_domain;
		assert_int_equal(grant_table_op(vmm.vcpu[0], map, false), 0);
		fake.call = NULL;
		fake_peek(ARG, m, sizeof(m));
		assert_int_equal(m[0].status, GNTST_bad_domain);
		/* a place where the domain has memory */
		assert_int_equal(m[1].status, GNTST_bad_virt_addr);
	}
}

/* The domain manager gives back pages below 100, and has room for those below 70. */
static int balloon(struct message *m, uint64_t label)
{
	uint64_t most = label == DOMAIN_VMM_OUT ? 100 : 70, done = 0;

	if (label == DOMAIN_VMM_RESERVATION) {
		message_begin(m);
		message_put(m, 55);
		message_put(m, 66);
	} else if (label == DOMAIN_VMM_NEED) {
		return -ENOENT;
	} else {
		assert_true(label == DOMAIN_VMM_OUT || label == DOMAIN_VMM_IN);
		assert_in_range(m->length, 1, DOMAIN_PAGES);
		message_begin_read(m);
		while (done < m->length && message_get(m) < most)
			done++;
		message_begin(m);
		message_put(m, done);
	}
	message_begin_read(m);
	return 0;
}

static void ballooning(void **state)
{
	struct xen_memory_reservation r = {.domid = DOMID_SELF, .nr_extents = 80};
	domid_t self = DOMID_SELF;
	xen_pfn_t gfn[200];

	(void)state;
	for (unsigned i = 0; i < 200; i++)
		gfn[i] = i;
	fake_poke(0x3000, gfn, sizeof(gfn));
	r.extent_start.p = (void *)0x3000;
	fake.call = balloon;
	assert_int_equal(memory(XENMEM_decrease_reservation, &r, sizeof(r)), 80);
	assert_int_equal(memory(XENMEM_populate_physmap, &r, sizeof(r)), 70);
	assert_int_equal(memory(XENMEM_increase_reservation, &r, sizeof(r)), 0);
	/* from the 75th on, as a call that is continued */
	assert_int_equal(memory(XENMEM_decrease_reservation | 75 << EXTENT_SHIFT, &r, sizeof(r)), 80);
	assert_int_equal(memory(XENMEM_populate_physmap | 75 << EXTENT_SHIFT, &r, sizeof(r)), 75);
	assert_int_equal(memory(XENMEM_populate_physmap | 200 << EXTENT_SHIFT, &r, sizeof(r)), 200);
	r.nr_extents = UINT64_MAX;
	assert_int_equal(memory(XENMEM_decrease_reservation, &r, sizeof(r)), 100);
	r.extent_start.p = (void *)(uintptr_t)FAKE_LOW_RAM;
	assert_int_equal(memory(XENMEM_decrease_reservation, &r, sizeof(r)), 0);
	r.extent_start.p = (void *)(uintptr_t)(FAKE_LOW_RAM - 8 * DOMAIN_PAGES);
	fake_poke(FAKE_LOW_RAM - 8 * DOMAIN_PAGES, gfn, 8 * DOMAIN_PAGES);
	assert_int_equal(memory(XENMEM_decrease_reservation, &r, sizeof(r)), DOMAIN_PAGES);
	r.extent_order = 9;
	assert_int_equal(memory(XENMEM_decrease_reservation, &r, sizeof(r)), 0);
	assert_int_equal(memory(XENMEM_current_reservation, &self, 2), 55);
	assert_int_equal(memory(XENMEM_maximum_reservation, &self, 2), 66);
	fake.call = NULL;
}

#define PLUGGED 0x80000u /* a page far from RAM; the next is not populated, the third was given back */
static unsigned needs;

static int plug(struct message *m, uint64_t label)
{
	message_begin_read(m);
	if (label == DOMAIN_VMM_NEED) {
		uint64_t gfn = message_get(m);

		needs++;
		if (gfn != PLUGGED && gfn != PLUGGED + 2 && gfn != PLUGGED + 512)
			return -ENOENT;
		message_begin(m);
		message_put(m, gfn == PLUGGED + 2 ? 0 : gfn == PLUGGED ? DOMAIN_NEED_RAM : DOMAIN_NEED_RAM | DOMAIN_NEED_WHOLE);
	} else {
		unsigned n = m->length;

		assert_int_equal(label, DOMAIN_VMM_IN);
		message_begin(m);
		message_put(m, n);
	}
	message_begin_read(m);
	return 0;
}

/* Pages where the domain had none: what the domain manager says of them is asked for once. */
static void plugged_memory(void **state)
{
	struct xen_memory_reservation r = {.domid = DOMID_SELF, .nr_extents = 2};
	xen_pfn_t gfn[2] = {PLUGGED, PLUGGED + 512};

	(void)state;
	fake.call = plug;
	fake.start.flags |= VMM_START_BARE;
	assert_null(memory_at(gpa((uint64_t)PLUGGED << 12), 8));
	assert_false(memory_demand(gpa((uint64_t)PLUGGED << 12)));
	assert_int_equal(needs, 0);
	fake_poke(0x3000, gfn, sizeof(gfn));
	r.extent_start.p = (void *)0x3000;
	assert_int_equal(memory(XENMEM_populate_physmap, &r, sizeof(r)), 2);
	for (unsigned i = 0; i < 2; i++)
		assert_ptr_equal(memory_at(gpa((uint64_t)PLUGGED << 12), PAGE), TASK_RAM_VADDR + ((uint64_t)PLUGGED << 12));
	assert_int_equal(needs, 1);
	assert_null(memory_at(gpa((PLUGGED + 1ull) << 12), 8));
	assert_null(memory_at(gpa((PLUGGED + 0ull) << 12), PAGE + 1));
	/* of the next 2 MiB all is there: over any number of pages, but not past what was plugged */
	needs = 0;
	assert_non_null(memory_at(gpa((PLUGGED + 512ull) << 12), 512 * PAGE));
	assert_non_null(memory_at(gpa((PLUGGED + 700ull) << 12), 8));
	assert_int_equal(needs, 1);
	assert_null(memory_at(gpa((PLUGGED + 512ull) << 12), 512 * PAGE + 1));
	/* the guest's own accesses: only where it has memory is it to try again */
	assert_true(memory_demand(gpa((uint64_t)PLUGGED << 12)));
	assert_false(memory_demand(gpa((PLUGGED + 1ull) << 12)));
	assert_false(memory_demand(gpa((PLUGGED + 2ull) << 12)));
	assert_non_null(memory_at(gpa((PLUGGED + 2ull) << 12), 8));
	/* not over the local APIC, and not past what there is of addresses */
	gfn[0] = LAPIC_BASE >> 12;
	fake_poke(0x3000, gfn, sizeof(gfn));
	assert_int_equal(memory(XENMEM_populate_physmap, &r, sizeof(r)), 0);
	gfn[0] = 1ull << 34;
	fake_poke(0x3000, gfn, sizeof(gfn));
	assert_int_equal(memory(XENMEM_populate_physmap, &r, sizeof(r)), 0);
	fake.call = NULL;
}

#define NOTHING_AT 0x200000u /* from this page on the guest has nothing */
#define NOT_THERE  99u	       /* of the other domain's pages */
static struct {
	unsigned calls, pages, gone;
	uint64_t from_gfn[100];
} asked;

static int manager(struct message *m, uint64_t label)
{
	uint64_t gfn, from_gfn, from, one, answer[DOMAIN_FOREIGNS];
	unsigned n, gone;

	message_begin_read(m);
	one = message_get(m);
	if (label == DOMAIN_VMM_FOREIGN) {
		from = message_get(m);
		from_gfn = message_get(m);
		asked.gone += message_get(m) != 0;
		assert_int_equal(from, 5);
		asked.from_gfn[one - NOTHING_AT] = from_gfn;
		asked.calls++;
		asked.pages++;
		return from_gfn == NOT_THERE ? -ENOENT : 0;
	}
	if (label != DOMAIN_VMM_FOREIGN_MANY)
		return -EPERM;
	gone = (unsigned)message_get(m);
	n = ((unsigned)m->length - 2 - gone) / 2;
	assert_true(m->length == 2 + gone + 2 * n && n <= DOMAIN_FOREIGNS);
	assert_true(one == 5 || !n);
	for (unsigned i = 0; i < gone; i++)
		assert_true(asked.from_gfn[message_get(m) - NOTHING_AT]);
	asked.gone += gone;
	for (unsigned i = 0; i < n; i++) {
		gfn = message_get(m);
		from_gfn = message_get(m);
		asked.from_gfn[gfn - NOTHING_AT] = from_gfn;
		answer[i] = (uint64_t)(from_gfn == NOT_THERE ? -ENOENT : 0);
	}
	asked.calls++;
	asked.pages += n;
	message_begin(m);
	for (unsigned i = 0; i < n; i++)
		message_put(m, answer[i]);
	return 0;
}

/* Pages of another domain, many by one call: each has its own error, and those before what cannot be read are done. */
static void foreign_pages(void **state)
{
	struct xen_add_to_physmap_batch b = {.domid = DOMID_SELF, .space = XENMAPSPACE_gmfn_foreign, .size = 70, .u.foreign_domid = 5};
	xen_ulong_t index[70];
	xen_pfn_t gfn[70];
	int32_t errors[70];

	(void)state;
	fake.control_domain = true;
	fake.call = manager;
	for (unsigned i = 0; i < 70; i++) {
		index[i] = i == 50 ? NOT_THERE : 1000 + i;
		gfn[i] = NOTHING_AT + i;
	}
	b.idxs.p = (void *)0x3000;
	b.gpfns.p = (void *)0x4000;
	b.errs.p = (void *)0x5000;
	fake_poke(0x3000, index, sizeof(index));
	fake_poke(0x4000, gfn, sizeof(gfn));
	assert_int_equal(memory(XENMEM_add_to_physmap_batch, &b, sizeof(b)), 0);
	fake_peek(0x5000, errors, sizeof(errors));
	assert_int_equal(asked.pages, 70);
	assert_int_equal(asked.calls, 3);
	for (unsigned i = 0; i < 70; i++) {
		assert_int_equal(errors[i], i == 50 ? -XEN_ENOENT : 0);
		assert_int_equal(asked.from_gfn[i], index[i]);
	}
	/* where the guest has something nobody is asked */
	memset(&asked, 0, sizeof(asked));
	gfn[40] = 0x18;
	fake_poke(0x4000, gfn, sizeof(gfn));
	assert_int_equal(memory(XENMEM_add_to_physmap_batch, &b, sizeof(b)), 0);
	fake_peek(0x5000, errors, sizeof(errors));
	for (unsigned i = 0; i < 70; i++)
		assert_int_equal(errors[i], i == 40 ? -XEN_EINVAL : i == 50 ? -XEN_ENOENT : 0);
	assert_int_equal(asked.pages, 69);
	/* of three entries two can be read */
	memset(&asked, 0, sizeof(asked));
	b.size = 3;
	b.idxs.p = (void *)(uintptr_t)(FAKE_LOW_RAM - 16);
	fake_poke(FAKE_LOW_RAM - 16, index, 16);
	assert_int_equal(memory(XENMEM_add_to_physmap_batch, &b, sizeof(b)), -XEN_EFAULT);
	assert_int_equal(asked.pages, 2);
	assert_int_equal(asked.from_gfn[1], index[1]);
	fake.call = NULL;
	fake.control_domain = false;
}

static void two_pages(struct xen_add_to_physmap_batch *b)
{
	struct xen_remove_from_physmap gone = {.domid = DOMID_SELF, .gpfn = NOTHING_AT};

	memset(&asked, 0, sizeof(asked));
	assert_int_equal(memory(XENMEM_add_to_physmap_batch, b, sizeof(*b)), 0);
	for (; gone.gpfn < NOTHING_AT + 2; gone.gpfn++)
		assert_int_equal(memory(XENMEM_remove_from_physmap, &gone, sizeof(gone)), 0);
	assert_int_equal(asked.gone, 0);
}

/* A page that is taken out is so before anything but the next of its kind is done: another operation on memory, another hypercall, another exit. */
static void foreign_pages_go(void **state)
{
	struct xen_add_to_physmap_batch b = {.domid = DOMID_SELF, .space = XENMAPSPACE_gmfn_foreign, .size = 2, .u.foreign_domid = 5};
	xen_ulong_t index[2] = {1000, 1001};
	xen_pfn_t gfn[2] = {NOTHING_AT, NOTHING_AT + 1};
	domid_t self = DOMID_SELF;
	const uint64_t arg[5] = {0};

	(void)state;
	fake.control_domain = true;
	fake.call = manager;
	foreign_init();
	b.idxs.p = (void *)0x3000;
	b.gpfns.p = (void *)0x4000;
	b.errs.p = (void *)0x5000;
	fake_poke(0x3000, index, sizeof(index));
	fake_poke(0x4000, gfn, sizeof(gfn));
	two_pages(&b);
	assert_int_equal(memory(XENMEM_maximum_gpfn, &self, 2) >= 0, 1);
	assert_int_equal(asked.gone, 2);
	two_pages(&b);
	assert_int_equal(add(XENMAPSPACE_shared_info, 0, 0x10), 0);
	assert_int_equal(asked.gone, 2);
	two_pages(&b);
	b.space = XENMAPSPACE_grant_table;
	(void)memory(XENMEM_add_to_physmap_batch, &b, sizeof(b));
	b.space = XENMAPSPACE_gmfn_foreign;
	assert_int_equal(asked.gone, 2);
	two_pages(&b);
	assert_int_equal(hypercall_call(vmm.vcpu[0], __HYPERVISOR_xen_version, arg, false) > 0, 1);
	assert_int_equal(asked.gone, 2);
	two_pages(&b);
	vmm.vcpu[0]->s->reason = EXIT_INTERRUPT_WINDOW;
	exit_handle(vmm.vcpu[0]);
	assert_int_equal(asked.gone, 2);
	fake.call = NULL;
	fake.control_domain = false;
	foreign_init();
}

static void memory_ops(void **state)
{
	domid_t self = DOMID_SELF, other = 3;
	struct xen_memory_reservation r = {.domid = DOMID_SELF, .nr_extents = 100};
	struct xen_add_to_physmap_batch b = {.domid = DOMID_SELF, .space = XENMAPSPACE_grant_table, .size = 2};
	struct xen_remove_from_physmap gone = {.domid = DOMID_SELF, .gpfn = 1};
	xen_ulong_t index[2] = {0, 99};
	xen_pfn_t gfn[2] = {0x18, 0x19};
	int32_t errors[2] = {7, 7};

	(void)state;
	assert_int_equal(memory(XENMEM_current_reservation, &self, 2), vmm.ram_bytes >> 12);
	assert_int_equal(memory(XENMEM_maximum_gpfn, &self, 2), ((FAKE_HIGH_RAM + FAKE_HIGH_SIZE) >> 12) - 1);
	assert_int_equal(memory(XENMEM_current_reservation, &other, 2), -XEN_EPERM);
	assert_int_equal(memory(XENMEM_populate_physmap, &r, sizeof(r)), 0);
	r.domid = 3;
	assert_int_equal(memory(XENMEM_decrease_reservation, &r, sizeof(r)), 0);
	r.domid = DOMID_IO;
	assert_int_equal(memory(XENMEM_populate_physmap | 7 << EXTENT_SHIFT, &r, sizeof(r)), 7);
	assert_int_equal(memory(XENMEM_acquire_resource, &self, 2), -XEN_EACCES);
	assert_int_equal(memory(XENMEM_current_reservation, &(domid_t){DOMID_IO}, 2), -XEN_ESRCH);
	assert_int_equal(memory(XENMEM_remove_from_physmap, &gone, sizeof(gone)), -XEN_ENOENT);
	assert_int_equal(add(XENMAPSPACE_gmfn_foreign, 0, 0x10), -XEN_EPERM);
	assert_int_equal(add(XENMAPSPACE_gmfn, 0, 0x10), -XEN_EINVAL);
	assert_int_equal(add(999, 0, 0x10), -XEN_EINVAL);
	b.idxs.p = (void *)0x3000;
	b.gpfns.p = (void *)0x3100;
	b.errs.p = (void *)0x3200;
	fake_poke(0x3000, index, sizeof(index));
	fake_poke(0x3100, gfn, sizeof(gfn));
	fake_poke(0x3200, errors, sizeof(errors));
	assert_int_equal(memory(XENMEM_add_to_physmap_batch, &b, sizeof(b)), 0);
	fake_peek(0x3200, errors, sizeof(errors));
	assert_int_equal(errors[0], 0);
	assert_int_equal(errors[1], -XEN_EINVAL);
	b.size = 65535;
	b.idxs.p = (void *)UINTPTR_MAX;
	assert_int_equal(memory(XENMEM_add_to_physmap_batch, &b, sizeof(b)), -XEN_EFAULT);
	b.idxs.p = (void *)0x3000;
	b.errs.p = (void *)(uintptr_t)FAKE_LOW_RAM;
	assert_int_equal(memory(XENMEM_add_to_physmap_batch, &b, sizeof(b)), -XEN_EFAULT);
	for (uint64_t op = 0; op < 80; op++) {
		const uint64_t arg[5] = {op, FAKE_LOW_RAM - 1};

		int64_t result = memory_op(vmm.vcpu[0], arg, false);

		if (op % 64 == XENMEM_increase_reservation || op % 64 == XENMEM_decrease_reservation || op % 64 == XENMEM_populate_physmap)
			assert_int_equal(result, op / 64);
		else
			assert_true(result < 0);
	}
}

static int64_t param(uint64_t op, uint32_t index, uint64_t *value)
{
	struct xen_hvm_param p = {.domid = DOMID_SELF, .index = index, .value = *value};
	const uint64_t arg[5] = {op, ARG};
	int64_t r;

	fake_poke(ARG, &p, sizeof(p));
	r = hvm_op(vmm.vcpu[0], arg, false);
	fake_peek(ARG, &p, sizeof(p));
	*value = p.value;
	return r;
}

static void parameters(void **state)
{
	uint64_t value = 0;

	(void)state;
	assert_int_equal(param(HVMOP_get_param, HVM_PARAM_CONSOLE_PFN, &value), 0);
	assert_int_equal(value, LAYOUT_CONSOLE_GPA >> 12);
	assert_int_equal(param(HVMOP_get_param, HVM_NR_PARAMS, &value), -XEN_EINVAL);
	assert_int_equal(param(HVMOP_get_param, UINT32_MAX, &value), -XEN_EINVAL);
	assert_int_equal(param(HVMOP_set_param, UINT32_MAX, &value), -XEN_EINVAL);
	for (uint32_t i = 0; i < HVM_NR_PARAMS; i++)
		if (i != HVM_PARAM_CALLBACK_IRQ && i != HVM_PARAM_STORE_EVTCHN && i != HVM_PARAM_CONSOLE_EVTCHN)
			assert_int_equal(param(HVMOP_set_param, i, &value), -XEN_EPERM);
	value = 77;
	assert_int_equal(param(HVMOP_set_param, HVM_PARAM_STORE_EVTCHN, &value), 0);
	value = 0;
	assert_int_equal(param(HVMOP_get_param, HVM_PARAM_STORE_EVTCHN, &value), 0);
	assert_int_equal(value, 77);
	assert_int_equal(param(HVMOP_get_param, HVM_PARAM_IOREQ_PFN, &value), -XEN_EPERM);
	for (unsigned vector = 0; vector < 16; vector++) {
		value = (uint64_t)HVM_PARAM_CALLBACK_TYPE_VECTOR << 56 | vector;
		assert_int_equal(param(HVMOP_set_param, HVM_PARAM_CALLBACK_IRQ, &value), -XEN_EINVAL);
	}
	value = (uint64_t)HVM_PARAM_CALLBACK_TYPE_VECTOR << 56 | 0xf3;
	assert_int_equal(param(HVMOP_set_param, HVM_PARAM_CALLBACK_IRQ, &value), 0);
	assert_int_equal(hvm_callback_vector(), 0xf3);
	{
		struct xen_hvm_evtchn_upcall_vector u = {.vcpu = 1, .vector = 0xf3};
		const uint64_t arg[5] = {HVMOP_set_evtchn_upcall_vector, ARG}, hole[5] = {HVMOP_set_evtchn_upcall_vector, UINT64_MAX};

		fake_poke(ARG, &u, sizeof(u));
		assert_int_equal(hvm_op(vmm.vcpu[0], arg, false), 0);
		assert_int_equal(vmm.vcpu[1]->upcall_vector, 0xf3);
		u.vcpu = 2;
		fake_poke(ARG, &u, sizeof(u));
		assert_int_equal(hvm_op(vmm.vcpu[0], arg, false), -XEN_ENOENT);
		u = (struct xen_hvm_evtchn_upcall_vector){.vcpu = 0, .vector = 15};
		fake_poke(ARG, &u, sizeof(u));
		assert_int_equal(hvm_op(vmm.vcpu[0], arg, false), -XEN_EINVAL);
		assert_int_equal(hvm_op(vmm.vcpu[0], hole, false), -XEN_EFAULT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(place_shared_info, setup),
		cmocka_unit_test_setup(place_vcpu_info, setup),
		cmocka_unit_test_setup(clock_follows_the_tsc, setup),
		cmocka_unit_test_setup(grants, setup),
		cmocka_unit_test_setup(ballooning, setup),
		cmocka_unit_test_setup(plugged_memory, setup),
		cmocka_unit_test_setup(foreign_pages, setup),
		cmocka_unit_test_setup(foreign_pages_go, setup), cmocka_unit_test_setup(memory_ops, setup),
		cmocka_unit_test_setup(parameters, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
