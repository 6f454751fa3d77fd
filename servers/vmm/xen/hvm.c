/* hvm_op (xen/include/public/hvm/hvm_op.h, params.h): the domain's parameters and its upcall vectors. */
#include "servers/vmm/xen/evtchn.h"

#include <string.h>
#include "servers/vmm/load/layout.h"
#include <xen/errno.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/sched.h>
#include <xen/xen.h>

#define CALLBACK_TYPE(v) ((uint8_t)((v) >> 56))

static uint64_t own[HVM_NR_PARAMS];
static uint64_t *params = own; /* of a domain that a toolstack built: in the page shared with the domain manager */
static uint32_t console_port;

void hvm_init(void)
{
	int32_t port;

	console_port = 0;
	if (vmm.start->flags & VMM_START_BARE) {
		params = vmm.control->param;
		return;
	}
	params = own;
	memset(own, 0, sizeof(own));
	/* domain 0 has no console ring: it uses console_io */
	if (control_allowed())
		return;
	port = evtchn_alloc_server_port(EVTCHN_CONSOLE);
	console_port = port > 0 ? (uint32_t)port : 0;
	params[HVM_PARAM_CONSOLE_EVTCHN] = console_port;
	params[HVM_PARAM_CONSOLE_PFN] = LAYOUT_CONSOLE_GPA >> 12;
}

static uint64_t hvm_param(unsigned i)
{
	return params[i];
}

void hvm_param_set(unsigned i, uint64_t value)
{
	params[i] = value;
}

uint8_t hvm_callback_vector(void)
{
	uint64_t via = __atomic_load_n(&params[HVM_PARAM_CALLBACK_IRQ], __ATOMIC_RELAXED);

	return CALLBACK_TYPE(via) == HVM_PARAM_CALLBACK_TYPE_VECTOR ? (uint8_t)via : 0;
}

unsigned xen_triple_fault_reason(void)
{
	uint64_t reason = hvm_param(HVM_PARAM_TRIPLE_FAULT_REASON);

	return vmm.start->flags & VMM_START_BARE && reason <= SHUTDOWN_MAX ? (unsigned)reason : SHUTDOWN_crash;
}

uint32_t xen_console_port(void)
{
	return console_port;
}

void xen_console_notify(void)
{
	if (console_port)
		evtchn_set_pending(console_port);
}

/*
 * A PVH domain has no power button, and without xenstore no control/shutdown node. What Linux does listen to is the magic
 * SysRq key on its hvc console (Ctrl-O and a letter, drivers' documentation sysrq.rst): sync, read-only, power off.
 */
void xen_power_button(void)
{
	static const char keys[] = {0x0f, 's', 0x0f, 'u', 0x0f, 'o'};

	(void)console_type(keys, sizeof(keys));
}

/* What a guest may read and write of its own (Xen's hvm_allow_get_param and hvm_allow_set_param). */
static bool guest_may_get(uint32_t i)
{
	switch (i) {
	case HVM_PARAM_CALLBACK_IRQ:
	case HVM_PARAM_STORE_PFN:
	case HVM_PARAM_STORE_EVTCHN:
	case HVM_PARAM_CONSOLE_PFN:
	case HVM_PARAM_CONSOLE_EVTCHN:
	case HVM_PARAM_ALTP2M:
	case HVM_PARAM_VM86_TSS:
	case HVM_PARAM_VM86_TSS_SIZED:
	case HVM_PARAM_X87_FIP_WIDTH:
		return true;
	default:
		return false;
	}
}

/* A kernel that another one starts (kexec) is told its ports so. */
static bool guest_may_set(uint32_t i)
{
	return i == HVM_PARAM_CALLBACK_IRQ || i == HVM_PARAM_STORE_EVTCHN || i == HVM_PARAM_CONSOLE_EVTCHN;
}

static int64_t get(struct vcpu *v, uint64_t at)
{
	struct xen_hvm_param p;

	if (!guest_read(v, gva(at), &p, sizeof(p)))
		return -XEN_EFAULT;
	if (p.index >= HVM_NR_PARAMS)
		return -XEN_EINVAL;
	if (!guest_may_get(p.index))
		return -XEN_EPERM;
	p.value = hvm_param(p.index);
	return guest_write(v, gva(at), &p, sizeof(p)) ? 0 : -XEN_EFAULT;
}

static int64_t set(struct vcpu *v, uint64_t at)
{
	struct xen_hvm_param p;

	if (!guest_read(v, gva(at), &p, sizeof(p)))
		return -XEN_EFAULT;
	if (p.index >= HVM_NR_PARAMS)
		return -XEN_EINVAL;
	if (!guest_may_set(p.index))
		return -XEN_EPERM;
	if (p.index != HVM_PARAM_CALLBACK_IRQ) {
		hvm_param_set(p.index, p.value);
		return 0;
	}
	if (CALLBACK_TYPE(p.value) == HVM_PARAM_CALLBACK_TYPE_VECTOR && (uint8_t)p.value < 16)
		return -XEN_EINVAL;
	hvm_param_set(p.index, p.value);
	shared_info_latch(v);
	for (uint32_t i = 0; i < vmm.vcpu_count; i++)
		vcpu_wake(vmm.vcpu[i]);
	return 0;
}

static int64_t set_upcall_vector(struct vcpu *v, uint64_t at)
{
	struct xen_hvm_evtchn_upcall_vector u;
	struct vcpu *of;

	if (!guest_read(v, gva(at), &u, sizeof(u)))
		return -XEN_EFAULT;
	if (u.vector < 16)
		return -XEN_EINVAL;
	if (u.vcpu >= vmm.vcpu_count)
		return -XEN_ENOENT;
	of = vmm.vcpu[u.vcpu];
	of->upcall_vector = u.vector;
	evtchn_upcall_again(of); /* pending since before there was a vector to tell it by */
	return 0;
}

int64_t hvm_op(struct vcpu *v, const uint64_t arg[5], bool abi32)
{
	uint64_t op = (uint32_t)arg[0];
	domid_t of = DOMID_SELF;
	int64_t r;

	(void)abi32;
	/* another domain's parameters are a toolstack's to set and ask */
	if (op == HVMOP_get_param || op == HVMOP_set_param) {
		if (!guest_read(v, gva(arg[1]), &of, sizeof(of)))
			return -XEN_EFAULT;
		if (of != DOMID_SELF && of != vmm.domid)
			return control_allowed() ? control_call(v, __HYPERVISOR_hvm_op, arg) : xen_other_domain(of);
	}
	vmm_lock();
	switch (op) {
	case HVMOP_get_param:
		r = get(v, arg[1]);
		break;
	case HVMOP_set_param:
		r = set(v, arg[1]);
		break;
	case HVMOP_set_evtchn_upcall_vector:
		r = set_upcall_vector(v, arg[1]);
		break;
	case HVMOP_pagetable_dying:
		r = -XEN_EINVAL; /* only shadow paging would care */
		break;
	default:
		r = -XEN_ENOSYS;
		break;
	}
	vmm_unlock();
	if (r == -XEN_ENOSYS)
		xen_log_once("hvm_op", op);
	return r;
}
