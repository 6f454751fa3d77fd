#include "servers/vmm/load/cpu_record.h"

#include <stddef.h>
#include <string.h>
#include "insula/exit_reason.h"
#include <xen/xen.h>
#include <xen/hvm/save.h>

/* Xen keeps attributes as SVM does, in 12 bits; ours are VT-x's, with AVL, L, D and G four higher. */
static uint32_t access_rights(uint32_t a)
{
	return (a & 0xff) | (a & 0xf00) << 4;
}

static struct insula_segment segment(uint32_t selector, uint64_t base, uint32_t limit, uint32_t attributes)
{
	return (struct insula_segment){.base = base, .limit = limit, .selector = (uint16_t)selector, .ar = access_rights(attributes)};
}

bool cpu_record_load(struct insula_vcpu_state *s, const uint8_t *record, uint32_t bytes)
{
	struct hvm_hw_cpu c;

	if (bytes < offsetof(struct hvm_hw_cpu, flags))
		return false;
	memset(&c, 0, sizeof(c));
	memcpy(&c, record, bytes < sizeof(c) ? bytes : sizeof(c));
	s->gpr[INSULA_RAX] = c.rax;
	s->gpr[INSULA_RCX] = c.rcx;
	s->gpr[INSULA_RDX] = c.rdx;
	s->gpr[INSULA_RBX] = c.rbx;
	s->gpr[INSULA_RBP] = c.rbp;
	s->gpr[INSULA_RSI] = c.rsi;
	s->gpr[INSULA_RDI] = c.rdi;
	s->gpr[INSULA_R8] = c.r8;
	s->gpr[INSULA_R9] = c.r9;
	s->gpr[INSULA_R10] = c.r10;
	s->gpr[INSULA_R11] = c.r11;
	s->gpr[INSULA_R12] = c.r12;
	s->gpr[INSULA_R13] = c.r13;
	s->gpr[INSULA_R14] = c.r14;
	s->gpr[INSULA_R15] = c.r15;
	s->rip = c.rip;
	s->rsp = c.rsp;
	s->rflags = c.rflags | 2;
	s->cr0 = c.cr0;
	s->cr2 = c.cr2;
	s->cr3 = c.cr3;
	s->cr4 = c.cr4;
	s->efer = c.msr_efer;
	s->seg[INSULA_ES] = segment(c.es_sel, c.es_base, c.es_limit, c.es_arbytes);
	s->seg[INSULA_CS] = segment(c.cs_sel, c.cs_base, c.cs_limit, c.cs_arbytes);
	s->seg[INSULA_SS] = segment(c.ss_sel, c.ss_base, c.ss_limit, c.ss_arbytes);
	s->seg[INSULA_DS] = segment(c.ds_sel, c.ds_base, c.ds_limit, c.ds_arbytes);
	s->seg[INSULA_FS] = segment(c.fs_sel, c.fs_base, c.fs_limit, c.fs_arbytes);
	s->seg[INSULA_GS] = segment(c.gs_sel, c.gs_base, c.gs_limit, c.gs_arbytes);
	s->seg[INSULA_LDTR] = segment(c.ldtr_sel, c.ldtr_base, c.ldtr_limit, c.ldtr_arbytes);
	s->seg[INSULA_TR] = segment(c.tr_sel, c.tr_base, c.tr_limit, c.tr_arbytes);
	s->gdtr = segment(0, c.gdtr_base, c.gdtr_limit, 0);
	s->idtr = segment(0, c.idtr_base, c.idtr_limit, 0);
	s->star = c.msr_star;
	s->lstar = c.msr_lstar;
	s->cstar = c.msr_cstar;
	s->sfmask = c.msr_syscall_mask;
	s->kernel_gs_base = c.shadow_gs;
	s->sysenter_cs = c.sysenter_cs;
	s->sysenter_esp = c.sysenter_esp;
	s->sysenter_eip = c.sysenter_eip;
	s->tsc_aux = c.msr_tsc_aux;
	if (c.dr7)
		s->dr7 = c.dr7;
	if (c.dr6)
		s->dr6 = c.dr6;
	s->dr[0] = c.dr0;
	s->dr[1] = c.dr1;
	s->dr[2] = c.dr2;
	s->dr[3] = c.dr3;
	s->dirty |= INSULA_VS_GPR | INSULA_VS_IP | INSULA_VS_CR | INSULA_VS_SEG | INSULA_VS_MSR | INSULA_VS_DEBUG | INSULA_VS_CTL;
	return true;
}

static uint32_t attributes(const struct insula_segment *s)
{
	return s->ar >> 16 & 1 ? 0 : (s->ar & 0xff) | (s->ar >> 4 & 0xf00);
}

#define SEGMENT(name, from)                                                                                            \
	do {                                                                                                           \
		c.name##_sel = (from)->selector;                                                                       \
		c.name##_base = (from)->base;                                                                          \
		c.name##_limit = (from)->limit;                                                                        \
		c.name##_arbytes = attributes(from);                                                                   \
	} while (0)

void cpu_record_save(const struct insula_vcpu_state *s, uint64_t tsc, uint32_t event, uint32_t error, const uint8_t *area, uint8_t *record)
{
	struct hvm_hw_cpu c;

	memset(&c, 0, sizeof(c));
	c.rax = s->gpr[INSULA_RAX];
	c.rcx = s->gpr[INSULA_RCX];
	c.rdx = s->gpr[INSULA_RDX];
	c.rbx = s->gpr[INSULA_RBX];
	c.rbp = s->gpr[INSULA_RBP];
	c.rsi = s->gpr[INSULA_RSI];
	c.rdi = s->gpr[INSULA_RDI];
	c.r8 = s->gpr[INSULA_R8];
	c.r9 = s->gpr[INSULA_R9];
	c.r10 = s->gpr[INSULA_R10];
	c.r11 = s->gpr[INSULA_R11];
	c.r12 = s->gpr[INSULA_R12];
	c.r13 = s->gpr[INSULA_R13];
	c.r14 = s->gpr[INSULA_R14];
	c.r15 = s->gpr[INSULA_R15];
	c.rip = s->rip;
	c.rsp = s->rsp;
	c.rflags = s->rflags;
	c.cr0 = s->cr0;
	c.cr2 = s->cr2;
	c.cr3 = s->cr3;
	c.cr4 = s->cr4;
	c.msr_efer = s->efer;
	SEGMENT(es, &s->seg[INSULA_ES]);
	SEGMENT(cs, &s->seg[INSULA_CS]);
	SEGMENT(ss, &s->seg[INSULA_SS]);
	SEGMENT(ds, &s->seg[INSULA_DS]);
	SEGMENT(fs, &s->seg[INSULA_FS]);
	SEGMENT(gs, &s->seg[INSULA_GS]);
	SEGMENT(ldtr, &s->seg[INSULA_LDTR]);
	SEGMENT(tr, &s->seg[INSULA_TR]);
	c.gdtr_base = s->gdtr.base;
	c.gdtr_limit = s->gdtr.limit;
	c.idtr_base = s->idtr.base;
	c.idtr_limit = s->idtr.limit;
	c.msr_star = s->star;
	c.msr_lstar = s->lstar;
	c.msr_cstar = s->cstar;
	c.msr_syscall_mask = s->sfmask;
	c.shadow_gs = s->kernel_gs_base;
	c.sysenter_cs = s->sysenter_cs;
	c.sysenter_esp = s->sysenter_esp;
	c.sysenter_eip = s->sysenter_eip;
	c.msr_tsc_aux = s->tsc_aux;
	c.dr0 = s->dr[0];
	c.dr1 = s->dr[1];
	c.dr2 = s->dr[2];
	c.dr3 = s->dr[3];
	c.dr6 = s->dr6;
	c.dr7 = s->dr7;
	c.tsc = tsc;
	c.pending_event = event;
	c.error_code = event ? error : 0;
	c.flags = XEN_X86_FPU_INITIALISED;
	memcpy(c.fpu_regs, area, sizeof(c.fpu_regs));
	memcpy(record, &c, sizeof(c));
}

uint64_t cpu_record_tsc(const uint8_t *record)
{
	struct hvm_hw_cpu c;

	memcpy(&c, record, sizeof(c));
	return c.tsc;
}

#define FIRST_EXTERNAL 16u
#define NMI_VECTOR     2u
#define WITH_ERROR     (1u << 8 | 0x1fu << 10 | 1u << 17) /* #DF, #TS to #PF, #AC */

static bool deliverable(uint32_t event)
{
	uint32_t vector = EVENT_VECTOR(event);
	bool error = event & EVENT_ERROR_CODE;

	switch (EVENT_TYPE(event)) {
	case EVENT_EXTERNAL:
		return vector >= FIRST_EXTERNAL && !error;
	case EVENT_NMI:
		return vector == NMI_VECTOR && !error;
	case EVENT_EXCEPTION:
		return vector < 32 && vector != NMI_VECTOR && error == (WITH_ERROR >> vector & 1);
	default:
		return false;
	}
}

uint32_t cpu_record_event(const uint8_t *record, uint32_t *error)
{
	struct hvm_hw_cpu c;

	memcpy(&c, record, sizeof(c));
	if (!(c.pending_event & EVENT_VALID) || !deliverable(c.pending_event))
		return 0;
	*error = c.error_code;
	return c.pending_event & (EVENT_VALID | EVENT_ERROR_CODE | 0x7ffu);
}

/* ---- the FPU ---- */

/* The legacy region and the header of an area (Intel SDM volume 1, 13.4). */
enum { FCW = 0, MXCSR = 24, XMM = 160, LEGACY_BYTES = 512, XSTATE_BV = 512, XCOMP_BV = 520, EXTENDED = 576 };
enum { FCW_INIT = 0x37f, MXCSR_INIT = 0x1f80 };
#define COMPACT	    (1ull << 63)
#define STATE_X87   1ull
#define STATE_SSE   2ull

static uint64_t word(const uint8_t *at)
{
	uint64_t v;

	memcpy(&v, at, sizeof(v));
	return v;
}

static void initial(struct insula_vcpu_fpu *a)
{
	const uint16_t fcw = FCW_INIT;
	const uint32_t mxcsr = MXCSR_INIT;

	memset(a, 0, sizeof(*a));
	memcpy(a->area + FCW, &fcw, sizeof(fcw));
	memcpy(a->area + MXCSR, &mxcsr, sizeof(mxcsr));
}

static void states_put(struct insula_vcpu_fpu *a, uint64_t states)
{
	memcpy(a->area + XSTATE_BV, &states, sizeof(states));
}

void cpu_record_fpu(const uint8_t *record, struct insula_vcpu_fpu *area)
{
	struct hvm_hw_cpu c;

	memcpy(&c, record, sizeof(c));
	initial(area);
	if (c.flags & XEN_X86_FPU_INITIALISED)
		memcpy(area->area, c.fpu_regs, sizeof(c.fpu_regs));
	states_put(area, STATE_X87 | STATE_SSE);
}

static void legacy(const uint8_t *from, uint64_t states, struct insula_vcpu_fpu *to)
{
	initial(to);
	if (states & STATE_X87) {
		memcpy(to->area, from, MXCSR);
		memcpy(to->area + MXCSR + 8, from + MXCSR + 8, XMM - MXCSR - 8);
	}
	if (states & STATE_SSE) {
		memcpy(to->area + MXCSR, from + MXCSR, 8);
		memcpy(to->area + XMM, from + XMM, LEGACY_BYTES - XMM);
	} else if (!(word(from + XCOMP_BV) & COMPACT)) {
		memcpy(to->area + MXCSR, from + MXCSR, 8); /* in standard form it is there with AVX alone, too */
	}
}

void cpu_record_area(const struct insula_vcpu_fpu *from, const struct xsave_component component[XSAVE_COMPONENTS], bool xsave, uint64_t keep, struct insula_vcpu_fpu *to)
{
	uint64_t states, layout;
	uint32_t at = EXTENDED;

	if (!xsave) {
		initial(to);
		memcpy(to->area, from->area, LEGACY_BYTES);
		states_put(to, STATE_X87 | STATE_SSE);
		return;
	}
	states = word(from->area + XSTATE_BV);
	layout = word(from->area + XCOMP_BV);
	legacy(from->area, states, to);
	for (unsigned i = 2; i < XSAVE_COMPONENTS; i++) {
		const struct xsave_component *c = &component[i];
		uint32_t source = c->offset;

		if (layout & COMPACT) {
			if (!(layout >> i & 1))
				continue;
			source = c->aligned ? (at + 63u) & ~63u : at;
			at = source + c->size;
		}
		if (states & keep & 1ull << i && c->size <= sizeof(to->area) && source <= sizeof(from->area) - c->size && c->offset <= sizeof(to->area) - c->size)
			memcpy(to->area + c->offset, from->area + source, c->size);
	}
	states_put(to, states & keep);
}
