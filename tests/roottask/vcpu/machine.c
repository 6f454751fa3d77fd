/* Setting up and entering the virtual machine (machine.h). */
#include "machine.h"
#include "vcpu_hw.h"

#define RW     (seL4_RightRead | seL4_RightWrite)
#define EPT_WB 6

struct machine machine;
uint64_t machine_badge;

static void machine_table(uint64_t type, uint64_t label)
{
	runtime_must(bare_call(runtime_make(type, 0), label, WORDS(0, 0), CAPS(machine.ept)), "EPT table");
}

void machine_make(void)
{
	struct machine *m = &machine;

	m->ept = runtime_make(seL4_X86_EPTPML4Object, 0);
	runtime_must(bare_call(seL4_CapInitThreadASIDPool, X86ASIDPoolAssign, NONE, CAPS(m->ept)),
		     "EPT ASID");
	machine_table(seL4_X86_EPTPDPTObject, X86EPTPDPTMap);
	machine_table(seL4_X86_EPTPDObject, X86EPTPDMap);
	machine_table(seL4_X86_EPTPTObject, X86EPTPTMap);
	for (unsigned i = 0; i < GUEST_PAGES; i++) {
		m->frames[i] = runtime_make(seL4_X86_4K, 0);
		m->memory[i] = runtime_map(runtime_copy(m->frames[i], 15));
		runtime_must(
		    bare_call(m->frames[i], X86PageMapEPT, WORDS(i * 4096ull, RW, EPT_WB), CAPS(m->ept)),
		    "guest page");
	}
	m->vcpu = runtime_make(seL4_X86_VCPUObject, 0);
	runtime_must(bare_call(m->vcpu, X86VCPUSetTCB, NONE, CAPS(seL4_CapInitThreadTCB)), "SetTCB");
	runtime_must(bare_call(seL4_CapInitThreadTCB, TCBSetEPTRoot, NONE, CAPS(m->ept)), "SetEPTRoot");
	m->state_frame = runtime_make(seL4_X86_4K, 0);
	m->s = runtime_map(runtime_copy(m->state_frame, 15));
	runtime_must(bare_call(m->vcpu, InsulaVCPUSetStatePage, NONE, CAPS(m->state_frame)), "SetStatePage");
	m->notification = runtime_make(seL4_NotificationObject, 0);
	runtime_must(bare_call(seL4_CapInitThreadTCB, TCBBindNotification, NONE, CAPS(m->notification)),
		     "bind");
	m->timer = runtime_make(insula_TimerObject, 0);
	runtime_must(bare_call(m->timer, InsulaTimerBind, NONE, CAPS(runtime_mint(m->notification, 0x40))),
		     "timer");
	for (unsigned i = 0; i < (unsigned)(guest_end - guest_start); i++)
		m->memory[(GUEST_CODE + i) / 4096][(GUEST_CODE + i) % 4096] = (uint8_t)guest_start[i];
	*machine_word(GUEST_PML4) = GUEST_PDPT | 7;
	*machine_word(GUEST_PDPT) = 0x87; /* 1 GiB */
	*machine_word(GUEST_GDT + 8) = 0x00af9b000000ffff;
	*machine_word(GUEST_GDT + 16) = 0x00cf93000000ffff;
}

uint64_t *machine_word(uint64_t gpa)
{
	return (uint64_t *)(void *)&machine.memory[gpa / 4096][gpa % 4096];
}

static void machine_segment(volatile struct insula_segment *g, uint16_t selector, uint32_t ar, uint32_t limit)
{
	g->selector = selector;
	g->base = 0;
	g->limit = limit;
	g->ar = ar;
}

static void machine_start(const char *program)
{
	volatile struct insula_vcpu_state *s = machine.s;

	for (unsigned i = 0; i < INSULA_GPR_COUNT; i++)
		s->gpr[i] = 0x1111111111111111ull * i;
	s->rip = guest_at(program);
	s->rsp = GUEST_STACK;
	s->rflags = 2;
	s->interruptibility = 0;
	s->activity = 0;
	s->cr2 = 0;
	s->dr7 = 0x400;
	s->dr6 = 0xffff0ff0;
	for (unsigned i = 0; i < 4; i++)
		s->dr[i] = 0;
	s->window = 0;
	s->entry_info = 0;
	s->wanted = 0;
	s->star = s->lstar = s->cstar = s->sfmask = s->kernel_gs_base = 0;
	s->sysenter_cs = s->sysenter_esp = s->sysenter_eip = 0;
	s->pat = 0x0007040600070406;
	s->tsc_offset = s->tsc_aux = 0;
	s->xcr0 = 1;
	s->dirty = INSULA_VS_GPR | INSULA_VS_IP | INSULA_VS_CR | INSULA_VS_SEG | INSULA_VS_MSR |
		   INSULA_VS_DEBUG | INSULA_VS_CTL;
}

void machine_real(const char *program)
{
	volatile struct insula_vcpu_state *s = machine.s;

	machine_start(program);
	s->cr0 = 0x10;
	s->cr3 = s->cr4 = s->efer = 0;
	for (unsigned i = 0; i < INSULA_SEG_COUNT; i++)
		machine_segment(&s->seg[i], 0, 0x93, 0xffff);
	s->seg[INSULA_CS].ar = 0x9b;
	s->seg[INSULA_LDTR].ar = 0x82;
	s->seg[INSULA_TR].ar = 0x8b;
	machine_segment(&s->gdtr, 0, 0, 0);
	machine_segment(&s->idtr, 0, 0, 0x3ff);
}

void machine_long(const char *program)
{
	volatile struct insula_vcpu_state *s = machine.s;

	machine_start(program);
	s->cr0 = 0x80000011;
	s->cr3 = GUEST_PML4;
	s->cr4 = 0x620; /* PAE, OSFXSR, OSXMMEXCPT */
	s->efer = 0x500;
	for (unsigned i = 0; i < INSULA_SEG_COUNT; i++)
		machine_segment(&s->seg[i], 16, 0xc093, 0xffffffff);
	s->seg[INSULA_CS].selector = 8;
	s->seg[INSULA_CS].ar = 0xa09b;
	machine_segment(&s->seg[INSULA_LDTR], 0, 0x10082, 0xffff);
	machine_segment(&s->seg[INSULA_TR], 0, 0x8b, 0x67);
	machine_segment(&s->gdtr, 0, 0, 23);
	s->gdtr.base = GUEST_GDT;
	machine_segment(&s->idtr, 0, 0, 0x7ff);
	s->idtr.base = GUEST_IDT;
}

void machine_protected(const char *program, unsigned privilege)
{
	volatile struct insula_vcpu_state *s = machine.s;
	uint32_t dpl = privilege << 5;

	machine_long(program);
	s->cr0 = 0x11;
	s->cr3 = s->efer = 0;
	s->cr4 = 0x20;
	for (unsigned i = 0; i < INSULA_LDTR; i++)
		machine_segment(&s->seg[i], (uint16_t)(16 | privilege), 0xc093 | dpl, 0xffffffff);
	s->seg[INSULA_CS].selector = (uint16_t)(8 | privilege);
	s->seg[INSULA_CS].ar = 0xc09b | dpl;
}

void machine_real_gate(unsigned vector, const char *handler)
{
	((uint32_t *)(void *)machine.memory[0])[vector] = (uint32_t)guest_at(handler);
}

void machine_long_gate(unsigned vector, const char *handler)
{
	uint64_t at = guest_at(handler);

	*machine_word(GUEST_IDT + 16ull * vector) =
	    (at & 0xffff) | 8 << 16 | 0x8e0000000000ull | (at >> 16 & 0xffff) << 48;
	*machine_word(GUEST_IDT + 16ull * vector + 8) = at >> 32;
}

bool machine_bochs_svm(void)
{
	return runtime_option("bochs") && runtime_virt() == INSULA_VIRT_SVM;
}

bool machine_tcg(void)
{
	uint32_t r[4];

	hw_cpuid(0x40000000, r);
	return r[1] == 0x54474354; /* "TCGT" */
}

void machine_timer(uint64_t ticks)
{
	runtime_must(bare_call(machine.timer, InsulaTimerSet, WORDS(hw_rdtsc() + ticks), NONE), "timer");
}

uint64_t machine_enter(void)
{
	struct message m = {0};

	hw_syscall(seL4_SysVMEnter, &m, 0);
	machine_badge = m.badge;
	return m.info;
}

void machine_expect(uint64_t reason)
{
	case_equal(machine_enter(), 1, "VMEnter's result");
	case_equal(machine.s->reason, reason, "the exit reason");
}

void machine_inject(uint64_t event, uint64_t error)
{
	machine.s->entry_info = event;
	machine.s->entry_error = error;
	machine.s->entry_length = 0;
}

uint64_t machine_read(uint64_t field)
{
	uint64_t e = bare_call(machine.vcpu, X86VCPUReadVMCS, WORDS(field), NONE);

	case_equal(e, 0, "ReadVMCS's error");
	return bare_words[0];
}

uint64_t machine_write(uint64_t field, uint64_t value)
{
	return bare_call(machine.vcpu, X86VCPUWriteVMCS, WORDS(field, value), NONE);
}
