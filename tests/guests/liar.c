/*
 * A frontend that lies: disks and interfaces whose rings are filled by hand. Domain 0 connects them: it writes what the lines `LIAR node` say below the domain's
 * device/ in the store. Each request has an answer that is expected, or none, where the backend shuts the ring down. Each expectation that fails is a line; the last
 * line counts them.
 */
#include "payload.h"

#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/io/blkif.h>
#include <xen/io/netif.h>
#include <xen/io/protocols.h>
#include <xen/memory.h>
#include <xen/sched.h>

#define TABLE_GFN   UINT64_C(0x70000)
#define DISKS	    3u
#define VIFS	    6u
#define DISK_FIRST  51712u /* xvda; the next are 16 apart */
#define BLK_SLOTS   32u
#define NET_SLOTS   256u
#define SECTORS	    UINT64_C(2048) /* of each disk */
#define PAGE_SECTS  8u
#define NOBODY	    999u
#define FAR_REF	    1000000u
#define NO_ANSWER   1000
#define PATIENCE    UINT64_C(20000000000) /* ticks, for an answer that has to come */
#define SILENCE	    UINT64_C(50000000)	  /* and in which none may */
#define RANDOM	    400u

enum { REF_DATA = 8, REF_READ_ONLY, REF_OTHERS, REF_OUTSIDE, REF_DEVICE, REF_TRANSITIVE, REF_INDIRECT, REF_UNUSED, REF_RINGS };

struct liar_ring {
	volatile void *page;
	uint32_t ref, port, produced, consumed;
};
static struct liar_ring liar_disk[DISKS], liar_tx[VIFS], liar_rx[VIFS];
static uint64_t liar_bad, liar_count, liar_pages = 16, liar_seed;
static uint32_t liar_next_ref = REF_RINGS;

static void liar_expect(const char *what, uint64_t where, int64_t seen, int64_t wanted)
{
	liar_count++;
	if (seen == wanted)
		return;
	liar_bad++;
	console_print("LIAR ");
	console_print(what);
	console_print(" ");
	console_number(where);
	console_print(": ");
	console_hex((uint64_t)seen);
	console_print(" not ");
	console_hex((uint64_t)wanted);
	console_print("\n");
}

static volatile void *liar_page(void)
{
	return (volatile void *)(uintptr_t)(address(image_end) / PAGE * PAGE + liar_pages++ * PAGE);
}

static void liar_grant(uint32_t ref, uint64_t to, uint64_t frame, uint16_t flags)
{
	volatile grant_entry_v1_t *entry = (volatile grant_entry_v1_t *)(uintptr_t)(TABLE_GFN * PAGE) + ref;

	entry->domid = (domid_t)to;
	entry->frame = (uint32_t)frame;
	payload_fence();
	entry->flags = flags;
}

static int64_t liar_event(unsigned int op, volatile void *argument)
{
	return hypercall(__HYPERVISOR_event_channel_op, op, address(argument));
}

static void liar_node_name(const char *class, uint64_t number, const char *name)
{
	console_print("LIAR node ");
	console_print(class);
	console_print("/");
	console_number(number);
	console_print(name);
}

static void liar_node(const char *class, uint64_t number, const char *name, uint64_t value)
{
	liar_node_name(class, number, name);
	console_number(value);
	console_print("\n");
}

static void liar_make(struct liar_ring *ring)
{
	ring->page = liar_page();
	ring->ref = liar_next_ref++;
	liar_grant(ring->ref, 0, address(ring->page) / PAGE, GTF_permit_access);
}

static uint32_t liar_port(void)
{
	struct evtchn_alloc_unbound unbound = { .dom = DOMID_SELF, .remote_dom = 0 };

	liar_expect("port", 0, liar_event(EVTCHNOP_alloc_unbound, &unbound), 0);
	return unbound.port;
}

/* An event, and a turn for others. */
static void liar_kick(const struct liar_ring *ring)
{
	struct evtchn_send send = { .port = ring->port };

	(void)liar_event(EVTCHNOP_send, &send);
	(void)hypercall(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
}

static uint32_t liar_random(uint32_t below)
{
	liar_seed ^= liar_seed >> 12;
	liar_seed ^= liar_seed << 25;
	liar_seed ^= liar_seed >> 27;
	return (uint32_t)((liar_seed * UINT64_C(2685821657736338717)) >> 33) % below;
}

/* ---- disks ---- */

static volatile struct blkif_sring *liar_blk(const struct liar_ring *ring)
{
	return ring->page;
}

static void liar_blk_put(struct liar_ring *ring, const struct blkif_request *request)
{
	liar_blk(ring)->ring[ring->produced++ % BLK_SLOTS].req = *request;
}

/* Shows the backend what was put, and waits until it has answered all of that, or for so long. */
static bool liar_blk_wait(struct liar_ring *ring, uint64_t ticks)
{
	uint64_t start = payload_tsc();

	payload_fence();
	liar_blk(ring)->req_prod = ring->produced;
	do
		liar_kick(ring);
	while (liar_blk(ring)->rsp_prod != ring->produced && payload_tsc() - start < ticks);
	return liar_blk(ring)->rsp_prod == ring->produced;
}

static int liar_blk_ask(struct liar_ring *ring, struct blkif_request *request, uint64_t ticks)
{
	volatile struct blkif_response *response = &liar_blk(ring)->ring[ring->produced % BLK_SLOTS].rsp;

	request->id = liar_count;
	liar_blk_put(ring, request);
	if (!liar_blk_wait(ring, ticks))
		return NO_ANSWER;
	return response->id == liar_count ? response->status : NO_ANSWER + 1;
}

static struct blkif_request liar_request(uint8_t operation, uint64_t sector, uint32_t ref)
{
	struct blkif_request r = { .operation = operation, .nr_segments = 1, .handle = DISK_FIRST, .sector_number = sector };

	for (unsigned int i = 0; i < BLKIF_MAX_SEGMENTS_PER_REQUEST; i++)
		r.seg[i] = (struct blkif_request_segment){ .gref = ref, .first_sect = 0, .last_sect = PAGE_SECTS - 1 };
	return r;
}

/* What is honest works: the disk's first sector begins as domain 0 wrote it. */
static void liar_blk_honest(struct liar_ring *ring, volatile char *data)
{
	struct blkif_request r = liar_request(BLKIF_OP_READ, 0, REF_DATA);

	data[0] = 0;
	liar_expect("honest read", ring->port, liar_blk_ask(ring, &r, PATIENCE), BLKIF_RSP_OKAY);
	liar_expect("what was read", ring->port, data[0], 'y');
}

static void liar_blk_refused(const char *what, struct liar_ring *ring, struct blkif_request r)
{
	liar_expect(what, r.sector_number, liar_blk_ask(ring, &r, PATIENCE), BLKIF_RSP_ERROR);
}

static void liar_blk_grants(struct liar_ring *ring)
{
	static const uint32_t refs[] = { REF_READ_ONLY, REF_OTHERS, REF_OUTSIDE, REF_DEVICE, REF_TRANSITIVE, REF_UNUSED, FAR_REF, UINT32_MAX };

	for (unsigned int i = 0; i < sizeof(refs) / sizeof(refs[0]); i++) {
		struct blkif_request r = liar_request(BLKIF_OP_READ, 64, REF_DATA);

		r.nr_segments = 3;
		r.seg[1].gref = refs[i];
		liar_blk_refused("read into a page that is not its own", ring, r);
		r.operation = BLKIF_OP_WRITE;
		if (refs[i] != REF_READ_ONLY)
			liar_blk_refused("write of a page that is not its own", ring, r);
	}
}

static void liar_blk_ranges(struct liar_ring *ring)
{
	static const uint64_t sectors[] = { SECTORS, SECTORS - PAGE_SECTS + 1, UINT64_C(1) << 32, UINT64_C(1) << 54, UINT64_C(1) << 63, UINT64_MAX - 3, UINT64_MAX };
	static const uint8_t bad[][2] = { { 5, 4 }, { 0, PAGE_SECTS }, { PAGE_SECTS, PAGE_SECTS }, { 255, 255 }, { 0, 255 }, { 255, 0 } };
	struct blkif_request r;

	for (unsigned int i = 0; i < sizeof(sectors) / sizeof(sectors[0]); i++) {
		struct blkif_request_discard *discard = (void *)&r;

		liar_blk_refused("read beyond the end", ring, liar_request(BLKIF_OP_READ, sectors[i], REF_DATA));
		liar_blk_refused("write beyond the end", ring, liar_request(BLKIF_OP_WRITE, sectors[i], REF_DATA));
		r = liar_request(BLKIF_OP_DISCARD, sectors[i], 0);
		discard->flag = 0;
		discard->nr_sectors = PAGE_SECTS;
		liar_blk_refused("discard beyond the end", ring, r);
	}
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		r = liar_request(BLKIF_OP_READ, 0, REF_DATA);
		r.nr_segments = 2;
		r.seg[1].first_sect = bad[i][0];
		r.seg[1].last_sect = bad[i][1];
		liar_blk_refused("sectors outside the page", ring, r);
	}
}

static void liar_blk_shapes(struct liar_ring *ring)
{
	static const uint8_t lengths[] = { 0, BLKIF_MAX_SEGMENTS_PER_REQUEST + 1, 255 };
	static const uint8_t operations[] = { BLKIF_OP_RESERVED_1, 7, 128, 255 };

	for (unsigned int i = 0; i < sizeof(lengths); i++) {
		struct blkif_request r = liar_request(BLKIF_OP_WRITE, 0, REF_DATA);

		r.nr_segments = lengths[i];
		liar_blk_refused("number of segments", ring, r);
	}
	for (unsigned int i = 0; i < sizeof(operations); i++) {
		struct blkif_request r = liar_request(operations[i], 0, REF_DATA);

		liar_expect("operation", operations[i], liar_blk_ask(ring, &r, PATIENCE), BLKIF_RSP_EOPNOTSUPP);
	}
}

static void liar_blk_indirect(struct liar_ring *ring, volatile struct blkif_request_segment *list)
{
	static const struct {
		uint8_t operation;
		uint16_t segments;
		uint32_t ref, segment_ref;
		uint8_t last;
		int status;
	} cases[] = {
		{ BLKIF_OP_READ, 40, REF_INDIRECT, REF_DATA, 7, BLKIF_RSP_OKAY },	   { BLKIF_OP_READ, 0, REF_INDIRECT, REF_DATA, 7, BLKIF_RSP_ERROR },
		{ BLKIF_OP_READ, 257, REF_INDIRECT, REF_DATA, 7, BLKIF_RSP_ERROR },	   { BLKIF_OP_READ, 65535, REF_INDIRECT, REF_DATA, 7, BLKIF_RSP_ERROR },
		{ BLKIF_OP_INDIRECT, 1, REF_INDIRECT, REF_DATA, 7, BLKIF_RSP_ERROR },	   { 255, 1, REF_INDIRECT, REF_DATA, 7, BLKIF_RSP_ERROR },
		{ BLKIF_OP_READ, 1, REF_UNUSED, REF_DATA, 7, BLKIF_RSP_ERROR },		   { BLKIF_OP_READ, 1, FAR_REF, REF_DATA, 7, BLKIF_RSP_ERROR },
		{ BLKIF_OP_READ, 40, REF_INDIRECT, REF_UNUSED, 7, BLKIF_RSP_ERROR },	   { BLKIF_OP_READ, 40, REF_INDIRECT, REF_DATA, 8, BLKIF_RSP_ERROR },
		{ BLKIF_OP_WRITE, 40, REF_INDIRECT, REF_OTHERS, 255, BLKIF_RSP_ERROR },
	};

	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct blkif_request_indirect q = { .operation = BLKIF_OP_INDIRECT, .indirect_op = cases[i].operation, .nr_segments = cases[i].segments };
		struct blkif_request r = { .operation = 0 };

		for (unsigned int n = 0; n < 512; n++) {
			list[n].gref = n == 39 || cases[i].segments < 40 ? cases[i].segment_ref : REF_DATA;
			list[n].first_sect = 0;
			list[n].last_sect = n == 39 ? cases[i].last : PAGE_SECTS - 1;
		}
		for (unsigned int n = 0; n < BLKIF_MAX_INDIRECT_PAGES_PER_REQUEST; n++)
			q.indirect_grefs[n] = cases[i].ref;
		__builtin_memcpy(&r, &q, sizeof(q));
		liar_expect("indirect", i, liar_blk_ask(ring, &r, PATIENCE), cases[i].status);
	}
}

/* Anything, in lots; each request is answered. */
static void liar_blk_random(struct liar_ring *ring)
{
	for (unsigned int n = 0; n < RANDOM;) {
		uint32_t lot = 1 + liar_random(BLK_SLOTS);

		for (uint32_t i = 0; i < lot; i++, n++) {
			struct blkif_request r = liar_request((uint8_t)liar_random(liar_random(8) ? 7 : 256), liar_random(4096), REF_DATA);

			r.nr_segments = (uint8_t)liar_random(liar_random(8) ? 12 : 256);
			for (unsigned int s = 0; s < BLKIF_MAX_SEGMENTS_PER_REQUEST; s++)
				r.seg[s] = (struct blkif_request_segment){ .gref = liar_random(8) ? REF_DATA + liar_random(8) : liar_random(UINT32_MAX),
									   .first_sect = (uint8_t)liar_random(9),
									   .last_sect = (uint8_t)liar_random(9) };
			r.id = liar_random(UINT32_MAX);
			if (!liar_random(8))
				r.sector_number = (uint64_t)liar_random(UINT32_MAX) << liar_random(33);
			liar_blk_put(ring, &r);
		}
		liar_expect("random requests", n, liar_blk_wait(ring, PATIENCE), true);
	}
}

/* After the last of its lies the ring is dead: what is honest has no answer. */
static void liar_blk_index(struct liar_ring *ring, uint32_t ahead, volatile char *data)
{
	struct blkif_request r = liar_request(BLKIF_OP_READ, 0, REF_DATA);
	uint32_t produced = ring->produced;

	data[0] = 0;
	for (unsigned int i = 0; i < BLK_SLOTS; i++)
		liar_blk_put(ring, &r);
	ring->produced = produced + ahead;
	(void)liar_blk_wait(ring, SILENCE);
	liar_expect("answers to an index far ahead", ahead, liar_blk(ring)->rsp_prod, produced);
	ring->produced = produced;
	liar_expect("honest read of a ring that is shut", ahead, liar_blk_ask(ring, &r, SILENCE), NO_ANSWER);
	liar_expect("what was read", ahead, data[0], 0);
}

static void liar_disks(volatile char *data, volatile void *list)
{
	struct blkif_request own = liar_request(BLKIF_OP_READ, 0, liar_disk[0].ref);

	for (unsigned int d = 0; d < DISKS; d++)
		liar_blk_honest(&liar_disk[d], data);
	liar_blk_shapes(&liar_disk[0]);
	liar_blk_ranges(&liar_disk[0]);
	liar_blk_grants(&liar_disk[0]);
	liar_blk_indirect(&liar_disk[0], list);
	liar_blk_honest(&liar_disk[0], data);
	/* the second can only be read */
	for (uint8_t operation = BLKIF_OP_WRITE; operation <= BLKIF_OP_WRITE_BARRIER; operation++)
		liar_blk_refused("write of what can only be read", &liar_disk[1], liar_request(operation, 0, REF_DATA));
	liar_blk_honest(&liar_disk[1], data);
	liar_blk_index(&liar_disk[1], BLK_SLOTS + 1, data);
	/* of what is the backend's in the ring, it has its own note */
	liar_blk(&liar_disk[2])->rsp_prod = liar_blk(&liar_disk[2])->rsp_event = liar_blk(&liar_disk[2])->req_event = UINT32_MAX;
	liar_blk_honest(&liar_disk[2], data);
	liar_blk_index(&liar_disk[2], UINT32_MAX, data);
	liar_blk_random(&liar_disk[0]);
	/* the disk's data over the whole ring: whatever comes of that */
	(void)liar_blk_ask(&liar_disk[0], &own, SILENCE);
}

/* ---- interfaces ---- */

static volatile struct netif_tx_sring *liar_net(const struct liar_ring *ring)
{
	return ring->page;
}

static void liar_net_put(struct liar_ring *ring, uint32_t ref, uint16_t offset, uint16_t size, uint16_t flags)
{
	volatile struct netif_tx_request *slot = &liar_net(ring)->ring[ring->produced % NET_SLOTS].req;

	slot->gref = ref;
	slot->offset = offset;
	slot->size = size;
	slot->flags = flags;
	slot->id = (uint16_t)(ring->produced++ % NET_SLOTS);
}

static void liar_net_extra(struct liar_ring *ring, uint8_t type, uint8_t gso_type, uint16_t gso_size)
{
	volatile struct netif_extra_info *slot = (volatile void *)&liar_net(ring)->ring[ring->produced++ % NET_SLOTS].req;

	slot->type = type;
	slot->flags = 0;
	slot->u.gso.size = gso_size;
	slot->u.gso.type = gso_type;
	slot->u.gso.pad = 0;
	slot->u.gso.features = 0;
}

/* The answer to the first of what was put, when all has one. */
static int liar_net_wait(struct liar_ring *ring, uint32_t first, uint64_t ticks)
{
	uint64_t start = payload_tsc();

	payload_fence();
	liar_net(ring)->req_prod = ring->produced;
	do
		liar_kick(ring);
	while (liar_net(ring)->rsp_prod != ring->produced && payload_tsc() - start < ticks);
	return liar_net(ring)->rsp_prod == ring->produced ? liar_net(ring)->ring[first % NET_SLOTS].rsp.status : NO_ANSWER;
}

static void liar_net_one(const char *what, unsigned int vif, uint32_t ref, uint16_t offset, uint16_t size, uint64_t ticks, int status)
{
	uint32_t first = liar_tx[vif].produced;

	liar_net_put(&liar_tx[vif], ref, offset, size, 0);
	liar_expect(what, vif, liar_net_wait(&liar_tx[vif], first, ticks), status);
}

static void liar_net_refused(unsigned int vif)
{
	static const uint32_t refs[] = { REF_OTHERS, REF_OUTSIDE, REF_DEVICE, REF_TRANSITIVE, REF_UNUSED, FAR_REF, UINT32_MAX };

	for (unsigned int i = 0; i < sizeof(refs) / sizeof(refs[0]); i++) {
		liar_net_one("packet from a page that is not its own", vif, refs[i], 0, 60, PATIENCE, NETIF_RSP_ERROR);
		liar_net_one("long packet from a page that is not its own", vif, refs[i], 0, 1500, PATIENCE, NETIF_RSP_ERROR);
	}
	liar_net_one("packet without a byte", vif, REF_DATA, 0, 0, PATIENCE, NETIF_RSP_ERROR);
	liar_net_one("packet without a header", vif, REF_DATA, 4090, 5, PATIENCE, NETIF_RSP_ERROR);
	liar_net_one("honest packet", vif, REF_DATA, 0, 60, PATIENCE, NETIF_RSP_OKAY);
}

/* Each of these makes the backend give the interface up. */
static void liar_net_last(unsigned int vif)
{
	struct liar_ring *ring = &liar_tx[vif];
	uint32_t first = ring->produced;

	switch (vif) {
	case 0: ring->produced += NET_SLOTS + 1; break;
	case 1: ring->produced += UINT32_MAX; break;
	case 2: liar_net_put(ring, REF_DATA, 4000, 200, 0); break;
	case 3:
		for (unsigned int i = 0; i < 64; i++)
			liar_net_put(ring, REF_DATA, 0, 100, NETTXF_more_data);
		break;
	case 4:
		liar_net_put(ring, REF_DATA, 0, 1500, NETTXF_extra_info);
		liar_net_extra(ring, 200, 0, 0);
		break;
	default:
		liar_net_put(ring, REF_DATA, 0, 1500, NETTXF_extra_info);
		liar_net_extra(ring, XEN_NETIF_EXTRA_TYPE_GSO, XEN_NETIF_GSO_TYPE_TCPV4, 0);
		break;
	}
	(void)liar_net_wait(ring, first, SILENCE);
	ring->produced = first;
	liar_net(ring)->rsp_prod = first - 1; /* so that another value is an answer */
	liar_net_one("honest packet of an interface that is given up", vif, REF_DATA, 0, 60, SILENCE, NO_ANSWER);
}

/* Room for packets in pages that are not its own; of one interface as much as there is in its index. */
static void liar_net_receive(unsigned int vif)
{
	static const uint32_t refs[] = { REF_OTHERS, REF_OUTSIDE, REF_READ_ONLY, REF_TRANSITIVE, REF_UNUSED, FAR_REF, UINT32_MAX };
	volatile struct netif_rx_sring *rx = liar_rx[vif].page;

	for (uint32_t i = 0; i < NET_SLOTS; i++) {
		rx->ring[i].req.id = (uint16_t)(i * 257);
		rx->ring[i].req.gref = refs[i % 7];
	}
	payload_fence();
	rx->req_prod = vif % 2 ? NET_SLOTS : UINT32_MAX / 2;
	liar_kick(&liar_tx[vif]);
}

static void liar_interfaces(volatile char *data)
{
	volatile struct netif_rx_sring *rx = liar_rx[0].page;

	for (unsigned int i = 0; i < 60; i++)
		data[i] = (char)(i < 6 ? 0xff : i == 6 ? 2 : i == 12 ? 0x88 : i == 13 ? 0xb5 : 0);
	for (unsigned int v = 0; v < VIFS; v++) {
		liar_net_one("honest packet", v, REF_DATA, 0, 60, PATIENCE, NETIF_RSP_OKAY);
		liar_net_receive(v);
		liar_net_refused(v);
	}
	/* what the later ones sent to all, came for the first */
	for (uint64_t start = payload_tsc(); !rx->rsp_prod && payload_tsc() - start < PATIENCE;)
		liar_kick(&liar_tx[0]);
	liar_expect("a packet received into a page that is not its own", rx->rsp_prod, rx->rsp_prod && rx->ring[0].rsp.status < 0, true);
	for (unsigned int v = 0; v < VIFS; v++)
		liar_net_last(v);
}

/* ---- all ---- */

static void liar_connect(volatile char *data, volatile void *list)
{
	struct xen_add_to_physmap place = { .domid = DOMID_SELF, .space = XENMAPSPACE_grant_table, .gpfn = TABLE_GFN };

	liar_expect("table", 0, hypercall(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, address(&place)), 0);
	liar_grant(REF_DATA, 0, address(data) / PAGE, GTF_permit_access);
	liar_grant(REF_READ_ONLY, 0, address(data) / PAGE, GTF_permit_access | GTF_readonly);
	liar_grant(REF_OTHERS, NOBODY, address(data) / PAGE, GTF_permit_access);
	liar_grant(REF_OUTSIDE, 0, UINT64_C(0xffffff), GTF_permit_access);
	liar_grant(REF_DEVICE, 0, UINT64_C(0xfee00), GTF_permit_access);
	liar_grant(REF_TRANSITIVE, 0, address(data) / PAGE, GTF_transitive);
	liar_grant(REF_INDIRECT, 0, address(list) / PAGE, GTF_permit_access);
	for (unsigned int d = 0; d < DISKS; d++) {
		liar_make(&liar_disk[d]);
		liar_disk[d].port = liar_port();
		liar_node("vbd", DISK_FIRST + 16 * d, "/ring-ref ", liar_disk[d].ref);
		liar_node("vbd", DISK_FIRST + 16 * d, "/event-channel ", liar_disk[d].port);
		liar_node_name("vbd", DISK_FIRST + 16 * d, "/protocol " XEN_IO_PROTO_ABI_NATIVE "\n");
		liar_node("vbd", DISK_FIRST + 16 * d, "/state ", 3);
	}
	for (unsigned int v = 0; v < VIFS; v++) {
		liar_make(&liar_tx[v]);
		liar_make(&liar_rx[v]);
		liar_tx[v].port = liar_port();
		liar_node("vif", v, "/tx-ring-ref ", liar_tx[v].ref);
		liar_node("vif", v, "/rx-ring-ref ", liar_rx[v].ref);
		liar_node("vif", v, "/event-channel ", liar_tx[v].port);
		liar_node("vif", v, "/request-rx-copy ", 1);
		liar_node("vif", v, "/feature-rx-notify ", 1);
		liar_node("vif", v, "/feature-sg ", 1);
		liar_node("vif", v, "/feature-gso-tcpv4 ", 1);
		liar_node("vif", v, "/state ", 4);
	}
	console_print("LIAR waits\n");
}

static void liar(void)
{
	volatile char *data = liar_page();
	volatile void *list = liar_page();

	liar_seed = payload_option("seed", 1) * UINT64_C(0x9e3779b97f4a7c15) + 1;
	liar_connect(data, list);
	liar_disks(data, list);
	liar_interfaces(data);
	console_print("LIAR tried ");
	console_number(liar_count);
	console_print(" wrong ");
	console_number(liar_bad);
	console_print("\n");
	/* what is mapped of it stays so until it is destroyed */
	payload_cli();
	for (;;)
		payload_halt();
}

const struct payload_mode liar_modes[] = {
	{ "liar", liar },
	{ NULL, NULL },
};
