/*
 * Guest-physical memory. RAM is the domain manager's, which maps it here, at TASK_RAM_VADDR + gpa, and in
 * the second-level tables. Pages of the vmm's own (ACPI, special pages, grant-table frames) are placed outside RAM.
 * Nothing is ever unmapped, so an address once returned stays good. Of a domain that is populated on demand the domain manager is asked before RAM is touched.
 */
#include "servers/vmm/vmm.h"

#include <stdlib.h>
#include <string.h>
#include "sel4/sel4.h"
#include "servers/vmm/xen/physmap_call.h"
#include "user/log.h"
#include "user/object.h"
#include "user/vspace.h"

#define PLACED_MAX 128
#define NOWHERE	   UINT64_MAX
#define ADDED_MAX  128
#define SEEN	   256u
#define LARGE	   (1ull << 21)
#define GPA_LIMIT  (1ull << 46)
#define EPT_ATTRIBUTES 6u /* write-back */

static struct {
	uint64_t start, end;
} ram[VMM_RAM_MAX];
static unsigned ram_count;
/* Pages outside RAM. */
static struct {
	uint64_t gpa;	 /* NOWHERE: the guest has it no more */
	uint64_t own;	 /* of a page of ours: where it is in our address space, with TASK_RAM_VADDR; NOWHERE: it is the domain manager's */
	seL4_CPtr there; /* of a page of ours: its capability for the guest */
} placed[PLACED_MAX];
static unsigned placed_count;
/* Runs of 2 MiB in which the guest has had pages populated; they only grow. */
static struct {
	uint64_t start, end;
} added[ADDED_MAX];
static unsigned added_count;
/* Pages, and 2 MiB, of which the domain manager has said that something is there: it stays so. By number, which is looked for where its lower bits say. */
static uint64_t seen_page[SEEN], seen_large[SEEN];
static bool demand; /* RAM may be missing until it is asked for */

/* Adds the missing second-level table that a failed mapping named; false if that is impossible. */
static bool ept_add_table(uint64_t g, seL4_Word missing_bits)
{
	seL4_CPtr t;

	switch (missing_bits) {
	case 39:
		t = object_create_slot(seL4_X86_EPTPDPTObject, 0);
		return t && seL4_X86_EPTPDPT_Map(t, TASK_SLOT_EPT_ROOT, g, EPT_ATTRIBUTES) == seL4_NoError;
	case 30:
		t = object_create_slot(seL4_X86_EPTPDObject, 0);
		return t && seL4_X86_EPTPD_Map(t, TASK_SLOT_EPT_ROOT, g, EPT_ATTRIBUTES) == seL4_NoError;
	case 21:
		t = object_create_slot(seL4_X86_EPTPTObject, 0);
		return t && seL4_X86_EPTPT_Map(t, TASK_SLOT_EPT_ROOT, g, EPT_ATTRIBUTES) == seL4_NoError;
	default:
		return false;
	}
}

static bool ept_map(seL4_CPtr frame, uint64_t g)
{
	for (unsigned tries = 0; tries < 4; tries++) {
		int e = seL4_X86_Page_MapEPT(frame, TASK_SLOT_EPT_ROOT, g, seL4_ReadWrite, EPT_ATTRIBUTES);

		if (e == seL4_NoError)
			return true;
		if (e != seL4_FailedLookup || !ept_add_table(g, seL4_GetMR(2)))
			return false;
	}
	return false;
}

void memory_init(void)
{
	ram_count = placed_count = added_count = 0;
	memset(seen_page, 0xff, sizeof(seen_page));
	memset(seen_large, 0xff, sizeof(seen_large));
	demand = vmm.control->demand;
	for (uint32_t i = 0; i < vmm.control->ram_count && i < VMM_RAM_MAX; i++) {
		ram[i].start = vmm.control->ram[i].gfn << 12;
		ram[i].end = ram[i].start + (vmm.control->ram[i].pages << 12);
		ram_count = i + 1;
	}
}

unsigned memory_runs(void)
{
	return ram_count;
}

gpa_t memory_run(unsigned n, uint64_t *bytes)
{
	*bytes = ram[n].end - ram[n].start;
	return gpa(ram[n].start);
}

static bool is_seen(const uint64_t *seen, uint64_t number)
{
	return __atomic_load_n(&seen[number % SEEN], __ATOMIC_RELAXED) == number;
}

/* *has: the guest has memory there (where it gave a page back, there is something for us, but not for it). */
static bool ask(uint64_t g, bool *has)
{
	uint64_t what;

	if (physmap_call_need(g / PAGE, &what))
		return false;
	*has = what & DOMAIN_NEED_RAM;
	if (what & DOMAIN_NEED_WHOLE)
		__atomic_store_n(&seen_large[g / LARGE % SEEN], g / LARGE, __ATOMIC_RELAXED);
	else
		__atomic_store_n(&seen_page[g / PAGE % SEEN], g / PAGE, __ATOMIC_RELAXED);
	return true;
}

/* Every page of [g, g + bytes), which is where RAM may be, is in our address space. */
static bool all_there(uint64_t g, uint64_t bytes)
{
	uint64_t end = g + (bytes ? bytes : 1);
	bool has;

	while (g < end)
		if (is_seen(seen_large, g / LARGE))
			g = (g / LARGE + 1) * LARGE;
		else if (is_seen(seen_page, g / PAGE) || ask(g, &has))
			g = (g / PAGE + 1) * PAGE;
		else
			return false;
	return true;
}

static bool in_added(uint64_t g, uint64_t *end)
{
	for (unsigned i = 0, n = __atomic_load_n(&added_count, __ATOMIC_ACQUIRE); i < n; i++) {
		*end = __atomic_load_n(&added[i].end, __ATOMIC_ACQUIRE);
		if (g >= __atomic_load_n(&added[i].start, __ATOMIC_ACQUIRE) && g < *end)
			return true;
	}
	return false;
}

bool memory_demand(gpa_t g)
{
	bool has = false;
	uint64_t end;

	return ((demand && memory_is_ram(g)) || in_added(g.v, &end)) && ask(g.v, &has) && has;
}

bool memory_add_ram(gpa_t g)
{
	uint64_t start = g.v / LARGE * LARGE, end;
	bool done = true;

	if (memory_is_ram(g) || in_added(g.v, &end))
		return true;
	vmm_lock();
	for (unsigned i = 0; i < added_count; i++) {
		if (added[i].end == start) {
			__atomic_store_n(&added[i].end, start + LARGE, __ATOMIC_RELEASE);
			goto out;
		}
		if (added[i].start == start + LARGE) {
			__atomic_store_n(&added[i].start, start, __ATOMIC_RELEASE);
			goto out;
		}
	}
	done = added_count < ADDED_MAX;
	if (done) {
		added[added_count].start = start;
		added[added_count].end = start + LARGE;
		__atomic_store_n(&added_count, added_count + 1, __ATOMIC_RELEASE);
	}
out:
	vmm_unlock();
	return done;
}

void *memory_at(gpa_t g, uint64_t bytes)
{
	uint64_t end;

	for (unsigned i = 0; i < ram_count; i++)
		if (g.v >= ram[i].start && g.v < ram[i].end) {
			if (bytes <= ram[i].end - g.v && (!demand || all_there(g.v, bytes)))
				return (void *)(TASK_RAM_VADDR + g.v);
			/* there may be a hole, and in it a page that was placed */
			if (!demand)
				return NULL;
		}
	for (unsigned i = 0, n = __atomic_load_n(&placed_count, __ATOMIC_ACQUIRE); i < n; i++)
		if ((g.v & ~((uint64_t)PAGE - 1)) == __atomic_load_n(&placed[i].gpa, __ATOMIC_ACQUIRE))
			return bytes <= PAGE - (g.v & (PAGE - 1)) ? (void *)(TASK_RAM_VADDR + g.v) : NULL;
	if (in_added(g.v, &end))
		return bytes <= end - g.v && all_there(g.v, bytes) ? (void *)(TASK_RAM_VADDR + g.v) : NULL;
	return NULL;
}

bool memory_is_ram(gpa_t g)
{
	for (unsigned i = 0; i < ram_count; i++)
		if (g.v >= ram[i].start && g.v < ram[i].end)
			return true;
	return false;
}

uint64_t memory_ram_bytes(void)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < ram_count; i++)
		sum += ram[i].end - ram[i].start;
	return sum;
}

gpa_t memory_end(void)
{
	return gpa(ram_count ? ram[ram_count - 1].end : 0);
}

/* A place in the list that is free, or the end of it. */
static unsigned placed_free(void)
{
	unsigned i = 0;

	while (i < placed_count && (placed[i].gpa != NOWHERE || placed[i].own != NOWHERE))
		i++;
	return i;
}

static bool placed_room(void)
{
	return placed_free() < PLACED_MAX;
}

/* Other vCPUs' threads look without the lock. */
static void placed_add(uint64_t g, uint64_t own, seL4_CPtr there)
{
	unsigned i = placed_free();

	placed[i].own = own;
	placed[i].there = there;
	__atomic_store_n(&placed[i].gpa, g, __ATOMIC_RELEASE);
	if (i == placed_count)
		__atomic_store_n(&placed_count, i + 1, __ATOMIC_RELEASE);
}

void *memory_place_page(gpa_t g)
{
	seL4_CPtr here, there;

	if ((g.v & (PAGE - 1)) || g.v >= GPA_LIMIT || memory_at(g, 1) || (g.v & ~((uint64_t)PAGE - 1)) == LAPIC_BASE)
		return NULL;
	/* it was there before, and is in our address space still */
	for (unsigned i = 0; i < placed_count; i++)
		if (placed[i].own == g.v) {
			if (!ept_map(placed[i].there, g.v))
				return NULL;
			memset((void *)(TASK_RAM_VADDR + g.v), 0, PAGE);
			__atomic_store_n(&placed[i].gpa, g.v, __ATOMIC_RELEASE);
			return (void *)(TASK_RAM_VADDR + g.v);
		}
	if (!placed_room())
		return NULL;
	here = object_create_slot(seL4_X86_4K, 0);
	there = here ? object_copy(here) : 0;
	if (!there)
		return NULL;
	if (vspace_map(here, TASK_RAM_VADDR + g.v, true, false) || !ept_map(there, g.v)) {
		object_delete(there);
		object_delete(here);
		return NULL;
	}
	placed_add(g.v, g.v, there);
	return (void *)(TASK_RAM_VADDR + g.v);
}

bool memory_add_page(gpa_t g)
{
	if (!placed_room())
		return false;
	placed_add(g.v, NOWHERE, 0);
	return true;
}

void memory_remove_page(gpa_t g)
{
	for (unsigned i = 0; i < placed_count; i++)
		if (placed[i].gpa == g.v) {
			__atomic_store_n(&placed[i].gpa, NOWHERE, __ATOMIC_RELEASE);
			__atomic_fetch_add(&vmm.pages_removed, 1, __ATOMIC_ACQ_REL);
			if (placed[i].own != NOWHERE)
				(void)seL4_X86_Page_Unmap(placed[i].there);
			return;
		}
}

bool memory_read(gpa_t g, void *dst, uint64_t bytes)
{
	const void *p = memory_at(g, bytes);

	if (p)
		memcpy(dst, p, bytes);
	return p;
}

bool memory_write(gpa_t g, const void *src, uint64_t bytes)
{
	void *p = memory_at(g, bytes);

	if (p)
		memcpy(p, src, bytes);
	return p;
}
