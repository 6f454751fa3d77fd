/* Which of Xen's HVM save records (hvm_context.h) a domain can be given: those whose state we have, and those that say that there was none. Pure. */
#ifndef DOMAIN_MANAGER_HVM_RECORDS_H
#define DOMAIN_MANAGER_HVM_RECORDS_H

#include <stdint.h>

/*
 * A stream for a PVH domain of so many vCPUs on CPUs with these components of XSAVE: 0 if each record in it has the length of its type, names a vCPU that there is, and can be loaded. Else Xen's
 * errors: -EINVAL, -ENODEV (a device that no PVH domain has), -EPERM (machine-check features), -EOPNOTSUPP (XSAVE), -ENXIO (an MSR).
 */
int hvm_records_check(const uint8_t *stream, uint32_t size, uint32_t vcpus, uint64_t xcr0);
/* Of a stream that was accepted: -EINVAL if a CPU record has bits of CR4 beyond these, or of EFER's features. */
int hvm_records_allowed(const uint8_t *stream, uint64_t cr4, uint64_t efer);

#endif
