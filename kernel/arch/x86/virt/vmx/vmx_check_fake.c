/* See vmx_check_fake.h. Written from the manual: Intel SDM vol. 3C, chapter 27. */
#include "arch/x86/virt/vmx/vmx_check_fake.h"
#include "arch/x86/virt/virt_fake.h"
#include "arch/x86/cpu_hw.h"
#include "arch/x86/mm/window.h"
#include "arch/x86/selectors.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define F(name) f[VTX_FIELD_##name]
#define V(name) f[VMCS_##name]

/* ---- 27.2.1: controls ---- */

static void fake_vmx_control(uint64_t value, uint32_t msr)
{
	uint64_t capability = cpu_rdmsr(msr);

	assert_int_equal(value >> 32, 0);
	assert_int_equal(value & (uint32_t)capability, (uint32_t)capability); /* must be 1 */
	assert_int_equal(value & ~(capability >> 32), 0);		      /* may be 1 */
}

static void fake_vmx_controls(const struct vcpu *v, const uint64_t *f)
{
	const uint32_t primary =
	    (uint32_t)(VTX_PRIMARY_TSC_OFFSET | VTX_PRIMARY_IO_MAPS | VTX_PRIMARY_MSR_MAPS |
		       VTX_PRIMARY_MWAIT | VTX_PRIMARY_MONITOR | VTX_PRIMARY_RDPMC | VTX_PRIMARY_SECONDARY);

	fake_vmx_control(F(PIN), 0x48d);
	fake_vmx_control(F(PRIMARY), 0x48e);
	fake_vmx_control(F(SECONDARY), 0x48b);
	fake_vmx_control(F(EXIT_CONTROLS), 0x48f);
	fake_vmx_control(F(ENTRY_CONTROLS), 0x490);
	assert_int_equal(F(PIN) & 0x29, 0x29); /* interrupts, NMIs, virtual NMIs */
	assert_int_equal(F(PRIMARY) & primary, primary);
	assert_int_equal(F(SECONDARY) & 0x82, 0x82); /* EPT, unrestricted guest */
	assert_int_equal(F(EXIT_CONTROLS) & 0x3c0204, 0x3c0204);
	assert_int_equal(F(ENTRY_CONTROLS) & 0xc004, 0xc004);
	assert_int_equal(F(EXCEPTIONS) & 0x60002, 0x60002);
	assert_int_equal(V(EXIT_MSR_STORE_COUNT) | V(EXIT_MSR_LOAD_COUNT) | V(ENTRY_MSR_LOAD_COUNT), 0);
	assert_int_equal(F(CR3_TARGETS) | F(TPR_THRESHOLD), 0);
	assert_int_equal(V(IO_MAP_A), window_pa(v->io_map).v);
	assert_int_equal(V(IO_MAP_B), window_pa(v->io_map).v + 4096);
	assert_int_equal(V(MSR_MAP), vmx_traits.msr_map.v);
	assert_int_equal(V(VIRTUAL_APIC), window_pa(&v->io_overflow).v);
	assert_int_equal(V(EPTP), v->ept_root.v | 6 | 3 << 3 | (vmx_traits.ept_ad ? 0x40u : 0));
	if (F(SECONDARY) & 0x20)
		assert_in_range(V(VPID), 1, 0xffff);
	/* debug registers that are not loaded exit, and none is armed */
	if (!v->dr_live) {
		assert_true(F(PRIMARY) & VTX_PRIMARY_MOV_DR);
		assert_int_equal(F(DR7) & 0xff, 0);
	}
	/* what may not be the guest's own */
	assert_int_equal(F(CR0_MASK) & 0x60000020, 0x60000020);
	assert_int_equal(F(CR4_MASK) & 0x2040, 0x2040);
}

/* 27.2.1.3: the event that is injected. */
static void fake_vmx_event(const uint64_t *f)
{
	uint64_t e = F(ENTRY_INFO);
	unsigned type = e >> 8 & 7, vector = e & 0xff;
	bool error =
	    type == 3 && (F(CR0) & 1) && (vector == 8 || (vector >= 10 && vector <= 14) || vector == 17);

	if (!(e & BIT(31)))
		return;
	assert_int_equal(e & 0x7ffff000, 0);
	assert_true(type != 1 && type != 7 && (type != 2 || vector == 2) && (type != 3 || vector <= 31));
	assert_int_equal(!!(e & BIT(11)), error);
	if (error)
		assert_int_equal(F(ENTRY_ERROR) >> 16, 0);
	if (type >= 4)
		assert_in_range(F(ENTRY_LENGTH), 1, 15);
	/* 27.3.1.5: what depends on the guest's state is the kernel's to look after as well */
	if (type == 0)
		assert_true((F(RFLAGS) & BIT(9)) && !(F(INTERRUPTIBILITY) & 3));
	if (type == 2)
		assert_int_equal(F(INTERRUPTIBILITY) & 0xb, 0);
}

/* ---- 27.2.2: the host ---- */

static void fake_vmx_host(const uint64_t *f)
{
	assert_int_equal(V(HOST_CR0), 0x80010033);
	assert_int_equal(V(HOST_CR3), 0x9000);
	assert_int_equal(V(HOST_CR4), 0x2006a0);
	assert_int_equal(V(HOST_CS), SELECTOR_KERNEL_CODE);
	assert_int_equal(V(HOST_SS), SELECTOR_KERNEL_DATA);
	assert_int_equal(V(HOST_DS) | V(HOST_ES) | V(HOST_FS) | V(HOST_GS), 0);
	assert_int_equal(V(HOST_TR), 0x30);
	assert_int_equal(V(HOST_GS_BASE), (uint64_t)(uintptr_t)percpu_self());
	assert_int_equal(V(HOST_GDTR_BASE), 0x1234000);
	assert_int_equal(V(HOST_IDTR_BASE), 0x1235000);
	assert_int_equal(V(HOST_PAT), 0x100070406);
	assert_int_equal(V(HOST_EFER), 0x1d01);
	assert_int_equal(V(HOST_FS_BASE), 0x5555);
	assert_int_equal(V(HOST_SYSENTER_CS) | V(HOST_SYSENTER_ESP) | V(HOST_SYSENTER_EIP), 0);
}

void fake_vmx_harmless(const struct vcpu *v, const uint64_t *f)
{
	fake_vmx_controls(v, f);
	fake_vmx_event(f);
	fake_vmx_host(f);
	/* values for which there is no excuse: single ones are made legal when they are put */
	assert_int_equal(F(CR0) & 0x60000020, 0x20);
	assert_true(F(CR4) & BIT(13));
	assert_true(F(CR4) & BIT(6)); /* a machine check would shut the machine down */
	assert_int_equal(F(VMCS_LINK), ~UINT64_C(0));
	assert_int_equal(F(DEBUGCTL), 0);
	assert_int_equal(v->vmx.lstar, virt_fake_canonical(v->vmx.lstar)); /* WRMSR would fault */
	assert_int_equal(v->vmx.kernel_gs_base, virt_fake_canonical(v->vmx.kernel_gs_base));
	assert_int_equal(v->vmx.sfmask >> 32, 0);
}

/* ---- 27.3.1: the guest ---- */

static bool fake_vmx_refuses_control(const uint64_t *f, bool lma, bool pg)
{
	if ((F(CR0) & ~UINT64_C(0xe005003f)) || (F(CR4) & ~UINT64_C(0x3727ff)) || F(CR3) >> 40 ||
	    F(DR7) >> 32)
		return true;
	if (pg && !(F(CR0) & 1))
		return true;
	if (lma != (bool)(F(ENTRY_CONTROLS) & BIT(9)) || lma != (pg && (F(EFER) & BIT(8))) ||
	    (F(EFER) & ~UINT64_C(0xd01)))
		return true;
	if (lma ? !(F(CR4) & BIT(5)) : (F(CR4) & BIT(17)) != 0)
		return true;
	for (unsigned i = 0; i < 64; i += 8)
		if ((F(PAT) >> i & 0xff) > 7 || (F(PAT) >> i & 0xfe) == 2)
			return true;
	return F(SYSENTER_ESP) != virt_fake_canonical(F(SYSENTER_ESP)) ||
	       F(SYSENTER_EIP) != virt_fake_canonical(F(SYSENTER_EIP));
}

static bool fake_vmx_refuses_rest(const uint64_t *f, bool lma)
{
	uint64_t block = F(INTERRUPTIBILITY), cs = F(ES_AR + 2), flags = F(RFLAGS);
	bool shadow = block & 3, step = F(PENDING_DEBUG) & BIT(14), is64 = lma && (cs & BIT(13));

	if (lma && (cs & BIT(13)) && (cs & BIT(14)))
		return true;
	if (is64 ? F(RIP) != virt_fake_canonical(F(RIP)) : F(RIP) >> 32 != 0)
		return true;
	if (!(flags & 2) || (flags & ~UINT64_C(0x3f7fd7)) || (lma && (flags & BIT(17))))
		return true;
	if (block >> 5 || (block & 4) || (block & 3) == 3 || ((block & 1) && !(flags & BIT(9))))
		return true;
	if (F(ACTIVITY) > 1 || (F(ACTIVITY) && shadow) || (F(PENDING_DEBUG) & ~UINT64_C(0x5008)))
		return true;
	return (shadow || F(ACTIVITY)) && step != (bool)(flags & BIT(8));
}

bool fake_vmx_refuses(const uint64_t *f)
{
	bool lma = F(EFER) & BIT(10), pg = F(CR0) & BIT(31);

	if (pg && (F(CR4) & BIT(5)) && !lma) /* 27.3.1.6 */
		for (unsigned i = 0; i < 4; i++)
			if ((f[VTX_FIELD_PDPTE0 + 2 * i] & 1) &&
			    (f[VTX_FIELD_PDPTE0 + 2 * i] & (0x1e6 | ~MASK(40))))
				return true;
	return fake_vmx_refuses_control(f, lma, pg) || fake_vmx_refuses_rest(f, lma);
}
