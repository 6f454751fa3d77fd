/*
 * Every hypercall that an ordinary domain can make, at random: operations, sizes, addresses, arguments that lie over each other and over what the hypervisor keeps in
 * guest memory. A second vCPU makes calls of its own, and changes arguments while they are read. `with` is a domain that does the same: grants and event channels
 * go between the two. Everything comes from `seed`. The line FUZZ calls counts; `wrong` are results that must never be.
 *
 * And the mode `watch`: a domain that sees whether its memory stays as it was.
 */
#include "payload.h"

#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/hvm/hvm_op.h>
#include <xen/memory.h>
#include <xen/sched.h>
#include <xen/vcpu.h>

#define ARENA	    UINT64_C(0x600000) /* arguments, event words, control blocks */
#define ARENA_BYTES UINT64_C(0x40000)
#define RAM_GFN	    UINT64_C(0x800) /* granted, given back; nothing of the payload's is there */
#define RAM_PAGES   1024u
#define INFO_GFN    UINT64_C(0x6f000)
#define TABLE_GFN   UINT64_C(0x70000)
#define WINDOW_GFN  UINT64_C(0x71000) /* where grants are mapped */
#define WINDOWS	    32u
#define REFS	    32u
#define FIRST_REF   8u
#define PORTS	    80u
#define KEEP	    3u /* ports below are the store's and the console's: left alone until the end */
#define EPERM	    1


static struct fuzz_cpu {
	uint64_t state, calls, done;
} cpus[2];
static uint64_t with, wrong;
static volatile bool stop, reckless, up;

static uint64_t fuzz_next(struct fuzz_cpu *c)
{
	c->state ^= c->state >> 12;
	c->state ^= c->state << 25;
	c->state ^= c->state >> 27;
	return c->state * UINT64_C(2685821657736338717);
}

static uint32_t below(struct fuzz_cpu *c, uint32_t n)
{
	return (uint32_t)(fuzz_next(c) >> 33) % n;
}

/* ---- what arguments are made of ---- */

static uint64_t any(struct fuzz_cpu *c)
{
	switch (below(c, 6)) {
	case 0: return 0;
	case 1: return below(c, 40);
	case 2: return UINT64_C(1) << below(c, 64);
	case 3: return UINT64_MAX - below(c, 64);
	default: return fuzz_next(c);
	}
}

/* Pages of which one is no RAM, or the payload's own, are rare: it would be dead too soon. */
static uint64_t a_gfn(struct fuzz_cpu *c)
{
	switch (below(c, 64)) {
	case 0: return any(c) >> below(c, 40);
	case 1: return WINDOW_GFN + below(c, WINDOWS);
	case 2: return TABLE_GFN + below(c, 8);
	case 3: return payload_ram_end() / PAGE + below(c, 3) - 1;
	default: return below(c, 4) ? RAM_GFN + below(c, RAM_PAGES) : ARENA / PAGE + below(c, ARENA_BYTES / PAGE);
	}
}

static uint64_t a_pointer(struct fuzz_cpu *c)
{
	uint64_t end = payload_ram_end();

	switch (below(c, 48)) {
	case 0: return 0;
	case 1: return end - below(c, 64);
	case 2: return any(c);
	case 3: return UINT64_C(0x800000000000) - below(c, 16);
	case 4: return (INFO_GFN + below(c, 3) * (TABLE_GFN - INFO_GFN)) * PAGE + below(c, PAGE);
	case 5: return (WINDOW_GFN + below(c, WINDOWS)) * PAGE + below(c, PAGE); /* perhaps the other domain's memory */
	case 6: case 7: case 8: return ARENA + (1 + below(c, ARENA_BYTES / PAGE - 1)) * PAGE - below(c, 64);
	default: return ARENA + below(c, (uint32_t)(ARENA_BYTES / 8)) * 8;
	}
}

static uint64_t a_domain(struct fuzz_cpu *c)
{
	static const domid_t others[] = { DOMID_SELF, DOMID_SELF, DOMID_SELF, 0, 0, 999, DOMID_IO, DOMID_XEN, DOMID_INVALID, 0xffff };

	return below(c, 2) ? with : others[below(c, sizeof(others) / sizeof(*others))];
}

static uint64_t a_port(struct fuzz_cpu *c)
{
	if (below(c, 32) == 0)
		return below(c, 2) ? any(c) : below(c, 1u << EVTCHN_FIFO_LINK_BITS);
	return reckless ? below(c, PORTS) : KEEP + below(c, PORTS);
}

/* One field: d domain, p port, v vCPU, r grant reference, f flags, o offset in a page; small numbers: s 16, i 32, n 64 bits; t order; bits: b 8, h 16, w 32, q 64;
 * g page, x page or reference, a where a grant may be mapped, P pointer. */
static unsigned int field(struct fuzz_cpu *c, char kind, uint64_t *value)
{
	switch (kind) {
	case 'd': *value = a_domain(c); return 2;
	case 's': *value = below(c, 16) ? below(c, 8) : below(c, 65536); return 2;
	case 'k': *value = below(c, 4) ? below(c, 512) : below(c, 65536); return 2;
	case 'h': *value = any(c); return 2;
	case 'b': *value = any(c); return 1;
	case 'p': *value = a_port(c); return 4;
	case 'v': *value = below(c, 16) ? below(c, 2) : any(c); return 4;
	case 'r': *value = below(c, 40) ? FIRST_REF + below(c, REFS) : any(c); return 4;
	case 'f': *value = below(c, 8) ? GNTMAP_host_map | (below(c, 3) ? 0 : GNTMAP_readonly) : any(c); return 4;
	case 'o': *value = below(c, 8) ? below(c, PAGE / 8) * 8 : any(c); return 4;
	case 'i': *value = below(c, 16) ? below(c, 30) : any(c); return 4;
	case 't': *value = below(c, 16) ? 0 : below(c, 40); return 4;
	case 'w': *value = any(c); return 4;
	case 'n': *value = below(c, 64) ? below(c, 12) : any(c); return 8;
	case 'g': *value = a_gfn(c); return 8;
	case 'x': *value = below(c, 2) ? a_gfn(c) : FIRST_REF + below(c, REFS); return 8;
	case 'a': *value = below(c, 32) ? (WINDOW_GFN + below(c, WINDOWS)) * PAGE : a_gfn(c) * PAGE + below(c, 8); return 8;
	case 'P': *value = a_pointer(c); return 8;
	default: *value = any(c); return 8;
	}
}

/* A structure as the compiler would lay it out; its bytes. */
static unsigned int fill(struct fuzz_cpu *c, const char *fields, uint8_t *to)
{
	unsigned int at = 0, most = 1;

	for (; *fields; fields++) {
		uint64_t value;
		unsigned int bytes = field(c, *fields, &value);

		most = bytes > most ? bytes : most;
		for (; at % bytes; at++)
			to[at] = 0;
		for (unsigned int i = 0; i < bytes; i++)
			to[at++] = (uint8_t)(value >> (8 * i));
	}
	for (; at % most; at++)
		to[at] = 0;
	if (below(c, 8) == 0 && at)
		to[below(c, at)] = (uint8_t)fuzz_next(c);
	return at;
}

/* ---- calls ---- */

struct call {
	uint8_t number, op;
	enum { OP_AT, OP_AT_COUNT, OP_VCPU_AT, AT, OP_COUNT_AT, VALUES } form;
	const char *fields;
	uint8_t weight;
};
static const struct call calls[] = {
	{ __HYPERVISOR_event_channel_op, EVTCHNOP_bind_interdomain, OP_AT, "dpp", 12 },
	{ __HYPERVISOR_event_channel_op, EVTCHNOP_bind_virq, OP_AT, "ivp", 3 },
	{ __HYPERVISOR_event_channel_op, EVTCHNOP_bind_pirq, OP_AT, "ifp", 1 },
	{ __HYPERVISOR_event_channel_op, EVTCHNOP_close, OP_AT, "p", 12 },
	{ __HYPERVISOR_event_channel_op, EVTCHNOP_send, OP_AT, "p", 24 },
	{ __HYPERVISOR_event_channel_op, EVTCHNOP_status, OP_AT, "dpiiww", 4 },
	{ __HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, OP_AT, "ddp", 12 },
	{ __HYPERVISOR_event_channel_op, EVTCHNOP_bind_ipi, OP_AT, "vp", 3 },
	{ __HYPERVISOR_event_channel_op, EVTCHNOP_bind_vcpu, OP_AT, "pv", 6 },
	{ __HYPERVISOR_event_channel_op, EVTCHNOP_unmask, OP_AT, "p", 6 },
	{ __HYPERVISOR_event_channel_op, EVTCHNOP_reset, OP_AT, "d", 1 },
	{ __HYPERVISOR_event_channel_op, EVTCHNOP_init_control, OP_AT, "govbbbbbbbb", 2 },
	{ __HYPERVISOR_event_channel_op, EVTCHNOP_expand_array, OP_AT, "g", 2 },
	{ __HYPERVISOR_event_channel_op, EVTCHNOP_set_priority, OP_AT, "pi", 4 },
	{ __HYPERVISOR_grant_table_op, GNTTABOP_map_grant_ref, OP_AT_COUNT, "afrdhwq", 12 },
	{ __HYPERVISOR_grant_table_op, GNTTABOP_unmap_grant_ref, OP_AT_COUNT, "aqih", 12 },
	{ __HYPERVISOR_grant_table_op, GNTTABOP_setup_table, OP_AT_COUNT, "dihP", 2 },
	{ __HYPERVISOR_grant_table_op, GNTTABOP_dump_table, OP_AT_COUNT, "dh", 1 },
	{ __HYPERVISOR_grant_table_op, GNTTABOP_transfer, OP_AT_COUNT, "gdrh", 1 },
	{ __HYPERVISOR_grant_table_op, GNTTABOP_copy, OP_AT_COUNT, "xdkqxdkqksh", 8 },
	{ __HYPERVISOR_grant_table_op, GNTTABOP_copy, OP_AT_COUNT, "xdkxdkwksh", 8 },
	{ __HYPERVISOR_grant_table_op, GNTTABOP_query_size, OP_AT_COUNT, "diih", 2 },
	{ __HYPERVISOR_grant_table_op, GNTTABOP_unmap_and_replace, OP_AT_COUNT, "aaih", 1 },
	{ __HYPERVISOR_grant_table_op, GNTTABOP_set_version, OP_AT_COUNT, "i", 1 },
	{ __HYPERVISOR_grant_table_op, GNTTABOP_get_status_frames, OP_AT_COUNT, "idhP", 1 },
	{ __HYPERVISOR_grant_table_op, GNTTABOP_get_version, OP_AT_COUNT, "di", 1 },
	{ __HYPERVISOR_grant_table_op, GNTTABOP_swap_grant_ref, OP_AT_COUNT, "rrh", 1 },
	{ __HYPERVISOR_grant_table_op, GNTTABOP_cache_flush, OP_AT_COUNT, "qkki", 1 },
	{ __HYPERVISOR_memory_op, XENMEM_increase_reservation, OP_AT, "Pntfd", 1 },
	{ __HYPERVISOR_memory_op, XENMEM_decrease_reservation, OP_AT, "Pntfd", 3 },
	{ __HYPERVISOR_memory_op, XENMEM_populate_physmap, OP_AT, "Pntfd", 4 },
	{ __HYPERVISOR_memory_op, XENMEM_add_to_physmap, OP_AT, "dsing", 4 },
	{ __HYPERVISOR_memory_op, XENMEM_add_to_physmap_batch, OP_AT, "dssdPPP", 3 },
	{ __HYPERVISOR_memory_op, XENMEM_remove_from_physmap, OP_AT, "dg", 3 },
	{ __HYPERVISOR_memory_op, XENMEM_memory_map, OP_AT, "iP", 1 },
	{ __HYPERVISOR_memory_op, XENMEM_set_memory_map, OP_AT, "diP", 1 },
	{ __HYPERVISOR_memory_op, XENMEM_exchange, OP_AT, "PntfdPntfdn", 1 },
	{ __HYPERVISOR_memory_op, XENMEM_acquire_resource, OP_AT, "dsiiinP", 1 },
	{ __HYPERVISOR_memory_op, 255, OP_AT, "dqqqq", 3 },
	{ __HYPERVISOR_vcpu_op, VCPUOP_get_runstate_info, OP_VCPU_AT, "wqqqqq", 1 },
	{ __HYPERVISOR_vcpu_op, VCPUOP_register_runstate_memory_area, OP_VCPU_AT, "P", 2 },
	{ __HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_time_memory_area, OP_VCPU_AT, "P", 2 },
	{ __HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, OP_VCPU_AT, "goi", 1 },
	{ __HYPERVISOR_vcpu_op, VCPUOP_up, OP_VCPU_AT, "q", 4 },
	{ __HYPERVISOR_vcpu_op, VCPUOP_set_periodic_timer, OP_VCPU_AT, "q", 2 },
	{ __HYPERVISOR_vcpu_op, VCPUOP_set_singleshot_timer, OP_VCPU_AT, "qi", 2 },
	{ __HYPERVISOR_vcpu_op, 255, OP_VCPU_AT, "qq", 4 },
	{ __HYPERVISOR_hvm_op, HVMOP_set_param, OP_AT, "diq", 3 },
	{ __HYPERVISOR_hvm_op, HVMOP_get_param, OP_AT, "diq", 2 },
	{ __HYPERVISOR_hvm_op, HVMOP_set_evtchn_upcall_vector, OP_AT, "vb", 2 },
	{ __HYPERVISOR_hvm_op, 255, OP_AT, "diqq", 3 },
	{ __HYPERVISOR_sched_op, SCHEDOP_remote_shutdown, OP_AT, "di", 1 },
	{ __HYPERVISOR_sched_op, SCHEDOP_pin_override, OP_AT, "i", 1 },
	{ __HYPERVISOR_xen_version, 255, OP_AT, "qqqq", 2 },
	{ __HYPERVISOR_physdev_op, 255, OP_AT, "dibq", 2 },
	{ __HYPERVISOR_console_io, 255, OP_COUNT_AT, "qqqq", 1 },
	{ __HYPERVISOR_vm_assist, 255, VALUES, "", 1 },
	{ __HYPERVISOR_set_timer_op, 255, VALUES, "", 1 },
	{ __HYPERVISOR_dm_op, 255, VALUES, "", 1 },
	{ __HYPERVISOR_domctl, 255, AT, "iidqqqqq", 1 },
	{ __HYPERVISOR_sysctl, 255, AT, "iiqqqqqq", 1 },
	{ __HYPERVISOR_platform_op, 255, AT, "iiqqqqqq", 1 },
};
#define CALLS (sizeof(calls) / sizeof(*calls))

static const struct call *choose(struct fuzz_cpu *c)
{
	static volatile uint32_t sum;
	uint32_t all = sum, n;

	if (!all) {
		for (unsigned int i = 0; i < CALLS; i++)
			all += calls[i].weight;
		sum = all;
	}
	n = below(c, all);
	for (const struct call *k = calls;; k++) {
		if (n < k->weight)
			return k;
		n -= k->weight;
	}
}

/* The registers of a call; its arguments are in memory. False: not now. */
static bool prepare(struct fuzz_cpu *c, uint64_t r[6])
{
	const struct call *k = choose(c);
	uint64_t at = a_pointer(c), op = k->op == 255 ? below(c, 8) ? below(c, 30) : any(c) : k->op, count = below(c, 16) ? 1 + below(c, 6) : any(c);
	uint8_t bytes[128];
	unsigned int size;

	if (k->number == __HYPERVISOR_event_channel_op && op == EVTCHNOP_reset && !reckless)
		return false;
	/* where arguments cannot be stored the call is made all the same */
	for (uint64_t i = 0; i < 8 && i < count; i++) {
		size = fill(c, k->fields, bytes);
		if (at - ARENA >= ARENA_BYTES || ARENA_BYTES - (at - ARENA) < (i + 1) * size)
			break;
		for (unsigned int b = 0; b < size; b++)
			((volatile uint8_t *)(uintptr_t)(at + i * size))[b] = bytes[b];
		if (k->form != OP_AT_COUNT)
			break;
	}
	r[0] = k->number;
	for (unsigned int i = 1; i < 6; i++)
		r[i] = any(c);
	switch (k->form) {
	case OP_AT: r[1] = op; r[2] = at; break;
	case OP_AT_COUNT: r[1] = op; r[2] = at; r[3] = count; break;
	case OP_VCPU_AT: r[1] = op; r[2] = below(c, 16) ? below(c, 2) : any(c); r[3] = at; break;
	case AT: r[1] = at; break;
	case OP_COUNT_AT: r[1] = op; r[2] = count; r[3] = at; break;
	default: break;
	}
	/* with the last of its vCPUs a domain ends, and one that blocks is woken by the other */
	return k->number != __HYPERVISOR_vcpu_op || op != VCPUOP_down || reckless;
}

static void multicall(struct fuzz_cpu *c)
{
	multicall_entry_t *list = (multicall_entry_t *)(uintptr_t)(ARENA + below(c, ARENA_BYTES / PAGE - 1) * PAGE + below(c, 8) * 8);
	uint32_t n = below(c, 12);

	for (uint32_t i = 0; i < n; i++) {
		uint64_t r[6];

		if (!prepare(c, r))
			continue;
		list[i].op = r[0];
		for (unsigned int a = 0; a < 5; a++)
			list[i].args[a] = r[a + 1];
	}
	(void)hypercall(__HYPERVISOR_multicall, address(list), below(c, 64) ? n : any(c));
}

static void nmi_to(uint64_t vcpu)
{
	(void)payload_hypercall(__HYPERVISOR_vcpu_op, VCPUOP_send_nmi, vcpu, 0, 0, 0);
}

/* Times that are over; never for ever. An argument that is changed meanwhile may say otherwise: the other vCPU's NMIs end that. */
static void poll(struct fuzz_cpu *c)
{
	struct sched_poll *p = (struct sched_poll *)(uintptr_t)(ARENA + below(c, ARENA_BYTES / PAGE - 1) * PAGE);

	p->ports.p = (evtchn_port_t *)(uintptr_t)a_pointer(c);
	p->nr_ports = below(c, 16) ? below(c, 8) : below(c, 200);
	p->timeout = 1 + below(c, 1u << 20);
	(void)hypercall(__HYPERVISOR_sched_op, SCHEDOP_poll, address(p));
}

static void call(struct fuzz_cpu *c)
{
	uint64_t r[6];
	int64_t result;

	c->calls++;
	switch (below(c, 64)) {
	case 0: multicall(c); return;
	case 1: poll(c); return;
	case 2: /* the first blocks until the second's NMI; were the second to block too, both might for ever */
		(void)hypercall(__HYPERVISOR_sched_op, c == &cpus[0] && below(c, 2) ? SCHEDOP_block : SCHEDOP_yield, 0);
		return;
	case 3: /* any number that is not one of those above */
		r[0] = below(c, 8) ? below(c, 64) : any(c);
		if (r[0] == __HYPERVISOR_sched_op || r[0] == __HYPERVISOR_sched_op_compat || r[0] == __HYPERVISOR_multicall || r[0] == __HYPERVISOR_event_channel_op)
			return;
		(void)payload_hypercall(r[0], any(c), any(c), any(c), any(c), any(c));
		return;
	default: break;
	}
	if (!prepare(c, r))
		return;
	result = payload_hypercall(r[0], r[1], r[2], r[3], r[4], r[5]);
	if (result >= 0)
		c->done++;
	if ((r[0] == __HYPERVISOR_domctl || r[0] == __HYPERVISOR_sysctl || r[0] == __HYPERVISOR_platform_op) && result != -EPERM)
		__atomic_fetch_add(&wrong, 1, __ATOMIC_RELAXED);
}

/* ---- what changes meanwhile ---- */

static void change_argument(struct fuzz_cpu *c)
{
	static const char kinds[] = "dpvrfoitwngxaPsq";
	volatile uint8_t *at = (volatile uint8_t *)(uintptr_t)(ARENA + below(c, (uint32_t)ARENA_BYTES - 8) / 2 * 2);
	uint64_t value;
	unsigned int bytes = field(c, kinds[below(c, sizeof(kinds) - 1)], &value);

	for (unsigned int i = 0; i < bytes; i++)
		at[i] = (uint8_t)(value >> (8 * i));
}

static void change_grant(struct fuzz_cpu *c)
{
	static const uint16_t flags[] = { GTF_permit_access, GTF_permit_access, GTF_permit_access | GTF_readonly, GTF_transitive, GTF_accept_transfer,
					  GTF_permit_access | GTF_sub_page, 0, 0xffff };
	volatile grant_entry_v1_t *e = (volatile grant_entry_v1_t *)(uintptr_t)(TABLE_GFN * PAGE) + FIRST_REF + below(c, REFS);

	e->domid = (domid_t)(below(c, 8) ? with : a_domain(c));
	e->frame = (uint32_t)a_gfn(c);
	e->flags = flags[below(c, 8)];
}

static void change_event(struct fuzz_cpu *c)
{
	volatile struct shared_info *info = (volatile struct shared_info *)(uintptr_t)(INFO_GFN * PAGE);

	switch (below(c, 3)) {
	case 0: info->evtchn_mask[below(c, 4)] = any(c); break;
	case 1: info->evtchn_pending[below(c, 4)] = any(c); break;
	default: ((volatile uint32_t *)(uintptr_t)ARENA)[below(c, 4096)] = (uint32_t)any(c) ^ 1u << (28 + below(c, 4)); break;
	}
}

static void change(struct fuzz_cpu *c)
{
	switch (below(c, 8)) {
	case 0: case 1: change_grant(c); break;
	case 2: case 3: change_event(c); break;
	default: change_argument(c); break;
	}
}

static void second(void)
{
	struct fuzz_cpu *c = &cpus[1];

	up = true;
	while (!stop) {
		for (uint32_t n = below(c, 64); n; n--)
			change(c);
		if (below(c, 4) == 0)
			call(c);
		if (below(c, 256) == 0)
			nmi_to(0);
	}
	payload_cli();
	for (;;)
		payload_halt();
}

static void second_start(void)
{
	payload_second_start(second);
	/* an NMI before it has its gates would be its end */
	while (!up)
		payload_pause();
}

/* ---- a run ---- */

static void place(unsigned int space, uint64_t index, uint64_t gfn)
{
	struct xen_add_to_physmap a = { .domid = DOMID_SELF, .space = (unsigned int)space, .idx = index, .gpfn = gfn };

	(void)hypercall(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, address(&a));
}

static void say(const char *what, uint64_t value)
{
	console_print(what);
	console_number(value);
}

static void run(uint64_t count)
{
	struct fuzz_cpu *c = &cpus[0];

	while (count--) {
		call(c);
		if (below(c, 2))
			change(c);
		if (below(c, 256) == 0)
			nmi_to(1);
	}
}

static void fuzz_all(void)
{
	uint64_t seed = payload_option("seed", 1), count = payload_option("count", 20000);

	with = payload_option("with", 1);
	for (unsigned int i = 0; i < 2; i++)
		cpus[i].state = (seed * 2 + i + 1) * UINT64_C(0x9e3779b97f4a7c15);
	place(XENMAPSPACE_shared_info, 0, INFO_GFN);
	place(XENMAPSPACE_grant_table, 0, TABLE_GFN);
	say("FUZZ seed ", seed);
	console_print("\n");
	for (uint64_t at = ARENA; at < ARENA + ARENA_BYTES; at += 8)
		*(volatile uint64_t *)(uintptr_t)at = a_gfn(&cpus[0]);
	second_start();
	run(count - count / 8);
	say("FUZZ calls ", cpus[0].calls + cpus[1].calls);
	say(" second ", cpus[1].calls);
	say(" succeeded ", cpus[0].done + cpus[1].done);
	say(" wrong ", wrong);
	console_print("\n");
	/* and what may cost it its console */
	reckless = true;
	run(count / 8);
	stop = true;
	if (!payload_option("keep", 0))
		return;
	payload_cli();
	for (;;)
		payload_halt();
}

static void doze(void)
{
	struct vcpu_runstate_info now = { .state = 0 };
	struct sched_poll p = { .nr_ports = 0 };

	(void)payload_hypercall(__HYPERVISOR_vcpu_op, VCPUOP_get_runstate_info, 0, address(&now), 0, 0);
	p.timeout = now.state_entry_time + UINT64_C(500000000);
	(void)hypercall(__HYPERVISOR_sched_op, SCHEDOP_poll, address(&p));
}

/* Its memory is nobody else's. */
static void watch(void)
{
	volatile uint64_t *first = (volatile uint64_t *)(uintptr_t)(RAM_GFN * PAGE), *end = first + RAM_PAGES * (PAGE / 8);

	for (volatile uint64_t *word = first; word < end; word++)
		*word = address(word) * UINT64_C(0x9e3779b97f4a7c15);
	for (uint64_t n = 0;; n++) {
		uint64_t changed = 0;

		for (volatile uint64_t *word = first; word < end; word++)
			changed += *word != address(word) * UINT64_C(0x9e3779b97f4a7c15);
		say("WATCH ", n);
		say(" changed ", changed);
		console_print("\n");
		doze();
	}
}

const struct payload_mode fuzz_modes[] = {
	{ "fuzz_all", fuzz_all },
	{ "watch", watch },
	{ NULL, NULL },
};
