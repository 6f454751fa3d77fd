#include "servers/vmm/walk.h"
#include "servers/vmm/x86.h"

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

/* The error code of the page fault (APM volume 2, 8.4.2; Intel SDM volume 3, 4.7). */
static bool fault(const struct walk_mode *m, bool present, bool write, bool fetch, uint32_t *error)
{
	bool tells = (m->cr4 & CR4_SMEP) || ((m->efer & EFER_NXE) && (m->cr4 & CR4_PAE));

	*error = (present ? PF_PRESENT : 0) | (write ? PF_WRITE : 0) | (m->user ? PF_USER : 0) | (fetch && tells ? PF_FETCH : 0);
	return false;
}

/* The end of a walk, at the entry that maps the page. */
static bool found(const struct walk_mode *m, struct rights r, bool write, bool fetch, struct walk_result *out)
{
	out->write = allowed(m, r, true, false);
	return allowed(m, r, write, fetch) || fault(m, true, write, fetch, &out->error);
}

static bool walk_32(const struct walk_mode *m, uint64_t linear, bool write, bool fetch, walk_entry entry, void *context,
		    struct walk_result *out)
{
	struct rights r = {true, true, false};
	uint64_t e;

	if (!entry(context, (m->cr3 & 0xfffff000u) + ((linear >> 22) & 0x3ff) * 4, 4, &e) || !(e & PTE_P))
		return fault(m, false, write, fetch, &out->error);
	narrow(&r, e);
	if ((e & PTE_PS) && (m->cr4 & CR4_PSE)) {
		/* PSE-36: bits 39:32 of the frame are bits 20:13 of the entry */
		out->gpa = (e & 0xffc00000u) | ((e >> 13 & 0xff) << 32) | (linear & 0x3fffff);
		out->left = 0x400000 - (linear & 0x3fffff);
		return found(m, r, write, fetch, out);
	}
	if (!entry(context, (e & 0xfffff000u) + ((linear >> 12) & 0x3ff) * 4, 4, &e) || !(e & PTE_P))
		return fault(m, false, write, fetch, &out->error);
	narrow(&r, e);
	out->gpa = (e & 0xfffff000u) | (linear & 0xfff);
	out->left = 0x1000 - (linear & 0xfff);
	return found(m, r, write, fetch, out);
}

/* The table to begin with: CR3's, or with PAE one of four that have no rights of their own. False: not there. */
static bool top(const struct walk_mode *m, bool lma, uint64_t linear, walk_entry entry, void *context, uint64_t *table, int *level)
{
	uint64_t e;

	if (lma) {
		*table = m->cr3 & PTE_ADDRESS;
		*level = m->cr4 & CR4_LA57 ? 5 : 4;
		return true;
	}
	if (!entry(context, (m->cr3 & 0xffffffe0u) + ((linear >> 30) & 3) * 8, 8, &e) || !(e & PTE_P))
		return false;
	*table = e & PTE_ADDRESS;
	*level = 2;
	return true;
}

static bool canonical(const struct walk_mode *m, uint64_t linear)
{
	int64_t sign = (int64_t)linear >> (m->cr4 & CR4_LA57 ? 56 : 47);

	return sign == 0 || sign == -1;
}

bool walk_translate(const struct walk_mode *m, uint64_t linear, bool write, bool fetch, walk_entry entry, void *context,
		    struct walk_result *out)
{
	bool lma = m->efer & EFER_LMA;
	struct rights r = {true, true, false};
	uint64_t table, e;
	int level;

	if (!lma)
		linear &= 0xffffffffu;
	if (!(m->cr0 & CR0_PG)) {
		out->gpa = linear;
		out->left = 0x1000 - (linear & 0xfff);
		out->write = true;
		return true;
	}
	if (!lma && !(m->cr4 & CR4_PAE))
		return walk_32(m, linear, write, fetch, entry, context, out);
	if (lma && !canonical(m, linear)) {
		out->error = WALK_NOT_CANONICAL;
		return false;
	}
	if (!top(m, lma, linear, entry, context, &table, &level))
		return fault(m, false, write, fetch, &out->error);
	for (;; level--) {
		unsigned shift = (unsigned)(12 + 9 * (level - 1));
		uint64_t span = 1ull << shift;

		if (!entry(context, table + ((linear >> shift) & 0x1ff) * 8, 8, &e) || !(e & PTE_P))
			return fault(m, false, write, fetch, &out->error);
		narrow(&r, e);
		if (level == 1 || ((e & PTE_PS) && level <= 3)) {
			out->gpa = (e & PTE_ADDRESS & ~(span - 1)) | (linear & (span - 1));
			out->left = span - (linear & (span - 1));
			return found(m, r, write, fetch, out);
		}
		if (e & PTE_PS)
			return fault(m, true, write, fetch, &out->error);
		table = e & PTE_ADDRESS;
	}
}
