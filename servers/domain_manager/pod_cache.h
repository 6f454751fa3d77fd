/*
 * How many pages are kept for a domain that is populated on demand, when its target changes: Xen's rule (the comment in xen/include/public/memory.h says what a target
 * is). Pure.
 */
#ifndef DOMAIN_MANAGER_POD_CACHE_H
#define DOMAIN_MANAGER_POD_CACHE_H

#include <stdint.h>

/*
 * target: pages that the domain is to have; total: pages that it has, the cache's included; cache: pages kept; entries: places still to be populated. Returns the
 * cache's new size. Nothing changes if no places are left, but while the domain is being made; nor for a target below what it has: the balloon brings it there.
 * The cache is never larger than the places need, once some are populated: the balloon takes the rest.
 */
uint64_t pod_cache_for(uint64_t target, uint64_t total, uint64_t cache, uint64_t entries);

#endif
