/* Host tests only: what stands in for domain.c. */
#ifndef DOMAIN_FAKE_H
#define DOMAIN_FAKE_H

struct domain;

/* If set: called as a domain's place becomes free, after its memory has gone. */
extern void (*domain_fake_gone)(const struct domain *d);

#endif
