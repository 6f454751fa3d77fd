/*
 * The capabilities that a thread holds: CSpace, VSpace, IPC buffer, fault and timeout handlers. Called by
 * tcb_decode and, when a buffer's frame goes away, by finalisation.
 */
#include "api/invocation.h"
#include "arch/x86/arch.h"
#include "ipc/fault.h"
#include "object/tcb_decode.h"
#include "object/vspace.h"
#include "panic.h"
#include "sched/remote.h"

/* ---- checks ---- */

/* Replacing it would delete a whole CNode or thread, which an invocation on a TCB does not do. */
static bool tcb_slot_is_long(const struct cte *slot)
{
	switch (cap_type_of(slot->cap)) {
	case CAP_CNODE:
	case CAP_TCB:
	case CAP_ZOMBIE:
		return cte_is_final(slot);
	default:
		return false;
	}
}

static exception_t tcb_check_root(struct cte *source, word_t data, cap_t *out)
{
	struct derive_result d;
	cap_t cap = source->cap;

	if (data != 0)
		cap = cap_update_data(cap, false, data);
	d = cap_derive(source, cap);
	*out = d.cap;
	return d.status;
}

static exception_t tcb_check_spaces(const struct tcb *t, struct cte *cspace, word_t cspace_data,
				    struct cte *vspace, word_t vspace_data, cap_t *cspace_cap,
				    cap_t *vspace_cap)
{
	exception_t e;

	if (tcb_slot_is_long(&t->slot[TCB_CSPACE]) || tcb_slot_is_long(&t->slot[TCB_VSPACE]))
		return error_illegal_operation();
	e = tcb_check_root(cspace, cspace_data, cspace_cap);
	if (e != EXC_NONE)
		return e;
	if (cap_type(*cspace_cap) != CAP_CNODE)
		return error_illegal_operation();
	e = tcb_check_root(vspace, vspace_data, vspace_cap);
	if (e != EXC_NONE)
		return e;
	/* An ASID that has gone since is found at each switch to the thread. */
	if (cap_type(*vspace_cap) != CAP_PML4 || !cap_paging_is_mapped(*vspace_cap))
		return error_illegal_operation();
	return EXC_NONE;
}

static exception_t tcb_check_buffer(struct cte *source, word_t address, cap_t *out)
{
	struct derive_result d = {EXC_NONE, cap_null()};

	if (address != 0) {
		d = cap_derive(source, source->cap);
		if (d.status != EXC_NONE)
			return d.status;
		if (cap_type(d.cap) != CAP_FRAME || cap_frame_device(d.cap))
			return error_illegal_operation();
		if (!ALIGNED(address, seL4_IPCBufferSizeBits))
			return error_alignment();
	}
	*out = d.cap;
	return EXC_NONE;
}

/* ---- changes ---- */

exception_t tcb_install_cap(const struct tcb_invoked *in, enum tcb_slot index, cap_t cap, struct cte *source)
{
	struct cte *slot = &in->tcb->slot[index];
	exception_t e = cte_delete(slot, true);

	if (e != EXC_NONE || cap_is_null(cap))
		return e;
	/* the deletion may have taken the source, or this very thread, with it */
	if (cap_same_object(cap, source->cap) && cap_same_object(in->cap, in->slot->cap))
		cte_insert(cap, source, slot);
	return EXC_NONE;
}

/* The thread's messages are reached through the window while the frame's capability is in its slot. */
static void tcb_buffer_map(struct tcb *t, vaddr_t address)
{
	cap_t frame = t->slot[TCB_IPC_BUFFER].cap;
	uint64_t offset = address.v & MASK(frame_size_bits(cap_frame_size(frame)));
	paddr_t page = paddr(cap_frame_ptr(frame) + ALIGN_DOWN(offset, PAGE_BITS));
	uint64_t rights = cap_frame_rights(frame);

	t->ipc_buffer = address;
	if (!(rights & CAP_RIGHT_READ))
		return;
	t->ipc_buffer_kv = (word_t *)(void *)((char *)window_ref(page) + (offset & MASK(PAGE_BITS)));
	t->ipc_buffer_writable = rights & CAP_RIGHT_WRITE;
}

void tcb_ipc_buffer_gone(struct tcb *t)
{
	remote_stall(t); /* it may be writing a guest's exit there (vcpu_run) */
	if (t->ipc_buffer_kv)
		window_unref(paddr(ALIGN_DOWN(window_pa(t->ipc_buffer_kv).v, PAGE_BITS)));
	t->ipc_buffer_kv = NULL;
	t->ipc_buffer_writable = false;
	t->ipc_buffer = vaddr(0);
}

static exception_t tcb_install_buffer(const struct tcb_invoked *in, word_t address, cap_t frame,
				      struct cte *source)
{
	exception_t e;

	if (!cap_is_null(frame))
		frame = cap_frame_with_map(frame, FRAME_KERNEL);
	e = tcb_install_cap(in, TCB_IPC_BUFFER, frame, source);
	if (e == EXC_NONE && !cap_is_null(in->tcb->slot[TCB_IPC_BUFFER].cap))
		tcb_buffer_map(in->tcb, vaddr(address));
	return e;
}

static exception_t tcb_install_spaces(const struct tcb_invoked *in, cap_t cspace, struct cte *cspace_source,
				      cap_t vspace, struct cte *vspace_source)
{
	exception_t e;

	remote_stall(in->tcb);
	e = tcb_install_cap(in, TCB_CSPACE, cspace, cspace_source);

	if (e == EXC_NONE)
		e = tcb_install_cap(in, TCB_VSPACE, vspace, vspace_source);
	arch_thread_sync(in->tcb);
	vspace_changed(in->tcb);
	arch_thread_changed(in->tcb);
	return e;
}

/* ---- invocations ---- */

exception_t tcb_configure_decode(const struct tcb_invoked *in, unsigned length)
{
	struct cte *cspace = invocation_extra(0), *vspace = invocation_extra(1),
		   *buffer = invocation_extra(2);
	cap_t cspace_cap, vspace_cap, buffer_cap;
	word_t address = invocation_arg(2);
	exception_t e;

	if (length < 3 || !cspace || !vspace || !buffer)
		return error_truncated();
	e = tcb_check_buffer(buffer, address, &buffer_cap);
	if (e == EXC_NONE)
		e = tcb_check_spaces(in->tcb, cspace, invocation_arg(0), vspace, invocation_arg(1),
				     &cspace_cap, &vspace_cap);
	if (e == EXC_NONE)
		e = tcb_install_spaces(in, cspace_cap, cspace, vspace_cap, vspace);
	if (e == EXC_NONE)
		e = tcb_install_buffer(in, address, buffer_cap, buffer);
	return e;
}

exception_t tcb_set_space_decode(const struct tcb_invoked *in, unsigned length)
{
	struct cte *handler = invocation_extra(0), *cspace = invocation_extra(1),
		   *vspace = invocation_extra(2);
	cap_t cspace_cap, vspace_cap;
	exception_t e;

	if (length < 2 || !handler || !cspace || !vspace)
		return error_truncated();
	e = tcb_check_spaces(in->tcb, cspace, invocation_arg(0), vspace, invocation_arg(1), &cspace_cap,
			     &vspace_cap);
	if (e != EXC_NONE)
		return e;
	if (!fault_handler_valid(handler->cap))
		return error_invalid_capability(1);
	e = tcb_install_cap(in, TCB_FAULT_HANDLER, handler->cap, handler);
	if (e == EXC_NONE)
		e = tcb_install_spaces(in, cspace_cap, cspace, vspace_cap, vspace);
	return e;
}

exception_t tcb_set_ipc_buffer_decode(const struct tcb_invoked *in, unsigned length)
{
	struct cte *buffer = invocation_extra(0);
	word_t address = invocation_arg(0);
	cap_t cap;
	exception_t e;

	if (length < 1 || !buffer)
		return error_truncated();
	e = tcb_check_buffer(buffer, address, &cap);
	return e == EXC_NONE ? tcb_install_buffer(in, address, cap, buffer) : e;
}

exception_t tcb_set_timeout_decode(const struct tcb_invoked *in)
{
	struct cte *handler = invocation_extra(0);

	if (!handler)
		return error_truncated();
	if (!fault_handler_valid(handler->cap))
		return error_invalid_capability(1);
	return tcb_install_cap(in, TCB_TIMEOUT_HANDLER, handler->cap, handler);
}
