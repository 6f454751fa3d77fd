#include "servers/vmm/fake/vmm_fake.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "sel4/sel4.h"
#include "servers/vmm/xen/xen.h"
#include "user/log.h"
#include "user/object.h"
#include "user/thread.h"
#include "user/vspace.h"
#include <xen/errno.h>

#define SLOTS 65536u
#define MAPPINGS 16384u

struct fake fake;
struct vmm vmm;

static uint8_t slot_type[SLOTS], slot_bits[SLOTS];
static uint32_t slot_next;
static struct {
	uint64_t vaddr, bytes;
	bool used; /* by this domain */
} mapping[MAPPINGS];
static unsigned mappings;
static struct {
	uint64_t at;
	unsigned bits;
} table[4096];
static unsigned tables;
static uint64_t missing_bits;

static void die(const char *why)
{
	fprintf(stderr, "fake: %s\n", why);
	abort();
}

/* ---- system calls ---- */

void seL4_Yield(void)
{
	fake.yields++;
	fake.tsc += FAKE_TSC_HZ / 1000; /* others run for a millisecond */
}

void seL4_Signal(seL4_CPtr n)
{
	if (!n)
		die("signal to the null capability");
	fake.signals++;
}

static bool is_vcpu_notification(seL4_CPtr n)
{
	return n >= TASK_SLOT_NOTIFICATION && n < TASK_SLOT_NOTIFICATION + vmm.vcpu_count;
}

void seL4_Wait(seL4_CPtr n, seL4_Word *badge)
{
	if (!is_vcpu_notification(n))
		die("the lock is taken by who holds it");
	if (!fake.wait)
		longjmp(fake.out, 1);
	*badge = 0;
	fake.wait(badge);
}

seL4_Word seL4_VMEnter(seL4_Word *badge)
{
	if (!fake.enter)
		longjmp(fake.out, 2);
	*badge = 0;
	return fake.enter(badge);
}

seL4_Word seL4_GetMR(unsigned i)
{
	return i == 2 ? missing_bits : 0;
}

static bool table_at(uint64_t g, unsigned bits)
{
	for (unsigned i = 0; i < tables; i++)
		if (table[i].bits == bits && table[i].at == g >> bits)
			return true;
	return false;
}

static int table_map(uint64_t g, unsigned bits)
{
	if (table_at(g, bits))
		return seL4_DeleteFirst;
	if (tables == sizeof(table) / sizeof(table[0]))
		return seL4_NotEnoughMemory;
	table[tables].at = g >> bits;
	table[tables++].bits = bits;
	return seL4_NoError;
}

int seL4_X86_EPTPDPT_Map(seL4_CPtr t, seL4_CPtr root, uint64_t g, seL4_Word attributes)
{
	(void)t, (void)root, (void)attributes;
	return table_map(g, 39);
}

int seL4_X86_EPTPD_Map(seL4_CPtr t, seL4_CPtr root, uint64_t g, seL4_Word attributes)
{
	(void)t, (void)root, (void)attributes;
	return table_at(g, 39) ? table_map(g, 30) : seL4_FailedLookup;
}

int seL4_X86_EPTPT_Map(seL4_CPtr t, seL4_CPtr root, uint64_t g, seL4_Word attributes)
{
	(void)t, (void)root, (void)attributes;
	return table_at(g, 30) ? table_map(g, 21) : seL4_FailedLookup;
}

int seL4_X86_Page_MapEPT(seL4_CPtr frame, seL4_CPtr root, uint64_t g, seL4_Word rights, seL4_Word attributes)
{
	static const unsigned levels[] = {39, 30, 21};

	(void)root, (void)rights, (void)attributes;
	if (frame >= SLOTS || !slot_bits[frame] || (g & ((1ull << slot_bits[frame]) - 1)))
		die("bad frame mapped for the guest");
	for (unsigned i = 0; i < 3 && levels[i] > slot_bits[frame]; i++)
		if (!table_at(g, levels[i])) {
			missing_bits = levels[i];
			return seL4_FailedLookup;
		}
	fake.frames_mapped++;
	return seL4_NoError;
}

int seL4_X86_Page_Unmap(seL4_CPtr frame)
{
	if (frame >= SLOTS || !slot_bits[frame])
		die("no frame is unmapped");
	fake.frames_mapped--;
	return seL4_NoError;
}

int seL4_X86_VCPU_SetTCB(seL4_CPtr vcpu, seL4_CPtr tcb)
{
	return vcpu && tcb ? seL4_NoError : seL4_InvalidCapability;
}

/* Segment bases only: what exits do not carry. */
seL4_X86_VCPU_ReadVMCS_t seL4_X86_VCPU_ReadVMCS(seL4_CPtr vcpu, seL4_Word field)
{
	for (uint32_t i = 0; i < vmm.vcpu_count; i++)
		if (vmm.vcpu[i]->slot_vcpu == vcpu && field >= 0x6806 && field < 0x6806 + 2 * INSULA_SEG_COUNT)
			return (seL4_X86_VCPU_ReadVMCS_t){seL4_NoError, vmm.vcpu[i]->s->seg[(field - 0x6806) / 2].base};
	return (seL4_X86_VCPU_ReadVMCS_t){seL4_IllegalOperation, 0};
}

/* The pending debug exceptions, of a single step; what PAE paging begins with; and whether a guest that spins exits. */
seL4_X86_VCPU_WriteVMCS_t seL4_X86_VCPU_WriteVMCS(seL4_CPtr vcpu, seL4_Word field, seL4_Word value)
{
	if (vcpu && field >= 0x280a && field <= 0x2810 && !(field & 1)) {
		fake.pdpte[(field - 0x280a) / 2] = value;
		return (seL4_X86_VCPU_WriteVMCS_t){seL4_NoError, value};
	}
	if (vcpu && field == 0x401e) {
		fake.pause_loops += value == 1u << 10;
		return (seL4_X86_VCPU_WriteVMCS_t){seL4_NoError, value};
	}
	if (!vcpu || field != 0x6822 || value != 1u << 14)
		return (seL4_X86_VCPU_WriteVMCS_t){seL4_IllegalOperation, 0};
	fake.steps++;
	return (seL4_X86_VCPU_WriteVMCS_t){seL4_NoError, value};
}

int seL4_TCB_SetEPTRoot(seL4_CPtr tcb, seL4_CPtr root)
{
	return tcb && root ? seL4_NoError : seL4_InvalidCapability;
}

int insula_VCPU_SetStatePage(seL4_CPtr vcpu, seL4_CPtr frame)
{
	return vcpu && frame ? seL4_NoError : seL4_InvalidCapability;
}

int insula_Timer_Bind(seL4_CPtr timer, seL4_CPtr notification)
{
	return timer && notification ? seL4_NoError : seL4_InvalidCapability;
}

int insula_Timer_Set(seL4_CPtr timer, uint64_t tsc)
{
	if (vmm.vcpu[0] && timer == vmm.vcpu[0]->slot_timer)
		fake.timer_tsc = tsc;
	return seL4_NoError;
}

int insula_Timer_Cancel(seL4_CPtr timer)
{
	return insula_Timer_Set(timer, UINT64_MAX);
}

/* ---- runtime ---- */

void log_line(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(fake.line, sizeof(fake.line), format, ap);
	va_end(ap);
	fake.lines++;
}

seL4_CPtr object_create_slot(seL4_Word type, seL4_Word bits)
{
	(void)bits;
	if (fake.object_limit == 0 || slot_next == SLOTS)
		return 0;
	fake.object_limit--;
	slot_type[slot_next] = (uint8_t)type;
	slot_bits[slot_next] = type == seL4_X86_4K ? 12 : 0;
	return slot_next++;
}

seL4_CPtr object_copy(seL4_CPtr slot)
{
	if (slot_next == SLOTS)
		return 0;
	slot_type[slot_next] = slot_type[slot];
	slot_bits[slot_next] = slot_bits[slot];
	return slot_next++;
}

seL4_CPtr object_mint_badge(seL4_CPtr slot, seL4_Word badge)
{
	return badge ? object_copy(slot) : 0;
}

void object_delete(seL4_CPtr slot)
{
	slot_type[slot] = slot_bits[slot] = 0;
}

int thread_start(uint32_t thread, void (*entry)(void *), void *argument)
{
	(void)thread, (void)entry, (void)argument;
	return 0;
}

unsigned thread_self(void)
{
	return fake.thread;
}

/* Zeroed memory of the host's. */
static int map_at(uint64_t vaddr, uint64_t bytes)
{
	for (unsigned i = 0; i < mappings; i++)
		if (mapping[i].vaddr == vaddr) {
			if (mapping[i].used || mapping[i].bytes != bytes)
				die("mapped twice");
			mapping[i].used = true;
			memset((void *)vaddr, 0, bytes);
			return 0;
		}
	if (mappings == MAPPINGS)
		die("too many mappings");
	/* the host's own program may lie there: then it is as if there were no memory for the tables */
	if (mmap((void *)vaddr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) !=
	    (void *)vaddr)
		return -1;
	mapping[mappings].vaddr = vaddr;
	mapping[mappings].bytes = bytes;
	mapping[mappings++].used = true;
	return 0;
}

int vspace_map(seL4_CPtr frame, uint64_t vaddr, bool write, bool execute)
{
	uint64_t bytes;

	(void)write;
	if (frame >= SLOTS || !slot_bits[frame] || execute)
		die("bad frame mapped");
	bytes = 1ull << slot_bits[frame];
	if (vaddr & (bytes - 1))
		die("unaligned mapping");
	return map_at(vaddr, bytes);
}

/* Pages that the next domain may not have. RAM and the fixed pages are kept: mapping them anew each time is slow. */
static void unmap_all(bool everything)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < mappings; i++) {
		bool ram = mapping[i].vaddr < TASK_RAM_VADDR;

		for (uint32_t n = 0; n < fake.ram_count && !ram; n++)
			ram = mapping[i].vaddr == TASK_RAM_VADDR + (fake.ram[n].gfn << 12) && mapping[i].bytes == fake.ram[n].pages << 12;
		if (everything || !ram) {
			munmap((void *)mapping[i].vaddr, mapping[i].bytes);
			continue;
		}
		mapping[kept] = mapping[i];
		mapping[kept++].used = false;
	}
	mappings = kept;
}

/* ---- CPU ---- */

uint64_t cpu_tsc(void)
{
	return fake.tsc;
}

uint64_t cpu_xgetbv(void)
{
	return fake.no_xsave ? (die("XGETBV without OSXSAVE"), 0ull) : 0x207ull; /* and a component that is not offered */
}

/* Leaves of ones where a feature word is, so that an allow-list that leaks shows. */
void cpu_cpuid(uint32_t leaf, uint32_t sub, uint32_t r[4])
{
	memset(r, 0, 16);
	switch (leaf) {
	case 0:
		r[0] = 0x20;
		memcpy(&r[1], fake.intel ? "Genu" : "Auth", 4);
		memcpy(&r[3], fake.intel ? "ineI" : "enti", 4);
		memcpy(&r[2], fake.intel ? "ntel" : "cAMD", 4);
		break;
	case 1:
		r[0] = 0x00800f12;
		r[1] = r[3] = 0xffffffffu;
		r[2] = fake.no_xsave ? 0xf3ffffffu : 0xffffffffu;
		break;
	case 4:
		r[0] = sub < 4 ? 0xffffffe0u | (sub + 1) : 0;
		break;
	case 7:
		r[1] = r[2] = r[3] = 0xffffffffu;
		break;
	case 0xd:
		if (sub == 0) {
			r[0] = 0xffffffffu;
			r[2] = 2696;
		} else if (sub == 1) {
			r[0] = 0xffffffffu;
		} else if (sub == 2) {
			r[0] = 256;
			r[1] = 576;
		} else {
			r[0] = 64;
			r[1] = 832 + sub * 64;
		}
		break;
	case 0x80000000u:
		r[0] = 0x80000021u;
		memcpy(&r[1], "Auth", 4);
		break;
	case 0x80000001u:
	case 0x80000007u:
	case 0x8000000au:
		r[0] = r[1] = r[2] = r[3] = 0xffffffffu;
		break;
	case 0x80000008u:
		r[0] = 0x3030;
		r[1] = r[2] = r[3] = 0xffffffffu;
		break;
	default:
		r[0] = r[1] = r[2] = r[3] = 0xffffffffu;
		break;
	}
}

/* ---- main.c's part ---- */

void vmm_shutdown(unsigned reason, const char *why)
{
	if (vmm.ended)
		return;
	vmm.ended = true;
	if (why)
		log_line("%s", why);
	fake.shutdowns++;
	fake.reason = reason;
}

void vmm_parked(struct vcpu *v)
{
	(void)v;
}

void vmm_resume(void)
{
}

void control_service(void)
{
	__atomic_exchange_n(&vmm.control->request, 0, __ATOMIC_ACQ_REL);
}

/* ---- a domain ---- */

/* RAM, which the domain manager maps in the real process. */
static void ram_map(void)
{
	for (uint32_t i = 0; i < fake.ram_count; i++)
		if (map_at(TASK_RAM_VADDR + (fake.ram[i].gfn << 12), fake.ram[i].pages << 12))
			die("no RAM");
}

static void begin(uint32_t vcpus)
{
	for (uint32_t i = 0; i < VMM_MAX_VCPUS; i++)
		free(vmm.vcpu[i]);
	memset(&vmm, 0, sizeof(vmm));
	slot_next = TASK_SLOT_FREE;
	tables = 0;
	unmap_all(false);
	ram_map();
	fake.start.domid = 7;
	fake.start.vcpus = vcpus;
	fake.start.ports = fake.ports ? fake.ports : 4096;
	fake.start.console_frame_slot = 200;
	fake.start.console_notification_slot = 201;
	fake.start.control_frame_slot = 202;
	slot_bits[200] = slot_bits[202] = 12;
	slot_next = 210;
	vmm.start = &fake.start;
	vmm.domid = 7;
	vmm.vcpu_count = vcpus;
	vmm.tsc_hz = FAKE_TSC_HZ;
	fake.tsc = vmm.tsc_start = 1000000;
	vmm.wall_ns_start = 1700000000000000000ull;
	if (!pvclock_scale(vmm.tsc_hz, &vmm.clock))
		die("clock");
	memset(&fake.control, 0, sizeof(fake.control));
	vmm.control = &fake.control;
	fake.object_limit = 3000;
	fake.timer_tsc = UINT64_MAX;
	fake.pause_loops = fake.thread = fake.lines = fake.signals = fake.yields = fake.shutdowns = fake.reason = fake.frames_mapped = 0;
	fake.line[0] = 0;
	fake.enter = NULL;
	fake.wait = NULL;
	vmm_lock_init();
	vmm.control->ram_count = fake.ram_count;
	memcpy(vmm.control->ram, fake.ram, sizeof(fake.ram));
	memory_init();
	vmm.ram_bytes = memory_ram_bytes();
	cpuid_init();
	for (uint32_t i = 0; i < vcpus; i++)
		vcpu_create(i);
	console_init();
	xen_init();
}

void fake_start_bare(uint32_t vcpus)
{
	unmap_all(true);
	begin(vcpus);
}

void fake_long_mode(struct vcpu *v)
{
	struct insula_vcpu_state *s = v->s;

	s->cr0 = 0x80010031u;
	s->cr3 = FAKE_TABLES;
	s->cr4 = 0x20;
	s->efer = 0xd01;
	s->seg[INSULA_CS] = (struct insula_segment){.selector = 0x10, .limit = 0xffffffffu, .ar = 0xa09b};
	s->seg[INSULA_SS] = s->seg[INSULA_DS] = s->seg[INSULA_ES] =
		(struct insula_segment){.selector = 0x18, .limit = 0xffffffffu, .ar = 0xc093};
	s->rflags = 0x202;
	s->rip = 0x1000;
	s->xcr0 = 1;
	v->run = VCPU_RUNNING;
}

void fake_start(uint32_t vcpus)
{
	static const struct vmm_ram ram[] = {
		{.gfn = 0, .pages = FAKE_LOW_RAM >> 12},
		{.gfn = FAKE_MID_RAM >> 12, .pages = FAKE_MID_SIZE >> 12},
		{.gfn = FAKE_HIGH_RAM >> 12, .pages = FAKE_HIGH_SIZE >> 12},
	};
	uint64_t *t = (uint64_t *)(TASK_RAM_VADDR + FAKE_TABLES);

	if (fake.ram_count != 3 || memcmp(fake.ram, ram, sizeof(ram)))
		unmap_all(true);
	memset(&fake.start, 0, sizeof(fake.start));
	memcpy(fake.ram, ram, sizeof(ram));
	fake.ram_count = 3;
	begin(vcpus);
	/* PML4, PDPT, five PDs of 2 MiB pages */
	t[0] = (FAKE_TABLES + 0x1000) | 7;
	for (unsigned i = 0; i < 5; i++) {
		t[512 + i] = (FAKE_TABLES + 0x2000 + i * 0x1000) | 7;
		for (unsigned n = 0; n < 512; n++)
			t[1024 + i * 512 + n] = ((uint64_t)i << 30 | n << 21) | 0x87;
	}
	fake_long_mode(vmm.vcpu[0]);
}

void fake_module(unsigned n, const void *bytes, uint64_t size)
{
	void *at = (void *)(TASK_MODULE_VADDR + ((uint64_t)n << 32));
	static uint64_t last[2];
	uint64_t room = (size + PAGE - 1) & ~(uint64_t)(PAGE - 1);

	if (last[n])
		munmap(at, last[n]);
	last[n] = 0;
	if (n)
		fake.start.ramdisk_bytes = size;
	else
		fake.start.kernel_bytes = size;
	if (!size)
		return;
	if (mmap(at, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != at)
		die("cannot map a module");
	memcpy(at, bytes, size);
	last[n] = room;
}

void fake_run(struct vcpu *v)
{
	if (setjmp(fake.out) == 0)
		vcpu_main(v);
}

void fake_poke(uint64_t g, const void *bytes, uint64_t n)
{
	void *p = memory_at(gpa(g), n);

	if (!p)
		die("poke outside guest memory");
	memcpy(p, bytes, n);
}

void fake_peek(uint64_t g, void *bytes, uint64_t n)
{
	const void *p = memory_at(gpa(g), n);

	if (!p)
		die("peek outside guest memory");
	memcpy(bytes, p, n);
}

void fake_advance_ns(uint64_t ns)
{
	fake.tsc += ns * (FAKE_TSC_HZ / 1000000000ull);
}

uint64_t fake_take(struct fake_input *in, unsigned bytes)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < bytes && in->left; i++, in->left--)
		v |= (uint64_t)*in->at++ << (8 * i);
	return v;
}

uint64_t fake_take_word(struct fake_input *in)
{
	static const uint64_t edges[] = {0, 1, 7, 0x7ff0, 0x7ff1, 32752, 0xfff, 0x1000, 0x20000, FAKE_LOW_RAM - 1, FAKE_LOW_RAM,
					 FAKE_LOW_RAM - 8, FAKE_MID_RAM, FAKE_MID_RAM + FAKE_MID_SIZE - 4, FAKE_HIGH_RAM,
					 FAKE_HIGH_RAM + FAKE_HIGH_SIZE - 16, FAKE_TABLES, 0xfee00000u, 0xfee00300u, 0xfeffc000u,
					 0xfc000000u, 0xffffffffu, 1ull << 62, INT64_MAX, (uint64_t)INT64_MIN, UINT64_MAX,
					 UINT64_MAX - 7, 0x7fffffffffffull, 0xffff800000000000ull, 4095, 4096, 128};
	uint64_t kind = fake_take(in, 1);

	if (kind < 0x60)
		return kind & 0x3f;
	if (kind < 0xa0)
		return fake_take(in, 3) & (FAKE_LOW_RAM - 1);
	if (kind < 0xc0)
		return edges[kind & 31];
	if (kind < 0xe0)
		return edges[kind & 31] + fake_take(in, 1);
	return fake_take(in, 8);
}

/* ---- the domain manager's side of control hypercalls: of an ordinary domain, unless a test says otherwise ---- */

void control_init(void)
{
}

bool control_allowed(void)
{
	return fake.control_domain;
}

int64_t control_call(struct vcpu *v, uint64_t number, const uint64_t arg[5])
{
	(void)v, (void)number, (void)arg;
	return -XEN_EPERM;
}

/* Calls to the domain manager: refused, unless a test answers them. */
int message_call(struct message *m, seL4_CPtr endpoint, uint64_t label)
{
	(void)endpoint;
	return fake.call ? fake.call(m, label) : -EPERM;
}

int message_call_short(seL4_CPtr endpoint, uint64_t label, unsigned n, const uint64_t word[4])
{
	struct message m;

	message_begin(&m);
	for (unsigned i = 0; i < n; i++)
		message_put(&m, word[i]);
	return message_call(&m, endpoint, label);
}
