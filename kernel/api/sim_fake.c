/*
 * What the portable kernel stands on in host tests (sim_fake.h): memory, CPU, clock. Linked by tests only,
 * with sim_other_fake.c.
 */
#include "api/sim_fake.h"
#include "arch/x86/arch.h"
#include "arch/x86/mce.h"
#include "arch/x86/nmi.h"
#include "arch/x86/switch.h"
#include "arch/x86/cpu_hw.h"
#include "arch/x86/virt/virt.h"
#include "entry/entry.h"
#include "ipc/endpoint.h"
#include "ipc/message.h"
#include "ipc/notification.h"
#include "ipc/reply.h"
#include "object/ept.h"
#include "object/ioport.h"
#include "object/irq.h"
#include "object/object.h"
#include "object/timer.h"
#include "object/vcpu.h"
#include "object/vspace.h"
#include "panic.h"
#include "sched/sched.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIM_PHYS  0x100000ull
#define SIM_BYTES (4ull << 20)

static struct percpu sim_percpu;
struct percpu *percpu_host = &sim_percpu;
uint64_t window_host_base;
const struct virt_ops *virt;
ticks_t sim_now, sim_deadline;
bool sim_two_levels;
uint64_t sim_cr2;
unsigned sim_refs;
char sim_console[256];

/* The kernel's own slots here: the head of the list, and the threads' root CNode. */
enum { SIM_OWN_HEAD, SIM_OWN_ROOT, SIM_OWN_COUNT };
static struct cte *sim_own;
static uint8_t *sim_arena;
static bool sim_buffers[SIM_BYTES / PAGE_SIZE]; /* held by sim_thread() itself, not in sim_refs */
static uint64_t sim_next;
static jmp_buf sim_all_wait;
static bool sim_plain_switch;

/* ---- memory ---- */

static void *sim_alloc(unsigned bits)
{
	uint64_t p = ALIGN_UP(sim_next, bits);

	sim_next = p + BIT(bits);
	if (sim_next > SIM_PHYS + SIM_BYTES)
		abort();
	return window_kv(paddr(p));
}

void window_map(paddr_t start, uint64_t bytes)
{
	(void)start;
	(void)bytes;
}

void window_unmap(paddr_t start, uint64_t bytes)
{
	(void)start;
	(void)bytes;
}

void window_clear(paddr_t start, uint64_t bytes)
{
	memset(window_kv(start), 0, bytes);
}

void *window_ref(paddr_t page)
{
	sim_refs++;
	return window_kv(page);
}

void window_unref(paddr_t page)
{
	if (!sim_buffers[(page.v - SIM_PHYS) / PAGE_SIZE])
		sim_refs--;
	sim_buffers[(page.v - SIM_PHYS) / PAGE_SIZE] = false;
}

/* ---- the CPU ---- */

ticks_t cpu_rdtsc(void)
{
	return sim_now;
}

uint64_t cpu_read_cr2(void)
{
	return sim_cr2;
}

void arch_switch_to(struct tcb *from, struct tcb *to)
{
	if (from == to)
		abort();
	sim_percpu.context = &to->ctx;
}

void switch_plain(struct percpu *p, struct tcb *from, struct tcb *to)
{
	(void)p;
	sim_plain_switch = true;
	arch_switch_to(from, to);
}

void arch_thread_sync(struct tcb *t)
{
	(void)t;
}

void arch_thread_changed(struct tcb *t)
{
	(void)t;
}

void arch_fpu_changed(struct tcb *t)
{
	(void)t;
}

void arch_fpu_init(struct tcb *t)
{
	(void)t;
}

void arch_idle(void)
{
	if (sim_deadline == UINT64_MAX)
		longjmp(sim_all_wait, 1);
	if (sim_now < sim_deadline)
		sim_now = sim_deadline;
	sim_deadline = UINT64_MAX;
	sim_percpu.arch.pending_vector = IRQ_VECTOR_TIMER;
}

ticks_t time_us_to_ticks(uint64_t us)
{
	return us * SIM_TICKS_PER_US;
}

uint64_t time_ticks_to_us(ticks_t t)
{
	return t / SIM_TICKS_PER_US;
}

uint64_t time_max_us(void)
{
	return UINT64_MAX / 64 / SIM_TICKS_PER_US;
}

void time_set_deadline(ticks_t deadline)
{
	sim_deadline = deadline;
}

bool sim_interrupt;

bool irq_poll(void)
{
	return sim_interrupt;
}

void irq_eoi(void)
{
}

void irq_dispatch(unsigned irq)
{
	(void)irq;
}

void panic(const char *format, ...)
{
	va_list a;

	va_start(a, format);
	vfprintf(stderr, format, a);
	va_end(a);
	fputc('\n', stderr);
	abort();
}

void kprintf(const char *format, ...)
{
	va_list a;

	va_start(a, format);
	vsnprintf(sim_console, sizeof(sim_console), format, a);
	va_end(a);
}

void kputchar(char c)
{
	sim_console[0] = c;
	sim_console[1] = '\0';
}

/* ---- a guest that never exits by itself: as if all threads waited ---- */

void vcpu_enter_syscall(void)
{
	sched_set_state(sim_percpu.current, THREAD_RUNNING_VM);
}

bool vcpu_run(struct tcb *t)
{
	(void)t;
	longjmp(sim_all_wait, 1);
}

/* ---- set-up ---- */

void sim_reset(void)
{
	struct tcb *idle;

	if (!sim_arena)
		sim_arena = aligned_alloc(SIM_BYTES, SIM_BYTES);
	memset(sim_arena, 0, SIM_BYTES);
	window_host_base = (uint64_t)(uintptr_t)sim_arena - SIM_PHYS;
	sim_next = SIM_PHYS;
	memset(&sim_percpu, 0, sizeof(sim_percpu));
	sim_percpu.entry.self = &sim_percpu;
	sim_percpu.arch.pending_vector = -1;
	sim_now = 1000000;
	sim_deadline = UINT64_MAX;
	sim_refs = 0;
	sim_interrupt = false;
	memset(sim_buffers, 0, sizeof(sim_buffers));
	sim_two_levels = false;
	sim_alloc(SIM_CNODE_RADIX + seL4_SlotBits);
	sim_own = sim_alloc(seL4_SlotBits + 1);
	cte_begin(sim_own, SIM_OWN_COUNT);
	cte_insert_root(&sim_own[SIM_OWN_ROOT], cap_cnode_new(window_pa(sim_slot(0)), SIM_CNODE_RADIX));
	idle = sim_alloc(seL4_TCBBits);
	tcb_init(idle);
	sched_init_cpu(&sim_percpu, idle);
}

struct cte *sim_slot(unsigned slot)
{
	return (struct cte *)window_kv(paddr(ALIGN_UP(SIM_PHYS, SIM_CNODE_RADIX + seL4_SlotBits))) + slot;
}

static void *sim_object(unsigned slot, word_t type, unsigned user_bits, unsigned bits)
{
	void *o = sim_alloc(bits);

	cte_insert_root(sim_slot(slot), object_create(type, window_pa(o), user_bits, false));
	return o;
}

void sim_cnode(unsigned slot, unsigned radix)
{
	(void)sim_object(slot, seL4_CapTableObject, radix, radix + seL4_SlotBits);
}

struct endpoint *sim_endpoint(unsigned slot)
{
	return sim_object(slot, seL4_EndpointObject, 0, seL4_EndpointBits);
}

struct notification *sim_notification(unsigned slot)
{
	return sim_object(slot, seL4_NotificationObject, 0, seL4_NotificationBits);
}

struct reply *sim_reply(unsigned slot)
{
	return sim_object(slot, seL4_ReplyObject, 0, seL4_ReplyBits);
}

struct sched_context *sim_sched_context(unsigned slot)
{
	return sim_object(slot, seL4_SchedContextObject, 8, 8);
}

struct timer *sim_timer(unsigned slot)
{
	return sim_object(slot, 64, 0, 7);
}

void sim_root(unsigned slot, cap_t cap, unsigned bits)
{
	if (bits)
		cap = cap_untyped_with_ptr(
		    cap, window_pa(sim_alloc(bits)).v); /* bits 46:0 of word 1 in all that have memory */
	cte_insert_root(sim_slot(slot), cap);
}

void sim_untyped(unsigned slot, unsigned bits)
{
	cte_insert_root(sim_slot(slot), cap_untyped_new(window_pa(sim_alloc(bits)), bits, false));
	if (cap_is_null(sim_slot(SIM_ROOT)->cap))
		cte_insert(cap_cnode_with_guard_size(sim_own[SIM_OWN_ROOT].cap, 64 - SIM_CNODE_RADIX),
			   &sim_own[SIM_OWN_ROOT], sim_slot(SIM_ROOT));
}

struct tcb *sim_thread(unsigned slot, uint8_t priority)
{
	struct tcb *t = sim_object(slot, seL4_TCBObject, 0, seL4_TCBBits);
	cap_t root = sim_own[SIM_OWN_ROOT].cap;
	struct cte *top = sim_alloc(seL4_SlotBits + 1); /* always, so that addresses do not depend on it */

	if (sim_two_levels) {
		cte_insert(root, &sim_own[SIM_OWN_ROOT], &top[0]);
		root = cap_cnode_with_guard_size(cap_cnode_new(window_pa(top), 1), 64 - SIM_CNODE_RADIX - 1);
		cte_insert_root(&t->slot[TCB_CSPACE], root);
	} else {
		root = cap_cnode_with_guard_size(root, 64 - SIM_CNODE_RADIX);
		cte_insert(root, &sim_own[SIM_OWN_ROOT], &t->slot[TCB_CSPACE]);
	}
	t->ipc_buffer_kv = sim_alloc(PAGE_BITS);
	t->ipc_buffer_writable = true;
	sim_buffers[(window_pa(t->ipc_buffer_kv).v - SIM_PHYS) / PAGE_SIZE] = true;
	cte_insert_root(&t->slot[TCB_IPC_BUFFER],
			cap_frame_with_map(cap_frame_new(window_pa(t->ipc_buffer_kv), FRAME_4K, false,
							 CAP_RIGHT_READ | CAP_RIGHT_WRITE),
					   FRAME_KERNEL));
	t->priority = priority;
	t->mcp = 255;
	snprintf(t->name, sizeof(t->name), "thread%u", slot);
	return t;
}

struct sched_context *sim_start(struct tcb *t, unsigned sc_slot, uint64_t budget_us, uint64_t period_us)
{
	struct sched_context *sc = sim_sched_context(sc_slot);

	sched_control_configure(sc, 0, time_us_to_ticks(budget_us), time_us_to_ticks(period_us), 6, sc_slot,
				false);
	sched_context_bind_tcb(sc, t);
	sched_restart(t);
	return sc;
}

void sim_mint(unsigned dst, unsigned src, word_t rights, word_t badge)
{
	cap_t c = cap_mask_rights(sim_slot(src)->cap, rights);

	if (badge)
		c = cap_update_data(c, false, badge);
	cte_insert(c, sim_slot(src), sim_slot(dst));
}

/* ---- running ---- */

static struct tcb *sim_left(const struct context *loaded)
{
	if (loaded != &sim_percpu.current->ctx || loaded != sim_percpu.context)
		abort();
	return sim_percpu.current;
}

struct tcb *sim_exit(void)
{
	if (setjmp(sim_all_wait))
		return NULL;
	return sim_left(kernel_exit());
}

struct tcb *sim_syscall(struct tcb *t, int64_t number, word_t rdi, word_t rsi)
{
	if (sim_percpu.current != t)
		abort();
	t->ctx.rdx = (word_t)number;
	t->ctx.rdi = rdi;
	t->ctx.rsi = rsi;
	t->ctx.rip += 2;
	t->ctx.restart_ip = t->ctx.rip - 2;
	t->ctx.syscall = 1;
	sim_now++;
	sim_plain_switch = false;
	if (setjmp(sim_all_wait))
		return NULL;
	return sim_left(syscall_handle(number));
}

bool sim_was_fast(void)
{
	return sim_plain_switch || sim_percpu.now != sim_now;
}

struct tcb *sim_run(ticks_t ticks)
{
	ticks_t end = sim_now + ticks;
	struct tcb *t = sim_percpu.current;

	while (t && sim_deadline <= end) {
		if (sim_now < sim_deadline)
			sim_now = sim_deadline;
		sim_deadline = UINT64_MAX;
		if (sim_percpu.current->state == THREAD_RUNNING)
			sim_percpu.current->ctx.restart_ip = sim_percpu.current->ctx.rip;
		sim_percpu.arch.pending_vector = IRQ_VECTOR_TIMER;
		interrupt_handle();
		t = sim_exit();
	}
	if (sim_now < end)
		sim_now = end;
	return t;
}

struct tcb *sim_trap(struct tcb *t, unsigned vector, word_t error_code)
{
	if (sim_percpu.current != t)
		abort();
	t->ctx.error_code = error_code;
	t->ctx.restart_ip = t->ctx.rip;
	t->ctx.syscall = 0;
	trap_handle(vector);
	return sim_exit();
}

word_t sim_invoke(struct tcb *t, unsigned slot, word_t label, unsigned extra, const unsigned *caps,
		  unsigned length, const word_t *words)
{
	for (unsigned i = 0; i < extra; i++)
		t->ipc_buffer_kv[MESSAGE_BUFFER_CAPS + i] = caps[i];
	for (unsigned i = 0; i < length; i++)
		message_put(t, i, words[i]);
	sim_syscall(t, seL4_SysCall, slot, sim_tag(label, extra, length));
	return t->ctx.rsi >> 12;
}
