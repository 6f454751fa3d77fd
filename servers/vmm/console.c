/*
 * The domain's console: Xen's console ring (xen/include/public/io/console.h) in a special page on one side, the console
 * server's ring on the other. Indices of the guest are read once and bounded; a lying guest garbles its own console. Under vmm_lock.
 */
#include "servers/vmm/vmm.h"

#include <stdlib.h>
#include <string.h>
#include "proto/console/console.h"
#include "ring/ring.h"
#include "sel4/sel4.h"
#include "servers/vmm/load/layout.h"
#include "servers/vmm/xen/xen.h"
#include "user/vspace.h"
#include <xen/io/console.h>
#include <xen/xen.h>

static struct ring out, in;
static struct xencons_interface *guest;

void console_init(void)
{
	uint8_t *page = (uint8_t *)TASK_SHARED_VADDR;

	guest = NULL;
	/* the console of a domain that a toolstack built is xenconsoled's: a page and a port like any other */
	if (vmm.start->flags & VMM_START_BARE)
		return;
	if (vspace_map(vmm.start->console_frame_slot, TASK_SHARED_VADDR, true, false) ||
	    !ring_init(&out, (struct ring_header *)(void *)(page + CONSOLE_PAGE_OUT_HEADER), page + CONSOLE_PAGE_OUT_DATA,
		       CONSOLE_OUT_BYTES, 0) ||
	    !ring_init(&in, (struct ring_header *)(void *)(page + CONSOLE_PAGE_IN_HEADER), page + CONSOLE_PAGE_IN_DATA,
		       CONSOLE_IN_BYTES, 0))
		abort();
	guest = memory_place_page(gpa(LAYOUT_CONSOLE_GPA));
	if (!guest)
		abort();
}

static bool guest_to_server(void)
{
	uint32_t cons = __atomic_load_n(&guest->out_cons, __ATOMIC_RELAXED);
	uint32_t prod = __atomic_load_n(&guest->out_prod, __ATOMIC_ACQUIRE);
	uint32_t n = prod - cons, moved = 0;

	if (n > sizeof(guest->out))
		n = 0; /* impossible indices: nothing to take */
	while (moved < n) {
		uint32_t at = (cons + moved) & (sizeof(guest->out) - 1);
		uint32_t piece = sizeof(guest->out) - at < n - moved ? (uint32_t)sizeof(guest->out) - at : n - moved;
		uint8_t buffer[sizeof(guest->out)];
		uint32_t took;

		memcpy(buffer, &guest->out[at], piece);
		took = ring_write(&out, buffer, piece);
		moved += took;
		if (took < piece)
			break; /* the server signals when there is room */
	}
	if (moved)
		__atomic_store_n(&guest->out_cons, cons + moved, __ATOMIC_RELEASE);
	return moved;
}

static bool server_to_guest(void)
{
	uint32_t prod = __atomic_load_n(&guest->in_prod, __ATOMIC_RELAXED);
	uint32_t cons = __atomic_load_n(&guest->in_cons, __ATOMIC_ACQUIRE);
	uint32_t used = prod - cons, moved = 0;
	uint8_t buffer[sizeof(guest->in)];
	uint32_t n;

	if (used >= sizeof(guest->in))
		return false;
	n = ring_read(&in, buffer, (uint32_t)sizeof(guest->in) - used);
	for (; moved < n; moved++)
		guest->in[(prod + moved) & (sizeof(guest->in) - 1)] = (char)buffer[moved];
	if (moved)
		__atomic_store_n(&guest->in_prod, prod + moved, __ATOMIC_RELEASE);
	return moved;
}

static bool log_moved(void)
{
	static uint32_t seen;
	uint32_t end = __atomic_load_n((const uint32_t *)(TASK_SHARED_VADDR + CONSOLE_PAGE_LOG_END), __ATOMIC_ACQUIRE);
	bool moved = end != seen;

	seen = end;
	return moved;
}

void console_service(void)
{
	bool gone, came;

	if (vmm.start->flags & VMM_START_BARE)
		return;
	/* domain 0's console is console_io and a VIRQ: what is typed stays in the ring until it reads; it is told of Insula's log too */
	if (control_allowed()) {
		if (ring_waiting(&in))
			evtchn_raise_virq(vmm.vcpu[0], VIRQ_CONSOLE);
		if (log_moved())
			evtchn_raise_virq(vmm.vcpu[0], VIRQ_CON_RING);
		return;
	}
	gone = guest_to_server();
	came = server_to_guest();

	if (gone)
		seL4_Signal(vmm.start->console_notification_slot);
	if (gone || came)
		xen_console_notify();
}

uint32_t console_write(const char *text, uint32_t n)
{
	uint32_t took;

	if (vmm.start->flags & VMM_START_BARE)
		return n; /* as a Xen without guest_loglvl: not shown */
	took = ring_write(&out, (const uint8_t *)text, n);

	if (took)
		seL4_Signal(vmm.start->console_notification_slot);
	return took;
}

uint32_t console_read(char *text, uint32_t n)
{
	return ring_read(&in, (uint8_t *)text, n);
}

bool console_type(const char *text, uint32_t n)
{
	uint32_t prod, used;

	if (!guest)
		return false;
	prod = __atomic_load_n(&guest->in_prod, __ATOMIC_RELAXED);
	used = prod - __atomic_load_n(&guest->in_cons, __ATOMIC_ACQUIRE);

	if (used > sizeof(guest->in) || n > sizeof(guest->in) - used)
		return false;
	for (uint32_t i = 0; i < n; i++)
		guest->in[(prod + i) & (sizeof(guest->in) - 1)] = text[i];
	__atomic_store_n(&guest->in_prod, prod + n, __ATOMIC_RELEASE);
	xen_console_notify();
	return true;
}
