/*
 * The choice between VT-x and SVM, made once at boot from what the CPU has. Called by boot, on each CPU.
 */
#include "arch/x86/virt/virt.h"
#include "arch/x86/cpu.h"
#include "panic.h"

const struct virt_ops *virt;
uint32_t virt_features;

/* Every vendor fills the whole table: there is no default behind an empty place. */
static bool virt_complete(const struct virt_ops *o)
{
	return o->name && o->cpu_init && o->vcpu_init && o->vcpu_clear && o->load && o->run && o->unload &&
	       o->put && o->get && o->read_field && o->write_field && o->read_msr && o->write_msr &&
	       o->set_ept_root && o->ioport && o->ept_leaf && o->ept_table && o->ept_is_leaf &&
	       o->ept_walk && o->ept_address && o->ept_perm && o->ept_part && o->ept_flush;
}

bool virt_init(void)
{
	const struct virt_ops *found = cpu.virt == INSULA_VIRT_SVM   ? &virt_svm
				       : cpu.virt == INSULA_VIRT_VMX ? &virt_vmx
								     : NULL;

	if (!found) {
		kprintf("This machine has neither VT-x nor SVM (or the firmware has switched it off): no "
			"domains can run\n");
		return false;
	}
	INVARIANT(virt_complete(found));
	virt = found;
	virt_features = cpu.huge_pages ? INSULA_VIRT_HUGE_PAGES : 0;
	if (found == &virt_vmx || cpu.svm_nrip)
		virt_features |= INSULA_VIRT_NRIP;
	if (found == &virt_svm && cpu.svm_decode)
		virt_features |= INSULA_VIRT_DECODE;
	return true;
}

bool virt_init_cpu(struct percpu *p)
{
	return virt->cpu_init(p);
}
