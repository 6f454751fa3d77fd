/* See svm_check_fake.h. Written from the manual, not from svm_check.c. */
#include "arch/x86/virt/svm/svm_check_fake.h"
#include "arch/x86/virt/virt_fake.h"
#include "arch/x86/cpu.h"
#include "arch/x86/mm/window.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* Bits of CR4 and EFER that this CPU has; EFER without SVME. */
#define FAKE_CR4  0x3d0fffull
#define FAKE_EFER 0xd01ull

/* Reserved bytes and features that are never on. */
static void fake_svm_zero(const struct vmcb *b)
{
	static const struct {
		uint16_t from, to;
	} zero[] = {{0x014, 0x03c}, {0x05d, 0x060}, {0x098, 0x0a8}, {0x0b8, 0x0c0},
		    {0x0e0, 0x400}, {0x4a0, 0x4cb}, {0x4cc, 0x4d0}, {0x4d8, 0x548},
		    {0x580, 0x5d8}, {0x5e0, 0x5f8}, {0x648, 0x668}, {0x698, 0x1000}};
	const uint8_t *byte = (const uint8_t *)b;

	for (unsigned i = 0; i < ARRAY_SIZE(zero); i++)
		for (unsigned at = zero[i].from; at < zero[i].to; at++)
			assert_int_equal(byte[at], 0);
}

void fake_svm_harmless(const struct vcpu *v, const struct vmcb *b)
{
	uint32_t misc1 = SVM_MISC1_INTR | SVM_MISC1_NMI | SVM_MISC1_SMI | SVM_MISC1_INIT | SVM_MISC1_RDPMC |
			 SVM_MISC1_CPUID | SVM_MISC1_RSM | SVM_MISC1_INVD | SVM_MISC1_INVLPGA |
			 SVM_MISC1_IOIO | SVM_MISC1_MSR | SVM_MISC1_TASK_SWITCH;
	uint32_t misc2 = SVM_MISC2_VMRUN | SVM_MISC2_VMMCALL | SVM_MISC2_VMLOAD | SVM_MISC2_VMSAVE |
			 SVM_MISC2_STGI | SVM_MISC2_CLGI | SVM_MISC2_SKINIT | SVM_MISC2_WBINVD |
			 SVM_MISC2_MONITOR | SVM_MISC2_MWAIT | SVM_MISC2_XSETBV | SVM_MISC2_RDPRU;
	svm_vintr_t i = {{b->vintr}};

	assert_int_equal(b->misc1 & misc1, misc1);
	assert_true(b->misc1 & SVM_MISC1_SHUTDOWN);
	assert_int_equal(b->misc2 & misc2, misc2);
	/* loops of #DB or #AC would never end otherwise; a machine check is the host's */
	assert_int_equal(b->exceptions & 0x60002, 0x60002);
	/* nested paging alone: no SEV, no AVIC, no virtual GIF, no branch records */
	assert_int_equal(b->np_enable, 1);
	assert_int_equal(b->lbr_control, 0);
	assert_true(svm_vintr_masking(i));
	assert_int_equal(b->vintr & ~UINT64_C(0xff011f01ff), 0);
	assert_int_equal(b->n_cr3, v->ept_root.v);
	assert_int_equal(b->iopm_pa, window_pa(v->io_map).v);
	assert_int_equal(b->msrpm_pa, svm_traits.msrpm.v);
	assert_true(b->tlb_control == 0 || b->tlb_control == 1);
	assert_in_range(b->asid, 1, cpu.svm_asids - 1);
	assert_int_equal(b->dbgctl, 0);
	fake_svm_zero(b);
	assert_true(fake.pause_loop || (b->pause_count == 0 && b->pause_threshold == 0));
	assert_true(b->cr4 & BIT(6)); /* a machine check would shut the machine down */
	assert_true(b->cr_write & 1u << 4);
	/* its debug registers are the guest's only while they are loaded */
	if (!v->dr_live) {
		assert_int_equal(b->dr_read & b->dr_write, 0xffff);
		assert_int_equal(b->dr7 & 0xff, 0);
	}
	/* what VMLOAD takes without a look */
	assert_int_equal(b->lstar, virt_fake_canonical(b->lstar));
	assert_int_equal(b->sysenter_eip, virt_fake_canonical(b->sysenter_eip));
	assert_int_equal(b->kernel_gs_base, virt_fake_canonical(b->kernel_gs_base));
}

bool fake_svm_refuses(const struct vmcb *b)
{
	bool lme = b->efer & BIT(8), pg = b->cr0 & BIT(31), pe = b->cr0 & BIT(0);
	unsigned type = b->event_inj >> 8 & 7, vector = b->event_inj & 0xff;

	if (!(b->efer & BIT(12)) || (b->efer & ~(FAKE_EFER | BIT(12))) || b->cr0 >> 32 || b->dr6 >> 32 ||
	    b->dr7 >> 32)
		return true;
	if ((b->cr0 & BIT(29)) && !(b->cr0 & BIT(30)))
		return true;
	if (b->cr3 >> cpu.paddr_bits || (b->cr4 & ~FAKE_CR4) || b->asid == 0 || !(b->misc2 & 1))
		return true;
	if (pg && !pe)
		return true;
	if (lme && pg && (!(b->cr4 & BIT(5)) || (b->cs.attrib & BIT(9) && b->cs.attrib & BIT(10))))
		return true;
	return (b->event_inj & BIT(31)) &&
	       (type == 1 || type > 4 || (type == 3 && (vector == 2 || vector > 30)));
}
