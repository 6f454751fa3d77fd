#include "cap/cap_fake.h"
#include "arch/x86/arch.h"
#include "arch/x86/mm/window.h"
#include "arch/x86/virt/virt.h"
#include "ipc/endpoint.h"
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
#include "sched/sched_context.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define WEAK __attribute__((weak))

static struct percpu fake_percpu;
struct percpu *percpu_host = &fake_percpu;
uint64_t window_host_base;
uint64_t fake_poll_every;
unsigned fake_polls;
unsigned fake_events[64];
unsigned fake_length;
word_t fake_result;

static uint8_t *fake_arena;
static bool fake_page[FAKE_BYTES / PAGE_SIZE];

/* ---- the window ---- */

static uint8_t *fake_at(uint64_t p)
{
	if (p < FAKE_PHYS || p >= FAKE_PHYS + FAKE_BYTES)
		abort();
	return fake_arena + (p - FAKE_PHYS);
}

static void fake_protect(uint64_t page, int prot)
{
	if (mprotect(fake_at(page), PAGE_SIZE, prot))
		abort();
}

static void fake_set(uint64_t page, bool present)
{
	bool *now = &fake_page[(page - FAKE_PHYS) / PAGE_SIZE];

	fake_at(page);
	if (*now != present)
		fake_protect(page, present ? PROT_READ | PROT_WRITE : PROT_NONE);
	*now = present;
}

bool fake_present(paddr_t p)
{
	return fake_page[(p.v - FAKE_PHYS) / PAGE_SIZE];
}

unsigned fake_present_count(paddr_t start, uint64_t bytes)
{
	unsigned n = 0;

	for (uint64_t p = start.v; p < start.v + bytes; p += PAGE_SIZE)
		n += fake_present(paddr(p));
	return n;
}

void window_map(paddr_t start, uint64_t bytes)
{
	if (!ALIGNED(start.v, 12) || !ALIGNED(bytes, 12))
		abort();
	for (uint64_t p = start.v; p < start.v + bytes; p += PAGE_SIZE)
		fake_set(p, true);
}

void window_unmap(paddr_t start, uint64_t bytes)
{
	uint64_t end = ALIGN_DOWN(start.v + bytes, 12);

	for (uint64_t p = ALIGN_UP(start.v, 12); p < end; p += PAGE_SIZE)
		fake_set(p, false);
}

/* value < 0: from; else fill */
static void fake_through(uint64_t p, uint64_t bytes, int value, uint8_t *to)
{
	while (bytes) {
		uint64_t page = ALIGN_DOWN(p, 12), n = page + PAGE_SIZE - p;

		n = n < bytes ? n : bytes;
		fake_protect(page, PROT_READ | PROT_WRITE);
		if (value >= 0)
			memset(fake_at(p), value, n);
		else
			memcpy(to, fake_at(p), n);
		if (!fake_present(paddr(page)))
			fake_protect(page, PROT_NONE);
		to = to ? to + n : NULL;
		p += n;
		bytes -= n;
	}
}

void window_clear(paddr_t start, uint64_t bytes)
{
	if (!ALIGNED(start.v, 4) || !ALIGNED(bytes, 4) || bytes > 65536)
		abort();
	fake_through(start.v, bytes, 0, NULL);
}

void fake_peek(paddr_t p, void *to, uint64_t bytes)
{
	fake_through(p.v, bytes, -1, to);
}

void fake_poke(paddr_t p, uint8_t value, uint64_t bytes)
{
	fake_through(p.v, bytes, value, NULL);
}

/* ---- start ---- */

cap_t fake_root_cap(void)
{
	return cap_cnode_new(paddr(FAKE_PHYS), FAKE_RADIX);
}

struct cte *fake_root(unsigned slot)
{
	return (struct cte *)window_kv(paddr(FAKE_PHYS)) + slot;
}

struct cte *fake_in(unsigned node, unsigned slot)
{
	return (struct cte *)window_kv(cap_paddr(fake_root(node)->cap)) + slot;
}

void fake_reset(void)
{
	if (!fake_arena) {
		/* aligned like physical memory, so that objects are */
		uint8_t *m =
		    mmap(NULL, 2 * FAKE_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

		if (m == MAP_FAILED)
			abort();
		fake_arena = (uint8_t *)(((uintptr_t)m + FAKE_BYTES - 1) & ~(uintptr_t)(FAKE_BYTES - 1));
	}
	/* rubbish everywhere: what is zero has been cleared */
	mprotect(fake_arena, FAKE_BYTES, PROT_READ | PROT_WRITE);
	memset(fake_arena, 0xa5, FAKE_BYTES);
	mprotect(fake_arena, FAKE_BYTES, PROT_NONE);
	memset(fake_page, 0, sizeof(fake_page));
	memset(fake_events, 0, sizeof(fake_events));
	memset(&fake_percpu, 0, sizeof(fake_percpu));
	window_host_base = (uint64_t)(uintptr_t)fake_arena - FAKE_PHYS;
	fake_poll_every = 0;
	fake_polls = 0;
	window_map(paddr(FAKE_PHYS), 32u << FAKE_RADIX);
	window_clear(paddr(FAKE_PHYS), 32u << FAKE_RADIX);
	cte_begin(NULL, 0);
	cte_insert_root(fake_root(FAKE_UT),
			cap_untyped_new(paddr(FAKE_PHYS + FAKE_BYTES / 2), FAKE_UT_BITS, false));
}

/* ---- messages ---- */

void fake_message(unsigned count, const word_t *words)
{
	memset(fake_percpu.args, 0, sizeof(fake_percpu.args));
	memcpy(fake_percpu.args, words, count * sizeof(word_t));
	fake_percpu.arg_count = count;
	fake_length = count;
}

void fake_extra(struct cte *c0, struct cte *c1)
{
	fake_percpu.extra_caps[0] = c0;
	fake_percpu.extra_caps[1] = c1;
}

void invocation_reply1(word_t w0)
{
	fake_result = w0;
}

void panic(const char *format, ...)
{
	va_list a;

	va_start(a, format);
	vfprintf(stderr, format, a);
	va_end(a);
	abort();
}

bool irq_poll(void)
{
	fake_polls++;
	return fake_poll_every && fake_polls % fake_poll_every == 0;
}

/* ---- invocations ---- */

exception_t fake_retype(struct cte *ut, word_t type, unsigned user_bits, unsigned slot, unsigned count)
{
	exception_t e;
	struct cte root = {.cap = fake_root_cap()};

	do {
		FAKE_MESSAGE(type, user_bits, 0, 0, slot, count);
		fake_extra(&root, NULL);
		e = untyped_decode(UntypedRetype, fake_length, ut, ut->cap);
	} while (e == EXC_PREEMPTED);
	return e;
}

exception_t fake_cnode(word_t label, unsigned count, const word_t *words)
{
	exception_t e;
	struct cte root = {.cap = fake_root_cap()};

	do {
		fake_message(count, words);
		fake_extra(&root, &root);
		e = cnode_decode(label, fake_length, root.cap);
	} while (e == EXC_PREEMPTED);
	return e;
}

exception_t fake_copy(unsigned dst, unsigned src)
{
	return FAKE_CNODE(CNodeCopy, dst, FAKE_RADIX, src, FAKE_RADIX, 15);
}

exception_t fake_copy_deep(unsigned dst, unsigned dst_depth, unsigned src, unsigned src_depth)
{
	return FAKE_CNODE(CNodeCopy, dst, dst_depth, src, src_depth, 15);
}

exception_t fake_mint(unsigned dst, unsigned src, word_t badge)
{
	return FAKE_CNODE(CNodeMint, dst, FAKE_RADIX, src, FAKE_RADIX, 15, badge);
}

exception_t fake_delete(unsigned slot)
{
	return FAKE_CNODE(CNodeDelete, slot, FAKE_RADIX);
}

exception_t fake_revoke(unsigned slot)
{
	return FAKE_CNODE(CNodeRevoke, slot, FAKE_RADIX);
}

unsigned fake_check_list(const struct cte *slot)
{
	const struct cte *c = slot, *next;
	unsigned n = 1;

	while (mdb_prev(c->mdb))
		c = window_kv(paddr(mdb_prev(c->mdb)));
	for (; mdb_next(c->mdb); c = next, n++) {
		next = window_kv(paddr(mdb_next(c->mdb)));
		if (mdb_prev(next->mdb) != window_pa(c).v || cap_is_null(next->cap) || cap_is_null(c->cap))
			panic("list broken after %u\n", n);
	}
	return n;
}

/* ---- objects: only that it happened ---- */

static void fake_event(enum cap_type t)
{
	fake_events[t]++;
}

static struct virt_ops fake_virt_ops;
const struct virt_ops *virt = &fake_virt_ops;

void tcb_init(struct tcb *t)
{
	t->priority = 1;
}
void tcb_finalise(struct tcb *t)
{
	(void)t;
	fake_event(CAP_TCB);
}
void tcb_ipc_buffer_gone(struct tcb *t)
{
	t->ipc_buffer_kv = NULL;
	fake_event(CAP_FRAME);
}
WEAK void sched_context_init(struct sched_context *sc, unsigned size_bits)
{
	sc->size_bits = (uint16_t)size_bits;
}
WEAK void sched_context_finalise(struct sched_context *sc)
{
	(void)sc;
	fake_event(CAP_SCHED_CONTEXT);
}
exception_t ipc_cancel_all(struct endpoint *ep)
{
	ep->head = 0;
	fake_event(CAP_ENDPOINT);
	return EXC_NONE;
}
exception_t notification_cancel_all(struct notification *n)
{
	n->badge = 0;
	return EXC_NONE;
}
exception_t ipc_cancel_badged(struct endpoint *ep, word_t badge)
{
	ep->tail = badge;
	return EXC_NONE;
}
void notification_finalise(struct notification *n)
{
	n->badge = 0;
	fake_event(CAP_NOTIFICATION);
}
void notification_signal(struct notification *n, word_t badge)
{
	n->badge |= badge;
}
void reply_clear(struct reply *r)
{
	r->tcb = NULL;
	fake_event(CAP_REPLY);
}
struct vcpu *cap_vcpu_of(cap_t c)
{
	return window_kv(paddr(cap_vcpu_ptr(c)));
}
void vcpu_init(struct vcpu *v)
{
	memset(v, 0x77, 16384);
}
void vcpu_finalise(struct vcpu *v)
{
	(void)v;
	fake_event(CAP_VCPU);
}
void vcpu_unbind_tcb(struct tcb *t)
{
	t->vcpu = NULL;
}
void vcpu_io_gone(cap_t cap)
{
	fake_events[CAP_IOPORT_CONTROL] += cap_ioport_vcpu(cap) != 0;
}
void vcpu_state_page_gone(struct vcpu *v)
{
	(void)v;
	fake_event(CAP_ZOMBIE);
}
exception_t timer_drain(struct timer *t)
{
	fake_event(CAP_TIMER);
	return cte_delete(&t->notification, true);
}
WEAK void vspace_init_root(paddr_t pml4)
{
	memset(window_kv(pml4), 0x11, PAGE_SIZE);
}
WEAK void vspace_finalise(cap_t cap, bool final)
{
	(void)final;
	fake_event(cap_type_of(cap));
}
WEAK void ept_finalise(cap_t cap, bool final)
{
	(void)final;
	fake_event(cap_type_of(cap));
}
WEAK void ept_unmap_frame(cap_t frame)
{
	fake_event(cap_type_of(frame));
}
WEAK exception_t irq_handler_drain(unsigned irq)
{
	(void)irq;
	return EXC_NONE;
}
WEAK void irq_handler_release(unsigned irq)
{
	(void)irq;
	fake_event(CAP_IRQ_HANDLER);
}
WEAK void ioport_finalise(cap_t cap)
{
	(void)cap;
	fake_event(CAP_IOPORT);
}
