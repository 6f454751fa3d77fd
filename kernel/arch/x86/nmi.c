/* Counting and telling of NMIs (nmi.h). */
#include "arch/x86/nmi.h"
#include "arch/x86/apic.h"
#include "arch/x86/arch.h"
#include "arch/x86/cpu_hw.h"
#include "panic.h"
#include "percpu.h"

/* NMI status and control (port B of the PC): bits 7 and 6 say why, bits 2 and 3 clear and switch off. */
enum {
	NMI_PORT = 0x61,
	NMI_SERR = 0x80,
	NMI_CHECK = 0x40,
	NMI_SERR_OFF = 0x04,
	NMI_CHECK_OFF = 0x08,
	NMI_KEPT = 0x0f
};

void nmi_take(void)
{
	struct percpu *p = percpu_self();

	p->arch.counters[PERCPU_COUNT_NMI]++;
	/* Where the kernel next looks at interrupts; a CPU that idles wakes up by it. */
	apic_kick_self();
}

/* Reads why, and makes the line ready to raise the next one. Bits 7:4 must be written as 0. */
static const char *nmi_reason(void)
{
	uint8_t port = cpu_in8(NMI_PORT), kept = port & NMI_KEPT;
	uint8_t off =
	    (uint8_t)((port & NMI_SERR ? NMI_SERR_OFF : 0) | (port & NMI_CHECK ? NMI_CHECK_OFF : 0));

	if (off == 0)
		return "unknown reason";
	cpu_out8(NMI_PORT, kept | off);
	cpu_out8(NMI_PORT, (uint8_t)(kept & ~off));
	return port & NMI_SERR ? "system error (SERR)" : "I/O channel check";
}

void nmi_report(ticks_t now)
{
	struct percpu *p = percpu_self();
	uint64_t count = p->arch.counters[PERCPU_COUNT_NMI], fresh = count - p->arch.nmi_told;

	if (likely(fresh == 0) || now < p->arch.nmi_next)
		return;
	p->arch.nmi_told = count;
	p->arch.nmi_next = now + time_us_to_ticks(1000000);
	kprintf("NMI on CPU %u: %s, %lu new, %lu so far\n", p->cpu, nmi_reason(), fresh, count);
}
