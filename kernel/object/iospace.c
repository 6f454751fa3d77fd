/*
 * I/O address spaces, on a machine whose IOMMU is off or absent: the master capability is null in the first
 * CNode, so no IOSpace can be minted. An IOSpace has no invocation of its own in any case: it is named by IO
 * page tables and frames. IO page tables can be made, but there is nowhere to map them.
 */
#include "object/ioport.h"
#include "api/error.h"
#include "api/invocation.h"

static exception_t iospace_map_table(unsigned length)
{
	if (length < 1 || !invocation_extra(0))
		return error_truncated();
	return error_invalid_capability(1);
}

exception_t iospace_decode(word_t label, unsigned length, cap_t cap)
{
	if (cap_type(cap) != CAP_IOPT)
		return error_illegal_operation();
	switch (label) {
	case X86IOPageTableMap:
		return iospace_map_table(length);
	case X86IOPageTableUnmap:
		return EXC_NONE;
	default:
		return error_illegal_operation();
	}
}
