/* Faults. See fault.h. */
#include "servers/root/fault.h"

#include "servers/root/memory.h"
#include "user/log.h"

#define WORDS_UNKNOWN_SYSCALL_IP 15u
#define WORDS_UNKNOWN_SYSCALL    18u

static void fault_line(const struct task *t, uint64_t label, const uint64_t *w)
{
	switch (label) {
	case seL4_Fault_VMFault:
		log_line("%s: page fault at %#llx, ip %#llx%s", t->name, (unsigned long long)w[1], (unsigned long long)w[0],
			 w[2] ? " (fetch)" : w[3] & 2 ? " (write)" : "");
		break;
	case seL4_Fault_UserException:
		log_line("%s: exception %llu, error %#llx, ip %#llx", t->name, (unsigned long long)w[3], (unsigned long long)w[4],
			 (unsigned long long)w[0]);
		break;
	case seL4_Fault_CapFault:
		log_line("%s: no capability at %#llx, ip %#llx", t->name, (unsigned long long)w[1], (unsigned long long)w[0]);
		break;
	case seL4_Fault_UnknownSyscall:
		log_line("%s: unknown system call %lld, ip %#llx", t->name, (long long)w[WORDS_UNKNOWN_SYSCALL],
			 (unsigned long long)w[WORDS_UNKNOWN_SYSCALL_IP]);
		break;
	default:
		log_line("%s: fault %llu", t->name, (unsigned long long)label);
		break;
	}
}

void fault_handle(uint64_t badge, uint64_t label, struct message *m)
{
	struct task *t = task_find((uint32_t)badge), *parent;

	for (uint32_t i = m->length; i < WORDS_UNKNOWN_SYSCALL + 1; i++)
		m->word[i] = 0;
	if (!t)
		return;
	fault_line(t, label, m->word);
	t->fault = (struct task_fault){
		.pending = true,
		.label = label,
		.ip = m->word[label == seL4_Fault_UnknownSyscall ? WORDS_UNKNOWN_SYSCALL_IP : 0],
		.address = label == seL4_Fault_VMFault || label == seL4_Fault_CapFault ? m->word[1] : 0,
	};
	parent = task_find(t->parent);
	if (parent && parent->signal)
		seL4_Signal(parent->signal);
	else
		log_line("root: %s is a server of this machine: what depends on it stops", t->name);
}

struct task *fault_next(uint32_t parent)
{
	for (struct task *t = task_next(NULL); t; t = task_next(t))
		if (t->parent == parent && t->fault.pending)
			return t;
	return NULL;
}
