/*
 * Which domain has which id: found, and gone through in ascending order, at a cost that does not grow with their number. Pure. Zeroed, it has none.
 */
#ifndef DOMAIN_MANAGER_DOMAIN_IDS_H
#define DOMAIN_MANAGER_DOMAIN_IDS_H

#include <stdint.h>

#define DOMAIN_ID_MAX 32752u /* ids are below (Xen's DOMID_FIRST_RESERVED) */
#define DOMAIN_NO_ROW 0u

struct domain_ids {
	uint16_t row[DOMAIN_ID_MAX];
	uint64_t used[DOMAIN_ID_MAX / 64 + 1];	   /* a bit for each id */
	uint64_t some[DOMAIN_ID_MAX / 64 / 64 + 1]; /* a bit for each word of `used` that is not 0 */
};

/* row: not DOMAIN_NO_ROW, which takes the id away. Ids that there are not are left alone. */
void domain_ids_set(struct domain_ids *ids, uint32_t id, uint16_t row);
/* DOMAIN_NO_ROW: nobody has it. */
static inline uint16_t domain_ids_find(const struct domain_ids *ids, uint32_t id)
{
	return id < DOMAIN_ID_MAX ? ids->row[id] : DOMAIN_NO_ROW;
}
/* Of the lowest id that is in use, from this one on. */
uint16_t domain_ids_next(const struct domain_ids *ids, uint32_t from);

#endif
