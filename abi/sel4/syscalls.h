/*
 * System calls with libsel4's names and arguments (MCS). Words 0-3 of a message travel in registers; the stubs move them between
 * there and the IPC buffer, so that seL4_GetMR and seL4_SetMR work for all of a message.
 */
#ifndef SEL4_SYSCALLS_H
#define SEL4_SYSCALLS_H

#include "sel4/syscall_hw.h"
#include "sel4/types.h"

/*
 * Of the calling thread, in its thread-local storage: the runtime sets FS base (seL4_SetTLSBase, or its TCB's SetTLSBase) and then this, before
 * it makes any other call of this file. Every thread has its own buffer: 1024 bytes, so aligned, in the frame that its TCB was configured with.
 */
extern _Thread_local seL4_IPCBuffer *__sel4_ipc_buffer __attribute__((tls_model("local-exec")));

static inline seL4_IPCBuffer *seL4_GetIPCBuffer(void)
{
	return __sel4_ipc_buffer;
}

static inline void seL4_SetIPCBuffer(seL4_IPCBuffer *buffer)
{
	__sel4_ipc_buffer = buffer;
}

/*
 * Word i (0..119) of the message: what came with the last receive, the last Call's answer, or an error's words; or what the next send takes
 * along. Any other call of an invocation changes some of them.
 */
static inline seL4_Word seL4_GetMR(int i)
{
	return seL4_GetIPCBuffer()->msg[i];
}

static inline void seL4_SetMR(int i, seL4_Word word)
{
	seL4_GetIPCBuffer()->msg[i] = word;
}

static inline seL4_Word seL4_GetUserData(void)
{
	return seL4_GetIPCBuffer()->userData;
}

static inline void seL4_SetUserData(seL4_Word data)
{
	seL4_GetIPCBuffer()->userData = data;
}

/* Badge of the extra capability i (0..2) that was unwrapped (capsUnwrapped says which were). */
static inline seL4_Word seL4_GetBadge(int i)
{
	return seL4_GetIPCBuffer()->caps_or_badges[i];
}

static inline seL4_CPtr seL4_GetCap(int i)
{
	return seL4_GetIPCBuffer()->caps_or_badges[i];
}

/* Extra capability i (0..2) of the next message; extraCaps of its tag says how many there are. */
static inline void seL4_SetCap(int i, seL4_CPtr cap)
{
	seL4_GetIPCBuffer()->caps_or_badges[i] = cap;
}

static inline void seL4_GetCapReceivePath(seL4_CPtr *cnode, seL4_CPtr *index, seL4_Word *depth)
{
	seL4_IPCBuffer *b = seL4_GetIPCBuffer();

	if (cnode)
		*cnode = b->receiveCNode;
	if (index)
		*index = b->receiveIndex;
	if (depth)
		*depth = b->receiveDepth;
}

/* The slot for a capability that comes with a message: root CNode, and index and depth below it. It has to be empty. */
static inline void seL4_SetCapReceivePath(seL4_CPtr cnode, seL4_CPtr index, seL4_Word depth)
{
	seL4_IPCBuffer *b = seL4_GetIPCBuffer();

	b->receiveCNode = cnode;
	b->receiveIndex = index;
	b->receiveDepth = depth;
}

/* ---- between registers and buffer ---- */

static inline struct sel4_message_registers sel4_registers_load(void)
{
	const seL4_IPCBuffer *b = seL4_GetIPCBuffer();

	return (struct sel4_message_registers){b->msg[0], b->msg[1], b->msg[2], b->msg[3]};
}

static inline void sel4_registers_store(struct sel4_message_registers m)
{
	seL4_IPCBuffer *b = seL4_GetIPCBuffer();

	b->msg[0] = m.mr0;
	b->msg[1] = m.mr1;
	b->msg[2] = m.mr2;
	b->msg[3] = m.mr3;
}

static inline void sel4_send(seL4_Word number, seL4_CPtr dest, seL4_MessageInfo_t info)
{
	sel4_syscall_send(number, dest, info, sel4_registers_load());
}

static inline seL4_MessageInfo_t sel4_receive(seL4_Word number, seL4_CPtr cap, seL4_MessageInfo_t info, seL4_Word *badge,
					      seL4_CPtr reply, seL4_CPtr dest)
{
	struct sel4_message_registers m = sel4_registers_load();

	info = sel4_syscall_receive(number, &cap, info, &m, reply, dest);
	sel4_registers_store(m);
	if (badge)
		*badge = cap;
	return info;
}

/* As sel4_send, sel4_receive, with the register words at the caller's; null pointers are zero in and dropped out. */
static inline struct sel4_message_registers sel4_registers_of(const seL4_Word *a, const seL4_Word *b, const seL4_Word *c,
							      const seL4_Word *d)
{
	return (struct sel4_message_registers){a ? *a : 0, b ? *b : 0, c ? *c : 0, d ? *d : 0};
}

static inline void sel4_registers_to(struct sel4_message_registers m, seL4_Word *a, seL4_Word *b, seL4_Word *c, seL4_Word *d)
{
	if (a)
		*a = m.mr0;
	if (b)
		*b = m.mr1;
	if (c)
		*c = m.mr2;
	if (d)
		*d = m.mr3;
}

static inline seL4_MessageInfo_t sel4_receive_words(seL4_Word number, seL4_CPtr cap, seL4_MessageInfo_t info, seL4_Word *badge,
						    seL4_Word *a, seL4_Word *b, seL4_Word *c, seL4_Word *d, seL4_CPtr reply,
						    seL4_CPtr dest)
{
	struct sel4_message_registers m = sel4_registers_of(a, b, c, d);

	info = sel4_syscall_receive(number, &cap, info, &m, reply, dest);
	sel4_registers_to(m, a, b, c, d);
	if (badge)
		*badge = cap;
	return info;
}

#define SEL4_NO_INFO (seL4_MessageInfo_new(0, 0, 0, 0))

/* ---- messages ---- */

static inline void seL4_Send(seL4_CPtr dest, seL4_MessageInfo_t info)
{
	sel4_send((seL4_Word)seL4_SysSend, dest, info);
}

static inline void seL4_NBSend(seL4_CPtr dest, seL4_MessageInfo_t info)
{
	sel4_send((seL4_Word)seL4_SysNBSend, dest, info);
}

static inline seL4_MessageInfo_t seL4_Call(seL4_CPtr dest, seL4_MessageInfo_t info)
{
	return sel4_receive((seL4_Word)seL4_SysCall, dest, info, 0, 0, 0);
}

static inline seL4_MessageInfo_t seL4_Recv(seL4_CPtr src, seL4_Word *sender, seL4_CPtr reply)
{
	return sel4_receive((seL4_Word)seL4_SysRecv, src, SEL4_NO_INFO, sender, reply, 0);
}

static inline seL4_MessageInfo_t seL4_NBRecv(seL4_CPtr src, seL4_Word *sender, seL4_CPtr reply)
{
	return sel4_receive((seL4_Word)seL4_SysNBRecv, src, SEL4_NO_INFO, sender, reply, 0);
}

/* Answers through `reply`, then receives on src with it. */
static inline seL4_MessageInfo_t seL4_ReplyRecv(seL4_CPtr src, seL4_MessageInfo_t info, seL4_Word *sender, seL4_CPtr reply)
{
	return sel4_receive((seL4_Word)seL4_SysReplyRecv, src, info, sender, reply, 0);
}

static inline seL4_MessageInfo_t seL4_NBSendRecv(seL4_CPtr dest, seL4_MessageInfo_t info, seL4_CPtr src, seL4_Word *sender,
						 seL4_CPtr reply)
{
	return sel4_receive((seL4_Word)seL4_SysNBSendRecv, src, info, sender, reply, dest);
}

static inline seL4_MessageInfo_t seL4_NBSendWait(seL4_CPtr dest, seL4_MessageInfo_t info, seL4_CPtr src, seL4_Word *sender)
{
	return sel4_receive((seL4_Word)seL4_SysNBSendWait, src, info, sender, dest, 0);
}

static inline seL4_MessageInfo_t seL4_Wait(seL4_CPtr src, seL4_Word *sender)
{
	return sel4_receive((seL4_Word)seL4_SysWait, src, SEL4_NO_INFO, sender, 0, 0);
}

static inline seL4_MessageInfo_t seL4_NBWait(seL4_CPtr src, seL4_Word *sender)
{
	return sel4_receive((seL4_Word)seL4_SysNBWait, src, SEL4_NO_INFO, sender, 0, 0);
}

static inline seL4_MessageInfo_t seL4_Poll(seL4_CPtr src, seL4_Word *sender)
{
	return seL4_NBWait(src, sender);
}

static inline void seL4_Signal(seL4_CPtr dest)
{
	sel4_syscall_send((seL4_Word)seL4_SysSend, dest, seL4_MessageInfo_new(0, 0, 0, 1), (struct sel4_message_registers){0, 0, 0, 0});
}

static inline void seL4_Yield(void)
{
	(void)sel4_syscall_word((seL4_Word)seL4_SysYield, 0);
}

/* ---- the same with the first four words in variables (any pointer may be null) ---- */

static inline void seL4_SendWithMRs(seL4_CPtr dest, seL4_MessageInfo_t info, seL4_Word *mr0, seL4_Word *mr1, seL4_Word *mr2,
				    seL4_Word *mr3)
{
	sel4_syscall_send((seL4_Word)seL4_SysSend, dest, info, sel4_registers_of(mr0, mr1, mr2, mr3));
}

static inline void seL4_NBSendWithMRs(seL4_CPtr dest, seL4_MessageInfo_t info, seL4_Word *mr0, seL4_Word *mr1, seL4_Word *mr2,
				      seL4_Word *mr3)
{
	sel4_syscall_send((seL4_Word)seL4_SysNBSend, dest, info, sel4_registers_of(mr0, mr1, mr2, mr3));
}

static inline seL4_MessageInfo_t seL4_CallWithMRs(seL4_CPtr dest, seL4_MessageInfo_t info, seL4_Word *mr0, seL4_Word *mr1,
						  seL4_Word *mr2, seL4_Word *mr3)
{
	return sel4_receive_words((seL4_Word)seL4_SysCall, dest, info, 0, mr0, mr1, mr2, mr3, 0, 0);
}

static inline seL4_MessageInfo_t seL4_RecvWithMRs(seL4_CPtr src, seL4_Word *sender, seL4_Word *mr0, seL4_Word *mr1, seL4_Word *mr2,
						  seL4_Word *mr3, seL4_CPtr reply)
{
	return sel4_receive_words((seL4_Word)seL4_SysRecv, src, SEL4_NO_INFO, sender, mr0, mr1, mr2, mr3, reply, 0);
}

static inline seL4_MessageInfo_t seL4_ReplyRecvWithMRs(seL4_CPtr src, seL4_MessageInfo_t info, seL4_Word *sender, seL4_Word *mr0,
						       seL4_Word *mr1, seL4_Word *mr2, seL4_Word *mr3, seL4_CPtr reply)
{
	return sel4_receive_words((seL4_Word)seL4_SysReplyRecv, src, info, sender, mr0, mr1, mr2, mr3, reply, 0);
}

static inline seL4_MessageInfo_t seL4_NBSendRecvWithMRs(seL4_CPtr dest, seL4_MessageInfo_t info, seL4_CPtr src, seL4_Word *sender,
							seL4_Word *mr0, seL4_Word *mr1, seL4_Word *mr2, seL4_Word *mr3,
							seL4_CPtr reply)
{
	return sel4_receive_words((seL4_Word)seL4_SysNBSendRecv, src, info, sender, mr0, mr1, mr2, mr3, reply, dest);
}

static inline seL4_MessageInfo_t seL4_NBSendWaitWithMRs(seL4_CPtr dest, seL4_MessageInfo_t info, seL4_CPtr src, seL4_Word *sender,
							seL4_Word *mr0, seL4_Word *mr1, seL4_Word *mr2, seL4_Word *mr3)
{
	return sel4_receive_words((seL4_Word)seL4_SysNBSendWait, src, info, sender, mr0, mr1, mr2, mr3, dest, 0);
}

static inline seL4_MessageInfo_t seL4_WaitWithMRs(seL4_CPtr src, seL4_Word *sender, seL4_Word *mr0, seL4_Word *mr1, seL4_Word *mr2,
						  seL4_Word *mr3)
{
	return sel4_receive_words((seL4_Word)seL4_SysWait, src, SEL4_NO_INFO, sender, mr0, mr1, mr2, mr3, 0, 0);
}

static inline seL4_MessageInfo_t seL4_NBWaitWithMRs(seL4_CPtr src, seL4_Word *sender, seL4_Word *mr0, seL4_Word *mr1,
						    seL4_Word *mr2, seL4_Word *mr3)
{
	return sel4_receive_words((seL4_Word)seL4_SysNBWait, src, SEL4_NO_INFO, sender, mr0, mr1, mr2, mr3, 0, 0);
}

static inline seL4_MessageInfo_t seL4_PollWithMRs(seL4_CPtr src, seL4_Word *sender, seL4_Word *mr0, seL4_Word *mr1, seL4_Word *mr2,
						  seL4_Word *mr3)
{
	return seL4_NBWaitWithMRs(src, sender, mr0, mr1, mr2, mr3);
}

/* ---- virtual CPUs ---- */

/*
 * Runs the guest of the calling thread's vCPU. SEL4_VMENTER_RESULT_NOTIF: a signal came, badge in *sender;
 * SEL4_VMENTER_RESULT_FAULT: an exit. Words 0-2 as enum sel4_vmenter_word; with a state page they mean nothing.
 */
static inline seL4_Word seL4_VMEnter(seL4_Word *sender)
{
	struct sel4_message_registers m = sel4_registers_load();
	seL4_Word badge = 0, result = sel4_syscall_vmenter((seL4_Word)seL4_SysVMEnter, &badge, &m);

	sel4_registers_store(m);
	if (result == SEL4_VMENTER_RESULT_NOTIF && sender)
		*sender = badge;
	return result;
}

/* ---- this thread, debugging ---- */

static inline void seL4_SetTLSBase(seL4_Word base)
{
	(void)sel4_syscall_word((seL4_Word)seL4_SysSetTLSBase, base);
}

static inline void seL4_DebugPutChar(char c)
{
	(void)sel4_syscall_word((seL4_Word)seL4_SysDebugPutChar, (unsigned char)c);
}

static inline void seL4_DebugPutString(const char *s)
{
	while (*s)
		seL4_DebugPutChar(*s++);
}

static inline void seL4_DebugDumpScheduler(void)
{
	(void)sel4_syscall_word((seL4_Word)seL4_SysDebugDumpScheduler, 0);
}

static inline void seL4_DebugHalt(void)
{
	(void)sel4_syscall_word((seL4_Word)seL4_SysDebugHalt, 0);
}

static inline void seL4_DebugSnapshot(void)
{
	(void)sel4_syscall_word((seL4_Word)seL4_SysDebugSnapshot, 0);
}

static inline seL4_Uint32 seL4_DebugCapIdentify(seL4_CPtr cap)
{
	return (seL4_Uint32)sel4_syscall_word((seL4_Word)seL4_SysDebugCapIdentify, cap);
}

/* The node that a thread runs on; all ones for what is no thread. Debug builds only: a fault of the caller in others. */
static inline seL4_Word seL4_DebugGetThreadAffinity(seL4_CPtr tcb)
{
	return sel4_syscall_word((seL4_Word)seL4_SysDebugGetThreadAffinity, tcb);
}

/* The name goes into the message words: it replaces their content, and is cut to what fits. */
static inline void seL4_DebugNameThread(seL4_CPtr tcb, const char *name)
{
	volatile char *to = (volatile char *)seL4_GetIPCBuffer()->msg;
	unsigned n = 0;

	for (; name[n] && n < seL4_MsgMaxLength * sizeof(seL4_Word) - 1; n++)
		to[n] = name[n];
	to[n] = 0;
	(void)sel4_syscall_word((seL4_Word)seL4_SysDebugNameThread, tcb);
}

#endif
