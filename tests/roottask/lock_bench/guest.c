/*
 * A guest in real mode that does nothing but exit: CPUID, which its VMM answers; or a move from a debug
 * register before it, which the kernel deals with itself. The guests of all CPUs share their memory.
 */
#include "roottask/lock_bench/lock_bench.h"
#include "insula/exit_reason.h"
#include "insula/ext.h"

#define CODE_CPUID  0x1000ull
#define CODE_OWN    0x1010ull
#define WINDOW	    0x18000000ull
#define CPUID_BYTES 2u

static const uint8_t code_cpuid[] = {0x0f, 0xa2, 0xeb, 0xfc}; /* l: cpuid; jmp l */
static const uint8_t code_own[] = {0x0f, 0x21, 0xc0, 0x0f,
				   0xa2, 0xeb, 0xf9}; /* l: mov %dr0, %eax; cpuid; jmp l */

static seL4_CPtr ept;
static struct insula_vcpu_state *states[LOCK_BENCH_CPUS_MAX];
static seL4_CPtr state_frames[LOCK_BENCH_CPUS_MAX];

static void *window(seL4_CPtr frame, seL4_Word page)
{
	runtime_must(seL4_X86_Page_Map(object_copy(frame), seL4_CapInitThreadVSpace, WINDOW + page * 4096,
				       seL4_ReadWrite, seL4_X86_Default_VMAttributes),
		     "map a guest's page");
	return (void *)(uintptr_t)(WINDOW + page * 4096);
}

static void memory(void)
{
	seL4_CPtr code = object_new(seL4_X86_4K, 0);
	uint8_t *at;

	ept = object_new(seL4_X86_EPTPML4Object, 0);
	runtime_must(seL4_X86_ASIDPool_Assign(seL4_CapInitThreadASIDPool, ept), "ASID");
	runtime_must(seL4_X86_EPTPDPT_Map(object_new(seL4_X86_EPTPDPTObject, 0), ept, 0, 0), "EPT PDPT");
	runtime_must(seL4_X86_EPTPD_Map(object_new(seL4_X86_EPTPDObject, 0), ept, 0, 0), "EPT PD");
	runtime_must(seL4_X86_EPTPT_Map(object_new(seL4_X86_EPTPTObject, 0), ept, 0, 0), "EPT PT");
	runtime_must(seL4_X86_PageTable_Map(object_new(seL4_X86_PageTableObject, 0), seL4_CapInitThreadVSpace,
					    WINDOW, 0),
		     "PT");
	at = window(code, 0);
	for (unsigned i = 0; i < sizeof(code_cpuid); i++)
		at[CODE_CPUID % 4096 + i] = code_cpuid[i];
	for (unsigned i = 0; i < sizeof(code_own); i++)
		at[CODE_OWN % 4096 + i] = code_own[i];
	runtime_must(seL4_X86_Page_MapEPT(code, ept, CODE_CPUID, seL4_ReadWrite, 6), "map for the guest");
}

static void state_reset(struct insula_vcpu_state *s)
{
	static const struct insula_segment flat = {.limit = 0xffff, .ar = 0x93};

	s->rip = CODE_CPUID;
	s->rsp = 0x8000;
	s->rflags = 2;
	s->cr0 = 0x10;
	s->dr7 = 0x400;
	s->dr6 = 0xffff0ff0;
	s->pat = 0x0007040600070406;
	s->xcr0 = 1;
	for (unsigned i = 0; i < INSULA_SEG_COUNT; i++)
		s->seg[i] = flat;
	s->seg[INSULA_CS].ar = 0x9b;
	s->seg[INSULA_LDTR].ar = 0x82;
	s->seg[INSULA_TR].ar = 0x8b;
	s->gdtr = s->idtr = (struct insula_segment){.limit = 0xffff};
	s->dirty = INSULA_VS_GPR | INSULA_VS_IP | INSULA_VS_CR | INSULA_VS_SEG | INSULA_VS_MSR |
		   INSULA_VS_DEBUG | INSULA_VS_CTL;
}

static void set_state_page(seL4_CPtr vcpu, seL4_CPtr frame)
{
	runtime_must(frame ? insula_VCPU_SetStatePage(vcpu, frame) : insula_VCPU_RemoveStatePage(vcpu),
		     "state page");
}

/* A vCPU without a state page is put into its first state by one, in an entry that ends at its first exit. */
void guest_make(struct party *p, seL4_CPtr tcb, int with_page)
{
	seL4_CPtr vcpu = object_new(seL4_X86_VCPUObject, 0);

	if (!ept)
		memory();
	if (!state_frames[p->cpu]) {
		state_frames[p->cpu] = object_new(seL4_X86_4K, 0);
		states[p->cpu] = window(state_frames[p->cpu], 1 + p->cpu);
	}
	p->state = with_page ? states[p->cpu] : 0;
	p->vcpu = vcpu;
	state_reset(states[p->cpu]);
	runtime_must(seL4_X86_VCPU_SetTCB(vcpu, tcb), "SetTCB");
	runtime_must(seL4_TCB_SetEPTRoot(tcb, ept), "SetEPTRoot");
	set_state_page(vcpu, state_frames[p->cpu]);
}

static void expect_cpuid(seL4_Word result, seL4_Word reason)
{
	if (result != SEL4_VMENTER_RESULT_FAULT || reason != EXIT_CPUID) {
		print("LOCK guest: result %u reason %u\n", result, reason);
		for (;;)
			seL4_Yield();
	}
}

static void enter(struct insula_vcpu_state *s, seL4_Word rounds)
{
	for (seL4_Word i = 0; i < rounds; i++) {
		seL4_Word badge = 0, result = seL4_VMEnter(&badge);

		expect_cpuid(result, s->reason);
		s->rip += CPUID_BYTES;
		s->dirty = INSULA_VS_IP;
	}
}

void guest_caller_page(struct party *p, seL4_Word rounds)
{
	enter(p->state, rounds);
}

void guest_caller_own(struct party *p, seL4_Word rounds)
{
	if (p->state->rip < CODE_OWN) {
		p->state->rip = CODE_OWN;
		p->state->dirty |= INSULA_VS_IP;
	}
	enter(p->state, rounds);
}

void guest_caller_message(struct party *p, seL4_Word rounds)
{
	seL4_Word rip = CODE_CPUID;

	if (!p->state) {
		struct insula_vcpu_state *s = states[p->cpu];

		p->state = s;
		enter(s, 1);
		set_state_page(p->vcpu, 0);
	}
	for (seL4_Word i = 0; i < rounds; i++) {
		seL4_Word badge = 0, result;

		seL4_SetMR(SEL4_VMENTER_CALL_EIP_MR, rip);
		seL4_SetMR(SEL4_VMENTER_CALL_CONTROL_PPC_MR, 0);
		seL4_SetMR(SEL4_VMENTER_CALL_CONTROL_ENTRY_MR, 0);
		result = seL4_VMEnter(&badge);
		expect_cpuid(result, seL4_GetMR(SEL4_VMENTER_FAULT_REASON_MR));
		rip = seL4_GetMR(SEL4_VMENTER_CALL_EIP_MR) + CPUID_BYTES;
	}
}
