/* The objects: field access, refusals, ports, mappings that go, more vCPUs than tags, donated time, the
 * message form. */
#include "machine.h"
#include "vcpu_hw.h"

#define R(x) GPR(&machine, x)
#define RW   (seL4_RightRead | seL4_RightWrite)

static void object_fields(void)
{
	static const uint64_t refused[] = {0x0000, 0x0c00, 0x2000, 0x201a, 0x2c00,
					   0x4c00, 0x6c00, 0x6c14, 0x6c16, 0x7000};

	case_begin("VMCS fields");
	for (unsigned i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		case_equal(bare_call(machine.vcpu, X86VCPUReadVMCS, WORDS(refused[i]), NONE),
			   seL4_IllegalOperation, "the error of reading a refused field");
		case_equal(machine_write(refused[i], 0), seL4_IllegalOperation,
			   "the error of writing a refused field");
	}
	case_equal(machine_write(0x6400, 1), seL4_IllegalOperation, "the error of writing exit data");
	case_equal(machine_write(0x681c, 0x1234), 0, "WriteVMCS's error");
	case_equal(machine_read(0x681c), 0x1234, "RSP");
	machine_write(0x4816, 0xa09b);
	case_equal(machine_read(0x4816), 0xa09b, "CS's access rights");
	machine_write(0x4002, 0);
	case_check((machine_read(0x4002) & 0x82006172) == 0x82006172, "controls are forced");
	machine_write(0x4002, 0x80);
	case_equal(bare_call(machine.vcpu, X86VCPUWriteMSR, WORDS(0xc0000082, 0x5678), NONE), 0,
		   "WriteMSR's error");
	case_equal(bare_call(machine.vcpu, X86VCPUReadMSR, WORDS(0xc0000082), NONE), 0, "ReadMSR's error");
	case_equal(bare_words[0], 0x5678, "LSTAR");
	case_equal(bare_call(machine.vcpu, X86VCPUReadMSR, WORDS(0x10), NONE), seL4_IllegalOperation,
		   "error");
	case_equal(bare_call(machine.vcpu, 9999, NONE, NONE), seL4_IllegalOperation,
		   "the error of a wrong label");
	case_equal(bare_call(machine.vcpu, X86VCPUReadVMCS, NONE, NONE), seL4_TruncatedMessage, "error");
	case_equal(bare_call(machine.vcpu, X86VCPUSetTCB, NONE, CAPS(machine.ept)), seL4_IllegalOperation,
		   "error");
	case_end();
}

static void object_bad_state(void)
{
	case_begin("state that no CPU accepts");
	machine_long(guest_hlt);
	machine.s->cr0 = 0x80000010; /* PG without PE */
	machine_expect(0x80000021);
	machine_long(guest_hlt);
	machine.s->cr4 = 0; /* long mode without PAE */
	machine_expect(0x80000021);
	machine_long(guest_hlt);
	machine.s->cr0 |= ~0ull << 32;
	machine.s->cr3 |= ~0ull << 52;
	machine.s->cr4 |= ~0ull << 24;
	machine.s->efer |= ~0ull << 16;
	machine.s->dr7 = machine.s->dr6 = ~0ull;
	machine.s->rflags = ~0x20100ull; /* no VM, no TF */
	machine.s->rflags &= ~0x100ull;
	machine.s->dr7 = ~0xffull;
	machine_enter();
	machine_long(guest_hlt);
	machine_expect(12);
	case_end();
}

static void object_ports(void)
{
	uint64_t port = runtime_slot(), copy;

	case_begin("ports of the guest's own");
	runtime_must(bare_call(seL4_CapIOPortControl, X86IOPortControlIssue, WORDS(0x80, 0x8f, port, 64),
			       CAPS(seL4_CapInitThreadCNode)),
		     "issue");
	case_equal(bare_call(machine.vcpu, X86VCPUEnableIOPort, WORDS(0x7f, 0x80), CAPS(port)),
		   seL4_InvalidArgument, "the error of a port outside the range");
	copy = runtime_copy(port, 15);
	case_equal(bare_call(machine.vcpu, X86VCPUEnableIOPort, WORDS(0x80, 0x80), CAPS(copy)), 0,
		   "the error");
	machine_real(guest_out80);
	machine_expect(12);
	case_equal(bare_call(machine.vcpu, X86VCPUDisableIOPort, WORDS(0x80, 0x80), NONE), 0, "the error");
	machine_real(guest_out80);
	machine_expect(30);
	case_equal(bare_call(machine.vcpu, X86VCPUEnableIOPort, WORDS(0x80, 0x8f), CAPS(copy)), 0,
		   "the error");
	runtime_delete(copy);
	machine_real(guest_out80);
	machine_expect(30);
	case_end();
}

static void object_mappings(void)
{
	case_begin("a guest page that goes away");
	machine_long(guest_touch);
	R(RAX) = GUEST_DATA;
	R(RBX) = 77;
	machine_expect(12);
	case_equal(*machine_word(GUEST_DATA), 77, "what the guest wrote");
	runtime_must(bare_call(machine.frames[GUEST_DATA / 4096], X86PageUnmap, NONE, NONE), "unmap");
	machine_long(guest_touch);
	R(RAX) = GUEST_DATA;
	machine_expect(48);
	case_equal(machine.s->gpa, GUEST_DATA, "the guest-physical address");
	runtime_must(bare_call(machine.frames[GUEST_DATA / 4096], X86PageMapEPT,
			       WORDS(GUEST_DATA, seL4_RightRead, 6), CAPS(machine.ept)),
		     "map read-only");
	machine_long(guest_touch);
	R(RAX) = GUEST_DATA;
	machine_expect(48);
	case_equal(machine.s->qualification & 0x1a, 0xa, "the qualification: write, readable, not writable");
	runtime_must(bare_call(machine.frames[GUEST_DATA / 4096], X86PageUnmap, NONE, NONE), "unmap");
	runtime_must(bare_call(machine.frames[GUEST_DATA / 4096], X86PageMapEPT, WORDS(GUEST_DATA, RW, 6),
			       CAPS(machine.ept)),
		     "map");
	machine_long(guest_touch);
	R(RAX) = GUEST_DATA;
	machine_expect(12);
	case_end();
}

#define OBJECT_VCPUS 40

static void object_many(void)
{
	static uint64_t vcpu[OBJECT_VCPUS];
	struct message m;

	case_begin("more vCPUs than tags");
	for (unsigned i = 0; i < OBJECT_VCPUS; i++)
		vcpu[i] = runtime_make(seL4_X86_VCPUObject, 0);
	for (unsigned round = 0; round < 3; round++)
		for (unsigned i = 0; i < OBJECT_VCPUS; i++) {
			bare_call(vcpu[i], X86VCPUSetTCB, NONE, CAPS(seL4_CapInitThreadTCB));
			/* power-on state: real mode; CS to 0 */
			bare_call(vcpu[i], X86VCPUWriteVMCS, WORDS(0x6808, 0), NONE);
			bare_call(vcpu[i], X86VCPUWriteRegisters,
				  WORDS(i, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15), NONE);
			m = (struct message){.mr = {guest_at(guest_cpuid), 0x80, 0}};
			hw_syscall(seL4_SysVMEnter, &m, 0);
			case_equal(m.info, 1, "VMEnter's result");
			case_equal(m.mr[0], guest_at(guest_cpuid), "RIP");
			case_equal(m.mr[3], 10, "the reason");
			case_equal(bare_buffer[1 + 5] & ~2ull, 0, "the length");
			case_equal(bare_buffer[1 + 10], i, "EAX");
			case_equal(bare_buffer[1 + 13], 4, "EDX");
			case_equal(bare_buffer[1 + 24], 15, "R15");
		}
	for (unsigned i = 0; i < OBJECT_VCPUS; i++)
		runtime_delete(vcpu[i]);
	m = (struct message){.mr = {0x1234, 0x80, 0}};
	hw_syscall(seL4_SysVMEnter, &m, 0);
	case_equal(m.info, 1, "VMEnter's result without a vCPU");
	case_equal(m.mr[3], UINT64_MAX, "the reason without a vCPU");
	runtime_must(bare_call(machine.vcpu, X86VCPUSetTCB, NONE, CAPS(seL4_CapInitThreadTCB)), "SetTCB");
	machine_long(guest_hlt);
	machine_expect(12);
	case_end();
}

static uint64_t object_endpoint, object_reply;

/* A passive server that tries to run its guest on a caller's time, and answers with the reason. */
static void object_server(void)
{
	struct message m = {.badge = object_endpoint};

	hw_syscall(seL4_SysRecv, &m, object_reply);
	for (;;) {
		m = (struct message){.mr = {guest_at(guest_cpuid), 0x80, 0}};
		hw_syscall(seL4_SysVMEnter, &m, 0);
		m = (struct message){.badge = object_endpoint, .info = 2, .mr = {m.info, m.mr[3]}};
		hw_syscall(seL4_SysReplyRecv, &m, object_reply);
	}
}

static void object_donated(void)
{
	uint64_t vcpu = runtime_make(seL4_X86_VCPUObject, 0), sc, tcb;
	struct message m;

	case_begin("no guest runs on a donated budget");
	object_endpoint = runtime_make(seL4_EndpointObject, 0);
	object_reply = runtime_make(seL4_ReplyObject, 0);
	sc = runtime_sc(5000, 5000);
	tcb = runtime_thread(object_server, sc, 255);
	runtime_must(bare_call(vcpu, X86VCPUSetTCB, NONE, CAPS(tcb)), "SetTCB");
	runtime_must(bare_call(tcb, TCBSetEPTRoot, NONE, CAPS(machine.ept)), "SetEPTRoot");
	/* let it come to its Recv, then take its time away */
	for (unsigned i = 0; i < 10; i++) {
		m = (struct message){0};
		hw_syscall(seL4_SysYield, &m, 0);
	}
	runtime_must(bare_call(sc, SchedContextUnbind, NONE, NONE), "unbind");
	m = (struct message){.badge = object_endpoint, .info = 0};
	hw_syscall(seL4_SysCall, &m, 0);
	case_equal(m.mr[0], 1, "VMEnter's result");
	case_equal(m.mr[1], UINT64_MAX, "the reason");
	runtime_delete(tcb);
	runtime_delete(vcpu);
	case_end();
}

static void object_ends(void)
{
	uint64_t spare = runtime_copy(machine.state_frame, 15);

	case_begin("a state page that is revoked");
	runtime_must(bare_call(seL4_CapInitThreadCNode, CNodeRevoke, WORDS(machine.state_frame, 64), NONE),
		     "revoke");
	machine_write(0x681e, guest_at(guest_hlt));
	case_equal(machine_read(0x681e), guest_at(guest_hlt), "RIP");
	case_check(spare != 0, "a copy existed");
	case_end();

	case_begin("an EPT root that is deleted");
	runtime_delete(machine.ept);
	{
		struct message m = {.mr = {0x1000, 0x80, 0}};

		/* the copy in the TCB keeps it alive; a null copy cannot be set, so the pool's entry is what
		 * goes */
		hw_syscall(seL4_SysVMEnter, &m, 0);
		case_equal(m.info, 1, "VMEnter's result");
	}
	runtime_delete(machine.vcpu);
	case_end();
}

void case_objects(void)
{
	object_fields();
	object_bad_state();
	object_ports();
	object_mappings();
	object_many();
	object_donated();
	object_ends();
}
