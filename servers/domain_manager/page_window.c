#include "servers/domain_manager/page_window.h"

#include <errno.h>
#include <string.h>
#include "proto/task/task.h"
#include "user/vspace.h"

#define WINDOW_VADDR (TASK_SHARED_VADDR + 0xc0000000ull)
#define PAGE_BYTES   4096u

int page_window_zero(uint32_t slot)
{
	if (vspace_map(slot, WINDOW_VADDR, true, false))
		return -ENOMEM;
	memset((void *)WINDOW_VADDR, 0, PAGE_BYTES);
	vspace_unmap(slot);
	return 0;
}
