/*
 * A CPU with SVM that plays the script of virt_fake.h: VMRUN's checks, intercepts, event delivery, the clean
 * bits (what is said to be unchanged is compared with what it was), EXITINTINFO, and TCG's ways where
 * svm_virq is set. APM vol. 2, chapter 15.
 */
#include "arch/x86/virt/svm/svm.h"
#include "arch/x86/virt/svm/svm_hw.h"
#include "arch/x86/virt/svm/svm_check_fake.h"
#include "arch/x86/virt/virt_fake.h"
#include "arch/x86/virt/virt_tlb_fake.h"
#include "arch/x86/mm/window.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

/* What each CPU may have kept of the VMCB that it ran last. */
static struct vmcb fake_svm_cached[FAKE_CPUS];
static struct vmcb *fake_svm_cached_of[FAKE_CPUS];

void fake_svm_reset(void)
{
	memset(fake_svm_cached_of, 0, sizeof(fake_svm_cached_of));
	svm_traits = (struct svm_traits){0};
}

/* ---- clean bits ---- */

/* Intercepts, and the words that are cached, must be what they were where a clean bit says so. */
static void fake_svm_clean(struct vmcb *b)
{
	const struct vmcb *c = &fake_svm_cached[percpu_self()->cpu];
	uint64_t clean = b->clean;

	/* clean bits of a VMCB that this CPU has not run last are a promise about something else (15.15.4) */
	if (fake_svm_cached_of[percpu_self()->cpu] != b)
		clean = 0;

	if (clean & SVM_CLEAN_INTERCEPTS) {
		assert_memory_equal(b, c, 0x18);
		assert_int_equal(b->tsc_offset, c->tsc_offset);
		assert_int_equal(b->pause_count, c->pause_count);
		assert_int_equal(b->pause_threshold, c->pause_threshold);
	}
	if (clean & SVM_CLEAN_MAPS) {
		assert_int_equal(b->iopm_pa, c->iopm_pa);
		assert_int_equal(b->msrpm_pa, c->msrpm_pa);
	}
	if (clean & SVM_CLEAN_ASID)
		assert_int_equal(b->asid, c->asid);
	if (clean & SVM_CLEAN_VINTR)
		assert_int_equal(b->vintr, c->vintr);
	if (clean & SVM_CLEAN_NP) {
		assert_int_equal(b->n_cr3, c->n_cr3);
		assert_int_equal(b->g_pat, c->g_pat);
	}
	if (clean & SVM_CLEAN_CR) {
		assert_int_equal(b->cr0, c->cr0);
		assert_int_equal(b->cr3, c->cr3);
		assert_int_equal(b->cr4, c->cr4);
		assert_int_equal(b->efer, c->efer);
	}
	if (clean & SVM_CLEAN_DR) {
		assert_int_equal(b->dr6, c->dr6);
		assert_int_equal(b->dr7, c->dr7);
	}
	if (clean & SVM_CLEAN_DT)
		assert_memory_equal(&b->gdtr, &c->gdtr, sizeof(b->gdtr));
	if (clean & SVM_CLEAN_SEG) {
		assert_memory_equal(&b->es, &c->es, 4 * sizeof(b->es));
		assert_int_equal(b->cpl, c->cpl);
	}
	if (clean & SVM_CLEAN_CR2)
		assert_int_equal(b->cr2, c->cr2);
}

/* ---- exits ---- */

static void fake_svm_exit(struct vmcb *b, uint64_t code, uint64_t info1, uint64_t info2)
{
	b->exit_code = code;
	b->exit_info1 = info1;
	b->exit_info2 = info2;
}

static bool fake_svm_event(uint64_t event, struct vmcb *b, uint64_t error)
{
	unsigned type = event >> 8 & 7;

	b->exit_int_info = (event & 0x800008ff) | (type == 5 || type == 6 ? 3u : type) << 8 | error << 32;
	return true;
}

static bool fake_svm_simple(struct vmcb *b, const struct fake_step *s, unsigned code)
{
	unsigned bit = code - 0x60;
	uint32_t word = bit < 32 ? b->misc1 : b->misc2;

	if (!(word >> bit % 32 & 1))
		return false;
	fake_svm_exit(b, code, 0, 0);
	b->nrip = svm_traits.nrip ? b->rip + s->length : 0;
	return true;
}

static bool fake_svm_io(struct vcpu *v, struct vmcb *b, const struct fake_step *s)
{
	uint64_t info =
	    s->number << 16 | s->size << 4 | (s->string ? 4u : 0) | (s->rep ? 8u : 0) | (s->act == FAKE_IN);
	const uint8_t *map = window_kv(paddr(b->iopm_pa));
	bool hit = false;

	(void)v;
	for (unsigned p = (unsigned)s->number; p < s->number + s->size; p++)
		hit |= map[p / 8] >> p % 8 & 1;
	if (hit)
		fake_svm_exit(b, SVM_EXIT_IOIO, info, b->rip + s->length);
	return hit;
}

static bool fake_svm_cr_dr(struct vmcb *b, const struct fake_step *s, uint16_t mask, unsigned code)
{
	if (!(mask >> s->number & 1))
		return false;
	fake_svm_exit(b, code + s->number, svm_traits.decode ? BIT(63) | s->gpr : 0, 0);
	b->nrip = svm_traits.nrip ? b->rip + s->length : 0;
	return true;
}

static bool fake_svm_gpa(struct vmcb *b, const struct fake_step *s)
{
	uint64_t info =
	    BIT(32) | 4 | (s->act == FAKE_WRITE_GPA ? 2u : 0) | (s->act == FAKE_FETCH_GPA ? 16u : 0);

	fake_svm_exit(b, SVM_EXIT_NPF, info | s->present, s->gpa);
	if (svm_traits.decode && s->act != FAKE_FETCH_GPA) {
		b->insn_count = 3;
		memcpy(b->insn_bytes, "\x8b\x07\x90", 3);
	}
	return true;
}

/* Instructions and events that exit if they are intercepted, and tell nothing else. */
static const unsigned fake_svm_plain[FAKE_RAW + 1] = {
    [FAKE_CPUID] = SVM_EXIT_CPUID,
    [FAKE_HLT] = SVM_EXIT_HLT,
    [FAKE_INVD] = SVM_EXIT_INVD,
    [FAKE_WBINVD] = SVM_EXIT_WBINVD,
    [FAKE_RDPMC] = SVM_EXIT_RDPMC,
    [FAKE_RDTSC] = SVM_EXIT_RDTSC,
    [FAKE_RDTSCP] = SVM_EXIT_RDTSCP,
    [FAKE_HYPERCALL] = SVM_EXIT_VMMCALL,
    [FAKE_XSETBV] = SVM_EXIT_XSETBV,
    [FAKE_PAUSE] = SVM_EXIT_PAUSE,
    [FAKE_MONITOR] = SVM_EXIT_MONITOR,
    [FAKE_MWAIT] = SVM_EXIT_MWAIT,
    [FAKE_INVLPG] = SVM_EXIT_INVLPG,
    [FAKE_OWN_VIRT] = SVM_EXIT_VMRUN,
    [FAKE_TRIPLE_FAULT] = SVM_EXIT_SHUTDOWN,
};

static bool fake_svm_dr(struct vmcb *b, const struct fake_step *s)
{
	if (fake_svm_cr_dr(b, s, s->act == FAKE_READ_DR ? b->dr_read : b->dr_write,
			   s->act == FAKE_READ_DR ? SVM_EXIT_DR_READ : SVM_EXIT_DR_WRITE))
		return true;
	if (s->act == FAKE_WRITE_DR)
		fake.dr[s->number] = s->gpa;
	return false;
}

static bool fake_svm_exception(struct vmcb *b, const struct fake_step *s)
{
	if (!(b->exceptions >> s->number & 1))
		return false;
	fake_svm_exit(b, SVM_EXIT_EXCEPTION + s->number, s->error, s->gpa);
	b->nrip = svm_traits.nrip ? b->rip + s->length : 0;
	if (s->number == 1)
		b->dr6 |= s->error;
	return true;
}

static bool fake_svm_iret(struct vmcb *b, const struct fake_step *s)
{
	if (fake_svm_simple(b, s, SVM_EXIT_IRET)) {
		fake.done--; /* it is executed when the guest comes back */
		return true;
	}
	fake.nmi_blocked = false;
	b->rflags = BIT(1) | BIT(9);
	return false;
}

/* The counter is loaded by VMRUN: each spin of the script is the first of its entry. */
static bool fake_svm_spin(struct vmcb *b, const struct fake_step *s)
{
	if (s->number <= b->pause_count || (b->pause_threshold && FAKE_PAUSE_CYCLES > b->pause_threshold))
		return false;
	assert_true(fake.pause_loop || !b->pause_count);
	return fake_svm_simple(b, s, SVM_EXIT_PAUSE);
}

/* An exit of any kind, and a guest that has changed all that it can. */
static bool fake_svm_raw(struct vcpu *v, struct vmcb *b, const struct fake_step *s)
{
	fake_svm_exit(b, s->number, s->gpa, s->error << 16 | s->error);
	b->nrip = svm_traits.nrip ? b->rip + s->length : 0;
	b->insn_count = svm_traits.decode ? s->error & 15 : 0;
	b->rip ^= s->gpa & 0xffff;
	b->rflags = (s->gpa & 0x3f7fd5) | 2 | (b->rflags & BIT(8));
	b->shadow = s->rep;
	b->cpl = s->error & 3;
	if (b->cr3 != (s->gpa & MASK(40)))
		fake_tlb_guest_flush(v, b->asid);
	b->cr3 = s->gpa & MASK(40);
	return true;
}

/* True if the step ended the guest's turn. */
static bool fake_svm_step(struct vcpu *v, struct vmcb *b, const struct fake_step *s)
{
	if (fake_svm_plain[s->act])
		return fake_svm_simple(b, s, fake_svm_plain[s->act]);
	switch (s->act) {
	case FAKE_RDMSR:
	case FAKE_WRMSR:
		if (!fake_svm_simple(b, s, SVM_EXIT_MSR))
			return false;
		b->exit_info1 = s->act == FAKE_WRMSR;
		return true;
	case FAKE_IN:
	case FAKE_OUT:
		return fake_svm_io(v, b, s);
	case FAKE_READ_CR:
		return fake_svm_cr_dr(b, s, b->cr_read, SVM_EXIT_CR_READ);
	case FAKE_WRITE_CR:
		return fake_svm_cr_dr(b, s, b->cr_write, SVM_EXIT_CR_WRITE);
	case FAKE_READ_DR:
	case FAKE_WRITE_DR:
		return fake_svm_dr(b, s);
	case FAKE_READ_GPA:
	case FAKE_WRITE_GPA:
	case FAKE_FETCH_GPA:
		return fake_svm_gpa(b, s);
	case FAKE_EXCEPTION:
		return fake_svm_exception(b, s);
	case FAKE_TASK_SWITCH:
		if (!fake_svm_simple(b, s, SVM_EXIT_TASK_SWITCH))
			return false;
		b->exit_info1 = s->number;
		b->exit_info2 = BIT(38); /* a far jump */
		return true;
	case FAKE_INTERRUPT:
		fake_svm_exit(b, SVM_EXIT_INTR, 0, 0);
		return b->misc1 & SVM_MISC1_INTR;
	case FAKE_HOST_NMI:
		fake_svm_exit(b, SVM_EXIT_NMI, 0, 0);
		fake.host_nmis++; /* taken when GIF is set again */
		return b->misc1 & SVM_MISC1_NMI;
	case FAKE_HOST_MC:
		fake_svm_exit(b, SVM_EXIT_EXCEPTION + 18, 0, 0);
		return b->exceptions & BIT(18);
	case FAKE_IRET:
		return fake_svm_iret(b, s);
	case FAKE_STI:
		b->rflags |= BIT(9);
		return false;
	case FAKE_TOUCH:
		fake_tlb_use(v, b->asid, paddr(b->n_cr3));
		return false;
	case FAKE_GUEST_FLUSH:
		fake_tlb_guest_flush(v, b->asid);
		return false;
	case FAKE_SPIN:
		return fake_svm_spin(b, s);
	case FAKE_RAW:
		return fake_svm_raw(v, b, s);
	case FAKE_INT1: /* a trap: RIP is behind it */
		b->rip += s->length;
		fake_svm_exit(b, SVM_EXIT_EXCEPTION + 1, 0, 0);
		return b->exceptions & BIT(1);
	default:
		return false;
	}
}

/* A single step after an instruction that did not exit. */
static bool fake_svm_trap(struct vmcb *b, bool trap)
{
	b->shadow = 0;
	if (!trap)
		return false;
	b->dr6 |= BIT(14);
	fake_svm_exit(b, SVM_EXIT_EXCEPTION + 1, 0, 0);
	return b->exceptions & BIT(1);
}

/* ---- VMRUN ---- */

static bool fake_svm_open(const struct vmcb *b)
{
	return (b->rflags & BIT(9)) && !(b->shadow & 1);
}

/* True: the exit is a virtual interrupt's. */
static bool fake_svm_virq(struct vmcb *b)
{
	svm_vintr_t i = {{b->vintr}};

	if (!svm_vintr_irq(i) || !fake_svm_open(b))
		return false;
	if (b->misc1 & SVM_MISC1_VINTR) {
		fake_svm_exit(b, SVM_EXIT_VINTR, 0, 0);
		return true;
	}
	/* what svm_virq false stands for: a CPU where V_IRQ must not be relied upon */
	assert_true(fake.svm_virq);
	fake_deliver(vtx_event_make(VTX_EVENT_EXTERNAL, svm_vintr_vector(i), false), 0, b->rip);
	b->vintr = svm_vintr_with_irq(i, 0).w[0];
	b->rflags &= ~(uint64_t)(BIT(9) | BIT(8));
	return false;
}

static void fake_svm_inject(struct vmcb *b)
{
	unsigned type = b->event_inj >> 8 & 7;
	uint64_t rip = b->rip;

	if (type == 0)
		assert_false(fake.svm_virq); /* TCG would deliver it twice */
	if (type == 4 && svm_traits.nrip)
		rip = b->nrip;
	fake_deliver(b->event_inj & 0x80000fff, b->event_inj >> 32, rip);
	b->event_inj = 0;
	b->rflags &= ~(uint64_t)(BIT(9) | BIT(8));
	b->shadow = 0;
}

void svm_entry_run(struct vcpu *v, uint64_t vmcb_pa, uint64_t host_pa)
{
	struct vmcb *b = window_kv(paddr(vmcb_pa));
	const struct fake_step *s;
	bool trap;

	assert_ptr_equal(b, v->hw);
	assert_int_equal(host_pa, 0x2000);
	b->exit_int_info = b->insn_count = 0;
	fake_svm_harmless(v, b);
	if (fake_svm_refuses(b)) {
		/* as TCG: 32 bits of code, and the host's registers in the save area */
		fake.refused++;
		fake_svm_exit(b, 0xffffffff, 0, 0);
		b->rip = 0xffffffff80100000;
		b->rax = vmcb_pa;
		return;
	}
	fake_svm_clean(b);
	fake.entries++;
	if (b->tlb_control)
		fake_tlb_flush_all();
	if ((b->event_inj & BIT(31)) && !(fake.done < fake.steps && fake.step[fake.done].vectoring))
		fake_svm_inject(b);
	for (;;) {
		if (fake_svm_virq(b))
			break;
		s = fake_next();
		if (!s) {
			fake_svm_exit(b, SVM_EXIT_INTR, 0, 0);
			fake.interrupt = true;
			break;
		}
		if (s->vectoring) {
			fake_interrupted(s->vectoring);
			fake_svm_event(s->vectoring, b, s->vectoring_error);
			if (fake.svm_virq && (b->exit_int_info & 0x700) == 0)
				b->exit_int_info |= 0x300; /* TCG's name for a V_IRQ whose delivery faulted */
		}
		trap = b->rflags & BIT(8);
		if (fake_svm_step(v, b, s) || fake_svm_trap(b, trap))
			break;
	}
	fake_svm_cached[percpu_self()->cpu] = *b;
	fake_svm_cached_of[percpu_self()->cpu] = b;
}
