/*
 * The payload's attacks on the hypervisor under it. Each mode prints what it is about to do; the test then looks
 * whether this domain died or got an error, and that the others did not notice.
 */
#include "payload.h"

#include <xen/event_channel.h>
#include <xen/hvm/params.h>
#include <xen/io/console.h>
#include <xen/memory.h>
#include <xen/hvm/hvm_op.h>
#include <xen/sched.h>
#include <xen/vcpu.h>

#define X2APIC_ICR 0x830
#define X2APIC_EOI 0x80b
#define X2APIC_SVR 0x80f
#define X2APIC_SELF_IPI 0x83f
#define APIC_BASE 0x1b
#define APIC_BASE_X2APIC (UINT64_C(3) << 10)
#define ICR_SELF (1u << 18)
#define ICR_OTHERS (3u << 18)
#define ICR_NMI (4u << 8)
#define ICR_INIT (5u << 8)
#define ICR_STARTUP (6u << 8)
#define ICR_LEVEL_ASSERT (3u << 14)

static uint64_t hostile_state;

/* xorshift64*: the same sequence for the same seed= */
static uint64_t hostile_random(void)
{
	hostile_state ^= hostile_state >> 12;
	hostile_state ^= hostile_state << 25;
	hostile_state ^= hostile_state >> 27;
	return hostile_state * UINT64_C(2685821657736338717);
}

static void hostile_triple_fault(void)
{
	const struct payload_table none = { 0, 0 };

	payload_lidt(&none);
	payload_int3();
}

static void hostile_jump(uint64_t target)
{
	void (*nowhere)(void) = (void (*)(void))(uintptr_t)target;

	nowhere();
}

static void hostile_jump_nowhere(void) { hostile_jump(UINT64_C(0xd0000000)); }
static void hostile_jump_ram_end(void) { hostile_jump(payload_ram_end() - 1); }

/* Asks for the hypercall page, then writes to it: it is RAM of this domain, or it is read-only; both are right. */
static void hostile_write_hypercall_page(void)
{
	struct payload_cpuid base = payload_cpuid(0x40000000);
	struct payload_cpuid msr = payload_cpuid(0x40000002);

	if (base.b != 0x566e6558)
		return;
	payload_wrmsr(msr.b, address(hypercall_page));
	for (unsigned int i = 0; i < PAGE; i += 64)
		((volatile uint8_t *)hypercall_page)[i] = 0xcc;
	/* and places where no page can be */
	payload_trap_skip = 2;
	payload_wrmsr(msr.b, UINT64_C(0xfffffffffffff000));
	payload_wrmsr(msr.b, payload_ram_end());
	payload_wrmsr(msr.b, UINT64_C(1) << 47);
	payload_trap_skip = 0;
}

static uint64_t hostile_pointer(void)
{
	uint64_t end = payload_ram_end();
	uint64_t scratch = address(image_end) + PAGE;

	switch (hostile_random() % 16) {
	case 0: return end;
	case 1: return end - 1 - hostile_random() % 64;
	case 2: return end + hostile_random() % (UINT64_C(1) << 32);
	case 3: return hostile_random();
	case 4: return UINT64_MAX - hostile_random() % 64;
	case 5: return UINT64_C(0x800000000000) - hostile_random() % 16;
	case 6: return 0;
	case 7: return hostile_random() % 4096 ? scratch : address(page_ml4) + (hostile_random() & 0xff8);
	default: return ((scratch + hostile_random() % 0x8000) & ~UINT64_C(0xfff)) + PAGE - hostile_random() % 64;
	}
}

static uint64_t hostile_argument(void)
{
	switch (hostile_random() % 8) {
	case 0: return 0;
	case 1: return hostile_random() % 8;
	case 2: return hostile_random() % 64;
	case 3: return UINT64_C(1) << hostile_random() % 64;
	case 4: return hostile_random();
	case 5: return DOMID_SELF;
	default: return hostile_pointer();
	}
}

/* Calls that end this domain at once, or block it for ever; a multicall of random calls often does, and is made rare. */
static bool hostile_is_deadly(uint64_t number, uint64_t command)
{
	return (number == __HYPERVISOR_sched_op || number == __HYPERVISOR_sched_op_compat) &&
	       (command == SCHEDOP_shutdown || command == SCHEDOP_block || command == SCHEDOP_poll ||
	        command == SCHEDOP_shutdown_code);
}

static void hostile_say_call(uint64_t number, uint64_t command)
{
	console_print("HOSTILE call ");
	console_number(number);
	console_print(" ");
	console_hex(command);
	console_print("\n");
}

static void hostile_hypercalls(void)
{
	uint64_t count = payload_option("count", 200000);
	bool trace = payload_option("trace", 0) != 0;
	uint64_t *scratch = (uint64_t *)(uintptr_t)(address(image_end) + PAGE);

	hostile_state = payload_option("seed", 1) * UINT64_C(0x9e3779b97f4a7c15) + 1;
	for (uint64_t n = 0; n < count; n++) {
		uint64_t number = hostile_random() % 64;
		uint64_t command = hostile_random() % 4 ? hostile_random() % 40 : hostile_argument();

		if (hostile_is_deadly(number, command) || (number == __HYPERVISOR_multicall && n % 16))
			continue;
		for (unsigned int i = 0; i < 64; i++)
			scratch[i] = hostile_random() % 3 ? hostile_argument() : hostile_random() % 40;
		if (trace)
			hostile_say_call(number, command);
		(void)payload_hypercall(number, command, hostile_argument(), hostile_argument(), hostile_argument(),
					hostile_argument());
		if (n % 1000 == 0) {
			console_print("HOSTILE calls ");
			console_number(n);
			console_print("\n");
		}
	}
}

/* Every number once with nothing, and with each kind of bad pointer: the results are printed for comparison. */
static void hostile_numbers(void)
{
	for (uint64_t number = 0; number < 64; number++) {
		int64_t result;

		if (number == __HYPERVISOR_sched_op || number == __HYPERVISOR_sched_op_compat ||
		    number == __HYPERVISOR_iret)
			continue;
		result = payload_hypercall(number, UINT64_MAX, UINT64_MAX, 0, 0, 0);
		console_print("HOSTILE number ");
		console_number(number);
		console_print(result < 0 ? " -" : " ");
		console_number((uint64_t)(result < 0 ? -result : result));
		console_print("\n");
	}
}

static void hostile_flood(void)
{
	static const char line[] = "HOSTILE flood #################################################################\n";

	for (uint64_t n = payload_option("count", UINT64_MAX); n > 0; n--)
		console_write(line, sizeof(line) - 1);
}

/* Ring indices that were never valid, and events without text. */
static void hostile_console_ring(void)
{
	struct xen_hvm_param param = { .domid = DOMID_SELF, .index = HVM_PARAM_CONSOLE_PFN };
	struct xen_hvm_param port = { .domid = DOMID_SELF, .index = HVM_PARAM_CONSOLE_EVTCHN };
	volatile struct xencons_interface *ring;

	if (hypercall(__HYPERVISOR_hvm_op, HVMOP_get_param, address(&param)) ||
	    hypercall(__HYPERVISOR_hvm_op, HVMOP_get_param, address(&port)) || !param.value)
		return;
	ring = (volatile struct xencons_interface *)(uintptr_t)(param.value * PAGE);
	hostile_state = payload_option("seed", 1);
	for (unsigned int n = 0; n < 10000; n++) {
		struct evtchn_send send = { .port = (evtchn_port_t)port.value };

		ring->out_prod = (XENCONS_RING_IDX)hostile_random();
		ring->out_cons = (XENCONS_RING_IDX)hostile_random();
		ring->in_cons = (XENCONS_RING_IDX)hostile_random();
		(void)hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_send, address(&send));
	}
	ring->out_prod = ring->out_cons;
}

static void hostile_spin(void)
{
	console_print("HOSTILE spins with interrupts off\n");
	payload_cli();
	for (;;)
		payload_fence();
}

/* The same with PAUSE, at which hypervisors like to take the CPU away. */
static void hostile_spin_pause(void)
{
	console_print("HOSTILE pauses with interrupts off\n");
	payload_cli();
	for (;;)
		payload_pause();
}

static void hostile_events(void)
{
	console_print("HOSTILE events\n");
	for (;;)
		for (uint32_t port = 0; port < 4096; port++) {
			struct evtchn_send send = { .port = port };
			struct evtchn_bind_ipi bind = { .vcpu = 0 };

			(void)hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_ipi, address(&bind));
			(void)hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_send, address(&send));
		}
}

static void hostile_timers(void)
{
	static const uint64_t times[] = {
		0, 1, 1000, UINT64_C(1) << 62, UINT64_C(1) << 63, (UINT64_C(1) << 63) - 1, UINT64_MAX, UINT64_MAX - 1000
	};

	for (unsigned int round = 0; round < 1000; round++)
		for (unsigned int i = 0; i < sizeof(times) / sizeof(*times); i++) {
			struct vcpu_set_singleshot_timer single = { .timeout_abs_ns = times[i],
								    .flags = round & 1 };
			struct vcpu_set_periodic_timer periodic = { .period_ns = times[i] };
			struct sched_poll poll = { .nr_ports = 0, .timeout = times[i] };

			(void)payload_hypercall(__HYPERVISOR_vcpu_op, VCPUOP_set_singleshot_timer, 0, address(&single), 0, 0);
			(void)payload_hypercall(__HYPERVISOR_vcpu_op, VCPUOP_set_periodic_timer, 0, address(&periodic), 0, 0);
			(void)hypercall(__HYPERVISOR_set_timer_op, times[i], 0);
			if (times[i] && times[i] <= 1000) /* 0 would be for ever */
				(void)hypercall(__HYPERVISOR_sched_op, SCHEDOP_poll, address(&poll));
		}
	(void)payload_hypercall(__HYPERVISOR_vcpu_op, VCPUOP_stop_periodic_timer, 0, 0, 0, 0);
}

static void hostile_ipis(void)
{
	payload_trap_skip = 2;
	payload_wrmsr(APIC_BASE, payload_rdmsr(APIC_BASE) | APIC_BASE_X2APIC);
	payload_wrmsr(X2APIC_SVR, 0x1ff);
	for (unsigned int n = 0; n < 100; n++) {
		payload_wrmsr(X2APIC_ICR, ICR_SELF | ICR_NMI);
		payload_wrmsr(X2APIC_ICR, ICR_OTHERS | ICR_NMI);
		payload_wrmsr(X2APIC_ICR, ICR_NMI | UINT64_C(0xffffffff00000000));
		payload_wrmsr(X2APIC_ICR, ICR_OTHERS | ICR_STARTUP | 0x9f);
		payload_wrmsr(X2APIC_ICR, UINT64_C(0x7fffffff00000000) | ICR_STARTUP);
		for (uint64_t vector = 0; vector < 256; vector++) {
			payload_wrmsr(X2APIC_SELF_IPI, vector);
			payload_wrmsr(X2APIC_EOI, 0);
		}
		payload_sti();
		payload_pause();
		payload_cli();
	}
	console_print("HOSTILE NMIs ");
	console_number(payload_traps[2]);
	console_print("\n");
	payload_wrmsr(X2APIC_ICR, ICR_SELF | ICR_INIT | ICR_LEVEL_ASSERT);
	payload_wrmsr(X2APIC_ICR, ICR_INIT | ICR_LEVEL_ASSERT);
	payload_trap_skip = 0;
}

/* MSRs and ports that no guest should reach. */
static void hostile_registers(void)
{
	payload_trap_skip = 2;
	hostile_state = payload_option("seed", 1);
	for (unsigned int n = 0; n < 20000; n++) {
		uint32_t msr = (uint32_t)(hostile_random() % 0x2000) + (uint32_t[]){ 0, 0xc0000000, 0xc0010000, 0x40000000 }[n & 3];

		if (msr == 0xc0000080)
			continue;
		(void)payload_rdmsr(msr);
		if (n % 8 == 0 && msr != 0xc0000101 && msr != 0xc0000100)
			payload_wrmsr(msr, hostile_random());
	}
	payload_trap_skip = 1;
	for (uint32_t port = 0; port < 0x10000; port++) {
		(void)payload_in8((uint16_t)port);
		if (port > 0x20)
			payload_out8((uint16_t)port, (uint8_t)hostile_random());
	}
	payload_trap_skip = 0;
}

static void hostile_compute(void)
{
	for (;;)
		__asm__ volatile("");
}

/* Gives a page back, for which a test has put a fault into the vmm; the other vCPU computes on. */
static void hostile_give_back(void)
{
	static uint64_t page;
	static struct xen_memory_reservation r;

	page = address(image_end) / PAGE + 1;
	set_xen_guest_handle(r.extent_start, (xen_pfn_t *)&page);
	r.nr_extents = 1;
	r.domid = DOMID_SELF;
	payload_second_start(hostile_compute);
	(void)hypercall(__HYPERVISOR_memory_op, XENMEM_decrease_reservation, address((volatile void *)&r));
}

static void hostile_halt(void)
{
	payload_cli();
	for (;;)
		payload_halt();
}

const struct payload_mode hostile_modes[] = {
	{ "triple_fault", hostile_triple_fault },
	{ "jump_nowhere", hostile_jump_nowhere },
	{ "jump_ram_end", hostile_jump_ram_end },
	{ "write_hypercall_page", hostile_write_hypercall_page },
	{ "hypercalls", hostile_hypercalls },
	{ "numbers", hostile_numbers },
	{ "flood", hostile_flood },
	{ "console_ring", hostile_console_ring },
	{ "spin", hostile_spin },
	{ "pause", hostile_spin_pause },
	{ "events", hostile_events },
	{ "timers", hostile_timers },
	{ "ipis", hostile_ipis },
	{ "registers", hostile_registers },
	{ "halt", hostile_halt },
	{ "give_back", hostile_give_back },
	{ NULL, NULL },
};
