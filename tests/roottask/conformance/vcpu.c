/* vCPU and EPT objects: what their invocations refuse. What guests do: tests/roottask/vcpu. */
#include "roottask/conformance/worker.h"

#define GPA 0x40000000ull

static void enters(struct worker *w)
{
	seL4_SetMR(0, 0);
	seL4_SetMR(1, 0);
	seL4_SetMR(2, 0);
	w->error = (seL4_Error)seL4_VMEnter(&w->badge);
	w->word[3] = seL4_GetMR(3);
}

static void without_vcpu(void)
{
	struct worker *w = worker_new(WORKER_PRIORITY, 0);

	worker_run(w, enters);
	conformance_equal("vcpu.enter_without_one",
			  w->done == 1 && w->error == SEL4_VMENTER_RESULT_FAULT && w->word[3] == ~0ull, 1);
	worker_end(w);
}

static void binding(void)
{
	seL4_CPtr vcpu = object_new(seL4_X86_VCPUObject, 0), ep = object_new(seL4_EndpointObject, 0),
		  root = object_new(seL4_X86_EPTPML4Object, 0);
	struct worker *w = worker_new(WORKER_PRIORITY, 0);

	conformance_error("vcpu.set_tcb_kind", seL4_X86_VCPU_SetTCB(vcpu, ep), seL4_IllegalOperation);
	conformance_error("vcpu.set_tcb_empty", seL4_X86_VCPU_SetTCB(vcpu, 0), seL4_IllegalOperation);
	conformance_ok("vcpu.set_tcb", seL4_X86_VCPU_SetTCB(vcpu, w->thread.tcb));
	conformance_ok("vcpu.set_tcb_again", seL4_X86_VCPU_SetTCB(vcpu, w->thread.tcb));
	worker_run(w, enters);
	conformance_equal("vcpu.enter_without_root",
			  w->done == 1 && w->error == SEL4_VMENTER_RESULT_FAULT && w->word[3] == ~0ull, 1);
	conformance_error("vcpu.root_kind", seL4_TCB_SetEPTRoot(w->thread.tcb, HERE), seL4_IllegalOperation);
	conformance_error("vcpu.root_without_asid", seL4_TCB_SetEPTRoot(w->thread.tcb, root),
			  seL4_IllegalOperation);
	runtime_must(seL4_X86_ASIDPool_Assign(seL4_CapInitThreadASIDPool, root), "an ASID");
	conformance_ok("vcpu.root", seL4_TCB_SetEPTRoot(w->thread.tcb, root));
	conformance_ok("vcpu.root_again", seL4_TCB_SetEPTRoot(w->thread.tcb, root));
	/* a thread has one vCPU, a vCPU one thread: the newest binding is the one */
	conformance_ok("vcpu.second_for_the_thread",
		       seL4_X86_VCPU_SetTCB(object_new(seL4_X86_VCPUObject, 0), w->thread.tcb));
	conformance_ok("vcpu.delete_bound", seL4_CNode_Delete(ROOT, vcpu, DEPTH));
	worker_end(w);
}

static void fields(void)
{
	seL4_CPtr vcpu = object_new(seL4_X86_VCPUObject, 0);
	/* host state, EPT pointer, VPID, and no field at all */
	static const seL4_Word refused[] = {
	    0x6c16, 0x6c00, 0x0c00, 0x2c00, 0x201a, 0x0000, 0x5555, 0xffff, 1ull << 32 | 0x681e};

	for (unsigned i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		conformance_error(conformance_name("vcpu.read_field", i),
				  seL4_X86_VCPU_ReadVMCS(vcpu, refused[i]).error, seL4_IllegalOperation);
		conformance_error(conformance_name("vcpu.write_field", i),
				  seL4_X86_VCPU_WriteVMCS(vcpu, refused[i], 0).error, seL4_IllegalOperation);
	}
	conformance_ok("vcpu.write_rip", seL4_X86_VCPU_WriteVMCS(vcpu, 0x681e, 0x7c00).error);
	conformance_equal("vcpu.read_rip", seL4_X86_VCPU_ReadVMCS(vcpu, 0x681e).value, 0x7c00);
	conformance_ok("vcpu.write_rsp", seL4_X86_VCPU_WriteVMCS(vcpu, 0x681c, 0x1234).error);
	conformance_equal("vcpu.read_rsp", seL4_X86_VCPU_ReadVMCS(vcpu, 0x681c).value, 0x1234);
	conformance_ok("vcpu.write_cr3", seL4_X86_VCPU_WriteVMCS(vcpu, 0x6802, 0x5000).error);
	conformance_equal("vcpu.read_cr3", seL4_X86_VCPU_ReadVMCS(vcpu, 0x6802).value, 0x5000);
	/* exit data can be read only */
	conformance_ok("vcpu.read_reason", seL4_X86_VCPU_ReadVMCS(vcpu, 0x4402).error);
	conformance_error("vcpu.write_reason", seL4_X86_VCPU_WriteVMCS(vcpu, 0x4402, 1).error,
			  seL4_IllegalOperation);
	/* control words: what is not allowed is corrected, and the answer says so */
	{
		seL4_X86_VCPU_WriteVMCS_t r = seL4_X86_VCPU_WriteVMCS(vcpu, 0x4002, 0);

		conformance_ok("vcpu.write_primary", r.error);
		conformance_equal("vcpu.written_is_what_is_there", r.written,
				  seL4_X86_VCPU_ReadVMCS(vcpu, 0x4002).value);
		conformance_case("vcpu.forced_bits", r.written != 0, "no control is forced");
	}
}

static void msrs(void)
{
	seL4_CPtr vcpu = object_new(seL4_X86_VCPUObject, 0);
	static const seL4_Word known[] = {0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084};
	static const seL4_Word unknown[] = {0, 0x10, 0x1b, 0xc0000080, 0xc0000100, 1ull << 32 | 0xc0000081};

	for (unsigned i = 0; i < 4; i++) {
		conformance_ok(conformance_name("vcpu.write_msr", i),
			       seL4_X86_VCPU_WriteMSR(vcpu, known[i], 0x1000 + i).error);
		conformance_equal(conformance_name("vcpu.read_msr", i),
				  seL4_X86_VCPU_ReadMSR(vcpu, known[i]).value, 0x1000 + i);
	}
	for (unsigned i = 0; i < 6; i++) {
		conformance_error(conformance_name("vcpu.read_unknown_msr", i),
				  seL4_X86_VCPU_ReadMSR(vcpu, unknown[i]).error, seL4_IllegalOperation);
		conformance_error(conformance_name("vcpu.write_unknown_msr", i),
				  seL4_X86_VCPU_WriteMSR(vcpu, unknown[i], 0).error, seL4_IllegalOperation);
	}
}

static void ports(void)
{
	seL4_CPtr vcpu = object_new(seL4_X86_VCPUObject, 0), port = object_slot();

	runtime_must(seL4_X86_IOPortControl_Issue(seL4_CapIOPortControl, 0xe300, 0xe30f, ROOT, port, DEPTH),
		     "ports");
	conformance_error1("vcpu.port_kind", seL4_X86_VCPU_EnableIOPort(vcpu, HERE, 0xe300, 0xe301),
			   seL4_InvalidArgument, 0);
	conformance_error1("vcpu.port_below", seL4_X86_VCPU_EnableIOPort(vcpu, port, 0xe2ff, 0xe301),
			   seL4_InvalidArgument, 0);
	conformance_error1("vcpu.port_above", seL4_X86_VCPU_EnableIOPort(vcpu, port, 0xe300, 0xe310),
			   seL4_InvalidArgument, 0);
	conformance_ok("vcpu.port_enable", seL4_X86_VCPU_EnableIOPort(vcpu, port, 0xe300, 0xe30f));
	conformance_ok("vcpu.port_disable", seL4_X86_VCPU_DisableIOPort(vcpu, 0xe300, 0xe30f));
	conformance_ok("vcpu.port_delete", seL4_CNode_Delete(ROOT, port, DEPTH));
}

/* ---- second-level tables ---- */

typedef seL4_Error (*table_map)(seL4_CPtr table, seL4_CPtr root, seL4_Word gpa, seL4_Word attributes);
typedef seL4_Error (*table_unmap)(seL4_CPtr table);

static const struct level {
	const char *name;
	seL4_Word type;
	table_map map;
	table_unmap unmap;
	seL4_Word missing;
} levels[] = {
    {"ept_pdpt", seL4_X86_EPTPDPTObject, seL4_X86_EPTPDPT_Map, seL4_X86_EPTPDPT_Unmap, 0},
    {"ept_pd", seL4_X86_EPTPDObject, seL4_X86_EPTPD_Map, seL4_X86_EPTPD_Unmap, 39},
    {"ept_pt", seL4_X86_EPTPTObject, seL4_X86_EPTPT_Map, seL4_X86_EPTPT_Unmap, 30},
};

static seL4_CPtr root_new(void)
{
	seL4_CPtr root = object_new(seL4_X86_EPTPML4Object, 0);

	runtime_must(seL4_X86_ASIDPool_Assign(seL4_CapInitThreadASIDPool, root), "an ASID");
	return root;
}

static void tables(void)
{
	seL4_CPtr root = root_new(), raw = object_new(seL4_X86_EPTPML4Object, 0);

	for (unsigned i = 0; i < 3; i++) {
		const struct level *l = &levels[i];
		seL4_CPtr table = object_new(l->type, 0), other = object_new(l->type, 0),
			  copy = object_slot();

#define NAME(what) conformance_name2(l->name, what)
		conformance_error1(NAME("vspace_is_no_root"), l->map(table, HERE, GPA, 6),
				   seL4_InvalidCapability, 1);
		conformance_error1(NAME("no_asid"), l->map(table, raw, GPA, 6), seL4_InvalidCapability, 1);
		conformance_error(NAME("copy_unmapped"),
				  seL4_CNode_Copy(ROOT, copy, DEPTH, ROOT, table, DEPTH, seL4_AllRights),
				  seL4_IllegalOperation);
		if (l->missing)
			conformance_error3(NAME("missing_level"),
					   l->map(table, root, GPA + (1ull << l->missing), 6),
					   seL4_FailedLookup, 0, seL4_MissingCapability, l->missing);
		conformance_ok(NAME("map"), l->map(table, root, GPA, 6));
		conformance_error1(NAME("map_again"), l->map(table, root, GPA, 6), seL4_InvalidCapability, 0);
		conformance_error(NAME("entry_in_use"), l->map(other, root, GPA, 6), seL4_DeleteFirst);
		conformance_ok(NAME("copy"),
			       seL4_CNode_Copy(ROOT, copy, DEPTH, ROOT, table, DEPTH, seL4_AllRights));
		conformance_error(NAME("unmap_not_last"), l->unmap(table), seL4_RevokeFirst);
		conformance_ok(NAME("delete_copy"), seL4_CNode_Delete(ROOT, copy, DEPTH));
		conformance_ok(NAME("unmap"), l->unmap(table));
		conformance_ok(NAME("entry_free"), l->map(table, root, GPA, 6));
#undef NAME
	}
}

static seL4_Error map(seL4_CPtr frame, seL4_CPtr root, seL4_Word gpa)
{
	return seL4_X86_Page_MapEPT(frame, root, gpa, seL4_ReadWrite, seL4_X86_EPT_WriteBack);
}

static void frames(void)
{
	seL4_CPtr root = root_new(), frame = object_new(seL4_X86_4K, 0), copy,
		  mapped = object_new(seL4_X86_4K, 0);

	conformance_error1("ept.vspace_is_no_root", map(frame, HERE, GPA), seL4_InvalidCapability, 1);
	conformance_error3("ept.no_pdpt", map(frame, root, GPA), seL4_FailedLookup, 0, seL4_MissingCapability,
			   39);
	runtime_must(seL4_X86_EPTPDPT_Map(object_new(seL4_X86_EPTPDPTObject, 0), root, GPA, 6), "PDPT");
	conformance_error3("ept.no_pd", map(frame, root, GPA), seL4_FailedLookup, 0, seL4_MissingCapability,
			   30);
	runtime_must(seL4_X86_EPTPD_Map(object_new(seL4_X86_EPTPDObject, 0), root, GPA, 6), "PD");
	conformance_error3("ept.no_pt", map(frame, root, GPA), seL4_FailedLookup, 0, seL4_MissingCapability,
			   21);
	runtime_must(seL4_X86_EPTPT_Map(object_new(seL4_X86_EPTPTObject, 0), root, GPA, 6), "PT");
	conformance_error("ept.unaligned", map(frame, root, GPA + 8), seL4_AlignmentError);
	for (seL4_Word type = 0; type < 8; type++)
		if (type != 2 && type != 3 && type != 7) {
			conformance_ok(conformance_name("ept.type", type),
				       seL4_X86_Page_MapEPT(frame, root, GPA, seL4_ReadWrite, type));
			runtime_must(seL4_X86_Page_Unmap(frame), "unmap");
		}
	conformance_ok("ept.map", map(frame, root, GPA));
	/* mapped in one kind of space it cannot be mapped in the other */
	conformance_case("ept.not_in_vspace_too",
			 seL4_X86_Page_Map(frame, HERE, 0x700000, seL4_ReadWrite, 0) != 0, "mapped twice");
	copy = object_copy(frame);
	conformance_ok("ept.copy", map(copy, root, GPA + 0x1000));
	conformance_ok("ept.unmap", seL4_X86_Page_Unmap(frame));
	conformance_ok("ept.map_elsewhere", map(frame, root, GPA + 0x2000));
	(void)mapped;
	conformance_ok("ept.delete_root", seL4_CNode_Delete(ROOT, root, DEPTH));
	conformance_ok("ept.stale_unmaps", seL4_X86_Page_Unmap(copy));
}

void vcpu_cases(void)
{
	without_vcpu();
	if (!conformance_has_virt())
		return;
	binding();
	fields();
	msrs();
	ports();
	tables();
	frames();
}
