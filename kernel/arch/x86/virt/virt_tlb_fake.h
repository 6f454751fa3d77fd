/*
 * A TLB that goes stale, for the CPUs of virt_fake.h: what was once used is remembered by CPU, tag and nested
 * root until something forgets it that the manuals say forgets it (Intel SDM vol. 3C 29.4; AMD64 APM vol.
 * 2, 15.16), and using a translation that memory no longer has sets fake.stale. Tests only.
 *
 * Memory is two kinds of versions: a nested root's tables (fake.root_version, the test's), and a guest's own
 * tables, which the guest changes and flushes on the CPU where it runs (FAKE_GUEST_FLUSH).
 */
#ifndef VIRT_TLB_FAKE_H
#define VIRT_TLB_FAKE_H

#include "types.h"

struct vcpu;

/* Nothing is remembered; `by_root`: VT-x, whose CPUs keep second-level translations by EPT root, for all
 * VPIDs. */
void fake_tlb_start(bool by_root);
/* The guest v uses memory under this tag and root. */
void fake_tlb_use(const struct vcpu *v, uint32_t tag, paddr_t root);
/* The guest changes its tables, and flushes its own translations, as INVLPG and MOV to CR3 do. */
void fake_tlb_guest_flush(const struct vcpu *v, uint32_t tag);

/* On this CPU. Of all tags, second-level translations too: TLB_CONTROL 1, INVEPT of all contexts. */
void fake_tlb_flush_all(void);
/* INVEPT of one context. */
void fake_tlb_flush_root(paddr_t root);
/* INVVPID of all contexts: second-level translations stay. */
void fake_tlb_flush_tags(void);
/* VM entry and exit without VPID. */
void fake_tlb_flush_tag(uint32_t tag);

#endif
