/* How a vCPU begins: its objects, the states after INIT and SIPI, a kernel's PVH entry, and what a toolstack
 * says of it. */
#include "servers/vmm/vmm.h"

#include <stdlib.h>
#include <string.h>
#include "sel4/sel4.h"
#include "servers/vmm/load/cpu_record.h"
#include "user/object.h"
#include "user/vspace.h"

#define VMCS_PDPTE0	0x280au /* SDM volume 3, appendix B */
#define VMCS_SECONDARY	0x401eu
#define PAUSE_LOOP	(1u << 10)
#define CR0_RESET	0x60000010ull
#define VMM_STATE_VADDR (TASK_SHARED_VADDR + 0x100000ull)

static struct insula_segment segment(uint16_t selector, uint64_t base, uint32_t limit, uint32_t ar)
{
	return (struct insula_segment){.base = base, .limit = limit, .selector = selector, .ar = ar};
}

void vcpu_reset(struct vcpu *v)
{
	struct insula_vcpu_state *s = v->s;

	memset(s->gpr, 0, sizeof(s->gpr));
	s->rflags = 2;
	s->rsp = 0;
	s->interruptibility = 0;
	s->activity = 0;
	s->cr2 = s->cr3 = s->cr4 = s->efer = 0;
	s->gdtr = s->idtr = segment(0, 0, 0xffff, 0);
	s->seg[INSULA_LDTR] = segment(0, 0, 0xffff, 0x82);
	s->seg[INSULA_TR] = segment(0, 0, 0xffff, 0x8b);
	s->star = s->lstar = s->cstar = s->sfmask = s->kernel_gs_base = 0;
	s->sysenter_cs = s->sysenter_esp = s->sysenter_eip = 0;
	s->pat = 0x0007040600070406ull;
	s->dr7 = 0x400;
	s->dr6 = 0xffff0ff0u;
	memset(s->dr, 0, sizeof(s->dr));
	s->xcr0 = 1;
	s->tsc_aux = 0;
	s->dirty = INSULA_VS_GPR | INSULA_VS_IP | INSULA_VS_CR | INSULA_VS_SEG | INSULA_VS_MSR |
		   INSULA_VS_DEBUG | INSULA_VS_CTL;
}

/* Real mode at vector << 12 (SDM volume 3, 8.4.4). */
void vcpu_start_sipi(struct vcpu *v)
{
	struct insula_vcpu_state *s = v->s;

	vcpu_reset(v);
	s->cr0 = CR0_RESET;
	for (unsigned i = 0; i < INSULA_LDTR; i++)
		s->seg[i] = segment(0, 0, 0xffff, 0x93);
	s->seg[INSULA_CS] =
	    segment((uint16_t)(v->sipi_vector << 8), (uint64_t)v->sipi_vector << 12, 0xffff, 0x9b);
	s->rip = 0;
	s->gpr[INSULA_RDX] = 0x600;
}

/* PVH entry (Xen's docs/misc/pvh, xen/include/public/arch-x86/hvm/start_info.h): flat 32-bit, paging off, EBX
 * = start info. */
static void state_pvh(struct vcpu *v, const struct load_result *l)
{
	struct insula_vcpu_state *s = v->s;

	vcpu_reset(v);
	s->cr0 = 0x31; /* PE ET NE: real hardware would not enter without NE in VMX operation */
	for (unsigned i = 0; i < INSULA_LDTR; i++)
		s->seg[i] = segment(0x10, 0, 0xffffffffu, 0xc093);
	s->seg[INSULA_CS] = segment(0x08, 0, 0xffffffffu, 0xc09b);
	s->seg[INSULA_TR].limit = 0x67;
	s->gdtr.limit = s->idtr.limit = 0;
	s->rip = l->entry;
	s->gpr[INSULA_RBX] = l->start_info;
}

void vcpu_start_boot(struct vcpu *v, const struct load_result *l)
{
	state_pvh(v, l);
	vcpu_set_online(v, true);
}

/* ---- creation ---- */

void vcpu_create(uint32_t id)
{
	struct vcpu *v = calloc(1, sizeof(*v));
	seL4_CPtr frame;

	if (!v)
		abort();
	v->id = id;
	v->run = VCPU_OFFLINE;
	v->fresh = true;
	v->slot_notification = TASK_SLOT_NOTIFICATION + id;
	v->singleshot_ns = v->periodic_next_ns = v->poll_timeout_ns = UINT64_MAX;
	for (unsigned n = 0; n < VMM_WATCHDOGS; n++)
		v->watchdog_ns[n] = UINT64_MAX;
	v->armed_tsc = UINT64_MAX;
	/* Xen's APIC ids: twice the vCPU's number */
	lapic_reset(&v->lapic, id * 2, id == 0);

	v->slot_vcpu = object_create_slot(seL4_X86_VCPUObject, 0);
	v->slot_timer = object_create_slot(insula_TimerObject, 0);
	frame = object_create_slot(seL4_X86_4K, 0);
	if (!v->slot_vcpu || !v->slot_timer || !frame)
		abort();
	v->s = (struct insula_vcpu_state *)(VMM_STATE_VADDR + (uint64_t)id * PAGE);
	if (vspace_map(frame, (uint64_t)(uintptr_t)v->s, true, false) ||
	    seL4_X86_VCPU_SetTCB(v->slot_vcpu, TASK_SLOT_TCB + id) ||
	    insula_VCPU_SetStatePage(v->slot_vcpu, frame) ||
	    seL4_TCB_SetEPTRoot(TASK_SLOT_TCB + id, TASK_SLOT_EPT_ROOT) ||
	    insula_Timer_Bind(v->slot_timer, object_mint_badge(v->slot_notification, VMM_EVENT_TIMER)))
		abort();
	(void)seL4_X86_VCPU_WriteVMCS(v->slot_vcpu, VMCS_SECONDARY, PAUSE_LOOP); /* where the CPU has it */
	v->slot_kick = object_mint_badge(v->slot_notification, VMM_EVENT_KICK);
	v->s->wanted = 0; /* CS, SS and XCR0 come always; other segments are asked for where they count */
	vcpu_reset(v);
	vmm.vcpu[id] = v;
}

/* ---- what a toolstack says ---- */

/* A guest that begins in PAE paging: its four top entries, which only a MOV to CR3 would load on VT-x. On SVM
 * they are ignored. */
static void pae_entries(struct vcpu *v)
{
	const struct insula_vcpu_state *s = v->s;

	if (!(s->cr0 & CR0_PG) || !(s->cr4 & CR4_PAE) || (s->efer & EFER_LME))
		return;
	for (unsigned i = 0; i < 4; i++) {
		uint64_t entry = 0;

		(void)memory_read(gpa((s->cr3 & 0xffffffe0u) + i * 8), &entry, sizeof(entry));
		(void)seL4_X86_VCPU_WriteVMCS(v->slot_vcpu, VMCS_PDPTE0 + 2 * i, entry);
	}
}

void vcpu_load_record(struct vcpu *v, const uint8_t *record, uint32_t bytes)
{
	/* no event of before belongs to what it is now */
	v->inject_info = 0;
	v->step_pending = false;
	if (cpu_record_load(v->s, record, bytes))
		pae_entries(v);
	v->s->dirty &= ~(uint64_t)INSULA_VS_CTL;
	if (v->run != VCPU_OFFLINE)
		v->run = VCPU_RUNNING;
}

bool vcpu_start_record(struct vcpu *v, const uint8_t *record, uint32_t bytes)
{
	vcpu_reset(v);
	if (!cpu_record_load(v->s, record, bytes))
		return false;
	pae_entries(v);
	vcpu_set_online(v, true);
	return true;
}
