/* Mapping the first thread's pages: the checks of decode do not apply, its ASID is 1 (asid_init). Boot only. */
#include "object/vspace.h"
#include "arch/x86/mm/tables_hw.h"
#include "cap/cap.h"
#include "insula/ext.h"
#include "object/vspace_walk.h"
#include "panic.h"

static uint64_t *vspace_boot_entry(paddr_t pml4, uint64_t v, unsigned level)
{
	unsigned missing;
	uint64_t *entry = vspace_walk(pml4, v, level, &missing);

	INVARIANT(entry && !pte_present(tables_read(entry)));
	return entry;
}

void vspace_boot_map(paddr_t pml4, vaddr_t v, paddr_t p, bool write, bool execute)
{
	unsigned rights = write ? CAP_RIGHT_READ | CAP_RIGHT_WRITE : CAP_RIGHT_READ;

	tables_write(vspace_boot_entry(pml4, v.v, 1),
	             vspace_page_entry(p, 1, rights, execute ? 0 : insula_X86_ExecuteNever));
}

void vspace_boot_map_table(paddr_t pml4, vaddr_t v, paddr_t table, unsigned level)
{
	tables_write(vspace_boot_entry(pml4, v.v, level + 1), vspace_table_entry(table, 0));
}
