/* Host tests only: the address space of proto/task/task.h, moved to where the address sanitizer leaves memory to programs. */
#ifndef FAKE_TASK_H
#define FAKE_TASK_H

#include_next "proto/task/task.h"

#undef TASK_SHARED_VADDR
#define TASK_SHARED_VADDR 0x0000200000000000ull

#endif
