/*
 * Very many grants. `given` grants one page by many entries to the domains `first`, `first` + 1, ... (`domains` of them, `entries` each); `mapped` maps
 * those of `from` that are for it (it is the `nth`), each entry as often as an entry can be, `handles` times in all, and takes them away again, unless it is to
 * `keep` them. Each expectation that fails is a line; the last line counts them.
 */
#include "payload.h"

#include <xen/grant_table.h>
#include <xen/memory.h>
#include <xen/sched.h>

#define TABLE_GFN   UINT64_C(0x70000)
#define MAPPED_GFN  UINT64_C(0x80000)
#define HANDLES_MAX (1u << 18)
#define FIRST_REF   8u
#define ENTRIES	    (PAGE / sizeof(grant_entry_v1_t)) /* in a frame */
#define USES	    128u			      /* of one entry, to read */
#define BATCH	    64u
#define MAGIC	    UINT64_C(0x6772616e74732121)
#define LOOKS	    1021u /* one in so many is read */

static uint64_t grants_wrong;

/* Behind the image: a page that is granted, and what was mapped. */
static volatile uint64_t *grants_page(void)
{
	return (volatile uint64_t *)(uintptr_t)(address(image_end) + 16 * PAGE);
}

static uint32_t *grants_handle(uint32_t at)
{
	return (uint32_t *)(uintptr_t)(address(image_end) + 17 * PAGE) + at;
}

static void grants_expect(const char *what, uint64_t number, int64_t seen, int64_t wanted)
{
	if (seen == wanted)
		return;
	if (grants_wrong++ > 8)
		return;
	console_print("GRANTS ");
	console_print(what);
	console_print(" ");
	console_number(number);
	console_print(": ");
	console_hex((uint64_t)seen);
	console_print(" not ");
	console_hex((uint64_t)wanted);
	console_print("\n");
}

static void grants_say(const char *what, uint64_t count)
{
	console_print("GRANTS ");
	console_print(what);
	console_print(" ");
	console_number(count);
	console_print(" wrong ");
	console_number(grants_wrong);
	console_print("\n");
}

static void grants_wait(void)
{
	struct sched_poll poll = { .nr_ports = 0 };

	for (;;)
		(void)hypercall(__HYPERVISOR_sched_op, SCHEDOP_poll, address(&poll));
}

static void given(void)
{
	uint64_t first = payload_option("first", 2), domains = payload_option("domains", 1), entries = payload_option("entries", 1);
	volatile grant_entry_v1_t *entry = (volatile grant_entry_v1_t *)(uintptr_t)(TABLE_GFN * PAGE);

	for (uint64_t i = 0; i * ENTRIES < FIRST_REF + domains * entries; i++) {
		struct xen_add_to_physmap a = { .domid = DOMID_SELF, .space = XENMAPSPACE_grant_table, .idx = i, .gpfn = TABLE_GFN + i };

		grants_expect("a frame of the table", i, hypercall(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, address(&a)), 0);
	}
	grants_page()[0] = MAGIC;
	for (uint64_t i = 0; i < domains * entries; i++) {
		entry[FIRST_REF + i].domid = (domid_t)(first + i / entries);
		entry[FIRST_REF + i].frame = (uint32_t)(address(grants_page()) / PAGE);
		payload_fence();
		entry[FIRST_REF + i].flags = GTF_permit_access | GTF_readonly;
	}
	grants_say("given", domains * entries);
	grants_wait();
}

static void grants_map(uint64_t from, uint32_t ref, uint32_t at, uint32_t n, int16_t wanted)
{
	static struct gnttab_map_grant_ref m[BATCH];

	for (uint32_t i = 0; i < n; i++)
		m[i] = (struct gnttab_map_grant_ref){ .host_addr = (MAPPED_GFN + at + i) * PAGE, .flags = GNTMAP_host_map | GNTMAP_readonly,
						      .ref = ref + (at + i) / USES, .dom = (domid_t)from, .status = 99 };
	grants_expect("map", at, payload_hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_map_grant_ref, address(m), n, 0, 0), 0);
	for (uint32_t i = 0; i < n; i++) {
		grants_expect("mapping", at + i, m[i].status, wanted);
		if (wanted == GNTST_okay)
			*grants_handle(at + i) = m[i].handle;
	}
}

static void grants_unmap(uint32_t at, uint32_t n)
{
	static struct gnttab_unmap_grant_ref u[BATCH];

	for (uint32_t i = 0; i < n; i++)
		u[i] = (struct gnttab_unmap_grant_ref){ .host_addr = (MAPPED_GFN + at + i) * PAGE, .handle = *grants_handle(at + i), .status = 99 };
	grants_expect("unmap", at, payload_hypercall(__HYPERVISOR_grant_table_op, GNTTABOP_unmap_grant_ref, address(u), n, 0, 0), 0);
	for (uint32_t i = 0; i < n; i++)
		grants_expect("unmapping", at + i, u[i].status, GNTST_okay);
}

static void mapped(void)
{
	uint64_t from = payload_option("from", 1);
	uint32_t handles = (uint32_t)payload_option("handles", BATCH) / BATCH * BATCH;
	uint32_t ref = FIRST_REF + (uint32_t)payload_option("nth", 0) * handles / USES;

	if (handles >= HANDLES_MAX)
		handles = HANDLES_MAX;
	for (uint32_t at = 0; at < handles; at += BATCH)
		grants_map(from, ref, at, BATCH, GNTST_okay);
	for (uint32_t at = 0; at < handles; at += LOOKS)
		grants_expect("what page", at, (int64_t)*(volatile uint64_t *)(uintptr_t)((MAPPED_GFN + at) * PAGE), (int64_t)MAGIC);
	if (payload_option("full", 0))
		grants_map(from, ref - 1, handles, 1, GNTST_no_space);
	grants_say("mapped", handles);
	if (payload_option("keep", 0))
		grants_wait();
	for (uint32_t at = 0; at < handles; at += BATCH)
		grants_unmap(at, BATCH);
	/* all that was taken can be had again */
	grants_map(from, ref, 0, BATCH, GNTST_okay);
	grants_unmap(0, BATCH);
	grants_say("unmapped", handles);
}

const struct payload_mode grants_modes[] = {
	{ "given", given },
	{ "mapped", mapped },
	{ NULL, NULL },
};
