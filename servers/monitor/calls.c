#include "servers/monitor/calls.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "proto/console/console.h"
#include "proto/root/root.h"
#include "proto/task/task.h"
#include "sel4/sel4.h"
#include "user/message.h"
#include "user/object.h"
#include "user/slot.h"
#include "user/vspace.h"

static seL4_CPtr console_notify;

static int result(seL4_MessageInfo_t info)
{
	return message_result_of(seL4_MessageInfo_get_label(info));
}

static int call(seL4_CPtr to, uint64_t label, unsigned words)
{
	return result(seL4_Call(to, seL4_MessageInfo_new(label, 0, 0, words)));
}

/* Message words from `first` on as bytes. */
static void take(unsigned first, void *to, size_t bytes)
{
	uint8_t *p = to;

	for (unsigned i = first; bytes; i++) {
		uint64_t w = seL4_GetMR((int)i);
		size_t n = bytes < 8 ? bytes : 8;

		memcpy(p, &w, n);
		p += n;
		bytes -= n;
	}
}

static unsigned give(unsigned first, const void *from, size_t bytes)
{
	const uint8_t *p = from;

	for (; bytes; first++) {
		size_t n = bytes < 8 ? bytes : 8;
		uint64_t w = 0;

		memcpy(&w, p, n);
		seL4_SetMR((int)first, w);
		p += n;
		bytes -= n;
	}
	return first;
}

int calls_machine(struct calls_machine *out)
{
	int r = call(TASK_SLOT_ROOT, ROOT_INFO, 0);

	if (r)
		return r;
	memset(out, 0, sizeof(*out));
	out->total = seL4_GetMR(0);
	out->free = seL4_GetMR(1);
	out->kernel = seL4_GetMR(2);
	out->servers = seL4_GetMR(3);
	out->slots = seL4_GetMR(4);
	out->accounts = seL4_GetMR(5);
	out->tasks = seL4_GetMR(6);
	r = call(TASK_SLOT_ROOT, ROOT_MACHINE, 0);
	if (!r)
		take(0, &out->machine, sizeof(out->machine));
	return r;
}

int calls_machine_end(uint64_t how)
{
	seL4_SetMR(0, how);
	return call(TASK_SLOT_ROOT, ROOT_MACHINE_END, 1);
}

int calls_create(const struct domain_spec *spec, uint32_t *id)
{
	int r = call(TASK_SLOT_DOMAINS, DOMAIN_CREATE, give(0, spec, sizeof(*spec)));

	*id = (uint32_t)seL4_GetMR(0);
	return r;
}

int calls_domain(uint64_t label, uint32_t id)
{
	seL4_SetMR(0, id);
	seL4_SetMR(1, 0);
	return call(TASK_SLOT_DOMAINS, label, 2);
}

int calls_domain_info(uint32_t n, struct domain_info *out)
{
	int r;

	seL4_SetMR(0, n);
	r = call(TASK_SLOT_DOMAINS, DOMAIN_LIST, 1);
	if (!r)
		take(0, out, sizeof(*out));
	return r;
}

int calls_command_line(char *text, size_t size)
{
	size_t at = 0;

	text[0] = 0;
	for (;;) {
		char piece[800];
		uint64_t follow;
		size_t n;
		int r;

		seL4_SetMR(0, at);
		r = call(TASK_SLOT_ROOT, ROOT_CMDLINE, 1);
		if (r)
			return r;
		follow = seL4_GetMR(0);
		take(1, piece, sizeof(piece));
		n = follow < sizeof(piece) ? follow : sizeof(piece);
		if (n > size - 1 - at)
			n = size - 1 - at;
		memcpy(text + at, piece, n);
		at += n;
		text[at] = 0;
		if (n == 0 || n == follow)
			return 0;
	}
}

static int module_name(uint32_t n, char *name, size_t size)
{
	char text[64];
	int r;

	seL4_SetMR(0, n);
	r = call(TASK_SLOT_ROOT, ROOT_MODULE_GET, 1);
	if (r)
		return r;
	take(1, text, sizeof(text));
	text[sizeof(text) - 1] = 0;
	return snprintf(name, size, "%s", text) < (int)size ? 0 : -ENAMETOOLONG;
}

int calls_modules(struct domain_spec *out)
{
	uint32_t count, found = 0;
	int r = call(TASK_SLOT_ROOT, ROOT_MODULE_COUNT, 0);

	if (r)
		return r;
	count = (uint32_t)seL4_GetMR(0);
	memset(out, 0, sizeof(*out));
	for (uint32_t i = 0; i < count && found < 2; i++) {
		char name[64];

		if (module_name(i, name, sizeof(name)) || !strcmp(name, "insula-servers"))
			continue;
		strcpy(found++ ? out->ramdisk : out->kernel, name);
	}
	return found ? 0 : -ENOENT;
}

/* ---- console ---- */

int calls_console_open(void *page)
{
	static const char name[32] = "monitor";
	seL4_CPtr frame = slot_alloc(), signal = object_mint_badge(TASK_SLOT_NOTIFICATION, 1);
	seL4_MessageInfo_t info;
	uint64_t client;
	int r;

	console_notify = slot_alloc();
	if (!frame || !signal || !console_notify)
		return -ENOMEM;
	(void)give(0, name, sizeof(name));
	seL4_SetMR(4, CONSOLE_MONITOR);
	seL4_SetMR(5, 0);
	seL4_SetCap(0, signal);
	seL4_SetCapReceivePath(TASK_SLOT_CNODE, frame, seL4_WordBits);
	info = seL4_Call(TASK_SLOT_CONSOLE, seL4_MessageInfo_new(CONSOLE_OPEN, 0, 1, 6));
	r = result(info);
	if (r)
		return r;
	client = seL4_GetMR(0);
	if (vspace_map(frame, (uint64_t)(uintptr_t)page, true, false))
		return -ENOMEM;
	seL4_SetMR(0, client);
	seL4_SetCapReceivePath(TASK_SLOT_CNODE, console_notify, seL4_WordBits);
	return call(TASK_SLOT_CONSOLE, CONSOLE_NOTIFICATION, 1);
}

void calls_console_signal(void)
{
	seL4_Signal(console_notify);
}

void calls_console_wait(void)
{
	seL4_Wait(TASK_SLOT_NOTIFICATION, NULL);
}

int calls_log(uint32_t *position, char *text, uint32_t *n, uint32_t *left)
{
	int r;

	seL4_SetMR(0, *position);
	r = call(TASK_SLOT_CONSOLE, CONSOLE_LOG, 1);
	if (r)
		return r;
	*left = (uint32_t)seL4_GetMR(0);
	*n = (uint32_t)seL4_GetMR(1);
	*position = (uint32_t)seL4_GetMR(2);
	if (*n > CONSOLE_LOG_WORDS * 8)
		return -EIO;
	take(3, text, *n);
	return 0;
}
