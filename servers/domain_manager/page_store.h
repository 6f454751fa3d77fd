/*
 * The machine's memory that is handed out by single pages: the owner's capabilities of all of them, and the blocks of 2 MiB that they are of, in an account of ours
 * at root. A domain has copies, with its mappings. A block of which all pages are free goes back to root at once. What lies where, and for whom pages are kept:
 * page_pool.h.
 */
#ifndef DOMAIN_MANAGER_PAGE_STORE_H
#define DOMAIN_MANAGER_PAGE_STORE_H

#include <stdbool.h>
#include <stdint.h>
#include "servers/domain_manager/frame_store.h"
#include "servers/domain_manager/page_pool.h"
#include "servers/domain_manager/root_call.h"

/* Takes what the store needs before it has anything, from root. 0 or -ENOMEM: it is tried again when a page is wanted. */
int page_store_begin(void);

/* Root's figures (all words of enum root_info), with what is free here as free. */
int page_store_info(uint64_t info[ROOT_INFO_WORDS]);
/* Free pages that are kept for nobody. */
uint64_t page_store_open(void);
/* So many more of the open ones are kept, or (negative) fewer. The caller sees to it that there are so many. */
void page_store_promise(int64_t pages);

/* 512 pages more, from root. 0 or -ENOMEM. */
int page_store_grow(void);
/* A block of a domain's account, all of whose pages `owner` has, becomes one of ours: its pages are *first, *first + 1, ... 0 or -ENOMEM. And back again. */
int page_store_adopt(uint32_t account, uint64_t block, const void *owner, uint32_t *first);
void page_store_adopt_undo(uint32_t account, uint32_t first);

/* An open page becomes a domain's. *dirty: it is not cleared. -ENOMEM: there is none. */
int page_store_take(const void *owner, uint32_t *hint, uint32_t *page, bool *dirty);
/* Nobody has a copy of it any more, or will when the caller is done. */
void page_store_give(uint32_t page);
/* Where its capability is. Root 0: there is no such page. */
struct frame_place page_store_place(uint32_t page);

/* Whether a page is of a block that others have pages of, too. */
bool page_store_shared(uint32_t page);
/* Blocks of which only `owner` has pages go back to root with these, which are revoked. How many pages it had of them. */
uint64_t page_store_end(const void *owner);

#endif
