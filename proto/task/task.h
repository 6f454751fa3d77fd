/*
 * What every process of Insula finds when it starts: its capabilities' slots, its address space, and
 * the environment page. Made by root (servers/root/task.c); read by the runtime (user/).
 *
 * CSpace: one CNode, guard so that a CPtr is a slot number. Thread 0 starts at the ELF entry with
 * RDI = TASK_ENV_VADDR, RSP = TASK_STACK_TOP; the other threads are started by the process itself (TCB_WriteRegisters).
 */
#ifndef PROTO_TASK_H
#define PROTO_TASK_H

#include <stdint.h>

#define TASK_MAX_THREADS 32

enum task_slot {
	TASK_SLOT_NULL = 0,
	TASK_SLOT_CNODE = 1,       /* own CNode */
	TASK_SLOT_VSPACE = 2,
	TASK_SLOT_ROOT = 3,        /* endpoint of root, badge = task id; call only; null in tasks that are not root's own servers */
	TASK_SLOT_UNTYPED = 4,     /* for the process's own objects and tables; size in the environment; may be null */
	TASK_SLOT_SERVICE = 5,     /* endpoint that the process serves (receive), if it is a server */
	TASK_SLOT_CONSOLE = 6,     /* the console's endpoint, if it may call it */
	TASK_SLOT_DOMAINS = 7,     /* the domain manager's endpoint, if it may call it */
	TASK_SLOT_EPT_ROOT = 8,    /* vmm: EPT PML4 with an ASID */
	TASK_SLOT_IRQ_CONTROL = 9, /* root only hands out handlers: always null now */
	TASK_SLOT_SPECIAL = 10,    /* 10..15: by process, see its README */
	TASK_SLOT_TCB = 16,        /* + thread */
	TASK_SLOT_SC = 48,         /* + thread */
	TASK_SLOT_REPLY = 80,      /* + thread */
	TASK_SLOT_NOTIFICATION = 112, /* + thread; bound to the thread's TCB; full rights */
	TASK_SLOT_FREE = 144,      /* from here the process's own */
};

/* Address space */
#define TASK_IMAGE_VADDR 0x0000000000400000ull
#define TASK_ENV_VADDR   0x0000000000200000ull
#define TASK_IPC_VADDR   0x0000000000210000ull /* + thread * 4096 */
#define TASK_STACK_TOP   0x00000000003f0000ull /* of thread 0: 64 KiB, unmapped page below; other stacks are the process's own */
#define TASK_HEAP_VADDR  0x0000001000000000ull /* grows by root's frames; env->heap_bytes are mapped at the start */
#define TASK_THREAD_VADDR 0x0000001800000000ull /* stacks of the other threads, the runtime's (user/thread.h) */
#define TASK_SHARED_VADDR 0x0000002000000000ull /* rings and pages shared with other processes */
#define TASK_MODULE_VADDR 0x0000003000000000ull /* boot modules, read-only, 4 GiB apart */
#define TASK_RAM_VADDR   0x0000100000000000ull /* vmm: guest-physical address g is at TASK_RAM_VADDR + g */

#define TASK_ENV_MAGIC 0x496e73756c615631ull

struct task_env {
	uint64_t magic;
	uint64_t task_id;
	uint64_t tsc_hz;
	uint64_t wall_ns_at_tsc0; /* Unix time in ns when the TSC was 0 (from the RTC at boot); 0 if unknown */
	uint64_t heap_bytes;      /* zeroed memory at TASK_HEAP_VADDR for malloc */
	uint32_t cnode_bits;
	uint32_t untyped_bits;    /* of TASK_SLOT_UNTYPED, 0 if none */
	uint32_t thread_count;
	uint32_t virt;            /* enum insula_virt */
	uint32_t virt_features;
	uint32_t cpu_count;
	char name[32];
	char argument[1024];      /* by process: command line words */
	uint8_t data[2048];       /* by process: see its start protocol (vmm: struct vmm_start) */
};
_Static_assert(sizeof(struct task_env) <= 4096, "environment page");

#endif
