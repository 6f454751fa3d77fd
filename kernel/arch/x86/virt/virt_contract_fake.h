/*
 * The three CPUs on which the vendor contract's cases run (SVM as hardware has it, SVM as QEMU's TCG has it,
 * VT-x), and what the cases have in common. Tests only.
 */
#ifndef VIRT_CONTRACT_FAKE_H
#define VIRT_CONTRACT_FAKE_H

#include "arch/x86/virt/virt_fake.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define IF BIT(9)
#define ALL_GROUPS                                                                                           \
	(INSULA_VS_GPR | INSULA_VS_IP | INSULA_VS_CR | INSULA_VS_SEG | INSULA_VS_MSR | INSULA_VS_DEBUG |     \
	 INSULA_VS_CTL)

extern bool has_length; /* exits carry the instruction's length */
extern bool has_gpr;	/* and which register it names */
extern bool is_svm;
int start_svm(void **state);
int start_tcg(void **state);
int start_vmx(void **state);

extern struct insula_vcpu_state s; /* as get() found it last */
void get(struct vcpu *v);
/* Runs, and it must come out with this reason; get()s. */
void run_expect(struct vcpu *v, uint64_t reason);
void put_long_mode(struct vcpu *v);
void put_flags(struct vcpu *v, uint64_t rflags, uint64_t interruptibility);
uint64_t read_field(struct vcpu *v, uint32_t field);
uint64_t write_field(struct vcpu *v, uint32_t field, uint64_t value); /* returns what was stored */
void inject(struct vcpu *v, uint64_t event, uint32_t error);

/* Runs the cases of one array on each CPU. */
struct contract_case {
	const char *name;
	void (*f)(void **state);
};
#define CASE(f)                                                                                              \
	{                                                                                                    \
#f, f                                                                                        \
	}
int contract_run(const struct contract_case *cases, unsigned count);

#endif
