/*
 * The kernel window: what lies in it is kernel objects, and frames while somebody holds them (window_ref).
 * Part of check.h's walk.
 */
#include "arch/x86/mm/tables_hw.h"
#include "arch/x86/mm/window.h"
#include "debug/check_private.h"

#define WINDOW_HELD 8192u

static struct check_set_entry check_held_entries[WINDOW_HELD], check_shown_entries[WINDOW_HELD];
static struct check_set check_held = {check_held_entries, WINDOW_HELD, 0, 0,
				      false}; /* pages that are held, as often */
static struct check_set check_shown = {check_shown_entries, WINDOW_HELD, 0, 0,
				       false}; /* pages of frames in the window */

static pte_t check_window_entry(uint64_t p)
{
	return tables_read(tables_entry(WINDOW_BASE + p, 1));
}

void check_window_begin(void)
{
	check_set_clear(&check_held);
	check_set_clear(&check_shown);
}

void check_window_held(const void *kv)
{
	check_set_add(&check_held, ALIGN_DOWN(window_pa(kv).v, PAGE_BITS));
}

void check_window_kernel(paddr_t p, uint64_t bytes)
{
	for (uint64_t at = ALIGN_DOWN(p.v, PAGE_BITS); at < p.v + bytes; at += PAGE_SIZE) {
		pte_t e = check_window_entry(at);

		CHECK(pte_present(e) && pte_base(e) == at && pte_window_refs(e) == 0,
		      "a kernel object is not in the window", p.v, at, e.w[0]);
	}
}

static void check_window_page(uint64_t p)
{
	pte_t e = check_window_entry(p);

	if (!pte_present(e))
		return;
	CHECK(pte_window_refs(e) != 0, "a frame is in the window", p, e.w[0], 0);
	check_set_add(&check_shown, p);
}

void check_window_frame(cap_t cap)
{
	uint64_t start = cap_frame_ptr(cap), end = start + BIT(frame_size_bits(cap_frame_size(cap))), next;

	if (cap_frame_device(cap))
		return;
	for (uint64_t at = start; at < end; at = next) {
		pte_t table = tables_read(tables_entry(WINDOW_BASE + at, 2));

		next = ALIGN_DOWN(at, 21) + BIT(21);
		if (pte_window_table_count(table) == 0)
			continue;
		for (; at < next && at < end; at += PAGE_SIZE)
			check_window_page(at);
	}
}

void check_window_end(void)
{
	for (uint32_t i = 0; i < check_held.used && check_ok(); i++) {
		const struct check_set_entry *h = &check_held.entries[check_held.entries[i].nth];
		uint64_t refs = pte_window_refs(check_window_entry(h->key));

		CHECK(refs == h->count || refs == MASK(7), "a held frame is counted wrongly", h->key, refs,
		      h->count);
	}
	if (!check_held.full && !check_shown.full)
		CHECK(check_held.used == check_shown.used, "frames that are held, frames in the window", 0,
		      check_held.used, check_shown.used);
}
