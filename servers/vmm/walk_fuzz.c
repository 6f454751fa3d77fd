/*
 * The guest's page walk against a second one, written from the manuals' tables for each mode (APM volume
 * 2, 5.2 and 5.3; 5-level: SDM volume 3, 4.5) from the bottom up: it collects the entries first, and then
 * asks what they mean. Tables lie in a small memory and lead into each other.
 */
// links: servers/vmm/walk.c
#include <stdlib.h>
#include <string.h>
#include "servers/vmm/walk.h"

#define REQUIRE(cond)                                                                                        \
	do {                                                                                                 \
		if (!(cond))                                                                                 \
			abort();                                                                             \
	} while (0)

#define BIT64(n) (1ull << (n))
enum { PAGES = 8, PAGE_BYTES = 4096 };

static uint8_t memory[PAGES * PAGE_BYTES];

struct input {
	const uint8_t *data;
	size_t left;
};

static uint64_t take(struct input *in, unsigned bytes)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < bytes && in->left; i++, in->left--)
		v = v << 8 | *in->data++;
	return v;
}

static bool entry(void *context, uint64_t gpa, unsigned bytes, uint64_t *e)
{
	(void)context;
	*e = 0;
	if (gpa > sizeof(memory) - bytes)
		return false;
	memcpy(e, memory + gpa, bytes);
	return true;
}

/* ---- the second walk ---- */

struct path {
	uint64_t entry[5]; /* from the top */
	unsigned count;	   /* of those that can be reached */
	unsigned levels;
};

/* Bits of the address that the entry of this step (0: the top) chooses by, and from where. */
struct format {
	unsigned levels, bytes, shift[5], index[5];
	bool rights_at_top; /* no: PAE's four pointers */
};

static const struct format format_32 = {2, 4, {22, 12}, {10, 10}, true};
static const struct format format_pae = {3, 8, {30, 21, 12}, {2, 9, 9}, false};
static const struct format format_64 = {4, 8, {39, 30, 21, 12}, {9, 9, 9, 9}, true};
static const struct format format_57 = {5, 8, {48, 39, 30, 21, 12}, {9, 9, 9, 9, 9}, true};

static const struct format *format_of(const struct walk_mode *m)
{
	if (m->efer & BIT64(10))
		return m->cr4 & BIT64(12) ? &format_57 : &format_64;
	return m->cr4 & BIT64(5) ? &format_pae : &format_32;
}

/* Is this step's entry a page? 4 MiB with PSE, 2 MiB always, 1 GiB in long mode. */
static bool large(const struct walk_mode *m, const struct format *f, unsigned step, uint64_t e)
{
	if (!(e & BIT64(7)))
		return false;
	if (f == &format_32)
		return step == 0 && (m->cr4 & BIT64(4));
	return f->shift[step] == 21 || (f->shift[step] == 30 && f != &format_pae);
}

static uint64_t table_of(const struct format *f, uint64_t e)
{
	return f->bytes == 4 ? e & 0xfffff000u : e & 0xffffffffff000ull;
}

/* False: it ends at an entry that is not present or has a reserved bit, and *code is the error's P bit. */
static bool collect(const struct walk_mode *m, const struct format *f, uint64_t linear, struct path *p,
		    uint32_t *code)
{
	uint64_t table = f == &format_pae ? m->cr3 & 0xffffffe0u : table_of(f, m->cr3), e;

	for (p->count = 0; p->count < f->levels;) {
		unsigned step = p->count;
		uint64_t index = linear >> f->shift[step] & (BIT64(f->index[step]) - 1);

		*code = 0;
		if (!entry(NULL, table + index * f->bytes, f->bytes, &e) || !(e & 1))
			return false;
		p->entry[p->count++] = e;
		if (large(m, f, step, e))
			return true;
		*code = 1;
		if ((e & BIT64(7)) && f->bytes == 8 && f->shift[step] > 30)
			return false; /* must be 0 above 1 GiB pages */
		table = table_of(f, e);
	}
	return true;
}

static uint64_t frame(const struct format *f, const struct path *p, uint64_t linear, unsigned bits)
{
	uint64_t e = p->entry[p->count - 1], offset = linear & (BIT64(bits) - 1);

	if (bits == 22)
		return (e & 0xffc00000u) + (e >> 13 << 32 & 0xff00000000ull) + offset;
	return (table_of(f, e) >> bits << bits) + offset;
}

static bool permitted(const struct walk_mode *m, const struct format *f, const struct path *p, bool write,
		      bool fetch)
{
	uint64_t all = ~0ull, any = 0;

	for (unsigned i = f->rights_at_top ? 0 : 1; i < p->count; i++) {
		all &= p->entry[i];
		any |= p->entry[i];
	}
	if (m->user && !(all & 4))
		return false;
	if (write && !(all & 2) && (m->user || (m->cr0 & BIT64(16))))
		return false;
	return !(fetch && f->bytes == 8 && (any & BIT64(63)) && (m->efer & BIT64(11)));
}

static bool second(const struct walk_mode *m, uint64_t linear, bool write, bool fetch,
		   struct walk_result *out)
{
	const struct format *f = format_of(m);
	uint32_t rest = (write ? 2u : 0) | (m->user ? 4u : 0), code;
	unsigned bits, sign = f == &format_57 ? 56 : 47;
	struct path p;

	if (!(m->efer & BIT64(10)))
		linear &= UINT32_MAX;
	if (!(m->cr0 & BIT64(31))) {
		*out = (struct walk_result){.gpa = linear, .left = PAGE_BYTES - linear % PAGE_BYTES};
		return true;
	}
	if (f->levels > 3 && linear >> sign != 0 && linear >> sign != UINT64_MAX >> sign) {
		out->error = WALK_NOT_CANONICAL;
		return false;
	}
	if (fetch && ((m->cr4 & BIT64(20)) || ((m->efer & BIT64(11)) && (m->cr4 & BIT64(5)))))
		rest |= 16;
	if (!collect(m, f, linear, &p, &code) || (code = 1, !permitted(m, f, &p, write, fetch))) {
		out->error = rest | code;
		return false;
	}
	bits = f->shift[p.count - 1];
	*out = (struct walk_result){.gpa = frame(f, &p, linear, bits),
				    .left = BIT64(bits) - (linear & (BIT64(bits) - 1))};
	return true;
}

/* ---- inputs ---- */

static struct walk_mode mode(struct input *in)
{
	static const unsigned cr4_bits[] = {4, 5, 12, 20};
	struct walk_mode m = {0};
	uint64_t r = take(in, 2);

	m.cr0 = (r & 15 ? BIT64(31) : 0) | (r & 16 ? BIT64(16) : 0) | 1;
	for (unsigned i = 0; i < 4; i++)
		m.cr4 |= r >> (5 + i) & 1 ? BIT64(cr4_bits[i]) : 0;
	m.efer = (r & 0x200 ? BIT64(10) : 0) | (r & 0x400 ? BIT64(11) : 0);
	if (m.efer & BIT64(10))
		m.cr4 |= BIT64(5); /* long mode has PAE, and paging */
	if (m.efer & BIT64(10))
		m.cr0 |= BIT64(31);
	m.user = r & 0x800;
	m.cr3 = (r >> 12) % PAGES * PAGE_BYTES + take(in, 1);
	return m;
}

/* One of the first entries, or the last, of a table: what it names is a table too, mostly. */
static void poke(struct input *in)
{
	uint64_t r = take(in, 2), value = (r >> 8 & 7) * PAGE_BYTES, flags = take(in, 1), at;
	unsigned bytes = r & 0x8000 ? 4 : 8, index = r & 7;

	value |= (flags & 7) | (flags & 8 ? BIT64(7) : 0) | (flags & 0x10 ? BIT64(63) : 0);
	if (flags & 0x20)
		value ^= take(in, 8);
	at = (r >> 3 & 7) * PAGE_BYTES + (index == 7 ? PAGE_BYTES - bytes : index * bytes);
	memcpy(memory + at % sizeof(memory), &value, bytes);
}

static uint64_t address(struct input *in)
{
	uint64_t r = take(in, 2), linear = 0;

	if (r & 0x8000)
		return take(in, 8);
	for (unsigned i = 0; i < 5; i++)
		linear |= (r >> 3 * i & 7 ? r >> 3 * i & 7 : 511) << (12 + 9 * i);
	linear |= take(in, 2) & 0xfff;
	return linear;
}

/* Every table leads to the next, with all rights: the input takes away from that. */
static void start(void)
{
	memset(memory, 0, sizeof(memory));
	for (unsigned i = 0; i < PAGES - 1; i++)
		for (unsigned k = 0; k < PAGE_BYTES; k += 8) {
			uint64_t e = (i + 1) * PAGE_BYTES | 7;

			if (k < 64 || k == PAGE_BYTES - 8)
				memcpy(memory + i * PAGE_BYTES + k, &e, 8);
		}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};

	start();
	while (in.left) {
		uint64_t what = take(&in, 1);

		for (uint64_t i = what & 7; i > 0; i--)
			poke(&in);
		struct walk_mode m = mode(&in);
		struct walk_result a = {0}, b = {0};
		uint64_t linear = address(&in);
		bool write = what & 8, fetch = !write && (what & 16);
		bool ok = walk_translate(&m, linear, write, fetch, entry, NULL, &a);

		REQUIRE(ok == second(&m, linear, write, fetch, &b));
		REQUIRE(ok ? a.gpa == b.gpa && a.left == b.left : a.error == b.error);
		REQUIRE(!ok || fetch || a.write == second(&m, linear, true, false, &b));
	}
	return 0;
}
