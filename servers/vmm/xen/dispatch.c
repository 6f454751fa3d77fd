/*
 * Hypercalls: the page, the registers, the table. A hypercall that is not there answers -ENOSYS, as Xen does, and is logged once.
 */
#include "servers/vmm/xen/argument.h"
#include "servers/vmm/xen/foreign.h"
#include "servers/vmm/xen/xen.h"

#include <string.h>
#include "insula/exit_reason.h"
#include "user/log.h"
#include <xen/errno.h>
#include <xen/xen.h>

#define HYPERCALLS 64
#define VMCALL_BYTES 3u
#define MULTICALL_MAX 4096 /* entries of one call: more would keep the vCPU here for too long */

typedef int64_t (*handler)(struct vcpu *v, const uint64_t arg[5], bool abi32);

/* Their structures are the same in the 32-bit ABI. */
static int64_t sysctl_op(struct vcpu *v, const uint64_t arg[5], bool abi32)
{
	(void)abi32;
	return control_call(v, __HYPERVISOR_sysctl, arg);
}

static int64_t domctl_op(struct vcpu *v, const uint64_t arg[5], bool abi32)
{
	(void)abi32;
	return control_call(v, __HYPERVISOR_domctl, arg);
}

static int64_t platform_op(struct vcpu *v, const uint64_t arg[5], bool abi32)
{
	(void)abi32;
	return control_call(v, __HYPERVISOR_platform_op, arg);
}

/* As on Xen where the domain's local APIC is emulated, which is always so here. */
static int64_t xenpmu_op(struct vcpu *v, const uint64_t arg[5], bool abi32)
{
	(void)v;
	(void)arg;
	(void)abi32;
	return -XEN_EOPNOTSUPP;
}

static const handler table[HYPERCALLS] = {
	[__HYPERVISOR_memory_op] = memory_op,
	[__HYPERVISOR_multicall] = multicall_op,
	[__HYPERVISOR_xen_version] = version_op,
	[__HYPERVISOR_console_io] = console_io_op,
	[__HYPERVISOR_grant_table_op] = grant_table_op,
	[__HYPERVISOR_vm_assist] = vm_assist_op,
	[__HYPERVISOR_vcpu_op] = vcpu_op,
	[__HYPERVISOR_set_timer_op] = set_timer_op,
	[__HYPERVISOR_sched_op] = sched_op,
	[__HYPERVISOR_event_channel_op] = event_channel_op,
	[__HYPERVISOR_physdev_op] = physdev_op,
	[__HYPERVISOR_hvm_op] = hvm_op,
	[__HYPERVISOR_sysctl] = sysctl_op,
	[__HYPERVISOR_domctl] = domctl_op,
	[__HYPERVISOR_platform_op] = platform_op,
	[__HYPERVISOR_xenpmu_op] = xenpmu_op,
};

void xen_log_once(const char *what, uint64_t number)
{
	/* pairs seen so far; a guest that makes up endless ones is not listened to any more */
	static struct {
		const char *what;
		uint64_t number;
	} seen[64];
	static unsigned count;

	vmm_lock();
	for (unsigned i = 0; i < count; i++)
		if (seen[i].what == what && seen[i].number == number) {
			vmm_unlock();
			return;
		}
	if (count < sizeof(seen) / sizeof(seen[0])) {
		seen[count].what = what;
		seen[count++].number = number;
		log_line("domain %u: %s %#llx refused", vmm.domid, what, (unsigned long long)number);
	}
	vmm_unlock();
}

int64_t hypercall_call(struct vcpu *v, uint64_t number, const uint64_t arg[5], bool abi32)
{
	if (number != __HYPERVISOR_memory_op)
		foreign_settle();
	if (number >= HYPERCALLS || !table[number]) {
		xen_log_once("hypercall", number);
		return -XEN_ENOSYS;
	}
	return table[number](v, arg, abi32);
}

/* An entry is op, result and six arguments, each of xen_ulong_t. */
#define ENTRY_WORDS (sizeof(multicall_entry_t) / sizeof(xen_ulong_t))
#define ENTRY_ARGS  2u

int64_t multicall_op(struct vcpu *v, const uint64_t arg[5], bool abi32)
{
	uint64_t n = (uint32_t)arg[1];

	if (n > MULTICALL_MAX)
		return -XEN_EINVAL;
	for (uint64_t i = 0; i < n; i++) {
		uint64_t e[ENTRY_WORDS];
		int64_t result;

		if (!argument_words_read(v, abi32, arg[0], i * ENTRY_WORDS, e, ENTRY_WORDS))
			return -XEN_EFAULT;
		result = e[0] == __HYPERVISOR_multicall ? -XEN_EINVAL : hypercall_call(v, e[0], e + ENTRY_ARGS, abi32);
		if (!argument_word_write(v, abi32, arg[0], i * ENTRY_WORDS + 1, (uint64_t)result))
			return -XEN_EFAULT;
	}
	return 0;
}

static void call_32(struct vcpu *v, uint32_t number)
{
	const uint64_t arg[5] = {(uint32_t)vcpu_gpr(v, INSULA_RBX), (uint32_t)vcpu_gpr(v, INSULA_RCX), (uint32_t)vcpu_gpr(v, INSULA_RDX),
				 (uint32_t)vcpu_gpr(v, INSULA_RSI), (uint32_t)vcpu_gpr(v, INSULA_RDI)};

	vcpu_set_gpr(v, INSULA_RAX, (uint32_t)hypercall_call(v, number, arg, true));
}

void hypercall_exit(struct vcpu *v)
{
	bool abi32 = !guest_is_64bit(v);
	uint64_t arg[5], number = vcpu_gpr(v, INSULA_RAX);
	int64_t result;

	if (!v->s->length && guest_at_vmcall(v))
		vcpu_advance(v, VMCALL_BYTES);
	else if (!vcpu_skip(v))
		return;
	if (v->s->seg[INSULA_SS].ar >> 5 & 3) {
		vcpu_set_gpr(v, INSULA_RAX, (uint64_t)-XEN_EPERM);
		return;
	}
	if (abi32) {
		call_32(v, (uint32_t)number);
		return;
	}
	arg[0] = vcpu_gpr(v, INSULA_RDI);
	arg[1] = vcpu_gpr(v, INSULA_RSI);
	arg[2] = vcpu_gpr(v, INSULA_RDX);
	arg[3] = vcpu_gpr(v, INSULA_R10);
	arg[4] = vcpu_gpr(v, INSULA_R8);
	v->hypercall = ++v->hypercalls;
	result = hypercall_call(v, number, arg, abi32);
	v->hypercall = 0;
	vcpu_set_gpr(v, INSULA_RAX, (uint64_t)result);
}

/*
 * One 32-byte stub for each number: MOV EAX, imm32; VMMCALL or VMCALL; RET, which is the same in all modes. IRET (23) has no meaning outside PV: UD2, as Xen.
 */
bool hypercall_page(const struct vcpu *v, gpa_t g)
{
	uint8_t *page = memory_at(g, PAGE);

	if (!page)
		return false;
	vmm_lock();
	shared_info_latch(v);
	vmm_unlock();
	for (unsigned i = 0; i < PAGE / 32; i++) {
		const uint8_t stub[9] = {0xb8, (uint8_t)i, 0, 0, 0, 0x0f, 0x01, vmm.is_amd ? 0xd9 : 0xc1, 0xc3};

		memset(page + i * 32, 0xcc, 32);
		memcpy(page + i * 32, stub, sizeof(stub));
		if (i == __HYPERVISOR_iret)
			memcpy(page + i * 32, "\x0f\x0b", 2);
	}
	return true;
}

void xen_init(void)
{
	control_init();
	foreign_init();
	shared_info_init();
	evtchn_init();
	grant_init();
	hvm_init();
}
