/*
 * Fills the patch sites (patch.h) with code. Called at boot by whoever knows what this CPU needs; writes only
 * into sites that the assembler files have recorded, through the alias that boot gave.
 */
#include "entry/patch.h"
#include "mem/mem.h"
#include "panic.h"

extern const struct patch_site patch_sites_start[], patch_sites_end[];

static uint64_t patch_alias;
static bool patch_open;

void patch_init(uint64_t alias_offset)
{
	patch_alias = alias_offset;
	patch_open = true;
}

void patch_done(void)
{
	patch_open = false;
}

enum { NOP_MAX = 11 }; /* more prefixes are slow to decode */

/* Code bytes that do nothing, as few instructions as possible: the recommended NOPs (SDM 2B, NOP), with more prefixes. */
static void patch_nops(uint8_t *at, unsigned n)
{
	static const uint8_t nop[NOP_MAX][NOP_MAX] = {
	    {0x90},
	    {0x66, 0x90},
	    {0x0f, 0x1f, 0x00},
	    {0x0f, 0x1f, 0x40, 0x00},
	    {0x0f, 0x1f, 0x44, 0x00, 0x00},
	    {0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00},
	    {0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00},
	    {0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00},
	    {0x66, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00},
	    {0x66, 0x66, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00},
	    {0x66, 0x66, 0x66, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00},
	};

	while (n != 0) {
		unsigned step = n > NOP_MAX ? NOP_MAX : n;
		memcpy(at, nop[step - 1], step);
		at += step;
		n -= step;
	}
}

static bool patch_fits(unsigned id, unsigned length)
{
	bool any = false;

	for (const struct patch_site *s = patch_sites_start; s < patch_sites_end; s++) {
		if (s->id != id)
			continue;
		if (s->length < length)
			return false;
		any = true;
	}
	return any;
}

bool patch_apply(unsigned id, const uint8_t *bytes, unsigned length)
{
	INVARIANT(patch_open);
	if (!patch_fits(id, length))
		return false;
	for (const struct patch_site *s = patch_sites_start; s < patch_sites_end; s++) {
		if (s->id != id)
			continue;
		uint8_t *at = (uint8_t *)(uintptr_t)(s->address + patch_alias);
		memcpy(at, bytes, length);
		patch_nops(at + length, s->length - length);
	}
	return true;
}

bool patch_apply_call(unsigned id, void (*target)(void))
{
	enum { CALL = 5 };

	INVARIANT(patch_open);
	if (!patch_fits(id, CALL))
		return false;
	for (const struct patch_site *s = patch_sites_start; s < patch_sites_end; s++) {
		if (s->id != id)
			continue;
		uint8_t *at = (uint8_t *)(uintptr_t)(s->address + patch_alias);
		at[0] = 0xe8;
		mem_put32(at + 1, (uint32_t)((uint64_t)(uintptr_t)target - (s->address + CALL)));
		patch_nops(at + CALL, s->length - CALL);
	}
	return true;
}
