/*
 * The end of domains: they shut down or crash, and are taken away, by who destroys them or, if Insula itself
 * made them, by domain_work. One that was destroyed stays in the table, dying, until nobody has a page of its
 * mapped any more (Xen's state d).
 */
#include <errno.h>
#include "proto/root/root.h"
#include "sel4/sel4.h"
#include "servers/domain_manager/console_call.h"
#include "servers/domain_manager/domain_end.h"
#include "servers/domain_manager/domain_memory.h"
#include "servers/domain_manager/domain_private.h"
#include "servers/domain_manager/evtchn.h"
#include "servers/domain_manager/grant.h"
#include "servers/domain_manager/root_call.h"
#include "user/log.h"
#include <xen/sched.h>

static bool some_ended; /* since domain_work() last looked */

void domain_ended(struct domain *d, uint32_t reason)
{
	d->ended = some_ended = true;
	d->shutdown_reason = reason;
}

/* None of its vmm's threads runs again: one that its guest has taken over may have given a scheduling context to a thread of its own making. */
static void suspend(const struct domain *d)
{
	for (uint32_t i = 0; i < d->spec.vcpus; i++) {
		(void)seL4_TCB_Suspend(SLOT_THREADS(d) + 3 * i);
		(void)seL4_SchedContext_Unbind(SLOT_THREADS(d) + 3 * i + 1);
	}
}

void domain_crash(struct domain *d, const char *why)
{
	log_line("domain %u (%s) crashed: %s", d->id, d->spec.name, why);
	suspend(d);
	d->stopped = true;
	domain_ended(d, SHUTDOWN_crash);
}

int domain_end(struct domain *d)
{
	if (!d->dying) {
		d->dying = true;
		suspend(d);
		domain_unplace(d);
		if (d->console_open)
			(void)console_close(d->console_client);
		d->console_open = false;
		/* nothing more comes to it: what was kept for that is others' at once */
		d->map.claim = d->map.pod_cache = 0;
		domain_pages_changed(d);
	}
	if (!grant_release(d))
		return -EAGAIN;
	evtchn_domain_gone(d);
	if (d->map.foreign_elsewhere == 0)
		domain_release(d);
	domain_exception();
	return 0;
}

int domain_destroy(uint32_t id)
{
	struct domain *d = domain_find(id);

	if (!d)
		return -ESRCH;
	if (!d->bare && !d->dying)
		log_line("domain %u (%s) is gone", id, d->spec.name);
	return domain_end(d);
}

void domain_foreign_gone(struct domain *d)
{
	if (--d->map.foreign_elsewhere == 0 && d->dying) {
		domain_release(d);
		domain_exception();
	}
}

bool domain_has_work(void)
{
	return some_ended;
}

/* One that Insula itself made: it goes, and comes again if it reboots. */
static void take_away(struct domain *d)
{
	static const char *const how[] = {"powered off", "reboots",  "suspended",
					  "crashed",	 "watchdog", "soft reset"};
	struct domain_spec spec = d->spec;
	bool again = d->shutdown_reason == SHUTDOWN_reboot && d->ready;
	uint32_t id;
	int r;

	if (!d->refused)
		log_line("domain %u (%s) %s", d->id, spec.name, how[d->shutdown_reason]);
	/* domain 0's end is the machine's, but for a kernel that never ran: then the monitor says why */
	if (d->privileged && d->ready)
		(void)root_machine_end(d->shutdown_reason == SHUTDOWN_poweroff ? ROOT_MACHINE_POWER_OFF
									       : ROOT_MACHINE_REBOOT);
	while (domain_end(d) == -EAGAIN)
		;
	r = again ? domain_create(&spec, &id) : 0;
	if (r)
		log_line("domain (%s) cannot be started again: error %d", spec.name, r);
}

void domain_work(void)
{
	if (!some_ended)
		return;
	some_ended = false;
	for (unsigned i = 0; i < DOMAINS_MAX; i++) {
		struct domain *d = domain_row(i);

		if (!d || !d->ended || d->dying)
			continue;
		if (!d->bare) {
			take_away(d);
			continue;
		}
		/* the toolstack decides what becomes of it: it stays, shut down */
		if (!d->told)
			domain_exception();
		d->told = true;
	}
}
