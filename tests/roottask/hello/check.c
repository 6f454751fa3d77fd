/* The checks: boot information, memory objects, threads and faults, as a root task sees them. */
#include "hello.h"
#include "hello_hw.h"

#define VA   0x10000000000ull
#define RW   (seL4_RightRead | seL4_RightWrite)
#define HERE seL4_CapInitThreadVSpace

/* ---- boot information ---- */

static uint64_t check_total, check_kept, check_modules;

static void check_chunks(void)
{
	const uint8_t *at = (const uint8_t *)hello_bi + 4096, *end = at + hello_bi->extraLen;
	unsigned known = 0;

	while (at < end) {
		seL4_BootInfoHeader h;

		__builtin_memcpy(&h, at, sizeof(h));
		hello_check(h.len >= sizeof(h) && h.len <= (uint64_t)(end - at), "chunk lengths fit");
		if (h.len < sizeof(h))
			return;
		if (h.id == SEL4_BOOTINFO_HEADER_X86_ACPI_RSDP)
			known |= 1;
		if (h.id == SEL4_BOOTINFO_HEADER_X86_MBMMAP)
			known |= 2;
		if (h.id == SEL4_BOOTINFO_HEADER_X86_TSC_FREQ)
			known |= 4;
		if (h.id == INSULA_BOOTINFO_CMDLINE) {
			bare_print("hello: command line: %s\n", (const char *)at + 16);
			known |= 8;
		}
		if (h.id == INSULA_BOOTINFO_MACHINE) {
			const struct insula_bi_machine *m = (const void *)(at + 16);

			check_total = m->memory_total;
			check_kept = m->memory_kernel;
			bare_print("hello: %d KiB of memory, %d KiB kept; TSC %d Hz; CPU %s\n",
				   m->memory_total >> 10, m->memory_kernel >> 10, m->tsc_hz, m->cpu_name);
			known |= 16;
		}
		if (h.id == INSULA_BOOTINFO_MODULE) {
			const struct insula_bi_module *m = (const void *)(at + 16);

			check_modules += (m->bytes + 4095) & ~4095ull;
			bare_print("hello: module at 0x%x, %d bytes, untypeds %d to %d: %s\n", m->paddr,
				   m->bytes, m->untyped_start, m->untyped_end, m->string);
		}
		at += h.len;
	}
	hello_check(known == 31, "all chunks that are always there are there");
}

static uint64_t check_identify(uint64_t slot)
{
	struct message m = {.badge = slot};

	hw_syscall(seL4_SysDebugCapIdentify, &m, 0);
	return m.badge;
}

/* RAM by Untypeds, frames and what the kernel keeps is all there is. */
static void check_sums(void)
{
	uint64_t ram = 0, last = 0, count = hello_bi->untyped.end - hello_bi->untyped.start;
	bool was_ram = false;
	uint64_t frames;

	for (uint64_t i = 0; i < count; i++) {
		const seL4_UntypedDesc *d = &hello_bi->untypedList[i];
		uint64_t size = 1ull << d->sizeBits;

		hello_check((d->paddr & (size - 1)) == 0, "untypeds are aligned");
		hello_check(check_identify(hello_bi->untyped.start + i) == 2, "untyped slots hold untypeds");
		hello_check(!(was_ram && d->isDevice), "devices come first");
		hello_check(d->paddr >= last || (!was_ram && !d->isDevice), "untypeds ascend");
		last = d->paddr + size;
		was_ram = !d->isDevice;
		if (was_ram)
			ram += size;
	}
	frames = 2 + hello_bi->userImageFrames.end - hello_bi->userImageFrames.start +
		 hello_bi->extraBIPages.end - hello_bi->extraBIPages.start;
	hello_check(ram + 4096 * frames + check_modules + check_kept == check_total,
		    "all memory is accounted for");
	bare_print("hello: %d untypeds, %d KiB of RAM in them\n", count, ram >> 10);
}

void check_bootinfo(void)
{
	static const struct {
		uint8_t slot, type;
	} fixed[] = {{1, 12}, {2, 10}, {3, 9},	 {4, 14}, {5, 11}, {6, 13},  {7, 31}, {8, 0},
		     {9, 1},  {10, 1}, {11, 20}, {12, 0}, {13, 0}, {14, 22}, {15, 0}, {16, 24}};
	const seL4_BootInfo *b = hello_bi;

	for (unsigned i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		hello_check(check_identify(fixed[i].slot) == fixed[i].type, "the first slots are seL4's");
	hello_check(b->initThreadCNodeSizeBits >= 13, "CNode size");
	hello_check(b->schedcontrol.start == 16 && b->schedcontrol.end == 16 + b->numNodes, "sched control");
	hello_check(b->userImagePaging.start == b->schedcontrol.end, "paging caps follow");
	hello_check(check_identify(b->userImagePaging.start) == 7 &&
			check_identify(b->userImagePaging.end - 1) == 3,
		    "PDPT first, PT last");
	hello_check(b->extraBIPages.start == b->userImagePaging.end, "extra bootinfo follows");
	hello_check(b->userImageFrames.start == b->extraBIPages.end, "image frames follow");
	hello_check(b->untyped.start == b->userImageFrames.end, "untypeds follow");
	hello_check(b->empty.start >= b->untyped.end && b->empty.end == 1ull << b->initThreadCNodeSizeBits,
		    "empty slots");
	hello_check(check_identify(b->empty.start) == 0 && check_identify(b->empty.start - 1) != 0,
		    "and they are empty");
	hello_check(b->ipcBuffer == (uint64_t)(uintptr_t)b - 4096, "bootinfo follows the IPC buffer");
	check_chunks();
	check_sums();
}

/* ---- memory ---- */

static uint64_t check_map(uint64_t cap, uint64_t label, uint64_t va)
{
	return bare_call(cap, label, WORDS(va, 0), CAPS(HERE));
}

static uint64_t check_page(uint64_t cap, uint64_t va, uint64_t attributes)
{
	return bare_call(cap, X86PageMap, WORDS(va, RW, attributes), CAPS(HERE));
}

static void check_missing(uint64_t frame, uint64_t va, uint64_t bits)
{
	hello_check(check_page(frame, va, 0) == seL4_FailedLookup, "a missing table is a failed lookup");
	hello_check(bare_words[0] == 0 && bare_words[1] == seL4_MissingCapability && bare_words[2] == bits,
		    "with the level's bits");
}

void check_memory(void)
{
	uint64_t frame = hello_make(seL4_X86_4K, 0), big = hello_make(seL4_X86_LargePageObject, 0);
	uint64_t pdpt = hello_make(seL4_X86_PDPTObject, 0), pd = hello_make(seL4_X86_PageDirectoryObject, 0);
	uint64_t pt = hello_make(seL4_X86_PageTableObject, 0);
	volatile uint64_t *small = (volatile uint64_t *)VA, *large = (volatile uint64_t *)(VA + 0x200000),
			  sum = 0;

	check_missing(frame, VA, 39);
	hello_check(check_map(pdpt, X86PDPTMap, VA) == 0, "PDPT");
	check_missing(frame, VA, 30);
	hello_check(check_map(pd, X86PageDirectoryMap, VA) == 0, "PD");
	check_missing(frame, VA, 21);
	hello_check(check_map(pt, X86PageTableMap, VA) == 0, "PT");
	hello_check(check_page(frame, VA, insula_X86_ExecuteNever) == 0, "page");
	hello_check(check_page(big, VA + 0x200000, 0) == 0, "large page");
	for (unsigned i = 0; i < 512; i++)
		sum += small[i];
	for (unsigned i = 0; i < 512 * 512; i++)
		sum += large[i];
	hello_check(sum == 0, "new memory is zero");
	small[17] = 42;
	large[200000] = 43;
	hello_check(bare_call(frame, X86PageUnmap, NONE, NONE) == 0, "unmap");
	hello_check(check_page(frame, VA + 0x1000, 0) == 0, "map elsewhere");
	hello_check(small[512 + 17] == 42, "the content is kept");
	hello_check(bare_call(frame, X86PageGetAddress, NONE, NONE) == 0 && (bare_words[0] & 0xfff) == 0,
		    "address");
	bare_print("hello: memory can be mapped\n");
}

/* ---- boot modules: their Untypeds' first frames show the content ---- */

static void check_module(const struct insula_bi_module *m)
{
	uint64_t frame = hello_make_from(m->untyped_start, seL4_X86_4K, 0), va = VA + 0x8000;
	const char *text = (const char *)va;
	char first[33];

	hello_check(check_page(frame, va, insula_X86_ExecuteNever) == 0, "a module's page");
	for (unsigned i = 0; i < 32; i++)
		first[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '.';
	first[32] = 0;
	bare_print("hello: it begins with: %s\n", first);
	for (uint64_t i = m->bytes; i < 4096; i++)
		hello_check(text[i] == 0, "the rest of a module's page is zero");
	bare_call(frame, X86PageUnmap, NONE, NONE);
}

void check_boot_modules(void)
{
	const uint8_t *at = (const uint8_t *)hello_bi + 4096, *end = at + hello_bi->extraLen;

	for (; at < end; at += ((const seL4_BootInfoHeader *)at)->len)
		if (((const seL4_BootInfoHeader *)at)->id == INSULA_BOOTINFO_MODULE)
			check_module((const void *)(at + 16));
}

/* ---- threads: a fault of a second one arrives here, and it goes on ---- */

static uint8_t check_stack[4096] __attribute__((aligned(16)));
static volatile uint64_t check_reached, check_endpoint;

void hello_thread(uint64_t argument)
{
	*(volatile uint64_t *)(VA + 0x5000) = argument; /* not mapped: faults until it is */
	check_reached = *(volatile uint64_t *)(VA + 0x5000);
	for (;;) { /* nobody sends: it blocks here */
		struct message m = {.badge = check_endpoint};

		hw_syscall(seL4_SysWait, &m, 0);
	}
}

void check_threads(void)
{
	uint64_t tcb = hello_make(seL4_TCBObject, 0), sc = hello_make(seL4_SchedContextObject, 8);
	uint64_t ep = hello_make(seL4_EndpointObject, 0), reply = hello_make(seL4_ReplyObject, 0);
	uint64_t frame = hello_make(seL4_X86_4K, 0);
	uint64_t guard = 64 - hello_bi->initThreadCNodeSizeBits, e, start = hw_rdtsc();
	struct message m = {.badge = ep};

	check_endpoint = ep;
	/* SetSpace: fault endpoint is extra capability 0, CSpace 1, VSpace 2 */
	e = bare_call(tcb, TCBSetSpace, WORDS(guard, 0), CAPS(ep, seL4_CapInitThreadCNode, HERE));
	hello_check(e == 0, "SetSpace");
	e = bare_call(hello_bi->schedcontrol.start, SchedControlConfigureFlags, WORDS(10000, 10000, 0, 0, 0),
		      CAPS(sc));
	hello_check(e == 0, "ConfigureFlags");
	hello_check(bare_call(tcb, TCBSetPriority, WORDS(200), CAPS(seL4_CapInitThreadTCB)) == 0, "priority");
	hello_check(bare_call(sc, SchedContextBind, NONE, CAPS(tcb)) == 0, "bind");
	/* flags, count, then rip, rsp, rflags, rax, rbx, rcx, rdx, rsi, rdi */
	e = bare_call(tcb, TCBWriteRegisters,
		      WORDS(1, 9, (uint64_t)(uintptr_t)hello_thread_start,
			    (uint64_t)(uintptr_t)check_stack + sizeof(check_stack), 0x202, 0, 0, 0, 0, 0, 77),
		      NONE);
	hello_check(e == 0, "WriteRegisters");

	hw_syscall(seL4_SysRecv, &m, reply);
	hello_check(m.info >> 12 == seL4_Fault_VMFault && m.mr[1] == VA + 0x5000, "its fault arrives");
	bare_print("hello: fault at 0x%x, ip 0x%x, code %d\n", m.mr[1], m.mr[0], m.mr[3]);
	hello_check(check_page(frame, VA + 0x5000, 0) == 0, "its page");
	m = (struct message){.badge = reply};
	hw_syscall(seL4_SysSend, &m, 0);
	/* This thread's priority is higher: lower it until the other has run. */
	hello_check(
	    bare_call(seL4_CapInitThreadTCB, TCBSetPriority, WORDS(100), CAPS(seL4_CapInitThreadTCB)) == 0,
	    "lower priority");
	for (unsigned i = 0; i < 1000 && check_reached != 77; i++) {
		m = (struct message){0};
		hw_syscall(seL4_SysYield, &m, 0);
	}
	hello_check(bare_call(tcb, TCBSuspend, NONE, NONE) == 0, "suspend");
	hello_check(check_reached == 77, "the thread went on after its fault");
	bare_print("hello: threads, faults and replies work (%d ticks)\n", hw_rdtsc() - start);
}
