/* Three threads of one priority and what they use, for tests of scheduling on the simulated kernel
 * (api/sim_fake.h). */
#ifndef SCHED_SCHED_FAKE_H
#define SCHED_SCHED_FAKE_H

#include "api/sim_fake.h"

#define US SIM_TICKS_PER_US

/* slots of the root CNode */
enum { A = 1, B, C, SC_A, SC_B, SC_C, EP, REPLY, CONTROL, NTFN, NTFN2, SPARE };

extern struct tcb *a, *b, *c;

/* They are there, and have no scheduling context. For cmocka. */
int sched_fake_setup(void **state);
/* t configures the scheduling context in slot sc, with badge 7. */
word_t sched_fake_configure(struct tcb *t, unsigned sc, word_t budget, word_t period, word_t extra,
			    word_t flags);

#endif
