/* Pages of other domains: which of them are known to be mapped, and which of those are to be taken out with the next call. */
#include "servers/vmm/xen/foreign.h"

#include <stdlib.h>
#include <string.h>
#include "servers/vmm/xen/xen.h"

/*
 * A bit for each page that was mapped here and not taken out, in groups of which those with the same remainder take each other's place. What is
 * forgotten so is taken out at once when its turn comes.
 */
#define GROUP_PAGES 4096u
#define GROUPS	    64u
struct group {
	uint64_t number; /* of the first page, divided by GROUP_PAGES */
	uint64_t bit[GROUP_PAGES / 64];
};

_Static_assert(GROUPS * sizeof(struct group) <= VMM_FOREIGN_BYTES, "the heap has room for them beside all else");

static struct group *group; /* NULL: nothing is put off */
static struct vmm_mutex lock;
static uint64_t leaving[DOMAIN_FOREIGNS];
static unsigned leavings; /* changes under the lock, and is read without it: 0 means that all was done */

void foreign_init(void)
{
	leavings = 0;
	free(group);
	group = NULL;
	if (!control_allowed())
		return;
	vmm_mutex_init(&lock);
	group = calloc(GROUPS, sizeof(*group));
}

static void remember(uint64_t gfn)
{
	uint64_t number = gfn / GROUP_PAGES;
	struct group *g = group ? &group[number % GROUPS] : NULL;

	if (!g)
		return;
	if (g->number != number)
		memset(g->bit, 0, sizeof(g->bit));
	g->number = number;
	g->bit[gfn % GROUP_PAGES / 64] |= 1ull << gfn % 64;
}

/* Whether it was remembered. */
static bool forget(uint64_t gfn)
{
	uint64_t number = gfn / GROUP_PAGES, bit = 1ull << gfn % 64;
	struct group *g = group ? &group[number % GROUPS] : NULL;
	uint64_t *word = g && g->number == number ? &g->bit[gfn % GROUP_PAGES / 64] : NULL;

	if (!word || !(*word & bit))
		return false;
	*word &= ~bit;
	return true;
}

/* One call for what leaves and what comes. Under the lock. */
static void call(uint32_t from, const struct physmap_foreign *page, unsigned n, int32_t *error)
{
	if (n == 1 && leavings <= 1)
		error[0] = physmap_call_foreign(from, page, leavings ? &leaving[0] : NULL);
	else
		physmap_call_foreigns(from, page, n, error, leaving, leavings);
	__atomic_store_n(&leavings, 0, __ATOMIC_RELEASE);
}

void foreign_map(uint32_t from, const struct physmap_foreign *page, unsigned n, int32_t *error)
{
	vmm_mutex_take(&lock);
	call(from, page, n, error);
	for (unsigned i = 0; i < n; i++)
		if (!error[i])
			remember(page[i].gfn);
	vmm_mutex_release(&lock);
}

static bool put_off(uint64_t gfn)
{
	bool known;

	vmm_mutex_take(&lock);
	known = forget(gfn);
	if (known) {
		if (leavings == DOMAIN_FOREIGNS)
			call(vmm.domid, NULL, 0, NULL);
		leaving[leavings] = gfn;
		__atomic_store_n(&leavings, leavings + 1, __ATOMIC_RELEASE);
	}
	vmm_mutex_release(&lock);
	return known;
}

int64_t foreign_remove(uint64_t gfn)
{
	if (group && put_off(gfn))
		return 0;
	foreign_settle();
	return physmap_call_remove(gfn);
}

void foreign_settle(void)
{
	if (!__atomic_load_n(&leavings, __ATOMIC_ACQUIRE))
		return;
	vmm_mutex_take(&lock);
	if (leavings)
		call(vmm.domid, NULL, 0, NULL);
	vmm_mutex_release(&lock);
}
