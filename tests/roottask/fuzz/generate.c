/* See generate.h. One table says what each label takes; most invocations follow it, some do not. */
#include "roottask/fuzz/generate.h"
#include "insula/ext.h"
#include "sel4/constants.h"

/* DebugCapIdentify's numbers. */
enum {
	NONE = 0,
	FRAME = 1,
	UNTYPED = 2,
	PT = 3,
	ENDPOINT = 4,
	PD = 5,
	NOTIFICATION = 6,
	PDPT = 7,
	REPLY = 8,
	PML4 = 9,
	CNODE = 10,
	ASID_CONTROL = 11,
	TCB = 12,
	ASID_POOL = 13,
	IRQ_CONTROL = 14,
	IOSPACE = 15,
	IRQ_HANDLER = 16,
	IOPT = 17,
	IOPORT = 19,
	DOMAIN = 20,
	VCPU = 21,
	SC = 22,
	EPT_PT = 23,
	SC_CONTROL = 24,
	EPT_PD = 25,
	EPT_PDPT = 27,
	EPT_PML4 = 29,
	IOPORT_CONTROL = 31,
	TIMER = insula_CapTypeTimer,
	ANY = 255
};

/*
 * Words: i index of a slot, E of an empty one, h of one that holds something, e of an endpoint's, P port, O
 * offset in a frame, S size of its part, d depth, n node index and depth for a CNode as a whole, o index to
 * retype to, t object type, s size, c count, b badge, r rights, g guard data, p priority, a address, m
 * attributes, u microseconds, x register, f flags, w small number, z zero, v field, M machine register, G
 * guest-physical address, R register context, k count of registers, T deadline, B buffer.
 */
struct generate_shape {
	uint32_t label;
	uint8_t target;
	uint8_t weight;
	uint8_t caps[GENERATE_CAPS];
	const char *words;
};

static const struct generate_shape shapes[] = {
    {UntypedRetype, UNTYPED, 60, {CNODE}, "tsnoc"},
    {TCBReadRegisters, TCB, 2, {0}, "fk"},
    {TCBWriteRegisters, TCB, 40, {0}, "fkR"},
    {TCBCopyRegisters, TCB, 3, {TCB}, "f"},
    {TCBConfigure, TCB, 12, {CNODE, PML4, FRAME}, "zzB"},
    {TCBSetPriority, TCB, 6, {TCB}, "p"},
    {TCBSetMCPriority, TCB, 2, {TCB}, "p"},
    {TCBSetSchedParams, TCB, 20, {TCB, SC, ENDPOINT}, "pp"},
    {TCBSetTimeoutEndpoint, TCB, 5, {ENDPOINT}, ""},
    {TCBSetIPCBuffer, TCB, 5, {FRAME}, "B"},
    {TCBSetSpace, TCB, 8, {ENDPOINT, CNODE, PML4}, "zz"},
    {TCBSuspend, TCB, 6, {0}, ""},
    {TCBResume, TCB, 12, {0}, ""},
    {TCBBindNotification, TCB, 8, {NOTIFICATION}, ""},
    {TCBUnbindNotification, TCB, 3, {0}, ""},
    {TCBSetTLSBase, TCB, 1, {0}, "x"},
    {TCBSetFlags, TCB, 2, {0}, "ff"},
    {TCBSetEPTRoot, TCB, 3, {EPT_PML4}, ""},
    {CNodeRevoke, CNODE, 6, {0}, "id"},
    {CNodeDelete, CNODE, 30, {0}, "id"},
    {CNodeCancelBadgedSends, CNODE, 6, {0}, "ed"},
    {CNodeCopy, CNODE, 30, {CNODE}, "ididr"},
    {CNodeMint, CNODE, 20, {CNODE}, "ididrb"},
    {CNodeMint, CNODE, 4, {CNODE}, "ididrg"},
    {CNodeMove, CNODE, 12, {CNODE}, "idid"},
    {CNodeMutate, CNODE, 6, {CNODE}, "Edhdg"},
    {CNodeMutate, CNODE, 3, {CNODE}, "ididg"},
    {CNodeRotate, CNODE, 6, {CNODE, CNODE}, "Edzhdzhd"},
    {CNodeRotate, CNODE, 6, {CNODE, CNODE}, "idbidbid"},
    {IRQIssueIRQHandler, IRQ_CONTROL, 1, {CNODE}, "wid"},
    {X86IRQIssueIRQHandlerMSI, IRQ_CONTROL, 3, {CNODE}, "idwwwww"},
    {IRQAckIRQ, IRQ_HANDLER, 2, {0}, ""},
    {IRQSetIRQHandler, IRQ_HANDLER, 4, {NOTIFICATION}, ""},
    {IRQClearIRQHandler, IRQ_HANDLER, 2, {0}, ""},
    {DomainSetSet, DOMAIN, 1, {TCB}, "z"},
    {DomainScheduleConfigure, DOMAIN, 1, {0}, "zzu"},
    {DomainScheduleSetStart, DOMAIN, 1, {0}, "z"},
    {SchedControlConfigureFlags, SC_CONTROL, 20, {SC}, "uuwbF"},
    {SchedContextBind, SC, 10, {TCB}, ""},
    {SchedContextBind, SC, 6, {NOTIFICATION}, ""},
    {SchedContextUnbind, SC, 8, {0}, ""},
    {SchedContextUnbindObject, SC, 3, {TCB}, ""},
    {SchedContextUnbindObject, SC, 2, {NOTIFICATION}, ""},
    {SchedContextConsumed, SC, 3, {0}, ""},
    {SchedContextYieldTo, SC, 5, {0}, ""},
    {InsulaSchedContextCharge, SC, 24, {REPLY}, "x"},
    {X86PDPTMap, PDPT, 6, {PML4}, "am"},
    {X86PDPTUnmap, PDPT, 2, {0}, ""},
    {X86PageDirectoryMap, PD, 6, {PML4}, "am"},
    {X86PageDirectoryUnmap, PD, 2, {0}, ""},
    {X86PageTableMap, PT, 6, {PML4}, "am"},
    {X86PageTableUnmap, PT, 2, {0}, ""},
    {X86IOPageTableMap, IOPT, 1, {IOSPACE}, "a"},
    {X86IOPageTableUnmap, IOPT, 1, {0}, ""},
    {X86PageMap, FRAME, 40, {PML4}, "arm"},
    {X86PageUnmap, FRAME, 5, {0}, ""},
    {InsulaFrameDerive, FRAME, 12, {CNODE}, "idrOS"},
    {InsulaFrameDeriveEPT, FRAME, 4, {CNODE, EPT_PML4}, "idrOSGw"},
    {InsulaFrameDeriveEPT, FRAME, 12, {CNODE, EPT_PML4}, "EdrzSGz"},
    {InsulaFrameSplit, FRAME, 24, {CNODE, PT}, "nq"},
    {InsulaFrameSplit, FRAME, 8, {CNODE, EPT_PT}, "nq"},
    {X86PageMapIO, FRAME, 1, {IOSPACE}, "ra"},
    {X86PageGetAddress, FRAME, 1, {0}, ""},
    {X86PageMapEPT, FRAME, 8, {EPT_PML4}, "Grw"},
    {X86PageMapEPT, FRAME, 2, {EPT_PML4}, "arw"},
    {X86IOPortIn8, IOPORT, 1, {0}, "P"},
    {X86IOPortIn16, IOPORT, 2, {0}, "P"},
    {X86IOPortIn32, IOPORT, 3, {0}, "P"},
    {X86IOPortOut8, IOPORT, 1, {0}, "Px"},
    {X86IOPortOut16, IOPORT, 2, {0}, "Px"},
    {X86IOPortOut32, IOPORT, 3, {0}, "Px"},
    {X86ASIDControlMakePool, ASID_CONTROL, 16, {UNTYPED, CNODE}, "Ed"},
    {X86ASIDPoolAssign, ASID_POOL, 16, {PML4}, ""},
    {X86ASIDPoolAssign, ASID_POOL, 8, {EPT_PML4}, ""},
    {X86VCPUReadMSR, VCPU, 2, {0}, "M"},
    {X86VCPUWriteMSR, VCPU, 2, {0}, "Mx"},
    {X86VCPUSetTCB, VCPU, 4, {TCB}, ""},
    {X86VCPUReadVMCS, VCPU, 2, {0}, "v"},
    {X86VCPUWriteVMCS, VCPU, 4, {0}, "vx"},
    {X86VCPUEnableIOPort, VCPU, 3, {IOPORT}, "PP"},
    {X86VCPUDisableIOPort, VCPU, 1, {0}, "PP"},
    {X86VCPUWriteRegisters, VCPU, 1, {0}, "xxxxxxxxxxxxxxx"},
    {X86EPTPDPTMap, EPT_PDPT, 8, {EPT_PML4}, "Gm"},
    {X86EPTPDPTUnmap, EPT_PDPT, 2, {0}, ""},
    {X86EPTPDMap, EPT_PD, 8, {EPT_PML4}, "Gm"},
    {X86EPTPDUnmap, EPT_PD, 2, {0}, ""},
    {X86EPTPTMap, EPT_PT, 8, {EPT_PML4}, "Gm"},
    {X86EPTPTUnmap, EPT_PT, 2, {0}, ""},
    {InsulaTimerBind, TIMER, 4, {NOTIFICATION}, ""},
    {InsulaTimerBind, TIMER, 1, {0}, ""},
    {InsulaTimerSet, TIMER, 5, {0}, "T"},
    {InsulaTimerCancel, TIMER, 1, {0}, ""},
    {InsulaVCPUSetStatePage, VCPU, 3, {FRAME}, ""},
    {InsulaVCPUSetStatePage, VCPU, 1, {0}, ""},
};
#define SHAPES (sizeof(shapes) / sizeof(shapes[0]))

unsigned generate_below(const struct generate_world *w, unsigned n)
{
	return (unsigned)((w->random(w->ctx) >> 16) % n);
}

static int generate_one_in(const struct generate_world *w, unsigned n)
{
	return generate_below(w, n) == 0;
}

unsigned generate_slot(const struct generate_world *w, unsigned type)
{
	unsigned slot = 1 + generate_below(w, w->slots - 1);

	if (type == ANY)
		return slot;
	for (unsigned i = 0; i < w->slots / 2; i++) {
		if (w->type_of(w->ctx, slot) == type)
			break;
		slot = slot + 1 < w->slots ? slot + 1 : 1;
	}
	return slot;
}

static unsigned generate_held(const struct generate_world *w)
{
	unsigned slot = generate_slot(w, ANY);

	for (unsigned i = 0; i < w->slots && w->type_of(w->ctx, slot) == NONE; i++)
		slot = slot + 1 < w->slots ? slot + 1 : 1;
	return slot;
}

static uint64_t generate_address(const struct generate_world *w)
{
	static const uint64_t places[] = {0x10000000000u, 0x10000200000u, 0x10040000000u, 0x18000000000u};
	uint64_t page = (uint64_t)generate_below(w, 4) << 12;

	switch (generate_below(w, 16)) {
	case 0:
		return w->random(w->ctx);
	case 1:
		return page;
	case 2:
		return 0x7ffffffff000u - page;
	default:
		return places[generate_below(w, sizeof(places) / sizeof(places[0]))] + page;
	}
}

/* Beside what a guest has: one level of its tables is there less each time. */
static uint64_t generate_guest_address(const struct generate_world *w)
{
	static const uint64_t places[] = {0, 0, 0x200000, 0x40000000, 0x8000000000};

	return places[generate_below(w, sizeof(places) / sizeof(places[0]))] +
	       ((uint64_t)generate_below(w, 4) << 12);
}

static uint64_t generate_msr(const struct generate_world *w)
{
	static const uint32_t allowed[] = {0xc0000081, 0xc0000082, 0xc0000083,
					   0xc0000084}; /* STAR, LSTAR, CSTAR, SFMASK */

	return generate_one_in(w, 4) ? generate_below(w, 0x1000)
				     : allowed[generate_below(w, sizeof(allowed) / sizeof(allowed[0]))];
}

static uint64_t generate_object_type(const struct generate_world *w)
{
	static const uint8_t often[] = {
	    seL4_TCBObject,	seL4_EndpointObject, seL4_NotificationObject, seL4_SchedContextObject,
	    seL4_ReplyObject,	seL4_UntypedObject,  seL4_CapTableObject,     seL4_X86_4K,
	    insula_TimerObject, seL4_TCBObject,	     seL4_ReplyObject,	      seL4_X86_PageTableObject};

	if (generate_one_in(w, 3))
		return generate_below(w, seL4_ObjectTypeCount + 2);
	return often[generate_below(w, sizeof(often))];
}

uint64_t generate_register(const struct generate_world *w)
{
	switch (generate_below(w, 8)) {
	case 0:
		return w->random(w->ctx);
	case 1:
		return generate_address(w);
	case 2:
		return generate_below(w, 16);
	case 3:
		return w->image + 16 * (uint64_t)generate_below(w, w->image_words);
	default:
		return w->cptr + generate_slot(w, ANY);
	}
}

int64_t generate_syscall(const struct generate_world *w)
{
	static const int8_t numbers[] = {
	    seL4_SysCall,
	    seL4_SysReplyRecv,
	    seL4_SysNBSendRecv,
	    seL4_SysNBSendWait,
	    seL4_SysSend,
	    seL4_SysNBSend,
	    seL4_SysRecv,
	    seL4_SysNBRecv,
	    seL4_SysWait,
	    seL4_SysNBWait,
	    seL4_SysYield,
	    seL4_SysCall,
	    seL4_SysReplyRecv,
	    seL4_SysSend,
	    seL4_SysRecv,
	    seL4_SysDebugCapIdentify,
	    seL4_SysSetTLSBase,
	    seL4_SysVMEnter,
	    seL4_SysDebugGetThreadAffinity,
	    -40,
	    0,
	    5,
	};

	return numbers[generate_below(w, sizeof(numbers))];
}

uint64_t generate_tag(const struct generate_world *w)
{
	uint64_t label =
	    generate_one_in(w, 4) ? 1 + generate_below(w, seL4_NumInvocationLabels) : generate_below(w, 2);
	uint64_t length = generate_one_in(w, 8) ? generate_below(w, 128) : generate_below(w, 8);

	return label << 12 | (generate_one_in(w, 3) ? (uint64_t)generate_below(w, 32) << 7 : 0) | length;
}

/* The first of its kind, so that threads meet. */
static unsigned generate_first(const struct generate_world *w, unsigned type)
{
	unsigned slot = 1;

	while (slot + 1 < w->slots && w->type_of(w->ctx, slot) != type)
		slot++;
	return slot;
}

/* Whom a thread talks to. */
static uint64_t generate_partner(const struct generate_world *w)
{
	static const uint8_t types[] = {ENDPOINT, ENDPOINT, ENDPOINT, NOTIFICATION, ANY};
	unsigned type = types[generate_below(w, sizeof(types))];

	return w->cptr + (generate_one_in(w, 2) ? generate_first(w, type) : generate_slot(w, type));
}

static void generate_from(const struct generate_world *w, const struct generate_shape *s,
			  struct generate_invocation *out);
static const struct generate_shape *generate_shape(const struct generate_world *w);

/* The thread makes an invocation. What does not fit into registers is up to its buffer. */
static void generate_call(const struct generate_world *w, uint64_t *c)
{
	const struct generate_shape *s = generate_shape(w);
	struct generate_invocation v;

	if (s->label == TCBWriteRegisters)
		return;
	generate_from(w, s, &v);
	c[6] = (uint64_t)(int64_t)seL4_SysCall;
	c[7] = v.label << 12 | v.extra << 7 | v.length;
	c[4] = c[8] = v.target;
	c[12] = v.words[0]; /* R10, R8, R9, R15 */
	c[10] = v.words[1];
	c[11] = v.words[2];
	c[17] = v.words[3];
}

/* The registers of TCBWriteRegisters: a thread that makes system calls. */
static unsigned generate_context(const struct generate_world *w, uint64_t *words, unsigned room)
{
	uint64_t c[seL4_UserContextWords];
	unsigned i;

	for (i = 0; i < seL4_UserContextWords; i++)
		c[i] = generate_register(w);
	c[0] = w->image + 16 * (uint64_t)generate_below(w, w->image_words);
	c[6] = (uint64_t)generate_syscall(w);					 /* RDX */
	c[7] = generate_tag(w);							 /* RSI */
	c[4] = generate_partner(w);						 /* RBX */
	c[8] = generate_partner(w);						 /* RDI */
	c[14] = w->cptr + generate_slot(w, generate_one_in(w, 6) ? ANY : REPLY); /* R12 */
	c[15] = generate_partner(w);						 /* R13 */
	c[16] = (uint64_t)generate_below(w, seL4_NumInvocationLabels) << 12 |
		(uint64_t)generate_below(w, 4) << 7 | 8; /* R14: a tag */
	if (generate_one_in(w, 3))
		generate_call(w, c);
	for (i = 0; i < seL4_UserContextWords && i < room; i++)
		words[i] = c[i];
	return i;
}

static uint64_t generate_word(const struct generate_world *w, char kind)
{
	switch (kind) {
	case 'i':
		return w->cptr + generate_slot(w, generate_one_in(w, 2) ? ANY : NONE);
	case 'E':
		return w->cptr + generate_slot(w, NONE);
	case 'h':
		return w->cptr + generate_held(w);
	case 'e':
		return w->cptr + generate_slot(w, ENDPOINT);
	case 'P':
		return 0x80 + (uint64_t)generate_below(w, 5);
	case 'M':
		return generate_msr(w);
	case 'G':
		return generate_guest_address(w);
	case 'O':
		return generate_one_in(w, 2) ? 0 : (uint64_t)generate_below(w, 600) << 12;
	case 'S':
		return generate_one_in(w, 4) ? 21 : 12;
	case 'd':
		return generate_one_in(w, 16) ? 4 + generate_below(w, 8) : w->depth;
	case 'o':
		return generate_slot(w, NONE);
	case 't':
		return generate_object_type(w);
	case 's':
		return generate_one_in(w, 3) ? generate_below(w, w->untyped_bits + 2)
					     : 4 + generate_below(w, 6);
	case 'c':
		return 1 + generate_below(w, 3);
	case 'b':
		return generate_below(w, 4);
	case 'r':
		return generate_one_in(w, 2) ? 15 : generate_below(w, 16);
	case 'g':
		return generate_one_in(w, 2) ? generate_below(w, 4) : 64 - w->depth;
	case 'p':
		return generate_below(w, 8) * 20;
	case 'a':
		return generate_address(w);
	case 'm':
		return generate_one_in(w, 4) ? generate_below(w, 512) : 0;
	case 'u':
		return generate_one_in(w, 8) ? w->random(w->ctx) >> generate_below(w, 64)
					     : 20 + generate_below(w, 2000);
	case 'f':
		return generate_one_in(w, 4) ? generate_below(w, 16) : 1;
	case 'F': /* of a scheduling context: seL4's and insula_SchedContext_WakeFirst */
		return generate_below(w, 2) | (uint64_t)generate_below(w, 2) << 8;
	case 'k':
		return generate_one_in(w, 4) ? generate_below(w, 24) : seL4_UserContextWords;
	case 'w':
		return generate_below(w, 8);
	case 'z':
		return generate_one_in(w, 8) ? generate_below(w, 4) : 0;
	case 'q': /* the upper half of a CNode of 1,024: nothing else comes there */
		return generate_one_in(w, 4) ? generate_below(w, 600) : 512;
	case 'v':
		return generate_one_in(w, 2) ? 0x6800u + 2 * generate_below(w, 32)
					     : 0x4000u + 2 * generate_below(w, 0x1500);
	case 'B':
		return generate_one_in(w, 4) ? 0 : w->buffer + (uint64_t)generate_below(w, 4) * 1024;
	case 'T':
		return w->deadline + generate_below(w, 200000);
	default:
		return generate_register(w);
	}
}

/* Two words for each letter that stands for two. */
static unsigned generate_words(const struct generate_world *w, const char *kinds, uint64_t *words)
{
	unsigned n = 0;

	for (; *kinds && n < GENERATE_WORDS; kinds++) {
		if (*kinds == 'R') {
			n += generate_context(w, words + n, GENERATE_WORDS - n);
		} else if (*kinds == 'n') {
			words[n++] = 0;
			if (n < GENERATE_WORDS)
				words[n++] = 0;
		} else {
			words[n++] = generate_word(w, *kinds);
		}
	}
	return n;
}

static const struct generate_shape *generate_shape(const struct generate_world *w)
{
	static unsigned total;
	unsigned at;

	if (!total)
		for (unsigned i = 0; i < SHAPES; i++)
			total += shapes[i].weight;
	at = generate_below(w, total);
	for (unsigned i = 0; i < SHAPES; i++) {
		if (at < shapes[i].weight)
			return &shapes[i];
		at -= shapes[i].weight;
	}
	return &shapes[0];
}

/* Anything, but no capability of the controllers' own. */
static uint64_t generate_stranger(const struct generate_world *w)
{
	uint64_t cptr = generate_register(w);

	return cptr < w->cptr ? w->cptr + cptr : cptr;
}

/* Something is not as it should be. */
static void generate_spoil(const struct generate_world *w, struct generate_invocation *v)
{
	switch (generate_below(w, 6)) {
	case 0:
		v->label = generate_below(w, seL4_NumInvocationLabels + 2);
		break;
	case 1:
		v->length = generate_below(w, GENERATE_WORDS + 1);
		break;
	case 2:
		v->extra = generate_below(w, GENERATE_CAPS + 1);
		break;
	case 3:
		v->words[generate_below(w, GENERATE_WORDS)] = w->random(w->ctx) >> generate_below(w, 64);
		break;
	case 4:
		v->caps[generate_below(w, GENERATE_CAPS)] = generate_stranger(w);
		break;
	default:
		v->target = w->cptr + generate_slot(w, ANY);
		break;
	}
}

static void generate_from(const struct generate_world *w, const struct generate_shape *s,
			  struct generate_invocation *out)
{
	*out = (struct generate_invocation){0};
	out->target = w->cptr + generate_slot(w, s->target);
	out->label = s->label;
	for (unsigned i = 0; i < GENERATE_CAPS && s->caps[i]; i++, out->extra++)
		out->caps[i] = w->cptr + generate_slot(w, s->caps[i]);
	out->length = generate_words(w, s->words, out->words);
}

void generate(const struct generate_world *w, struct generate_invocation *out)
{
	generate_from(w, generate_shape(w), out);
	while (generate_one_in(w, 6))
		generate_spoil(w, out);
}
