/*
 * Single pages of domains in our own address space, for as long as one operation takes: what is copied between two domains passes through here. The page is
 * hostile memory that changes while it is looked at.
 */
#ifndef DOMAIN_MANAGER_PAGE_WINDOW_H
#define DOMAIN_MANAGER_PAGE_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

struct domain;

#define PAGE_WINDOWS 2u

/* Page gfn of the domain's own memory appears at *at in window n, which must be closed. 0, -ENOENT (not memory of its own), -ENOMEM. */
int page_window_open(unsigned n, struct domain *d, uint64_t gfn, bool write, uint8_t **at);
void page_window_close(unsigned n);
/* The page of a frame in a slot of ours is cleared. 0 or -ENOMEM. */
int page_window_zero(uint32_t slot);

#endif
