/* The FIFO queues under a guest that stores what it likes between any two steps, in words that overlap its
 * control blocks. The input is a program. */
// links: servers/vmm/xen/evtchn_fifo.c
#include <string.h>
#include "servers/vmm/xen/evtchn_fifo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define VCPUS 3u
#define PORTS 64u

static struct evtchn_fifo f;
static struct evtchn_fifo_port port_state[PORTS];
static struct {
	event_word_t before[16], words[EVTCHN_FIFO_PAGE_WORDS], after[16];
} memory;

static void check(void)
{
	for (uint32_t v = 0; v < VCPUS; v++)
		for (unsigned q = 0; q < EVTCHN_FIFO_MAX_QUEUES; q++)
			if (f.vcpu[v].tail[q] >= PORTS)
				__builtin_trap();
	for (uint32_t i = 0; i < PORTS; i++)
		if (port_state[i].last_vcpu >= VCPUS || port_state[i].last_priority >= EVTCHN_FIFO_MAX_QUEUES)
			__builtin_trap();
	for (unsigned i = 0; i < 16; i++)
		if (memory.before[i] != 0x5a5a5a5a || memory.after[i] != 0x5a5a5a5a)
			__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	memset(&f, 0, sizeof(f));
	memset(port_state, 0, sizeof(port_state));
	memset(&memory, 0x5a, sizeof(memory));
	memset(memory.words, 0, sizeof(memory.words));
	for (; size >= 4; data += 4, size -= 4) {
		uint32_t port = data[1] % PORTS, vcpu = data[2] % VCPUS, value;
		struct evtchn_fifo_port *p = &port_state[port];

		switch (data[0] % 8) {
		case 0:
			if (!f.pages)
				(void)evtchn_fifo_add_page(&f, memory.words);
			break;
		case 1:
			(void)evtchn_fifo_set_control(
			    &f, vcpu,
			    (struct evtchn_fifo_control_block *)(void *)&memory.words[data[3] / 2 * 2]);
			break;
		case 2:
			p->priority = data[3] % EVTCHN_FIFO_MAX_QUEUES;
			break;
		case 3:
			(void)evtchn_fifo_unmask(&f, p, port, vcpu);
			break;
		case 4:
			evtchn_fifo_clear(&f, port);
			(void)evtchn_fifo_is_linked(&f, port);
			break;
		case 5: /* the guest: flags and a link */
			value = (uint32_t)data[2] << 24 | (uint32_t)data[3] << 8 | data[3];
			memory.words[data[1]] = value;
			break;
		default:
			(void)evtchn_fifo_set_pending(&f, p, port, vcpu);
			if (f.pages && !evtchn_fifo_is_pending(&f, port) && !f.vcpu[vcpu].block)
				__builtin_trap();
			break;
		}
	}
	check();
	return 0;
}
