/*
 * I/O address spaces, on a machine whose IOMMU is off or absent: the master capability is null in the first
 * CNode, so no IOSpace can be minted, and an IOSpace has no invocation of its own in any case: it is named by
 * IO page tables and frames.
 */
#include "object/ioport.h"
#include "api/error.h"

exception_t iospace_decode(word_t label, unsigned length, cap_t cap)
{
	(void)label;
	(void)length;
	(void)cap;
	return error_illegal_operation();
}
