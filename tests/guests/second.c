/* The second vCPU of a payload. */
#include "payload.h"

#define AP_PAGE		 UINT64_C(0x8000)
#define APIC_BASE	 0x1b
#define APIC_BASE_X2APIC (UINT64_C(3) << 10)
#define X2APIC_ICR	 0x830
#define ICR_INIT	 UINT64_C(0x4500)
#define ICR_STARTUP	 UINT64_C(0x4600)
#define APIC_ID_OF_1	 (UINT64_C(2) << 32)

extern uint8_t ap_trampoline[], ap_trampoline_end[];
extern void (*volatile ap_entry)(void);

void payload_second_start(void (*run)(void))
{
	volatile uint8_t *to = (volatile uint8_t *)(uintptr_t)AP_PAGE;

	for (size_t i = 0; i < (size_t)(ap_trampoline_end - ap_trampoline); i++)
		to[i] = ap_trampoline[i];
	ap_entry = run;
	payload_wrmsr(APIC_BASE, payload_rdmsr(APIC_BASE) | APIC_BASE_X2APIC);
	payload_wrmsr(X2APIC_ICR, APIC_ID_OF_1 | ICR_INIT);
	payload_wrmsr(X2APIC_ICR, APIC_ID_OF_1 | ICR_STARTUP | AP_PAGE / PAGE);
}
