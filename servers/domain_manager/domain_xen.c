#include "servers/domain_manager/domain_xen.h"

#include <string.h>

#define GPA_BITS  46u
#define NO_REASON 0xffffu /* as Xen says it of a domain that is not shut down */

static uint32_t flags_of(const struct domain_info *i, const struct domain *d)
{
	uint32_t flags = XEN_DOMINF_hvm_guest | XEN_DOMINF_hap | (d->dying ? XEN_DOMINF_dying : 0);

	if (d->pauses)
		flags |= XEN_DOMINF_paused;
	if (i->state & (DOMAIN_SHUTDOWN_DONE | DOMAIN_CRASHED))
		return flags | XEN_DOMINF_shutdown | (d->shutdown_reason & XEN_DOMINF_shutdownmask) << XEN_DOMINF_shutdownshift;
	flags |= NO_REASON << XEN_DOMINF_shutdownshift;
	if (i->state & DOMAIN_RUNNING)
		flags |= XEN_DOMINF_running;
	else if (i->state & DOMAIN_BLOCKED && domain_online(d))
		flags |= XEN_DOMINF_blocked;
	return flags;
}

void domain_xen_info(struct domain *d, xen_domctl_getdomaininfo_t *out)
{
	struct domain_info i;

	domain_describe(d, &i);
	memset(out, 0, sizeof(*out));
	out->domain = (domid_t)d->id;
	out->flags = flags_of(&i, d);
	out->tot_pages = d->ram_bytes >> 12;
	out->outstanding_pages = d->map.claim;
	out->max_pages = d->max_pages;
	out->shared_info_frame = ~0ull; /* it is a page of the domain's own */
	out->cpu_time = i.cpu_ns;
	out->nr_online_vcpus = (uint32_t)__builtin_popcount(domain_online(d));
	out->max_vcpu_id = d->spec.vcpus - 1;
	memcpy(out->handle, d->uuid, sizeof(out->handle));
	out->gpaddr_bits = GPA_BITS;
	out->arch_config.emulation_flags = XEN_X86_EMU_LAPIC;
}
