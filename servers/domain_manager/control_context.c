/* See control_context.h. */
#include "servers/domain_manager/control_context.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include "proto/control/control.h"
#include "proto/vmm/vmm_start.h"
#include "servers/domain_manager/context.h"
#include "servers/domain_manager/control_policy.h"
#include "servers/domain_manager/cpu_hw.h"
#include "servers/domain_manager/domain.h"
#include "servers/domain_manager/hvm_context.h"
#include "servers/domain_manager/hvm_records.h"
#include "user/env.h"
#include <xen/errno.h>
#include <xen/hvm/save.h>

#define CONTEXT_MAX  (192u << 10)
#define MTRR_DEFAULT (1u << 11 | 6u) /* on, write-back: what there is of MTRRs (servers/vmm/msr.c) */

_Static_assert(sizeof(struct hvm_hw_cpu) <= VMM_CPU_BYTES, "room for it");

/* ---- out ---- */

/* A domain that has not started has what was set for its first vCPU. */
static void context_first(const struct domain *d, struct hvm_context *c)
{
	static const struct hvm_hw_mtrr mtrr = {.msr_pat_cr = 0x0007040600070406ull, .msr_mtrr_def_type = MTRR_DEFAULT};
	static struct hvm_hw_cpu cpu;

	for (uint32_t i = 0; i < d->spec.vcpus; i++) {
		memset(&cpu, 0, sizeof(cpu));
		if (i == 0 && d->control->cpu_bytes)
			memcpy(&cpu, d->control->cpu, d->control->cpu_bytes < sizeof(cpu) ? d->control->cpu_bytes : sizeof(cpu));
		hvm_context_put(c, HVM_SAVE_CODE(CPU), i, &cpu, sizeof(cpu));
	}
	for (uint32_t i = 0; i < d->spec.vcpus; i++)
		hvm_context_put(c, HVM_SAVE_CODE(MTRR), i, &mtrr, sizeof(mtrr));
}

/* Its length is what the components need. What the vmm says of that concerns its own domain. */
static void xsave_put(const struct domain *d, uint32_t vcpu, struct hvm_context *c)
{
	static struct {
		struct hvm_hw_cpu_xsave head;
		uint8_t rest[VMM_XSAVE_BYTES];
	} record;
	const struct vmm_context *v = context_of(d, vcpu);
	uint32_t bytes = __atomic_load_n(&v->xsave_bytes, __ATOMIC_RELAXED);

	if (v->offline || bytes < sizeof(record.head.save_area) || bytes > VMM_XSAVE_BYTES)
		return;
	record.head.xfeature_mask = record.head.xcr0_accum = v->xcr0_all;
	record.head.xcr0 = v->xcr0;
	memcpy(&record.head.save_area, v->xsave, bytes);
	hvm_context_put(c, CPU_XSAVE_CODE, vcpu, &record, (uint32_t)offsetof(struct hvm_hw_cpu_xsave, save_area) + bytes);
}

/* By type, as Xen's stream is; one that waits to be started has no CPU record. */
static void context_now(const struct domain *d, struct hvm_context *c)
{
	/* no interrupt line is asserted, and none is routed */
	static const struct hvm_hw_pci_irqs pci;
	static const struct hvm_hw_isa_irqs isa;
	static const struct hvm_hw_pci_link link;

	for (uint32_t i = 0; i < d->spec.vcpus; i++)
		if (!context_of(d, i)->offline)
			hvm_context_put(c, HVM_SAVE_CODE(CPU), i, context_of(d, i)->cpu, sizeof(struct hvm_hw_cpu));
	for (uint32_t i = 0; i < d->spec.vcpus; i++)
		hvm_context_put(c, HVM_SAVE_CODE(LAPIC), i, context_of(d, i)->lapic, sizeof(struct hvm_hw_lapic));
	for (uint32_t i = 0; i < d->spec.vcpus; i++)
		hvm_context_put(c, HVM_SAVE_CODE(LAPIC_REGS), i, context_of(d, i)->lapic_regs, sizeof(struct hvm_hw_lapic_regs));
	hvm_context_put(c, HVM_SAVE_CODE(PCI_IRQ), 0, &pci, sizeof(pci));
	hvm_context_put(c, HVM_SAVE_CODE(ISA_IRQ), 0, &isa, sizeof(isa));
	hvm_context_put(c, HVM_SAVE_CODE(PCI_LINK), 0, &link, sizeof(link));
	for (uint32_t i = 0; i < d->spec.vcpus; i++) {
		const struct hvm_hw_mtrr mtrr = {.msr_pat_cr = context_of(d, i)->pat, .msr_mtrr_def_type = MTRR_DEFAULT};

		hvm_context_put(c, HVM_SAVE_CODE(MTRR), i, &mtrr, sizeof(mtrr));
	}
	for (uint32_t i = 0; i < d->spec.vcpus; i++)
		xsave_put(d, i, c);
	for (uint32_t i = 0; i < d->spec.vcpus; i++)
		hvm_context_put(c, HVM_SAVE_CODE(VMCE_VCPU), i, context_of(d, i)->vmce, sizeof(struct hvm_vmce_vcpu));
	for (uint32_t i = 0; i < d->spec.vcpus; i++) {
		const struct hvm_tsc_adjust adjust = {.tsc_adjust = context_of(d, i)->tsc_adjust};

		hvm_context_put(c, HVM_SAVE_CODE(TSC_ADJUST), i, &adjust, sizeof(adjust));
	}
}

/* The stream in our buffer; its bytes, or an error, or CONTROL_RETRY. */
static int64_t context_stream(struct domain *d, const uint8_t **stream)
{
	static uint8_t buffer[CONTEXT_MAX];
	struct hvm_context c;
	uint32_t bytes;
	int r;

	if (!d->bare)
		return -XEN_EINVAL;
	if (d->dying)
		return -XEN_ESRCH;
	r = d->started ? context_begin(d) : 0;
	if (r)
		return r == -EAGAIN ? CONTROL_RETRY : r;
	hvm_context_begin(&c, buffer, sizeof(buffer), cpu_word(1, 0, CPU_EAX), (uint32_t)(env_get()->tsc_hz / 1000));
	if (d->started)
		context_now(d, &c);
	else
		context_first(d, &c);
	bytes = hvm_context_end(&c);
	if (d->started)
		context_end(d);
	*stream = buffer;
	return bytes ? (int64_t)bytes : -XEN_ENOMEM;
}

int64_t context_get(struct control *c, struct domain *d, struct xen_domctl_hvmcontext *h)
{
	const uint8_t *stream;
	int64_t bytes = context_stream(d, &stream);

	if (bytes < 0)
		return bytes;
	if (h->buffer.p) {
		if (h->size < bytes)
			return -XEN_ENOSPC;
		control_out(c, (uint64_t)(uintptr_t)h->buffer.p, stream, (uint32_t)bytes);
	}
	h->size = (uint32_t)bytes;
	return 0;
}

/* One record, without its descriptor. */
int64_t context_part(struct control *c, struct domain *d, struct xen_domctl_hvmcontext_partial *p)
{
	const uint8_t *stream, *record;
	uint32_t length;
	int64_t bytes = context_stream(d, &stream);

	if (bytes < 0)
		return bytes;
	if (p->type > UINT16_MAX || p->type == HVM_SAVE_CODE(HEADER) || p->type == HVM_SAVE_CODE(END))
		return -XEN_EINVAL;
	record = hvm_context_find(stream, p->type, p->instance, &length);
	if (!record)
		return -XEN_ENOENT;
	if (p->buffer.p) {
		if (p->bufsz < length)
			return -XEN_ENOSPC;
		control_out(c, (uint64_t)(uintptr_t)p->buffer.p, record, length);
	}
	p->bufsz = length;
	return 0;
}

/* The registers that both forms have. */
#define REGISTERS(x)                                                                                                   \
	x(r15) x(r14) x(r13) x(r12) x(rbp) x(rbx) x(r11) x(r10) x(r9) x(r8) x(rax) x(rcx) x(rdx) x(rsi) x(rdi) x(rip) x(rflags) x(rsp)

/* Registers as Xen gives them of an HVM domain's vCPU; the FPU's are not among them. */
int64_t vcpu_context_get(struct control *c, struct domain *d, const struct xen_domctl_vcpucontext *v)
{
	static vcpu_guest_context_t g;
	const uint8_t *stream, *record;
	struct hvm_hw_cpu cpu;
	uint32_t length;
	int64_t bytes;

	if (v->vcpu >= d->spec.vcpus)
		return -XEN_EINVAL;
	bytes = context_stream(d, &stream);
	if (bytes < 0)
		return bytes;
	record = hvm_context_find(stream, HVM_SAVE_CODE(CPU), v->vcpu, &length);
	if (!record)
		return -XEN_ENODATA;
	memcpy(&cpu, record, sizeof(cpu));
	memset(&g, 0, sizeof(g));
	g.flags = VGCF_online;
#define COPY(name) g.user_regs.name = cpu.name;
	REGISTERS(COPY)
#undef COPY
	g.user_regs.cs = (uint16_t)cpu.cs_sel;
	g.user_regs.ss = (uint16_t)cpu.ss_sel;
	g.user_regs.ds = (uint16_t)cpu.ds_sel;
	g.user_regs.es = (uint16_t)cpu.es_sel;
	g.user_regs.fs = (uint16_t)cpu.fs_sel;
	g.user_regs.gs = (uint16_t)cpu.gs_sel;
	g.fs_base = cpu.fs_base;
	g.gs_base_kernel = cpu.ss_sel & 3 ? cpu.shadow_gs : cpu.gs_base;
	g.gs_base_user = cpu.ss_sel & 3 ? cpu.gs_base : cpu.shadow_gs;
	g.ctrlreg[0] = cpu.cr0;
	g.ctrlreg[2] = cpu.cr2;
	g.ctrlreg[3] = cpu.cr3;
	g.ctrlreg[4] = cpu.cr4;
	g.debugreg[0] = cpu.dr0;
	g.debugreg[1] = cpu.dr1;
	g.debugreg[2] = cpu.dr2;
	g.debugreg[3] = cpu.dr3;
	g.debugreg[6] = cpu.dr6;
	g.debugreg[7] = cpu.dr7;
	control_out(c, (uint64_t)(uintptr_t)v->ctxt.p, &g, sizeof(g));
	return 0;
}

/* ---- in ---- */

/* Of an HVM domain's vCPU: the general registers, as a toolstack changes what a suspended guest's hypercall has answered. */
int64_t vcpu_context_set(struct control *c, struct domain *d, const struct xen_domctl_vcpucontext *v)
{
	const vcpu_guest_context_t *g = control_in(c, (uint64_t)(uintptr_t)v->ctxt.p, sizeof(*g));
	struct hvm_hw_cpu cpu;
	struct vmm_context *to;
	int r;

	if (!g)
		return CONTROL_AGAIN;
	if (!d->bare || !d->started || v->vcpu >= d->spec.vcpus)
		return -XEN_EINVAL;
	if (d->dying)
		return -XEN_ESRCH;
	r = context_begin(d);
	if (r)
		return r == -EAGAIN ? CONTROL_RETRY : r;
	to = context_of(d, v->vcpu);
	r = to->offline ? -XEN_ENODATA : 0;
	if (!r) {
		memcpy(&cpu, to->cpu, sizeof(cpu));
#define COPY(name) cpu.name = g->user_regs.name;
		REGISTERS(COPY)
#undef COPY
		memcpy(to->cpu, &cpu, sizeof(cpu));
		__atomic_fetch_or(&to->load, VMM_LOAD_CPU, __ATOMIC_RELEASE);
	}
	context_end(d);
	return r;
}

static void take(struct domain *d, const struct hvm_context_record *r)
{
	struct vmm_context *v = context_of(d, r->instance < d->spec.vcpus ? r->instance : 0);
	struct hvm_hw_cpu_xsave x;
	uint32_t what = 0;

	switch (r->type) {
	case HVM_SAVE_CODE(CPU):
		memset(v->cpu, 0, sizeof(v->cpu));
		memcpy(v->cpu, r->at, r->bytes);
		v->offline = 0;
		what = VMM_LOAD_CPU | VMM_LOAD_FPU | VMM_LOAD_TSC | VMM_LOAD_EVENT;
		break;
	case HVM_SAVE_CODE(LAPIC):
		memcpy(v->lapic, r->at, r->bytes);
		break;
	case HVM_SAVE_CODE(LAPIC_REGS):
		memcpy(v->lapic_regs, r->at, r->bytes);
		what = VMM_LOAD_LAPIC; /* comes after the other */
		break;
	case HVM_SAVE_CODE(MTRR):
		memcpy(&v->pat, r->at + offsetof(struct hvm_hw_mtrr, msr_pat_cr), sizeof(v->pat));
		what = VMM_LOAD_PAT;
		break;
	case CPU_XSAVE_CODE:
		memcpy(&x, r->at, sizeof(x));
		v->xcr0 = x.xcr0;
		v->xcr0_all = x.xcr0_accum;
		v->xsave_bytes = r->bytes - (uint32_t)offsetof(struct hvm_hw_cpu_xsave, save_area);
		memset(v->xsave, 0, sizeof(v->xsave));
		memcpy(v->xsave, r->at + offsetof(struct hvm_hw_cpu_xsave, save_area), v->xsave_bytes);
		what = VMM_LOAD_XSAVE;
		break;
	case HVM_SAVE_CODE(VMCE_VCPU):
		memcpy(v->vmce, r->at, sizeof(v->vmce));
		what = VMM_LOAD_VMCE;
		break;
	case HVM_SAVE_CODE(TSC_ADJUST):
		memcpy(&v->tsc_adjust, r->at, sizeof(v->tsc_adjust));
		what = VMM_LOAD_TSC_ADJUST;
		break;
	default:
		break;
	}
	__atomic_fetch_or(&v->load, what, __ATOMIC_RELEASE);
}

static void take_all(struct domain *d, const uint8_t *stream)
{
	struct hvm_context_record r = {0};

	while (hvm_context_next(stream, &r))
		take(d, &r);
}

/* A domain is made with a CPU record and an MTRR record; one that is restored gets more. */
static int64_t set_first(struct domain *d, const uint8_t *stream)
{
	const uint8_t *cpu;
	uint32_t bytes;
	int r;

	if (!hvm_context_find(stream, HVM_SAVE_CODE(LAPIC_REGS), 0, &bytes) && !d->control->restored) {
		cpu = hvm_context_find(stream, HVM_SAVE_CODE(CPU), 0, &bytes);
		if (cpu) {
			memcpy(d->control->cpu, cpu, bytes);
			d->control->cpu_bytes = bytes;
		}
		return 0;
	}
	r = context_restore(d);
	if (r)
		return r;
	take_all(d, stream);
	d->control->restored = 1;
	return 0;
}

int64_t context_set(struct control *c, struct domain *d, const struct xen_domctl_hvmcontext *h)
{
	const uint8_t *stream;
	int r;

	if (!d->bare)
		return -XEN_EINVAL;
	if (d->dying)
		return -XEN_ESRCH;
	stream = control_in(c, (uint64_t)(uintptr_t)h->buffer.p, h->size);
	if (!stream)
		return CONTROL_AGAIN;
	r = hvm_records_check(stream, h->size, d->spec.vcpus, cpu_policy_xcr0(policy_of(d)));
	if (!r)
		r = hvm_records_allowed(stream, cpu_policy_cr4(policy_of(d)), cpu_policy_efer(policy_of(d)));
	if (r)
		return r;
	if (!d->started)
		return set_first(d, stream);
	r = context_begin(d);
	if (r)
		return r == -EAGAIN ? CONTROL_RETRY : r;
	take_all(d, stream);
	context_end(d);
	return 0;
}
