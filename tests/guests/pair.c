/*
 * Two payloads in two domains: one grants pages and waits on an event channel, the other uses what it was granted, and what it was not. They speak through the
 * first granted page. Each expectation that fails is a line; the last line counts them.
 */
#include "payload.h"

#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/memory.h>
#include <xen/sched.h>

#define TABLE_GFN   UINT64_C(0x70000)
#define SHARED_GFN  UINT64_C(0x71000) /* and the pages above it: where grants are mapped */
#define INFO_GFN    UINT64_C(0x6f000)
#define FIRST_REF   8u
#define MAGIC	    UINT64_C(0x696e73756c612121)
#define NOBODY	    999u
#define FAR_REF	    1000000u
#define OTHER_PORTS 4095u

enum { REF_MAIL = FIRST_REF, REF_READ, REF_NONE, REF_OTHER, REF_TRANSITIVE, REF_BAD_PAGE, REF_COPY, REF_AGAIN };

/* The page both have. */
struct pair_mail {
	uint64_t magic;
	uint32_t port;	 /* granter's, waits for the other */
	uint32_t step;	 /* what the granter is asked for */
	uint32_t done;	 /* what it has done */
	uint32_t events; /* it has seen */
};
enum { STEP_REVOKE = 1, STEP_CLOSE, STEP_CHECK, STEP_OPEN, STEP_LAST, STEP_END };
#define ROUNDS	    20u	   /* of channels that are closed as soon as something was sent */
#define ROUND_WAITS 50000u

static uint64_t pair_bad, pair_count;

static void pair_expect(const char *what, int64_t seen, int64_t wanted)
{
	pair_count++;
	if (seen == wanted)
		return;
	pair_bad++;
	console_print("PAIR ");
	console_print(what);
	console_print(": ");
	console_hex((uint64_t)seen);
	console_print(" not ");
	console_hex((uint64_t)wanted);
	console_print("\n");
}

static volatile uint64_t *pair_page(unsigned int n)
{
	return (volatile uint64_t *)(uintptr_t)(address(image_end) + (UINT64_C(16) + n) * PAGE);
}

static int64_t pair_place(unsigned int space, uint64_t index, uint64_t gfn)
{
	struct xen_add_to_physmap a = { .domid = DOMID_SELF, .space = space, .idx = index, .gpfn = gfn };

	return hypercall(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, address(&a));
}

static int64_t pair_event(unsigned int op, volatile void *argument)
{
	return hypercall(__HYPERVISOR_event_channel_op, op, address(argument));
}

static volatile struct shared_info *pair_info(void)
{
	return (volatile struct shared_info *)(uintptr_t)(INFO_GFN * PAGE);
}

static bool pair_pending(uint32_t port)
{
	return __atomic_fetch_and(&pair_info()->evtchn_pending[port / 64], ~(1ul << (port % 64)), __ATOMIC_SEQ_CST) >> (port % 64) & 1;
}

static void pair_yield(void)
{
	(void)hypercall(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
}

static volatile grant_entry_v1_t *pair_entry(uint32_t ref)
{
	return (volatile grant_entry_v1_t *)(uintptr_t)(TABLE_GFN * PAGE) + ref;
}

static void pair_grant(uint32_t ref, uint64_t to, uint64_t frame, uint16_t flags)
{
	pair_entry(ref)->domid = (domid_t)to;
	pair_entry(ref)->frame = (uint32_t)frame;
	payload_fence();
	pair_entry(ref)->flags = flags;
}

/* ---- who grants ---- */

static bool pair_revoke(uint32_t ref)
{
	uint16_t flags = pair_entry(ref)->flags;

	return !(flags & (GTF_reading | GTF_writing)) && __atomic_compare_exchange_n(&pair_entry(ref)->flags, &flags, 0, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

static void pair_serve(volatile struct pair_mail *mail, struct evtchn_alloc_unbound *unbound)
{
	struct evtchn_send last = { .port = unbound->port };
	struct evtchn_close close = { .port = unbound->port };

	switch (mail->step) {
	case STEP_REVOKE:
		pair_expect("revoked while mapped", pair_revoke(REF_MAIL), 0);
		pair_expect("flags of a mapped entry", pair_entry(REF_MAIL)->flags, GTF_permit_access | GTF_reading | GTF_writing);
		pair_expect("revoked when it is not", pair_revoke(REF_COPY), 1);
		break;
	case STEP_CLOSE:
		pair_expect("close", pair_event(EVTCHNOP_close, &close), 0);
		break;
	case STEP_OPEN:
		pair_expect("alloc_unbound", pair_event(EVTCHNOP_alloc_unbound, unbound), 0);
		mail->port = unbound->port;
		break;
	case STEP_LAST:
		pair_expect("send", pair_event(EVTCHNOP_send, &last), 0);
		pair_expect("close", pair_event(EVTCHNOP_close, &close), 0);
		break;
	case STEP_CHECK:
		for (unsigned int i = 0; i < PAGE / 8; i++)
			if (pair_page(1)[i] != MAGIC + i) {
				pair_expect("a page granted to be read", (int64_t)pair_page(1)[i], (int64_t)(MAGIC + i));
				break;
			}
		pair_expect("flags after use", pair_entry(REF_READ)->flags, GTF_permit_access | GTF_readonly);
		break;
	default:
		break;
	}
}

static void pair_granter(void)
{
	uint64_t to = payload_option("with", 2);
	struct evtchn_alloc_unbound unbound = { .dom = DOMID_SELF, .remote_dom = (domid_t)to };
	volatile struct pair_mail *mail = (volatile void *)pair_page(0);
	uint32_t step = 0;

	pair_expect("shared info", pair_place(XENMAPSPACE_shared_info, 0, INFO_GFN), 0);
	pair_expect("table", pair_place(XENMAPSPACE_grant_table, 0, TABLE_GFN), 0);
	pair_expect("alloc_unbound", pair_event(EVTCHNOP_alloc_unbound, &unbound), 0);
	for (unsigned int i = 0; i < PAGE / 8; i++)
		pair_page(1)[i] = MAGIC + i;
	mail->port = unbound.port;
	pair_grant(REF_READ, to, address(pair_page(1)) / PAGE, GTF_permit_access | GTF_readonly);
	pair_grant(REF_AGAIN, to, address(pair_page(1)) / PAGE, GTF_permit_access | GTF_readonly);
	pair_grant(REF_OTHER, NOBODY, address(pair_page(1)) / PAGE, GTF_permit_access);
	pair_grant(REF_TRANSITIVE, to, address(pair_page(1)) / PAGE, GTF_transitive);
	pair_grant(REF_BAD_PAGE, to, UINT64_C(0xfffff), GTF_permit_access);
	pair_grant(REF_COPY, to, address(pair_page(2)) / PAGE, GTF_permit_access);
	mail->magic = MAGIC;
	pair_grant(REF_MAIL, to, address(pair_page(0)) / PAGE, GTF_permit_access);
	console_print("PAIR ready\n");
	while (step != STEP_END) {
		if (pair_pending(unbound.port)) {
			struct evtchn_send back = { .port = unbound.port };

			mail->events++;
			pair_expect("send", pair_event(EVTCHNOP_send, &back), 0);
		}
		if (mail->step != step) {
			step = mail->step;
			pair_serve(mail, &unbound);
			payload_fence();
			mail->done = step;
		}
		pair_yield();
	}
}

/* ---- who uses ---- */

struct pair_map {
	int16_t status;
	uint32_t handle;
};

static struct pair_map pair_map(uint64_t from, uint32_t ref, uint64_t gfn, uint32_t flags)
{
	struct gnttab_map_grant_ref m = { .host_addr = gfn * PAGE, .flags = flags, .ref = ref, .dom = (domid_t)from, .status = 99 };

	pair_expect("map's result", payload_hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_map_grant_ref, address(&m), 1, 0, 0), 0);
	return (struct pair_map){ m.status, m.handle };
}

static int16_t pair_unmap(uint32_t handle, uint64_t gfn)
{
	struct gnttab_unmap_grant_ref u = { .host_addr = gfn * PAGE, .handle = handle, .status = 99 };

	pair_expect("unmap's result", payload_hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_unmap_grant_ref, address(&u), 1, 0, 0), 0);
	return u.status;
}

static struct gnttab_copy pair_copy_of(uint64_t from, uint32_t ref, volatile uint64_t *own, bool out)
{
	struct gnttab_copy c = { .len = PAGE, .flags = out ? GNTCOPY_dest_gref : GNTCOPY_source_gref };

	if (out) {
		c.source.u.gmfn = address(own) / PAGE;
		c.source.domid = DOMID_SELF;
		c.dest.u.ref = ref;
		c.dest.domid = (domid_t)from;
	} else {
		c.dest.u.gmfn = address(own) / PAGE;
		c.dest.domid = DOMID_SELF;
		c.source.u.ref = ref;
		c.source.domid = (domid_t)from;
	}
	return c;
}

static int16_t pair_copy(struct gnttab_copy c)
{
	c.status = 99;
	pair_expect("copy's result", payload_hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_copy, address(&c), 1, 0, 0), 0);
	return c.status;
}

static void pair_ask(volatile struct pair_mail *mail, uint32_t step)
{
	mail->step = step;
	while (mail->done != step)
		pair_yield();
}

static void pair_refusals(uint64_t from)
{
	const uint32_t host = GNTMAP_host_map;

	pair_expect("read-only to be written", pair_map(from, REF_READ, SHARED_GFN, host).status, GNTST_general_error);
	pair_expect("an empty entry", pair_map(from, REF_NONE, SHARED_GFN, host).status, GNTST_general_error);
	pair_expect("another's", pair_map(from, REF_OTHER, SHARED_GFN, host).status, GNTST_general_error);
	pair_expect("a transitive one", pair_map(from, REF_TRANSITIVE, SHARED_GFN, host).status, GNTST_general_error);
	pair_expect("not the granter's memory", pair_map(from, REF_BAD_PAGE, SHARED_GFN, host).status, GNTST_bad_page);
	pair_expect("beyond the table", pair_map(from, FAR_REF, SHARED_GFN, host).status, GNTST_bad_gntref);
	pair_expect("a domain that is not there", pair_map(NOBODY, REF_MAIL, SHARED_GFN, host).status, GNTST_bad_domain);
	pair_expect("for a device", pair_map(from, REF_MAIL, SHARED_GFN, GNTMAP_device_map).status, GNTST_general_error);
	pair_expect("for nothing", pair_map(from, REF_MAIL, SHARED_GFN, 0).status, GNTST_bad_gntref);
	pair_expect("unmap of nothing", pair_unmap(0, SHARED_GFN), GNTST_bad_handle);
	pair_expect("unmap of no handle", pair_unmap(UINT32_MAX, SHARED_GFN), GNTST_bad_handle);
}

static void pair_copies(uint64_t from)
{
	struct gnttab_copy c;

	pair_expect("copy in", pair_copy(pair_copy_of(from, REF_READ, pair_page(3), false)), GNTST_okay);
	pair_expect("what was copied in", (int64_t)pair_page(3)[17], (int64_t)(MAGIC + 17));
	pair_page(4)[0] = 0x1234;
	pair_expect("copy out", pair_copy(pair_copy_of(from, REF_COPY, pair_page(4), true)), GNTST_okay);
	pair_expect("copy back", pair_copy(pair_copy_of(from, REF_COPY, pair_page(5), false)), GNTST_okay);
	pair_expect("what came back", (int64_t)pair_page(5)[0], 0x1234);
	pair_expect("copy to read-only", pair_copy(pair_copy_of(from, REF_READ, pair_page(4), true)), GNTST_general_error);
	pair_expect("copy of another's", pair_copy(pair_copy_of(from, REF_OTHER, pair_page(4), false)), GNTST_general_error);
	pair_expect("copy from nobody", pair_copy(pair_copy_of(NOBODY, REF_READ, pair_page(4), false)), GNTST_bad_domain);
	pair_expect("copy of no entry", pair_copy(pair_copy_of(from, FAR_REF, pair_page(4), false)), GNTST_bad_gntref);
	c = pair_copy_of(from, REF_READ, pair_page(3), false);
	c.dest.offset = 8;
	pair_expect("copy across the page's end", pair_copy(c), GNTST_bad_copy_arg);
	c = pair_copy_of(from, REF_READ, pair_page(3), false);
	c.flags = 0;
	pair_expect("copy of another's page by its number", pair_copy(c), GNTST_permission_denied);
	c = pair_copy_of(from, REF_READ, pair_page(3), false);
	c.dest.u.gmfn = SHARED_GFN + 64;
	pair_expect("copy to no page", pair_copy(c), GNTST_bad_page);
	/* from one of its pages to another */
	c = pair_copy_of(from, REF_READ, pair_page(3), false);
	c.flags |= GNTCOPY_dest_gref;
	c.dest.u.ref = REF_COPY;
	c.dest.domid = (domid_t)from;
	c.source.offset = 64;
	c.dest.offset = 128;
	c.len = 24;
	pair_expect("copy from grant to grant", pair_copy(c), GNTST_okay);
	pair_expect("copy back", pair_copy(pair_copy_of(from, REF_COPY, pair_page(5), false)), GNTST_okay);
	pair_expect("before it", (int64_t)pair_page(5)[15], 0);
	pair_expect("what was copied", (int64_t)pair_page(5)[18], (int64_t)(MAGIC + 10));
	pair_expect("after it", (int64_t)pair_page(5)[19], 0);
}

static void pair_wait_event(uint32_t port)
{
	while (!pair_pending(port))
		pair_yield();
}

static void pair_events(uint64_t from, volatile struct pair_mail *mail)
{
	struct evtchn_bind_interdomain bind = { .remote_dom = (domid_t)from, .remote_port = mail->port };
	struct evtchn_status status = { .dom = DOMID_SELF };
	struct evtchn_send send;
	struct evtchn_close close;

	bind.remote_port = OTHER_PORTS;
	pair_expect("bind to a free port", pair_event(EVTCHNOP_bind_interdomain, &bind), -22);
	bind.remote_dom = NOBODY;
	pair_expect("bind to nobody", pair_event(EVTCHNOP_bind_interdomain, &bind), -3);
	bind.remote_dom = (domid_t)from;
	bind.remote_port = mail->port;
	pair_expect("bind", pair_event(EVTCHNOP_bind_interdomain, &bind), 0);
	(void)pair_pending(bind.local_port); /* as on Xen, what is bound is pending once */
	status.port = send.port = close.port = bind.local_port;
	pair_expect("status", pair_event(EVTCHNOP_status, &status), 0);
	pair_expect("its state", status.status, EVTCHNSTAT_interdomain);
	pair_expect("its peer", status.u.interdomain.dom, (int64_t)from);
	pair_expect("its port", status.u.interdomain.port, mail->port);
	for (unsigned int i = 0; i < 50; i++) {
		uint32_t seen = mail->events;

		pair_expect("send", pair_event(EVTCHNOP_send, &send), 0);
		pair_wait_event(send.port);
		pair_expect("an event more", mail->events > seen, 1);
	}
	bind.local_port = 0;
	pair_expect("bind twice", pair_event(EVTCHNOP_bind_interdomain, &bind), -22);
	pair_ask(mail, STEP_CLOSE);
	/* the peer's word of it comes by itself, a moment later */
	do {
		pair_yield();
		pair_expect("status", pair_event(EVTCHNOP_status, &status), 0);
	} while (status.status == EVTCHNSTAT_interdomain && !pair_bad);
	pair_expect("state after the peer's close", status.status, EVTCHNSTAT_unbound);
	pair_expect("send to nobody", pair_event(EVTCHNOP_send, &send), 0);
	pair_expect("close", pair_event(EVTCHNOP_close, &close), 0);
	pair_expect("close again", pair_event(EVTCHNOP_close, &close), -22);
}

/* What one end sends just before it closes its port arrives at the other, each time. */
static void pair_rounds(uint64_t from, volatile struct pair_mail *mail)
{
	for (unsigned int i = 0; i < ROUNDS; i++) {
		struct evtchn_bind_interdomain bind = { .remote_dom = (domid_t)from };
		struct evtchn_status status = { .dom = DOMID_SELF };
		struct evtchn_send send;
		struct evtchn_close close;
		uint32_t seen = mail->events, waits = 0;

		/* from here: it is closed before the other has heard of it */
		pair_ask(mail, STEP_OPEN);
		bind.remote_port = mail->port;
		pair_expect("bind", pair_event(EVTCHNOP_bind_interdomain, &bind), 0);
		send.port = close.port = bind.local_port;
		pair_expect("send", pair_event(EVTCHNOP_send, &send), 0);
		pair_expect("close", pair_event(EVTCHNOP_close, &close), 0);
		while (mail->events == seen && waits++ < ROUND_WAITS)
			pair_yield();
		pair_expect("sent before the close", mail->events - seen, 1);
		/* from there, on the same port of the other's */
		pair_expect("bind", pair_event(EVTCHNOP_bind_interdomain, &bind), 0);
		(void)pair_pending(bind.local_port);
		pair_ask(mail, STEP_LAST);
		status.port = close.port = bind.local_port;
		do {
			pair_yield();
			pair_expect("status", pair_event(EVTCHNOP_status, &status), 0);
		} while (status.status == EVTCHNSTAT_interdomain && !pair_bad);
		pair_expect("sent before the other's close", pair_pending(bind.local_port), 1);
		pair_expect("close", pair_event(EVTCHNOP_close, &close), 0);
	}
}

/* Maps an entry to read at pages from *n on until it is refused: how it is. */
static int16_t pair_map_often(uint64_t from, uint32_t ref, uint32_t *handle, uint32_t *n)
{
	struct pair_map m = { 0 };

	while (*n < 1024) {
		m = pair_map(from, ref, SHARED_GFN + 16 + *n, GNTMAP_host_map | GNTMAP_readonly);
		if (m.status)
			break;
		handle[(*n)++] = m.handle;
	}
	return m.status;
}

/* An entry as often as Xen's counters hold; all together as many as the toolstack allows (max_maptrack_frames=1). */
static void pair_handles(uint64_t from)
{
	static uint32_t handle[1024];
	uint32_t n = 0;

	pair_expect("too often", pair_map_often(from, REF_READ, handle, &n), GNTST_general_error);
	pair_expect("how often", n, 128);
	pair_expect("one more than it may have", pair_map_often(from, REF_AGAIN, handle, &n), GNTST_no_space);
	pair_expect("how many", n, (int64_t)payload_option("handles", 255)); /* the mail's is one more */
	while (n--)
		pair_expect("unmap", pair_unmap(handle[n], SHARED_GFN + 16 + n), GNTST_okay);
}

static void pair_user(void)
{
	uint64_t from = payload_option("with", 1);
	volatile struct pair_mail *mail = (volatile void *)(uintptr_t)(SHARED_GFN * PAGE);
	volatile uint64_t *read = (volatile uint64_t *)(uintptr_t)((SHARED_GFN + 1) * PAGE);
	struct pair_map m, again;

	pair_expect("shared info", pair_place(XENMAPSPACE_shared_info, 0, INFO_GFN), 0);
	pair_refusals(from);
	m = pair_map(from, REF_MAIL, SHARED_GFN, GNTMAP_host_map);
	pair_expect("map", m.status, GNTST_okay);
	pair_expect("what is there", (int64_t)mail->magic, (int64_t)MAGIC);
	if (pair_bad == 0) {
		if (payload_option("taken", 1)) /* of Xen's answers the one that a guest does not live to see */
			pair_expect("where something is", pair_map(from, REF_MAIL, SHARED_GFN, GNTMAP_host_map).status, GNTST_general_error);
		again = pair_map(from, REF_READ, SHARED_GFN + 1, GNTMAP_host_map | GNTMAP_readonly);
		pair_expect("map to read", again.status, GNTST_okay);
		pair_expect("what is there", (int64_t)read[5], (int64_t)(MAGIC + 5));
		payload_trap_skip = PAYLOAD_STORE_BYTES;
		payload_store(&read[5], 0); /* dropped, or a fault: never done */
		payload_trap_skip = 0;
		pair_expect("unmap elsewhere", pair_unmap(again.handle, SHARED_GFN + 2), GNTST_general_error);
		pair_expect("unmap", pair_unmap(again.handle, SHARED_GFN + 1), GNTST_okay);
		pair_expect("unmap again", pair_unmap(again.handle, SHARED_GFN + 1), GNTST_bad_handle);
		pair_copies(from);
		pair_ask(mail, STEP_CHECK);
		pair_ask(mail, STEP_REVOKE);
		pair_expect("revoked", pair_map(from, REF_COPY, SHARED_GFN + 1, GNTMAP_host_map).status, GNTST_general_error);
		pair_events(from, mail);
		pair_rounds(from, mail);
		pair_handles(from);
		pair_ask(mail, STEP_END);
	}
	console_print("PAIR tried ");
	console_number(pair_count);
	console_print(" wrong ");
	console_number(pair_bad);
	console_print("\n");
	/* what the other granted stays mapped until this domain is destroyed */
	payload_cli();
	for (;;)
		payload_halt();
}

/* ---- two that do anything ---- */

#define FUZZ_REFS    32u
#define FUZZ_GFN     UINT64_C(0x800) /* the RAM that is granted and given back; nothing of the payload's is there */
#define FUZZ_PAGES   1024u
#define FUZZ_WINDOWS 64u
#define FUZZ_PORTS   40u
#define FUZZ_KEEP    4u /* ports below are the console's and the store's */

static uint64_t fuzz_state;

static uint32_t fuzz_random(uint32_t below)
{
	fuzz_state ^= fuzz_state >> 12;
	fuzz_state ^= fuzz_state << 25;
	fuzz_state ^= fuzz_state >> 27;
	return (uint32_t)((fuzz_state * UINT64_C(2685821657736338717)) >> 33) % below;
}

static uint64_t fuzz_gfn(void)
{
	return fuzz_random(32) ? FUZZ_GFN + fuzz_random(FUZZ_PAGES) : (uint64_t)fuzz_random(UINT32_MAX) << fuzz_random(24);
}

static domid_t fuzz_domain(uint64_t with)
{
	static const domid_t others[] = { DOMID_SELF, 0, NOBODY, DOMID_IO };

	return fuzz_random(6) ? (domid_t)with : others[fuzz_random(4)];
}

static uint32_t fuzz_ref(void)
{
	return fuzz_random(40) ? FIRST_REF + fuzz_random(FUZZ_REFS) : fuzz_random(UINT32_MAX);
}

static void fuzz_grant(uint64_t with)
{
	static const uint16_t flags[] = { GTF_permit_access, GTF_permit_access, GTF_permit_access | GTF_readonly, GTF_transitive, GTF_accept_transfer,
					  GTF_permit_access | GTF_sub_page, 0 };

	pair_grant(FIRST_REF + fuzz_random(FUZZ_REFS), fuzz_random(8) ? with : fuzz_domain(with), fuzz_gfn(), flags[fuzz_random(7)]);
}

static void fuzz_map(uint64_t with)
{
	struct gnttab_map_grant_ref m[8];
	uint32_t n = 1 + fuzz_random(8);

	for (uint32_t i = 0; i < n; i++)
		m[i] = (struct gnttab_map_grant_ref){ .host_addr = (SHARED_GFN + fuzz_random(FUZZ_WINDOWS)) * PAGE,
						      .flags = fuzz_random(16) ? GNTMAP_host_map | (fuzz_random(3) ? 0 : GNTMAP_readonly) : fuzz_random(256),
						      .ref = fuzz_ref(),
						      .dom = fuzz_domain(with) };
	(void)payload_hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_map_grant_ref, address(m), n, 0, 0);
	for (uint32_t i = 0; i < n; i++)
		if (m[i].status == GNTST_okay)
			*(volatile uint64_t *)(uintptr_t)(m[i].host_addr + fuzz_random(512) * 8) ^= (m[i].flags & GNTMAP_readonly) ? 0 : 1;
}

static void fuzz_unmap(void)
{
	for (unsigned int i = 0; i < 16; i++) {
		struct gnttab_unmap_grant_ref u = { .host_addr = (SHARED_GFN + fuzz_random(FUZZ_WINDOWS)) * PAGE, .handle = fuzz_random(FUZZ_WINDOWS) };

		(void)payload_hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_unmap_grant_ref, address(&u), 1, 0, 0);
	}
}

static void fuzz_copy(uint64_t with)
{
	static struct gnttab_copy c[60];
	uint32_t n = fuzz_random(60);

	for (uint32_t i = 0; i < n; i++) {
		c[i] = (struct gnttab_copy){ .flags = (uint16_t)fuzz_random(4), .len = (uint16_t)fuzz_random(fuzz_random(4) ? 512 : 65536) };
		c[i].source.offset = (uint16_t)fuzz_random(fuzz_random(4) ? 4096 : 65536);
		c[i].dest.offset = (uint16_t)fuzz_random(fuzz_random(4) ? 4096 : 65536);
		c[i].source.domid = c[i].flags & GNTCOPY_source_gref ? fuzz_domain(with) : DOMID_SELF;
		c[i].dest.domid = c[i].flags & GNTCOPY_dest_gref ? fuzz_domain(with) : DOMID_SELF;
		c[i].source.u.gmfn = c[i].flags & GNTCOPY_source_gref ? fuzz_ref() : fuzz_gfn();
		c[i].dest.u.gmfn = c[i].flags & GNTCOPY_dest_gref ? fuzz_ref() : FUZZ_GFN + fuzz_random(FUZZ_PAGES);
	}
	(void)payload_hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_copy, address(c), n, 0, 0);
}

static void fuzz_event(uint64_t with)
{
	struct evtchn_alloc_unbound unbound = { .dom = DOMID_SELF, .remote_dom = fuzz_domain(with) };
	struct evtchn_bind_interdomain bind = { .remote_dom = fuzz_domain(with), .remote_port = fuzz_random(FUZZ_PORTS) };
	struct evtchn_close close = { .port = FUZZ_KEEP + fuzz_random(FUZZ_PORTS) };
	struct evtchn_send send = { .port = fuzz_random(FUZZ_PORTS) };
	struct evtchn_status status = { .dom = fuzz_domain(with), .port = fuzz_random(FUZZ_PORTS) };

	switch (fuzz_random(6)) {
	case 0: (void)pair_event(EVTCHNOP_alloc_unbound, &unbound); break;
	case 1: (void)pair_event(EVTCHNOP_bind_interdomain, &bind); break;
	case 2: (void)pair_event(EVTCHNOP_close, &close); break;
	case 3: (void)pair_event(EVTCHNOP_status, &status); break;
	default: (void)pair_event(EVTCHNOP_send, &send); break;
	}
}

/* Often enough a whole 2 MiB, so that it goes back. */
static void fuzz_balloon(void)
{
	static xen_pfn_t gfn[512];
	struct xen_memory_reservation r = { .nr_extents = fuzz_random(4) ? 1 + fuzz_random(20) : 512, .domid = DOMID_SELF };
	uint64_t first = FUZZ_GFN + fuzz_random(FUZZ_PAGES / 512) * 512;

	for (uint32_t i = 0; i < r.nr_extents; i++)
		gfn[i] = r.nr_extents == 512 ? first + i : fuzz_gfn();
	r.extent_start.p = gfn;
	(void)hypercall(__HYPERVISOR_memory_op, fuzz_random(2) ? XENMEM_decrease_reservation : XENMEM_populate_physmap, address(&r));
}

static void pair_fuzz(void)
{
	uint64_t with = payload_option("with", 1), count = payload_option("count", 3000);

	fuzz_state = (payload_option("seed", 1) + with) * UINT64_C(0x9e3779b97f4a7c15) + 1;
	(void)pair_place(XENMAPSPACE_shared_info, 0, INFO_GFN);
	(void)pair_place(XENMAPSPACE_grant_table, 0, TABLE_GFN);
	for (uint64_t n = 0; n < count; n++)
		switch (fuzz_random(12)) {
		case 0: case 1: fuzz_map(with); break;
		case 2: case 3: fuzz_unmap(); break;
		case 4: fuzz_copy(with); break;
		case 5: case 6: case 7: fuzz_event(with); break;
		case 8: fuzz_balloon(); break;
		default: fuzz_grant(with); break;
		}
	console_print("PAIR fuzzed\n");
	/* what it has stays as it is until it is destroyed */
	payload_cli();
	for (;;)
		payload_halt();
}

static void pair_granter_mode(void)
{
	pair_granter();
	console_print("PAIR granted ");
	console_number(pair_count);
	console_print(" wrong ");
	console_number(pair_bad);
	console_print("\n");
}

const struct payload_mode pair_modes[] = {
	{ "granter", pair_granter_mode },
	{ "user", pair_user },
	{ "fuzz", pair_fuzz },
	{ NULL, NULL },
};
