/* Messages and the IPC buffer. See message.h. */
#include "user/message.h"

#include <errno.h>
#include <string.h>
#include "proto/task/task.h"
#include "sel4/sel4.h"

void message_receive(struct message *m, seL4_MessageInfo_t info)
{
	seL4_Word n = seL4_MessageInfo_get_length(info);

	m->length = n < MESSAGE_WORDS ? (uint32_t)n : MESSAGE_WORDS;
	memcpy(m->word, seL4_GetIPCBuffer()->msg, m->length * sizeof(m->word[0]));
	message_begin_read(m);
}

seL4_MessageInfo_t message_send(const struct message *m, uint64_t label)
{
	memcpy(seL4_GetIPCBuffer()->msg, m->word, m->length * sizeof(m->word[0]));
	return seL4_MessageInfo_new(label, 0, 0, m->length);
}

int message_call_cap(struct message *m, seL4_CPtr endpoint, uint64_t label, seL4_CPtr cap, seL4_CPtr receive, bool *got)
{
	seL4_MessageInfo_t info;

	if (m->failed)
		return -EMSGSIZE;
	info = message_send(m, label);
	if (cap) {
		seL4_SetCap(0, cap);
		info = seL4_MessageInfo_set_extraCaps(info, 1);
	}
	seL4_SetCapReceivePath(receive ? TASK_SLOT_CNODE : 0, receive, seL4_WordBits);
	info = seL4_Call(endpoint, info);
	seL4_SetCapReceivePath(0, 0, 0);
	if (got)
		*got = seL4_MessageInfo_get_extraCaps(info) == 1;
	message_receive(m, info);
	return message_result_of(seL4_MessageInfo_get_label(info));
}

int message_call(struct message *m, seL4_CPtr endpoint, uint64_t label)
{
	return message_call_cap(m, endpoint, label, 0, 0, NULL);
}

int message_call_short(seL4_CPtr endpoint, uint64_t label, unsigned n, const uint64_t word[4])
{
	seL4_Word a = word[0], b = word[1], c = word[2], d = word[3];
	seL4_MessageInfo_t info = seL4_CallWithMRs(endpoint, seL4_MessageInfo_new(label, 0, 0, n), &a, &b, &c, &d);

	return message_result_of(seL4_MessageInfo_get_label(info));
}
