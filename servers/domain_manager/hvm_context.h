/*
 * Xen's HVM save records (xen/include/public/hvm/save.h): a stream of records with descriptors, the header first, an end marker last. Pure. What comes from the
 * toolstack is checked before it is used.
 */
#ifndef DOMAIN_MANAGER_HVM_CONTEXT_H
#define DOMAIN_MANAGER_HVM_CONTEXT_H

#include <stdbool.h>
#include <stdint.h>

/* A stream that is being written; `failed` when it did not fit. */
struct hvm_context {
	uint8_t *at;
	uint32_t size, used;
	bool failed;
};
void hvm_context_begin(struct hvm_context *c, uint8_t *buffer, uint32_t size, uint32_t cpu_signature, uint32_t tsc_khz);
void hvm_context_put(struct hvm_context *c, unsigned type, unsigned instance, const void *record, uint32_t bytes);
/* The end marker. Bytes of the stream, or 0 if it did not fit. */
uint32_t hvm_context_end(struct hvm_context *c);

/* Is it a whole stream: header, records inside `size`, end marker? */
bool hvm_context_check(const uint8_t *stream, uint32_t size);
/* The next record of a stream that hvm_context_check has accepted; false at its end. Begins with an empty *r. */
struct hvm_context_record {
	unsigned type, instance;
	const uint8_t *at;
	uint32_t bytes, next;
};
bool hvm_context_next(const uint8_t *stream, struct hvm_context_record *r);
/* A record of a stream that hvm_context_check has accepted; NULL if there is none. */
const uint8_t *hvm_context_find(const uint8_t *stream, unsigned type, unsigned instance, uint32_t *bytes);

#endif
