#include "servers/vmm/walk.h"

#define CR0_WP   (1ull << 16)
#define CR0_PG   (1ull << 31)
#define CR4_PSE  (1ull << 4)
#define CR4_PAE  (1ull << 5)
#define CR4_LA57 (1ull << 12)
#define EFER_LMA (1ull << 10)
#define EFER_NXE (1ull << 11)

#define PTE_P  1ull
#define PTE_W  2ull
#define PTE_U  4ull
#define PTE_PS (1ull << 7)
#define PTE_NX (1ull << 63)
#define PTE_ADDRESS 0x000ffffffffff000ull

struct rights {
	bool write, user, nx;
};

static bool allowed(const struct walk_mode *m, struct rights r, bool write, bool fetch)
{
	if (m->user && !r.user)
		return false;
	if (write && !r.write && (m->user || (m->cr0 & CR0_WP)))
		return false;
	return !(fetch && r.nx && (m->efer & EFER_NXE));
}

static void narrow(struct rights *r, uint64_t e)
{
	r->write = r->write && (e & PTE_W);
	r->user = r->user && (e & PTE_U);
	r->nx = r->nx || (e & PTE_NX);
}

static bool walk_32(const struct walk_mode *m, uint64_t linear, bool write, bool fetch, walk_entry entry, void *context,
		    uint64_t *gpa, uint64_t *left)
{
	struct rights r = {true, true, false};
	uint64_t e;

	if (!entry(context, (m->cr3 & 0xfffff000u) + ((linear >> 22) & 0x3ff) * 4, 4, &e) || !(e & PTE_P))
		return false;
	narrow(&r, e);
	if ((e & PTE_PS) && (m->cr4 & CR4_PSE)) {
		/* PSE-36: bits 39:32 of the frame are bits 20:13 of the entry */
		*gpa = (e & 0xffc00000u) | ((e >> 13 & 0xff) << 32) | (linear & 0x3fffff);
		*left = 0x400000 - (linear & 0x3fffff);
		return allowed(m, r, write, fetch);
	}
	if (!entry(context, (e & 0xfffff000u) + ((linear >> 12) & 0x3ff) * 4, 4, &e) || !(e & PTE_P))
		return false;
	narrow(&r, e);
	*gpa = (e & 0xfffff000u) | (linear & 0xfff);
	*left = 0x1000 - (linear & 0xfff);
	return allowed(m, r, write, fetch);
}

bool walk_translate(const struct walk_mode *m, uint64_t linear, bool write, bool fetch, walk_entry entry, void *context,
		    uint64_t *gpa, uint64_t *left)
{
	bool lma = m->efer & EFER_LMA;
	struct rights r = {true, true, false};
	uint64_t table, e;
	int level;

	if (!lma)
		linear &= 0xffffffffu;
	if (!(m->cr0 & CR0_PG)) {
		*gpa = linear;
		*left = 0x1000 - (linear & 0xfff);
		return true;
	}
	if (!lma && !(m->cr4 & CR4_PAE))
		return walk_32(m, linear, write, fetch, entry, context, gpa, left);
	if (lma) {
		unsigned top = m->cr4 & CR4_LA57 ? 56 : 47;
		int64_t sign = (int64_t)linear >> top;

		if (sign != 0 && sign != -1)
			return false;
		table = m->cr3 & PTE_ADDRESS;
		level = m->cr4 & CR4_LA57 ? 5 : 4;
	} else {
		/* PAE: four pointers, without rights of their own */
		if (!entry(context, (m->cr3 & 0xffffffe0u) + ((linear >> 30) & 3) * 8, 8, &e) || !(e & PTE_P))
			return false;
		table = e & PTE_ADDRESS;
		level = 2;
	}
	for (;; level--) {
		unsigned shift = (unsigned)(12 + 9 * (level - 1));
		uint64_t span = 1ull << shift;

		if (!entry(context, table + ((linear >> shift) & 0x1ff) * 8, 8, &e) || !(e & PTE_P))
			return false;
		narrow(&r, e);
		if (level == 1 || ((e & PTE_PS) && level <= 3)) {
			*gpa = (e & PTE_ADDRESS & ~(span - 1)) | (linear & (span - 1));
			*left = span - (linear & (span - 1));
			return allowed(m, r, write, fetch);
		}
		if (e & PTE_PS)
			return false;
		table = e & PTE_ADDRESS;
	}
}
