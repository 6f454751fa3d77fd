/* What the C library's header does not have about the heap. */
#ifndef USER_MALLOC_H
#define USER_MALLOC_H

#include <stdbool.h>
#include <stddef.h>

/* Another stretch than the environment's: root, once, before the first allocation. */
void malloc_begin(void *start, size_t bytes);
/* More of it, anywhere above (heap_extend_at). */
bool malloc_more(void *start, size_t bytes);

#endif
