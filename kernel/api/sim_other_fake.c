/*
 * What else the portable kernel calls in host tests (sim_fake.h): objects of other layers, which refuse every
 * invocation, and hardware errors, of which there are none.
 */
#include "api/sim_fake.h"
#include "arch/x86/mce.h"
#include "arch/x86/nmi.h"
#include "object/ept.h"
#include "object/ioport.h"
#include "object/irq.h"
#include "object/vcpu.h"
#include "object/vspace.h"

/* ---- objects: none can be invoked, but for frames where a test brings what it takes ---- */

__attribute__((weak)) exception_t sim_frame_decode(word_t label, unsigned length, struct cte *slot, cap_t cap)
{
	(void)label, (void)length, (void)slot, (void)cap;
	return error_illegal_operation();
}

exception_t vspace_decode(word_t label, unsigned length, struct cte *slot, cap_t cap)
{
	if (slot && cap_type(cap) == CAP_FRAME)
		return sim_frame_decode(label, length, slot, cap);
	return error_illegal_operation();
}

exception_t ept_decode(word_t label, unsigned length, struct cte *slot, cap_t cap)
{
	return vspace_decode(label, length, slot, cap);
}

exception_t asid_control_decode(word_t label, unsigned length, cap_t cap)
{
	return vspace_decode(label, length, NULL, cap);
}

exception_t asid_pool_decode(word_t label, unsigned length, cap_t cap)
{
	return vspace_decode(label, length, NULL, cap);
}

exception_t irq_control_decode(word_t label, unsigned length, struct cte *slot)
{
	return vspace_decode(label, length, slot, cap_null());
}

exception_t irq_handler_decode(word_t label, unsigned length, cap_t cap)
{
	return vspace_decode(label, length, NULL, cap);
}

exception_t ioport_control_decode(word_t label, unsigned length, struct cte *slot)
{
	return vspace_decode(label, length, slot, cap_null());
}

exception_t ioport_decode(word_t label, unsigned length, cap_t cap)
{
	return vspace_decode(label, length, NULL, cap);
}

exception_t domain_decode(word_t label, unsigned length)
{
	return vspace_decode(label, length, NULL, cap_null());
}

exception_t iospace_decode(word_t label, unsigned length, cap_t cap)
{
	return vspace_decode(label, length, NULL, cap);
}

exception_t vcpu_decode(word_t label, unsigned length, cap_t cap)
{
	return vspace_decode(label, length, NULL, cap);
}

exception_t tcb_set_ept_root_decode(unsigned length, cap_t cap)
{
	return vspace_decode(0, length, NULL, cap);
}

void vspace_init_root(paddr_t pml4)
{
	(void)pml4;
}

bool vspace_root_valid(cap_t cap)
{
	return cap_type(cap) == CAP_PML4 && cap_paging_is_mapped(cap);
}

void vspace_finalise(cap_t cap, bool final)
{
	(void)cap, (void) final;
}

void ept_unmap_frame(cap_t frame)
{
	(void)frame;
}

void ept_finalise(cap_t cap, bool final)
{
	(void)cap, (void) final;
}

exception_t irq_handler_drain(unsigned irq)
{
	(void)irq;
	return EXC_NONE;
}

void irq_handler_release(unsigned irq)
{
	(void)irq;
}

void ioport_finalise(cap_t cap)
{
	(void)cap;
}

struct vcpu *cap_vcpu_of(cap_t c)
{
	return window_kv(paddr(cap_vcpu_ptr(c)));
}

void vcpu_init(struct vcpu *v)
{
	(void)v;
}

void vcpu_finalise(struct vcpu *v)
{
	(void)v;
}

void vcpu_unbind_tcb(struct tcb *t)
{
	(void)t;
}

void vcpu_state_page_gone(struct vcpu *v)
{
	(void)v;
}

void vcpu_io_gone(cap_t cap)
{
	(void)cap;
}

void vcpu_take_signal(struct tcb *t)
{
	(void)t;
}

void vcpu_migrate(struct vcpu *v)
{
	(void)v;
}

void vcpu_leave(struct tcb *t)
{
	t->ctx.r10 = 0x1ea5e;
}

void vcpu_deliver_signal(struct tcb *t, word_t badge)
{
	t->ctx.rsi = 0;
	t->ctx.rdi = badge;
}

/* ---- hardware errors: there are none ---- */

void mce_poll(ticks_t now)
{
	(void)now;
}

void mce_report(void)
{
}

void nmi_report(ticks_t now)
{
	(void)now;
}
