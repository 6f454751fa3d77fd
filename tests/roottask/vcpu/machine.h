/* One virtual machine: guest memory, an EPT root, a vCPU with its state page, bound to the first thread. */
#ifndef MACHINE_H
#define MACHINE_H

#include "guest.h"
#include "runtime.h"

struct machine {
	uint64_t vcpu, ept, state_frame, notification, timer;
	volatile struct insula_vcpu_state *s;
	uint8_t *memory[GUEST_PAGES]; /* guest-physical pages from 0 on */
	uint64_t frames[GUEST_PAGES]; /* the capabilities that are mapped in the EPT */
};
extern struct machine machine;

#define GPR(m, r) ((m)->s->gpr[INSULA_##r])

void machine_make(void);
/* Guest memory as a word. */
uint64_t *machine_word(uint64_t gpa);

/* All of the guest's registers, ready to run `program`: real mode, or 64-bit mode with its first GiB mapped
 * one to one. */
void machine_real(const char *program);
void machine_long(const char *program);
/* 32-bit protected mode without paging, flat segments of this privilege. */
void machine_protected(const char *program, unsigned privilege);
/* A gate of the real-mode or 64-bit IDT. */
void machine_real_gate(unsigned vector, const char *handler);
void machine_long_gate(unsigned vector, const char *handler);

/* Bochs's SVM: a few things fail there (tests/system/test_bochs.py has the list). */
bool machine_bochs_svm(void);
/* QEMU's TCG: it has neither INT1 nor #AC, and INT3 is no exit. */
bool machine_tcg(void);
/* The timer's signal ends the turn of whatever runs then. */
void machine_timer(uint64_t ticks);

/* VMEnter. Returns RSI; the badge is in machine_badge. */
uint64_t machine_enter(void);
extern uint64_t machine_badge;
/* Enters and checks that it came out with this reason. */
void machine_expect(uint64_t reason);
/* Enters with this event. */
void machine_inject(uint64_t event, uint64_t error);
#define EVENT(type, vector) (0x80000000u | (type) << 8 | (vector))

uint64_t machine_read(uint64_t field);
uint64_t machine_write(uint64_t field, uint64_t value);

/* Cases by subject. */
void case_exits(void);
void case_events(void);
void case_objects(void);
void case_cpus(void);
void case_frames(void);
void case_hostile(void);

#endif
