/* What root gives the domain manager beyond what every server gets. */
#ifndef PROTO_DOMAIN_START_H
#define PROTO_DOMAIN_START_H

#include "proto/task/task.h"

/* The scheduling control of each CPU, task_env.cpu_count of them. */
#define DOMAIN_SLOT_SCHED_CONTROL TASK_SLOT_FREE

#endif
