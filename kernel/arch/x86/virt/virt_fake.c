/* See virt_fake.h: what both vendors' fakes share. */
#include "arch/x86/virt/virt_fake.h"
#include "arch/x86/virt/virt_tlb_fake.h"
#include "arch/x86/virt/virt_guest.h"
#include "arch/x86/cpu.h"
#include "arch/x86/cpu_hw.h"
#include "arch/x86/mce.h"
#include "arch/x86/fpu.h"
#include "arch/x86/arch.h"
#include "arch/x86/mm/tables_hw.h"
#include "arch/x86/msr.h"
#include "object/tcb.h"
#include "panic.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <stdlib.h>
#include <cmocka.h>

struct fake_cpu fake;
struct cpu_features cpu;
const struct virt_ops *virt;
uint32_t virt_features;
uint64_t window_host_base;
static struct percpu fake_percpu[FAKE_CPUS];
struct percpu *percpu_host = fake_percpu;

/* ---- the kernel's other parts ---- */

void panic(const char *format, ...)
{
	va_list a;

	va_start(a, format);
	vfprintf(stderr, format, a);
	va_end(a);
	abort();
}

void kprintf(const char *format, ...)
{
	(void)format;
}

bool irq_poll(void)
{
	fake.polls++;
	if (fake.interrupt)
		percpu_self()->arch.pending_vector = 0x30;
	return fake.interrupt;
}

uint64_t *tables_entry(uint64_t va, unsigned level)
{
	static uint64_t entry = 0x7000 | 1;

	(void)va;
	(void)level;
	return &entry;
}

void window_copy_to(paddr_t dst, const void *src, uint64_t bytes)
{
	(void)dst;
	(void)src;
	(void)bytes;
}

void fpu_init_state(struct fpu_state *s)
{
	memset(s, 0, sizeof(*s));
}
void fpu_save(struct fpu_state *s)
{
	assert_ptr_equal(fake.fpu_from, s); /* nobody's registers go into another's area */
	fake.fpu_saves++;
}
void fpu_load(const struct fpu_state *s)
{
	assert_int_equal(fake.xcr0, cpu.xcr0); /* else components would be left out */
	fake.fpu_from = (struct fpu_state *)(uintptr_t)s;
	fake.fpu_loads++;
}
void fpu_clear(void)
{
	fake.fpu_from = NULL;
}
void fpu_forbid(bool forbid)
{
	(void)forbid;
}

/* ---- registers ---- */

uint64_t cpu_xgetbv(void)
{
	return fake.xcr0;
}
void cpu_xsetbv(uint64_t v)
{
	assert_true(v & 1);
	assert_false(v & ~cpu.xcr0);
	fake.xcr0 = v;
}
uint64_t cpu_read_dr(unsigned n)
{
	return fake.dr[n];
}
void cpu_write_dr(unsigned n, uint64_t v)
{
	fake.dr[n] = v;
}
uint64_t cpu_read_cr2(void)
{
	return fake.cr2;
}
void cpu_write_cr2(uint64_t v)
{
	fake.cr2 = v;
}

static uint64_t *fake_msr(uint32_t msr)
{
	switch (msr) {
	case MSR_PAT:
		return &fake.msr_pat;
	case MSR_FS_BASE:
		return &fake.fs_base;
	case 0xc0000103:
		return &fake.tsc_aux;
	case MSR_KERNEL_GS_BASE:
		return &fake.kernel_gs_base;
	case MSR_STAR:
		return &fake.star;
	case MSR_LSTAR:
		return &fake.lstar;
	case MSR_SFMASK:
		return &fake.sfmask;
	default:
		return NULL;
	}
}

uint64_t cpu_rdmsr(uint32_t msr)
{
	const uint64_t *m = fake_msr(msr);

	if (m)
		return *m;
	switch (msr) {
	case MSR_EFER:
		return 0x1d01;
	case 0x3a: /* FEATURE_CONTROL: locked, on */
		return 5;
	case 0x480: /* VMX_BASIC: revision, true controls */
		return BIT(55) | 0x12;
	case 0x48d:
		return 0xff00000016ull;
	case 0x48e:
		return 0xfff9fffe04006172ull & ~(fake.lacks & 4 ? BIT(32 + 21) : 0);
	case 0x48f:
		return 0x7fffff00036dfbull;
	case 0x490:
		return 0xffff000011fbull;
	case 0x48b:
		return (UINT64_C(0xffffffff) << 32) & ~((fake.lacks & 1 ? BIT(32 + 5) : 0) | (fake.pause_loop ? 0 : BIT(32 + 10)));
	case 0x48c:
		return BIT(6) | BIT(14) | BIT(16) | BIT(17) | BIT(20) | BIT(26) | BIT(32) | BIT(42) |
		       (fake.lacks & 2 ? 0 : BIT(25)) | (fake.lacks & 8 ? 0 : BIT(21));
	case 0x486:
		return 0x80000021;
	case 0x487:
		return 0xffffffff;
	case 0x488:
		return 0x2000;
	case 0x489:
		return 0x3727ff;
	default:
		return 0;
	}
}

void cpu_wrmsr(uint32_t msr, uint64_t value)
{
	uint64_t *m = fake_msr(msr);

	if (m)
		*m = value;
}

void cpu_cpuid(uint32_t leaf, uint32_t sub, uint32_t r[4])
{
	(void)sub;
	memset(r, 0, 4 * sizeof(*r));
	switch (leaf) {
	case 0:
		r[0] = 0xd;
		break;
	case 1:
		r[2] = (uint32_t)(BIT(26) | (fake.svm_virq ? BIT(31) : 0));
		break;
	case 7:
		r[1] = BIT(0) | BIT(7) | BIT(20);
		break;
	case 0x40000000:
		r[1] = 0x54474354;
		r[2] = 0x43544743;
		r[3] = 0x47435447;
		break;
	case 0x80000001:
		r[3] = BIT(20);
		break;
	default:
		break;
	}
}

/* ---- the script ---- */

void fake_do(struct fake_step s)
{
	assert_in_range(fake.steps, 0, ARRAY_SIZE(fake.step) - 1);
	fake.step[fake.steps++] = s;
}

const struct fake_step *fake_next(void)
{
	return fake.done < fake.steps ? &fake.step[fake.done++] : NULL;
}

void fake_interrupted(uint64_t event)
{
	if (vtx_event_type((vtx_event_t){{event}}) == VTX_EVENT_NMI)
		fake.nmi_blocked = false; /* it was not, or the NMI would not have been on its way */
}

void fake_deliver(uint64_t event, uint64_t error, uint64_t rip)
{
	assert_in_range(fake.deliveries, 0, ARRAY_SIZE(fake.delivered) - 1);
	fake.delivered[fake.deliveries++] = event;
	fake.delivered_error = error;
	fake.delivered_rip = rip;
	if (vtx_event_type((vtx_event_t){{event}}) == VTX_EVENT_NMI) {
		assert_false(fake.nmi_blocked);
		fake.nmi_blocked = true;
	}
}

/* ---- the machine ---- */

static struct tcb fake_tcb;

void fake_cpu(unsigned n)
{
	percpu_host = &fake_percpu[n];
}

void fake_start(const struct virt_ops *ops)
{
	fake.xcr0 = 7;
	fake.msr_pat = 0x100070406;
	fake.kernel_gs_base = 0x7777;
	fake.fs_base = 0x5555;
	fake.star = 0x1b000800000000;
	fake.lstar = 0xffffffff80101000;
	fake.sfmask = 0x257fd5;
	fake.fpu_from = &fake_tcb.fpu;
	cpu = (struct cpu_features){
	    .paddr_bits = 40,
	    .xsave = true,
	    .rdtscp = true,
	    .xcr0 = 7,
	    .huge_pages = true,
	    .svm_npt = true,
	    .svm_asids = 16,
	    .svm_nrip = fake.svm_nrip,
	    .svm_decode = fake.svm_decode,
	    .svm_vmcb_clean = true,
	    .svm_pause_filter = fake.pause_loop,
	    .svm_pause_threshold = fake.pause_loop,
	};
	virt_features = 0;
	fake_tlb_start(ops == &virt_vmx);
	virt = ops;
	for (unsigned n = FAKE_CPUS; n-- > 0;) {
		fake_percpu[n] = (struct percpu){.entry = {.self = &fake_percpu[n]}, .cpu = n};
		fake_percpu[n].arch.pending_vector = -1;
		fake_percpu[n].arch.host_save = paddr(0x1000);
		fake_percpu[n].arch.host_state = paddr(0x2000);
		fake_percpu[n].arch.xcr0 = 7;
		fake_cpu(n);
		assert_true(virt->cpu_init(&fake_percpu[n]));
	}
}

struct vcpu *fake_vcpu(void)
{
	struct vcpu *v = aligned_alloc(1 << 14, sizeof(struct vcpu));

	assert_non_null(v);
	memset(v, 0, sizeof(*v));
	virt_guest_init(v);
	virt->vcpu_init(v);
	virt->set_ept_root(v, FAKE_ROOT(1), true);
	return v;
}

void fake_vcpu_free(struct vcpu *v)
{
	virt->vcpu_clear(v);
	free(v);
}

enum virt_run fake_run(struct vcpu *v)
{
	enum virt_run r;

	virt_guest_load(v, &fake_tcb);
	virt->load(v);
	do
		r = virt->run(v);
	while (r == VIRT_RUN_AGAIN);
	virt->unload(v);
	virt_guest_unload(v, &fake_tcb);
	/* nothing of the guest's is left in the CPU */
	assert_ptr_equal(fake.fpu_from, &fake_tcb.fpu);
	assert_int_equal(fake.xcr0, 7);
	assert_int_equal(fake.tsc_aux, 0);
	assert_int_equal(fake.msr_pat, 0x100070406);
	assert_int_equal(fake.kernel_gs_base, 0x7777);
	assert_int_equal(fake.lstar, 0xffffffff80101000);
	assert_int_equal(fake.dr[0] | fake.dr[1] | fake.dr[2] | fake.dr[3], 0);
	return r;
}

/* ---- machine checks (mce.h) ---- */

bool mce_guest(void)
{
	fake.host_mcs++;
	return !fake.mc_ends;
}
