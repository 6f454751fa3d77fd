#include "servers/domain_manager/object_pool.h"

#include <errno.h>
#include "proto/task/task.h"
#include "servers/domain_manager/root_call.h"
#include "user/object.h"
#include "user/slot.h"

#define BLOCK_BITS  15u
#define BLOCKS_EACH 8u /* of one size; then the next are twice as large */
#define BLOCK_TIMES 5u /* so often */

bool object_pool_init(struct object_pool *p, uint32_t account)
{
	*p = (struct object_pool){.account = account, .untyped = (uint32_t)slot_alloc()};
	return p->untyped != 0;
}

void object_pool_end(struct object_pool *p)
{
	if (!p->untyped)
		return;
	(void)seL4_CNode_Delete(TASK_SLOT_CNODE, p->untyped, seL4_WordBits);
	slot_free(p->untyped);
	p->untyped = 0;
}

/* Another block. The rest of the old one stays unused: objects are far smaller than a block. What was made of it is the account's from now on. */
static int refill(struct object_pool *p, unsigned bits)
{
	unsigned times = p->blocks / BLOCKS_EACH, block = BLOCK_BITS + (times < BLOCK_TIMES ? times : BLOCK_TIMES);
	int r;

	if (block < bits)
		block = bits;
	(void)seL4_CNode_Delete(TASK_SLOT_CNODE, p->untyped, seL4_WordBits);
	for (r = -ENOMEM; r == -ENOMEM && block >= bits; block--) {
		r = root_account_alloc(p->account, block, p->untyped);
		p->at = 0;
		p->end = r ? 0 : 1ull << block;
	}
	if (!r)
		p->blocks++;
	return r;
}

int object_pool_make(struct object_pool *p, seL4_Word type, unsigned bits, seL4_CPtr cnode, seL4_Word index)
{
	unsigned size = object_size_bits(type, bits);
	uint64_t at = (p->at + (1ull << size) - 1) & ~((1ull << size) - 1);

	if (!size)
		return -EINVAL;
	if (at + (1ull << size) > p->end) {
		int r = refill(p, size);

		if (r)
			return r;
		at = 0;
	}
	if (seL4_Untyped_Retype(p->untyped, type, bits, cnode, 0, 0, index, 1))
		return -ENOMEM;
	p->at = at + (1ull << size);
	return 0;
}
