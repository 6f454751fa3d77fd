/* See sched_fake.h. */
#include "sched/sched_fake.h"
#include "ipc/message.h"

struct tcb *a, *b, *c;

int sched_fake_setup(void **state)
{
	(void)state;
	sim_reset();
	a = sim_thread(A, 100);
	b = sim_thread(B, 100);
	c = sim_thread(C, 100);
	sim_endpoint(EP);
	sim_reply(REPLY);
	sim_notification(NTFN);
	sim_notification(NTFN2);
	sim_slot(CONTROL)->cap = cap_of_type(CAP_SCHED_CONTROL);
	return 0;
}

word_t sched_fake_configure(struct tcb *t, unsigned sc, word_t budget, word_t period, word_t extra,
			    word_t flags)
{
	return sim_invoke(t, CONTROL, SchedControlConfigureFlags, 1, (unsigned[]){sc}, 5,
			  (word_t[]){budget, period, extra, 7, flags});
}
