/*
 * VMEnter's arguments and results: seL4's message (facts, section 12), or the state page. Called by vcpu.c.
 * Both are the VMM's memory: every word is read once, and nothing is believed.
 */
#include "object/vcpu_private.h"
#include "arch/x86/fpu.h"
#include "ipc/message.h"
#include "mem/mem.h"
#include "percpu.h"
#include "sched/sched_context.h"

_Static_assert(sizeof(struct insula_vcpu_fpu) == FPU_STATE_MAX, "the vCPU's area in the state page");

#define ONCE(x) (*(const volatile __typeof__(x) *)&(x))

static uint64_t vcpu_read(struct vcpu *v, uint32_t field)
{
	uint64_t value = 0;

	virt->read_field(v, field, &value);
	return value;
}

static void vcpu_write(struct vcpu *v, uint32_t field, uint64_t value)
{
	virt->write_field(v, field, &value);
}

void vcpu_message_in(struct tcb *t, struct vcpu *v)
{
	uint64_t primary = message_get(t, 1);

	vcpu_write(v, VTX_FIELD_RIP, message_get(t, 0));
	if (primary != v->primary)
		vcpu_write(v, VTX_FIELD_PRIMARY, primary);
	v->entry_info = message_get(t, 2) & VTX_EVENT_MASK;
}

void vcpu_message_refresh(struct tcb *t, struct vcpu *v)
{
	message_put(t, 0, vcpu_read(v, VTX_FIELD_RIP));
	message_put(t, 1, v->primary);
	message_put(t, 2, v->entry_info);
}

void vcpu_message_out(struct tcb *t, struct vcpu *v, uint64_t reason)
{
	static const uint8_t gpr[] = {
	    INSULA_RAX, INSULA_RBX, INSULA_RCX, INSULA_RDX, INSULA_RSI, INSULA_RDI, INSULA_RBP, INSULA_R8,
	    INSULA_R9,	INSULA_R10, INSULA_R11, INSULA_R12, INSULA_R13, INSULA_R14, INSULA_R15,
	};
	struct insula_vcpu_state s;

	vcpu_message_refresh(t, v);
	virt->get(v, INSULA_VS_GPR | INSULA_VS_IP | INSULA_VS_CR, &s);
	message_put(t, 3, reason);
	message_put(t, 4, v->exit.qualification);
	message_put(t, 5, v->exit.length);
	message_put(t, 6, v->exit.gpa);
	message_put(t, 7, s.rflags);
	message_put(t, 8, s.interruptibility);
	message_put(t, 9, s.cr3);
	for (unsigned i = 0; i < ARRAY_SIZE(gpr); i++)
		message_put(t, 10 + i, s.gpr[gpr[i]]);
}

static struct insula_vcpu_fpu *vcpu_fpu(struct vcpu *v)
{
	return (struct insula_vcpu_fpu *)(void *)((uint8_t *)v->state + INSULA_FPU_OFFSET);
}

void vcpu_state_in(struct vcpu *v)
{
	const uint64_t known = INSULA_VS_GPR | INSULA_VS_IP | INSULA_VS_CR | INSULA_VS_SEG | INSULA_VS_MSR |
			       INSULA_VS_DEBUG | INSULA_VS_CTL;
	struct insula_vcpu_state *s = v->state;
	uint64_t dirty = ONCE(s->dirty), window = ONCE(s->window), info = ONCE(s->entry_info);

	s->dirty = 0;
	v->primary = (v->primary & ~(uint32_t)(VTX_PRIMARY_INTERRUPT_WINDOW | VTX_PRIMARY_NMI_WINDOW)) |
		     (window & 1 ? (uint32_t)VTX_PRIMARY_INTERRUPT_WINDOW : 0) |
		     (window & 2 ? (uint32_t)VTX_PRIMARY_NMI_WINDOW : 0);
	if (dirty & known)
		virt->put(v, dirty & known, s);
	if (unlikely(dirty & INSULA_VS_FPU)) {
		memcpy(v->fpu.area, vcpu_fpu(v)->area, sizeof(v->fpu.area));
		fpu_check(&v->fpu);
	}
	if (info & BIT(31)) {
		s->entry_info = info & ~BIT(31);
		v->entry_info = info & VTX_EVENT_MASK;
		v->entry_error = (uint32_t)ONCE(s->entry_error);
		v->entry_length = (uint32_t)ONCE(s->entry_length) & 15;
	}
}

void vcpu_state_out(struct vcpu *v)
{
	const uint64_t always = INSULA_VS_GPR | INSULA_VS_IP | INSULA_VS_CR | INSULA_VS_EXIT;
	const uint64_t optional = INSULA_VS_SEG | INSULA_VS_MSR | INSULA_VS_DEBUG | INSULA_VS_CTL;
	struct insula_vcpu_state *s = v->state;
	uint64_t wanted = ONCE(s->wanted), groups = always | (wanted & optional);

	/* an event that has not gone in belongs to the VMM again, as one whose delivery was interrupted does
	 */
	if (unlikely(v->entry_info | v->held_info) && !(v->exit.idt & BIT(31))) {
		if (!(v->entry_info & BIT(31))) {
			v->entry_info = v->held_info;
			v->held_info = 0;
		}
		v->exit.idt = v->entry_info;
		v->exit.idt_error = v->entry_error;
		v->entry_info = v->held_info;
		v->held_info = 0;
	}
	virt->get(v, groups, s);
	if (unlikely(wanted & INSULA_VS_USED || v->exit.reason == VCPU_REASON_NONE) && v->tcb && v->tcb->sc) {
		s->used_ticks = sched_context_used(v->tcb->sc);
		groups |= INSULA_VS_USED;
	}
	if (unlikely(wanted & INSULA_VS_FPU)) {
		memcpy(vcpu_fpu(v)->area, v->fpu.area, sizeof(v->fpu.area));
		groups |= INSULA_VS_FPU;
	}
	s->valid = groups;
}
