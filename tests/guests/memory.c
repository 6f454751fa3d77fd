/*
 * The payload's look at its memory: is all that it did not bring itself zero at the start? Then it leaves a pattern
 * behind, so that the next domain on these frames would see it if they were not scrubbed.
 */
#include "payload.h"

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

const struct payload_mode memory_modes[] = {
	{ "scrubbed", memory_scrubbed },
	{ "hold", memory_hold },
	{ NULL, NULL },
};
