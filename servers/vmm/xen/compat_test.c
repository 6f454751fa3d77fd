/* The 32-bit ABI: its structures against native ones, and 32-bit code that makes hypercalls: what it must find where, and the shared page's layout. */
// links: servers/vmm/fake/vmm_fake.c servers/vmm/apic/lapic.c servers/vmm/console.c servers/vmm/cpuid.c lib/cpu_policy/cpu_policy.c lib/cpu_policy/cpu_policy_max.c servers/vmm/cr.c servers/vmm/exit.c
// links: servers/vmm/guest.c servers/vmm/io.c servers/vmm/lock.c servers/vmm/memory.c servers/vmm/mmio.c servers/vmm/msr.c
// links: servers/vmm/timer.c servers/vmm/context.c servers/vmm/vcpu.c servers/vmm/vcpu_start.c servers/vmm/load/cpu_record.c servers/vmm/walk.c servers/vmm/fetch.c
// links: servers/vmm/xen/console_io.c servers/vmm/xen/dispatch.c servers/vmm/xen/event_op.c servers/vmm/xen/evtchn.c servers/vmm/xen/evtchn_fifo.c servers/vmm/xen/evtchn_remote.c servers/vmm/xen/physmap_call.c user/message.c
// links: servers/vmm/xen/argument.c servers/vmm/xen/grant.c servers/vmm/xen/hvm.c servers/vmm/xen/foreign.c servers/vmm/xen/memory_op.c servers/vmm/xen/sched_op.c
// links: servers/vmm/xen/shared_info.c servers/vmm/xen/vcpu_op.c servers/vmm/xen/version.c
// links: lib/insn/insn.c lib/insn/insn_exec.c lib/pvclock/pvclock.c lib/ring/ring.c
// cflags: -std=gnu11 -iquote servers/vmm/fake/include -D__XEN_TOOLS__
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "proto/domain/domain.h"
#include "servers/vmm/fake/vmm_fake.h"
#include "servers/vmm/xen/argument.h"
#include "servers/vmm/xen/evtchn.h"
#include <xen/errno.h>
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/memory.h>
#include <xen/sched.h>
#include <xen/vcpu.h>
#include <xen/version.h>
#include <xen/xen.h>
#include <xen/foreign/x86_32.h>

#define ARG  0x2000u
#define LIST 0x3000u
#define JUNK 0xdddddddd00000000ull /* what 32-bit code does not see of its registers */

static const struct compat_layout *const layouts[] = {
	&compat_add_to_physmap,	    &compat_add_to_physmap_batch,  &compat_remove_from_physmap, &compat_memory_reservation,    &compat_memory_map,
	&compat_gnttab_setup_table, &compat_gnttab_copy,	   &compat_sched_poll,	       &compat_set_singleshot_timer,
	&compat_register_time_area, &compat_register_runstate_area, &compat_runstate_info,	&compat_platform_parameters,
};

/* 32-bit protected mode without paging. */
static void code_32(struct vcpu *v)
{
	v->s->cr0 = 0x11;
	v->s->efer = 0;
	v->s->seg[INSULA_CS].ar = 0xc09b;
}

static int setup(void **state)
{
	(void)state;
	fake.intel = false;
	fake_start(2);
	code_32(vmm.vcpu[0]);
	return 0;
}

static int32_t call(uint32_t number, uint32_t a, uint32_t b, uint32_t c)
{
	struct vcpu *v = vmm.vcpu[0];

	fake_poke(0x1000, "\x0f\x01\xd9", 3);
	v->s->rip = 0x1000;
	v->s->length = 0;
	v->s->gpr[INSULA_RAX] = JUNK | number;
	v->s->gpr[INSULA_RBX] = JUNK | a;
	v->s->gpr[INSULA_RCX] = JUNK | b;
	v->s->gpr[INSULA_RDX] = JUNK | c;
	hypercall_exit(v);
	assert_int_equal(v->s->gpr[INSULA_RAX] >> 32, 0);
	return (int32_t)v->s->gpr[INSULA_RAX];
}

/* Each byte of the 32-bit structure that is of a member comes back from where it went, and no two members share one. */
static void structures(void **state)
{
	(void)state;
	for (unsigned n = 0; n < sizeof(layouts) / sizeof(layouts[0]); n++) {
		const struct compat_layout *l = layouts[n];
		uint8_t compat[COMPAT_BYTES], native[64], back[COMPAT_BYTES], used[COMPAT_BYTES] = {0}, taken[64] = {0};

		assert_true(l->compat_bytes <= COMPAT_BYTES && l->native_bytes <= sizeof(native));
		for (unsigned i = 0; i < sizeof(compat); i++)
			compat[i] = (uint8_t)(i + 1);
		for (unsigned f = 0; f < l->fields; f++) {
			assert_true(l->field[f].compat + l->field[f].compat_bytes <= l->compat_bytes);
			assert_true(l->field[f].native + l->field[f].native_bytes <= l->native_bytes);
			assert_true(l->field[f].compat_bytes && l->field[f].compat_bytes <= l->field[f].native_bytes);
			assert_int_equal(compat_offset(l, l->field[f].native), l->field[f].compat);
			for (unsigned i = 0; i < l->field[f].compat_bytes; i++)
				assert_int_equal(used[l->field[f].compat + i]++, 0);
			for (unsigned i = 0; i < l->field[f].native_bytes; i++)
				assert_int_equal(taken[l->field[f].native + i]++, 0);
		}
		memset(native, 0xee, sizeof(native));
		compat_to_native(l, compat, native);
		memset(back, 0xee, sizeof(back));
		compat_from_native(l, native, back);
		for (unsigned i = 0; i < sizeof(back); i++)
			assert_int_equal(back[i], i >= l->compat_bytes ? 0xee : used[i] ? compat[i] : 0);
		for (unsigned i = 0; i < sizeof(native); i++)
			assert_true(i >= l->native_bytes ? native[i] == 0xee : taken[i] || native[i] == 0);
	}
}

static int32_t add(uint32_t space, uint32_t index, uint32_t gfn)
{
	const uint32_t a[4] = {DOMID_SELF, space, index, gfn};

	fake_poke(ARG, a, sizeof(a));
	return call(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, ARG, 0);
}

static void memory(void **state)
{
	const uint32_t indices[2] = {2, 3}, gfns[2] = {0x12, 0x34000};
	uint16_t batch[10] = {DOMID_SELF, XENMAPSPACE_grant_table, 2};
	const uint32_t lists[3] = {LIST, LIST + 8, LIST + 16}, removed[2] = {DOMID_SELF, 0x12};
	int32_t errors[2] = {7, 7};
	uint32_t other[5] = {LIST, 1, 0, 0, 5};

	(void)state;
	assert_int_equal(add(XENMAPSPACE_grant_table, 0, 0x10), 0);
	assert_int_equal(add(XENMAPSPACE_grant_table, 1, 0xffffffff), 0);
	assert_non_null(memory_at(gpa(0xfffffffffffull), 1));
	memcpy(batch + 4, lists, sizeof(lists));
	fake_poke(LIST, indices, 8);
	fake_poke(LIST + 8, gfns, 8);
	fake_poke(ARG, batch, sizeof(batch));
	assert_int_equal(call(__HYPERVISOR_memory_op, XENMEM_add_to_physmap_batch, ARG, 0), 0);
	fake_peek(LIST + 16, errors, sizeof(errors));
	assert_int_equal(errors[0], 0);
	assert_int_equal(errors[1], 0);
	assert_non_null(memory_at(gpa(0x34000000), 1));
	fake_poke(ARG, removed, sizeof(removed));
	assert_int_equal(call(__HYPERVISOR_memory_op, XENMEM_remove_from_physmap, ARG, 0), -XEN_ENOENT);
	/* another domain's, and the end of memory right behind the structure */
	fake_poke(ARG, other, sizeof(other));
	assert_int_equal(call(__HYPERVISOR_memory_op, XENMEM_populate_physmap, ARG, 0), 0);
	other[4] = DOMID_SELF;
	fake_poke(FAKE_LOW_RAM - 20, other, sizeof(other));
	assert_int_equal(call(__HYPERVISOR_memory_op, XENMEM_populate_physmap, FAKE_LOW_RAM - 20, 0), 0);
	assert_int_equal(call(__HYPERVISOR_memory_op, XENMEM_populate_physmap, FAKE_LOW_RAM - 17, 0), 0);
}

static struct {
	unsigned count;
	uint64_t gfn[200];
	struct domain_copy copy;
} asked;

/* The domain manager's part: pages that are given back, a copy, a map of memory. */
static int manager(struct message *m, uint64_t label)
{
	uint64_t n = m->length;

	message_begin_read(m);
	switch (label) {
	case DOMAIN_VMM_OUT:
		for (uint64_t i = 0; i < n; i++)
			asked.gfn[asked.count++] = message_get(m);
		message_begin(m);
		message_put(m, n);
		break;
	case DOMAIN_VMM_GRANT_COPY:
		for (unsigned i = 0; i < sizeof(asked.copy) / 8; i++) {
			uint64_t w = message_get(m);

			memcpy((uint8_t *)&asked.copy + i * 8, &w, 8);
		}
		message_begin(m);
		for (uint64_t i = 0; i < n * 8 / sizeof(asked.copy); i++)
			message_put(m, (uint64_t)(int64_t)(i ? GNTST_bad_page : GNTST_okay));
		break;
	case DOMAIN_VMM_E820: {
		uint64_t first = message_get(m);

		message_begin(m);
		message_put(m, 2);
		for (uint64_t i = first; i < 2; i++) {
			message_put(m, i << 33);
			message_put(m, 0x1000);
			message_put(m, 1 + i);
		}
		break;
	}
	default:
		return -1;
	}
	message_begin_read(m);
	return 0;
}

static void lists(void **state)
{
	const uint32_t reservation[5] = {LIST, 150, 0, 0, DOMID_SELF};
	uint32_t gfn[150], map[2] = {2, LIST};
	uint8_t entries[41];

	(void)state;
	memset(&asked, 0, sizeof(asked));
	fake.call = manager;
	for (unsigned i = 0; i < 150; i++)
		gfn[i] = i * 7;
	fake_poke(LIST, gfn, sizeof(gfn));
	fake_poke(ARG, reservation, sizeof(reservation));
	assert_int_equal(call(__HYPERVISOR_memory_op, XENMEM_decrease_reservation, ARG, 0), 150);
	assert_int_equal(asked.count, 150);
	for (unsigned i = 0; i < 150; i++)
		assert_int_equal(asked.gfn[i], i * 7);
	/* a list beyond the guest's memory */
	fake_poke(ARG, &(uint32_t){FAKE_LOW_RAM - 4}, 4);
	assert_int_equal(call(__HYPERVISOR_memory_op, XENMEM_decrease_reservation, ARG, 0), 0);
	/* entries of a memory map are 20 bytes in both */
	memset(entries, 0xee, sizeof(entries));
	fake_poke(LIST, entries, sizeof(entries));
	fake_poke(ARG, map, sizeof(map));
	assert_int_equal(call(__HYPERVISOR_memory_op, XENMEM_memory_map, ARG, 0), 0);
	fake_peek(LIST, entries, sizeof(entries));
	assert_memory_equal(entries + 20, "\0\0\0\0\2\0\0\0\0\x10\0\0\0\0\0\0\2\0\0\0\xee", 21);
	fake_peek(ARG, map, sizeof(map));
	assert_int_equal(map[0], 2);
	assert_int_equal(map[1], LIST);
	fake.call = NULL;
}

static void grants(void **state)
{
	/* dom, nr_frames, status, frame_list */
	uint32_t table[4] = {DOMID_SELF, 3, 0xeeee, LIST}, frames[4] = {0, 0, 0, 0xeeeeeeee};
	/* twice: source page, domain and offset, the same of the destination, length and flags, status */
	uint32_t copy[12] = {0x12345678, DOMID_SELF | 8u << 16, 0x9abcdef0, 5u | 16u << 16, 100u | (uint32_t)GNTCOPY_dest_gref << 16, 0xeeeeeeee};

	(void)state;
	assert_int_equal(add(XENMAPSPACE_grant_table, 0, 0x10), 0);
	assert_int_equal(add(XENMAPSPACE_grant_table, 1, 0xfefff), 0);
	fake_poke(LIST, frames, sizeof(frames));
	fake_poke(ARG, table, sizeof(table));
	assert_int_equal(call(__HYPERVISOR_grant_table_op, GNTTABOP_setup_table, ARG, 1), 0);
	fake_peek(LIST, frames, sizeof(frames));
	fake_peek(ARG, table, sizeof(table));
	assert_int_equal(frames[0], 0x10);
	assert_int_equal(frames[1], 0xfefff);
	assert_int_equal(frames[2], UINT32_MAX);
	assert_int_equal(frames[3], 0xeeeeeeee);
	assert_int_equal((int16_t)table[2], GNTST_okay);
	assert_int_equal(table[3], LIST);

	fake.call = manager;
	memcpy(copy + 6, copy, 24);
	fake_poke(ARG, copy, sizeof(copy));
	assert_int_equal(call(__HYPERVISOR_grant_table_op, GNTTABOP_copy, ARG, 2), 0);
	fake_peek(ARG, copy, sizeof(copy));
	assert_int_equal(asked.copy.source, 0x12345678);
	assert_int_equal(asked.copy.dest, 0x9abcdef0);
	assert_int_equal(asked.copy.source_domain, DOMID_SELF);
	assert_int_equal(asked.copy.dest_domain, 5);
	assert_int_equal(asked.copy.source_offset, 8);
	assert_int_equal(asked.copy.dest_offset, 16);
	assert_int_equal(asked.copy.bytes, 100);
	assert_int_equal(asked.copy.flags, GNTCOPY_dest_gref);
	assert_int_equal((int16_t)copy[5], GNTST_okay);
	assert_int_equal((int16_t)copy[11], GNTST_bad_page);
	assert_int_equal(copy[10], 100u | (uint32_t)GNTCOPY_dest_gref << 16);
	fake.call = NULL;
}

static void calls(void **state)
{
	/* op, result, six arguments */
	uint32_t entry[3][8] = {{__HYPERVISOR_xen_version, 0xeeeeeeee, XENVER_version}, {__HYPERVISOR_multicall, 0, LIST, 1}, {999}}, parameters[2] = {1, 0xeeeeeeee};
	const uint32_t timer[3] = {1000000, 1, 0};

	(void)state;
	fake_poke(LIST, entry, sizeof(entry));
	assert_int_equal(call(__HYPERVISOR_multicall, LIST, 3, 0), 0);
	fake_peek(LIST, entry, sizeof(entry));
	assert_int_equal(entry[0][1], (4 << 16) | 17);
	assert_int_equal(entry[0][2], XENVER_version);
	assert_int_equal((int32_t)entry[1][1], -XEN_EINVAL);
	assert_int_equal((int32_t)entry[2][1], -XEN_ENOSYS);
	assert_int_equal(call(__HYPERVISOR_multicall, FAKE_LOW_RAM - 31, 1, 0), -XEN_EFAULT);

	fake_poke(ARG, parameters, sizeof(parameters));
	assert_int_equal(call(__HYPERVISOR_xen_version, XENVER_platform_parameters, ARG, 0), 0);
	fake_peek(ARG, parameters, sizeof(parameters));
	assert_int_equal(parameters[0], 0);
	assert_int_equal(parameters[1], 0xeeeeeeee);

	/* the last 12 bytes of memory */
	fake_poke(FAKE_LOW_RAM - 12, timer, sizeof(timer));
	assert_int_equal(call(__HYPERVISOR_vcpu_op, VCPUOP_set_singleshot_timer, 0, FAKE_LOW_RAM - 12), 0);
	assert_int_equal(vmm.vcpu[0]->singleshot_ns, (1ull << 32) + 1000000);
}

static void polling(void **state)
{
	const uint32_t port = 1, poll[4] = {LIST, 1, 5000, 0};
	struct evtchn_alloc_unbound a = {.dom = DOMID_SELF, .remote_dom = DOMID_SELF};

	(void)state;
	fake_poke(ARG, &a, sizeof(a));
	assert_int_equal(call(__HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, ARG, 0), 0);
	fake_poke(LIST, &port, sizeof(port));
	fake_poke(ARG, poll, sizeof(poll));
	fake_advance_ns(1000);
	assert_int_equal(call(__HYPERVISOR_sched_op, SCHEDOP_poll, ARG, 0), 0);
	assert_int_equal(vmm.vcpu[0]->run, VCPU_POLLING);
	assert_int_equal(vmm.vcpu[0]->poll_timeout_ns, 5000);
	assert_int_equal(vmm.vcpu[0]->poll_count, 1);
	vmm.vcpu[0]->run = VCPU_RUNNING;
}

/* Runstate has 44 bytes: the area is one up to the end of memory. */
static void runstates(void **state)
{
	const uint32_t area[2] = {FAKE_LOW_RAM - 44, 0xdddddddd};
	uint32_t r[11];

	(void)state;
	assert_true(hypercall_page(vmm.vcpu[0], gpa(0x8000)));
	fake_advance_ns(3000);
	assert_int_equal(call(__HYPERVISOR_vcpu_op, VCPUOP_get_runstate_info, 0, FAKE_LOW_RAM - 44), 0);
	fake_poke(ARG, area, sizeof(area));
	assert_int_equal(call(__HYPERVISOR_vcpu_op, VCPUOP_register_runstate_memory_area, 0, ARG), 0);
	xen_runstate(vmm.vcpu[0], XEN_RUNSTATE_BLOCKED);
	fake_advance_ns(500);
	xen_runstate(vmm.vcpu[0], XEN_RUNSTATE_RUNNING);
	fake_peek(FAKE_LOW_RAM - 44, r, sizeof(r));
	assert_int_equal(r[0], XEN_RUNSTATE_RUNNING);
	assert_in_range(r[1], 3490, 3510);
	assert_in_range(r[3 + 2 * XEN_RUNSTATE_BLOCKED], 490, 510);
	assert_int_equal(r[4 + 2 * XEN_RUNSTATE_BLOCKED], 0);
}

static void set_callback(void)
{
	const struct xen_hvm_param p = {.domid = DOMID_SELF, .index = HVM_PARAM_CALLBACK_IRQ, .value = 2ull << 56 | 0x40};

	fake_poke(ARG, &p, sizeof(p));
	assert_int_equal(call(__HYPERVISOR_hvm_op, HVMOP_set_param, ARG, 0), 0);
}

/* The layout is that of the mode in which the hypercall page or the callback was set last. */
static void shared_page(void **state)
{
	struct shared_info_x86_32 *s;
	struct shared_info *native;
	struct vcpu *v = vmm.vcpu[0];

	(void)state;
	assert_int_equal(add(XENMAPSPACE_shared_info, 0, 0x10), 0);
	native = (struct shared_info *)memory_at(gpa(0x10000), PAGE);
	s = (struct shared_info_x86_32 *)native;
	assert_int_equal(native->wc_sec, 1700000000); /* no mode was latched: 64-bit */
	assert_int_equal(shared_info_ports(), 4096);
	assert_true(hypercall_page(v, gpa(0x8000)));
	assert_int_equal(shared_info_ports(), 1024);
	assert_int_equal(s->wc_sec, 1700000000);
	assert_int_equal(s->arch.wc_sec_hi, 0);
	assert_int_equal(s->wc_version & 1, 0);
	memset(s->evtchn_mask, 0xff, sizeof(s->evtchn_mask));
	memset(s->evtchn_pending, 0, sizeof(s->evtchn_pending));
	memset(s->vcpu_info, 0, sizeof(s->vcpu_info));
	/* port 70 is bit 6 of word 2 */
	for (unsigned i = 2; i <= 70; i++) /* 1 is the console's */
		assert_int_equal(evtchn_alloc(EVTCHN_IPI, 0), i);
	evtchn_set_pending(70);
	assert_int_equal(s->evtchn_pending[2], 1u << 6);
	assert_int_equal(s->vcpu_info[0].evtchn_pending_sel, 0);
	evtchn_unmask(70);
	assert_int_equal(s->evtchn_mask[2], ~(1u << 6));
	assert_int_equal(s->vcpu_info[0].evtchn_pending_sel, 1u << 2);
	assert_int_equal(s->vcpu_info[0].evtchn_upcall_pending, 1);
	assert_int_equal(s->vcpu_info[0].arch.cr2, 0);
	assert_true(evtchn_is_pending(70));
	evtchn_clear(70);
	assert_int_equal(s->evtchn_pending[2], 0);
	/* there are 1,024 of them */
	for (unsigned i = 71; i < 1024; i++)
		assert_int_equal(evtchn_alloc(EVTCHN_IPI, 0), i);
	assert_int_equal(evtchn_alloc(EVTCHN_IPI, 0), -XEN_ENOSPC);
	/* 64-bit code makes it 64-bit again, with what is in it */
	fake_long_mode(v);
	fake_poke(0x8000, "\x0f\x01\xd9", 3);
	assert_true(hypercall_page(v, gpa(0x8000)));
	assert_int_equal(native->wc_sec, 1700000000);
	/* what was the mask are pending ports now: a guest that changes its mode cleans up itself, as on Xen */
	assert_int_equal(native->evtchn_pending[16], (unsigned long)~0u << 32 | ~0u);
	memset(native->evtchn_pending, 0, sizeof(native->evtchn_pending));
	assert_int_equal(evtchn_alloc(EVTCHN_IPI, 0), 1024);
	evtchn_unmask(1024);
	evtchn_set_pending(1024);
	assert_int_equal(native->evtchn_pending[16], 1);
	code_32(v);
	set_callback();
	assert_int_equal(shared_info_ports(), 1024);
	/* ports that there are no bits for: nothing is written where the mask is now */
	assert_false(evtchn_is_pending(1024));
	memset(s->evtchn_mask, 0, sizeof(s->evtchn_mask));
	evtchn_set_pending(1024);
	evtchn_unmask(1024);
	evtchn_free(1024);
	assert_int_equal(s->evtchn_mask[0], 0);
}

/* A 32-bit guest's vcpu_info may be at any multiple of 4. */
static void own_info(void **state)
{
	struct vcpu_register_vcpu_info r = {.mfn = 0x12, .offset = 4};
	struct vcpu_info_x86_32 info;

	(void)state;
	fake_poke(ARG, &r, sizeof(r));
	assert_int_equal(call(__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, 0, ARG), -XEN_ENXIO);
	assert_true(hypercall_page(vmm.vcpu[0], gpa(0x8000)));
	fake_poke(ARG, &r, sizeof(r));
	assert_int_equal(call(__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, 0, ARG), 0);
	fake_peek(0x12004, &info, sizeof(info));
	assert_int_equal(info.evtchn_upcall_pending, 1);
	assert_int_equal(info.evtchn_pending_sel, UINT32_MAX);
	assert_int_equal(info.arch.cr2, 0);
	assert_int_equal(info.time.version & 1, 0);
	assert_true(info.time.tsc_to_system_mul);
	/* and stays there when the layout changes */
	fake_long_mode(vmm.vcpu[0]);
	assert_true(hypercall_page(vmm.vcpu[0], gpa(0x8000)));
	xen_update_time(vmm.vcpu[0]);
	evtchn_vcpu_info_changed(vmm.vcpu[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(structures),
		cmocka_unit_test_setup(memory, setup),
		cmocka_unit_test_setup(lists, setup),
		cmocka_unit_test_setup(grants, setup),
		cmocka_unit_test_setup(calls, setup),
		cmocka_unit_test_setup(polling, setup),
		cmocka_unit_test_setup(runstates, setup),
		cmocka_unit_test_setup(shared_page, setup),
		cmocka_unit_test_setup(own_info, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
