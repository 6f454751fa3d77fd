/*
 * One domain: what every file of the vmm shares. The process serves one domain, so `vmm` is one
 * object. A guest may take over this process: then it has what it had before.
 *
 * Threads: one per vCPU, in vcpu_main (vcpu.c); thread i runs vCPU i and only it touches vcpu[i]'s
 * private part. Everything domain-wide (event channels, grant table, HVM parameters, memory map, console)
 * is under vmm_lock(). Interrupts between vCPUs: apic/ and vcpu_kick().
 */
#ifndef VMM_H
#define VMM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "insula/ext.h"
#include "proto/vmm/vmm_start.h"
#include "proto/task/task.h"
#include "servers/vmm/apic/lapic.h"
#include "servers/vmm/cpu_hw.h"
#include "servers/vmm/x86.h"
#include "insn/insn.h"
#include "pvclock/pvclock.h"

typedef struct {
	uint64_t v;
} gpa_t; /* guest-physical */
typedef struct {
	uint64_t v;
} gva_t; /* guest-virtual (linear) */

static inline gpa_t gpa(uint64_t v)
{
	return (gpa_t){v};
}
static inline gva_t gva(uint64_t v)
{
	return (gva_t){v};
}

#define PAGE 4096u

/* An exception that an access of the guest's raises; vector 0: none. */
struct guest_fault {
	uint8_t vector;
	uint32_t error;
	uint64_t address; /* of a page fault: CR2 */
};

/* Ways to pages of the guest's that are remembered (path.h). */
#define FETCH_PATHS 4
#define DATA_PATHS  16 /* a power of two */
struct guest_path {
	uint64_t key; /* linear address of the page, and enum guest_access; 0: none */
	uint64_t cr0, cr3, cr4, efer;
	bool user;
	uint8_t levels;
	uint32_t removed; /* vmm.pages_removed when it was found */
	const uint64_t *entry[5];
	uint64_t value[5];
	uint8_t *memory;
	uint64_t hypercall; /* during which it was looked at last */
};

enum vcpu_run_state {
	VCPU_OFFLINE,  /* never started, or in INIT: waits for SIPI */
	VCPU_RUNNING,
	VCPU_HALTED,   /* HLT or SCHEDOP_block: waits for an interrupt */
	VCPU_POLLING,  /* SCHEDOP_poll: waits for one of its ports, a timeout, or an interrupt */
};

/* Guest memory named once by a guest-virtual address, perhaps across two pages. */
struct guest_area {
	uint8_t *part[2]; /* NULL: none */
	uint32_t first;   /* bytes in part[0] */
	uint32_t size;
};

#define VMM_WATCHDOGS 2u /* Xen's number for a domain */

struct vcpu {
	uint32_t id;
	enum vcpu_run_state run;
	bool down; /* VCPUOP_down: it does not go on before VCPUOP_up, or a start. Atomic */
	struct insula_vcpu_state *s; /* the state page; of a running vCPU, only its own thread's */
	uint64_t slot_vcpu, slot_timer, slot_notification, slot_kick;

	struct lapic lapic;
	bool nmi_pending;
	bool init_pending, sipi_pending;
	bool fresh;                 /* it waits for SIPI in the state after INIT, and did not just halt for good */
	uint8_t sipi_vector;

	/* event to be put in again at the next entry (delivery was interrupted), or an exception to be raised */
	uint32_t inject_info, inject_error, inject_length;
	bool step_pending; /* the guest traces itself: a single step comes first at the next entry */
	struct guest_path fetch_path[FETCH_PATHS], data_path[DATA_PATHS];
	uint64_t hypercalls, hypercall; /* how many there were; the number of the one that it is in, or 0 */

	/* Xen */
	uint8_t upcall_vector;      /* HVMOP_set_evtchn_upcall_vector; 0: the domain's callback */
	bool callback_pending;      /* domain's callback vector is asserted (HVM_PARAM_CALLBACK_IRQ, type vector) */
	void *vcpu_info;            /* struct vcpu_info: in the shared page, in guest memory once registered */
	bool vcpu_info_registered;
	struct guest_area runstate;  /* struct vcpu_runstate_info */
	struct guest_area time_area; /* secondary vcpu_time_info */
	uint64_t singleshot_ns;     /* system time of the armed singleshot timer; UINT64_MAX none */
	uint64_t periodic_ns, periodic_next_ns;
	uint64_t watchdog_ns[VMM_WATCHDOGS]; /* when a watchdog of the domain that this vCPU has set runs out; UINT64_MAX none */
	uint32_t poll_count;
	uint32_t poll_ports[128];
	uint64_t poll_timeout_ns;
	bool poll_holds_back; /* an interrupt that it did not take was pending when it began: it waits all the same */
	uint32_t virq_port[24];     /* 0: unbound */
	uint64_t runstate_entry_ns, runstate_time[4];
	uint64_t ran_tsc, ran_ticks; /* until then, all time that it was not given is accounted: TSC, state page's used_ticks */
	uint32_t runstate_now;

	uint64_t tsc_adjust;        /* IA32_TSC_ADJUST */
	uint64_t xcr0_accum;        /* all that XCR0 has held, as far as it was seen */
	uint64_t vmce[4];           /* machine-check capabilities, MCi_CTL2 of the first two banks, MCG_EXT_CTL: not zero in a domain that Xen has saved */
	uint64_t missed;            /* what it was signalled for while the domain had ended: done if that goes on */
	uint32_t parked;            /* vmm.lives when it last left its guest because the domain had ended */

	/* timers: earliest of all, armed in the timer object */
	uint64_t armed_tsc;

	/* exits, for the monitor and the benchmarks */
	uint64_t exits;
};

struct vmm {
	uint32_t domid;
	uint32_t vcpu_count;
	uint64_t ram_bytes;
	struct vcpu *vcpu[VMM_MAX_VCPUS];
	const struct vmm_start *start;
	struct vmm_control *control;
	bool is_amd;               /* of the machine: VMMCALL, AMD CPUID */
	bool shared_info_32;       /* the shared page has the 32-bit ABI's layout (shared_info_latch) */

	/* time: system time 0 is the TSC value at the domain's start */
	uint64_t tsc_hz, tsc_start, wall_ns_start;
	struct pvclock_scale clock;

	uint32_t pages_removed; /* by memory_remove_page */
	uint8_t watchdogs;      /* bits: those of SCHEDOP_watchdog that are in use, under vmm_lock */

	/* shutting down: every vCPU thread parks; the domain manager is told when all have */
	bool ended;
	uint32_t parked, lives; /* under vmm_lock */
	uint32_t reason;
};
extern struct vmm vmm;

/* ---- context.c ---- */
/* If the toolstack looks at the domain: tells this vCPU's state, and waits until it is done. */
void context_hold(struct vcpu *v);
/* Of a restored domain, before any vCPU runs: it begins as the toolstack has said. False: with no state of its CPU. */
bool context_start(struct vcpu *v);

/* ---- lock.c: a mutex between vCPU threads; never held across VMEnter or a wait ---- */
/* Zero at first. vmm_mutex_init ends the vmm where there is no memory for it. */
struct vmm_mutex {
	uint32_t word;
	uint64_t waiters;
};
void vmm_mutex_init(struct vmm_mutex *m);
void vmm_mutex_take(struct vmm_mutex *m);
void vmm_mutex_release(struct vmm_mutex *m);

void vmm_lock_init(void);
void vmm_lock(void);
void vmm_unlock(void);

/* ---- memory.c: guest-physical memory as this process sees it ---- */
void memory_init(void);
/*
 * The address of guest-physical [g, g + bytes), or NULL if any byte of it is not memory of this domain. Pages that come on demand come for it.
 * The range may not cross from RAM into a separately placed page. Valid for ever: where a page was taken away, something else is in its place.
 */
void *memory_at(gpa_t g, uint64_t bytes);
/* Places a zeroed page of the vmm's own at guest-physical g outside RAM (special pages, grant-table frames). NULL if
 * there is RAM, a page already, or no memory. */
void *memory_place_page(gpa_t g);
/* The domain manager has put a page of the domain's at g, outside RAM, where nothing was. False: too many. */
bool memory_add_page(gpa_t g);
/* One that either of the two has put there is not the guest's any more. One of the vmm's own is kept for when it is wanted at g again. Under vmm_lock, as these. */
void memory_remove_page(gpa_t g);
/* The domain manager has made a page of RAM at g on the guest's demand, where RAM may not have been before. False: at too many places. */
bool memory_add_ram(gpa_t g);
/* The guest found nothing at g: a page of its memory that comes on demand is there now, and what it did can be done again. */
bool memory_demand(gpa_t g);
bool memory_is_ram(gpa_t g);
uint64_t memory_ram_bytes(void);
/* RAM as runs [gpa, gpa + *bytes), ascending; of n < memory_runs(). */
unsigned memory_runs(void);
gpa_t memory_run(unsigned n, uint64_t *bytes);
/* Where the last RAM ends. */
gpa_t memory_end(void);
/* Copies that never fault: false if any byte is outside. Guest memory is read once by each call. */
bool memory_read(gpa_t g, void *dst, uint64_t bytes);
bool memory_write(gpa_t g, const void *src, uint64_t bytes);

/* ---- guest.c: guest-virtual memory, with the vCPU's current paging mode (from its state page) ---- */
/* False: not mapped so; nothing is injected. *error: the page fault's error code, or WALK_NOT_CANONICAL. */
bool walk(struct vcpu *v, gva_t a, bool write, gpa_t *out, uint32_t *error);
/* Copies across pages; false (and how much was copied is unspecified) at the first hole. */
bool guest_read(struct vcpu *v, gva_t a, void *dst, uint64_t bytes);
bool guest_write(struct vcpu *v, gva_t a, const void *src, uint64_t bytes);
/* Resolves an area for later writes; false if it is not guest memory. Size up to a page. */
bool guest_area_set(struct vcpu *v, struct guest_area *a, gva_t at, uint32_t size);
void guest_area_write(const struct guest_area *a, uint32_t offset, const void *src, uint32_t bytes);
/* 64-bit code segment? Its hidden part decides, but only in long mode. */
static inline bool guest_is_64bit(const struct vcpu *v)
{
	return (v->s->efer & EFER_LMA) && (v->s->seg[INSULA_CS].ar & CS_LONG);
}

/* ---- fetch.c: the guest's instructions ---- */
/* Mode of the code segment. */
enum insn_mode guest_mode(const struct vcpu *v);
/*
 * Up to 15 bytes of the instruction at RIP; returns how many could be read. If fewer: what the fetch of the next one raises, or
 * vector 0 if there is no memory.
 */
unsigned guest_fetch(struct vcpu *v, uint8_t bytes[16], struct guest_fault *fault);
/* In 64-bit code: is there a VMCALL or VMMCALL at RIP, without prefixes? Else, or if it cannot be fetched at once, nothing is said. */
bool guest_at_vmcall(struct vcpu *v);
/* The instruction at RIP. False: there is none that we know, or not all of it can be fetched: #UD, #PF or #GP was raised. */
bool guest_instruction(struct vcpu *v, struct insn *in);

/* ---- vcpu_start.c: how a vCPU begins ---- */
void vcpu_create(uint32_t id);
/* Its state after INIT, but for what is the LAPIC's. */
void vcpu_reset(struct vcpu *v);
/* The state after v->sipi_vector came: real mode. */
void vcpu_start_sipi(struct vcpu *v);
struct load_result;
/* vCPU 0 begins at the loaded kernel's PVH entry. */
void vcpu_start_boot(struct vcpu *v, const struct load_result *l);
/* vCPU 0 begins as the toolstack says. False: it does not say how. */
bool vcpu_start_record(struct vcpu *v, const uint8_t *record, uint32_t bytes);
/* A running vCPU goes on from here. */
void vcpu_load_record(struct vcpu *v, const uint8_t *record, uint32_t bytes);

/* ---- vcpu.c ---- */
/* Starts vCPU 0 on the calling thread: never returns. */
void vcpu_main(struct vcpu *v);
/* A vCPU starts to run, or will not before it is started again: the domain manager can see it. Own thread with vmm_lock, or before any runs. */
void vcpu_set_online(struct vcpu *v, bool online);
/* One that has been started stops where it is, or goes on from there: the domain manager can see it. With vmm_lock; does not wake it. */
void vcpu_set_down(struct vcpu *v, bool down);
/* It runs, or would without its wait for an interrupt. Any thread. */
bool vcpu_is_up(const struct vcpu *v);
/* Makes a vCPU look at what is pending for it (any thread). */
void vcpu_kick(struct vcpu *v);
/* The same, where that is an interrupt, an NMI, an upcall or a port that it polls: its own thread looks at these before it enters the guest or waits, and needs no signal. */
void vcpu_wake(struct vcpu *v);
/* An interrupt is pending, but the guest takes none now. Of its own thread. */
bool vcpu_holds_back(const struct vcpu *v);
/* What the notification of its thread was signalled for; kept until the domain goes on, if it has ended. Of its own thread. */
void vcpu_events(struct vcpu *v, uint64_t badge);
void vcpu_raise(struct vcpu *v, uint8_t vector, bool has_error, uint32_t error); /* an exception at the next entry */
/* An event that was being delivered when the guest was left is delivered at the next entry. length: of the instruction that raised it, if one did. */
void vcpu_deliver_again(struct vcpu *v, uint32_t length);
/* Advances RIP past the exiting instruction: its length from the exit, or decoded. False: an exception was raised (guest_instruction). */
bool vcpu_skip(struct vcpu *v);
/* The instruction at RIP, of so many bytes, is done; 0: one iteration of a repeated one. */
void vcpu_advance(struct vcpu *v, unsigned length);
/* Base of ES, DS, FS or GS, which exits do not carry: asked of the kernel. Own thread only. */
uint64_t vcpu_segment_base(const struct vcpu *v, unsigned segment);
static inline uint64_t vcpu_gpr(const struct vcpu *v, enum insula_gpr r)
{
	return v->s->gpr[r];
}
static inline void vcpu_set_gpr(struct vcpu *v, enum insula_gpr r, uint64_t value)
{
	v->s->gpr[r] = value;
	v->s->dirty |= INSULA_VS_GPR;
}
/* The guest ended, or broke a rule that kills it. `reason` is SHUTDOWN_*. Does not return to the guest: the caller returns to the loop. */
void vmm_shutdown(unsigned reason, const char *why);

/* Does what a LAPIC access asked for: IPIs, timer. */
void vcpu_apic_action(struct vcpu *v, struct lapic_action a);

/* ---- timer.c: all of a vCPU's deadlines on one timer object ---- */
uint64_t time_system_ns(void);           /* system time of this domain now */
void timer_update(struct vcpu *v);       /* own thread only: recomputes and arms the earliest deadline */
void timer_expired(struct vcpu *v);      /* own thread: its timer object signalled */

/* ---- exit.c and what it dispatches to ---- */
void exit_handle(struct vcpu *v);
void cpuid_init(void);
void cpuid_exit(struct vcpu *v);
/* What XCR0 may hold in this domain. */
uint64_t cpuid_xcr0_mask(void);
/* Bytes of an XSAVE area in standard form, with those of these components that it may hold. */
uint32_t cpuid_xsave_bytes(uint64_t components);
/* The bits of CR4 that go with what CPUID offers. */
uint64_t cpuid_cr4_mask(void);
/* Bits of EFER that the guest may set. */
uint64_t cpuid_efer_mask(void);
void msr_read_exit(struct vcpu *v);
void msr_write_exit(struct vcpu *v);
void io_exit(struct vcpu *v);
void cr_exit(struct vcpu *v);
void ept_exit(struct vcpu *v);           /* MMIO emulation (mmio.c) or a guest error */

/* ---- load: kernel, ramdisk, start_info, memory map, ACPI ---- */
struct load_result {
	uint32_t entry;      /* 32-bit physical entry */
	uint64_t start_info; /* guest-physical */
};
/* 0 or a negative errno with one plain line in `why`. */
int load_guest(struct load_result *out, char *why, size_t why_size);

/* ---- main.c ---- */
/* The domain manager changed struct vmm_control. */
void control_service(void);
/* This vCPU's thread has left its guest after the domain ended. */
void vmm_parked(struct vcpu *v);
/* If the toolstack lets the domain go on after all. */
void vmm_resume(void);

/* ---- console.c: the PV console ring <-> the console server ---- */
void console_init(void);
/* Guest rang the console's port, or the server signalled: move bytes both ways (under vmm_lock). */
void console_service(void);
/* console_io hypercall and port 0xe9. Returns how many were taken. */
uint32_t console_write(const char *text, uint32_t n);
uint32_t console_read(char *text, uint32_t n);
/* Puts text into the guest's console as if typed; false if its ring has no room for all of it. Under vmm_lock. */
bool console_type(const char *text, uint32_t n);

/* ---- xen/: the hypercall ABI. xen.h declares its parts. ---- */
void xen_init(void);
void hypercall_exit(struct vcpu *v);
/* Fills the hypercall page at g (MSR write of v's). False: not guest memory. */
bool hypercall_page(const struct vcpu *v, gpa_t g);
/* vector of the domain's callback if asserted for v and none is in service; interrupts: vcpu.c asks after the LAPIC. */
bool xen_callback_take(struct vcpu *v, uint8_t *vector);
bool xen_callback_pending(const struct vcpu *v);
/* Before each entry after having been scheduled out or blocked: time info, runstate. */
void xen_update_time(struct vcpu *v);
enum { XEN_RUNSTATE_RUNNING = 0, XEN_RUNSTATE_RUNNABLE = 1, XEN_RUNSTATE_BLOCKED = 2, XEN_RUNSTATE_OFFLINE = 3 };
/* Own thread: v's runstate changes now; tells the guest if it registered an area. */
void xen_runstate(struct vcpu *v, unsigned state);
/* Own thread, which ran the guest or waits for its turn no more: what it was not given of the time since is RUNNABLE, not RUNNING. */
void xen_runstate_given(struct vcpu *v);
/* Own thread: it was blocked from then on (TSC), and is not now; none of that is time that it was not given. due: when what it waited for
 * came, if that is known; from then on it was RUNNABLE. UINT64_MAX: it is not. */
void xen_runstate_blocked(struct vcpu *v, uint64_t since, uint64_t due);
/* Deadlines of v's Xen timers, in system ns; UINT64_MAX none. Expired ones are delivered by xen_timers_expire. */
uint64_t xen_timers_next(const struct vcpu *v);
void xen_timers_expire(struct vcpu *v, uint64_t now_ns);
/* Is the condition that a POLLING vCPU waits for true? */
bool xen_poll_done(struct vcpu *v);
void evtchn_raise_virq(struct vcpu *v, unsigned virq);
/* Asks the guest to power off, as it can be asked (VIRQ or nothing). Under vmm_lock. */
void xen_power_button(void);
/* What a triple fault ends the domain with: what its toolstack has set, else as a crash. */
unsigned xen_triple_fault_reason(void);
/* The port that the toolstack side of the console listens on was notified by the guest. */
uint32_t xen_console_port(void);
/* Makes the guest's end of the console channel pending. */
void xen_console_notify(void);

#endif
