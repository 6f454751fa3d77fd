/* Damage on purpose (check.h): one thing of each part of the kernel whose invariants are walked. */
#include "arch/x86/mm/tables_hw.h"
#include "arch/x86/mm/window.h"
#include "debug/check_private.h"
#include "ipc/endpoint.h"
#include "object/asid.h"
#include "sched/sched.h"

static bool break_suits(cap_t cap, enum cap_type type)
{
	if (cap_type(cap) != type)
		return false;
	/* a mapped frame that nobody holds */
	return type != CAP_FRAME ||
	       (cap_frame_map(cap) == FRAME_VSPACE && !cap_frame_device(cap) &&
		!pte_present(tables_read(tables_entry(WINDOW_BASE + cap_frame_ptr(cap), 1))));
}

static struct cte *break_next(const struct cte *c)
{
	return mdb_next(c->mdb) ? window_kv(paddr(mdb_next(c->mdb))) : NULL;
}

/* The first such capability; NULL: there is none. */
static struct cte *break_find(enum cap_type type)
{
	struct cte *c = cte_own.slots;

	while (c && !break_suits(c->cap, type))
		c = break_next(c);
	return c;
}

/* An endpoint's capability allows less than one that was made from it. */
static bool break_rights(void)
{
	struct cte *c = cte_own.slots, *next;

	for (; c && (next = break_next(c)) != NULL; c = next)
		if (cap_type(c->cap) == CAP_ENDPOINT && cte_is_parent(c, next) &&
		    cap_endpoint_can_send(next->cap)) {
			c->cap = cap_endpoint_with_can_send(c->cap, 0);
			return true;
		}
	return false;
}

static void break_capability(struct cte *c, unsigned kind)
{
	cap_t cap = c->cap;

	switch (kind) {
	case 0: /* a link that leads nowhere */
		c->mdb = mdb_with_prev(c->mdb, mdb_next(c->mdb));
		break;
	case 1: /* memory in use that is called free */
		c->cap = cap_untyped_with_free(cap, BIT(cap_untyped_bits(cap)) + 16);
		break;
	case 2: /* an entry without a capability */
		c->cap =
		    cap_frame_with_mapped(cap_frame_with_asid(cap_frame_with_map(cap, FRAME_UNMAPPED), 0), 0);
		break;
	case 3: /* a copy that nobody knows of */
		cte_own.slots[1].cap = cap;
		break;
	default: /* a thread waits where nobody is */
		cap_endpoint_of(cap)->head = ENDPOINT_RECV;
		break;
	}
}

bool check_break(unsigned kind)
{
	static const enum cap_type types[] = {CAP_CNODE, CAP_UNTYPED, CAP_FRAME, CAP_TCB, CAP_ENDPOINT};
	struct percpu *p = percpu_self();
	struct tcb *t = p->current;
	struct cte *c = kind < ARRAY_SIZE(types) ? break_find(types[kind]) : NULL;

	if (kind < ARRAY_SIZE(types)) {
		if (c)
			break_capability(c, kind);
		return c != NULL;
	}
	switch (kind) {
	case 5:
		p->ready_l2[0] ^= 1;
		return true;
	case 6:
		t->sc->refills[t->sc->refill_head].amount *= 3;
		return true;
	case 7: /* nobody holds it, and it stays in the window */
		if (!t->ipc_buffer_kv)
			return false;
		window_ref(paddr(ALIGN_DOWN(window_pa(t->ipc_buffer_kv).v, PAGE_BITS)));
		return true;
	case 8: /* a frame's memory becomes visible to the kernel */
		c = break_find(CAP_FRAME);
		if (!c)
			return false;
		window_map(paddr(cap_frame_ptr(c->cap)), PAGE_SIZE);
		return true;
	case 9:
		asid_pools[0][300] = asid_pools[0][1];
		return true;
	case 10:
		return break_rights();
	default:
		return false;
	}
}
