/* The kernel's half of user page tables (user_tables.h). Built at boot out of the kernel's own entries;
 * called then, and for each new PML4. */
#include "arch/x86/mm/user_tables.h"
#include "arch/x86/cpu.h"
#include "arch/x86/mm/kernel_tables.h"
#include "arch/x86/mm/layout.h"
#include "arch/x86/mm/tables_hw.h"
#include "panic.h"
#include "percpu.h"

paddr_t user_tables_root;

static paddr_t (*user_tables_page)(void);
/* The kernel's half of user_tables_root, which is reached no more after boot: its entries that are not empty.
 * (256 tables may be made in one retype; to look at each entry of each would take too long.) */
static struct {
	uint16_t slot;
	uint64_t entry;
} user_tables_half[512 - LAYOUT_KERNEL_SLOT];
static unsigned user_tables_half_count;

static void user_tables_keep(unsigned slot, uint64_t entry)
{
	user_tables_half[user_tables_half_count].slot = (uint16_t)slot;
	user_tables_half[user_tables_half_count++].entry = entry;
}

static pte_t user_tables_table(paddr_t p)
{
	pte_t e = pte_with_accessed(pte_with_write(pte_with_present((pte_t){{0}}, 1), 1), 1);

	return pte_with_base(e, p.v);
}

/* The page at va as the kernel's tables have it, but global: it is the same in all address spaces. */
static void user_tables_map_page(uint64_t va, bool write)
{
	uint64_t *table = tables_low(user_tables_root);
	pte_t page = tables_read(tables_entry(va, 1));

	for (unsigned level = 4; level > 1; level--) {
		uint64_t *entry = &table[tables_index(va, level)];

		if (!pte_present(tables_read(entry))) {
			tables_write(entry, user_tables_table(user_tables_page()));
			if (level == 4)
				user_tables_keep(tables_index(va, 4), *entry);
		}
		table = tables_low(paddr(pte_base(tables_read(entry))));
	}
	INVARIANT(pte_present(page));
	page = pte_with_write(pte_with_global(page, 1), write);
	tables_write(&table[tables_index(va, 1)], page);
}

void user_tables_init(paddr_t (*page)(void))
{
	user_tables_root = kernel_tables_root;
	user_tables_half_count = 0;
	if (!cpu.split)
		return;
	user_tables_page = page;
	user_tables_root = page();
}

void user_tables_map(uint64_t start, uint64_t end, bool write)
{
	if (!cpu.split)
		return;
	for (uint64_t va = start; va < end; va += PAGE_SIZE)
		user_tables_map_page(va, write);
}

void user_tables_add_cpu(uint32_t index)
{
	uint64_t entry = layout_cpu(index) + LAYOUT_CPU_PERCPU, stacks = layout_cpu(index) + LAYOUT_CPU_IST;

	user_tables_map(entry, entry + sizeof(struct percpu_entry), true); /* struct percpu_entry is first */
	for (unsigned i = 0; i < LAYOUT_CPU_IST_COUNT; i++, stacks += LAYOUT_CPU_IST_STRIDE)
		user_tables_map(stacks, stacks + PAGE_SIZE, true);
}

/* When the first space is made, all that the kernel's own PML4 will ever hold is there. */
static void user_tables_keep_all(void)
{
	for (unsigned i = LAYOUT_KERNEL_SLOT; i < 512; i++) {
		uint64_t entry = *tables_entry((uint64_t)i << 39 | 0xffff000000000000ull, 4);

		if (entry != 0)
			user_tables_keep(i, entry);
	}
}

void user_tables_fill(uint64_t *pml4)
{
	if (unlikely(user_tables_half_count == 0))
		user_tables_keep_all();
	for (unsigned i = 0; i < user_tables_half_count; i++)
		pml4[user_tables_half[i].slot] = user_tables_half[i].entry;
}
