/*
 * The state of a domain's vCPUs, for a toolstack. Its vmm is asked for it and its threads wait meanwhile (proto/vmm/vmm_start.h); nobody waits for them: the caller comes
 * again, for a while. What a vmm tells concerns its own domain only, and is passed on as it is.
 */
#ifndef DOMAIN_MANAGER_CONTEXT_H
#define DOMAIN_MANAGER_CONTEXT_H

#include <stdint.h>

struct domain;
struct vmm_context;

/* The states are there: context_of, until context_end. -EAGAIN: ask again soon; -EBUSY: its vmm does not answer; -ENOMEM. */
int context_begin(struct domain *d);
struct vmm_context *context_of(const struct domain *d, uint32_t vcpu);
/* A domain that has not started: its vCPUs' states are there to be filled; at first none of them has one. -ENOMEM. */
int context_restore(struct domain *d);
/* A domain that is not paused goes on. Of a paused one the states stay good until it does. */
void context_end(struct domain *d);

/* It was paused, or is about to run again. */
void context_paused(struct domain *d);
void context_unpaused(struct domain *d);
/* It is being taken away; its account was freed. */
void context_forget(struct domain *d);

#endif
