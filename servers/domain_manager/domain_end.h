/*
 * How domains end: they shut down or crash, and are taken away. One that was destroyed stays in the table,
 * dying, until nobody has a page of its mapped any more (Xen's state d).
 */
#ifndef DOMAIN_MANAGER_DOMAIN_END_H
#define DOMAIN_MANAGER_DOMAIN_END_H

#include <stdbool.h>
#include <stdint.h>

struct domain;

/* It has shut down, for one of Xen's reasons (xen/sched.h, SHUTDOWN_*). domain_work does what follows. */
void domain_ended(struct domain *d, uint32_t reason);
/* It is stopped, as crashed; what becomes of it is its toolstack's to say. */
void domain_crash(struct domain *d, const char *why);
/* It is gone, or dying until nobody has a page of its mapped any more. -EAGAIN: a part is done, there is
 * more. */
int domain_end(struct domain *d);
/* The same, of the domain with this id, with a line in the log if Insula itself made it. -ESRCH: there is
 * none. */
int domain_destroy(uint32_t id);
/* One of its pages is not mapped by another domain any more: a dying one may be gone now. */
void domain_foreign_gone(struct domain *d);

/* What shutdowns left to be done once their caller was answered: destroy, restart, tell domain 0. */
bool domain_has_work(void);
void domain_work(void);

#endif
