/*
 * CNode, Untyped and frame invocations beside a reference model, written from the API's rules and not from
 * the code: capabilities with explicit parents, Untypeds with a watermark, frames that are derived from and
 * split. Of every invocation the model says beforehand what it answers, error and words included; afterwards
 * every slot must be as the model says: which capability, its rights, badge, guard, whether something is
 * derived from it; what was finalised; which pages are in the window.
 *
 * Long operations are interrupted as the input says. In half of the runs an interrupted one is left undone,
 * and others come in between, also those on objects inside objects under deletion, of which the model knows
 * nothing: there the derivation list must be sound, and a revoke of all memory must end everything.
 */
// links: kernel/cap/mdb.c kernel/cap/derive.c kernel/cap/delete.c kernel/cap/preempt.c
// links: kernel/cap/cnode.c kernel/cap/cnode_decode.c kernel/cap/untyped.c kernel/object/object.c
// links: kernel/api/error.c kernel/cap/cap_fake.c kernel/object/frame_split.c
// links: kernel/cap/cap_fuzz_model_fake.c kernel/cap/cap_fuzz_cnode_fake.c kernel/cap/cap_fuzz_memory_fake.c
#include "cap/cap_fuzz_fake.h"
#include "arch/x86/mm/window.h"
#include "object/frame.h"
#include "object/tcb.h"
#include "panic.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define STEPS_MAX 3000u

/* ---- the dice ---- */

static const uint8_t *dice;
static size_t dice_left;
static uint64_t dice_state;

unsigned below(unsigned n)
{
	if (dice_left) {
		dice_left--;
		dice_state ^= *dice++;
	}
	dice_state = dice_state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)((dice_state ^ dice_state >> 31) >> 12) % n;
}

bool one_in(unsigned n)
{
	return below(n) == 0;
}

/* ---- invocations ---- */

static bool leave_undone; /* an interrupted invocation is not taken up again */

/* As frame_decode does; nothing is mapped here. */
static bool frame_not_mapped(cap_t cap)
{
	(void)cap;
	return false;
}

const struct frame_space frame_space_vspace = {.mapped = frame_not_mapped},
			 frame_space_ept = {.mapped = frame_not_mapped};

static exception_t run_frame(struct cte *slot, cap_t cap, word_t label, unsigned count)
{
	if (label == InsulaFrameSplit)
		return frame_split(count, slot, cap);
	return cap_frame_split(cap) ? error_illegal_operation() : frame_derive(count, slot, cap);
}

exception_t invoke(struct cte *slot, struct cte *x0, struct cte *x1, word_t label, unsigned count,
		   const word_t *words)
{
	exception_t e;

	do {
		cap_t cap = slot->cap;

		fake_message(count, words);
		fake_extra(x0, x1);
		if (cap_type(cap) == CAP_UNTYPED)
			e = untyped_decode(label, count, slot, cap);
		else if (cap_type(cap) == CAP_CNODE)
			e = cnode_decode(label, count, cap);
		else if (cap_type(cap) == CAP_FRAME)
			e = run_frame(slot, cap, label, count);
		else
			return EXC_FAULT; /* nothing to be invoked, any more */
	} while (e == EXC_PREEMPTED && !leave_undone);
	return e;
}

void expect(const char *what, exception_t e, const struct answer *a)
{
	const struct syscall_error *got = &percpu_host->error;
	word_t words[ERROR_WORDS];
	unsigned n;

	if (e == EXC_NONE) {
		if (a->error != seL4_NoError)
			panic("%s succeeded, should be error %d", what, a->error);
		return;
	}
	if (e != EXC_SYSCALL_ERROR || a->error == seL4_NoError)
		panic("%s: result %d, error %d, should be %d", what, e, got->type, a->error);
	if (got->type != a->error)
		panic("%s: error %d, should be %d", what, got->type, a->error);
	n = error_words(got, words);
	if (n != a->count)
		panic("%s: error %d with %u words, should be %u", what, got->type, n, a->count);
	for (unsigned i = 0; i < n; i++)
		if (words[i] != a->words[i])
			panic("%s: error %d: word %u is 0x%lx, should be 0x%lx", what, got->type, i, words[i],
			      a->words[i]);
}

/* ---- choosing ---- */

int any_place(enum wanted wanted, enum cap_type type)
{
	int p = ROOT_CAP;

	for (unsigned i = 0; i < 300; i++) {
		p = (int)(one_in(3)			       ? below(PARTS_PLACE)
			  : one_in(wanted == EMPTY ? 400 : 12) ? PARTS_PLACE + below(PARTS)
							       : below(ROOT_SLOTS));
		if (place_exists(p) && (wanted == ANY || (wanted == EMPTY && model[p].type == CAP_NULL) ||
					(wanted == USED && model[p].type != CAP_NULL) ||
					(wanted == TYPED && model[p].type == type)))
			return p;
	}
	return (int)ROOT_CAP;
}

int root_of(int place)
{
	int start = (int)below(PLACES);

	for (int i = 0; i < PLACES; i++) {
		int p = (start + i) % PLACES;

		if (model[p].type == CAP_CNODE && model[p].ptr == nodes[place_node(place)].ptr)
			return p;
	}
	return (int)ROOT_CAP;
}

void name_place(int place, int *root, word_t *index, word_t *depth)
{
	int through = root_of(place);
	const struct model_cap *r = &model[through];
	unsigned radix = r->bits - seL4_SlotBits;

	*root = through;
	*depth = radix + r->guard_size;
	*index = place_index(place) | (r->guard_size ? r->guard << radix : 0);
	if (place >= STRIDE && through < ROOT_SLOTS &&
	    *depth + FAKE_RADIX + model[ROOT_CAP].guard_size <= 64 && one_in(2)) {
		*index |= (word_t)through << *depth;
		*depth += FAKE_RADIX;
		*root = (int)ROOT_CAP;
		*index |= model[ROOT_CAP].guard_size ? model[ROOT_CAP].guard << *depth : 0;
		*depth += model[ROOT_CAP].guard_size;
	}
	if (one_in(25))
		*root = any_place(ANY, CAP_NULL);
	if (one_in(25))
		*depth = below(70);
	if (one_in(25))
		*index ^= BIT(below(64));
}

/* ---- beside the model ---- */

static void op_short(void)
{
	int root = any_place(TYPED, CAP_CNODE), ut = any_place(TYPED, CAP_UNTYPED);
	struct answer truncated = answer0(seL4_TruncatedMessage), illegal = answer0(seL4_IllegalOperation);
	const word_t w[6] = {0, 8};

	if (model[root].type == CAP_CNODE) {
		expect("short", invoke(place_slot(root), NULL, NULL, CNodeRevoke + below(8), below(2), w),
		       &truncated);
		expect("label",
		       invoke(place_slot(root), NULL, NULL,
			      one_in(2) ? TCBSuspend : IRQIssueIRQHandler + below(60), 6, w),
		       &illegal);
	}
	if (model[ut].type == CAP_UNTYPED) {
		expect("short", invoke(place_slot(ut), place_slot(ut), NULL, UntypedRetype, below(6), w),
		       &truncated);
		expect("short", invoke(place_slot(ut), NULL, NULL, UntypedRetype, 6, w), &truncated);
		expect("label", invoke(place_slot(ut), NULL, NULL, 2 + below(80), 6, w), &illegal);
	}
}

static void step(void)
{
	unsigned what = below(46);

	if (what >= 44)
		op_split(any_frame());
	else if (what >= 41)
		op_derive(one_in(3) ? any_place(TYPED, CAP_FRAME) : any_frame());
	else if (what >= 40)
		op_large();
	else if (what < 12)
		op_retype();
	else if (what < 28)
		op_copy();
	else if (what < 33)
		op_rotate();
	else if (what < 37)
		op_delete(false);
	else if (what < 38)
		op_delete(true);
	else if (what < 39)
		op_cancel();
	else
		op_short();
	compare("state");
}

/* ---- anything goes ---- */

/* Slots that can be reached: of the root, and of CNodes in it. */
static word_t chaos_index(word_t *depth)
{
	unsigned slot = below(ROOT_SLOTS);
	cap_t c = fake_root(slot)->cap;

	*depth = 8;
	if (slot == ROOT_CAP || slot == FAKE_UT || slot == DEVICE)
		return 2;
	if (slot != PARTS_CAP && (one_in(2) || cap_type(c) != CAP_CNODE))
		return slot;
	*depth += cap_cnode_radix(c) + cap_cnode_guard_size(c);
	return ((word_t)slot << cap_cnode_guard_size(c) | cap_cnode_guard(c)) << cap_cnode_radix(c) |
	       below(1u << cap_cnode_radix(c));
}

/* A frame, of the root, is derived from or split. */
static void chaos_frame(word_t index, word_t depth)
{
	const word_t derive[] = {index, depth, 15, one_in(2) ? 0 : (word_t)below(PARTS) << 12,
				 one_in(2) ? 12 : 21};
	const word_t split[] = {0, 0, 0};
	unsigned slot = below(ROOT_SLOTS);

	for (unsigned i = 0; i < ROOT_SLOTS && cap_type(fake_root(slot)->cap) != CAP_FRAME; i++)
		slot = (slot + 1) % ROOT_SLOTS;
	if (cap_type(fake_root(slot)->cap) != CAP_FRAME)
		return;
	if (one_in(3))
		invoke(fake_root(slot), fake_root(PARTS_CAP), NULL, InsulaFrameSplit, 3, split);
	else
		invoke(fake_root(slot), fake_root(ROOT_CAP), NULL, InsulaFrameDerive, 5, derive);
}

static void chaos_step(void)
{
	word_t d[3], i[3], w[8];
	struct cte *root = fake_root(ROOT_CAP), *ut = fake_root(below(ROOT_SLOTS));
	unsigned what = below(21);

	for (unsigned n = 0; n < 3; n++)
		i[n] = chaos_index(&d[n]);
	if (what < 6) {
		const struct kind *k = &kinds[below(KINDS)];
		const word_t r[] = {one_in(2) ? seL4_CapTableObject : k->type,
				    k->type == seL4_UntypedObject ? 12 + below(10) : 1 + below(9),
				    0,
				    0,
				    2 + below(10),
				    1 + below(2)};

		if (cap_type(ut->cap) != CAP_UNTYPED || cap_untyped_device(ut->cap))
			ut = fake_root(FAKE_UT);
		invoke(ut, root, NULL, UntypedRetype, 6, r);
		return;
	}
	if (what < 8) {
		chaos_frame(i[0], d[0]);
		return;
	}
	w[0] = i[0], w[1] = d[0], w[2] = i[1], w[3] = d[1], w[4] = 15, w[5] = below(3);
	if (what < 10)
		invoke(root, root, NULL, CNodeCopy, 5, w);
	else if (what < 11)
		invoke(root, root, NULL, CNodeMint, 6, w);
	else if (what < 15)
		invoke(root, root, NULL, CNodeMove, 4, w);
	else if (what < 19)
		invoke(root, NULL, NULL, CNodeDelete, 2, w);
	else if (what < 20) {
		const word_t r[] = {i[0], d[0], 0, i[1], d[1], 0, i[2], d[2]};

		invoke(root, root, root, CNodeRotate, 8, r);
	} else
		invoke(root, NULL, NULL, CNodeRevoke, 2, w);
}

static void chaos_end(void)
{
	const word_t w[] = {FAKE_UT, 8}, again[] = {seL4_X86_LargePageObject, 0, 0, 0, 20, 8};

	leave_undone = false;
	if (invoke(fake_root(ROOT_CAP), NULL, NULL, CNodeRevoke, 2, w) != EXC_NONE)
		panic("the last revoke failed");
	for (unsigned i = 0; i < 1u << FAKE_RADIX; i++)
		if (i != FAKE_UT && i != ROOT_CAP && i != DEVICE && i != PARTS_CAP &&
		    !cap_is_null(fake_root(i)->cap))
			panic("slot %u is not empty at the end", i);
	if (invoke(fake_root(FAKE_UT), fake_root(ROOT_CAP), NULL, UntypedRetype, 6, again) != EXC_NONE)
		panic("the memory is not free at the end");
	if (fake_present_count(paddr(BASE), BIT(FAKE_UT_BITS)))
		panic("something is left in the window");
}

/* ---- */

static void start(void)
{
	struct cte *own;
	const cap_t device = cap_untyped_new(paddr(0x80000000u), 22, true);

	fake_reset();
	own = window_kv(paddr(OWN));
	window_map(paddr(OWN), PAGE_SIZE);
	window_clear(paddr(OWN), PAGE_SIZE);
	cte_begin(own, OWN_COUNT);
	memset(fake_root(FAKE_UT), 0, sizeof(struct cte)); /* into the list, as at boot */
	cte_insert_root(fake_root(FAKE_UT), cap_untyped_new(paddr(BASE), FAKE_UT_BITS, false));
	cte_insert_root(fake_root(DEVICE), device);
	cte_insert_root(&own[OWN_ROOT], fake_root_cap());
	cte_insert(fake_root_cap(), &own[OWN_ROOT], fake_root(ROOT_CAP));
	window_map(paddr(PARTS_PTR), 32u * PARTS);
	window_clear(paddr(PARTS_PTR), 32u * PARTS);
	cte_insert_root(&own[OWN_PARTS], cap_cnode_new(paddr(PARTS_PTR), 9));
	cte_insert(own[OWN_PARTS].cap, &own[OWN_PARTS], fake_root(PARTS_CAP));

	memset(model, 0, sizeof(model));
	memset(nodes, 0, sizeof(nodes));
	memset(model_ended, 0, sizeof(model_ended));
	nodes[0].live = true;
	nodes[0].ptr = FAKE_PHYS;
	nodes[0].radix = FAKE_RADIX;
	nodes[PARTS_NODE].live = true;
	nodes[PARTS_NODE].ptr = PARTS_PTR;
	nodes[PARTS_NODE].radix = 9;
	model[PARTS_CAP] = (struct model_cap){
	    .type = CAP_CNODE, .ptr = PARTS_PTR, .bits = 9 + seL4_SlotBits, .parent = NOWHERE};
	model[FAKE_UT] = (struct model_cap){
	    .type = CAP_UNTYPED, .ptr = BASE, .bits = FAKE_UT_BITS, .original = true, .parent = NOWHERE};
	model[DEVICE] = (struct model_cap){.type = CAP_UNTYPED,
					   .ptr = 0x80000000u,
					   .bits = 22,
					   .original = true,
					   .parent = NOWHERE,
					   .device = true};
	model[ROOT_CAP] = (struct model_cap){
	    .type = CAP_CNODE, .ptr = FAKE_PHYS, .bits = FAKE_RADIX + seL4_SlotBits, .parent = NOWHERE};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool chaos;

	dice = data;
	dice_left = size;
	dice_state = size;
	start();
	chaos = below(2);
	leave_undone = chaos && below(2);
	fake_poll_every = below(5);
	for (unsigned i = 0; i < STEPS_MAX && (dice_left || i < 250); i++) {
		if (chaos)
			chaos_step();
		else
			step();
		check_list();
	}
	if (chaos)
		chaos_end();
	return 0;
}
