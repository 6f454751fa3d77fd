/*
 * Start of the test payload: interrupt table, command line, choice of the mode. Called by entry.S.
 */
#include "payload.h"

#include <xen/arch-x86/hvm/start_info.h>
#include <xen/sched.h>

volatile uint64_t payload_traps[256];
uint64_t payload_trap_skip;
volatile uint8_t *payload_upcall;

static char payload_command_line[256];
static uint64_t payload_memory_end;

struct payload_gate {
	uint16_t offset_low, selector;
	uint8_t stack, type;
	uint16_t offset_middle;
	uint32_t offset_high, reserved;
};
static struct payload_gate payload_idt[256];
struct payload_table payload_idt_pointer = { sizeof(payload_idt) - 1, 0 }; /* a second CPU's: entry.S */

void main_c(const struct hvm_start_info *info);
extern struct payload_table payload_idt_pointer;
void trap_c(uint64_t vector, uint64_t error, uint64_t *frame);

static void payload_set_gates(void)
{
	uint64_t stub = address(trap_stubs);

	for (unsigned int i = 0; i < 256; i++, stub += 16) {
		payload_idt[i].offset_low = (uint16_t)stub;
		payload_idt[i].selector = 8;
		payload_idt[i].type = 0x8e;
		payload_idt[i].offset_middle = (uint16_t)(stub >> 16);
	}
	payload_idt_pointer.base = address(payload_idt);
	payload_lidt(&payload_idt_pointer);
}

void trap_c(uint64_t vector, uint64_t error, uint64_t *frame)
{
	uint8_t *at = (uint8_t *)frame[0];

	if (vector == 6 && at[0] == 0x0f && at[1] == 0x01 && at[2] == 0xd9) {
		at[2] = 0xc1; /* on VT-x VMMCALL is undefined: it becomes VMCALL */
		return;
	}
	payload_traps[vector & 255]++;
	if (vector >= 32 && payload_upcall)
		*payload_upcall = 0;
	if (vector >= 32 || vector == 2)
		return;
	if (payload_trap_skip) {
		frame[0] += payload_trap_skip;
		return;
	}
	console_print("PAYLOAD trap ");
	console_number(vector);
	console_print(" error ");
	console_hex(error);
	console_print(" at ");
	console_hex(frame[0]);
	console_print("\n");
	payload_shutdown(SHUTDOWN_crash);
}

_Noreturn void payload_shutdown(unsigned int reason)
{
	struct sched_shutdown shutdown = { .reason = reason };

	for (;;)
		(void)hypercall(__HYPERVISOR_sched_op, SCHEDOP_shutdown, address(&shutdown));
}

uint64_t payload_ram_end(void)
{
	return payload_memory_end;
}

/* Where "NAME=" ends on the command line, or NULL. */
static const char *payload_find(const char *name)
{
	const char *at = payload_command_line;

	while (*at) {
		size_t i = 0;

		while (name[i] && at[i] == name[i])
			i++;
		if (!name[i] && at[i] == '=')
			return at + i + 1;
		while (*at && *at != ' ')
			at++;
		while (*at == ' ')
			at++;
	}
	return NULL;
}

uint64_t payload_option(const char *name, uint64_t otherwise)
{
	const char *at = payload_find(name);
	uint64_t value = 0;

	if (!at)
		return otherwise;
	for (; *at >= '0' && *at <= '9'; at++)
		value = value * 10 + (uint64_t)(*at - '0');
	return value;
}

static bool payload_is_mode(const char *name)
{
	const char *at = payload_find("mode");
	size_t i = 0;

	if (!at)
		at = payload_command_line;
	while (name[i] && at[i] == name[i])
		i++;
	return !name[i] && (at[i] == 0 || at[i] == ' ');
}

static void payload_read_start_info(const struct hvm_start_info *info)
{
	const struct hvm_memmap_table_entry *map = (const void *)(uintptr_t)info->memmap_paddr;
	const char *text = (const char *)(uintptr_t)info->cmdline_paddr;

	for (size_t i = 0; text && text[i] && i < sizeof(payload_command_line) - 1; i++)
		payload_command_line[i] = text[i];
	for (uint32_t i = 0; i < info->memmap_entries; i++) {
		uint64_t end = map[i].addr + map[i].size;

		if (map[i].type == 1 && end <= UINT64_C(0x100000000) && end > payload_memory_end)
			payload_memory_end = end;
	}
}

static bool payload_try(const struct payload_mode *modes)
{
	for (; modes->name; modes++)
		if (payload_is_mode(modes->name)) {
			console_print("PAYLOAD start ");
			console_print(modes->name);
			console_print("\n");
			modes->run();
			console_print("PAYLOAD done ");
			console_print(modes->name);
			console_print("\n");
			return true;
		}
	return false;
}

void main_c(const struct hvm_start_info *info)
{
	payload_set_gates();
	payload_read_start_info(info);
	console_init();
	if (!payload_try(bench_modes) && !payload_try(hostile_modes) && !payload_try(memory_modes) && !payload_try(pair_modes) &&
	    !payload_try(share_modes) && !payload_try(fuzz_modes) && !payload_try(ping_modes) && !payload_try(compat_modes) &&
	    !payload_try(flood_modes) && !payload_try(liar_modes) && !payload_try(grants_modes) && !payload_try(saved_modes) && !payload_try(handover_modes))
		console_print("PAYLOAD unknown mode\n");
	payload_shutdown(SHUTDOWN_poweroff);
}
