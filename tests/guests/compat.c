/*
 * The 32-bit hypercall ABI against the 64-bit one: what has another layout is asked for by both, and must be the same. Also where the shared info has what, by the mode
 * that was latched last, and that Xen's pages leave a hole where they were. Needs `max_event_channels` above 1,100, and shows the console nothing but its verdict.
 */
#include "payload.h"

#include <xen/event_channel.h>
#include <xen/foreign/x86_32.h>
#include <xen/grant_table.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/memory.h>
#include <xen/sched.h>
#include <xen/vcpu.h>
#include <xen/version.h>

/* Places where there is no memory, in one direction. */
#define COMPAT_HOLE    0x30000u
#define COMPAT_ENTRIES 16u
#define COMPAT_ENOSPC  (-28)
#define COMPAT_ENOENT  (-2)
#define COMPAT_ENXIO   (-6)
#define COMPAT_EFAULT  (-14)

int32_t compat_call(uint32_t number, uint32_t a, uint32_t b, uint32_t c, uint32_t d);

static uint32_t compat_tried, compat_wrong;
static uint8_t compat_page[2][PAGE] __attribute__((aligned(4096)));
static uint32_t compat_word[64] __attribute__((aligned(4096)));

static uint32_t low(const volatile void *p)
{
	return (uint32_t)(uintptr_t)p;
}

static void is(const char *what, uint64_t got, uint64_t want)
{
	compat_tried++;
	if (got == want)
		return;
	compat_wrong++;
	console_print("COMPAT ");
	console_print(what);
	console_print(" is ");
	console_hex(got);
	console_print(", not ");
	console_hex(want);
	console_print("\n");
}

static void is_signed(const char *what, int64_t got, int64_t want)
{
	is(what, (uint64_t)got, (uint64_t)want);
}

/* HVM_PARAM_CALLBACK_IRQ is set by code of this mode: no interrupt is taken here. */
static void latch(bool half)
{
	struct xen_hvm_param p = { .domid = DOMID_SELF, .index = HVM_PARAM_CALLBACK_IRQ, .value = UINT64_C(2) << 56 | 0xf3 };

	if (half)
		is_signed("set_param", compat_call(__HYPERVISOR_hvm_op, HVMOP_set_param, low(&p), 0, 0), 0);
	else
		is_signed("set_param", hypercall(__HYPERVISOR_hvm_op, HVMOP_set_param, address(&p)), 0);
}

static int32_t place(uint32_t space, uint32_t index, uint32_t gfn)
{
	uint32_t a[4] = { DOMID_SELF, space, index, gfn };

	return compat_call(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, low(a), 0, 0);
}

static volatile uint32_t *at(uint32_t gfn, uint32_t offset)
{
	return (volatile uint32_t *)(uintptr_t)(gfn * (uint64_t)PAGE + offset);
}

static uint32_t alloc(void)
{
	struct evtchn_alloc_unbound a = { .dom = DOMID_SELF, .remote_dom = DOMID_SELF };
	int32_t r = compat_call(__HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, low(&a), 0, 0);

	return r < 0 ? (uint32_t)r : a.port;
}

static void ports(uint32_t gfn)
{
	volatile struct shared_info_x86_32 *s = (volatile struct shared_info_x86_32 *)at(gfn, 0);
	struct evtchn_bind_interdomain b = { .remote_dom = DOMID_SELF, .remote_port = alloc() };
	struct evtchn_send send;
	struct evtchn_unmask unmask;
	uint32_t port = b.remote_port, first = 0, last = 0, next;

	is_signed("bind", compat_call(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_interdomain, low(&b), 0, 0), 0);
	send.port = b.local_port;
	unmask.port = port;
	s->evtchn_mask[port / 32] = ~0u;
	s->evtchn_pending[port / 32] = 0;
	s->vcpu_info[0].evtchn_pending_sel = 0;
	s->vcpu_info[0].evtchn_upcall_pending = 0;
	is_signed("send", compat_call(__HYPERVISOR_event_channel_op, EVTCHNOP_send, low(&send), 0, 0), 0);
	is("pending", s->evtchn_pending[port / 32], 1u << port % 32);
	is("selector of a masked port", s->vcpu_info[0].evtchn_pending_sel, 0);
	is_signed("unmask", compat_call(__HYPERVISOR_event_channel_op, EVTCHNOP_unmask, low(&unmask), 0, 0), 0);
	is("mask", s->evtchn_mask[port / 32], ~(1u << port % 32));
	is("selector", s->vcpu_info[0].evtchn_pending_sel, 1u << port / 32);
	is("upcall", s->vcpu_info[0].evtchn_upcall_pending, 1);
	compat_word[0] = low(&port);
	compat_word[1] = 1;
	compat_word[2] = compat_word[3] = 0;
	is_signed("poll", compat_call(__HYPERVISOR_sched_op, SCHEDOP_poll, low(compat_word), 0, 0), 0);
	/* so many has the layout; the other has more */
	for (next = alloc(); (int32_t)next >= 0; next = alloc()) {
		first = first ? first : next;
		last = next;
	}
	is_signed("the end of ports", (int32_t)next, COMPAT_ENOSPC);
	is("the last port", last, 1023);
	latch(false);
	is("one more port", alloc(), 1024);
	latch(true);
	for (; first && first <= 1024; first++) {
		struct evtchn_close c = { .port = first };

		(void)hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_close, address(&c));
	}
}

/* The shared info first in one place, then in another. */
static void shared(void)
{
	uint32_t seconds;

	latch(false);
	is_signed("shared info", place(XENMAPSPACE_shared_info, 0, COMPAT_HOLE), 0);
	seconds = *at(COMPAT_HOLE, 0xc04);
	is("64-bit seconds", seconds > 1500000000, 1);
	latch(true);
	is("32-bit seconds", *at(COMPAT_HOLE, 0x904), seconds);
	is("their upper half", *at(COMPAT_HOLE, 0x924), 0);
	is("their version", *at(COMPAT_HOLE, 0x900) & 1, 0);
	*at(COMPAT_HOLE, 0x90c) = 0x12345678;
	is_signed("shared info again", place(XENMAPSPACE_shared_info, 0, COMPAT_HOLE + 2), 0);
	is("what was in it", *at(COMPAT_HOLE + 2, 0x90c), 0x12345678);
	is("where it was", *at(COMPAT_HOLE, 0x90c), ~0u);
	is("its scale", *at(COMPAT_HOLE + 2, 32 + 24) != 0, 1);
	ports(COMPAT_HOLE + 2);
}

static uint32_t frame_32(void)
{
	compat_word[0] = DOMID_SELF;
	compat_word[1] = 1;
	compat_word[2] = 0xeeee;
	compat_word[3] = low(&compat_word[8]);
	compat_word[8] = compat_word[9] = 0xeeeeeeee;
	is_signed("setup_table", compat_call(__HYPERVISOR_grant_table_op, GNTTABOP_setup_table, low(compat_word), 1, 0), 0);
	is("its status", (uint16_t)compat_word[2], GNTST_okay);
	is("behind the list", compat_word[9], 0xeeeeeeee);
	return compat_word[8];
}

static void grants(void)
{
	xen_pfn_t frame = 0;
	struct gnttab_setup_table s = { .dom = DOMID_SELF, .nr_frames = 1 };
	uint32_t index[2] = { 1, 2 }, gfn[2] = { COMPAT_HOLE + 16, COMPAT_HOLE + 18 };
	int32_t error[2] = { 7, 7 };
	uint16_t batch[10] = { DOMID_SELF, XENMAPSPACE_grant_table, 2, 0 };
	uint64_t entry;

	is_signed("a frame", place(XENMAPSPACE_grant_table, 0, COMPAT_HOLE + 4), 0);
	is("its place", frame_32(), COMPAT_HOLE + 4);
	s.frame_list.p = &frame;
	is_signed("setup_table by 64 bits", payload_hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_setup_table, address(&s), 1, 0, 0), 0);
	is("its place by 64 bits", frame, COMPAT_HOLE + 4);
	/* an entry that is nobody's, of 8 bytes in both */
	*at(COMPAT_HOLE + 4, 4 * 511 * 2) = 0x89abcdef;
	entry = *at(COMPAT_HOLE + 4, 8);
	is_signed("the frame elsewhere", place(XENMAPSPACE_grant_table, 0, COMPAT_HOLE + 6), 0);
	is("its new place", frame_32(), COMPAT_HOLE + 6);
	is("an entry", *at(COMPAT_HOLE + 6, 4 * 511 * 2), 0x89abcdef);
	is("another entry", *at(COMPAT_HOLE + 6, 8), entry);
	is("where it was", *at(COMPAT_HOLE + 4, 4 * 511 * 2), ~0u);
	*at(COMPAT_HOLE + 6, 4 * 511 * 2) = 0;
	/* who has the hypervisor write into a frame that then goes elsewhere is written to no more */
	compat_word[0] = (COMPAT_HOLE + 6) * PAGE + PAGE - 64;
	compat_word[1] = 0;
	is_signed("an area in the frame", compat_call(__HYPERVISOR_vcpu_op, VCPUOP_register_runstate_memory_area, 0, low(compat_word), 0), 0);
	is_signed("the frame once more", place(XENMAPSPACE_grant_table, 0, COMPAT_HOLE + 8), 0);
	for (uint32_t i = 0; i < 64; i += 4)
		*at(COMPAT_HOLE + 8, PAGE - 64 + i) = 0;
	is_signed("yield", compat_call(__HYPERVISOR_sched_op, SCHEDOP_yield, 0, 0, 0), 0);
	is("the frame", *at(COMPAT_HOLE + 8, PAGE - 60), 0);
	is_signed("a call with arguments there", compat_call(__HYPERVISOR_memory_op, XENMEM_maximum_reservation, (COMPAT_HOLE + 6) * PAGE, 0, 0), COMPAT_EFAULT);
	/* and what is placed there next is there */
	is_signed("the shared info there", place(XENMAPSPACE_shared_info, 0, COMPAT_HOLE + 4), 0);
	is("what is in it", *at(COMPAT_HOLE + 4, 0x90c), 0x12345678);
	((uint32_t *)(void *)batch)[2] = low(index);
	((uint32_t *)(void *)batch)[3] = low(gfn);
	((uint32_t *)(void *)batch)[4] = low(error);
	is_signed("two frames", compat_call(__HYPERVISOR_memory_op, XENMEM_add_to_physmap_batch, low(batch), 0, 0), 0);
	is_signed("the first's error", error[0], 0);
	is_signed("the second's error", error[1], 0);
	is("a new frame", *at(COMPAT_HOLE + 18, 0), 0);
}

/* Copies within the domain's own memory: one that can be done, one that cannot. */
static void copies(void)
{
	struct gnttab_copy native[2] = { { .source = { .domid = DOMID_SELF, .offset = 16 }, .dest = { .domid = DOMID_SELF, .offset = 300 }, .len = 50 } };
	uint32_t c[12] = { low(compat_page[0]) / PAGE, DOMID_SELF | 16u << 16, low(compat_page[1]) / PAGE, DOMID_SELF | 100u << 16, 50, 0xeeee };

	for (unsigned int i = 0; i < 50; i++)
		compat_page[0][16 + i] = (uint8_t)(i + 1);
	for (unsigned int i = 0; i < 6; i++)
		c[6 + i] = c[i];
	c[7] = 0x1234 | 16u << 16;
	c[10] |= (uint32_t)GNTCOPY_source_gref << 16;
	is_signed("copy", compat_call(__HYPERVISOR_grant_table_op, GNTTABOP_copy, low(c), 2, 0), 0);
	native[0].source.u.gmfn = address(compat_page[0]) / PAGE;
	native[0].dest.u.gmfn = address(compat_page[1]) / PAGE;
	native[1] = native[0];
	native[1].source.domid = 0x1234;
	native[1].flags = GNTCOPY_source_gref;
	is_signed("copy by 64 bits", payload_hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_copy, address(native), 2, 0, 0), 0);
	is("its status", (uint16_t)c[5], (uint16_t)native[0].status);
	is("its status", (uint16_t)c[5], GNTST_okay);
	is("the other's status", (uint16_t)c[11], (uint16_t)native[1].status);
	for (unsigned int i = 0; i < 50; i++)
		is("a byte", compat_page[1][100 + i] * 256u + compat_page[1][300 + i], (i + 1) * 257u);
	is("the byte behind", compat_page[1][150], 0);
}

static void memory(void)
{
	struct xen_memory_map m = { .nr_entries = COMPAT_ENTRIES };
	uint32_t half[2] = { COMPAT_ENTRIES, low(compat_page[1]) }, r[5] = { low(&compat_word[8]), 2, 0, 0, DOMID_SELF }, gone[2] = { DOMID_SELF, COMPAT_HOLE + 99 };
	uint32_t page = low(compat_page[0]) / PAGE;

	for (unsigned int i = 0; i < PAGE; i++)
		compat_page[0][i] = compat_page[1][i] = 0;
	m.buffer.p = compat_page[0];
	is_signed("memory_map by 64 bits", hypercall(__HYPERVISOR_memory_op, XENMEM_memory_map, address(&m)), 0);
	is_signed("memory_map", compat_call(__HYPERVISOR_memory_op, XENMEM_memory_map, low(half), 0, 0), 0);
	is("its entries", half[0], m.nr_entries);
	for (unsigned int i = 0; i < 20 * COMPAT_ENTRIES; i++)
		is("a byte of it", compat_page[1][i], compat_page[0][i]);
	/* a page is given back and comes again, the other of the two is none */
	compat_page[0][5] = 1;
	compat_word[8] = page;
	compat_word[9] = COMPAT_HOLE + 99;
	is_signed("decrease_reservation", compat_call(__HYPERVISOR_memory_op, XENMEM_decrease_reservation, low(r), 0, 0), 1);
	is("the page given back", *(volatile uint8_t *)&compat_page[0][5], 0xff);
	r[1] = 1;
	is_signed("populate_physmap", compat_call(__HYPERVISOR_memory_op, XENMEM_populate_physmap, low(r), 0, 0), 1);
	*(volatile uint8_t *)&compat_page[0][5] = 2;
	is("the page that came", *(volatile uint8_t *)&compat_page[0][5], 2);
	is_signed("remove_from_physmap", compat_call(__HYPERVISOR_memory_op, XENMEM_remove_from_physmap, low(gone), 0, 0), COMPAT_ENOENT);
}

static uint64_t clock(void)
{
	struct vcpu_runstate_info r;

	(void)payload_hypercall(__HYPERVISOR_vcpu_op, VCPUOP_get_runstate_info, 0, address(&r), 0, 0);
	return r.time[0] + r.time[1] + r.time[2] + r.time[3];
}

/* System time, by the time info of the shared info that is at gfn (its version is even: this vCPU runs). */
static uint64_t system_time(uint32_t gfn)
{
	volatile struct vcpu_time_info_x86_32 *t = &((volatile struct shared_info_x86_32 *)at(gfn, 0))->vcpu_info[0].time;
	uint64_t passed = payload_tsc() - t->tsc_timestamp;

	passed = t->tsc_shift < 0 ? passed >> -t->tsc_shift : passed << t->tsc_shift;
	return t->system_time + ((passed >> 32) * t->tsc_to_system_mul) + ((passed & 0xffffffff) * t->tsc_to_system_mul >> 32);
}

static void times(void)
{
	volatile uint32_t *r = compat_word;
	struct vcpu_register_vcpu_info info = { .mfn = low(compat_page[1]) / PAGE, .offset = 4 };
	uint64_t before = clock(), told = 0;

	is_signed("get_runstate_info", compat_call(__HYPERVISOR_vcpu_op, VCPUOP_get_runstate_info, 0, low(r), 0), 0);
	for (unsigned int i = 3; i < 11; i += 2)
		told += r[i] | (uint64_t)r[i + 1] << 32;
	is("runstate", r[0], RUNSTATE_running);
	is("its times", told >= before && told <= clock(), 1);
	r[0] = 0;
	r[1] = 0;
	*at(COMPAT_HOLE + 4, 0) = 0; /* no upcall is pending: it would end the wait */
	told = system_time(COMPAT_HOLE + 4) + 5000000;
	r[2] = (uint32_t)told;
	r[3] = (uint32_t)(told >> 32);
	is_signed("poll", compat_call(__HYPERVISOR_sched_op, SCHEDOP_poll, low(r), 0, 0), 0);
	is("when it ended", system_time(COMPAT_HOLE + 4) >= told, 1);
	/* 4 bytes on are good for the 32-bit layout only */
	for (unsigned int i = 0; i < PAGE; i++)
		compat_page[1][i] = 0;
	latch(false);
	is_signed("a vcpu_info of 64 bits", payload_hypercall(__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, 0, address(&info), 0, 0), COMPAT_ENXIO);
	latch(true);
	info.offset = 2;
	is_signed("a vcpu_info at an odd place", compat_call(__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, 0, low(&info), 0), COMPAT_ENXIO);
	info.offset = PAGE - 56;
	is_signed("a vcpu_info across pages", compat_call(__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, 0, low(&info), 0), COMPAT_ENXIO);
	info.offset = 4;
	is_signed("a vcpu_info", compat_call(__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, 0, low(&info), 0), 0);
	r = (volatile uint32_t *)(void *)&compat_page[1][4];
	is("its upcall", r[0] & 1, 1);
	is("its selector", r[1], ~0u);
	is("its CR2", r[2], 0);
	is("its scale", r[8 + 6] != 0, 1);
	/* area of 44 bytes at the end of a page */
	compat_word[0] = low(compat_page[1]) + PAGE - 44;
	compat_word[1] = 0xffffffff;
	is_signed("a runstate area", compat_call(__HYPERVISOR_vcpu_op, VCPUOP_register_runstate_memory_area, 0, low(compat_word), 0), 0);
	is("its times", *(volatile uint32_t *)(void *)&compat_page[1][PAGE - 44 + 4] != 0, 1);
}

static void calls(void)
{
	uint32_t entry[2][8] = { { __HYPERVISOR_xen_version, 0xeeeeeeee, XENVER_version }, { 63, 0xeeeeeeee } }, parameters[2] = { 0xeeeeeeee, 0xeeeeeeee };
	int64_t version = hypercall(__HYPERVISOR_xen_version, XENVER_version, 0);

	is_signed("version", compat_call(__HYPERVISOR_xen_version, XENVER_version, 0, 0, 0), version);
	is_signed("multicall", compat_call(__HYPERVISOR_multicall, low(entry), 2, 0, 0), 0);
	is_signed("version of it", entry[0][1], version);
	is_signed("no hypercall", (int32_t)entry[1][1], hypercall(63, 0, 0));
	is_signed("platform_parameters", compat_call(__HYPERVISOR_xen_version, XENVER_platform_parameters, low(parameters), 0, 0), 0);
	is("virt_start", parameters[0], 0);
	is("behind it", parameters[1], 0xeeeeeeee);
}

static void compat(void)
{
	calls();
	memory();
	copies();
	shared();
	grants();
	times();
	console_print("COMPAT tried ");
	console_number(compat_tried);
	console_print(" wrong ");
	console_number(compat_wrong);
	console_print("\n");
}

const struct payload_mode compat_modes[] = {
	{ "compat", compat },
	{ NULL, NULL },
};
