/*
 * How a vmm is told what to run: in task_env.data. The domain manager fills it. Guest RAM frames are in the
 * vmm's CNode: frame i covers guest-physical [i * 2 MiB (order 21), ...) in the order of `extent`; each extent's frames appear
 * twice, once for the vmm's own address space (slot_vspace + n), once for the EPT (slot_ept + n).
 */
#ifndef PROTO_VMM_START_H
#define PROTO_VMM_START_H

#include <stdint.h>

#define VMM_MAX_EXTENTS 32
#define VMM_MAX_VCPUS   32

#define VMM_START_CONTROL 1u /* the domain holds the control capability: SIF_INITDOMAIN */

struct vmm_extent {
	uint64_t gpa;
	uint32_t count;      /* frames */
	uint32_t order;      /* log2 of a frame's size: 12, 21 or 30 */
	uint32_t slot_vspace; /* first slot of copies for the vmm's VSpace */
	uint32_t slot_ept;    /* first slot of copies for the EPT */
};

struct vmm_start {
	uint32_t domid;
	uint32_t vcpus;
	uint64_t ram_bytes;
	uint32_t extent_count;
	uint32_t console_frame_slot;        /* ring page (proto/console), to be mapped at TASK_SHARED_VADDR */
	uint32_t console_notification_slot; /* signal after output */
	uint32_t first_free_slot;           /* of the vmm's CNode: from here its own */
	uint32_t control_frame_slot;        /* struct vmm_control page, to be mapped at TASK_SHARED_VADDR + 4096 */
	uint32_t flags;                     /* VMM_START_* */
	uint32_t area_slot;                 /* VMM_START_CONTROL: first of the frames of the area for control hypercalls (proto/control) */
	struct vmm_extent extent[VMM_MAX_EXTENTS];
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

/* Bits of vmm_control.request. */
#define VMM_REQUEST_POWER 1u /* the power button: the guest is asked to shut down */

/* Shared with the domain manager, who owns the page. Each side reads the other's words once and trusts nothing. */
struct vmm_control {
	uint32_t request;  /* dm to vmm: VMM_REQUEST_*, taken by exchange with 0 */
	uint32_t state;    /* vmm to dm: bit i: vCPU i is blocked (information only) */
};

#endif
