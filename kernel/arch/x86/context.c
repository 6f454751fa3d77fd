/*
 * User registers as seL4's 20 words (facts, section 9). Pure. Called by Read-, Write- and CopyRegisters, by
 * fault replies and by boot. What it lets through can be loaded by the exit path without a fault.
 */
#include "arch/x86/context.h"
#include "arch/x86/selectors.h"

#define CONTEXT_WORDS 20
#define CONTEXT_IP    0
#define CONTEXT_FLAGS 2
#define CONTEXT_FS    18
#define CONTEXT_GS    19

#define CONTEXT_FLAG_ONE BIT(1)
#define CONTEXT_FLAG_IF	 BIT(9)
/* Reserved flags (bits 3, 5) read as 0. */
#define CONTEXT_FLAGS_KEPT (MASK(12) & ~(BIT(3) | BIT(5)))

static const uint16_t context_offset[CONTEXT_WORDS] = {
    offsetof(struct context, restart_ip), offsetof(struct context, rsp),     offsetof(struct context, rflags),
    offsetof(struct context, rax),	  offsetof(struct context, rbx),     offsetof(struct context, rcx),
    offsetof(struct context, rdx),	  offsetof(struct context, rsi),     offsetof(struct context, rdi),
    offsetof(struct context, rbp),	  offsetof(struct context, r8),	     offsetof(struct context, r9),
    offsetof(struct context, r10),	  offsetof(struct context, r11),     offsetof(struct context, r12),
    offsetof(struct context, r13),	  offsetof(struct context, r14),     offsetof(struct context, r15),
    offsetof(struct context, fs_base),	  offsetof(struct context, gs_base),
};

static uint64_t *context_word(const struct context *c, unsigned i)
{
	return (uint64_t *)(uintptr_t)((uintptr_t)c + context_offset[i]);
}

void context_init(struct context *c)
{
	*c = (struct context){
	    .cs = SELECTOR_USER_CODE, .ss = SELECTOR_USER_DATA, .rflags = CONTEXT_FLAG_IF | CONTEXT_FLAG_ONE};
}

word_t context_get(const struct context *c, unsigned i)
{
	return i < CONTEXT_WORDS ? *context_word(c, i) : 0;
}

void context_set(struct context *c, unsigned i, word_t value)
{
	if (i >= CONTEXT_WORDS)
		return;
	if (i == CONTEXT_FLAGS)
		value = (value & CONTEXT_FLAGS_KEPT) | CONTEXT_FLAG_IF | CONTEXT_FLAG_ONE;
	if ((i == CONTEXT_IP || i == CONTEXT_FS || i == CONTEXT_GS) && !context_canonical(value))
		value = 0;
	*context_word(c, i) = value;
	if (i == CONTEXT_IP)
		c->rip = value;
	c->syscall = 0;
}
