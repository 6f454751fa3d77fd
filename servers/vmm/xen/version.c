/* xen_version: what a 4.17 hypervisor says of itself (xen/include/public/version.h). */
#include "servers/vmm/xen/argument.h"
#include "servers/vmm/xen/xen.h"

#include <string.h>
#include <xen/errno.h>
#include <xen/features.h>
#include <xen/version.h>

#define FEATURES                                                                                                       \
	((1u << XENFEAT_writable_page_tables) | (1u << XENFEAT_auto_translated_physmap) |                              \
	 (1u << XENFEAT_hvm_callback_vector) | (1u << XENFEAT_hvm_safe_pvclock) |                                      \
	 (1u << XENFEAT_memory_op_vnode_supported) | (1u << XENFEAT_not_direct_mapped))

static int64_t give(struct vcpu *v, uint64_t to, const void *what, uint64_t bytes)
{
	return guest_write(v, gva(to), what, bytes) ? 0 : -XEN_EFAULT;
}

static int64_t text(struct vcpu *v, uint64_t to, const char *what, uint64_t bytes)
{
	char buffer[1024] = {0};

	strncpy(buffer, what, bytes - 1);
	return give(v, to, buffer, bytes);
}

int64_t version_op(struct vcpu *v, const uint64_t arg[5], bool abi32)
{
	uint64_t to = arg[1];

	switch (arg[0]) {
	case XENVER_version:
		return (4 << 16) | 17;
	case XENVER_extraversion:
		return text(v, to, ".0-insula", sizeof(xen_extraversion_t));
	case XENVER_compile_info: {
		struct xen_compile_info info = {0};

		strcpy(info.compiler, "C11");
		strcpy(info.compile_by, "insula");
		strcpy(info.compile_domain, "");
		strcpy(info.compile_date, "");
		return give(v, to, &info, sizeof(info));
	}
	case XENVER_capabilities:
		/* the first word is that of PV domains, which are refused; xenctx takes from it that registers are of 64 bits */
		return text(v, to, control_allowed() ? "xen-3.0-x86_64 hvm-3.0-x86_32 hvm-3.0-x86_32p hvm-3.0-x86_64 " : "hvm-3.0-x86_32 hvm-3.0-x86_32p hvm-3.0-x86_64 ",
			    sizeof(xen_capabilities_info_t));
	case XENVER_changeset:
		return text(v, to, "insula", sizeof(xen_changeset_info_t));
	case XENVER_platform_parameters: {
		/* a 32-bit guest of this kind sees nothing of the hypervisor's addresses */
		struct xen_platform_parameters p = {.virt_start = abi32 ? 0 : 0xffff800000000000ull};

		return argument_write(v, &compat_platform_parameters, abi32, to, &p) ? 0 : -XEN_EFAULT;
	}
	case XENVER_get_features: {
		struct xen_feature_info f;

		if (!guest_read(v, gva(to), &f, sizeof(f)))
			return -XEN_EFAULT;
		if (f.submap_idx >= XENFEAT_NR_SUBMAPS)
			return -XEN_EINVAL;
		f.submap = FEATURES | (control_allowed() ? 1u << XENFEAT_dom0 : 0);
		return give(v, to, &f, sizeof(f));
	}
	case XENVER_pagesize:
		return arg[1] ? -XEN_EINVAL : (int64_t)PAGE;
	case XENVER_guest_handle:
		return give(v, to, vmm.start->uuid, sizeof(xen_domain_handle_t));
	case XENVER_commandline:
		if (control_allowed())
			return control_call(v, __HYPERVISOR_xen_version, arg);
		return text(v, to, "<denied>", sizeof(xen_commandline_t));
	case XENVER_build_id:
		return -XEN_EPERM;
	default:
		return -XEN_ENOSYS;
	}
}
