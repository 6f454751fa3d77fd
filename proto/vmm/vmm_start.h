/*
 * How a vmm is told what to run: in task_env.data, and in the page of struct vmm_control. The domain manager fills both; the guest's
 * memory it maps itself, in the vmm's address space and in the second-level tables.
 */
#ifndef PROTO_VMM_START_H
#define PROTO_VMM_START_H

#include <stdint.h>

#define VMM_MAX_VCPUS   32
#define VMM_MAX_PORTS   131072u
#define VMM_PORT_BYTES  20u
#define VMM_FOREIGN_BYTES (33u << 10) /* VMM_START_CONTROL: of its heap, for what it knows of pages of other domains */

#define VMM_START_BARE    2u /* built by a toolstack: no modules, no console ring; the first vCPU's state is in struct vmm_control */
#define VMM_START_MSR_RELAXED 4u /* MSRs that there are not read as 0 and take what is written, instead of #GP (xl's msr_relaxed) */
#define VMM_START_CONTROL 1u /* the domain holds the control capability: SIF_INITDOMAIN */

struct vmm_start {
	uint32_t domid;
	uint32_t vcpus;
	uint32_t console_frame_slot;        /* ring page (proto/console), to be mapped at TASK_SHARED_VADDR */
	uint32_t console_notification_slot; /* signal after output */
	uint32_t first_free_slot;           /* of the vmm's CNode: from here its own */
	uint32_t control_frame_slot;        /* struct vmm_control page, to be mapped at TASK_SHARED_VADDR + 4096 */
	uint32_t flags;                     /* VMM_START_* */
	uint32_t peer_slot;
	uint32_t area_slot;                 /* VMM_START_CONTROL: first of the frames of the area for control hypercalls (proto/control) */
	uint32_t ports;                     /* event channels: the domain may have those below; its heap has VMM_PORT_BYTES for each */
	uint64_t kernel_bytes;  /* module 0 of the task */
	uint64_t ramdisk_bytes; /* module 1, 0 if there is none */
	uint8_t uuid[16];
	char cmdline[1024];
};

/* Badge bits of thread 0's notification. Each vCPU thread has the same bits on its own. */
#define VMM_EVENT_TIMER    1ull /* its timer object */
#define VMM_EVENT_KICK     2ull /* another vCPU thread: look at pending interrupts */
#define VMM_EVENT_CONSOLE  4ull /* console ring: input or room */
#define VMM_EVENT_CONTROL  8ull /* struct vmm_control changed */
#define VMM_EVENT_PEER_SHIFT 16 /* bit 16 + i % 48: peer i has sent (proto/vmm/vmm_pair.h) */
#define VMM_EVENT_PEER_BITS  48

/*
 * Peers: domains that this one has event channels with. Peer i's page is at VMM_PEER_VADDR + i * 4096, and the capability that signals its vmm in slot
 * vmm_start.peer_slot + i; the domain manager puts both there when a channel is bound.
 */
#define VMM_PEERS      256u
#define VMM_PEER_VADDR (TASK_SHARED_VADDR + 0x1000000ull)

/* Bits of vmm_control.request. */
#define VMM_REQUEST_POWER 1u /* the power button: the guest is asked to shut down */
#define VMM_REQUEST_DOM_EXC 4u /* domain 0: a domain has shut down, or is gone (VIRQ_DOM_EXC) */
#define VMM_REQUEST_NMI 8u   /* one for each vCPU in vmm_control.nmi */
#define VMM_REQUEST_RESUME 16u /* it had shut down, and goes on */
#define VMM_REQUEST_PORTS 2u /* event channels changed: DOMAIN_VMM_EVTCHN_CHANGED tells which */

/*
 * A vCPU's state, for a toolstack: VMM_CONTEXT_BYTES for each vCPU from VMM_CONTEXT_VADDR on; the domain manager has put them there when it first sets vmm_control.hold to the number of a
 * request. Then each vCPU's thread fills its own, stores the number in `done`, and does not go on with its guest until hold is 0. The domain manager wakes them for both.
 * They are there from the start in a restored domain (vmm_control.restored): then its vCPUs begin with what they are to load.
 */
#define VMM_CONTEXT_VADDR (TASK_SHARED_VADDR + 0x1200000ull)
#define VMM_CONTEXT_BYTES 8192u

/* Bits of vmm_context.load: before the vCPU goes on, it takes what the domain manager has put there. */
#define VMM_LOAD_CPU	    1u
#define VMM_LOAD_LAPIC	    2u /* with both records */
#define VMM_LOAD_PAT	    4u
#define VMM_LOAD_XSAVE	    8u
#define VMM_LOAD_VMCE	    16u
#define VMM_LOAD_TSC_ADJUST 32u
#define VMM_LOAD_FPU	    64u	 /* of the CPU record, where there is no XSAVE area */
#define VMM_LOAD_TSC	    128u /* of the CPU record: what the guest's TSC was at hold_tsc, or is at the start */
#define VMM_LOAD_EVENT	    256u /* of the CPU record: one that was on its way to the guest */
#define VMM_XSAVE_BYTES	    2752u

struct vmm_context {
	uint32_t done;
	uint32_t offline; /* it waits to be started: it has no state */
	uint32_t load;
	uint32_t xsave_bytes; /* of xsave; 0: it has not set XCR0, or has none */
	uint64_t pat;
	uint64_t tsc_adjust;
	uint64_t xcr0, xcr0_all; /* what XCR0 is, and all that it has been */
	uint8_t vmce[32];   /* Xen's records (xen/include/public/arch-x86/hvm/save.h) without their descriptors */
	uint8_t lapic[24];
	uint8_t cpu[1040];
	uint8_t lapic_regs[1024];
	uint8_t xsave[VMM_XSAVE_BYTES]; /* an area in standard form, with the components of xcr0_all */
};
_Static_assert(sizeof(struct vmm_context) <= VMM_CONTEXT_BYTES, "two pages");

/* Shared with the domain manager, who owns the page. Each side reads the other's words once and trusts nothing. */
struct vmm_ram {
	uint64_t gfn, pages;
};
#define VMM_RAM_MAX    64u
#define VMM_PARAMS     64u /* Xen's HVM parameters */
#define VMM_CPU_BYTES  1040u /* Xen's HVM CPU record, without its descriptor */

/* What EVTCHNOP_status tells of a port that is its domain's own affair, for the first ones. */
#define VMM_PORTS_TOLD 512u
struct vmm_port {
	uint8_t vcpu;
	uint8_t kind; /* 0: nothing; VMM_PORT_IPI; VMM_PORT_VIRQ + its number */
};
#define VMM_PORT_IPI  1u
#define VMM_PORT_VIRQ 32u

struct vmm_control {
	uint32_t request;  /* dm to vmm: VMM_REQUEST_*, taken by exchange with 0 */
	uint32_t state;    /* vmm to dm: bit i: vCPU i is blocked (information only) */
	uint32_t online;   /* vmm to dm: bit i: vCPU i is up (information only) */
	uint32_t ram_count; /* filled before it starts, as is all that follows of a domain that a toolstack built */
	uint32_t cpu_bytes;             /* of cpu, 0: none was set */
	uint32_t first_port;            /* ports below are taken: DOMAIN_VMM_EVTCHN_CHANGED tells them */
	uint32_t demand;                /* not 0: some of ram is there only when DOMAIN_VMM_NEED has asked for it */
	uint32_t hold;                  /* dm to vmm: struct vmm_context */
	uint32_t restored;              /* not 0: struct vmm_context says how its vCPUs begin, not `cpu` */
	uint64_t hold_tsc;              /* dm to vmm, before hold: the moment of which the state is told */
	uint32_t nmi;                   /* dm to vmm: vCPUs to get an NMI, taken by exchange with 0 */
	uint32_t ports;                 /* vmm to dm: ports below were in use once (information only) */
	struct vmm_ram ram[VMM_RAM_MAX]; /* mapped at TASK_RAM_VADDR and in the second-level tables; ascending */
	uint64_t param[VMM_PARAMS];
	uint8_t cpu[VMM_CPU_BYTES];
	struct vmm_port port[VMM_PORTS_TOLD]; /* vmm to dm: information only */
};
_Static_assert(sizeof(struct vmm_control) <= 4096, "a page");

#endif
