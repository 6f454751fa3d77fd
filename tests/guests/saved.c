/*
 * What a domain must have again when it was saved and restored, here or elsewhere: its memory, and of both vCPUs the registers, the model-specific ones too, the time-stamp counter, and
 * a local APIC whose timer ticks. `saved` says twice a second what it finds, and is suspended when the toolstack asks for it. `avx=1`: AVX's registers and XCR0 too.
 */
#include "payload.h"

#include <xen/io/xs_wire.h>
#include <xen/memory.h>
#include <xen/sched.h>

#define INFO_GFN     UINT64_C(0x6f000)
#define MEMORY_FIRST (UINT64_C(8) << 20)
#define MEMORY_GAP   (UINT64_C(64) << 10) /* special pages may lie at the end */
#define PAGES_STEP   8u			  /* one of so many has a pattern, the others are zeros: a stream that is easily packed */

#define HYPERCALL_PAGE_MSR 0x40000000u
#define VECTOR		 0x40u
#define APIC_BASE	 0x1b
#define APIC_BASE_X2APIC (UINT64_C(3) << 10)
#define X2APIC_EOI	 0x80b
#define X2APIC_SVR	 0x80f
#define X2APIC_LVT_TIMER 0x832
#define X2APIC_TIMER	 0x838
#define X2APIC_DIVIDE	 0x83e
#define SVR_ON		 0x1ffu
#define LVT_PERIODIC	 0x20000u
#define DIVIDE_BY_1	 0xbu
#define TIMER_COUNT	 10000000u /* 100 ms */
#define TICKS		 5u

#define CPUID_XSAVE_AVX (1u << 26 | 1u << 28)
#define CR4_OSFXSR	(1u << 9)
#define CR4_OSXSAVE	(1u << 18)
#define XCR0_AVX	7u

/* The PAT is not among them: Xen leaves it to the CPU, and QEMU's emulation of SVM has one for all of them. */
static const uint32_t msrs[] = {
	0x174, 0x175, 0x176,			/* SYSENTER_CS, _ESP, _EIP */
	0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084, /* STAR, LSTAR, CSTAR, SFMASK */
	0xc0000100, 0xc0000101, 0xc0000102,	/* FS.base, GS.base, KERNEL_GS.base */
};
#define MSRS (sizeof(msrs) / sizeof(msrs[0]))

static struct saved_cpu {
	uint64_t msr[MSRS];
	uint64_t ymm[4];
	uint64_t tsc;
	volatile uint64_t ticks;
	volatile uint32_t wrong; /* bits: of what */
} cpus[2];
enum { WRONG_MSR = 1 << 16 /* the first of them */, WRONG_YMM = 2, WRONG_DEBUG = 4, WRONG_TSC = 8, WRONG_XCR0 = 16, WRONG_MEMORY = 32, WRONG_TIME = 64 };
static bool avx;

/* ---- registers ---- */

static uint64_t value_of(unsigned int cpu, unsigned int i)
{
	return (UINT64_C(0x1234567) + i * 0x1111 + cpu * 0x10) * 0x1000;
}

static uint64_t msr_value(unsigned int cpu, unsigned int i)
{
	switch (msrs[i]) {
	case 0x174:
		return 8;
	case 0xc0000084:
		return 0x47700 + cpu;
	case 0xc0000081:
		return UINT64_C(0x0013000800000000) + cpu;
	default:
		return value_of(cpu, i);
	}
}

static void debug_set(unsigned int cpu)
{
	__asm__ volatile("movq %0, %%db0; movq %1, %%db3" : : "r"(value_of(cpu, 50)), "r"(value_of(cpu, 51)));
}

static bool debug_same(unsigned int cpu)
{
	uint64_t zero, three;

	__asm__ volatile("movq %%db0, %0; movq %%db3, %1" : "=r"(zero), "=r"(three));
	return zero == value_of(cpu, 50) && three == value_of(cpu, 51);
}

static void ymm_set(const struct saved_cpu *c)
{
	if (avx)
		__asm__ volatile("vmovdqu (%0), %%ymm5" : : "r"(c->ymm) : "memory");
	else
		__asm__ volatile("movdqu (%0), %%xmm5" : : "r"(c->ymm) : "memory");
}

static bool ymm_same(const struct saved_cpu *c)
{
	uint64_t now[4] = { 0, 0, c->ymm[2], c->ymm[3] };

	if (avx)
		__asm__ volatile("vmovdqu %%ymm5, (%0)" : : "r"(now) : "memory");
	else
		__asm__ volatile("movdqu %%xmm5, (%0)" : : "r"(now) : "memory");
	return now[0] == c->ymm[0] && now[1] == c->ymm[1] && now[2] == c->ymm[2] && now[3] == c->ymm[3];
}

static uint32_t xcr0(void)
{
	uint32_t low, high;

	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return low;
}

static void registers_set(unsigned int cpu)
{
	struct saved_cpu *c = &cpus[cpu];
	uint64_t cr4;

	__asm__ volatile("movq %%cr4, %0" : "=r"(cr4));
	__asm__ volatile("movq %0, %%cr4" : : "r"(cr4 | CR4_OSFXSR | (avx ? CR4_OSXSAVE : 0u)));
	if (avx)
		__asm__ volatile("xsetbv" : : "c"(0), "a"(XCR0_AVX), "d"(0));
	for (unsigned int i = 0; i < MSRS; i++) {
		payload_wrmsr(msrs[i], msr_value(cpu, i));
		c->msr[i] = payload_rdmsr(msrs[i]);
	}
	for (unsigned int i = 0; i < 4; i++)
		c->ymm[i] = value_of(cpu, 100 + i);
	ymm_set(c);
	debug_set(cpu);
	c->tsc = payload_tsc();
}

static void registers_look(unsigned int cpu)
{
	struct saved_cpu *c = &cpus[cpu];
	uint64_t tsc = payload_tsc();

	for (unsigned int i = 0; i < MSRS; i++)
		if (payload_rdmsr(msrs[i]) != c->msr[i] || c->msr[i] != msr_value(cpu, i))
			c->wrong |= (uint32_t)WRONG_MSR << i;
	if (!ymm_same(c))
		c->wrong |= WRONG_YMM;
	if (!debug_same(cpu))
		c->wrong |= WRONG_DEBUG;
	if (avx && xcr0() != XCR0_AVX)
		c->wrong |= WRONG_XCR0;
	if (tsc <= c->tsc)
		c->wrong |= WRONG_TSC;
	c->tsc = tsc;
}

/* ---- ticks ---- */

static void timer_start(void)
{
	payload_wrmsr(APIC_BASE, payload_rdmsr(APIC_BASE) | APIC_BASE_X2APIC);
	payload_wrmsr(X2APIC_SVR, SVR_ON);
	payload_wrmsr(X2APIC_LVT_TIMER, LVT_PERIODIC | VECTOR);
	payload_wrmsr(X2APIC_DIVIDE, DIVIDE_BY_1);
	payload_wrmsr(X2APIC_TIMER, TIMER_COUNT);
}

static void tick(unsigned int cpu)
{
	payload_halt();
	payload_cli();
	payload_wrmsr(X2APIC_EOI, 0);
	cpus[cpu].ticks++;
}

static void second(void)
{
	registers_set(1);
	timer_start();
	for (;;) {
		tick(1);
		registers_look(1);
	}
}

/* ---- memory and time ---- */

static bool memory_walk(bool set)
{
	uint64_t end = payload_ram_end() - MEMORY_GAP;

	for (uint64_t page = MEMORY_FIRST; page < end; page += PAGE)
		for (volatile uint64_t *word = (volatile uint64_t *)page; word < (volatile uint64_t *)(page + PAGE); word++) {
			uint64_t value = page / PAGE % PAGES_STEP ? 0 : page / PAGE * UINT64_C(0x9e3779b97f4a7c15);

			if (set)
				*word = value;
			else if (*word != value)
				return false;
		}
	return true;
}

/* The shared page, and its layout with the wall clock, are not a part of what is saved: the guest asks for them. */
static uint64_t wall_seconds(struct saved_cpu *c)
{
	struct xen_add_to_physmap a = { .domid = DOMID_SELF, .space = XENMAPSPACE_shared_info, .gpfn = INFO_GFN };
	const volatile struct shared_info *info = (const volatile struct shared_info *)(uintptr_t)(INFO_GFN * PAGE);
	const volatile struct vcpu_time_info *t = &info->vcpu_info[0].time;
	uint64_t delta, ns;

	payload_wrmsr(HYPERCALL_PAGE_MSR, address(hypercall_page));
	if (hypercall(__HYPERVISOR_memory_op, XENMEM_add_to_physmap, address(&a)))
		c->wrong |= WRONG_TIME;
	delta = payload_tsc() - t->tsc_timestamp;
	delta = t->tsc_shift >= 0 ? delta << t->tsc_shift : delta >> -t->tsc_shift;
	ns = t->system_time + (uint64_t)(((unsigned __int128)delta * t->tsc_to_system_mul) >> 32) + info->wc_nsec;
	return ((uint64_t)info->wc_sec_hi << 32 | info->wc_sec) + ns / 1000000000;
}

/* ---- being saved ---- */

static const char asked[] = "control/shutdown";

/* The console and the store have other event channels afterwards. */
static void suspend_if_asked(void)
{
	static const char word[] = "suspend";
	struct sched_shutdown s = { .reason = SHUTDOWN_suspend };
	char value[sizeof(word)];
	size_t length = store_ask(XS_READ, asked, sizeof(asked), value, sizeof(value));

	if (length != sizeof(word) - 1)
		return;
	for (size_t i = 0; i < length; i++)
		if (value[i] != word[i])
			return;
	(void)store_ask(XS_WRITE, asked, sizeof(asked), value, sizeof(value));
	(void)hypercall(__HYPERVISOR_sched_op, SCHEDOP_shutdown, address(&s));
	console_init();
	store_init();
}

static void saved_item(const char *what, uint64_t value)
{
	console_print(what);
	console_number(value);
}

static void saved(void)
{
	uint64_t n = 0;

	avx = payload_option("avx", 0) && (payload_cpuid(1).c & CPUID_XSAVE_AVX) == CPUID_XSAVE_AVX;
	store_init();
	(void)memory_walk(true);
	registers_set(0);
	timer_start();
	payload_second_start(second);
	for (;;) {
		tick(0);
		registers_look(0);
		if (cpus[0].ticks % TICKS)
			continue;
		if (!memory_walk(false))
			cpus[0].wrong |= WRONG_MEMORY;
		saved_item("SAVED tick ", ++n);
		saved_item(" wall ", wall_seconds(&cpus[0]));
		saved_item(" tsc ", cpus[0].tsc);
		saved_item(" cpu1 ", cpus[1].ticks);
		saved_item(" wrong ", cpus[0].wrong);
		saved_item(" ", cpus[1].wrong);
		console_print(avx ? " avx\n" : " sse\n");
		suspend_if_asked();
	}
}

const struct payload_mode saved_modes[] = {
	{ "saved", saved },
	{ NULL, NULL },
};
