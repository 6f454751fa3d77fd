/*
 * Tags of guest translations: ASIDs (AMD64 APM vol. 2, 15.16) and VPIDs (Intel SDM vol. 3C 29.1). Each CPU
 * hands out its tags upwards; a vCPU that comes without a valid one gets the next. When they run out, all are
 * flushed and counting starts again: a new generation. So 16 tags serve any number of vCPUs, and nothing has
 * to be searched. Pure but for *p.
 *
 * A flush of one nested root costs nothing at once: its generation goes up, and every vCPU on it takes a tag
 * that has not been used since the last flush. Roots share 64 counters by their address.
 */
#include "arch/x86/virt/virt_tag.h"
#include "percpu.h"

static uint64_t *virt_tag_root(struct percpu *p, paddr_t root)
{
	return &p->arch.virt_root_generation[(root.v >> PAGE_BITS ^ root.v >> (PAGE_BITS + 6)) %
					     ARRAY_SIZE(p->arch.virt_root_generation)];
}

enum virt_tag_given virt_tag_assign(struct virt_tag *t, struct percpu *p, paddr_t root, uint32_t count)
{
	uint64_t root_generation = *virt_tag_root(p, root);
	enum virt_tag_given given = VIRT_TAG_NEW;

	if (likely(t->tag != 0 && t->cpu == p->cpu && t->generation == p->arch.virt_generation &&
		   t->root_generation == root_generation))
		return VIRT_TAG_KEPT;
	if (p->arch.virt_next_asid == 0 || p->arch.virt_next_asid >= count) {
		p->arch.virt_generation++;
		p->arch.virt_next_asid = 1; /* 0 is the host's */
		given = VIRT_TAG_FLUSH;
	}
	t->tag = p->arch.virt_next_asid++;
	t->cpu = p->cpu;
	t->generation = p->arch.virt_generation;
	t->root_generation = root_generation;
	return given;
}

void virt_tag_lost(struct percpu *p)
{
	p->arch.virt_generation++;
	p->arch.virt_next_asid = 0;
}

void virt_tag_flush(struct percpu *p, paddr_t root)
{
	++*virt_tag_root(p, root);
}
