/* See virt_tlb_fake.h. */
#include "arch/x86/virt/virt_tlb_fake.h"
#include "arch/x86/virt/virt_fake.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#define TLB_ENTRIES 8192
#define TLB_GUESTS  64
#define TLB_ANY_TAG UINT32_MAX /* second-level translations of a root */

static struct tlb_entry {
	bool valid;
	uint32_t cpu, tag;
	uint64_t root, root_version;
	const struct vcpu *guest;
	uint64_t guest_version;
} tlb[TLB_ENTRIES];
static unsigned tlb_count;
static bool tlb_by_root;

/* How often each guest has changed its own tables. */
static struct {
	const struct vcpu *guest;
	uint64_t version;
} tlb_guest[TLB_GUESTS];

void fake_tlb_start(bool by_root)
{
	memset(tlb, 0, sizeof(tlb));
	memset(tlb_guest, 0, sizeof(tlb_guest));
	tlb_count = 0;
	tlb_by_root = by_root;
}

static uint64_t *tlb_guest_version(const struct vcpu *v)
{
	for (unsigned i = 0; i < TLB_GUESTS; i++) {
		if (tlb_guest[i].guest == v || !tlb_guest[i].guest) {
			tlb_guest[i].guest = v;
			return &tlb_guest[i].version;
		}
	}
	fail();
	return NULL;
}

static uint64_t tlb_root_version(uint64_t root)
{
	return fake.root_version[(root >> 20) - 1];
}

/* A tag's translations are of one root on SVM, whatever root it is; on VT-x of each root by itself. */
static struct tlb_entry *tlb_find(uint32_t tag, uint64_t root)
{
	for (unsigned i = 0; i < tlb_count; i++)
		if (tlb[i].valid && tlb[i].cpu == percpu_self()->cpu && tlb[i].tag == tag &&
		    (!tlb_by_root || tlb[i].root == root))
			return &tlb[i];
	return NULL;
}

static void tlb_fill(uint32_t tag, uint64_t root, uint64_t root_version, const struct vcpu *v)
{
	unsigned i = 0;

	while (i < tlb_count && tlb[i].valid)
		i++;
	if (i == tlb_count)
		tlb_count++;
	assert_in_range(i, 0, TLB_ENTRIES - 1);
	tlb[i] = (struct tlb_entry){
	    .valid = true,
	    .cpu = percpu_self()->cpu,
	    .tag = tag,
	    .root = root,
	    .root_version = root_version,
	    .guest = v,
	    .guest_version = v ? *tlb_guest_version(v) : 0,
	};
}

void fake_tlb_use(const struct vcpu *v, uint32_t tag, paddr_t root)
{
	uint64_t version = tlb_root_version(root.v);
	const struct tlb_entry *e = tlb_find(tag, root.v);

	if (e) {
		fake.stale |= e->root != root.v || e->root_version != version || e->guest != v ||
			      e->guest_version != *tlb_guest_version(v);
		return;
	}
	if (!tlb_by_root) {
		tlb_fill(tag, root.v, version, v);
		return;
	}
	/* a walk of the guest's tables uses what is known of the second level */
	e = tlb_find(TLB_ANY_TAG, root.v);
	if (!e)
		tlb_fill(TLB_ANY_TAG, root.v, version, NULL);
	fake.stale |= e && e->root_version != version;
	tlb_fill(tag, root.v, e ? e->root_version : version, v);
}

/* ---- forgetting ---- */

static void tlb_forget(bool all_tags, uint32_t tag, bool all_roots, uint64_t root, bool second_level)
{
	for (unsigned i = 0; i < tlb_count; i++) {
		struct tlb_entry *e = &tlb[i];

		if (e->cpu == percpu_self()->cpu && (e->tag != TLB_ANY_TAG || second_level) &&
		    (all_tags || e->tag == tag) && (all_roots || e->root == root))
			e->valid = false;
	}
}

void fake_tlb_guest_flush(const struct vcpu *v, uint32_t tag)
{
	++*tlb_guest_version(v);
	tlb_forget(false, tag, true, 0, false);
}

void fake_tlb_flush_all(void)
{
	tlb_forget(true, 0, true, 0, true);
}

void fake_tlb_flush_root(paddr_t root)
{
	tlb_forget(true, 0, false, root.v, true);
}

void fake_tlb_flush_tags(void)
{
	tlb_forget(true, 0, true, 0, false);
}

void fake_tlb_flush_tag(uint32_t tag)
{
	tlb_forget(false, tag, true, 0, false);
}
