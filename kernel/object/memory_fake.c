#include "object/memory_fake.h"
#include "arch/x86/console.h"
#include "arch/x86/arch.h"
#include "arch/x86/cpu.h"
#include "arch/x86/mm/user_tables.h"
#include "arch/x86/mm/tables_hw.h"
#include "arch/x86/mm/tlb.h"
#include "arch/x86/virt/virt.h"
#include "object/asid.h"
#include "object/ept.h"
#include "object/vspace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

struct cpu_features cpu;
uint32_t virt_features;
paddr_t user_tables_root = {0x1234000};
unsigned fake_flush_pages, fake_flush_roots, fake_left_roots, fake_nested;
uint64_t fake_kernel_half[512];
static unsigned fake_next;

void user_tables_fill(uint64_t *pml4)
{
	for (unsigned i = 256; i < 512; i++)
		pml4[i] = fake_kernel_half[i];
}
void tlb_flush_page(uint64_t root, uint64_t va)
{
	(void)root;
	(void)va;
	fake_flush_pages++;
}
void tlb_flush_root(uint64_t root)
{
	(void)root;
	fake_flush_roots++;
}
void tlb_leave_root(uint64_t root)
{
	(void)root;
	fake_left_roots++;
}
void tlb_flush_nested(paddr_t root)
{
	(void)root;
	fake_nested++;
}

unsigned fake_object(word_t type)
{
	unsigned slot = fake_next++;

	assert_int_equal(fake_retype(fake_root(FAKE_UT), type, 0, slot, 1), EXC_NONE);
	return slot;
}

exception_t fake_invoke(unsigned slot, word_t label, unsigned extra0, unsigned extra1, unsigned count, const word_t *words)
{
	struct cte *s = fake_root(slot);

	fake_message(count, words ? words : (const word_t[]){0});
	fake_extra(extra0 ? fake_root(extra0) : NULL, extra1 ? fake_root(extra1) : NULL);
	switch (cap_type_of(s->cap)) {
	case CAP_ASID_CONTROL:
		return asid_control_decode(label, count, s->cap);
	case CAP_ASID_POOL:
		return asid_pool_decode(label, count, s->cap);
	case CAP_EPT_PT:
	case CAP_EPT_PD:
	case CAP_EPT_PDPT:
	case CAP_EPT_PML4:
		return ept_decode(label, count, s, s->cap);
	default:
		return vspace_decode(label, count, s, s->cap);
	}
}

void fake_failed(exception_t e, enum sel4_error type, word_t arg)
{
	assert_int_equal(e, EXC_SYSCALL_ERROR);
	assert_int_equal(percpu_host->error.type, type);
	if (type == seL4_InvalidArgument || type == seL4_InvalidCapability)
		assert_int_equal(percpu_host->error.arg[0], arg);
}

void fake_missing(exception_t e, unsigned bits_left)
{
	fake_failed(e, seL4_FailedLookup, 0);
	assert_int_equal(percpu_host->error.lookup.type, seL4_MissingCapability);
	assert_int_equal(percpu_host->error.lookup.bits_left, bits_left);
	assert_false(percpu_host->error.source);
}

void fake_invalid_root(exception_t e)
{
	fake_failed(e, seL4_FailedLookup, 0);
	assert_int_equal(percpu_host->error.lookup.type, seL4_InvalidRoot);
}

/* Pools made by a test are gone with its arena. */
static void fake_forget_pools(void)
{
	for (unsigned i = 0; i < seL4_ASIDPoolCount; i++)
		for (unsigned slot = 0; slot < BIT(FAKE_RADIX); slot++) {
			cap_t c = fake_root(slot)->cap;

			if (cap_type(c) == CAP_ASID_POOL)
				asid_pool_gone((unsigned)cap_asid_pool_base(c), paddr(cap_asid_pool_ptr(c)));
		}
}

void fake_memory_reset(void)
{
	static bool again;
	cap_t pool;
	unsigned page;

	if (again)
		fake_forget_pools();
	again = true;
	fake_reset();
	fake_next = 32;
	cpu.nx = cpu.huge_pages = true;
	for (unsigned i = 0; i < 512; i++)
		fake_kernel_half[i] = i << 12 | 3;
	page = fake_object(seL4_X86_PageTableObject); /* any zeroed page in the window */
	pool = cap_asid_pool_with_ptr(cap_of_type(CAP_ASID_POOL), cap_paging_ptr(fake_root(page)->cap));
	cte_insert_root(fake_root(FAKE_POOL), pool);
	cte_insert_root(fake_root(FAKE_CONTROL), cap_of_type(CAP_ASID_CONTROL));
	asid_init(paddr(cap_asid_pool_ptr(pool)), paddr(0x777000));
	fake_flush_pages = fake_flush_roots = fake_left_roots = fake_nested = 0;
}

/* No screen here. */
void console_device_mapped(uint64_t start, uint64_t size)
{
	(void)start;
	(void)size;
}
