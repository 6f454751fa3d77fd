/* The boot information and the first thread's capabilities, as they were at the start (this subject comes
 * first). */
#include "roottask/conformance/conformance.h"

static const seL4_BootInfo *b;

static void slots(void)
{
	static const struct {
		const char *name;
		seL4_Word slot, type;
	} fixed[] = {{"null", 0, 0},	     {"tcb", 1, 12},
		     {"cnode", 2, 10},	     {"vspace", 3, 9},
		     {"irq_control", 4, 14}, {"asid_control", 5, 11},
		     {"asid_pool", 6, 13},   {"io_port_control", 7, 31},
		     {"bootinfo", 9, 1},     {"ipc_buffer", 10, 1},
		     {"domain", 11, 20},     {"smmu_sid", 12, 0},
		     {"smmu_cb", 13, 0},     {"sched_context", 14, 22},
		     {"smc", 15, 0}};

	for (unsigned i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		conformance_equal(conformance_name2("bootinfo.slot", fixed[i].name),
				  conformance_type(fixed[i].slot), fixed[i].type);
}

static bool all(seL4_SlotRegion r, seL4_Word type)
{
	for (seL4_Word i = r.start; i < r.end; i++)
		if (conformance_type(i) != type)
			return false;
	return r.start <= r.end;
}

static void regions(void)
{
	bool paging = true;

	conformance_equal("bootinfo.first_region", b->schedcontrol.start, 16);
	conformance_case("bootinfo.sched_control",
			 all(b->schedcontrol, 24) &&
			     b->schedcontrol.end - b->schedcontrol.start >= b->numNodes,
			 "not one for each node");
	conformance_equal("bootinfo.paging_follows", b->userImagePaging.start, b->schedcontrol.end);
	for (seL4_Word i = b->userImagePaging.start; i < b->userImagePaging.end; i++) {
		seL4_Word type = conformance_type(i);

		paging = paging && (type == 3 || type == 5 || type == 7);
	}
	conformance_case("bootinfo.paging", paging && b->userImagePaging.end - b->userImagePaging.start >= 3,
			 "not tables");
	conformance_equal("bootinfo.extra_follows", b->extraBIPages.start, b->userImagePaging.end);
	conformance_case("bootinfo.extra_frames", all(b->extraBIPages, 1), "not frames");
	conformance_equal("bootinfo.image_follows", b->userImageFrames.start, b->extraBIPages.end);
	conformance_case("bootinfo.image_frames", all(b->userImageFrames, 1), "not frames");
	conformance_equal("bootinfo.untyped_follows", b->untyped.start, b->userImageFrames.end);
	conformance_case("bootinfo.untypeds", all(b->untyped, 2), "not Untypeds");
	conformance_case("bootinfo.untyped_count", b->untyped.end - b->untyped.start <= 230,
			 "more than the list holds");
	conformance_case("bootinfo.empty", all(b->empty, 0) && b->empty.end - b->empty.start >= 1000,
			 "not empty");
	conformance_equal("bootinfo.empty_to_the_end", b->empty.end, 1ull << b->initThreadCNodeSizeBits);
	conformance_equal("bootinfo.shared_frames", b->sharedFrames.start | b->sharedFrames.end, 0);
	conformance_equal("bootinfo.io_spaces", b->ioSpaceCaps.start | b->ioSpaceCaps.end, 0);
}

static void numbers(void)
{
	conformance_equal("bootinfo.node", b->nodeID, 0);
	conformance_case("bootinfo.nodes", b->numNodes >= 1, "none");
	conformance_case("bootinfo.cnode_bits", b->initThreadCNodeSizeBits >= 13, "less than 13");
	conformance_equal("bootinfo.domain", b->initThreadDomain, 0);
	conformance_equal("bootinfo.buffer_before", b->ipcBuffer + 4096, (seL4_Word)(uintptr_t)b);
	conformance_equal("bootinfo.buffer_is_ours", b->ipcBuffer, (seL4_Word)(uintptr_t)seL4_GetIPCBuffer());
}

/* Every block aligned to its size, devices first, each kind ascending, none twice. */
static void untypeds(void)
{
	seL4_Word n = b->untyped.end - b->untyped.start, ram = 0;
	bool aligned = true, order = true, sizes = true, padding = true;

	for (seL4_Word i = 0; i < n; i++) {
		const seL4_UntypedDesc *d = &b->untypedList[i];

		aligned = aligned && (d->paddr & ((1ull << d->sizeBits) - 1)) == 0;
		sizes = sizes && d->sizeBits >= 4 && d->sizeBits <= 47 && d->isDevice <= 1;
		ram += !d->isDevice;
		for (unsigned k = 0; k < 6; k++)
			padding = padding && d->padding[k] == 0;
		if (i && d->isDevice == d[-1].isDevice && d->isDevice)
			order = order && d->paddr >= d[-1].paddr + (1ull << d[-1].sizeBits);
		if (i && d->isDevice && !d[-1].isDevice)
			order = false;
	}
	conformance_case("bootinfo.untypeds_aligned", aligned, "not aligned to their size");
	conformance_case("bootinfo.untypeds_sizes", sizes, "a size beyond 4..47");
	conformance_case("bootinfo.untypeds_order", order, "devices first, ascending");
	conformance_case("bootinfo.untypeds_padding", padding, "not zero");
	conformance_case("bootinfo.untypeds_ram", ram >= 1, "no RAM");
	for (seL4_Word i = 0; i < n; i++)
		for (seL4_Word k = 0; k < i; k++) {
			const seL4_UntypedDesc *x = &b->untypedList[i], *y = &b->untypedList[k];

			order = order && !(x->paddr < y->paddr + (1ull << y->sizeBits) &&
					   y->paddr < x->paddr + (1ull << x->sizeBits));
		}
	conformance_case("bootinfo.untypeds_disjoint", order, "two overlap");
}

static void chunks(void)
{
	const char *at = (const char *)b + 4096, *end = at + b->extraLen;
	seL4_Word order = 0, rsdp = 0, map = 0, mhz = 0;
	bool fits = true;

	while (at < end && fits) {
		seL4_BootInfoHeader h;
		uint32_t first;

		__builtin_memcpy(&h, at, sizeof(h));
		__builtin_memcpy(&first, at + sizeof(h), sizeof(first));
		fits = h.len >= 16 && h.len <= (seL4_Word)(end - at);
		if (h.id == 3)
			rsdp = h.len == 52 && first == 0x20445352; /* RSD, blank, PTR */
		if (h.id == 2)
			map = h.len == 16 + 4 + 1200 && first % 24 == 0;
		if (h.id == 5)
			mhz = h.len == 20 ? first : 0;
		if (h.id == 2 || h.id == 3 || h.id == 5)
			order = order * 10 + h.id;
		at += h.len;
	}
	conformance_case("bootinfo.chunks_fit", fits && at == end, "lengths");
	conformance_equal("bootinfo.rsdp", rsdp, 1);
	conformance_equal("bootinfo.memory_map", map, 1);
	conformance_case("bootinfo.tsc_mhz", mhz >= 100 && mhz < 20000, "not a clock's rate");
	conformance_equal("bootinfo.chunk_order", order, 325);
	conformance_case("bootinfo.chunk_pages",
			 b->extraBIPages.end - b->extraBIPages.start >= (b->extraLen + 4095) / 4096,
			 "not all pages");
}

/* The image: its frames in the order of its pages. */
static void image(void)
{
	seL4_CPtr frame = space_image_frame(&conformance_cases);
	static volatile seL4_Word word;
	const seL4_Word va = 0x40000000000ull;

	(void)frame;
	frame = object_copy(space_image_frame((const void *)(uintptr_t)&word));
	runtime_must(seL4_X86_PDPT_Map(object_new(seL4_X86_PDPTObject, 0), HERE, va, 0), "PDPT");
	runtime_must(seL4_X86_PageDirectory_Map(object_new(seL4_X86_PageDirectoryObject, 0), HERE, va, 0),
		     "PD");
	runtime_must(seL4_X86_PageTable_Map(object_new(seL4_X86_PageTableObject, 0), HERE, va, 0), "PT");
	conformance_ok("bootinfo.image_frame_maps", seL4_X86_Page_Map(frame, HERE, va, seL4_ReadWrite, 0));
	word = 0x1357;
	conformance_equal("bootinfo.image_frame_is_the_page",
			  *(volatile seL4_Word *)(va + ((seL4_Word)(uintptr_t)&word & 4095)), 0x1357);
	conformance_error1(
	    "bootinfo.image_frame_is_mapped",
	    seL4_X86_Page_Map(space_image_frame((const void *)(uintptr_t)&word), HERE, va, seL4_ReadWrite, 0),
	    seL4_InvalidArgument, 0);
}

void bootinfo_cases(void)
{
	b = runtime_bootinfo();
	slots();
	regions();
	numbers();
	untypeds();
	chunks();
	image();
}
