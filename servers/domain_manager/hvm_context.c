#include "servers/domain_manager/hvm_context.h"

#include <string.h>
#include <xen/xen.h>
#include <xen/hvm/save.h>

typedef struct hvm_save_descriptor descriptor_t;

void hvm_context_put(struct hvm_context *c, unsigned type, unsigned instance, const void *record, uint32_t bytes)
{
	const descriptor_t d = {.typecode = (uint16_t)type, .instance = (uint16_t)instance, .length = bytes};

	if (c->failed || sizeof(d) > c->size - c->used || bytes > c->size - c->used - sizeof(d)) {
		c->failed = true;
		return;
	}
	memcpy(c->at + c->used, &d, sizeof(d));
	if (bytes)
		memcpy(c->at + c->used + sizeof(d), record, bytes);
	c->used += (uint32_t)sizeof(d) + bytes;
}

void hvm_context_begin(struct hvm_context *c, uint8_t *buffer, uint32_t size, uint32_t cpu_signature, uint32_t tsc_khz)
{
	const struct hvm_save_header h = {
		.magic = HVM_FILE_MAGIC, .version = HVM_FILE_VERSION, .changeset = ~0ull, .cpuid = cpu_signature, .gtsc_khz = tsc_khz};

	*c = (struct hvm_context){.at = buffer, .size = size};
	hvm_context_put(c, HVM_SAVE_CODE(HEADER), 0, &h, sizeof(h));
}

uint32_t hvm_context_end(struct hvm_context *c)
{
	hvm_context_put(c, HVM_SAVE_CODE(END), 0, NULL, 0);
	return c->failed ? 0 : c->used;
}

static bool descriptor(const uint8_t *stream, uint32_t size, uint32_t at, descriptor_t *d)
{
	if (sizeof(*d) > size - at)
		return false;
	memcpy(d, stream + at, sizeof(*d));
	return d->length <= size - at - sizeof(*d);
}

bool hvm_context_check(const uint8_t *stream, uint32_t size)
{
	struct hvm_save_header h;
	descriptor_t d;
	uint32_t at = 0;

	if (!descriptor(stream, size, 0, &d) || d.typecode != HVM_SAVE_CODE(HEADER) || d.length != sizeof(h))
		return false;
	memcpy(&h, stream + sizeof(d), sizeof(h));
	if (h.magic != HVM_FILE_MAGIC || h.version != HVM_FILE_VERSION)
		return false;
	while (descriptor(stream, size, at, &d)) {
		if (d.typecode == HVM_SAVE_CODE(END))
			return true;
		at += (uint32_t)sizeof(d) + d.length;
	}
	return false;
}

bool hvm_context_next(const uint8_t *stream, struct hvm_context_record *r)
{
	descriptor_t d;

	memcpy(&d, stream + r->next, sizeof(d));
	if (d.typecode == HVM_SAVE_CODE(END))
		return false;
	r->type = d.typecode;
	r->instance = d.instance;
	r->bytes = d.length;
	r->at = stream + r->next + sizeof(d);
	r->next += (uint32_t)sizeof(d) + d.length;
	return true;
}

const uint8_t *hvm_context_find(const uint8_t *stream, unsigned type, unsigned instance, uint32_t *bytes)
{
	struct hvm_context_record r = {0};

	while (hvm_context_next(stream, &r))
		if (r.type == type && r.instance == instance) {
			*bytes = r.bytes;
			return r.at;
		}
	return NULL;
}
