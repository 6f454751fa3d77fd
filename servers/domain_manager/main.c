/*
 * The domain manager's service: control calls of whoever holds the control badge, reports of vmms, faults from root. One thread, one
 * endpoint. Every message is copied from the IPC buffer before it is looked at.
 */
#include <errno.h>
#include <string.h>
#include "proto/domain/domain_start.h"
#include "proto/root/root.h"
#include "proto/task/task.h"
#include "sel4/sel4.h"
#include "servers/domain_manager/control.h"
#include "servers/domain_manager/cpu_hw.h"
#include "servers/domain_manager/domain.h"
#include "servers/domain_manager/domain_end.h"
#include "servers/domain_manager/page_store.h"
#include "servers/domain_manager/root_call.h"
#include "servers/domain_manager/vmm_call.h"
#include "user/env.h"
#include "user/log.h"
#include "user/message.h"
#include "user/slot.h"

#define MESSAGE_MAX 120u

static unsigned words_of(unsigned bytes)
{
	return (bytes + 7) / 8;
}

static int create(const uint64_t *m, unsigned length, uint64_t *reply, unsigned *reply_length)
{
	struct domain_spec spec;
	uint32_t id;
	int r;

	if (length < words_of(sizeof(spec)))
		return -EINVAL;
	memcpy(&spec, m, sizeof(spec));
	r = domain_create(&spec, &id);
	if (r)
		return r;
	reply[0] = id;
	*reply_length = 1;
	return 0;
}

static int destroy(uint32_t id)
{
	int r;

	do
		r = domain_destroy(id);
	while (r == -EAGAIN);
	return r;
}

static int control(uint64_t label, const uint64_t *m, unsigned length, uint64_t *reply, unsigned *reply_length)
{
	struct domain_info info;
	uint32_t id = length ? (uint32_t)m[0] : 0;

	switch (label) {
	case DOMAIN_CREATE:
		return create(m, length, reply, reply_length);
	case DOMAIN_LIST:
		if (!domain_info(id, &info))
			return -ENOENT;
		memcpy(reply, &info, sizeof(info));
		*reply_length = words_of(sizeof(info));
		return 0;
	case DOMAIN_PAUSE:
		return domain_pause(id);
	case DOMAIN_UNPAUSE:
		return domain_unpause(id);
	case DOMAIN_DESTROY:
		return destroy(id);
	case DOMAIN_SHUTDOWN:
		return domain_shutdown(id, length > 1 ? (uint32_t)m[1] : UINT32_MAX);
	case DOMAIN_CONSOLE:
		return domain_focus(id);
	default:
		return -ENOSYS;
	}
}

/* A vmm's text, for our console: printable characters only. */
static void text_of(const uint64_t *m, unsigned words, char *text, size_t size)
{
	size_t n = words * 8u < size - 1 ? words * 8u : size - 1;

	memcpy(text, m, n);
	text[n] = 0;
	for (char *c = text; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
}

static int perform(uint32_t id, bool privileged, uint64_t label, const uint64_t *m, unsigned length, uint64_t *reply,
		   unsigned *reply_length)
{
	char why[241];

	switch (label) {
	case DOMAIN_VMM_SHUTDOWN:
		domain_vmm_shutdown(id, length ? (uint32_t)m[0] : UINT32_MAX);
		return 0;
	case DOMAIN_VMM_READY:
		domain_vmm_ready(id);
		return 0;
	case DOMAIN_VMM_LOG:
		text_of(m, length, why, sizeof(why));
		domain_vmm_log(id, why);
		return 0;
	case DOMAIN_VMM_REFUSED:
		text_of(m + 1, length ? length - 1 : 0, why, sizeof(why));
		domain_vmm_refused(id, why);
		return 0;
	case DOMAIN_VMM_HYPERCALL:
		return privileged ? control_message(m, length, reply, reply_length) : -EPERM;
	default:
		return vmm_call(id, privileged, label, m, length, reply, reply_length);
	}
}

static void faults(void)
{
	uint32_t task;

	while (root_fault_next(&task) == 0)
		domain_task_faulted(task);
}

int main(void)
{
	seL4_MessageInfo_t info;
	seL4_Word badge;

	slot_begin(DOMAIN_SLOT_SCHED_CONTROL + env_get()->cpu_count);
	(void)log_connect();
	(void)page_store_begin();
	info = seL4_Recv(TASK_SLOT_SERVICE, &badge, TASK_SLOT_REPLY);

	for (;;) {
		uint64_t message[MESSAGE_MAX], reply[MESSAGE_MAX];
		unsigned length = (unsigned)seL4_MessageInfo_get_length(info), reply_length = 0;
		uint64_t label = seL4_MessageInfo_get_label(info), start = cpu_tsc();
		int result;

		if (badge != DOMAIN_BADGE_CONTROL && !(badge & DOMAIN_BADGE_VMM)) {
			/* a signal on our bound notification: root has news of a task, or our timer's time has come */
			if (badge & DOMAIN_LOAD_BADGE)
				domain_load_tick();
			faults();
			domain_work();
			info = seL4_Recv(TASK_SLOT_SERVICE, &badge, TASK_SLOT_REPLY);
			continue;
		}
		for (unsigned i = 0; i < length && i < MESSAGE_MAX; i++)
			message[i] = seL4_GetMR((int)i);
		if (badge == DOMAIN_BADGE_CONTROL) {
			result = control(label, message, length, reply, &reply_length);
		} else {
			result = perform((uint32_t)badge, badge & DOMAIN_BADGE_PRIVILEGED, label, message, length, reply, &reply_length);
			domain_load_served((uint32_t)badge, start);
		}
		for (unsigned i = 0; i < reply_length; i++)
			seL4_SetMR((int)i, reply[i]);
		info = seL4_MessageInfo_new(message_label_of(result), 0, 0, reply_length);
		if (!domain_has_work()) {
			info = seL4_ReplyRecv(TASK_SLOT_SERVICE, info, &badge, TASK_SLOT_REPLY);
			continue;
		}
		/* after the answer: a caller may be among what is taken away */
		seL4_Send(TASK_SLOT_REPLY, info);
		domain_work();
		info = seL4_Recv(TASK_SLOT_SERVICE, &badge, TASK_SLOT_REPLY);
	}
}
