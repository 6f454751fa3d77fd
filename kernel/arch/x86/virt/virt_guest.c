/*
 * Registers of a guest that the hardware's structure does not switch, and what else is the same for both
 * vendors. Owns, between load and unload, the CPU's FPU, XCR0, DR0-3 and TSC_AUX. Called by vcpu_run and the
 * vendors. It must never return from unload with a register of the guest's left where a thread can read it.
 */
#include "arch/x86/virt/virt_guest.h"
#include "arch/x86/cpu.h"
#include "arch/x86/cpu_hw.h"
#include "arch/x86/fpu.h"
#include "mem/mem.h"
#include "object/tcb.h"
#include "percpu.h"

#define VIRT_MSR_TSC_AUX 0xc0000103u

#define VIRT_XCR0_X87	 BIT(0)
#define VIRT_XCR0_SSE	 BIT(1)
#define VIRT_XCR0_AVX	 BIT(2)
#define VIRT_XCR0_AVX512 (BIT(5) | BIT(6) | BIT(7))

uint64_t virt_guest_pat(uint64_t value, uint64_t old)
{
	for (unsigned i = 0; i < 64; i += 8) {
		uint64_t type = value >> i & 0xff;

		if (type > 7 || type == 2 || type == 3)
			return old;
	}
	return value;
}

/* XCR0 as XSETBV would accept it with the components that guests may have, else `old`. */
static uint64_t virt_guest_xcr0(uint64_t value, uint64_t old)
{
	uint64_t avx512 = value & VIRT_XCR0_AVX512;

	if ((value & ~cpu.xcr0) || !(value & VIRT_XCR0_X87))
		return old;
	if ((value & VIRT_XCR0_AVX) && !(value & VIRT_XCR0_SSE))
		return old;
	if (avx512 && (avx512 != VIRT_XCR0_AVX512 || !(value & VIRT_XCR0_AVX)))
		return old;
	return value;
}

#define VIRT_CR4_PAE   BIT(5)
#define VIRT_CR4_PCIDE BIT(17)

bool virt_guest_cr4_legal(uint64_t value, uint64_t old, uint64_t allowed, bool lma, uint64_t cr3)
{
	if ((value & ~allowed) || (lma && !(value & VIRT_CR4_PAE)))
		return false;
	return !(value & ~old & VIRT_CR4_PCIDE) || (lma && !(cr3 & 0xfff));
}

void virt_guest_put_ctl(struct vcpu *v, uint64_t xcr0, uint64_t tsc_aux)
{
	v->xcr0 = virt_guest_xcr0(xcr0, v->xcr0);
	v->tsc_aux = tsc_aux & 0xffffffffu;
}

void virt_guest_get_exit(const struct vcpu *v, struct insula_vcpu_state *s)
{
	const struct vcpu_exit *e = &v->exit;

	s->reason = e->reason;
	s->qualification = e->qualification;
	s->length = e->length;
	s->gpa = e->gpa;
	s->gla = e->gla;
	s->exit_info = e->info;
	s->exit_error = e->error;
	s->idt_vectoring = e->idt;
	s->idt_vectoring_error = e->idt_error;
	s->insn_count = e->insn_count;
	if (e->insn_count)
		for (unsigned i = 0; i < sizeof(e->insn_bytes); i++)
			s->insn_bytes[i] = e->insn_bytes[i];
}

void virt_guest_clear_exit(struct vcpu *v)
{
	struct vcpu_exit *e = &v->exit;

	e->reason = e->qualification = e->gpa = e->gla = e->info = e->idt = 0;
	e->error = e->idt_error = e->length = e->insn_count = 0;
}

/* ---- events ---- */

/* Vectors that push an error code (Intel SDM vol. 3A, table 6-1), without those of features that no guest
 * has. */
#define VIRT_ERROR_VECTORS (BIT(8) | BIT(10) | BIT(11) | BIT(12) | BIT(13) | BIT(14) | BIT(17))

static bool virt_guest_event_exists(vtx_event_t e)
{
	unsigned vector = (unsigned)vtx_event_vector(e);

	switch ((enum vtx_event_type)vtx_event_type(e)) {
	case VTX_EVENT_EXTERNAL:
	case VTX_EVENT_NMI:
	case VTX_EVENT_SOFTWARE:
		return true;
	case VTX_EVENT_EXCEPTION:
		return vector != 2 && vector < 31;
	case VTX_EVENT_PRIVILEGED:
		return vector == 1;
	case VTX_EVENT_SOFT_EXCEPTION:
		return vector == 3 || vector == 4;
	default:
		return false;
	}
}

/*
 * Whether there is an error code follows from vector and mode: VM entry insists on it (Intel SDM vol.
 * 3C 27.2.1.3), and with a wrong one SVM would push a frame that no handler expects.
 */
bool virt_guest_event(struct vcpu *v, bool protected_mode, bool *exists)
{
	vtx_event_t e = {{v->entry_info}};
	bool error;

	if (likely(!vtx_event_valid(e))) {
		if (likely(!v->held_info))
			return false;
		e = (vtx_event_t){{v->held_info}};
		v->held_info = 0;
	}
	error = vtx_event_type(e) == VTX_EVENT_EXCEPTION && protected_mode && vtx_event_vector(e) < 32 &&
		(VIRT_ERROR_VECTORS & BIT(vtx_event_vector(e)));
	if (!error || !vtx_event_error_valid(e))
		v->entry_error = 0;
	v->entry_error &= 0xffff;
	e = vtx_event_with_error_valid(vtx_event_with_nmi_unblock(e, 0), error);
	if (vtx_event_type(e) == VTX_EVENT_NMI)
		e = vtx_event_with_vector(e, 2);
	v->entry_info = e.w[0];
	*exists = virt_guest_event_exists(e);
	if (!*exists)
		v->entry_info = 0;
	return true;
}

/* What waits in entry_info makes room; two interrupts that wait are one too many, and VMMs give one. */
static void virt_guest_hold(struct vcpu *v)
{
	vtx_event_t e = {{v->entry_info}};

	if (vtx_event_valid(e) &&
	    (vtx_event_type(e) == VTX_EVENT_EXTERNAL || vtx_event_type(e) == VTX_EVENT_NMI))
		v->held_info = e.w[0];
}

void virt_guest_raise(struct vcpu *v, unsigned vector, bool error_valid, uint32_t error)
{
	virt_guest_hold(v);
	v->entry_info = vtx_event_make(VTX_EVENT_EXCEPTION, vector, error_valid);
	v->entry_error = error;
}

void virt_guest_again(struct vcpu *v)
{
	if (likely(!v->exit.idt))
		return;
	virt_guest_hold(v);
	v->entry_info = v->exit.idt;
	v->entry_error = v->exit.idt_error;
	v->exit.idt = 0;
}

void virt_guest_init(struct vcpu *v)
{
	uint64_t *map = (uint64_t *)(void *)v->io_map;

	for (unsigned i = 0; i < sizeof(v->io_map) / sizeof(*map); i++)
		map[i] = ~UINT64_C(0);
	v->io_overflow = ~UINT64_C(0);
	v->primary = (uint32_t)VTX_PRIMARY_INITIAL;
	v->controls_dirty = true;
	v->xcr0 = VIRT_XCR0_X87;
	fpu_init_state(&v->fpu);
}

void virt_guest_load(struct vcpu *v, struct tcb *t)
{
	struct percpu *p = percpu_self();

	if (likely(!t->fpu_disabled))
		fpu_save(&t->fpu);
	else
		fpu_forbid(false);
	fpu_load(&v->fpu);
	if (cpu.xsave && v->xcr0 != p->arch.xcr0) {
		cpu_xsetbv(v->xcr0);
		p->arch.xcr0 = v->xcr0;
	}
	if (cpu.rdtscp && v->tsc_aux != p->arch.tsc_aux)
		cpu_wrmsr(VIRT_MSR_TSC_AUX, v->tsc_aux);
}

/* QEMU's SVM lets a guest execute XSETBV whatever the intercepts say: see what it is now. */
static void virt_guest_unload_xcr0(struct vcpu *v, struct percpu *p)
{
	uint64_t now = cpu_xgetbv();

	if (unlikely(now != v->xcr0))
		v->xcr0 = virt_guest_xcr0(now, v->xcr0);
	if (now != cpu.xcr0)
		cpu_xsetbv(cpu.xcr0);
	p->arch.xcr0 = cpu.xcr0;
}

static void virt_guest_unload_dr(struct vcpu *v)
{
	for (unsigned i = 0; i < 4; i++) {
		v->dr[i] = cpu_read_dr(i);
		cpu_write_dr(i, 0);
	}
	v->dr_live = false;
	v->controls_dirty = true;
}

void virt_guest_unload(struct vcpu *v, struct tcb *t)
{
	struct percpu *p = percpu_self();

	if (cpu.rdtscp && v->tsc_aux != p->arch.tsc_aux)
		cpu_wrmsr(VIRT_MSR_TSC_AUX, p->arch.tsc_aux);
	if (cpu.xsave)
		virt_guest_unload_xcr0(v, p);
	if (unlikely(v->dr_live))
		virt_guest_unload_dr(v);
	fpu_save(&v->fpu);
	if (likely(!t->fpu_disabled)) {
		fpu_load(&t->fpu);
	} else {
		fpu_clear();
		fpu_forbid(true);
	}
}

void virt_guest_load_dr(struct vcpu *v)
{
	for (unsigned i = 0; i < 4; i++)
		cpu_write_dr(i, v->dr[i]);
	v->dr_live = true;
	v->controls_dirty = true;
}

static void virt_guest_io_byte(uint8_t *byte, unsigned bits, bool allow)
{
	*byte = (uint8_t)(allow ? *byte & ~bits : *byte | bits);
}

void virt_guest_io(struct vcpu *v, uint16_t first, uint16_t last, bool allow)
{
	unsigned begin = first / 8, end = last / 8;
	uint8_t head = (uint8_t)(0xff << first % 8), tail = (uint8_t)(0xff >> (7 - last % 8));

	if (first > last)
		return;
	if (begin == end) {
		virt_guest_io_byte(&v->io_map[begin], head & tail, allow);
		return;
	}
	virt_guest_io_byte(&v->io_map[begin], head, allow);
	memset(&v->io_map[begin + 1], allow ? 0 : 0xff, end - begin - 1); /* it may be 65536 ports, with the kernel's lock held */
	virt_guest_io_byte(&v->io_map[end], tail, allow);
}
