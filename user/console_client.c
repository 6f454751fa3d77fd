/* A client's end of the console's rings. See console_client.h. */
#include "user/console_client.h"

#include <errno.h>
#include "proto/task/task.h"
#include "sel4/sel4.h"
#include "user/message.h"
#include "user/object.h"
#include "user/slot.h"
#include "user/vspace.h"

static int console_client_call(struct console_client *c, const char *name, enum console_kind kind, uint32_t domain, seL4_CPtr signal)
{
	struct message m;
	bool got;
	int r;

	message_begin(&m);
	message_put_field(&m, name, 4);
	message_put(&m, kind);
	message_put(&m, domain);
	r = message_call_cap(&m, TASK_SLOT_CONSOLE, CONSOLE_OPEN, signal, c->frame, &got);
	if (r)
		return r;
	if (!got)
		return -EPROTO;
	c->number = (uint32_t)message_get(&m);
	message_begin(&m);
	message_put(&m, c->number);
	r = message_call_cap(&m, TASK_SLOT_CONSOLE, CONSOLE_NOTIFICATION, 0, c->notify, &got);
	return r ? r : got ? 0 : -EPROTO;
}

int console_client_open(struct console_client *c, const char *name, enum console_kind kind, uint32_t domain, seL4_CPtr signal,
			uint64_t vaddr)
{
	uint8_t *page = (uint8_t *)vaddr;
	int r;

	c->frame = slot_alloc();
	c->notify = slot_alloc();
	r = c->frame && c->notify ? console_client_call(c, name, kind, domain, signal) : -ENOMEM;
	if (r == 0)
		r = vspace_map(c->frame, vaddr, true, false);
	if (r) {
		object_delete(c->notify);
		object_delete(c->frame);
		return r;
	}
	(void)ring_init(&c->out, (struct ring_header *)(void *)(page + CONSOLE_PAGE_OUT_HEADER), page + CONSOLE_PAGE_OUT_DATA,
			CONSOLE_OUT_BYTES, 0);
	(void)ring_init(&c->in, (struct ring_header *)(void *)(page + CONSOLE_PAGE_IN_HEADER), page + CONSOLE_PAGE_IN_DATA,
			CONSOLE_IN_BYTES, 0);
	return 0;
}

/* Writes what fits and signals the console; bytes taken. */
static uint32_t console_client_write(struct console_client *c, const char *text, uint32_t n)
{
	uint32_t taken = ring_write(&c->out, (const uint8_t *)text, n);

	if (taken)
		seL4_Signal(c->notify);
	return taken;
}

void console_client_write_all(struct console_client *c, const char *text, uint32_t n)
{
	while (n) {
		uint32_t taken = console_client_write(c, text, n);

		text += taken;
		n -= taken;
		if (n) {
			seL4_Yield();
			__builtin_ia32_pause();
		}
	}
}
