/*
 * Reads the setup header of a Linux bzImage (boot protocol 2.08 and later, Linux
 * Documentation/arch/x86/boot.rst) to find the compressed kernel inside. Used by a vmm to get the ELF
 * vmlinux, whose PVH entry it boots. Unpacking is bzimage_xz.h and bzimage_lz4.h, by the format found.
 */
#ifndef LIB_BZIMAGE_BZIMAGE_H
#define LIB_BZIMAGE_BZIMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum bzimage_error {
	BZIMAGE_OK = 0,
	BZIMAGE_NOT_LINUX, /* no boot sector signature or "HdrS" */
	BZIMAGE_OLD,	   /* protocol before 2.08: no payload fields */
	BZIMAGE_TRUNCATED, /* the payload leads outside the file */
	BZIMAGE_GZIP,	   /* from bzimage_supported: formats we do not unpack */
	BZIMAGE_BZIP2,
	BZIMAGE_LZMA,
	BZIMAGE_LZO,
	BZIMAGE_ZSTD,
	BZIMAGE_UNKNOWN_FORMAT,
	BZIMAGE_CORRUPT,     /* from the unpackers */
	BZIMAGE_OUTPUT_FULL, /* unpacked kernel larger than the space given */
	BZIMAGE_MEMORY,	     /* the decoder's memory limit or allocator said no */
};

enum bzimage_format {
	BZIMAGE_FORMAT_UNKNOWN = 0,
	BZIMAGE_FORMAT_ELF, /* stored, not compressed */
	BZIMAGE_FORMAT_XZ,
	BZIMAGE_FORMAT_GZIP,
	BZIMAGE_FORMAT_BZIP2,
	BZIMAGE_FORMAT_LZMA,
	BZIMAGE_FORMAT_LZO,
	BZIMAGE_FORMAT_LZ4,
	BZIMAGE_FORMAT_ZSTD,
};

struct bzimage {
	uint16_t version; /* boot protocol, e.g. 0x020f */
	enum bzimage_format format;
	const uint8_t *payload; /* in the file */
	size_t payload_size;	/* without the size word that follows compressed data */
	uint32_t unpacked_size; /* the kernel build's own figure; a hint, not to be trusted; 0 if none */
};

/* Finds the payload in file[0..size). The format is recognised, not judged. */
enum bzimage_error bzimage_open(const uint8_t *file, size_t size, struct bzimage *out);

/* BZIMAGE_OK if this library can unpack the format (XZ, LZ4; ELF needs none), else the error that names the
 * format. */
enum bzimage_error bzimage_supported(enum bzimage_format f);

/* One plain English line. */
const char *bzimage_error_line(enum bzimage_error e);

#endif
