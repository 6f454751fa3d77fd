/*
 * The console server: one thread on its endpoint, its notification bound: bit 0 serial interrupt, bit 1 keyboard interrupt, the
 * rest clients' output. It has a fixed share of the CPU, so a client that floods it slows only text.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "proto/console/console.h"
#include "sel4/sel4.h"
#include "servers/console/client.h"
#include "servers/console/display.h"
#include "user/env.h"
#include "user/message.h"
#include "user/object.h"
#include "user/slot.h"

#define EVENT_SERIAL   1ull
#define EVENT_KEYBOARD 2ull
#define EVENT_CLIENTS  2u /* shift: client n has bit 2 + n % 60 */
/* endpoint badges are task ids; the notification's have this bit so that they differ */
#define EVENT_MARK     (1ull << 63)

static seL4_CPtr receive_slot, notify_slot, again_slot; /* again_slot: our own notification, as if every client had signalled */

static seL4_MessageInfo_t answer(int result, unsigned words, unsigned caps)
{
	return seL4_MessageInfo_new(message_label_of(result), 0, caps, words);
}

static seL4_MessageInfo_t open_client(seL4_MessageInfo_t info)
{
	char name[32];
	struct client *c;

	if (seL4_MessageInfo_get_length(info) < 6)
		return answer(-EINVAL, 0, 0);
	for (int i = 0; i < 4; i++) {
		uint64_t w = seL4_GetMR(i);

		memcpy(name + i * 8, &w, 8);
	}
	c = client_open(name, (uint32_t)seL4_GetMR(4), (uint32_t)seL4_GetMR(5));
	if (!c)
		return answer(-ENOSPC, 0, 0);
	if (seL4_MessageInfo_get_extraCaps(info) == 1) {
		/* the received notification becomes the client's; a new slot waits for the next */
		c->slot_signal = receive_slot;
		receive_slot = slot_alloc();
		seL4_SetCapReceivePath(TASK_SLOT_CNODE, receive_slot, seL4_WordBits);
	}
	if (client_awaited(c))
		client_set_focus(c);
	seL4_SetMR(0, c->number);
	seL4_SetCap(0, c->slot_frame);
	return answer(0, 1, 1);
}

static seL4_MessageInfo_t notification_of(uint32_t number)
{
	struct client *c = client_by_number(number);

	if (!c)
		return answer(-ENOENT, 0, 0);
	(void)seL4_CNode_Delete(TASK_SLOT_CNODE, notify_slot, seL4_WordBits);
	if (seL4_CNode_Mint(TASK_SLOT_CNODE, notify_slot, seL4_WordBits, TASK_SLOT_CNODE, TASK_SLOT_NOTIFICATION, seL4_WordBits,
			    seL4_CapRights_new(false, false, false, true), EVENT_MARK | 1ull << (EVENT_CLIENTS + number % 60)))
		return answer(-ENOMEM, 0, 0);
	seL4_SetCap(0, notify_slot);
	return answer(0, 0, 1);
}

static seL4_MessageInfo_t log_read(uint32_t position)
{
	char text[CONSOLE_LOG_WORDS * 8];
	uint32_t left, n = display_log_read(&position, text, sizeof(text), &left);

	memset(text + n, 0, sizeof(text) - n);
	seL4_SetMR(0, left);
	seL4_SetMR(1, n);
	seL4_SetMR(2, position);
	for (unsigned i = 0; i < CONSOLE_LOG_WORDS; i++) {
		uint64_t w;

		memcpy(&w, text + i * 8, 8);
		seL4_SetMR((int)(3 + i), w);
	}
	return answer(0, 3 + CONSOLE_LOG_WORDS, 0);
}

static seL4_MessageInfo_t serve(seL4_MessageInfo_t info)
{
	uint32_t n = seL4_MessageInfo_get_length(info) ? (uint32_t)seL4_GetMR(0) : UINT32_MAX;
	struct client *c;

	switch (seL4_MessageInfo_get_label(info)) {
	case CONSOLE_OPEN:
		return open_client(info);
	case CONSOLE_CLOSE:
		c = client_by_number(n);
		if (c)
			client_close(c);
		return answer(c ? 0 : -ENOENT, 0, 0);
	case CONSOLE_FOCUS:
		c = client_by_number(n);
		client_set_focus(c);
		return answer(c ? 0 : -ENOENT, 0, 0);
	case CONSOLE_NOTIFICATION:
		return notification_of(n);
	case CONSOLE_LOG:
		return log_read(n);
	default:
		return answer(-ENOSYS, 0, 0);
	}
}

static void events(uint64_t badge)
{
	if (badge & EVENT_SERIAL) {
		display_serial_interrupt();
		(void)seL4_IRQHandler_Ack(CONSOLE_SLOT_SERIAL_IRQ);
	}
	if (badge & EVENT_KEYBOARD) {
		display_keyboard_interrupt();
		(void)seL4_IRQHandler_Ack(CONSOLE_SLOT_KEYBOARD_IRQ);
	}
	/* the line may have room again for anyone */
	if (client_drain_all(badge & EVENT_SERIAL ? UINT64_MAX : (badge & ~EVENT_MARK) >> EVENT_CLIENTS))
		seL4_Signal(again_slot);
}

static void interrupt_bind(seL4_CPtr handler, uint64_t bit)
{
	seL4_CPtr badged = object_mint_badge(TASK_SLOT_NOTIFICATION, EVENT_MARK | bit);

	if (!badged || seL4_IRQHandler_SetNotification(handler, badged))
		abort();
	(void)seL4_IRQHandler_Ack(handler);
}

int main(void)
{
	const struct console_start *start = (const struct console_start *)(const void *)env_get()->data;
	seL4_MessageInfo_t info;
	seL4_Word badge;

	receive_slot = slot_alloc();
	notify_slot = slot_alloc();
	again_slot = object_mint_badge(TASK_SLOT_NOTIFICATION, EVENT_MARK | ((1ull << 60) - 1) << EVENT_CLIENTS);
	if (start->serial_port)
		interrupt_bind(CONSOLE_SLOT_SERIAL_IRQ, EVENT_SERIAL);
	if (start->has_keyboard)
		interrupt_bind(CONSOLE_SLOT_KEYBOARD_IRQ, EVENT_KEYBOARD);
	display_init(start);
	seL4_SetCapReceivePath(TASK_SLOT_CNODE, receive_slot, seL4_WordBits);
	info = seL4_Recv(TASK_SLOT_SERVICE, &badge, TASK_SLOT_REPLY);
	for (;;) {
		if (badge & EVENT_MARK) {
			events(badge);
			info = seL4_Recv(TASK_SLOT_SERVICE, &badge, TASK_SLOT_REPLY);
		} else {
			info = serve(info);
			info = seL4_ReplyRecv(TASK_SLOT_SERVICE, info, &badge, TASK_SLOT_REPLY);
		}
	}
}
