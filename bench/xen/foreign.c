/*
 * foreign DOMID GFN COUNT: maps one page of another domain and unmaps it, as domain 0's tools do
 * (libxenforeignmemory), and says what that takes: "FIGURE foreign_page=N", ticks of the TSC for each, which are
 * instructions of the whole machine where it is measured. Runs in the admin VM.
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <xenforeignmemory.h>

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

int main(int argc, char **argv)
{
	xenforeignmemory_handle *f = xenforeignmemory_open(NULL, 0);
	unsigned long domid, gfn, count;
	uint64_t start;

	if (argc != 4 || !f) {
		fputs(f ? "usage: foreign DOMID GFN COUNT\n" : "foreign: no privcmd\n", stderr);
		return EXIT_FAILURE;
	}
	domid = strtoul(argv[1], NULL, 0);
	gfn = strtoul(argv[2], NULL, 0);
	count = strtoul(argv[3], NULL, 0);
	for (unsigned n = 0; n < 16; n++)
		map_once(f, (uint32_t)domid, gfn);
	start = tsc();
	for (unsigned long n = 0; n < count; n++)
		map_once(f, (uint32_t)domid, gfn);
	printf("FIGURE foreign_page=%" PRIu64 "\n", count ? (tsc() - start) / count : 0);
	xenforeignmemory_close(f);
	return EXIT_SUCCESS;
}
