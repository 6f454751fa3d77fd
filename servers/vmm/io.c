/*
 * Port I/O. A PVH domain has no ISA devices: reads are all ones, writes are dropped, as on Xen. But the counters of a PIT are zeros: Linux on AMD's
 * CPUs looks at one until it is no longer all ones, 100,000 exits of each boot, before it takes the TSC's rate from Xen. Port 0xe9 is Xen's
 * debugging console for HVM guests. Ports that Linux touches at every boot are not logged.
 */
#include "servers/vmm/vmm.h"

#include "insn/insn.h"
#include "insula/exit_reason.h"

#define PORT_PIT   0x40 /* counters 0 to 2 */
#define PORT_DEBUG 0xe9

static uint64_t port_value(uint16_t port)
{
	return port >= PORT_PIT && port < PORT_PIT + 3 ? 0 : UINT64_MAX;
}

void io_exit(struct vcpu *v)
{
	uint64_t q = v->s->qualification;
	unsigned size = IO_SIZE(q);
	uint64_t mask = size == 4 ? 0xffffffffull : (1ull << (size * 8)) - 1;

	if (IO_STRING(q)) {
		/* INS would fill memory with ones, OUTS writes nothing: no driver does it without a device */
		vcpu_raise(v, X86_GP, true, 0);
		return;
	}
	if (!vcpu_skip(v))
		return;
	if (IO_IN(q)) {
		uint64_t rax = vcpu_gpr(v, INSULA_RAX);

		vcpu_set_gpr(v, INSULA_RAX, (size == 4 ? 0 : rax & ~mask) | (port_value(IO_PORT(q)) & mask));
	} else if (IO_PORT(q) == PORT_DEBUG && size == 1) {
		char c = (char)vcpu_gpr(v, INSULA_RAX);

		vmm_lock();
		(void)console_write(&c, 1);
		vmm_unlock();
	}
}
