/*
 * The first thread's boot information, MCS layout (4 KiB frame, address in RDI at the entry).
 */
#ifndef SEL4_BOOTINFO_H
#define SEL4_BOOTINFO_H

#include <stdint.h>

typedef struct {
	uint64_t start; /* first slot */
	uint64_t end;   /* one past the last */
} seL4_SlotRegion;

typedef struct {
	uint64_t paddr;
	uint8_t sizeBits;
	uint8_t isDevice;
	uint8_t padding[6];
} seL4_UntypedDesc;

typedef struct {
	uint64_t extraLen; /* bytes of chunks, from one page after this structure */
	uint64_t nodeID;
	uint64_t numNodes;
	uint64_t numIOPTLevels; /* all ones without an IOMMU */
	uint64_t ipcBuffer;     /* address in the first thread's VSpace */
	seL4_SlotRegion empty;
	seL4_SlotRegion sharedFrames;
	seL4_SlotRegion userImageFrames;
	seL4_SlotRegion userImagePaging;
	seL4_SlotRegion ioSpaceCaps;
	seL4_SlotRegion extraBIPages;
	uint64_t initThreadCNodeSizeBits;
	uint64_t initThreadDomain;
	seL4_SlotRegion schedcontrol;
	seL4_SlotRegion untyped;
	seL4_UntypedDesc untypedList[230];
} seL4_BootInfo;
_Static_assert(sizeof(seL4_BootInfo) == 3864, "bootinfo layout");

typedef struct {
	uint64_t id;
	uint64_t len; /* of the chunk, this header included */
} seL4_BootInfoHeader;

/*
 * The content of the first chunk of this kind (enum sel4_bootinfo_id, or Insula's) in the pages behind the boot information, and its length in
 * bytes; null if there is none. Chunks follow each other without gaps, so the content is not aligned: copy it out.
 */
static inline const void *sel4_bootinfo_chunk(const seL4_BootInfo *info, uint64_t id, uint64_t *length)
{
	const char *at = (const char *)info + 4096, *end = at + info->extraLen;

	while (at < end) {
		seL4_BootInfoHeader h;

		__builtin_memcpy(&h, at, sizeof(h));
		if (h.len < sizeof(h))
			return 0;
		if (h.id == id) {
			*length = h.len - sizeof(h);
			return at + sizeof(h);
		}
		at += h.len;
	}
	return 0;
}

#endif
