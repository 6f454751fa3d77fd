/*
 * A CPU with VT-x that plays the script of virt_fake.h: VMCSs as tables of fields, VMLAUNCH and VMRESUME with
 * the checks that matter here, intercepts, event delivery, INVEPT and INVVPID on the TLB. Intel SDM vol. 3C,
 * chapters 25 to 31.
 */
#include "arch/x86/virt/vmx/vmx.h"
#include "arch/x86/virt/vmx/vmx_hw.h"
#include "arch/x86/virt/vmx/vmx_check_fake.h"
#include "arch/x86/virt/virt_fake.h"
#include "arch/x86/virt/virt_tlb_fake.h"
#include "arch/x86/mm/window.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define FAKE_VMCS 64

static struct fake_vmcs {
	uint64_t pa;
	bool launched, active;
	uint32_t cpu; /* on which it is active */
	uint64_t field[0x8000];
} * fake_vmcs[FAKE_VMCS], *fake_current[FAKE_CPUS];
static bool fake_vmx_on[FAKE_CPUS];
#define FAKE_CPU percpu_self()->cpu

void fake_vmx_reset(void)
{
	for (unsigned i = 0; i < FAKE_VMCS; i++) {
		free(fake_vmcs[i]);
		fake_vmcs[i] = NULL;
	}
	memset(fake_current, 0, sizeof(fake_current));
	memset(fake_vmx_on, 0, sizeof(fake_vmx_on));
	vmx_traits = (struct vmx_traits){0};
}

/* ---- instructions ---- */

static struct fake_vmcs *fake_vmcs_of(uint64_t pa)
{
	for (unsigned i = 0; i < FAKE_VMCS; i++) {
		if (fake_vmcs[i] && fake_vmcs[i]->pa == pa)
			return fake_vmcs[i];
		if (!fake_vmcs[i]) {
			fake_vmcs[i] = calloc(1, sizeof(*fake_vmcs[i]));
			assert_non_null(fake_vmcs[i]);
			fake_vmcs[i]->pa = pa;
			return fake_vmcs[i];
		}
	}
	fail();
	return NULL;
}

bool vmx_hw_on(uint64_t pa)
{
	assert_int_equal(pa, 0x1000);
	fake_vmx_on[FAKE_CPU] = true;
	return true;
}
bool vmx_hw_clear(uint64_t pa)
{
	struct fake_vmcs *c = fake_vmcs_of(pa);

	assert_true(fake_vmx_on[FAKE_CPU]);
	assert_true(!c->active || c->cpu == FAKE_CPU); /* it would lose what that CPU holds of it (25.11.1) */
	c->launched = c->active = false;
	if (fake_current[FAKE_CPU] == c)
		fake_current[FAKE_CPU] = NULL;
	return true;
}
bool vmx_hw_load(uint64_t pa)
{
	struct fake_vmcs *c;
	uint32_t revision;

	memcpy(&revision, window_kv(paddr(pa)), sizeof(revision));
	assert_int_equal(revision, 0x12);
	c = fake_vmcs_of(pa);
	assert_true(!c->active || c->cpu == FAKE_CPU);
	c->active = true;
	c->cpu = FAKE_CPU;
	fake_current[FAKE_CPU] = c;
	return true;
}
uint64_t vmx_hw_read(uint64_t field)
{
	assert_non_null(fake_current[FAKE_CPU]);
	assert_in_range(field, 0, 0x7fff);
	return fake_current[FAKE_CPU]->field[field];
}
void vmx_hw_write(uint64_t field, uint64_t value)
{
	assert_non_null(fake_current[FAKE_CPU]);
	assert_in_range(field, 0, 0x7fff);
	assert_false((field & 0x6c00) == 0x4400 || (field & 0x6c00) == 0x6400 || (field & 0x6c00) == 0x2400);
	/* bits 14:13: the field's width (25.11.2) */
	value &= field >> 13 == 0 ? 0xffff : field >> 13 == 2 ? 0xffffffff : ~UINT64_C(0);
	fake_current[FAKE_CPU]->field[field] = value;
}
void vmx_hw_invept(uint64_t type, uint64_t eptp)
{
	if (type == 1)
		fake_tlb_flush_root(paddr(eptp & ~0xfffull));
	else
		fake_tlb_flush_all();
}
void vmx_hw_invvpid(uint64_t type, uint64_t vpid)
{
	assert_int_equal(type, 2);
	(void)vpid;
	fake_tlb_flush_tags();
}
uint64_t vmx_hw_read_cr(unsigned n)
{
	return n == 0 ? 0x80010033 : n == 3 ? 0x9000 : 0x2006a0;
}
void vmx_hw_write_cr4(uint64_t v)
{
	assert_true(v & BIT(13));
}
uint16_t vmx_hw_tr(void)
{
	return 0x30;
}
struct vmx_hw_table vmx_hw_gdt(void)
{
	return (struct vmx_hw_table){127, 0x1234000};
}
struct vmx_hw_table vmx_hw_idt(void)
{
	return (struct vmx_hw_table){4095, 0x1235000};
}
void vmx_hw_load_gdt(const struct vmx_hw_table *t)
{
	assert_int_equal(t->limit, 127);
	assert_int_equal(t->base, 0x1234000);
}
void vmx_entry_nmi(void)
{
	fake.host_nmis++;
}

#define F(name) fake_current[FAKE_CPU]->field[VTX_FIELD_##name]

static bool fake_vmx_open(void)
{
	return (F(RFLAGS) & BIT(9)) && !(F(INTERRUPTIBILITY) & 3);
}

/* ---- exits ---- */

static bool fake_vmx_exit(uint32_t reason, uint64_t qualification, unsigned length)
{
	F(REASON) = reason;
	F(QUALIFICATION) = qualification;
	F(EXIT_LENGTH) = length;
	return true;
}

static bool fake_vmx_if(uint64_t control, uint32_t reason, unsigned length)
{
	return (F(PRIMARY) & control) && fake_vmx_exit(reason, 0, length);
}

static bool fake_vmx_exception(const struct fake_step *s)
{
	bool error = s->number == 8 || s->number == 13 || s->number == 14 || s->number == 17;

	if (!(F(EXCEPTIONS) >> s->number & 1))
		return false;
	fake_vmx_exit(0, s->number == 14 ? s->gpa : s->number == 1 ? s->error : 0, s->length);
	F(EXIT_INFO) = vtx_event_make(s->number == 3 || s->number == 4 ? 6 : 3, s->number, error);
	F(EXIT_ERROR) = s->error;
	return true;
}

static bool fake_vmx_io(struct vcpu *v, const struct fake_step *s)
{
	uint64_t q = s->number << 16 | (s->size - 1) | (s->act == FAKE_IN ? 8u : 0) | (s->string ? 16u : 0) |
		     (s->rep ? 32u : 0);
	bool hit = false;

	for (unsigned p = (unsigned)s->number; p < s->number + s->size && p < 65536; p++)
		hit |= v->io_map[p / 8] >> p % 8 & 1;
	return (hit || s->number + s->size > 65536) && fake_vmx_exit(30, q, s->length);
}

/* The write itself, in bits that are the guest's; PAE paging's four registers are loaded with it (SDM vol.
 * 3A, 4.4.1). */
static void fake_vmx_write_cr(bool cr0, uint64_t value)
{
	uint64_t mask = cr0 ? F(CR0_MASK) : F(CR4_MASK), *cr = cr0 ? &F(CR0) : &F(CR4);
	uint64_t old = *cr, loads = cr0 ? BIT(31) | BIT(30) | BIT(29) : BIT(4) | BIT(5) | BIT(7) | BIT(20);

	*cr = (value & ~mask) | (old & mask);
	if (!(F(CR0) & BIT(31)) || !(F(CR4) & BIT(5)) || (F(EFER) & BIT(8)) || !((*cr ^ old) & loads))
		return;
	fake.pdpte_loads++;
	for (unsigned i = 0; i < 4; i++)
		fake_current[FAKE_CPU]->field[VTX_FIELD_PDPTE0 + 2 * i] = fake.pdpte[i];
}

static bool fake_vmx_cr(const struct fake_step *s)
{
	bool write = s->act == FAKE_WRITE_CR;
	uint64_t q = s->number | (write ? 0 : 16u) | s->gpr << 8;

	if (s->number == 3)
		return (F(PRIMARY) & (write ? VTX_PRIMARY_CR3_LOAD : VTX_PRIMARY_CR3_STORE)) &&
		       fake_vmx_exit(28, q, s->length);
	if (s->number == 8)
		return (F(PRIMARY) & (write ? VTX_PRIMARY_CR8_LOAD : VTX_PRIMARY_CR8_STORE)) &&
		       fake_vmx_exit(28, q, s->length);
	/* a write that changes a bit of the mask against the shadow; the value is in gpa */
	if (!write || (s->number != 0 && s->number != 4))
		return false;
	if (s->number == 0 && ((s->gpa ^ F(CR0_SHADOW)) & F(CR0_MASK)))
		return fake_vmx_exit(28, q, s->length);
	if (s->number == 4 && ((s->gpa ^ F(CR4_SHADOW)) & F(CR4_MASK)))
		return fake_vmx_exit(28, q, s->length);
	fake_vmx_write_cr(s->number == 0, s->gpa);
	F(RIP) += s->length;
	return false;
}

static bool fake_vmx_gpa(const struct fake_step *s)
{
	uint64_t q = (s->act == FAKE_READ_GPA	 ? 1u
		      : s->act == FAKE_WRITE_GPA ? 2u
						 : 4u) |
		     (s->present ? 8u : 0) | BIT(7) | BIT(8);

	if (s->present)
		q |= s->act == FAKE_WRITE_GPA ? BIT(5) : s->act == FAKE_FETCH_GPA ? BIT(4) : BIT(4) | BIT(5);
	fake_vmx_exit(48, q, 9 /* an old value */);
	F(GPA) = s->gpa;
	F(GLA) = 0x12345000;
	return true;
}

static uint32_t fake_vmx_tag(void)
{
	return F(SECONDARY) & BIT(5) ? (uint32_t)fake_current[FAKE_CPU]->field[VMCS_VPID] : 0;
}

static bool fake_vmx_dr(const struct fake_step *s)
{
	if (F(PRIMARY) & VTX_PRIMARY_MOV_DR)
		return fake_vmx_exit(29, s->number | (s->act == FAKE_READ_DR ? 16u : 0) | s->gpr << 8,
				     s->length);
	if (s->act == FAKE_WRITE_DR)
		fake.dr[s->number] = s->gpa;
	return false;
}

static bool fake_vmx_spin(const struct fake_step *s)
{
	const uint64_t *field = fake_current[FAKE_CPU]->field;

	if (F(PRIMARY) & VTX_PRIMARY_PAUSE)
		return fake_vmx_exit(40, 0, s->length);
	return (F(SECONDARY) & VTX_SECONDARY_PAUSE_LOOP) && FAKE_PAUSE_CYCLES <= field[VMCS_PLE_GAP] &&
	       s->number * FAKE_PAUSE_CYCLES > field[VMCS_PLE_WINDOW] && fake_vmx_exit(40, 0, s->length);
}

/* An exit of any kind, and a guest that has changed all that it can. */
static bool fake_vmx_raw(struct vcpu *v, const struct fake_step *s)
{
	fake_vmx_exit((uint32_t)s->number & 0x7f, s->gpa, s->length);
	F(EXIT_INFO) = s->number & 0x7f ? 0 : (s->error & 0x1f00) | (s->gpr & 1 ? 17 : 1) | BIT(31);
	F(GPA) = F(GLA) = s->gpa;
	F(RIP) ^= s->gpa & 0xffff;
	F(RFLAGS) = (s->gpa & 0x3f7fd5) | 2;
	F(INTERRUPTIBILITY) = (F(INTERRUPTIBILITY) & VTX_BLOCK_NMI) | (s->rep && F(RFLAGS) & BIT(9));
	F(CR3) = s->gpa & MASK(40);
	fake_tlb_guest_flush(v, fake_vmx_tag());
	return true;
}

static bool fake_vmx_step(struct vcpu *v, const struct fake_step *s)
{
	switch (s->act) {
	case FAKE_CPUID:
		return fake_vmx_exit(10, 0, s->length);
	case FAKE_HLT:
		F(ACTIVITY) = !(F(PRIMARY) & VTX_PRIMARY_HLT);
		return fake_vmx_if(VTX_PRIMARY_HLT, 12, s->length);
	case FAKE_INVD:
		return fake_vmx_exit(13, 0, s->length);
	case FAKE_WBINVD:
		return (F(SECONDARY) & BIT(6)) && fake_vmx_exit(54, 0, s->length);
	case FAKE_RDPMC:
		return fake_vmx_if(VTX_PRIMARY_RDPMC, 15, s->length);
	case FAKE_RDTSC:
		return fake_vmx_if(VTX_PRIMARY_RDTSC, 16, s->length);
	case FAKE_RDTSCP:
		return fake_vmx_if(VTX_PRIMARY_RDTSC, 51, s->length);
	case FAKE_HYPERCALL:
		return fake_vmx_exit(18, 0, s->length);
	case FAKE_XSETBV:
		return fake_vmx_exit(55, 0, s->length);
	case FAKE_PAUSE:
		return fake_vmx_if(VTX_PRIMARY_PAUSE, 40, s->length);
	case FAKE_SPIN:
		return fake_vmx_spin(s);
	case FAKE_MONITOR:
		return fake_vmx_if(VTX_PRIMARY_MONITOR, 39, s->length);
	case FAKE_MWAIT:
		return fake_vmx_if(VTX_PRIMARY_MWAIT, 36, s->length);
	case FAKE_INVLPG:
		return fake_vmx_if(VTX_PRIMARY_INVLPG, 14, s->length);
	case FAKE_OWN_VIRT:
		return fake_vmx_exit(27, 0, s->length);
	case FAKE_RDMSR:
		return fake_vmx_exit(31, 0, s->length);
	case FAKE_WRMSR:
		return fake_vmx_exit(32, 0, s->length);
	case FAKE_IN:
	case FAKE_OUT:
		return fake_vmx_io(v, s);
	case FAKE_READ_CR:
	case FAKE_WRITE_CR:
		return fake_vmx_cr(s);
	case FAKE_READ_DR:
	case FAKE_WRITE_DR:
		return fake_vmx_dr(s);
	case FAKE_READ_GPA:
	case FAKE_WRITE_GPA:
	case FAKE_FETCH_GPA:
		return fake_vmx_gpa(s);
	case FAKE_EXCEPTION:
		return fake_vmx_exception(s);
	case FAKE_TRIPLE_FAULT:
		return fake_vmx_exit(2, 0, 0);
	case FAKE_TASK_SWITCH:
		return fake_vmx_exit(9, s->number | BIT(31), s->length);
	case FAKE_INTERRUPT:
		return fake_vmx_exit(1, 0, 0);
	case FAKE_HOST_NMI:
		fake_vmx_exit(0, 0, 0);
		F(EXIT_INFO) = vtx_event_make(VTX_EVENT_NMI, 2, false);
		return true;
	case FAKE_HOST_MC:
		fake_vmx_exit(0, 0, 0);
		F(EXIT_INFO) = vtx_event_make(VTX_EVENT_EXCEPTION, 18, false);
		return F(EXCEPTIONS) & BIT(18);
	case FAKE_IRET:
		fake.nmi_blocked = false;
		F(INTERRUPTIBILITY) &= ~VTX_BLOCK_NMI;
		F(RFLAGS) |= BIT(9);
		return false;
	case FAKE_STI:
		F(RFLAGS) |= BIT(9);
		return false;
	case FAKE_NOP:
		return false;
	case FAKE_TOUCH:
		fake_tlb_use(v, fake_vmx_tag(), paddr(fake_current[FAKE_CPU]->field[VMCS_EPTP] & ~0xfffull));
		return false;
	case FAKE_GUEST_FLUSH:
		fake_tlb_guest_flush(v, fake_vmx_tag());
		return false;
	case FAKE_RAW:
		return fake_vmx_raw(v, s);
	case FAKE_INT1:
		fake_vmx_exit(0, 0, s->length);
		F(EXIT_INFO) = vtx_event_make(VTX_EVENT_PRIVILEGED, 1, false);
		return F(EXCEPTIONS) & BIT(1);
	}
	return false;
}

/* ---- VM entry ---- */

static void fake_vmx_inject(void)
{
	uint64_t e = F(ENTRY_INFO);
	unsigned type = e >> 8 & 7;

	fake_deliver(e, e & BIT(11) ? F(ENTRY_ERROR) : 0, F(RIP) + (type >= 4 ? F(ENTRY_LENGTH) : 0));
	F(RFLAGS) &= ~(uint64_t)(BIT(9) | BIT(8));
	F(INTERRUPTIBILITY) &= ~(uint64_t)3;
	if (type == VTX_EVENT_NMI)
		F(INTERRUPTIBILITY) |= VTX_BLOCK_NMI;
}

static bool fake_vmx_window(void)
{
	if ((F(PRIMARY) & VTX_PRIMARY_NMI_WINDOW) && !(F(INTERRUPTIBILITY) & 0xb))
		return fake_vmx_exit(8, 0, 0);
	if ((F(PRIMARY) & VTX_PRIMARY_INTERRUPT_WINDOW) && fake_vmx_open())
		return fake_vmx_exit(7, 0, 0);
	return false;
}

/* 27.7.3: a #DB that is pending comes before the first instruction, unless an event does. */
static bool fake_vmx_pending_debug(void)
{
	uint64_t pending = F(PENDING_DEBUG);

	F(PENDING_DEBUG) = 0; /* behind MOV SS it is the trap flag that counts, an instruction later */
	if (F(INTERRUPTIBILITY) & VTX_BLOCK_MOV_SS)
		return false;
	if (!(pending & BIT(14)))
		return false;
	fake_vmx_exit(0, BIT(14), 0);
	F(EXIT_INFO) = vtx_event_make(3, 1, false);
	return true;
}

/* A single step after an instruction that did not exit. */
static bool fake_vmx_trap(bool trap)
{
	F(INTERRUPTIBILITY) &= ~(uint64_t)3;
	if (!trap)
		return false;
	fake_vmx_exit(0, BIT(14), 0);
	F(EXIT_INFO) = vtx_event_make(3, 1, false);
	return true;
}

static void fake_vmx_play(struct vcpu *v)
{
	const struct fake_step *s;
	bool trap;

	while (!fake_vmx_window()) {
		s = fake_next();
		if (!s) {
			fake_vmx_exit(1, 0, 0);
			fake.interrupt = true;
			return;
		}
		if (s->vectoring) {
			fake_interrupted(s->vectoring);
			F(IDT_INFO) = s->vectoring;
			F(IDT_ERROR) = s->vectoring_error;
		}
		trap = F(RFLAGS) & BIT(8);
		if (fake_vmx_step(v, s) || fake_vmx_trap(trap))
			return;
	}
}

enum vmx_entry vmx_entry_run(struct vcpu *v, bool launched)
{
	bool delivers, injects = F(ENTRY_INFO) & BIT(31);

	assert_non_null(fake_current[FAKE_CPU]);
	assert_int_equal(fake_current[FAKE_CPU]->pa, window_pa(v->hw).v);
	assert_int_equal(launched, fake_current[FAKE_CPU]->launched);
	F(IDT_INFO) = F(EXIT_INFO) = 0;
	fake_vmx_harmless(v, fake_current[FAKE_CPU]->field);
	if (fake_vmx_refuses(fake_current[FAKE_CPU]->field)) {
		fake.refused++;
		F(REASON) = VTX_REASON_FAILED | 33;
		return VMX_ENTRY_EXIT;
	}
	if (fake.entry_mc) {
		fake.entry_mc = false;
		F(REASON) = VTX_REASON_FAILED | VTX_REASON_ENTRY_MC;
		return VMX_ENTRY_EXIT;
	}
	fake_current[FAKE_CPU]->launched = true;
	fake.entries++;
	if (!fake_vmx_tag())
		fake_tlb_flush_tag(0);
	delivers = fake.done < fake.steps && fake.step[fake.done].vectoring;
	if (injects && !delivers)
		fake_vmx_inject();
	F(ENTRY_INFO) &= ~BIT(31);
	if (injects)
		F(PENDING_DEBUG) = 0;
	if (!fake_vmx_pending_debug())
		fake_vmx_play(v);
	F(ENTRY_CONTROLS) = (F(ENTRY_CONTROLS) & ~BIT(9)) | (F(EFER) & BIT(10) ? BIT(9) : 0);
	return VMX_ENTRY_EXIT;
}
