#include "servers/domain_manager/root_call.h"

#include <errno.h>
#include <string.h>
#include "proto/root/root.h"
#include "proto/task/task.h"
#include "sel4/sel4.h"
#include "user/message.h"

#define WORDS_MAX 100u

static int call(uint64_t label, unsigned words)
{
	return message_result_of(seL4_MessageInfo_get_label(seL4_Call(TASK_SLOT_ROOT, seL4_MessageInfo_new(label, 0, 0, words))));
}

int root_account_create(uint32_t *account)
{
	int r = call(ROOT_ACCOUNT_CREATE, 0);

	*account = (uint32_t)seL4_GetMR(0);
	return r;
}

int root_account_free(uint32_t account)
{
	seL4_SetMR(0, account);
	return call(ROOT_ACCOUNT_FREE, 1);
}

int root_account_alloc_block(uint32_t account, unsigned size_bits, uint32_t slot, uint64_t *block)
{
	int r;

	seL4_SetMR(0, account);
	seL4_SetMR(1, size_bits);
	seL4_SetMR(2, slot);
	r = call(ROOT_ACCOUNT_ALLOC, 3);
	*block = seL4_GetMR(0);
	return r;
}

int root_account_alloc(uint32_t account, unsigned size_bits, uint32_t slot)
{
	uint64_t block;

	return root_account_alloc_block(account, size_bits, slot, &block);
}

int root_account_return(uint32_t account, uint64_t block)
{
	seL4_SetMR(0, account);
	seL4_SetMR(1, block);
	return call(ROOT_ACCOUNT_RETURN, 2);
}

int root_account_move(uint32_t account, uint64_t block, uint32_t to)
{
	seL4_SetMR(0, account);
	seL4_SetMR(1, block);
	seL4_SetMR(2, to);
	return call(ROOT_ACCOUNT_MOVE, 3);
}

int root_account_reserve(uint32_t account, uint64_t bytes)
{
	seL4_SetMR(0, account);
	seL4_SetMR(1, bytes);
	return call(ROOT_ACCOUNT_RESERVE, 2);
}

int root_account_size(uint32_t account, uint64_t *bytes)
{
	int r;

	seL4_SetMR(0, account);
	r = call(ROOT_ACCOUNT_SIZE, 1);
	*bytes = seL4_GetMR(0);
	return r;
}

static void put_text(unsigned first, const char *text, unsigned words)
{
	char buffer[64] = {0};

	strncpy(buffer, text, sizeof(buffer) - 1);
	for (unsigned i = 0; i < words; i++) {
		uint64_t w;

		memcpy(&w, buffer + i * 8, 8);
		seL4_SetMR((int)(first + i), w);
	}
}

int root_task_create(const struct root_task *t, uint32_t *task)
{
	int r;

	seL4_SetMR(0, t->account);
	seL4_SetMR(1, t->threads);
	seL4_SetMR(2, t->cnode_bits);
	seL4_SetMR(3, t->untyped_bits);
	seL4_SetMR(4, t->heap_bytes);
	seL4_SetMR(5, t->priority);
	seL4_SetMR(6, t->flags);
	put_text(7, t->program, 4);
	seL4_SetMR(11, t->slot_base);
	r = call(ROOT_TASK_CREATE, 12);
	*task = (uint32_t)seL4_GetMR(0);
	return r;
}

int root_task_env(uint32_t task, uint32_t offset, const void *data, uint32_t bytes)
{
	const uint8_t *from = data;

	while (bytes) {
		uint32_t piece = bytes < WORDS_MAX * 8 ? bytes : WORDS_MAX * 8;
		int r;

		seL4_SetMR(0, task);
		seL4_SetMR(1, offset);
		for (uint32_t i = 0; i < piece / 8; i++) {
			uint64_t w;

			memcpy(&w, from + i * 8, 8);
			seL4_SetMR((int)(2 + i), w);
		}
		r = call(ROOT_TASK_ENV, 2 + piece / 8);
		if (r)
			return r;
		from += piece;
		offset += piece;
		bytes -= piece;
	}
	return 0;
}

int root_task_map_module(uint32_t task, uint32_t module, uint64_t *bytes)
{
	int r;

	seL4_SetMR(0, task);
	seL4_SetMR(1, module);
	r = call(ROOT_TASK_MAP_MODULE, 2);
	*bytes = seL4_GetMR(0);
	return r;
}

int root_module_find(const char *name, uint32_t *module, char *args, uint32_t args_size)
{
	uint64_t count;
	int r = call(ROOT_MODULE_COUNT, 0);

	if (r)
		return r;
	count = seL4_GetMR(0);
	for (uint64_t i = 0; i < count; i++) {
		char text[WORDS_MAX * 8 + 1];

		seL4_SetMR(0, i);
		if (call(ROOT_MODULE_GET, 1))
			continue;
		for (unsigned w = 0; w < WORDS_MAX; w++) {
			uint64_t v = seL4_GetMR((int)(1 + w));

			memcpy(text + w * 8, &v, 8);
		}
		text[sizeof(text) - 1] = 0;
		if (strcmp(text, name))
			continue;
		*module = (uint32_t)i;
		if (args_size) {
			size_t at = strlen(text) + 1;

			args[0] = 0;
			if (at < sizeof(text))
				strncat(args, text + at, args_size - 1);
		}
		return 0;
	}
	return -ENOENT;
}

int root_fault_next(uint32_t *task)
{
	int r = call(ROOT_FAULT_NEXT, 0);

	*task = (uint32_t)seL4_GetMR(0);
	return r;
}

int root_info(uint64_t info[ROOT_INFO_WORDS])
{
	int r = call(ROOT_INFO, 0);

	for (int i = 0; i < ROOT_INFO_WORDS; i++)
		info[i] = seL4_GetMR(i);
	return r;
}

int root_machine_end(uint64_t how)
{
	seL4_SetMR(0, how);
	return call(ROOT_MACHINE_END, 1);
}

int root_cmdline(char *text, uint32_t size)
{
	uint64_t piece[WORDS_MAX];
	uint32_t at = 0;

	memset(text, 0, size);
	for (;;) {
		uint64_t follow, n;
		int r;

		seL4_SetMR(0, at);
		r = call(ROOT_CMDLINE, 1);
		if (r)
			return r;
		follow = seL4_GetMR(0);
		for (unsigned i = 0; i < WORDS_MAX; i++)
			piece[i] = seL4_GetMR((int)i + 1);
		n = follow < sizeof(piece) ? follow : sizeof(piece);
		if (n > size - 1 - at)
			n = size - 1 - at;
		memcpy(text + at, piece, n);
		at += (uint32_t)n;
		if (n == 0 || n == follow)
			return 0;
	}
}
