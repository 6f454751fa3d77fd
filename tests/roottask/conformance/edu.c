/* The edu device. See edu.h. */
#include "roottask/conformance/edu.h"

#define EDU_ID	    0x11e81234u
#define EDU_VA	    0x50000000000ull
#define EDU_RAISE   (0x60 / 4)
#define EDU_CLEAR   (0x64 / 4)
#define CAP_MESSAGE 5

static void select(const struct edu *e, seL4_Word offset)
{
	runtime_must(seL4_X86_IOPort_Out32(e->ports, 0xcf8,
					   0x80000000u | e->bus << 16 | e->device << 11 | (offset & 0xfc)),
		     "configuration space");
}

static uint32_t config_read(const struct edu *e, seL4_Word offset)
{
	select(e, offset);
	return (uint32_t)seL4_X86_IOPort_In32(e->ports, 0xcfc).result;
}

static void config_write(const struct edu *e, seL4_Word offset, uint32_t value)
{
	select(e, offset);
	runtime_must(seL4_X86_IOPort_Out32(e->ports, 0xcfc, value), "configuration space");
}

/* The frame at this address, cut out of the device Untyped that covers it. */
static seL4_CPtr frame_at(seL4_Word paddr)
{
	const seL4_BootInfo *b = runtime_bootinfo();

	for (seL4_Word i = 0; i < b->untyped.end - b->untyped.start; i++) {
		const seL4_UntypedDesc *d = &b->untypedList[i];
		seL4_CPtr from = b->untyped.start + i, frame = object_slot();
		seL4_Word start = d->paddr;

		if (!d->isDevice || paddr - d->paddr >= 1ull << d->sizeBits)
			continue;
		for (unsigned bits = d->sizeBits; bits > seL4_PageBits; bits--) {
			seL4_CPtr low = object_slot(), high = object_slot();

			if (seL4_Untyped_Retype(from, seL4_UntypedObject, bits - 1, ROOT, 0, 0, low, 1))
				return 0;
			runtime_must(
			    seL4_Untyped_Retype(from, seL4_UntypedObject, bits - 1, ROOT, 0, 0, high, 1),
			    "a half");
			from = paddr & 1ull << (bits - 1) ? high : low;
			start = paddr & ~((1ull << (bits - 1)) - 1);
		}
		(void)start;
		runtime_must(seL4_Untyped_Retype(from, seL4_X86_4K, 0, ROOT, 0, 0, frame, 1),
			     "a register page");
		return frame;
	}
	return 0;
}

static bool map_registers(struct edu *e)
{
	seL4_CPtr frame = frame_at(config_read(e, 0x10) & ~15u);

	if (!frame)
		return false;
	runtime_must(seL4_X86_PDPT_Map(object_new(seL4_X86_PDPTObject, 0), HERE, EDU_VA, 0), "PDPT");
	runtime_must(seL4_X86_PageDirectory_Map(object_new(seL4_X86_PageDirectoryObject, 0), HERE, EDU_VA, 0),
		     "PD");
	runtime_must(seL4_X86_PageTable_Map(object_new(seL4_X86_PageTableObject, 0), HERE, EDU_VA, 0), "PT");
	runtime_must(seL4_X86_Page_Map(frame, HERE, EDU_VA, seL4_ReadWrite, seL4_X86_Uncacheable),
		     "a register page");
	e->registers = (volatile uint32_t *)EDU_VA;
	return true;
}

bool edu_find(struct edu *e)
{
	*e = (struct edu){.ports = object_slot()};
	runtime_must(seL4_X86_IOPortControl_Issue(seL4_CapIOPortControl, 0xcf8, 0xcff, ROOT, e->ports, DEPTH),
		     "configuration ports");
	for (e->device = 0; e->device < 32; e->device++) {
		if (config_read(e, 0) != EDU_ID)
			continue;
		config_write(e, 4, config_read(e, 4) | 6); /* memory and bus master */
		for (e->msi = config_read(e, 0x34) & 0xfc; e->msi;
		     e->msi = config_read(e, e->msi) >> 8 & 0xfc)
			if ((config_read(e, e->msi) & 0xff) == CAP_MESSAGE)
				return map_registers(e);
	}
	edu_end(e);
	return false;
}

void edu_message(const struct edu *e, uint32_t address, uint32_t data)
{
	bool wide = config_read(e, e->msi) >> 16 & 0x80;

	config_write(e, e->msi + 4, address);
	if (wide)
		config_write(e, e->msi + 8, 0);
	config_write(e, e->msi + (wide ? 12 : 8), data);
	config_write(e, e->msi, config_read(e, e->msi) | 1u << 16);
}

void edu_raise(const struct edu *e)
{
	e->registers[EDU_RAISE] = 1;
	e->registers[EDU_CLEAR] = 1;
}

void edu_end(struct edu *e)
{
	runtime_must(seL4_CNode_Delete(ROOT, e->ports, DEPTH), "configuration ports");
}
