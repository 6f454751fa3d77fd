/*
 * The setup header of a Linux bzImage. Called by the vmm when a kernel is no ELF file. Reads only inside the
 * file; contract in bzimage.h.
 */
#include "bzimage/bzimage.h"
#include "mem/mem.h"

enum {
	OFF_SETUP_SECTORS = 0x1f1,
	OFF_BOOT_FLAG = 0x1fe,
	OFF_MAGIC = 0x202,
	OFF_VERSION = 0x206,
	OFF_PAYLOAD = 0x248,
	OFF_PAYLOAD_LENGTH = 0x24c,
	HEADER_END = 0x250,
	VERSION_PAYLOAD = 0x0208,
	SECTOR = 512,
	SIZE_WORD = 4,
};

struct magic {
	uint8_t size;
	uint8_t bytes[6];
	enum bzimage_format format;
};

static enum bzimage_format recognise(const uint8_t *p, size_t n)
{
	static const struct magic magics[] = {
	    {6, {0xfd, '7', 'z', 'X', 'Z', 0}, BZIMAGE_FORMAT_XZ},
	    {2, {0x1f, 0x8b, 0, 0, 0, 0}, BZIMAGE_FORMAT_GZIP},
	    {2, {0x1f, 0x9e, 0, 0, 0, 0}, BZIMAGE_FORMAT_GZIP},
	    {3, {'B', 'Z', 'h', 0, 0, 0}, BZIMAGE_FORMAT_BZIP2},
	    {3, {0x5d, 0x00, 0x00, 0, 0, 0}, BZIMAGE_FORMAT_LZMA},
	    {4, {0x89, 'L', 'Z', 'O', 0, 0}, BZIMAGE_FORMAT_LZO},
	    {4, {0x02, 0x21, 0x4c, 0x18, 0, 0}, BZIMAGE_FORMAT_LZ4},
	    {4, {0x28, 0xb5, 0x2f, 0xfd, 0, 0}, BZIMAGE_FORMAT_ZSTD},
	    {4, {0x7f, 'E', 'L', 'F', 0, 0}, BZIMAGE_FORMAT_ELF},
	};

	for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++)
		if (n >= magics[i].size && memcmp(p, magics[i].bytes, magics[i].size) == 0)
			return magics[i].format;
	return BZIMAGE_FORMAT_UNKNOWN;
}

enum bzimage_error bzimage_open(const uint8_t *file, size_t size, struct bzimage *out)
{
	memset(out, 0, sizeof(*out));
	if (size < OFF_VERSION + 2 || mem_get16(file + OFF_BOOT_FLAG) != 0xaa55 ||
	    memcmp(file + OFF_MAGIC, "HdrS", 4) != 0)
		return BZIMAGE_NOT_LINUX;
	out->version = mem_get16(file + OFF_VERSION);
	if (out->version < VERSION_PAYLOAD)
		return BZIMAGE_OLD;
	if (size < HEADER_END)
		return BZIMAGE_TRUNCATED;

	/* The payload is counted from the protected-mode code, after the boot sector and the setup sectors (0
	 * means 4). */
	size_t setup = file[OFF_SETUP_SECTORS] == 0 ? 4 : file[OFF_SETUP_SECTORS];
	size_t code = (setup + 1) * SECTOR;
	size_t offset = mem_get32(file + OFF_PAYLOAD);
	size_t length = mem_get32(file + OFF_PAYLOAD_LENGTH);
	if (code > size || offset > size - code || length > size - code - offset)
		return BZIMAGE_TRUNCATED;
	out->payload = file + code + offset;
	out->payload_size = length;
	out->format = recognise(out->payload, length);
	/* The kernel build appends the unpacked size to every compressed form (gzip's own trailer ends with
	 * it). */
	if (out->format != BZIMAGE_FORMAT_ELF && length >= SIZE_WORD) {
		out->unpacked_size = mem_get32(out->payload + length - SIZE_WORD);
		if (out->format != BZIMAGE_FORMAT_GZIP)
			out->payload_size -= SIZE_WORD;
	}
	return BZIMAGE_OK;
}

enum bzimage_error bzimage_supported(enum bzimage_format f)
{
	switch (f) {
	case BZIMAGE_FORMAT_ELF:
	case BZIMAGE_FORMAT_XZ:
	case BZIMAGE_FORMAT_LZ4:
		return BZIMAGE_OK;
	case BZIMAGE_FORMAT_GZIP:
		return BZIMAGE_GZIP;
	case BZIMAGE_FORMAT_BZIP2:
		return BZIMAGE_BZIP2;
	case BZIMAGE_FORMAT_LZMA:
		return BZIMAGE_LZMA;
	case BZIMAGE_FORMAT_LZO:
		return BZIMAGE_LZO;
	case BZIMAGE_FORMAT_ZSTD:
		return BZIMAGE_ZSTD;
	case BZIMAGE_FORMAT_UNKNOWN:
		return BZIMAGE_UNKNOWN_FORMAT;
	}
	return BZIMAGE_UNKNOWN_FORMAT;
}

const char *bzimage_error_line(enum bzimage_error e)
{
	switch (e) {
	case BZIMAGE_OK:
		return "the kernel image is complete";
	case BZIMAGE_NOT_LINUX:
		return "not a Linux kernel image";
	case BZIMAGE_OLD:
		return "the kernel is older than Linux 2.6.26: its image does not say where the compressed "
		       "kernel is";
	case BZIMAGE_TRUNCATED:
		return "the kernel image is cut off";
	case BZIMAGE_GZIP:
		return "the kernel is compressed with gzip, which is not supported (use XZ, LZ4, or an "
		       "unpacked vmlinux)";
	case BZIMAGE_BZIP2:
		return "the kernel is compressed with bzip2, which is not supported (use XZ, LZ4, or an "
		       "unpacked vmlinux)";
	case BZIMAGE_LZMA:
		return "the kernel is compressed with LZMA, which is not supported (use XZ, LZ4, or an "
		       "unpacked vmlinux)";
	case BZIMAGE_LZO:
		return "the kernel is compressed with LZO, which is not supported (use XZ, LZ4, or an "
		       "unpacked vmlinux)";
	case BZIMAGE_ZSTD:
		return "the kernel is compressed with Zstandard, which is not supported (use XZ, LZ4, or an "
		       "unpacked vmlinux)";
	case BZIMAGE_UNKNOWN_FORMAT:
		return "the kernel is compressed in an unknown way";
	case BZIMAGE_CORRUPT:
		return "the compressed kernel is damaged";
	case BZIMAGE_OUTPUT_FULL:
		return "the unpacked kernel is larger than the space for it";
	case BZIMAGE_MEMORY:
		return "unpacking the kernel needs more memory than allowed";
	}
	return "unknown kernel image error";
}
