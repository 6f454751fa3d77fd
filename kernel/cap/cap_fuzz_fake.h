/*
 * The parts of cap_fuzz.c: a reference model of capabilities, Untypeds and frames, how invocations are chosen
 * and made, and invocations by what they concern, each with the model's answer, the kernel's, and what they
 * lead to.
 */
#ifndef CAP_CAP_FUZZ_FAKE_H
#define CAP_CAP_FUZZ_FAKE_H

#include "cap/cap_fake.h"
#include "insula/ext.h"

enum {
	ROOT_SLOTS = 64, /* of the root CNode, in use */
	NODES = 24,	 /* CNodes at a time; 0 is the root */
	STRIDE = 64,
	PARTS = 512,	    /* slots of one CNode more: room for the parts of a frame */
	PARTS_NODE = NODES, /* it */
	PARTS_PLACE = NODES * STRIDE,
	PLACES = PARTS_PLACE + PARTS,
	NOWHERE = -1,
	OWN_HEAD = 0,
	OWN_ROOT = 1,
	OWN_PARTS = 2,
	OWN_COUNT = 3,
};

#define BASE	  (FAKE_PHYS + FAKE_BYTES / 2)
#define OWN	  (FAKE_PHYS + (32u << FAKE_RADIX)) /* the page behind the root CNode */
#define ROOT_CAP  1u
#define DEVICE	  17u
#define PARTS_CAP 18u
#define PARTS_PTR (FAKE_PHYS + (1u << 20))

/* ---- cap_fuzz.c: the dice, invocations, choosing ---- */

/* Of the input, and pseudorandom of what it was when it has ended. */
unsigned below(unsigned n);
bool one_in(unsigned n);

struct answer;
/* An invocation of a slot's capability, with extra capabilities; taken up again when it is interrupted. */
exception_t invoke(struct cte *slot, struct cte *x0, struct cte *x1, word_t label, unsigned count,
		   const word_t *words);
/* It answered as the model says. */
void expect(const char *what, exception_t e, const struct answer *a);

enum wanted { ANY, EMPTY, USED, TYPED };
/* A place that exists; as wanted, if one is found soon. */
int any_place(enum wanted wanted, enum cap_type type);
/* A capability to this place's CNode, if there is one. */
int root_of(int place);
/* How a place is named, by its own CNode's capability or through the root CNode: rightly, for the most part.
 */
void name_place(int place, int *root, word_t *index, word_t *depth);

/* ---- cap_fuzz_model_fake.c ---- */

/* A place is a slot that the model knows: that of the CNode's number times STRIDE and the slot's index. */
struct model_cap {
	enum cap_type type; /* CAP_NULL: an empty slot */
	uint64_t ptr;
	unsigned bits; /* of the object's size */
	bool original; /* things can be derived from it */
	bool device;
	int parent; /* place */
	uint64_t badge;
	unsigned rights; /* seL4's word, as far as the type has them */
	uint64_t guard;
	unsigned guard_size;
	uint64_t free;	/* Untyped */
	unsigned depth; /* frame: how many it was made below */
	bool split;	/* a husk: its parts are made */
};

struct model_node {
	bool live;
	uint64_t ptr;
	unsigned radix;
};

extern struct model_cap model[PLACES];
extern struct model_node nodes[NODES + 1];
extern unsigned model_ended[64]; /* objects, by type */

/* What an invocation answers. */
struct answer {
	enum sel4_error error;
	unsigned count;
	word_t words[ERROR_WORDS];
};

struct answer answer0(enum sel4_error e);
struct answer answer1(enum sel4_error e, word_t a);
struct answer answer_range(word_t min, word_t max);
struct answer answer_lookup(bool source, unsigned count, word_t type, word_t a, word_t b, word_t c);

int node_of(uint64_t ptr);
unsigned node_slots(int node);
int place_node(int place);
unsigned place_index(int place);
int place_of(int node, uint64_t index);
bool place_exists(int place);
struct cte *place_slot(int place);

bool model_known(int node, uint64_t index);
/* (root, index, depth) to a place; NOWHERE with *a filled; a slot beyond the known ones is a place too:
 * PLACES. */
int model_slot(struct model_cap root, word_t index, word_t depth, bool source, struct answer *a);
bool model_children(int place);
bool model_below(int place, int ancestor);
bool model_badged(enum cap_type t);
/* Rights masked. */
struct model_cap model_masked(struct model_cap c, word_t rights);
void model_delete(int place);
void model_revoke(int place);
/*
 * Would this take a CNode or thread whose capability lies in a CNode that goes as well? What becomes of those
 * is a matter of order; they are left to the other half of the runs. `below_too`: also all that is derived
 * from place.
 */
bool model_nested(int place, bool below_too);
/* Objects do not overlap: of two capabilities to memory, one's contains the other's and is its ancestor, or
 * they are the same object. */
void no_overlap(int place);

/* Every slot is as the model says, and what was finalised. */
void compare(const char *what);
/* The derivation list is sound in both directions; returns how many are in it. */
unsigned check_list(void);

/* ---- cap_fuzz_cnode_fake.c ---- */

void op_copy(void); /* or Mint, Move, Mutate */
void op_rotate(void);
void op_delete(bool revoke);
void op_cancel(void);

/* ---- cap_fuzz_memory_fake.c ---- */

struct kind {
	word_t type;
	enum cap_type cap;
	unsigned bits; /* 0: chosen by the caller */
	unsigned rights;
};

#define KINDS 10u
extern const struct kind kinds[KINDS]; /* the last one: a large frame */

void op_retype(void);
/* A large frame in an empty slot of the root. */
void op_large(void);
/* A large one, if one is found soon. */
int any_frame(void);
void op_derive(int src);
void op_split(int place);

#endif
