#include "servers/domain_manager/console_call.h"

#include <errno.h>
#include <string.h>
#include "proto/console/console.h"
#include "proto/task/task.h"
#include "sel4/sel4.h"
#include "user/message.h"
#include "user/object.h"
#include "user/vspace.h"

#define CONTROL_VADDR (TASK_SHARED_VADDR + 0x10000000ull)

static int result(seL4_MessageInfo_t info)
{
	return message_result_of(seL4_MessageInfo_get_label(info));
}

int console_open(const char *name, uint32_t kind, uint32_t domain, uint32_t signal, uint32_t frame, uint32_t notify, uint32_t *client)
{
	char text[32] = {0};
	seL4_MessageInfo_t info;

	strncpy(text, name, sizeof(text) - 1);
	for (int i = 0; i < 4; i++) {
		uint64_t w;

		memcpy(&w, text + i * 8, 8);
		seL4_SetMR(i, w);
	}
	seL4_SetMR(4, kind);
	seL4_SetMR(5, domain);
	seL4_SetCap(0, signal);
	seL4_SetCapReceivePath(TASK_SLOT_CNODE, frame, seL4_WordBits);
	info = seL4_Call(TASK_SLOT_CONSOLE, seL4_MessageInfo_new(CONSOLE_OPEN, 0, 1, 6));
	if (result(info))
		return result(info);
	*client = (uint32_t)seL4_GetMR(0);
	if (seL4_MessageInfo_get_extraCaps(info) != 1)
		return -EIO;
	seL4_SetMR(0, *client);
	seL4_SetCapReceivePath(TASK_SLOT_CNODE, notify, seL4_WordBits);
	info = seL4_Call(TASK_SLOT_CONSOLE, seL4_MessageInfo_new(CONSOLE_NOTIFICATION, 0, 0, 1));
	if (result(info))
		return result(info);
	return seL4_MessageInfo_get_extraCaps(info) == 1 ? 0 : -EIO;
}

static int call1(uint64_t label, uint32_t client)
{
	seL4_SetMR(0, client);
	return result(seL4_Call(TASK_SLOT_CONSOLE, seL4_MessageInfo_new(label, 0, 0, 1)));
}

int console_close(uint32_t client)
{
	return call1(CONSOLE_CLOSE, client);
}

int console_focus(uint32_t client)
{
	return call1(CONSOLE_FOCUS, client);
}

int console_log_read(uint32_t *position, char *text, uint32_t max, uint32_t *n)
{
	uint32_t left = 1;

	*n = 0;
	while (left && *n < max) {
		uint32_t piece;

		seL4_SetMR(0, *position + *n);
		if (result(seL4_Call(TASK_SLOT_CONSOLE, seL4_MessageInfo_new(CONSOLE_LOG, 0, 0, 1))))
			return -EIO;
		left = (uint32_t)seL4_GetMR(0);
		piece = (uint32_t)seL4_GetMR(1);
		if (*n == 0)
			*position = (uint32_t)seL4_GetMR(2);
		if (piece == 0 || (uint32_t)seL4_GetMR(2) != *position + *n)
			break;
		if (piece > max - *n)
			piece = max - *n;
		for (uint32_t i = 0; i < piece; i += 8) {
			uint64_t w = seL4_GetMR((int)(3 + i / 8));

			memcpy(text + *n + i, &w, piece - i < 8 ? piece - i : 8);
		}
		*n += piece;
	}
	return 0;
}

struct vmm_control *control_page(uint32_t *slot)
{
	static uint64_t next = CONTROL_VADDR;
	seL4_CPtr frame = object_create_slot(seL4_X86_4K, 0);

	if (!frame || vspace_map(frame, next, true, false))
		return NULL;
	*slot = (uint32_t)frame;
	next += 4096;
	return (struct vmm_control *)(next - 4096);
}
