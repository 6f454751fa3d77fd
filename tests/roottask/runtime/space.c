/* VSpaces made of copies of the boot information's image frames. */
#include "roottask/runtime/space.h"
#include "roottask/runtime/object.h"
#include "roottask/runtime/runtime.h"

#define SPACE_PAGE 4096

extern char image_start[], image_end[];

seL4_CPtr space_image_frame(const void *address)
{
	return runtime_bootinfo()->userImageFrames.start +
	       (seL4_Word)((const char *)address - image_start) / SPACE_PAGE;
}

seL4_CPtr space_new(void)
{
	const seL4_Word start = (seL4_Word)(uintptr_t)image_start;
	seL4_CPtr pml4 = object_new(seL4_X64_PML4Object, 0);

	runtime_must(seL4_X86_ASIDPool_Assign(seL4_CapInitThreadASIDPool, pml4), "assign an ASID");
	runtime_must(seL4_X86_PDPT_Map(object_new(seL4_X86_PDPTObject, 0), pml4, start, 0), "map PDPT");
	runtime_must(seL4_X86_PageDirectory_Map(object_new(seL4_X86_PageDirectoryObject, 0), pml4, start, 0),
		     "map PD");
	runtime_must(seL4_X86_PageTable_Map(object_new(seL4_X86_PageTableObject, 0), pml4, start, 0),
		     "map PT");
	for (const char *at = image_start; at < image_end; at += SPACE_PAGE)
		runtime_must(seL4_X86_Page_Map(object_copy(space_image_frame(at)), pml4,
					       (seL4_Word)(uintptr_t)at, seL4_ReadWrite,
					       seL4_X86_Default_VMAttributes),
			     "map a page of the image");
	return pml4;
}
