/*
 * The payload's console. Owns the producer end of the console ring (xen/io/console.h); never reads input.
 */
#include "payload.h"

#include <xen/event_channel.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/io/console.h>
#include <xen/sched.h>

static volatile struct xencons_interface *console_ring;
static uint32_t console_port;
static bool console_io = true;

static uint64_t console_param(uint32_t index)
{
	struct xen_hvm_param param = { .domid = DOMID_SELF, .index = index };

	return hypercall(__HYPERVISOR_hvm_op, HVMOP_get_param, address(&param)) == 0 ? param.value : 0;
}

void console_init(void)
{
	uint64_t frame = console_param(HVM_PARAM_CONSOLE_PFN);

	console_port = (uint32_t)console_param(HVM_PARAM_CONSOLE_EVTCHN);
	if (frame != 0 && frame < (UINT64_C(1) << 20) && console_port != 0)
		console_ring = (volatile struct xencons_interface *)(uintptr_t)(frame * PAGE);
}

static void console_notify(void)
{
	struct evtchn_send send = { .port = console_port };

	(void)hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_send, address(&send));
}

static void console_write_ring(const char *text, size_t length)
{
	XENCONS_RING_IDX producer = console_ring->out_prod;

	for (size_t i = 0; i < length; i++) {
		while (producer - console_ring->out_cons >= sizeof(console_ring->out)) {
			console_ring->out_prod = producer;
			console_notify();
			(void)hypercall(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
		}
		console_ring->out[MASK_XENCONS_IDX(producer, console_ring->out)] = text[i];
		producer++;
	}
	payload_fence();
	console_ring->out_prod = producer;
	console_notify();
}

void console_write(const char *text, size_t length)
{
	if (console_ring) {
		console_write_ring(text, length);
		return;
	}
	if (console_io &&
	    payload_hypercall(__HYPERVISOR_console_io, CONSOLEIO_write, length, address(text), 0, 0) == 0)
		return;
	console_io = false;
	for (size_t i = 0; i < length; i++)
		payload_out8(0xe9, (uint8_t)text[i]);
}

void console_print(const char *text)
{
	size_t length = 0;

	while (text[length])
		length++;
	console_write(text, length);
}

void console_number(uint64_t value)
{
	char text[20];
	size_t at = sizeof(text);

	do {
		text[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	console_write(text + at, sizeof(text) - at);
}

void console_hex(uint64_t value)
{
	char text[18] = "0x";

	for (int i = 0; i < 16; i++)
		text[2 + i] = "0123456789abcdef"[value >> (60 - 4 * i) & 15];
	console_write(text, sizeof(text));
}
