/* What root told this process at its start: proto/task/task.h. */
#ifndef USER_ENV_H
#define USER_ENV_H

#include "insula/ext.h"
#include "proto/task/task.h"

/* Read-only, always there. */
const struct task_env *env_get(void);

#endif
