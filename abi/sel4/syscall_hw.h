/*
 * The SYSCALL instruction with seL4's registers: RDX number, RDI capability or badge, RSI message info, R10 R8 R9 R15 message
 * words, R12 reply capability, R13 second destination. The kernel need not preserve RSP, so it is kept in RBX.
 *
 * Every stub of libsel4's names is written in terms of these four. On the host they are functions that a test provides.
 */
#ifndef SEL4_SYSCALL_HW_H
#define SEL4_SYSCALL_HW_H

#include "sel4/types.h"

struct sel4_message_registers {
	seL4_Word mr0, mr1, mr2, mr3;
};

#ifdef INSULA_HOST

/* Sends only. */
void sel4_syscall_send(seL4_Word number, seL4_Word dest, seL4_MessageInfo_t info, struct sel4_message_registers m);
/* Receives, or sends and receives: *cap is the first capability in, the badge out. */
seL4_MessageInfo_t sel4_syscall_receive(seL4_Word number, seL4_Word *cap, seL4_MessageInfo_t info, struct sel4_message_registers *m,
					seL4_Word reply, seL4_Word dest);
/* One word in, one out (RDI), no message. */
seL4_Word sel4_syscall_word(seL4_Word number, seL4_Word word);
/* VMEnter: three words; RSI out. */
seL4_Word sel4_syscall_vmenter(seL4_Word number, seL4_Word *badge, struct sel4_message_registers *m);

#else

static inline void sel4_syscall_send(seL4_Word number, seL4_Word dest, seL4_MessageInfo_t info, struct sel4_message_registers m)
{
	register seL4_Word r10 __asm__("r10") = m.mr0;
	register seL4_Word r8 __asm__("r8") = m.mr1;
	register seL4_Word r9 __asm__("r9") = m.mr2;
	register seL4_Word r15 __asm__("r15") = m.mr3;

	__asm__ volatile("movq %%rsp, %%rbx\n\t"
			 "syscall\n\t"
			 "movq %%rbx, %%rsp"
			 : "+D"(dest), "+S"(info.words[0]), "+r"(r10), "+r"(r8), "+r"(r9), "+r"(r15)
			 : "d"(number)
			 : "rcx", "r11", "rbx", "memory");
}

static inline seL4_MessageInfo_t sel4_syscall_receive(seL4_Word number, seL4_Word *cap, seL4_MessageInfo_t info,
						      struct sel4_message_registers *m, seL4_Word reply, seL4_Word dest)
{
	register seL4_Word r10 __asm__("r10") = m->mr0;
	register seL4_Word r8 __asm__("r8") = m->mr1;
	register seL4_Word r9 __asm__("r9") = m->mr2;
	register seL4_Word r15 __asm__("r15") = m->mr3;
	register seL4_Word r12 __asm__("r12") = reply;
	register seL4_Word r13 __asm__("r13") = dest;

	__asm__ volatile("movq %%rsp, %%rbx\n\t"
			 "syscall\n\t"
			 "movq %%rbx, %%rsp"
			 : "+D"(*cap), "+S"(info.words[0]), "+r"(r10), "+r"(r8), "+r"(r9), "+r"(r15)
			 : "d"(number), "r"(r12), "r"(r13)
			 : "rcx", "r11", "rbx", "memory");
	*m = (struct sel4_message_registers){r10, r8, r9, r15};
	return info;
}

static inline seL4_Word sel4_syscall_word(seL4_Word number, seL4_Word word)
{
	__asm__ volatile("movq %%rsp, %%rbx\n\t"
			 "syscall\n\t"
			 "movq %%rbx, %%rsp"
			 : "+D"(word)
			 : "d"(number)
			 : "rcx", "r11", "rbx", "rsi", "r8", "r9", "r10", "r15", "memory");
	return word;
}

static inline seL4_Word sel4_syscall_vmenter(seL4_Word number, seL4_Word *badge, struct sel4_message_registers *m)
{
	register seL4_Word r10 __asm__("r10") = m->mr0;
	register seL4_Word r8 __asm__("r8") = m->mr1;
	register seL4_Word r9 __asm__("r9") = m->mr2;
	register seL4_Word r15 __asm__("r15") = 0;
	seL4_Word result = 0;

	__asm__ volatile("movq %%rsp, %%rbx\n\t"
			 "syscall\n\t"
			 "movq %%rbx, %%rsp"
			 : "+D"(*badge), "+S"(result), "+r"(r10), "+r"(r8), "+r"(r9), "+r"(r15)
			 : "d"(number)
			 : "rcx", "r11", "rbx", "memory");
	*m = (struct sel4_message_registers){r10, r8, r9, r15};
	return result;
}

#endif
#endif
