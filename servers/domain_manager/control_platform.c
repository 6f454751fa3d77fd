/* platform_op (xen/include/public/platform.h): what domain 0's kernel tells and asks about the machine; and of xen_version what only domain 0 is told. */
#include "servers/domain_manager/control.h"

#include <stddef.h>
#include "servers/domain_manager/root_call.h"
#include "user/env.h"
#include <xen/errno.h>
#include <xen/platform.h>
#include <xen/version.h>

static int64_t cpu_info(struct xenpf_pcpuinfo *p)
{
	uint32_t cpus = env_get()->cpu_count;

	if (p->xen_cpuid >= cpus) {
		p->flags = XEN_PCPU_FLAGS_INVALID;
	} else {
		p->flags = XEN_PCPU_FLAGS_ONLINE;
		p->apic_id = p->acpi_id = p->xen_cpuid;
	}
	p->max_present = cpus - 1;
	return 0;
}

int64_t control_platform_op(struct control *c, const uint64_t arg[5])
{
	const struct xen_platform_op *given = control_in(c, arg[0], sizeof(*given));
	struct xen_platform_op p;
	int64_t r;

	if (!given)
		return CONTROL_AGAIN;
	p = *given;
	if (p.interface_version != XENPF_INTERFACE_VERSION)
		return -XEN_EACCES;
	switch (p.cmd) {
	case XENPF_get_cpuinfo:
		r = cpu_info(&p.u.pcpu_info);
		break;
	default:
		return -XEN_ENOSYS;
	}
	if (r == 0)
		control_out(c, arg[0] + offsetof(struct xen_platform_op, u), &p.u, sizeof(p.u));
	return r;
}

/* libxl looks for dom0_mem= in it, before it takes memory from domain 0. */
int64_t control_xen_version(struct control *c, const uint64_t arg[5])
{
	xen_commandline_t text;

	if (arg[0] != XENVER_commandline)
		return -XEN_ENOSYS;
	if (root_cmdline(text, sizeof(text)))
		return -XEN_EIO;
	control_out(c, arg[1], text, sizeof(text));
	return 0;
}
