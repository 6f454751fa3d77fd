/* I/O spaces on a machine without an IOMMU (or whose driver is off): nothing to mint from, tables that map
 * nowhere. */
#include "roottask/conformance/conformance.h"

void iospace_cases(void)
{
	seL4_CPtr table = object_new(seL4_X86_IOPageTableObject, 0), frame = object_new(seL4_X86_4K, 0),
		  slot = object_slot();

	if (conformance_type(seL4_CapIOSpace) != 0) {
		print("conformance: there is an IOMMU: its cases are elsewhere\n");
		return;
	}
	conformance_error3("iospace.mint_master",
			   seL4_CNode_Mint(ROOT, slot, DEPTH, ROOT, seL4_CapIOSpace, DEPTH, seL4_AllRights,
					   1ull << 16 | 0x18),
			   seL4_FailedLookup, 1, seL4_MissingCapability, DEPTH);
	conformance_error("iospace.map_table", seL4_X86_IOPageTable_Map(table, seL4_CapIOSpace, 0),
			  seL4_InvalidCapability);
	conformance_error("iospace.map_table_vspace", seL4_X86_IOPageTable_Map(table, HERE, 0),
			  seL4_InvalidCapability);
	conformance_ok("iospace.unmap_table", seL4_X86_IOPageTable_Unmap(table));
	conformance_error("iospace.copy_table",
			  seL4_CNode_Copy(ROOT, slot, DEPTH, ROOT, table, DEPTH, seL4_AllRights),
			  seL4_IllegalOperation);
	conformance_error("iospace.map_frame", seL4_X86_Page_MapIO(frame, seL4_CapIOSpace, seL4_ReadWrite, 0),
			  seL4_InvalidCapability);
	conformance_error("iospace.map_frame_vspace", seL4_X86_Page_MapIO(frame, HERE, seL4_ReadWrite, 0),
			  seL4_InvalidCapability);
	conformance_ok("iospace.frame_is_unmapped", seL4_X86_Page_Unmap(frame));
	conformance_ok("iospace.delete_table", seL4_CNode_Delete(ROOT, table, DEPTH));
}
