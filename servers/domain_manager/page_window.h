/* A single page in our own address space, for as long as one operation takes. */
#ifndef DOMAIN_MANAGER_PAGE_WINDOW_H
#define DOMAIN_MANAGER_PAGE_WINDOW_H

#include <stdint.h>

/* The page of a frame in a slot of ours is cleared. 0 or -ENOMEM. */
int page_window_zero(uint32_t slot);

#endif
