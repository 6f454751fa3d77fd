/* The guest's programs (guest.S), by their address in guest memory. */
#ifndef GUEST_H
#define GUEST_H

#include <stdint.h>

#define GUEST_CODE  0x1000ull /* where guest_start is copied to */
#define GUEST_PML4  0x3000ull
#define GUEST_PDPT  0x4000ull
#define GUEST_IDT   0x5000ull
#define GUEST_GDT   0x5800ull
#define GUEST_DATA  0x6000ull
#define GUEST_STACK 0x8000ull
#define GUEST_PAE   0x9000ull /* four top entries, then two directories in the next pages */
#define GUEST_PAGES 16u
#define GUEST_HOLE  0x100000ull /* nothing is there */

extern const char guest_start[], guest_end[];
extern const char guest_cpuid[], guest_hlt[], guest_out80[], guest_in_dx[], guest_rep_outs[], guest_rdmsr[],
    guest_wrmsr[], guest_load_hole[], guest_jump_hole[], guest_spin[], guest_sti_hlt[], guest_cli_sti[],
    guest_iret[], guest_hlt2[], guest_vmcall[], guest_vmmcall[], guest_vmrun[], guest_ud2[], guest_sse[],
    guest_read_sse[], guest_xsetbv[], guest_dr[], guest_read_dr[], guest_cr3[], guest_cr4[], guest_cr8[],
    guest_step[], guest_db_handler[], guest_cpuid_loop[], guest_msrs[], guest_invlpg[], guest_wbinvd[],
    guest_pause[], guest_wait[], guest_monitor[], guest_rdtsc[], guest_nmi_handler[], guest_store_hole[], guest_int80[],
    guest_touch[], guest_count[], guest_pae[], guest_unaligned[], guest_db_loop[], guest_int1_loop[],
    guest_watch_loop[], guest_int3[];

static inline uint64_t guest_at(const char *label)
{
	return GUEST_CODE + (uint64_t)(label - guest_start);
}

#endif
