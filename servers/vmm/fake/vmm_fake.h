/*
 * Everything below the vmm, for host tests and fuzzers: kernel objects, mappings, clock, CPUID, the threads that are not there.
 * The vmm's own files run unchanged on top. One domain at a time; fake_start makes a fresh one.
 *
 * Guest memory: host pages at TASK_RAM_VADDR + gpa, exactly as in the real process, with real holes: a byte touched beside them
 * is a segmentation fault. RAM: [0, 256 KiB), [1 MiB, 1 MiB + 64 KiB), [4 GiB, 4 GiB + 16 KiB), or what the test says.
 */
#ifndef VMM_FAKE_H
#define VMM_FAKE_H

#include <setjmp.h>
#include "sel4/sel4.h"
#include "servers/vmm/vmm.h"
#include "user/message.h"

#define FAKE_LOW_RAM  (256u << 10)
#define FAKE_MID_RAM  (1ull << 20)
#define FAKE_MID_SIZE (64u << 10)
#define FAKE_HIGH_RAM (1ull << 32)
#define FAKE_HIGH_SIZE (16u << 10)
#define FAKE_TSC_HZ   2000000000ull

struct fake {
	uint64_t tsc;
	uint64_t object_limit; /* objects that may still be made */
	unsigned lines;        /* logged */
	char line[256];
	unsigned signals;      /* seL4_Signal, all */
	unsigned thread;       /* the calling one: of the vCPU of that number */
	unsigned yields;
	unsigned pause_loops;  /* vCPUs that exit from a loop of PAUSEs */
	uint64_t timer_tsc;    /* armed deadline of vCPU 0's timer, UINT64_MAX none */
	unsigned shutdowns, reason;
	unsigned frames_mapped; /* in the EPT */
	unsigned steps;		/* single steps that the guest is told of */
	uint64_t pdpte[4];
	bool intel;            /* the CPU that CPUID describes */
	bool no_xsave;
	uint32_t ports;        /* event channels of the next domain; 0: 4096 */
	int (*call)(struct message *m, uint64_t label); /* of message_call; NULL: -EPERM */
	bool control_domain;   /* holds the control capability */
	/* called by seL4_VMEnter and by seL4_Wait on a vCPU's notification; NULL: leaves through `out` */
	seL4_Word (*enter)(seL4_Word *badge);
	void (*wait)(seL4_Word *badge);
	jmp_buf out;
	struct vmm_start start;
	struct vmm_control control;
	uint32_t ram_count;    /* RAM of the next domain */
	struct vmm_ram ram[4];
};
extern struct fake fake;

/* A domain of `vcpus`, vCPU 0 in 64-bit mode at CPL 0 with the low 4 GiB + 16 KiB mapped one to one (4-level tables at
 * FAKE_TABLES), the other vCPUs offline. */
#define FAKE_TABLES 0x30000u
void fake_start(uint32_t vcpus);
/* The same with RAM as in fake.ram, no tables: for the loader. */
void fake_start_bare(uint32_t vcpus);
/* Host memory standing for a boot module; freed by the next start. */
void fake_module(unsigned n, const void *bytes, uint64_t size);
/* The vCPU thread's loop, until it would wait or enter with no hook set. */
void fake_run(struct vcpu *v);
/* 64-bit state as above for any vCPU. */
void fake_long_mode(struct vcpu *v);
/* Guest memory, which must be there. */
void fake_poke(uint64_t g, const void *bytes, uint64_t n);
void fake_peek(uint64_t g, void *bytes, uint64_t n);
void fake_advance_ns(uint64_t ns);

/* ---- bytes of a fuzzer's input, zeros when they are used up ---- */
struct fake_input {
	const uint8_t *at;
	size_t left;
};
uint64_t fake_take(struct fake_input *in, unsigned bytes);
/* A word that is interesting more often than not. */
uint64_t fake_take_word(struct fake_input *in);

#endif
