/* Flushing this CPU's translations of user address spaces (space.h). Called by tlb.c. */
#include "arch/x86/mm/space.h"
#include "arch/x86/cpu_hw.h"
#include "arch/x86/mm/user_tables.h"

void space_use_pcid(uint64_t root)
{
	struct percpu *self = percpu_self();

	/* The last one was to be emptied on the way out, which has not been taken since. */
	if (cpu.split && self->arch.root != 0 && !(self->entry.user_cr3 & PCID_KEEP))
		pcid_stale(&self->arch.pcid, self->arch.root);
	space_hw_load(pcid_use(&self->arch.pcid, root));
}

void space_flush_page(struct percpu *self, uint64_t root, uint64_t vaddr)
{
	bool used = self->arch.root == root;
	unsigned id;

	if (used && !cpu.split) {
		cpu_invlpg(vaddr);
		return;
	}
	/* Split tables without identifiers: the way out loads CR3, and that drops everything. */
	id = cpu.pcid ? pcid_of(&self->arch.pcid, root) : 0;
	if (id == 0)
		return;
	if (cpu.invpcid)
		cpu_invpcid_page(id, vaddr);
	else
		space_flush(self, root);
}

void space_flush(struct percpu *self, uint64_t root)
{
	if (cpu.pcid)
		pcid_stale(&self->arch.pcid, root);
	if (self->arch.root == root && (cpu.pcid || !cpu.split))
		space_use(self, root);
}

void space_leave(struct percpu *self, uint64_t root)
{
	if (cpu.pcid)
		pcid_stale(&self->arch.pcid, root);
	if (self->arch.root == root)
		space_use(self, user_tables_root.v);
}

bool space_forget(struct percpu *other, uint64_t root)
{
	if (other->arch.root == root)
		return true;
	if (cpu.pcid)
		pcid_stale(&other->arch.pcid, root);
	return false;
}
