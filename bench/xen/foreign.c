/*
 * foreign DOMID GFN COUNT AT: maps pages of another domain and unmaps them, in three ways, and says what each
 * takes for a page in ticks of the TSC, which are instructions of the whole machine where it is measured. Runs
 * in the admin VM. FIGURE foreign_page=N         the two hypercalls for one page, made one by one through
 * privcmd: it comes to guest frame AT of this domain, where nothing else may be, and goes again (a PVH domain only)
 *   FIGURE foreign_page_of_64=N     64 pages by one hypercall, as tools map them; gone by one each, as Linux has it
 *   FIGURE foreign_page_library=N   one page as domain 0's tools do it (libxenforeignmemory), with a touch of it
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <xencall.h>
#include <xenforeignmemory.h>
#include <xen/memory.h>

static uint64_t tsc(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

static void map_once(xenforeignmemory_handle *f, uint32_t domid, xen_pfn_t gfn)
{
	int error = 0;
	volatile uint8_t *page = xenforeignmemory_map(f, domid, PROT_READ | PROT_WRITE, 1, &gfn, &error);

	if (!page || error) {
		perror("foreign: map");
		exit(EXIT_FAILURE);
	}
	(void)page[0];
	if (xenforeignmemory_unmap(f, (void *)page, 1)) {
		perror("foreign: unmap");
		exit(EXIT_FAILURE);
	}
}

#define MANY 64u

/* The arguments of both hypercalls, in memory that stays where it is. */
struct arguments {
	struct xen_add_to_physmap_batch map;
	struct xen_remove_from_physmap unmap;
	xen_ulong_t index[MANY];
	xen_pfn_t at[MANY];
	int error[MANY];
};

static void arguments_set(struct arguments *a, uint32_t domid, xen_pfn_t gfn, xen_pfn_t at, uint16_t pages)
{
	memset(a, 0, sizeof(*a));
	for (unsigned i = 0; i < pages; i++) {
		a->index[i] = gfn + i;
		a->at[i] = at + i;
	}
	a->map = (struct xen_add_to_physmap_batch){
	    .domid = DOMID_SELF, .space = XENMAPSPACE_gmfn_foreign, .size = pages};
	a->map.u.foreign_domid = (domid_t)domid;
	set_xen_guest_handle(a->map.idxs, a->index);
	set_xen_guest_handle(a->map.gpfns, a->at);
	set_xen_guest_handle(a->map.errs, a->error);
	a->unmap = (struct xen_remove_from_physmap){.domid = DOMID_SELF};
}

static bool hypercalls_once(xencall_handle *call, struct arguments *a, uint16_t pages)
{
	bool good = xencall2(call, __HYPERVISOR_memory_op, XENMEM_add_to_physmap_batch, (uintptr_t)&a->map) == 0;

	for (unsigned i = 0; good && i < pages; i++) {
		a->unmap.gpfn = a->at[i];
		good = a->error[i] == 0 && xencall2(call, __HYPERVISOR_memory_op, XENMEM_remove_from_physmap,
						    (uintptr_t)&a->unmap) == 0;
	}
	return good;
}

static void measure_hypercalls(const char *figure, uint32_t domid, unsigned long gfn, unsigned long count,
			       unsigned long at, uint16_t pages)
{
	xencall_handle *call = xencall_open(NULL, 0);
	struct arguments *a = call ? xencall_alloc_buffer(call, sizeof(*a)) : NULL;
	bool good = a != NULL;
	uint64_t start;

	if (a)
		arguments_set(a, domid, gfn, at, pages);
	for (unsigned n = 0; good && n < 16; n++)
		good = hypercalls_once(call, a, pages);
	start = tsc();
	for (unsigned long n = 0; good && n < count; n++)
		good = hypercalls_once(call, a, pages);
	if (good && count)
		printf("FIGURE %s=%" PRIu64 "\n", figure, (tsc() - start) / count / pages);
	else
		fputs("foreign: the hypercalls are refused\n", stderr);
	if (a)
		xencall_free_buffer(call, a);
	xencall_close(call);
}

static void measure_library(uint32_t domid, unsigned long gfn, unsigned long count)
{
	xenforeignmemory_handle *f = xenforeignmemory_open(NULL, 0);
	uint64_t start;

	if (!f) {
		fputs("foreign: no privcmd\n", stderr);
		exit(EXIT_FAILURE);
	}
	for (unsigned n = 0; n < 16; n++)
		map_once(f, domid, gfn);
	start = tsc();
	for (unsigned long n = 0; n < count; n++)
		map_once(f, domid, gfn);
	printf("FIGURE foreign_page_library=%" PRIu64 "\n", count ? (tsc() - start) / count : 0);
	xenforeignmemory_close(f);
}

int main(int argc, char **argv)
{
	uint32_t domid;
	unsigned long gfn, count, at;

	if (argc != 5) {
		fputs("usage: foreign DOMID GFN COUNT AT\n", stderr);
		return EXIT_FAILURE;
	}
	domid = (uint32_t)strtoul(argv[1], NULL, 0);
	gfn = strtoul(argv[2], NULL, 0);
	count = strtoul(argv[3], NULL, 0);
	at = strtoul(argv[4], NULL, 0);
	measure_hypercalls("foreign_page", domid, gfn, count, at, 1);
	measure_hypercalls("foreign_page_of_64", domid, gfn, count / MANY + 1, at, MANY);
	measure_library(domid, gfn, count);
	return EXIT_SUCCESS;
}
