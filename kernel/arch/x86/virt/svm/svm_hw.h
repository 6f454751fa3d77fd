/* SVM's instructions. They decide nothing. On the host svm_fake.c stands in their place. */
#ifndef SVM_HW_H
#define SVM_HW_H

#include "types.h"

struct vcpu;

/*
 * svm_entry.S: with GIF cleared, saves the host's VMSAVE state to host_pa, loads the guest's, runs it, and
 * undoes that. The guest's GPRs but RAX and RSP are in v->gpr. Interrupts are disabled before and after.
 * Returns with GIF set, so a pending NMI or SMI has been taken.
 */
void svm_entry_run(struct vcpu *v, uint64_t vmcb_pa, uint64_t host_pa);

#endif
