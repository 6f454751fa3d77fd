/*
 * I/O ports given to a guest: EnableIOPort, DisableIOPort, and their end. A port capability remembers the
 * vCPU that it opened ports for, by an id that is never used twice; when that capability goes, in whatever
 * order, the vCPU loses the range.
 *
 * Owns the list of vCPUs that ever had a port. Called by vcpu.c and by the deletion of port capabilities.
 */
#include "object/vcpu_private.h"
#include "api/invocation.h"

static struct vcpu *vcpu_io_first;
static uint64_t vcpu_io_last_id;

void vcpu_io_init(struct vcpu *v)
{
	v->id = ++vcpu_io_last_id;
}

static bool vcpu_io_listed(const struct vcpu *v)
{
	return v->io_prev || vcpu_io_first == v;
}

static void vcpu_io_enlist(struct vcpu *v)
{
	if (vcpu_io_listed(v))
		return;
	v->io_next = vcpu_io_first;
	if (v->io_next)
		v->io_next->io_prev = v;
	vcpu_io_first = v;
}

void vcpu_io_finalise(struct vcpu *v)
{
	if (!vcpu_io_listed(v))
		return;
	if (v->io_prev)
		v->io_prev->io_next = v->io_next;
	else
		vcpu_io_first = v->io_next;
	if (v->io_next)
		v->io_next->io_prev = v->io_prev;
	v->io_next = v->io_prev = NULL;
}

void vcpu_io_gone(cap_t cap)
{
	uint64_t id = cap_ioport_vcpu(cap);

	if (id == 0)
		return;
	for (struct vcpu *v = vcpu_io_first; v; v = v->io_next) {
		if (v->id != id)
			continue;
		vcpu_hold(v);
		virt->ioport(v, (uint16_t)cap_ioport_first(cap), (uint16_t)cap_ioport_last(cap), false);
		return;
	}
}

exception_t vcpu_io_enable(struct vcpu *v, unsigned length)
{
	struct cte *extra = invocation_extra(0);
	uint16_t low, high;

	if (length < 2 || !extra)
		return error_truncated();
	low = (uint16_t)invocation_arg(0);
	high = (uint16_t)invocation_arg(1);
	if (cap_type(extra->cap) != CAP_IOPORT || low > high || low < cap_ioport_first(extra->cap) ||
	    high > cap_ioport_last(extra->cap))
		return error_invalid_argument(0);

	if (cap_ioport_vcpu(extra->cap) != v->id)
		vcpu_io_gone(extra->cap);
	extra->cap = cap_ioport_with_vcpu(extra->cap, v->id);
	vcpu_io_enlist(v);
	vcpu_hold(v);
	virt->ioport(v, low, high, true);
	return EXC_NONE;
}

exception_t vcpu_io_disable(struct vcpu *v, unsigned length)
{
	uint16_t low, high;

	if (length < 2)
		return error_truncated();
	low = (uint16_t)invocation_arg(0);
	high = (uint16_t)invocation_arg(1);
	if (low > high)
		return error_invalid_argument(0);
	vcpu_hold(v);
	virt->ioport(v, low, high, false);
	return EXC_NONE;
}
