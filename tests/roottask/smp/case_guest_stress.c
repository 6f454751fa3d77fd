/*
 * Guests on all CPUs, and a controller on each that does at random to them what it likes: vCPUs, second-level tables, threads, scheduling
 * contexts and frames are bound, mapped, split, moved, deleted and made anew under guests that run. The seed is fixed. What is looked at
 * meanwhile: a frame that was taken away does not change any more, and threads find their FPU's registers as they left them. At the end all memory
 * comes back by one revoke, nothing runs any more, and a guest that is made then runs.
 */
#include "roottask/smp/smp.h"
#include "insula/ext.h"
#include "roottask/smp/smp_hw.h"

#define GUESTS	     4u
#define CONTROLLERS  4u
#define FPU_THREADS  2u
#define FPU_WORKER   CONTROLLERS /* the first of them */
#define CONTROLLER_ABOVE 4u	 /* guests' threads get up to two above SMP_PRIORITY */
#define MEMORY_BITS  24u
#define CODE_GPA     0x1000ull
#define DATA_GPA     0x6000ull
#define LARGE_GPA    0x200000ull
#define PART_GPA     0x8000ull
#define STRESS_AT    0x10c00000ull /* our view of code and data */
#define PORT_FIRST   0x80u	   /* a DMA controller's, which nothing uses */
#define PORT_LAST    0x8fu
#define PROGRAM_BYTES 28u
#define HLT_EXITS    0x80u
#define ROOT	     seL4_CapInitThreadCNode
#define DEPTH	     seL4_WordBits
#define PARTS_BITS   9u
#define SC_BITS	     8u
#define WRITE_BACK   6u

/* Slots of a guest, one behind the other. Each Untyped is that of the objects which are made anew together. */
enum {
	UNTYPED_LARGE,
	UNTYPED_EPT,
	UNTYPED_VCPU,
	UNTYPED_PARTS,
	UNTYPED_TCB,
	UNTYPED_SC,
	UNTYPED_COUNT,
	LARGE = UNTYPED_COUNT,
	PML4,
	PDPT,
	PD,
	PT,
	SPLIT_PT,
	VCPU,
	PARTS,
	TCB,
	NOTIFICATION,
	SC,
	CODE,
	DATA,
	STATE,
	PORT,
	SLOTS
};

static const uint8_t untyped_bits[UNTYPED_COUNT] = {
    [UNTYPED_LARGE] = 21, [UNTYPED_EPT] = 15, [UNTYPED_VCPU] = 14, [UNTYPED_PARTS] = 14, [UNTYPED_TCB] = 13, [UNTYPED_SC] = SC_BITS};

static struct guest {
	seL4_CPtr slots;
	volatile seL4_Word *counter;
	volatile seL4_Word entries;
	/* Of these one controller is at work at most: who maps and unmaps the data frame; who starts and stops the thread. */
	volatile char data_owner, thread_owner;
} guests[GUESTS];

static struct thread_memory vmm_memory[GUESTS];
extern const char thread_start[];

static struct controller {
	seL4_Word random;
	unsigned number;
} controllers[CONTROLLERS];
static volatile seL4_Word steps_done, controllers_done, leaks;
static volatile seL4_Word fpu_looked[FPU_THREADS][2]; /* times, errors */
static seL4_CPtr memory, never, all_ports;

static seL4_CPtr at(unsigned g, unsigned slot)
{
	return guests[g].slots + slot;
}

static seL4_Word below(struct controller *c, seL4_Word n)
{
	c->random ^= c->random << 13;
	c->random ^= c->random >> 7;
	c->random ^= c->random << 17;
	return (c->random >> 16) % n;
}

/* ---- making. What fails, another controller was faster with ---- */

static void make(unsigned g, unsigned untyped, seL4_Word type, seL4_Word bits, unsigned slot)
{
	(void)seL4_Untyped_Retype(at(g, untyped), type, bits, ROOT, 0, 0, at(g, slot), 1);
}

static void revoke(unsigned g, unsigned untyped)
{
	(void)seL4_CNode_Revoke(ROOT, at(g, untyped), DEPTH);
}

static int own(volatile char *owner)
{
	return !__atomic_exchange_n(owner, 1, __ATOMIC_SEQ_CST);
}

static void give_back(volatile char *owner)
{
	__atomic_store_n(owner, 0, __ATOMIC_SEQ_CST);
}

/* The code can only be read: guests that are entered at any place do not destroy it. */
static void map(unsigned g, unsigned slot, seL4_Word gpa)
{
	(void)seL4_X86_Page_Unmap(at(g, slot));
	(void)seL4_X86_Page_MapEPT(at(g, slot), at(g, PML4), gpa, slot == CODE ? seL4_CanRead : seL4_ReadWrite, WRITE_BACK);
}

static void map_data(unsigned g)
{
	if (!own(&guests[g].data_owner))
		return;
	map(g, DATA, DATA_GPA);
	give_back(&guests[g].data_owner);
}

static void make_ept(unsigned g)
{
	revoke(g, UNTYPED_EPT);
	make(g, UNTYPED_EPT, seL4_X86_EPTPML4Object, 0, PML4);
	make(g, UNTYPED_EPT, seL4_X86_EPTPDPTObject, 0, PDPT);
	make(g, UNTYPED_EPT, seL4_X86_EPTPDObject, 0, PD);
	make(g, UNTYPED_EPT, seL4_X86_EPTPTObject, 0, PT);
	make(g, UNTYPED_EPT, seL4_X86_EPTPTObject, 0, SPLIT_PT);
	(void)seL4_X86_ASIDPool_Assign(seL4_CapInitThreadASIDPool, at(g, PML4));
	(void)seL4_X86_EPTPDPT_Map(at(g, PDPT), at(g, PML4), 0, 0);
	(void)seL4_X86_EPTPD_Map(at(g, PD), at(g, PML4), 0, 0);
	(void)seL4_X86_EPTPT_Map(at(g, PT), at(g, PML4), 0, 0);
	map(g, CODE, CODE_GPA);
	map(g, LARGE, LARGE_GPA);
	map_data(g);
	(void)seL4_TCB_SetEPTRoot(at(g, TCB), at(g, PML4));
}

static void make_large(unsigned g)
{
	revoke(g, UNTYPED_PARTS);
	revoke(g, UNTYPED_LARGE);
	make(g, UNTYPED_PARTS, seL4_CapTableObject, PARTS_BITS, PARTS);
	make(g, UNTYPED_LARGE, seL4_X86_LargePageObject, 0, LARGE);
	map(g, LARGE, LARGE_GPA);
}

/* Real mode, with a data segment of 4 GiB. */
static void make_vcpu(unsigned g)
{
	static const struct {
		uint32_t field, value;
	} fields[] = {
	    {0x802, 0},		/* CS: selector, base */
	    {0x6808, 0},	/**/
	    {0x4806, ~0u},	/* DS: limit, rights */
	    {0x481a, 0x8093},	/**/
	    {0x6804, 0x600},	/* CR4: SSE */
	    {0x681e, CODE_GPA}, /* RIP */
	};

	revoke(g, UNTYPED_VCPU);
	make(g, UNTYPED_VCPU, seL4_X86_VCPUObject, 0, VCPU);
	/* RFLAGS; first, since another controller may let it run at once, and Bochs wants IF then (smp.h) */
	(void)seL4_X86_VCPU_WriteVMCS(at(g, VCPU), 0x6820, 2 | smp_guest_if << 9);
	for (unsigned i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		(void)seL4_X86_VCPU_WriteVMCS(at(g, VCPU), fields[i].field, fields[i].value);
	(void)seL4_X86_VCPU_SetTCB(at(g, VCPU), at(g, TCB));
}

/*
 * Its vmm: enters, whatever comes out. It looks at no page of the guest's, which may be gone. Without a state page the instruction
 * pointer is in the message, which may be that of another vCPU's exit.
 */
static void enter(void *argument)
{
	struct guest *g = argument;

	for (;;) {
		seL4_Word badge, rip = seL4_GetMR(0);

		seL4_SetMR(0, rip - CODE_GPA < PROGRAM_BYTES ? rip : CODE_GPA);
		seL4_SetMR(1, HLT_EXITS);
		seL4_SetMR(2, 0);
		(void)seL4_VMEnter(&badge);
		g->entries++;
	}
}

static void make_owned_thread(unsigned g)
{
	struct thread_memory *m = &vmm_memory[g];
	seL4_UserContext regs = {
	    .rip = (seL4_Word)(uintptr_t)thread_start,
	    .rsp = (seL4_Word)(uintptr_t)(m->stack + sizeof(m->stack)) & ~15ull,
	    .rflags = 0x202,
	    .rdi = (seL4_Word)(uintptr_t)m,
	    .rsi = (seL4_Word)(uintptr_t)enter,
	    .rdx = (seL4_Word)(uintptr_t)&guests[g],
	};

	revoke(g, UNTYPED_TCB);
	make(g, UNTYPED_TCB, seL4_TCBObject, 0, TCB);
	make(g, UNTYPED_TCB, seL4_NotificationObject, 0, NOTIFICATION);
	if (seL4_TCB_Configure(at(g, TCB), ROOT, 0, seL4_CapInitThreadVSpace, 0, (seL4_Word)(uintptr_t)&m->buffer, space_image_frame(m)) !=
	    seL4_NoError)
		return;
	(void)seL4_TCB_SetPriority(at(g, TCB), seL4_CapInitThreadTCB, SMP_PRIORITY);
	(void)seL4_TCB_BindNotification(at(g, TCB), at(g, NOTIFICATION));
	(void)seL4_TCB_SetEPTRoot(at(g, TCB), at(g, PML4));
	(void)seL4_X86_VCPU_SetTCB(at(g, VCPU), at(g, TCB));
	(void)seL4_SchedContext_Bind(at(g, SC), at(g, TCB));
	(void)seL4_TCB_WriteRegisters(at(g, TCB), true, 0, sizeof(regs) / sizeof(seL4_Word), &regs);
}

static void make_thread(unsigned g)
{
	if (!own(&guests[g].thread_owner))
		return;
	make_owned_thread(g);
	give_back(&guests[g].thread_owner);
}

static void configure(struct controller *c, unsigned g)
{
	const seL4_Word budget = 100 + below(c, 900), period = below(c, 2) ? budget : budget + below(c, 2000);

	(void)seL4_SchedControl_ConfigureFlags(runtime_bootinfo()->schedcontrol.start + below(c, smp_cpus), at(g, SC), budget, period, 0, 0,
					       below(c, 4) ? 0 : insula_SchedContext_WakeFirst);
}

static void make_sc(struct controller *c, unsigned g)
{
	revoke(g, UNTYPED_SC);
	make(g, UNTYPED_SC, seL4_SchedContextObject, SC_BITS, SC);
	configure(c, g);
	(void)seL4_SchedContext_Bind(at(g, SC), at(g, TCB));
}

/* ---- what is done at random ---- */

/* What no guest has mapped none writes, whatever it does, and wherever it runs. */
static void look_at_data(unsigned g)
{
	seL4_Word before;

	if (!own(&guests[g].data_owner))
		return;
	(void)seL4_X86_Page_Unmap(at(g, DATA));
	before = *guests[g].counter;
	for (unsigned i = 0; i < 100; i++)
		hw_pause();
	if (*guests[g].counter != before)
		leaks++;
	map(g, DATA, DATA_GPA);
	give_back(&guests[g].data_owner);
}

static void touch_thread(struct controller *c, unsigned g)
{
	struct thread_memory *m = &vmm_memory[g];
	seL4_UserContext r;

	switch (below(c, 9)) {
	case 0:
		if (!own(&guests[g].thread_owner))
			break;
		(void)seL4_TCB_Suspend(at(g, TCB));
		(void)seL4_TCB_Resume(at(g, TCB));
		give_back(&guests[g].thread_owner);
		break;
	case 1:
		(void)seL4_TCB_SetFlags(at(g, TCB), 1, below(c, 2));
		break;
	case 2:
		(void)seL4_TCB_SetIPCBuffer(at(g, TCB), below(c, 2) ? (seL4_Word)(uintptr_t)&m->buffer : 0, space_image_frame(m));
		break;
	case 3:
		(void)seL4_TCB_ReadRegisters(at(g, TCB), 0, 0, 20, &r);
		break;
	case 4:
		(void)seL4_TCB_UnbindNotification(at(g, TCB));
		(void)seL4_TCB_BindNotification(at(g, TCB), at((unsigned)below(c, GUESTS), NOTIFICATION));
		break;
	case 5:
		(void)seL4_TCB_SetPriority(at(g, TCB), seL4_CapInitThreadTCB, SMP_PRIORITY + below(c, 3));
		break;
	case 6:
		configure(c, g);
		break;
	case 7:
		(void)seL4_SchedContext_Unbind(at(g, SC));
		(void)seL4_SchedContext_Bind(at(g, SC), at((unsigned)below(c, GUESTS), TCB));
		break;
	default:
		(void)seL4_SchedContext_Consumed(at(g, SC));
		break;
	}
}

static void touch_vcpu(struct controller *c, unsigned g)
{
	switch (below(c, 7)) {
	case 0:
		(void)seL4_X86_VCPU_SetTCB(at(g, VCPU), at((unsigned)below(c, GUESTS), TCB));
		break;
	case 1:
		(void)insula_VCPU_SetStatePage(at(g, VCPU), at(g, STATE));
		break;
	case 2:
		(void)insula_VCPU_RemoveStatePage(at(g, VCPU));
		break;
	case 3:
		(void)seL4_CNode_Revoke(ROOT, at(g, STATE), DEPTH);
		break;
	case 4:
		(void)seL4_X86_VCPU_WriteVMCS(at(g, VCPU), 0x681e, seL4_X86_VCPU_ReadVMCS(at(g, VCPU), 0x681e).value & 0xffff);
		break;
	case 5:
		(void)seL4_CNode_Copy(ROOT, at(g, PORT), DEPTH, ROOT, all_ports, DEPTH, seL4_AllRights);
		(void)seL4_X86_VCPU_EnableIOPort(at(g, VCPU), at(g, PORT), PORT_FIRST, PORT_LAST);
		break;
	default:
		(void)seL4_CNode_Delete(ROOT, at(g, PORT), DEPTH);
		break;
	}
}

static void touch_memory(struct controller *c, unsigned g)
{
	const unsigned page = (unsigned)below(c, 16);

	switch (below(c, 7)) {
	case 0:
		(void)seL4_X86_EPTPT_Unmap(at(g, PT));
		(void)seL4_X86_EPTPT_Map(at(g, PT), at(g, PML4), 0, 0);
		map(g, CODE, CODE_GPA);
		map_data(g);
		break;
	case 1:
		map(g, CODE, CODE_GPA);
		break;
	case 2:
		(void)insula_Frame_Split(at(g, LARGE), ROOT, at(g, PARTS), DEPTH, 0, at(g, SPLIT_PT));
		break;
	case 3:
		(void)seL4_CNode_Delete(at(g, PARTS), page, PARTS_BITS);
		break;
	case 4:
		(void)insula_Frame_DeriveEPT(at(g, LARGE), at(g, PARTS), page, PARTS_BITS, seL4_ReadWrite, page << 12, 12, at(g, PML4), PART_GPA,
					     WRITE_BACK);
		break;
	case 5:
		(void)seL4_TCB_SetEPTRoot(at(g, TCB), at((unsigned)below(c, GUESTS), PML4));
		break;
	default:
		map(g, LARGE, LARGE_GPA);
		break;
	}
}

static void step(struct controller *c)
{
	const unsigned g = (unsigned)below(c, GUESTS);

	switch (below(c, 20)) {
	case 0:
		make_ept(g);
		break;
	case 1:
		make_vcpu(g);
		break;
	case 2:
		make_thread(g);
		break;
	case 3:
		make_sc(c, g);
		break;
	case 4:
		make_large(g);
		break;
	case 5:
	case 6:
	case 7:
		touch_thread(c, g);
		break;
	case 8:
	case 9:
	case 10:
		touch_vcpu(c, g);
		break;
	case 11:
	case 12:
	case 13:
		touch_memory(c, g);
		break;
	case 14:
		seL4_Signal(at(g, NOTIFICATION));
		break;
	default:
		look_at_data(g);
		break;
	}
}

static void control(void *argument)
{
	struct controller *c = argument;

	for (seL4_Word i = 0; i < smp_rounds; i++) {
		step(c);
		__atomic_fetch_add(&steps_done, 1, __ATOMIC_RELAXED);
		for (seL4_Word n = below(c, 64); n; n--)
			hw_pause();
		if (smp_walk && c->number == 0 && i % smp_walk == 0)
			seL4_DebugSnapshot();
	}
	__atomic_fetch_add(&controllers_done, 1, __ATOMIC_RELAXED);
	seL4_Wait(never, 0);
}

/* ---- begin and end ---- */

static void make_untyped(unsigned g)
{
	for (unsigned i = 0; i < UNTYPED_COUNT; i++)
		runtime_must(seL4_Untyped_Retype(memory, seL4_UntypedObject, untyped_bits[i], ROOT, 0, 0, at(g, i), 1), "memory of a guest");
}

static volatile void *view(seL4_CPtr frame, seL4_Word page)
{
	runtime_must(seL4_X86_Page_Map(frame, seL4_CapInitThreadVSpace, STRESS_AT + page * 4096, seL4_ReadWrite, seL4_X86_Default_VMAttributes),
		     "map a guest's page");
	return (volatile void *)(uintptr_t)(STRESS_AT + page * 4096);
}

static void copy(seL4_CPtr to, seL4_CPtr from)
{
	runtime_must(seL4_CNode_Copy(ROOT, to, DEPTH, ROOT, from, DEPTH, seL4_AllRights), "copy");
}

/*
 * Counts twice, at DATA_GPA and behind it, or in the large frame, and uses the FPU. The instructions begin at the same places in all:
 * a thread enters one guest where it has left another.
 */
static void write_program(volatile uint8_t *code, unsigned g)
{
	static const uint8_t program[PROGRAM_BYTES] = {
	    0x66, 0xff, 0x06, 0x00, 0x60,		    /* l: incl [0x6000] */
	    0x67, 0x66, 0xff, 0x05, 0x08, 0x60, 0x00, 0x00, /* incl [0x6008] */
	    0x66, 0x0f, 0x6e, 0xc0, 0x0f, 0x28, 0xc8,	    /* movd xmm0, eax; movaps xmm1, xmm0 */
	    0xd9, 0xe8, 0xdd, 0xd8,			    /* fld1; fstp st0 */
	    0xf3, 0x90, 0xeb, 0xe4,			    /* pause; jmp l */
	};
	const unsigned large = 11; /* the byte of the second address that says 0x206008 */

	for (unsigned i = 0; i < sizeof(program); i++)
		code[i] = program[i];
	if (g % 2)
		code[large] = LARGE_GPA >> 16;
}

static void make_guest(unsigned g)
{
	seL4_CPtr code = object_new(seL4_X86_4K, 0), data = object_new(seL4_X86_4K, 0), state = object_new(seL4_X86_4K, 0);

	guests[g].slots = object_slot();
	for (unsigned i = 1; i < SLOTS; i++)
		object_slot();
	copy(at(g, CODE), code);
	copy(at(g, DATA), data);
	copy(at(g, STATE), state);
	write_program(view(code, 2 * g), g);
	guests[g].counter = view(data, 2 * g + 1);
	make_untyped(g);
}

static void start_guest(struct controller *c, unsigned g)
{
	make_sc(c, g);
	make_large(g);
	make_ept(g);
	make_vcpu(g);
	make_thread(g);
}

static int guests_stand_still(void)
{
	int still = 1;

	for (unsigned g = 0; g < GUESTS; g++)
		still = still && smp_still(guests[g].counter) && smp_still(&guests[g].entries);
	return still;
}

static int a_guest_runs(void)
{
	struct controller c = {.random = 1};

	make_untyped(0);
	start_guest(&c, 0);
	return smp_wait_for(guests[0].counter, *guests[0].counter + 1);
}

static void start_controller(unsigned i, struct thread *t)
{
	controllers[i] = (struct controller){.random = 0x9e3779b97f4a7c15ull * (i + 1), .number = i};
	*t = smp_worker(i, i % smp_cpus, SMP_PRIORITY + CONTROLLER_ABOVE, 0);
	/* a part of the time, so that the guests have some, too */
	runtime_must(seL4_SchedControl_ConfigureFlags(runtime_bootinfo()->schedcontrol.start + i % smp_cpus, t->sc, 300, 1000, 0, 0, 0),
		     "a controller's time");
	thread_run(t, control, &controllers[i]);
}

static void keep_fpu(void *argument)
{
	const seL4_Word n = (seL4_Word)(uintptr_t)argument;

	hw_fpu(0x2000000ull * (n + 1), fpu_looked[n]);
}

static int controllers_end(void)
{
	const seL4_Word total = CONTROLLERS * smp_rounds;

	while (steps_done < total)
		if (!smp_wait_for(&steps_done, steps_done + 1))
			return 0;
	return smp_wait_for(&controllers_done, CONTROLLERS);
}

static void run_controllers(void)
{
	struct thread threads[CONTROLLERS + FPU_THREADS];
	int fpu = 1;

	for (unsigned i = 0; i < FPU_THREADS; i++) {
		threads[FPU_WORKER + i] = smp_worker(FPU_WORKER + i, i % smp_cpus, SMP_PRIORITY, 0);
		thread_run(&threads[FPU_WORKER + i], keep_fpu, (void *)(uintptr_t)i);
	}
	for (unsigned i = 0; i < CONTROLLERS; i++)
		start_controller(i, &threads[i]);
	smp_case("guests are made, moved and taken apart at random on all CPUs", controllers_end(), "it does not come to its end");
	smp_case("what was taken from a guest it does not write to", !leaks, "it did");
	for (unsigned i = 0; i < FPU_THREADS; i++)
		fpu = fpu && fpu_looked[i][0] && !fpu_looked[i][1];
	smp_case("threads beside them keep their FPU's registers", fpu, "they do not, or did not run");
	for (unsigned i = 0; i < CONTROLLERS + FPU_THREADS; i++)
		smp_delete(threads[i].tcb);
}

void guest_stress_cases(void)
{
	struct controller c = {.random = 1};
	seL4_CPtr whole = object_slot();

	if (!smp_virt)
		return;
	memory = object_new(seL4_UntypedObject, MEMORY_BITS);
	never = object_new(seL4_NotificationObject, 0);
	all_ports = object_slot();
	runtime_must(seL4_X86_IOPortControl_Issue(seL4_CapIOPortControl, PORT_FIRST, PORT_LAST, ROOT, all_ports, DEPTH), "ports");
	runtime_must(seL4_X86_PageTable_Map(object_new(seL4_X86_PageTableObject, 0), seL4_CapInitThreadVSpace, STRESS_AT, 0), "PT");
	for (unsigned g = 0; g < GUESTS; g++) {
		make_guest(g);
		start_guest(&c, g);
	}
	run_controllers();
	runtime_must(seL4_CNode_Revoke(ROOT, memory, DEPTH), "revoke");
	smp_case("all their memory is taken while they run", guests_stand_still(), "one still runs");
	smp_case("and is there again in one piece", seL4_Untyped_Retype(memory, seL4_UntypedObject, MEMORY_BITS, ROOT, 0, 0, whole, 1) == seL4_NoError,
		 "it is not");
	runtime_must(seL4_CNode_Revoke(ROOT, memory, DEPTH), "revoke");
	if (smp_walk)
		seL4_DebugSnapshot();
	smp_case("a guest that is made of it runs", a_guest_runs(), "it does not");
	runtime_must(seL4_CNode_Revoke(ROOT, memory, DEPTH), "revoke");
}
