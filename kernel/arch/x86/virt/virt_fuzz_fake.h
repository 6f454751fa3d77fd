/*
 * What the fuzzers of both vendors do with the real driver on a fake CPU: a hostile VMM that puts and writes
 * what it likes, a hostile guest that exits as it likes, kernel operations in between, on two CPUs. The
 * judges are the fakes (svm_check_fake.c, vmx_check_fake.c: what may be in a VMCB or VMCS at an entry), the
 * TLB that goes stale, and what is said here of exits.
 */
#ifndef VIRT_FUZZ_FAKE_H
#define VIRT_FUZZ_FAKE_H

#include "arch/x86/virt/virt_fake.h"
#include <stddef.h>

/* One run on a fresh machine: the vendor's CPU as `fake`'s traits say. Stops the program at the first fault.
 */
void virt_fuzz_run(const struct virt_ops *ops, const uint8_t *data, size_t size);

#endif
