/* console_io: the hypervisor's console. Here it is the domain's own; its bytes reach nothing else. Only domain 0 may read it, as on Xen. */
#include "servers/vmm/xen/xen.h"

#include "sel4/sel4.h"
#include <xen/errno.h>
#include <xen/xen.h>

#define PIECE	128u
#define WAIT_NS 1000000000ull /* with no byte taken */

static int64_t read(struct vcpu *v, uint64_t at, uint64_t n)
{
	char buffer[PIECE];
	uint32_t took;

	vmm_lock();
	took = console_read(buffer, n < PIECE ? (uint32_t)n : PIECE);
	vmm_unlock();
	return guest_write(v, gva(at), buffer, took) ? (int64_t)took : -XEN_EFAULT;
}

/* How many of the bytes are in the server's ring. */
static uint32_t write_some(const char *text, uint32_t n)
{
	uint32_t took;

	vmm_lock();
	took = console_write(text, n);
	vmm_unlock();
	return took;
}

/*
 * Where the ring is full, the admin VM waits for room as Xen's waits for the serial port, and loses nothing while the console takes anything; others' bytes are dropped. False:
 * some were.
 */
static bool write_all(const char *text, uint32_t n)
{
	uint32_t done = write_some(text, n);
	uint64_t end = time_system_ns() + WAIT_NS;

	while (done < n && control_allowed() && time_system_ns() < end) {
		uint32_t took;

		seL4_Yield();
		took = write_some(text + done, n - done);
		done += took;
		if (took)
			end = time_system_ns() + WAIT_NS;
	}
	return done == n;
}

int64_t console_io_op(struct vcpu *v, const uint64_t arg[5], bool abi32)
{
	uint64_t op = (uint32_t)arg[0], n = (uint32_t)arg[1], done = 0;
	char buffer[PIECE];

	(void)abi32;
	if (op == CONSOLEIO_read)
		return control_allowed() ? read(v, arg[2], n) : -XEN_EPERM;
	if (op != CONSOLEIO_write)
		return -XEN_ENOSYS;
	while (done < n) {
		uint32_t piece = n - done < PIECE ? (uint32_t)(n - done) : PIECE;

		if (!guest_read(v, gva(arg[2] + done), buffer, piece))
			return -XEN_EFAULT;
		if (!write_all(buffer, piece))
			break;
		done += piece;
	}
	return 0;
}

int64_t physdev_op(struct vcpu *v, const uint64_t arg[5], bool abi32)
{
	(void)v, (void)abi32;
	xen_log_once("physdev_op", arg[0]);
	return -XEN_ENOSYS; /* no physical interrupts, no PCI yet */
}
