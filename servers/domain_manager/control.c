/* Control hypercalls: the conversation with domain 0's vmm (control.h). It must never read the area but to copy from it. */
#include "servers/domain_manager/control.h"

#include <errno.h>
#include <string.h>
#include "proto/control/control.h"
#include "proto/task/task.h"
#include "sel4/sel4.h"
#include "user/object.h"
#include "user/slot.h"
#include "user/vspace.h"
#include <xen/errno.h>
#include <xen/xen.h>

#define AREA_VADDR (TASK_SHARED_VADDR + 0x20000000ull)
#define AREA_PAGES (CONTROL_AREA_BYTES / 4096u)

struct control {
	bool active;
	uint64_t number, arg[5];
	/* pieces asked for so far; the first `there` of them are in `data` */
	struct control_piece in[CONTROL_PIECES];
	unsigned asked, there, next;
	/* pieces to be stored */
	struct control_piece out[CONTROL_PIECES];
	unsigned stored;
	uint32_t in_bytes, out_bytes;
	bool too_much;
};

static struct control session;
static uint8_t data[CONTROL_AREA_BYTES]; /* what was fetched, as it was when it came */
static uint8_t *area;
static uint32_t area_slot;

uint32_t control_area_slot(void)
{
	uint32_t first;

	if (area_slot)
		return area_slot;
	first = (uint32_t)slot_alloc_range(AREA_PAGES);
	if (!first)
		return 0;
	for (uint32_t i = 0; i < AREA_PAGES; i++)
		if (object_create(seL4_X86_4K, 0, first + i) || vspace_map(first + i, AREA_VADDR + i * 4096ull, true, false))
			return 0;
	area = (uint8_t *)AREA_VADDR;
	return area_slot = first;
}

static uint32_t aligned(uint32_t bytes)
{
	return (bytes + 7) & ~7u;
}

const void *control_in(struct control *c, uint64_t address, uint32_t bytes)
{
	struct control_piece *p;

	if (c->next < c->there)
		return data + c->in[c->next++].offset;
	if (c->asked == CONTROL_PIECES || bytes > CONTROL_AREA_BYTES - c->in_bytes) {
		c->too_much = true;
		return NULL;
	}
	p = &c->in[c->asked++];
	*p = (struct control_piece){.address = address, .bytes = bytes, .offset = c->in_bytes};
	c->in_bytes = aligned(c->in_bytes + bytes);
	if (c->in_bytes > CONTROL_AREA_BYTES)
		c->in_bytes = CONTROL_AREA_BYTES;
	c->next = c->asked;
	return NULL;
}

void control_out(struct control *c, uint64_t address, const void *from, uint32_t bytes)
{
	if (!bytes)
		return;
	if (c->stored == CONTROL_PIECES || bytes > CONTROL_AREA_BYTES - c->out_bytes) {
		c->too_much = true;
		return;
	}
	c->out[c->stored++] = (struct control_piece){.address = address, .bytes = bytes, .offset = c->out_bytes};
	memcpy(area + c->out_bytes, from, bytes);
	c->out_bytes = aligned(c->out_bytes + bytes);
	if (c->out_bytes > CONTROL_AREA_BYTES)
		c->out_bytes = CONTROL_AREA_BYTES;
}

static int64_t perform(struct control *c)
{
	switch (c->number) {
	case __HYPERVISOR_sysctl:
		return control_sysctl(c, c->arg);
	case __HYPERVISOR_domctl:
		return control_domctl(c, c->arg);
	case __HYPERVISOR_platform_op:
		return control_platform_op(c, c->arg);
	case __HYPERVISOR_memory_op:
		return control_memory_op(c, c->arg);
	case __HYPERVISOR_event_channel_op:
		return control_event_channel_op(c, c->arg);
	case __HYPERVISOR_xen_version:
		return control_xen_version(c, c->arg);
	case __HYPERVISOR_hvm_op:
		return control_hvm_op(c, c->arg);
	default:
		return -XEN_ENOSYS;
	}
}

static void pieces_put(const struct control_piece *p, unsigned count, uint64_t *reply, unsigned *at)
{
	reply[(*at)++] = count;
	for (unsigned i = 0; i < count; i++) {
		reply[(*at)++] = p[i].address;
		reply[(*at)++] = p[i].bytes;
		reply[(*at)++] = p[i].offset;
	}
}

static int done(struct control *c, int64_t result, uint64_t *reply, unsigned *reply_length)
{
	unsigned at = 0;

	c->active = false;
	reply[at++] = CONTROL_DONE;
	reply[at++] = (uint64_t)result;
	pieces_put(c->out, c->stored, reply, &at);
	*reply_length = at;
	return 0;
}

/* What the vmm was asked for has come: from here on it is ours. */
static void take(struct control *c)
{
	for (; c->there < c->asked; c->there++) {
		const struct control_piece *p = &c->in[c->there];

		memcpy(data + p->offset, area + p->offset, p->bytes);
	}
}

static int go_on(struct control *c, uint64_t *reply, unsigned *reply_length)
{
	unsigned at = 0;
	int64_t result;

	c->next = 0;
	c->stored = 0;
	c->out_bytes = 0;
	result = perform(c);
	if (c->too_much) {
		c->stored = 0;
		return done(c, -XEN_EINVAL, reply, reply_length);
	}
	if (result != CONTROL_AGAIN)
		return done(c, result, reply, reply_length);
	reply[at++] = CONTROL_FETCH;
	pieces_put(c->in + c->there, c->asked - c->there, reply, &at);
	*reply_length = at;
	return 0;
}

int control_message(const uint64_t *m, unsigned length, uint64_t *reply, unsigned *reply_length)
{
	struct control *c = &session;

	if (length < 1)
		return -EINVAL;
	switch (m[0]) {
	case CONTROL_BEGIN:
		if (length < 7)
			return -EINVAL;
		memset(c, 0, sizeof(*c));
		c->active = true;
		c->number = m[1];
		memcpy(c->arg, m + 2, sizeof(c->arg));
		return go_on(c, reply, reply_length);
	case CONTROL_FETCHED:
		if (!c->active || c->there == c->asked)
			return -EINVAL;
		take(c);
		return go_on(c, reply, reply_length);
	case CONTROL_FAULT:
		if (!c->active)
			return -EINVAL;
		c->stored = 0;
		return done(c, -XEN_EFAULT, reply, reply_length);
	default:
		return -EINVAL;
	}
}
