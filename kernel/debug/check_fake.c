/* For host tests of the walk whose fakes have neither page tables nor a window: nothing to be checked there.
 */
#include "debug/check_private.h"

void check_memory_begin(void)
{
}

void check_memory_frame(const struct cte *slot)
{
	(void)slot;
}

void check_memory_table(const struct cte *slot, bool first)
{
	(void)slot;
	(void)first;
}

void check_memory_thread(const struct tcb *t)
{
	(void)t;
}

void check_memory_end(void)
{
}

void check_window_begin(void)
{
}

void check_window_frame(cap_t cap)
{
	(void)cap;
}

void check_window_held(const void *kv)
{
	(void)kv;
}

void check_window_kernel(paddr_t p, uint64_t bytes)
{
	(void)p;
	(void)bytes;
}

void check_window_end(void)
{
}
