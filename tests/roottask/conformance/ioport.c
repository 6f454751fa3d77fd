/* I/O ports: ranges, overlap, access inside only. The ports used are nobody's, but for the serial port's
 * scratch register. */
#include "roottask/conformance/conformance.h"

static seL4_Error issue(seL4_Word first, seL4_Word last, seL4_CPtr slot)
{
	return seL4_X86_IOPortControl_Issue(seL4_CapIOPortControl, first, last, ROOT, slot, DEPTH);
}

static void issuing(void)
{
	seL4_CPtr port = object_slot(), other = object_slot(), ep = object_new(seL4_EndpointObject, 0);

	conformance_error1("ioport.reversed", issue(0x2f9, 0x2f8, port), seL4_InvalidArgument, 1);
	conformance_ok("ioport.issue", issue(0x2f8, 0x2ff, port));
	conformance_equal("ioport.type", conformance_type(port), 19);
	conformance_error("ioport.overlap_end", issue(0x2ff, 0x300, other), seL4_RevokeFirst);
	conformance_error("ioport.overlap_start", issue(0x2f0, 0x2f8, other), seL4_RevokeFirst);
	conformance_error("ioport.overlap_inside", issue(0x2fa, 0x2fa, other), seL4_RevokeFirst);
	conformance_error("ioport.overlap_around", issue(0x200, 0x3ff, other), seL4_RevokeFirst);
	conformance_error("ioport.overlap_all", issue(0, 0xffff, other), seL4_RevokeFirst);
	conformance_error("ioport.slot_used", issue(0x3e8, 0x3ef, port), seL4_DeleteFirst);
	conformance_error2("ioport.depth",
			   seL4_X86_IOPortControl_Issue(seL4_CapIOPortControl, 0x3e8, 0x3ef, ROOT, other, 0),
			   seL4_RangeError, 1, 64);
	conformance_error2(
	    "ioport.root",
	    seL4_X86_IOPortControl_Issue(seL4_CapIOPortControl, 0x3e8, 0x3ef, ep, other, DEPTH),
	    seL4_FailedLookup, 0, seL4_InvalidRoot);
	conformance_error1("ioport.order_range_slot", issue(0x3ef, 0x3e8, port), seL4_InvalidArgument, 1);
	conformance_error("ioport.order_overlap_slot", issue(0x2f8, 0x2ff, port), seL4_RevokeFirst);
	/* ports are sixteen bits of the word */
	conformance_error("ioport.masked", issue(0x102f8, 0x102f8, other), seL4_RevokeFirst);
	conformance_ok("ioport.neighbour", issue(0x300, 0x300, other));
	conformance_ok("ioport.neighbour_delete", seL4_CNode_Delete(ROOT, other, DEPTH));
	conformance_ok("ioport.delete", seL4_CNode_Delete(ROOT, port, DEPTH));
	conformance_ok("ioport.free_again", issue(0x2ff, 0x300, other));
	conformance_ok("ioport.last_port", issue(0xffff, 0xffff, port));
	/* a copy keeps the range in use */
	{
		seL4_CPtr copy = object_copy(port);

		runtime_must(seL4_CNode_Delete(ROOT, port, DEPTH), "one of two");
		conformance_error("ioport.copy_keeps_it", issue(0xffff, 0xffff, port), seL4_RevokeFirst);
		conformance_ok("ioport.delete_copy", seL4_CNode_Delete(ROOT, copy, DEPTH));
		conformance_ok("ioport.free_after_copy", issue(0xffff, 0xffff, port));
	}
	conformance_ok("ioport.revoke_control", seL4_CNode_Revoke(ROOT, seL4_CapIOPortControl, DEPTH));
	conformance_equal("ioport.revoke_takes_all", conformance_type(port) | conformance_type(other), 0);
	conformance_ok("ioport.whole", issue(0, 0xffff, port));
	conformance_ok("ioport.whole_delete", seL4_CNode_Delete(ROOT, port, DEPTH));
}

static void access(void)
{
	seL4_CPtr serial = object_slot(), empty = object_slot();

	runtime_must(issue(0x3f8, 0x3ff, serial), "the serial port");
	conformance_ok("ioport.out8", seL4_X86_IOPort_Out8(serial, 0x3ff, 0x5a));
	conformance_equal("ioport.in8", seL4_X86_IOPort_In8(serial, 0x3ff).result, 0x5a);
	conformance_ok("ioport.out8_high_bits", seL4_X86_IOPort_Out8(serial, 0x3ff, 0x1234567800000033ull));
	conformance_equal("ioport.in8_again", seL4_X86_IOPort_In8(serial, 0x3ff).result, 0x33);
	conformance_error("ioport.below", seL4_X86_IOPort_In8(serial, 0x3f7).error, seL4_IllegalOperation);
	conformance_error("ioport.above", seL4_X86_IOPort_In8(serial, 0x400).error, seL4_IllegalOperation);
	conformance_error("ioport.in16_across", seL4_X86_IOPort_In16(serial, 0x3ff).error,
			  seL4_IllegalOperation);
	conformance_error("ioport.in32_across", seL4_X86_IOPort_In32(serial, 0x3fd).error,
			  seL4_IllegalOperation);
	conformance_error("ioport.out16_across", seL4_X86_IOPort_Out16(serial, 0x3ff, 0),
			  seL4_IllegalOperation);
	conformance_error("ioport.out32_across", seL4_X86_IOPort_Out32(serial, 0x3fd, 0),
			  seL4_IllegalOperation);
	conformance_error("ioport.out8_above", seL4_X86_IOPort_Out8(serial, 0x400, 0), seL4_IllegalOperation);
	conformance_ok("ioport.delete_serial", seL4_CNode_Delete(ROOT, serial, DEPTH));
	runtime_must(issue(0xe200, 0xe20f, empty), "empty ports");
	conformance_equal("ioport.in8_nothing", seL4_X86_IOPort_In8(empty, 0xe200).result, 0xff);
	conformance_equal("ioport.in16_nothing", seL4_X86_IOPort_In16(empty, 0xe20e).result, 0xffff);
	conformance_equal("ioport.in32_nothing", seL4_X86_IOPort_In32(empty, 0xe20c).result, 0xffffffff);
	conformance_ok("ioport.out16", seL4_X86_IOPort_Out16(empty, 0xe20e, 1));
	conformance_ok("ioport.out32", seL4_X86_IOPort_Out32(empty, 0xe20c, 1));
	conformance_ok("ioport.delete_empty", seL4_CNode_Delete(ROOT, empty, DEPTH));
}

void ioport_cases(void)
{
	issuing();
	access();
}
