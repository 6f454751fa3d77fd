/* Tags of guest translations, for both vendors. Per CPU; called by the vendors' run and ept_flush. */
#ifndef ARCH_X86_VIRT_TAG_H
#define ARCH_X86_VIRT_TAG_H

#include "arch/x86/virt/vcpu_struct.h"

struct percpu;

/* VIRT_TAG_FLUSH: a new one, and this entry must flush all tags. */
enum virt_tag_given { VIRT_TAG_KEPT, VIRT_TAG_NEW, VIRT_TAG_FLUSH };
/* Makes *t valid on this CPU for guests of `root`; tags are 1..count-1. */
enum virt_tag_given virt_tag_assign(struct virt_tag *t, struct percpu *p, paddr_t root, uint32_t count);
/* The flush that was asked for did not happen: the next assignment asks again. */
void virt_tag_lost(struct percpu *p);
/* Translations of `root` are stale on CPU p; another CPU may say so, which then sees to it that p enters its
 * guest anew. */
void virt_tag_flush(struct percpu *p, paddr_t root);

#endif
