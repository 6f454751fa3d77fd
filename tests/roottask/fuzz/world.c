/* What is under test: made of one Untyped, into one CNode that stays. */
#include "insula/ext.h"
#include "roottask/fuzz/fuzz.h"

#define WORLD_BITS   23u /* all memory of it */
#define SERVER	     1u	 /* threads with something to do from the beginning */
#define CLIENT	     3u
#define KEEPER	     7u
#define WORLD_PORT   0x80u /* and three behind it, of a DMA controller that nothing uses */
#define WORLD_VECTOR 60u

seL4_Word fuzz_cptr;
seL4_IPCBuffer fuzz_buffers[FUZZ_BUFFERS * 4] __attribute__((aligned(4096)));

static seL4_CPtr memory, node; /* the Untyped; the CNode, without guard */
static seL4_CPtr top;	       /* the controllers' CSpace */
static unsigned cpu_count;
static unsigned root_bits;
static seL4_CPtr kept; /* the first of KEPT slots */
#define KEPT (4u + FUZZ_BUFFERS)

/* ---- once ---- */

static seL4_CPtr find_memory(void)
{
	const seL4_BootInfo *info = runtime_bootinfo();
	seL4_CPtr found = 0;
	unsigned best = 0;

	for (seL4_Word i = 0; i < info->untyped.end - info->untyped.start; i++)
		if (!info->untypedList[i].isDevice && info->untypedList[i].sizeBits > best) {
			best = info->untypedList[i].sizeBits;
			found = info->untyped.start + i;
		}
	runtime_must(best > WORLD_BITS ? seL4_NoError : seL4_NotEnoughMemory, "memory to be fuzzed");
	return found;
}

/* The controllers' CSpace: what was there, and the CNode under test beside it. */
static void make_cspace(void)
{
	top = object_new(seL4_CapTableObject, 1);
	fuzz_cptr = 1ul << root_bits;
	runtime_must(
	    seL4_CNode_Mint(top, 0, 1, ROOT, ROOT, DEPTH, seL4_AllRights, seL4_CNode_CapData_new(0, 0)),
	    "the root CNode, again");
	runtime_must(seL4_CNode_Mint(top, 1, 1, ROOT, node, DEPTH, seL4_AllRights,
				     seL4_CNode_CapData_new(0, root_bits - FUZZ_BITS)),
		     "the CNode under test");
	world_share(seL4_CapInitThreadTCB);
}

void world_share(seL4_CPtr tcb)
{
	runtime_must(seL4_TCB_SetSpace(tcb, 0, top, seL4_CNode_CapData_new(0, 64 - 1 - root_bits),
				       seL4_CapInitThreadVSpace, 0),
		     "the controllers' CSpace");
}

void world_init(unsigned cpus)
{
	cpu_count = cpus;
	root_bits = (unsigned)runtime_bootinfo()->initThreadCNodeSizeBits;
	node = object_new(seL4_CapTableObject, FUZZ_BITS);
	memory = object_slot();
	kept = object_slot();
	for (unsigned i = 1; i < KEPT; i++)
		(void)object_slot();
	runtime_must(
	    seL4_Untyped_Retype(find_memory(), seL4_UntypedObject, WORLD_BITS, ROOT, 0, 0, memory, 1),
	    "memory to be fuzzed");
	make_cspace();
}

/* ---- each time ---- */

static void put(unsigned slot, seL4_Word type, seL4_Word bits, unsigned count)
{
	runtime_must(seL4_Untyped_Retype(memory, type, bits, node, 0, 0, slot, count),
		     "an object under test");
}

static void copy(unsigned slot, seL4_CPtr from, seL4_CapRights_t rights)
{
	runtime_must(seL4_CNode_Copy(node, slot, FUZZ_BITS, ROOT, from, DEPTH, rights),
		     "a capability under test");
}

static seL4_CPtr at(unsigned slot)
{
	return fuzz_cptr + slot;
}

static void take_back(void)
{
	runtime_must(seL4_CNode_Revoke(ROOT, memory, DEPTH), "revoke");
	for (unsigned i = 0; i < FUZZ_SLOTS; i++)
		runtime_must(seL4_CNode_Delete(node, i, FUZZ_BITS), "delete");
}

static void make_controls(void)
{
	const seL4_BootInfo *info = runtime_bootinfo();

	for (unsigned i = 0; i < cpu_count; i++)
		copy(FUZZ_SCHED_CONTROL + i, info->schedcontrol.start + i, seL4_AllRights);
	copy(FUZZ_ASID_CONTROL, seL4_CapASIDControl, seL4_AllRights);
	copy(FUZZ_ASID_POOL, seL4_CapInitThreadASIDPool, seL4_AllRights);
	copy(FUZZ_DOMAIN, seL4_CapDomain, seL4_AllRights);
	for (unsigned i = 0; i < 2; i++)
		runtime_must(seL4_IRQControl_GetMSI(seL4_CapIRQControl, node, FUZZ_IRQ + i, FUZZ_BITS, 0, 0,
						    0, 0, WORLD_VECTOR + i),
			     "an interrupt");
	runtime_must(seL4_X86_IOPortControl_Issue(seL4_CapIOPortControl, WORLD_PORT, WORLD_PORT + 3, node,
						  FUZZ_PORT, FUZZ_BITS),
		     "a port");
	/* with the guard that makes it a CSpace of its own */
	runtime_must(seL4_CNode_Mint(node, FUZZ_NODE, FUZZ_BITS, ROOT, node, DEPTH, seL4_AllRights,
				     seL4_CNode_CapData_new(fuzz_cptr >> FUZZ_BITS, 64 - FUZZ_BITS)),
		     "the CNode in itself");
}

/* Below the root CNode, for what would be missed if it were lost at random. */
static seL4_CPtr keep(unsigned i, seL4_Word type)
{
	runtime_must(seL4_Untyped_Retype(memory, type, 0, ROOT, 0, 0, kept + i, 1), "a table");
	return kept + i;
}

static void keep_frame(unsigned i, const void *page, seL4_CapRights_t rights)
{
	(void)seL4_CNode_Delete(ROOT, kept + i, DEPTH);
	runtime_must(seL4_CNode_Copy(ROOT, kept + i, DEPTH, ROOT, space_image_frame(page), DEPTH, rights),
		     "a frame");
	runtime_must(seL4_X86_Page_Map(kept + i, at(FUZZ_SPACE), (seL4_Word)(uintptr_t)page, rights,
				       seL4_X86_Default_VMAttributes),
		     "a page");
}

/* The threads' code and IPC buffers, where the task has them; and tables and frames to be used at random. */
static void make_space(void)
{
	const seL4_Word start = (seL4_Word)(uintptr_t)worker_code;

	put(FUZZ_SPACE, seL4_X64_PML4Object, 0, 1);
	runtime_must(seL4_X86_ASIDPool_Assign(seL4_CapInitThreadASIDPool, at(FUZZ_SPACE)), "ASID");
	runtime_must(seL4_X86_PDPT_Map(keep(0, seL4_X86_PDPTObject), at(FUZZ_SPACE), start, 0), "PDPT");
	runtime_must(
	    seL4_X86_PageDirectory_Map(keep(1, seL4_X86_PageDirectoryObject), at(FUZZ_SPACE), start, 0),
	    "PD");
	runtime_must(seL4_X86_PageTable_Map(keep(2, seL4_X86_PageTableObject), at(FUZZ_SPACE), start, 0),
		     "PT");
	keep_frame(3, worker_code, seL4_CanRead);
	copy(FUZZ_CODE, kept + 3, seL4_CanRead);
	for (unsigned i = 0; i < FUZZ_BUFFERS; i++) {
		keep_frame(4 + i, (const char *)fuzz_buffers + i * 4096ul, seL4_ReadWrite);
		copy(FUZZ_BUFFER + i, kept + 4 + i, seL4_ReadWrite);
	}
	put(FUZZ_SPACE + 1, seL4_X86_PDPTObject, 0, 1);
	put(FUZZ_SPACE + 2, seL4_X86_PageDirectoryObject, 0, 1);
	put(FUZZ_SPACE + 3, seL4_X86_PageTableObject, 0, 1);
}

static void make_threads(void)
{
	put(FUZZ_THREAD, seL4_TCBObject, 0, FUZZ_THREADS);
	put(FUZZ_SC, seL4_SchedContextObject, 8, FUZZ_THREADS);
	for (unsigned i = 0; i < FUZZ_THREADS; i++) {
		seL4_Word buffer = (seL4_Word)(uintptr_t)&fuzz_buffers[i];
		seL4_CPtr control = runtime_bootinfo()->schedcontrol.start + i % cpu_count;

		runtime_must(seL4_SchedControl_Configure(control, at(FUZZ_SC + i), 500 + 200 * i,
							 i % 2 ? 500 + 200 * i : 10000, 4, i),
			     "a budget");
		runtime_must(seL4_TCB_Configure(at(FUZZ_THREAD + i), at(FUZZ_NODE), 0, at(FUZZ_SPACE), 0,
						buffer, at(FUZZ_BUFFER + i / 4)),
			     "a thread");
		runtime_must(seL4_TCB_SetSchedParams(at(FUZZ_THREAD + i), seL4_CapInitThreadTCB, 160,
						     20 * (i + 1), at(FUZZ_SC + i),
						     at(FUZZ_ENDPOINT + i % 4)),
			     "its scheduling");
	}
}

static void vmcs(seL4_Word field, seL4_Word value)
{
	(void)seL4_X86_VCPU_WriteVMCS(at(FUZZ_VCPU), field, value);
}

/* Real mode, at address 0: field numbers of VT-x (SDM 3D, appendix B). */
static void make_guest_state(void)
{
	for (seL4_Word i = 0; i < 8; i++) { /* ES, CS, SS, DS, FS, GS, LDTR, TR */
		vmcs(0x800 + 2 * i, 0);
		vmcs(0x6806 + 2 * i, 0);
		vmcs(0x4800 + 2 * i, 0xffff);
		vmcs(0x4814 + 2 * i, i == 1 ? 0x9b : i == 6 ? 0x82 : i == 7 ? 0x8b : 0x93);
	}
	vmcs(0x6800, 0x10); /* CR0 */
	vmcs(0x6802, 0);
	vmcs(0x6804, 0);
	vmcs(0x2806, 0);     /* EFER */
	vmcs(0x681a, 0x400); /* DR7 */
	vmcs(0x681c, 0x800);
	vmcs(0x6820, 2);
	vmcs(0x4826, 0);
}

static void start(unsigned thread, const char *code, seL4_Word rbx, seL4_Word r12)
{
	seL4_UserContext regs = {.rip = (seL4_Word)(uintptr_t)code,
				 .rflags = 0x202,
				 .rbx = rbx,
				 .r12 = r12,
				 .r14 = SchedContextYieldTo << 12};

	runtime_must(seL4_TCB_WriteRegisters(at(FUZZ_THREAD + thread), true, 0,
					     sizeof(regs) / sizeof(seL4_Word), &regs),
		     "start a thread");
}

/*
 * A guest that one thread enters again and again: 4 KiB of zeros to run through, then what is in threads'
 * buffers. On machines without virtualization there is none.
 */
static void make_guest(void)
{
	if (seL4_Untyped_Retype(memory, seL4_X86_VCPUObject, 0, node, 0, 0, FUZZ_VCPU, 1) != seL4_NoError)
		return;
	put(FUZZ_VCPU + 1, seL4_X86_EPTPML4Object, 0, 1);
	put(FUZZ_VCPU + 2, seL4_X86_EPTPDPTObject, 0, 1);
	put(FUZZ_VCPU + 3, seL4_X86_EPTPDObject, 0, 1);
	put(FUZZ_VCPU + 4, seL4_X86_EPTPTObject, 0, 1);
	put(FUZZ_VCPU + 5, seL4_X86_4K, 0, 1);
	put(FUZZ_TABLES + 1, seL4_X86_EPTPDObject, 0, 1);
	put(FUZZ_TABLES + 2, seL4_X86_EPTPTObject, 0, 1);
	runtime_must(seL4_X86_ASIDPool_Assign(seL4_CapInitThreadASIDPool, at(FUZZ_VCPU + 1)), "EPT ASID");
	runtime_must(seL4_X86_EPTPDPT_Map(at(FUZZ_VCPU + 2), at(FUZZ_VCPU + 1), 0, 0), "EPT PDPT");
	runtime_must(seL4_X86_EPTPD_Map(at(FUZZ_VCPU + 3), at(FUZZ_VCPU + 1), 0, 0), "EPT PD");
	runtime_must(seL4_X86_EPTPT_Map(at(FUZZ_VCPU + 4), at(FUZZ_VCPU + 1), 0, 0), "EPT PT");
	runtime_must(seL4_X86_Page_MapEPT(at(FUZZ_VCPU + 5), at(FUZZ_VCPU + 1), 0, seL4_ReadWrite, 6),
		     "guest memory");
	runtime_must(seL4_X86_Page_MapEPT(at(FUZZ_BUFFER), at(FUZZ_VCPU + 1), 0x1000, seL4_ReadWrite, 6),
		     "guest memory");
	runtime_must(seL4_X86_VCPU_SetTCB(at(FUZZ_VCPU), at(FUZZ_THREAD)), "vCPU");
	runtime_must(seL4_TCB_SetEPTRoot(at(FUZZ_THREAD), at(FUZZ_VCPU + 1)), "EPT root");
	make_guest_state();
	start(0, worker_guest, 0, 0);
}

void world_make(void)
{
	take_back();
	make_controls();
	put(FUZZ_UNTYPED, seL4_UntypedObject, WORLD_BITS - 1, 1);
	put(FUZZ_LARGE, seL4_X86_LargePageObject, 0, 1);
	put(FUZZ_PARTS, seL4_CapTableObject, 10, 1);
	put(FUZZ_UNTYPED + 1, seL4_UntypedObject, WORLD_BITS - 4, 1);
	put(FUZZ_PAGES, seL4_UntypedObject, 12, 2);
	put(FUZZ_TABLES, seL4_X86_IOPageTableObject, 0, 1);
	put(FUZZ_ENDPOINT, seL4_EndpointObject, 0, 4);
	put(FUZZ_NOTIFICATION, seL4_NotificationObject, 0, 4);
	put(FUZZ_REPLY, seL4_ReplyObject, 0, 3);
	put(FUZZ_TIMER, insula_TimerObject, 0, 2);
	make_space();
	make_threads();
	make_guest();
	start(SERVER, worker_serve, at(FUZZ_ENDPOINT), at(FUZZ_REPLY));
	start(SERVER + 1, worker_serve, at(FUZZ_ENDPOINT + 1), at(FUZZ_REPLY + 1));
	start(KEEPER, worker_keep, at(FUZZ_ENDPOINT + 2), at(FUZZ_REPLY + 2));
}

void world_talk(void)
{
	for (unsigned i = 0; i < 2; i++)
		(void)seL4_SchedContext_UnbindObject(at(FUZZ_SC + SERVER + i), at(FUZZ_THREAD + SERVER + i));
	start(CLIENT, worker_call, at(FUZZ_ENDPOINT), 0);
	start(CLIENT + 1, worker_call, at(FUZZ_ENDPOINT + 1), 0);
	start(CLIENT + 2, worker_yield, 0, 0);
	start(CLIENT + 3, worker_call, at(FUZZ_ENDPOINT + 2), 0);
}

void world_end(void)
{
	take_back();
	runtime_must(seL4_Untyped_Retype(memory, seL4_UntypedObject, WORLD_BITS - 1, node, 0, 0, 1, 2),
		     "the memory again");
	take_back();
}
