/*
 * A vCPU's loop fed with exits: any reason, any register, any state that a guest can bring about, and badges in between. The input says what
 * each entry comes back with. Between entries the guest's other vCPU may have stored anything anywhere: so does the input.
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
#include "insula/exit_reason.h"
#include "servers/vmm/fake/vmm_fake.h"
#include "servers/vmm/xen/xen.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct fake_input in;

static void leave(void)
{
	longjmp(fake.out, 3);
}

static void instruction(struct insula_vcpu_state *s)
{
	uint8_t code[15];

	for (unsigned i = 0; i < sizeof(code); i++)
		code[i] = (uint8_t)fake_take(&in, 1);
	(void)memory_write(gpa(s->rip & 0xffffffff), code, sizeof(code));
	s->insn_count = 0;
	if (fake_take(&in, 1) & 1) {
		memcpy(s->insn_bytes, code, sizeof(code));
		s->insn_count = fake_take(&in, 1) & 15;
	}
}

/* What the kernel stores: anything in the guest's own registers, consistent words in its own. */
static void exit_state(struct insula_vcpu_state *s)
{
	static const uint8_t reasons[] = {EXIT_CPUID, EXIT_VMCALL, EXIT_HLT, EXIT_RDMSR, EXIT_WRMSR, EXIT_IO, EXIT_EPT_VIOLATION,
					  EXIT_INTERRUPT_WINDOW, EXIT_NMI_WINDOW, EXIT_XSETBV, EXIT_PAUSE, EXIT_EPT_VIOLATION, EXIT_CR};
	static const uint32_t msrs[] = {0x10, 0x1b, 0x3b, 0x6e0, 0x277, 0xc0000080u, 0x40000000u, 0x800, 0x830, 0x838};
	static const uint8_t io_sizes[] = {0, 1, 3};
	uint64_t r = fake_take(&in, 1), flags = fake_take(&in, 1);

	s->reason = r < 0xd0 ? reasons[r % sizeof(reasons)] : r - 0xd0 + (flags & 8 ? 32 : 0);
	for (unsigned i = 0; i < INSULA_GPR_COUNT; i++)
		if (flags & 1)
			s->gpr[i] = fake_take_word(&in);
	s->rip = flags & 2 ? fake_take_word(&in) : 0x1000 + (fake_take(&in, 1) << 4);
	if (s->reason == EXIT_RDMSR || s->reason == EXIT_WRMSR) {
		uint64_t m = fake_take(&in, 1);

		s->gpr[INSULA_RCX] = m < 0x80 ? msrs[m % (sizeof(msrs) / sizeof(msrs[0]))] : m < 0xf0 ? 0x800 + (m & 0x3f) : fake_take(&in, 4);
	}
	s->rflags = (fake_take(&in, 2) & 0xffd7) | 2;
	s->interruptibility = fake_take(&in, 1) & 0xb;
	s->length = flags & 4 ? 1 + fake_take(&in, 1) % 15 : 0;
	s->qualification = fake_take(&in, 4);
	if (s->reason == EXIT_IO)
		s->qualification = (s->qualification & 0xffff0038u) | io_sizes[s->qualification % 3];
	if (s->reason == EXIT_EPT_VIOLATION)
		s->qualification &= 7;
	s->gpa = fake_take_word(&in) & 0xffffffffffffull;
	s->idt_vectoring = flags & 16 ? EVENT_MAKE(fake_take(&in, 1) & 7, fake_take(&in, 1)) : 0;
	s->idt_vectoring_error = 0;
	if (flags & 32) {
		/* another mode */
		static const uint64_t cr0[] = {0x60000010u, 0x31, 0x80000011u, 0x80000031u};
		uint64_t m = fake_take(&in, 1);

		s->cr0 = cr0[m & 3];
		s->cr4 = (m & 4 ? 0x20 : 0) | (m & 8 ? 0x10 : 0) | (m & 16 ? 0x1000 : 0) | (m & 32 ? 1u << 18 : 0);
		s->efer = m & 64 ? 0xd01 : 0;
		s->cr3 = fake_take_word(&in) & 0xffffffffff000ull;
		s->seg[INSULA_CS].ar = (uint32_t)fake_take(&in, 2);
		s->seg[INSULA_SS].ar = (uint32_t)fake_take(&in, 1);
		s->seg[INSULA_CS].base = fake_take_word(&in);
		s->seg[INSULA_ES].base = fake_take_word(&in);
	}
	if (flags & 64) {
		uint64_t value = fake_take_word(&in);

		(void)memory_write(gpa(fake_take_word(&in)), &value, sizeof(value));
	}
	instruction(s);
	s->valid = UINT64_MAX;
}

static uint64_t given_cr4; /* what the kernel stored last: no VMM's doing */

/* What the vmm hands to an entry must be what a CPU could take. */
static void check_entry(const struct insula_vcpu_state *s)
{
	static uint64_t last;

	last = s->entry_info;
	if (s->window & ~3ull)
		__builtin_trap();
	if (last & EVENT_VALID && EVENT_TYPE(last) == EVENT_EXTERNAL && EVENT_VECTOR(last) < 16 && !(s->idt_vectoring & EVENT_VALID))
		__builtin_trap();
	if (s->xcr0 & ~cpuid_xcr0_mask())
		__builtin_trap();
	if (s->cr4 & ~(cpuid_cr4_mask() | given_cr4))
		__builtin_trap();
}

static seL4_Word enter(seL4_Word *badge)
{
	struct insula_vcpu_state *s = vmm.vcpu[0]->s;

	check_entry(s);
	if (!in.left || vmm.ended)
		leave();
	s->entry_info &= ~(uint64_t)EVENT_VALID;
	s->dirty = 0;
	fake_advance_ns(fake_take(&in, 2));
	if (fake_take(&in, 1) < 0x20) {
		*badge = fake_take(&in, 1) & 0xf;
		s->reason = UINT64_MAX;
		s->idt_vectoring = 0;
		return 0;
	}
	exit_state(s);
	given_cr4 = s->cr4;
	return 1;
}

static void wait(seL4_Word *badge)
{
	if (!in.left || vmm.ended)
		leave();
	*badge = fake_take(&in, 1) & 0xf;
	fake_advance_ns(fake_take(&in, 4));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	in = (struct fake_input){data, size};
	fake.intel = size & 1;
	fake_start(1 + (size >> 1 & 1));
	fake.object_limit = size & 4 ? 3000 : 4;
	fake.enter = enter;
	fake.wait = wait;
	fake_run(vmm.vcpu[0]);
	return 0;
}
