/* Between task.c, which has the table, and task_create.c. */
#ifndef ROOT_TASK_CREATE_H
#define ROOT_TASK_CREATE_H

#include "servers/root/task.h"

/* A place in the table, with an id; NULL: it is full. task_drop releases root's slots. */
struct task *task_take(void);
void task_drop(struct task *t);
/* As task_map, but the capability stays in root's slot. */
int task_map_frame(struct task *t, seL4_CPtr frame, uint64_t vaddr, seL4_CapRights_t rights, seL4_Word attributes);
/* Moves a capability from root's slot to the task's store of what is mapped. */
bool task_keep_cap(struct task *t, seL4_CPtr slot);

#endif
