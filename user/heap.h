/*
 * A heap in bounded stretches of memory: free lists by power of two, neighbours joined at once. Pure: no locks, no system calls (malloc.c has
 * both). Block headers are checked before they are believed; what is wrong is reported to the caller, who stops.
 */
#ifndef USER_HEAP_H
#define USER_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HEAP_ALIGN   16u
#define HEAP_CLASSES 40u

struct heap_free {
	struct heap_free *next, *previous;
};

struct heap {
	uint8_t *start, *end;
	struct heap_free *list[HEAP_CLASSES]; /* class c: payloads of [2^(c+5), 2^(c+6)) bytes */
	uint64_t nonempty;                    /* bit c: list[c] is not NULL */
	size_t used;                          /* bytes in blocks that are handed out, headers included */
};

/* start: HEAP_ALIGN-aligned. Less than 128 bytes give an empty heap. */
void heap_init(struct heap *h, void *start, size_t bytes);

/* The stretch becomes longer: memory follows at its end. bytes: a multiple of HEAP_ALIGN, at least 64. False: it would be too long. */
bool heap_extend(struct heap *h, size_t bytes);

/*
 * The same of memory that begins further up, at a HEAP_ALIGN-aligned start: what lies between is never touched, and counts as handed out. False, too: the heap is empty, or start
 * lies below its end.
 */
bool heap_extend_at(struct heap *h, void *start, size_t bytes);

/* HEAP_ALIGN-aligned, or NULL. n = 0 gives a block, too. */
void *heap_alloc(struct heap *h, size_t n);
/* align: a power of two. */
void *heap_alloc_aligned(struct heap *h, size_t align, size_t n);
/* False: p is not a block that is handed out, or the headers around it are damaged. */
bool heap_free(struct heap *h, void *p);
/* Bytes that may be used at p, at least what was asked for; 0 as heap_free's false. */
size_t heap_size_of(const struct heap *h, const void *p);
/* Grows or shrinks in place; false if that is not possible (or p is bad). */
bool heap_resize(struct heap *h, void *p, size_t n);

/* Walks all blocks: everything is consistent. For tests. */
bool heap_check(const struct heap *h);

#endif
