/* Prints Xen's free memory in KiB, pages that wait for scrubbing included. Runs in the admin VM of the benchmark. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <xenctrl.h>

int main(void)
{
	xc_interface *xen = xc_interface_open(NULL, NULL, 0);
	xc_physinfo_t info = { 0 };

	if (!xen || xc_physinfo(xen, &info)) {
		perror("xen_free");
		return EXIT_FAILURE;
	}
	printf("%" PRIu64 "\n", (uint64_t)(info.free_pages + info.scrub_pages) * 4);
	xc_interface_close(xen);
	return EXIT_SUCCESS;
}
