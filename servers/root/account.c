/* Memory accounts. See account.h. */
#include "servers/root/account.h"

#include "user/object.h"

#define CHUNK_BITS 16u /* for objects of a page and more */
#define SMALL_BITS 12u /* for smaller ones */

static struct account accounts[ACCOUNTS_MAX];
static uint32_t account_last;
static uint64_t account_reserved; /* of all */

struct account *account_create(uint32_t owner)
{
	for (uint32_t i = 0; i < ACCOUNTS_MAX; i++) {
		struct account *a = &accounts[i];

		if (a->id)
			continue;
		/* ids return late, so that a stale one is noticed */
		account_last = account_last % 0x7fffff + 1;
		*a = (struct account){.id = account_last * ACCOUNTS_MAX + i, .owner = owner};
		return a;
	}
	return NULL;
}

struct account *account_find(uint32_t id, uint32_t owner)
{
	struct account *a = &accounts[id % ACCOUNTS_MAX];

	return id && a->id == id && a->owner == owner ? a : NULL;
}

void account_free(struct account *a)
{
	struct buddy_node *n, *next;

	for (n = a->blocks; n; n = next) {
		next = n->next;
		memory_release(n);
	}
	account_reserved -= a->reserved;
	*a = (struct account){0};
}

uint64_t account_free_bytes(void)
{
	uint64_t all = memory_free_bytes();

	return all > account_reserved ? all - account_reserved : 0;
}

bool account_reserve(struct account *a, uint64_t bytes)
{
	if (bytes > a->reserved && bytes - a->reserved > account_free_bytes())
		return false;
	account_reserved = account_reserved - a->reserved + bytes;
	a->reserved = bytes;
	return true;
}

static void block_add(struct account *a, struct buddy_node *n)
{
	n->next = a->blocks;
	a->blocks = n;
	a->bytes += 1ull << n->bits;
}

static void block_take_out(struct account *a, struct buddy_node *n)
{
	struct buddy_node **at = &a->blocks;

	while (*at != n)
		at = &(*at)->next;
	*at = n->next;
	a->bytes -= 1ull << n->bits;
}

struct buddy_node *account_block(struct account *a, unsigned bits)
{
	struct buddy_node *n = bits < 64 && account_free_bytes() + a->reserved >= 1ull << bits ? memory_take(bits) : NULL;

	if (n)
		block_add(a, n);
	return n;
}

void account_block_return(struct account *a, struct buddy_node *n)
{
	block_take_out(a, n);
	memory_release(n);
}

void account_block_move(struct account *a, struct buddy_node *n, struct account *to)
{
	block_take_out(a, n);
	block_add(to, n);
}

struct buddy_node *account_block_find(const struct account *a, uint64_t slot)
{
	if (slot == 0 || slot == a->page.untyped || slot == a->small.untyped)
		return NULL;
	for (struct buddy_node *n = a->blocks; n; n = n->next)
		if (n->slot == slot)
			return n;
	return NULL;
}

/* How many objects of this size fit into a chunk, at most n; its place is aligned for them. */
static uint32_t account_fit(struct account_chunk *c, unsigned size, uint32_t n)
{
	uint64_t at = (c->at + (1ull << size) - 1) & ~((1ull << size) - 1), room;

	if (at >= c->end)
		return 0;
	room = (c->end - at) >> size;
	if (room == 0)
		return 0;
	c->at = at;
	if (n > seL4_RetypeMaxObjects)
		n = seL4_RetypeMaxObjects;
	return room < n ? (uint32_t)room : n;
}

static bool account_refill(struct account *a, struct account_chunk *c, unsigned size, uint32_t n)
{
	unsigned chunk = c == &a->page ? CHUNK_BITS : c == &a->small ? SMALL_BITS : size, all = size + 31u - (unsigned)__builtin_clz(n);
	struct buddy_node *block = NULL;

	if (chunk < all)
		chunk = all;
	/* where memory is short, smaller ones, down to one object */
	for (; chunk >= size && !block; chunk--)
		block = account_block(a, chunk);
	if (block)
		*c = (struct account_chunk){block->slot, 0, 1ull << block->bits};
	return block != NULL;
}

bool account_objects(struct account *a, seL4_Word type, unsigned bits, seL4_CPtr cnode, seL4_Word offset, uint32_t n)
{
	unsigned size = object_size_bits(type, bits);
	struct account_chunk *c = size >= SMALL_BITS ? &a->page : &a->small, own;

	/* what would empty a chunk, or does not fit into one, gets a block of its own */
	if (size >= CHUNK_BITS - 1) {
		own = (struct account_chunk){0};
		c = &own;
	}
	while (n) {
		uint32_t now = account_fit(c, size, n);

		if (now == 0) {
			if (!account_refill(a, c, size, n))
				return false;
			continue;
		}
		if (seL4_Untyped_Retype(c->untyped, type, bits, cnode, 0, 0, offset, now) != seL4_NoError)
			return false;
		c->at += (uint64_t)now << size;
		offset += now;
		n -= now;
	}
	return true;
}

uint64_t account_bytes(bool servers)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < ACCOUNTS_MAX; i++)
		if (accounts[i].id && (accounts[i].owner == 0) == servers)
			sum += accounts[i].bytes + accounts[i].reserved;
	return sum;
}

uint32_t account_count(void)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < ACCOUNTS_MAX; i++)
		n += accounts[i].id && accounts[i].owner;
	return n;
}
