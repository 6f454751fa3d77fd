/*
 * Reads cpio archives of the "newc" form (magic 070701, and 070702 whose checksum is not looked at), in
 * place. Used by the kernel and the root task for the servers' archive. Nothing points outside the archive;
 * bad lengths give CPIO_BAD.
 */
#ifndef LIB_CPIO_CPIO_H
#define LIB_CPIO_CPIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum cpio_result {
	CPIO_OK = 0,
	CPIO_END, /* the trailer was reached, or the end of the bytes at an entry's border */
	CPIO_BAD, /* not an archive, or a length that leads outside it */
};

struct cpio_entry {
	const char *name;    /* in the archive, NUL-terminated there */
	size_t name_length;  /* without the NUL; no NUL before */
	const uint8_t *data; /* in the archive */
	size_t size;
	uint32_t mode; /* as st_mode */
};

/* The entry at *offset (0 at first), and *offset moved to the next. The archive begins 4-byte aligned
 * relative to itself only. */
enum cpio_result cpio_next(const uint8_t *archive, size_t size, size_t *offset, struct cpio_entry *out);

/* The first entry with this name; a leading "./" or "/" in the archive does not count. CPIO_END if there is
 * none. */
enum cpio_result cpio_find(const uint8_t *archive, size_t size, const char *name, struct cpio_entry *out);

#endif
