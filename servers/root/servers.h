/* Root's own servers: which there are, what each is given, their start. */
#ifndef ROOT_SERVERS_H
#define ROOT_SERVERS_H

#include "servers/root/bootinfo.h"

struct task;

/* Makes and starts all; a line for one that cannot be. True if all run. */
bool servers_start(const struct bootinfo *b);

/* May it end the machine, make accounts and tasks? */
bool servers_may_end_machine(const struct task *t);
bool servers_may_make_tasks(const struct task *t);

#endif
