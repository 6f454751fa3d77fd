/*
 * Fetching by the remembered way to a page, against fetching anew: whatever the input does to tables, registers and code in between, bytes and
 * fault are the same. And no decoded length reaches beyond what was fetched.
 */
// links: servers/vmm/fake/vmm_fake.c servers/vmm/apic/lapic.c servers/vmm/console.c servers/vmm/cpuid.c lib/cpu_policy/cpu_policy.c lib/cpu_policy/cpu_policy_max.c servers/vmm/cr.c servers/vmm/exit.c
// links: servers/vmm/guest.c servers/vmm/io.c servers/vmm/lock.c servers/vmm/memory.c servers/vmm/mmio.c servers/vmm/msr.c
// links: servers/vmm/timer.c servers/vmm/context.c servers/vmm/vcpu.c servers/vmm/vcpu_start.c servers/vmm/load/cpu_record.c servers/vmm/walk.c servers/vmm/fetch.c
// links: servers/vmm/xen/console_io.c servers/vmm/xen/dispatch.c servers/vmm/xen/event_op.c servers/vmm/xen/evtchn.c servers/vmm/xen/evtchn_fifo.c servers/vmm/xen/evtchn_remote.c servers/vmm/xen/physmap_call.c user/message.c
// links: servers/vmm/xen/argument.c servers/vmm/xen/compat.c servers/vmm/xen/grant.c servers/vmm/xen/hvm.c servers/vmm/xen/foreign.c servers/vmm/xen/memory_op.c servers/vmm/xen/sched_op.c
// links: servers/vmm/xen/shared_info.c servers/vmm/xen/vcpu_op.c servers/vmm/xen/version.c
// links: lib/insn/insn.c lib/insn/insn_exec.c lib/pvclock/pvclock.c lib/ring/ring.c
// cflags: -std=gnu11 -iquote servers/vmm/fake/include -D__XEN_TOOLS__
#include <string.h>
#include "servers/vmm/fake/vmm_fake.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Five tables, each entry of which the input may set to any of them, or to a page of code. */
#define TABLES 0x20000u
#define CODE   0x10000u

static struct fake_input in;

static void change_entry(void)
{
	static const uint64_t bits[] = {3, 7, 1, 0, 0x83, 0x63, 3 | 1ull << 63, 5};
	uint64_t where = fake_take(&in, 1), what = fake_take(&in, 1);
	uint64_t at = TABLES + (where >> 4) % 5 * 0x1000u + (where & 8 ? 511u : where & 7u) * 8u;
	uint64_t value = (what & 8 ? CODE + (what >> 4) % 4 * 0x1000u : TABLES + (what >> 4) % 5 * 0x1000u) | bits[what & 7];

	fake_poke(at, &value, 8);
}

static void change_registers(struct insula_vcpu_state *s)
{
	static const uint64_t cr0[] = {0x80000011u, 0x80010011u, 0x11, 0x80000011u};
	static const uint64_t cr4[] = {0x20, 0x20, 0x100020, 0x10, 0x1020, 0};
	uint64_t r = fake_take(&in, 1);

	s->cr0 = cr0[r & 3];
	s->cr4 = cr4[(r >> 2) % 6];
	s->efer = (r & 16 ? 0x800 : 0) | (r & 32 || (r & 3) == 2 ? 0 : 0x500);
	s->cr3 = TABLES + (r >> 6) * 0x1000u;
	r = fake_take(&in, 1);
	s->seg[INSULA_CS].ar = r & 1 ? 0xa09b : r & 2 ? 0xc09b : 0x9b;
	s->seg[INSULA_SS].ar = r & 4 ? 0xc0f3 : 0xc093;
	s->seg[INSULA_CS].base = r & 8 ? 0x1000 : 0;
	s->seg[INSULA_CS].limit = r & 16 ? 0xffff : 0xffffffffu;
}

static void change_code(void)
{
	uint64_t byte = fake_take(&in, 2);

	fake_poke(CODE + (byte >> 8) % 4 * 0x1000u + (byte & 1 ? 0xff8 : 0) + (byte >> 1 & 7), &byte, 1);
}

/* Addresses whose indices are those that change_entry sets. */
static uint64_t address(void)
{
	uint64_t r = fake_take(&in, 2), linear = 0;

	for (unsigned level = 0; level < 4; level++)
		linear |= (r >> level * 3 & 7 ? r >> level * 3 & 7 : 511) << (12 + 9 * level);
	linear |= (r >> 12 & 1 ? 0xff0 : 0) + (r >> 13 & 7);
	return linear >> 47 & 1 ? linear | 0xffffull << 48 : linear;
}

static void compare(struct vcpu *v)
{
	struct guest_fault remembered, fresh;
	uint8_t a[16] = {0}, b[16] = {0};
	struct insn i;
	unsigned n, m;

	v->s->rip = address();
	n = guest_fetch(v, a, &remembered);
	memset(v->fetch_path, 0, sizeof(v->fetch_path));
	m = guest_fetch(v, b, &fresh);
	if (n != m || n > 15 || memcmp(a, b, n) != 0)
		__builtin_trap();
	if (n < 15 && (remembered.vector != fresh.vector ||
		       (fresh.vector == 14 && (remembered.error != fresh.error || remembered.address != fresh.address))))
		__builtin_trap();
	if (insn_decode(a, n, guest_mode(v), &i) == INSN_OK && i.length > n)
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct guest_path kept[FETCH_PATHS];
	struct vcpu *v;

	in = (struct fake_input){data, size};
	fake_start(1);
	v = vmm.vcpu[0];
	while (in.left) {
		uint64_t what = fake_take(&in, 1);

		if (what & 1)
			change_entry();
		if (what & 2)
			change_code();
		if ((what & 0xc) == 0xc)
			change_registers(v->s);
		/* what is remembered survives the comparison */
		memcpy(kept, v->fetch_path, sizeof(kept));
		compare(v);
		if (what & 0x10)
			memcpy(v->fetch_path, kept, sizeof(kept));
	}
	return 0;
}
