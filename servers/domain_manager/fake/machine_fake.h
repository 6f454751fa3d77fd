/*
 * Host tests only: a machine of pages for the domain manager's record of memory. Capabilities in CNodes, frames and their mappings, as the kernel treats them; accounts
 * and what is kept for them, as root does. What makes no sense there fails the test.
 */
#ifndef MACHINE_FAKE_H
#define MACHINE_FAKE_H

#include <stdbool.h>
#include <stdint.h>
#include "sel4/sel4.h"
#include "servers/domain_manager/p2m.h"

#define DOMAINS 3u
#define BLOCKS	23u /* of 2 MiB: all that there is for guests */
#define EACH	P2M_LARGE_PAGES
#define SMALL	4096u /* objects of less than 2 MiB, and single pages among them */
#define PAGES	(BLOCKS * EACH + SMALL)
#define GFNS	4096u /* of a domain's own memory; foreign pages come behind */
#define FOREIGN 256u
#define SPACE	(GFNS + FOREIGN)
#define SLOTS	4096u
#define SMALL_BLOCK 1000000u /* root's number of each */
#define ACCOUNTS 300u

enum { NOTHING, UNTYPED, CNODE, FRAME, TABLE };
enum { GUEST, VMM, VIEWS };

struct cap {
	uint32_t kind, page, pages, domain, view, at; /* a CNode's number, or a frame's first page, and where it is mapped */
	bool mapped, write;
	uint64_t ours; /* where it is in our own address space; 0: nowhere */
};
/* What is in a slot; NULL: there is no such slot. */
struct cap *cap_at(seL4_CPtr root, seL4_Word index);

/* Domain n's second-level tables and its vmm's address space, as capabilities of ours. */
#define EPT_ROOT(n) (1000u + (n))
#define VSPACE(n)   (2000u + (n))
extern struct cap *seen[DOMAINS][VIEWS][SPACE]; /* which capability's mapping is there */
uint32_t page_at(uint32_t domain, unsigned view, uint64_t at); /* UINT32_MAX: nothing is there */
struct physmap;
uint32_t nowhere_page(const struct physmap *m); /* that its vmm has where its guest has none; UINT32_MAX: none was made */
uint32_t page_of_ours(const uint8_t *at);	/* that we find there; UINT32_MAX: none */
extern uint8_t data[PAGES];			/* of a page. 0: cleared; else what a domain wrote */
uint8_t *memory(uint32_t page);			/* what is in it */
extern uint32_t block_of[BLOCKS];		/* the account that has it; 0: free */
extern uint64_t reserved[ACCOUNTS];		/* bytes */
extern uint32_t small_blocks[ACCOUNTS];		/* of less than 2 MiB, that an account has */
uint64_t free_blocks(void);
uint64_t reserved_all(void);

/* What is noted of domain n; DOMAINS: of all of them. */
struct domain_heap;
void heap_begin(struct domain_heap *h, uint32_t n);

uint32_t pick(uint32_t n); /* below n, by rand() */

extern uint32_t fail_in; /* the n-th of what can fail from now on does; UINT32_MAX: none */
bool fails(void);

#endif
