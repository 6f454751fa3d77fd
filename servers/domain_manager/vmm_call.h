/* What vmms ask for their domains: event channels, guest-physical memory, grants. */
#ifndef DOMAIN_MANAGER_VMM_CALL_H
#define DOMAIN_MANAGER_VMM_CALL_H

#include <stdbool.h>
#include <stdint.h>

/* A message of the vmm of domain `id`, of DOMAIN_VMM_EVTCHN_UNBOUND and above. The label's result; reply and its length are filled. */
int vmm_call(uint32_t id, bool privileged, uint64_t label, const uint64_t *m, unsigned length, uint64_t *reply, unsigned *reply_length);

#endif
