/*
 * The payload's look at its memory: is all that it did not bring itself zero at the start? Then it leaves a pattern
 * behind, so that the next domain on these frames would see it if they were not scrubbed.
 */
#include "payload.h"

#include <xen/io/xs_wire.h>
#include <xen/memory.h>
#include <xen/sched.h>

#define MEMORY_PATTERN UINT64_C(0x5ec2e7135ec2e713)
#define MEMORY_FIRST (UINT64_C(8) << 20) /* above the image, the start_info and the modules of a small payload */
#define MEMORY_LAST_GAP (UINT64_C(64) << 10) /* special pages of the ABI may lie at the end */

static void memory_scrubbed(void)
{
	uint64_t dirty = 0, patterns = 0;
	volatile uint64_t *end = (volatile uint64_t *)(uintptr_t)(payload_ram_end() - MEMORY_LAST_GAP);

	for (volatile uint64_t *word = (volatile uint64_t *)MEMORY_FIRST; word < end; word++) {
		dirty += *word != 0;
		patterns += *word == MEMORY_PATTERN;
		*word = MEMORY_PATTERN;
	}
	console_print("MEMORY bytes=");
	console_number(payload_ram_end());
	console_print(" dirty=");
	console_number(dirty);
	console_print(" patterns=");
	console_number(patterns);
	console_print("\n");
}

static void memory_hold(void)
{
	memory_scrubbed();
	payload_cli();
	for (;;)
		payload_halt();
}

/*
 * Every second page is given back, and had again when somebody says so: by a target below the half of what it had, then by any other (memory/target in the store, in
 * KiB). The others keep what was written to them; those that come again are zero.
 */
static uint64_t memory_target(void)
{
	char answer[32];
	size_t n = store_ask(XS_READ, "memory/target", sizeof("memory/target"), answer, sizeof(answer));
	uint64_t kib = 0;

	for (size_t i = 0; i < n && answer[i] >= '0' && answer[i] <= '9'; i++)
		kib = kib * 10 + (uint64_t)(answer[i] - '0');
	return kib;
}

static void memory_wait(bool small)
{
	while ((memory_target() <= payload_ram_end() >> 11) != small)
		(void)hypercall(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
}

static uint64_t memory_page_op(unsigned int op, uint64_t at)
{
	xen_pfn_t gfn = at / PAGE;
	struct xen_memory_reservation r = { .nr_extents = 1, .domid = DOMID_SELF };

	set_xen_guest_handle(r.extent_start, &gfn);
	return (uint64_t)hypercall(__HYPERVISOR_memory_op, op, address(&r));
}

static void memory_scattered(void)
{
	uint64_t end = payload_ram_end() - MEMORY_LAST_GAP, given = 0, again = 0, wrong = 0;

	store_init();
	for (uint64_t at = MEMORY_FIRST; at < end; at += PAGE)
		*(volatile uint64_t *)at = MEMORY_PATTERN + at;
	memory_wait(true);
	for (uint64_t at = MEMORY_FIRST + PAGE; at < end; at += 2 * PAGE)
		given += memory_page_op(XENMEM_decrease_reservation, at);
	console_print("SCATTERED given ");
	console_number(given);
	console_print("\n");
	memory_wait(false);
	for (uint64_t at = MEMORY_FIRST + PAGE; at < end; at += 2 * PAGE)
		again += memory_page_op(XENMEM_populate_physmap, at);
	for (uint64_t at = MEMORY_FIRST; at < end; at += 2 * PAGE)
		wrong += *(volatile uint64_t *)at != MEMORY_PATTERN + at;
	for (uint64_t at = MEMORY_FIRST + PAGE; at < end; at += 2 * PAGE)
		for (unsigned int i = 0; i < PAGE; i += 8)
			wrong += *(volatile uint64_t *)(at + i) != 0;
	console_print("SCATTERED again ");
	console_number(again);
	console_print(" wrong ");
	console_number(wrong);
	console_print("\n");
	payload_cli();
	for (;;)
		payload_halt();
}

const struct payload_mode memory_modes[] = {
	{ "scattered", memory_scattered },
	{ "scrubbed", memory_scrubbed },
	{ "hold", memory_hold },
	{ NULL, NULL },
};
