/* The C library's allocation functions on the process's heap (env->heap_bytes at TASK_HEAP_VADDR). A damaged heap ends the process. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "user/env.h"
#include "user/heap.h"
#include "user/lock.h"
#include "user/log.h"
#include "user/malloc.h"

static struct heap malloc_heap;
static struct lock malloc_lock;
static bool malloc_ready;

void malloc_begin(void *start, size_t bytes)
{
	heap_init(&malloc_heap, start, bytes);
	malloc_ready = true;
}

static void malloc_enter(void)
{
	lock_take(&malloc_lock);
	if (!malloc_ready)
		malloc_begin((void *)TASK_HEAP_VADDR, env_get()->heap_bytes);
}

static void malloc_leave(void)
{
	lock_release(&malloc_lock);
}

bool malloc_more(void *start, size_t bytes)
{
	bool done;

	malloc_enter();
	done = heap_extend_at(&malloc_heap, start, bytes);
	malloc_leave();
	return done;
}

static void malloc_damaged(void)
{
	malloc_leave();
	log_line("%s: heap damaged", env_get()->name);
	abort();
}

static void *malloc_aligned(size_t align, size_t n)
{
	void *p;

	malloc_enter();
	p = heap_alloc_aligned(&malloc_heap, align, n);
	malloc_leave();
	if (!p)
		errno = ENOMEM;
	return p;
}

void *malloc(size_t n)
{
	return malloc_aligned(HEAP_ALIGN, n);
}

void *calloc(size_t count, size_t size)
{
	size_t n;
	void *p;

	if (__builtin_mul_overflow(count, size, &n)) {
		errno = ENOMEM;
		return NULL;
	}
	p = malloc(n);
	if (p)
		memset(p, 0, n);
	return p;
}

void free(void *p)
{
	if (!p)
		return;
	malloc_enter();
	if (!heap_free(&malloc_heap, p))
		malloc_damaged();
	malloc_leave();
}

void *realloc(void *p, size_t n)
{
	size_t old;
	bool done;
	void *to;

	if (!p)
		return malloc(n);
	malloc_enter();
	old = heap_size_of(&malloc_heap, p);
	if (!old)
		malloc_damaged();
	done = heap_resize(&malloc_heap, p, n);
	malloc_leave();
	if (done)
		return p;
	to = malloc(n);
	if (to) {
		memcpy(to, p, old < n ? old : n);
		free(p);
	}
	return to;
}

void *aligned_alloc(size_t align, size_t n)
{
	return malloc_aligned(align, n);
}

int posix_memalign(void **p, size_t align, size_t n)
{
	*p = malloc_aligned(align, n);
	return *p ? 0 : ENOMEM;
}
