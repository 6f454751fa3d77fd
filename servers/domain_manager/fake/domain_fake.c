/* Host tests only: of the domain manager and what it calls, what has nothing to do with memory and grants. */
#include "servers/domain_manager/fake/domain_fake.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "sel4/sel4.h"
#include "servers/domain_manager/console_call.h"
#include "servers/domain_manager/control_policy.h"
#include "servers/domain_manager/domain_private.h"
#include "servers/domain_manager/evtchn.h"
#include "servers/domain_manager/grant.h"
#include "servers/domain_manager/root_call.h"
#include "user/log.h"

seL4_Error seL4_TCB_Suspend(seL4_CPtr tcb)
{
	(void)tcb;
	return seL4_NoError;
}

void (*domain_fake_gone)(const struct domain *d);

void domain_release(struct domain *d)
{
	assert_int_equal(d->map.foreign_elsewhere, 0);
	while (!grant_release(d))
		;
	physmap_release(&d->map);
	assert_int_equal(root_account_free(d->account), 0);
	d->gone = true;
	grant_end(d);
	physmap_end(&d->map);
	if (domain_fake_gone)
		domain_fake_gone(d);
	d->used = false;
}

void domain_unplace(struct domain *d)
{
	(void)d;
}

void domain_exception(void)
{
}

int domain_create(const struct domain_spec *spec, uint32_t *id)
{
	(void)spec, (void)id;
	return -ENOMEM;
}

int console_close(uint32_t client)
{
	(void)client;
	return 0;
}

int root_machine_end(uint64_t how)
{
	(void)how;
	return 0;
}

void log_line(const char *format, ...)
{
	(void)format;
}

int policy_words(const struct domain *d, uint64_t first, uint64_t *reply, unsigned *reply_length)
{
	(void)d, (void)first, (void)reply, (void)reply_length;
	return -ENOENT;
}

/* evtchn_test looks at these. */
int evtchn_unbound(struct domain *d, uint32_t port, uint32_t remote)
{
	(void)d, (void)port, (void)remote;
	return -EINVAL;
}

int evtchn_bind(struct domain *d, uint32_t port, uint32_t remote, uint32_t remote_port, struct evtchn_bound *out)
{
	(void)d, (void)port, (void)remote, (void)remote_port, (void)out;
	return -ESRCH;
}

void evtchn_close(struct domain *d, uint32_t port)
{
	(void)d, (void)port;
}

int evtchn_changed(struct domain *d, struct evtchn_bound *out)
{
	(void)d, (void)out;
	return -ENOENT;
}

void evtchn_domain_gone(struct domain *d)
{
	(void)d;
}
