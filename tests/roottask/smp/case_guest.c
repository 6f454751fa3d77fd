/*
 * A guest on another CPU: signalled, suspended, its memory taken away, moved, split. Real mode, a counter in
 * its page 0x6000.
 */
#include "roottask/smp/smp.h"
#include "insula/ext.h"

#define GUEST_CODE 0x1000ull
#define GUEST_DATA 0x6000ull
#define PAGE_AT	   0x10400000ull
#define LARGE_AT   0x10800000ull
#define VIOLATION  48

enum { RESULT_NONE = 99 };

static struct {
	seL4_CPtr vcpu, ept, bound, code, data, large, state, done;
	volatile struct insula_vcpu_state *s;
	volatile seL4_Word *counter;
	volatile seL4_Word entries, result, badge, reason;
} guest;

static seL4_Word set_state_page(seL4_CPtr vcpu, seL4_CPtr frame)
{
	seL4_SetCap(0, frame);
	return seL4_MessageInfo_get_label(seL4_Call(vcpu, seL4_MessageInfo_new(InsulaVCPUSetStatePage, 0, 1, 0)));
}

static volatile void *window(seL4_CPtr frame, seL4_Word page)
{
	runtime_must(seL4_X86_Page_Map(object_copy(frame), seL4_CapInitThreadVSpace, PAGE_AT + page * 4096, seL4_ReadWrite,
				       seL4_X86_Default_VMAttributes),
		     "map a guest's page");
	return (volatile void *)(uintptr_t)(PAGE_AT + page * 4096);
}

static void segment(volatile struct insula_segment *g, uint32_t ar)
{
	g->selector = 0;
	g->base = 0;
	g->limit = 0xffff;
	g->ar = ar;
}

static void map_data(void)
{
	runtime_must(seL4_X86_Page_MapEPT(guest.data, guest.ept, GUEST_DATA, seL4_ReadWrite, 6), "map for the guest");
}

/* l: incl [0x6000]; pause; jmp l */
static void write_program(volatile uint8_t *code)
{
	static const uint8_t program[] = {0x66, 0xff, 0x06, 0x00, 0x60, 0xf3, 0x90, 0xeb, 0xf7};

	for (unsigned i = 0; i < sizeof(program); i++)
		code[i] = program[i];
}

static void make(void)
{
	guest.ept = object_new(seL4_X86_EPTPML4Object, 0);
	runtime_must(seL4_X86_ASIDPool_Assign(seL4_CapInitThreadASIDPool, guest.ept), "ASID");
	runtime_must(seL4_X86_EPTPDPT_Map(object_new(seL4_X86_EPTPDPTObject, 0), guest.ept, 0, 0), "EPT PDPT");
	runtime_must(seL4_X86_EPTPD_Map(object_new(seL4_X86_EPTPDObject, 0), guest.ept, 0, 0), "EPT PD");
	guest.vcpu = object_new(seL4_X86_VCPUObject, 0);
	guest.bound = object_new(seL4_NotificationObject, 0);
	guest.done = object_new(seL4_NotificationObject, 0);
}

static void make_pages(void)
{
	runtime_must(seL4_X86_EPTPT_Map(object_new(seL4_X86_EPTPTObject, 0), guest.ept, 0, 0), "EPT PT");
	runtime_must(seL4_X86_PageTable_Map(object_new(seL4_X86_PageTableObject, 0), seL4_CapInitThreadVSpace, PAGE_AT, 0), "PT");
	guest.code = object_new(seL4_X86_4K, 0);
	guest.data = object_new(seL4_X86_4K, 0);
	guest.state = object_new(seL4_X86_4K, 0);
	write_program(window(guest.code, 0));
	guest.counter = window(guest.data, 1);
	guest.s = window(guest.state, 2);
	runtime_must(seL4_X86_Page_MapEPT(guest.code, guest.ept, GUEST_CODE, seL4_ReadWrite, 6), "map for the guest");
	map_data();
}

/* All of its memory in one frame. Ours is a copy of its own, which stays whole. */
static void make_large(void)
{
	seL4_CPtr ours = object_new(seL4_X86_LargePageObject, 0);

	guest.large = object_copy(ours);
	runtime_must(seL4_X86_Page_Map(ours, seL4_CapInitThreadVSpace, LARGE_AT, seL4_ReadWrite, seL4_X86_Default_VMAttributes),
		     "map a guest's frame");
	runtime_must(seL4_X86_Page_MapEPT(guest.large, guest.ept, 0, seL4_ReadWrite, 6), "map for the guest");
	write_program((volatile uint8_t *)(uintptr_t)(LARGE_AT + GUEST_CODE));
	guest.counter = (volatile seL4_Word *)(uintptr_t)(LARGE_AT + GUEST_DATA);
}

static void reset(void)
{
	volatile struct insula_vcpu_state *s = guest.s;

	s->rip = GUEST_CODE;
	s->rsp = 0x8000;
	s->rflags = 2 | smp_guest_if << 9;
	s->cr0 = 0x10;
	s->cr3 = s->cr4 = s->efer = 0;
	s->interruptibility = s->activity = 0;
	s->dr7 = 0x400;
	s->dr6 = 0xffff0ff0;
	s->pat = 0x0007040600070406;
	s->xcr0 = 1;
	for (unsigned i = 0; i < INSULA_SEG_COUNT; i++)
		segment(&s->seg[i], 0x93);
	s->seg[INSULA_CS].ar = 0x9b;
	s->seg[INSULA_LDTR].ar = 0x82;
	s->seg[INSULA_TR].ar = 0x8b;
	segment(&s->gdtr, 0);
	segment(&s->idtr, 0);
	s->dirty = INSULA_VS_GPR | INSULA_VS_IP | INSULA_VS_CR | INSULA_VS_SEG | INSULA_VS_MSR | INSULA_VS_DEBUG | INSULA_VS_CTL;
}

static void vmm(void *argument)
{
	(void)argument;
	for (;;) {
		seL4_Word badge = 0, result = seL4_VMEnter(&badge);

		guest.result = result;
		guest.badge = badge;
		guest.reason = guest.s->reason;
		guest.entries++;
		seL4_Signal(guest.done);
		if (result != SEL4_VMENTER_RESULT_NOTIF)
			seL4_Wait(guest.bound, 0);
	}
}

static int goes(void)
{
	return smp_wait_for(guest.counter, *guest.counter + 1);
}

static int unmaps(void)
{
	for (unsigned i = 0; i < smp_times(20); i++) {
		seL4_Word at, entries = guest.entries;

		if (!goes())
			return 0;
		smp_spin(i * 5);
		runtime_must(seL4_X86_Page_Unmap(guest.data), "unmap from the guest");
		at = *guest.counter;
		if (!smp_wait_for(&guest.entries, entries + 1) || guest.reason != VIOLATION || *guest.counter != at)
			return 0;
		seL4_Wait(guest.done, 0);
		map_data();
		seL4_Signal(guest.bound); /* it enters again */
	}
	return 1;
}

static int signals(void)
{
	seL4_CPtr badged = object_mint(guest.bound, seL4_AllRights, 0x77);

	for (unsigned i = 0; i < smp_times(200); i++) {
		guest.result = RESULT_NONE;
		seL4_Signal(badged);
		seL4_Wait(guest.done, 0);
		if (guest.result != SEL4_VMENTER_RESULT_NOTIF || guest.badge != 0x77)
			return 0;
		smp_spin(i % 13);
	}
	return 1;
}

static struct thread enter(void)
{
	struct thread t = smp_worker(0, 1, SMP_PRIORITY, 0);

	runtime_must(seL4_X86_VCPU_SetTCB(guest.vcpu, t.tcb), "SetTCB");
	runtime_must(seL4_TCB_SetEPTRoot(t.tcb, guest.ept), "SetEPTRoot");
	runtime_must(seL4_TCB_BindNotification(t.tcb, guest.bound), "bind");
	runtime_must((seL4_Error)set_state_page(guest.vcpu, guest.state), "state page");
	reset();
	thread_run(&t, vmm, 0);
	return t;
}

/*
 * The guest runs in a large frame on one CPU, and another splits that: no moment without it, and what is
 * taken away afterwards is gone, whatever the guest's CPU remembers of the large frame.
 */
static void split_cases(void)
{
	seL4_CPtr node = object_new(seL4_CapTableObject, 9), table = object_new(seL4_X86_EPTPTObject, 0);
	struct thread t;
	insula_Frame_Split_t split;
	seL4_Word entries;

	make();
	make_large();
	t = enter();
	smp_case("a guest runs in a large frame", goes(), "it does not");
	entries = guest.entries;
	split = insula_Frame_Split(guest.large, seL4_CapInitThreadCNode, node, seL4_WordBits, 0, table);
	smp_case("its frame is split while it runs", split.error == 0 && split.left == 0, "an error");
	smp_case("it saw no moment without it", goes() && guest.entries == entries, "it does not run, or faulted");
	guest.data = object_slot();
	runtime_must(seL4_CNode_Move(seL4_CapInitThreadCNode, guest.data, seL4_WordBits, node, GUEST_DATA / 4096, 9), "take a part");
	smp_case("a part of it is taken away while it runs", unmaps(), "it used it afterwards, or did not exit");
	runtime_must(seL4_TCB_UnbindNotification(t.tcb), "unbind");
	smp_delete(node);
	smp_delete(guest.ept);
	smp_delete(guest.vcpu);
	smp_delete(t.tcb);
}

void guest_cases(void)
{
	struct thread t;
	int still = 1, goes_on = 1, moves = 1;
	uint64_t rip;

	if (!smp_virt) {
		print("no virtualization here: no guests\n");
		return;
	}
	make();
	make_pages();
	t = enter();
	smp_case("a guest runs on another CPU", goes(), "it does not");
	smp_case("a signal ends its turn", signals(), "it did not come, or as something else");
	for (unsigned i = 0; i < smp_times(10); i++) {
		runtime_must(seL4_TCB_Suspend(t.tcb), "suspend");
		still = still && smp_still(guest.counter);
		runtime_must(seL4_TCB_Resume(t.tcb), "resume");
		goes_on = goes_on && goes();
	}
	smp_case("its thread is suspended while it runs", still, "it still runs");
	smp_case("and resumed", goes_on, "it does not run");
	for (unsigned i = 0; i < smp_times(40); i++) {
		smp_move(&t, i % smp_cpus);
		moves = moves && goes();
	}
	smp_case("it goes from CPU to CPU", moves, "it does not run");
	smp_move(&t, 1);
	smp_case("its memory is taken away while it runs", unmaps(), "it used it afterwards, or did not exit");
	rip = seL4_X86_VCPU_ReadVMCS(guest.vcpu, 0x681e).value;
	smp_case("its registers are read while it runs", rip == GUEST_CODE || rip == GUEST_CODE + 5 || rip == GUEST_CODE + 7,
		 "not its own");
	smp_case("and it goes on", goes(), "it does not");
	runtime_must(seL4_TCB_UnbindNotification(t.tcb), "unbind");
	smp_delete(guest.ept);
	smp_delete(guest.vcpu);
	smp_case("its vCPU is deleted while it runs", smp_still(guest.counter), "it still runs");
	smp_delete(t.tcb);
	split_cases();
}
