/* SetStatePage: what it takes, and that the page is used and let go of. What VMEnter does with it:
 * tests/roottask/vcpu. */
#include "roottask/ext/ext.h"

#define RESULT_EXIT 1

static seL4_CPtr vcpu;

static seL4_CPtr device_page(void)
{
	const seL4_BootInfo *b = runtime_bootinfo();
	seL4_CPtr slot = object_slot();

	for (seL4_Word i = 0; i < b->untyped.end - b->untyped.start; i++)
		if (b->untypedList[i].isDevice && seL4_Untyped_Retype(b->untyped.start + i, seL4_X86_4K, 0,
								      ROOT, 0, 0, slot, 1) == seL4_NoError)
			return slot;
	return 0;
}

/* Without an EPT root no guest runs: the answer is reason -1, in the page if there is one. */
static bool used(volatile struct insula_vcpu_state *s)
{
	seL4_Word sender = 0;

	s->reason = 1;
	return seL4_VMEnter(&sender) == RESULT_EXIT && s->reason == UINT64_MAX;
}

static void errors(seL4_CPtr page)
{
	seL4_CPtr ro = object_mint(page, seL4_CanRead, 0),
		  wo = object_mint(page, seL4_CapRights_new(0, 0, 0, 1), 0);

	check_error1("state.no_frame", insula_VCPU_SetStatePage(vcpu, vcpu), seL4_InvalidCapability, 1);
	check_error1("state.null", insula_VCPU_SetStatePage(vcpu, object_slot()), seL4_InvalidCapability, 1);
	check_error1("state.large", insula_VCPU_SetStatePage(vcpu, memory_large().frame),
		     seL4_InvalidCapability, 1);
	check_error1("state.read_only", insula_VCPU_SetStatePage(vcpu, ro), seL4_InvalidCapability, 1);
	check_error1("state.write_only", insula_VCPU_SetStatePage(vcpu, wo), seL4_InvalidCapability, 1);
	check_error1("state.device", insula_VCPU_SetStatePage(vcpu, device_page()), seL4_InvalidCapability,
		     1);
	check_error("state.remove_none", insula_VCPU_RemoveStatePage(vcpu), 0);
}

void state_cases(void)
{
	seL4_CPtr slot = object_slot(), page, other, part = object_slot();
	const uint64_t at = memory_window();
	volatile struct insula_vcpu_state *s = (volatile struct insula_vcpu_state *)at,
					  *s2 = (volatile struct insula_vcpu_state *)(at + PAGE);
	struct memory_large m = memory_large();

	vcpu = object_new(seL4_UntypedObject, seL4_X86_VCPUBits);
	if (seL4_Untyped_Retype(vcpu, seL4_X86_VCPUObject, 0, ROOT, 0, 0, slot, 1) != seL4_NoError) {
		print("state: no virtualization here\n");
		return;
	}
	vcpu = slot;
	page = object_new(seL4_X86_4K, 0);
	other = object_new(seL4_X86_4K, 0);
	runtime_must(seL4_X86_PageTable_Map(memory_table(), HERE, at, 0), "PT");
	runtime_must(memory_map(object_copy(page), at, seL4_ReadWrite), "map");
	runtime_must(memory_map(object_copy(other), at + PAGE, seL4_ReadWrite), "map");
	runtime_must(seL4_X86_VCPU_SetTCB(vcpu, seL4_CapInitThreadTCB), "SetTCB");
	errors(page);
	check("state.not_used", !used(s), "a page that was never set is written");
	check_error("state.set", insula_VCPU_SetStatePage(vcpu, page), 0);
	check("state.used", used(s), "VMEnter does not use it");
	check_error("state.set_again", insula_VCPU_SetStatePage(vcpu, page), 0);
	check("state.used_again", used(s), "VMEnter does not use it");
	check_error("state.replace", insula_VCPU_SetStatePage(vcpu, other), 0);
	check("state.replaced", used(s2) && !used(s), "VMEnter uses the wrong page");
	check_error("state.remove", insula_VCPU_RemoveStatePage(vcpu), 0);
	check("state.removed", !used(s2), "VMEnter still uses it");
	check_error("state.set_third", insula_VCPU_SetStatePage(vcpu, page), 0);
	check_error("state.delete_frame", seL4_CNode_Delete(ROOT, page, DEPTH), 0);
	check("state.copy_keeps_it", used(s), "the vCPU's own copy went");
	check_error("state.set_other", insula_VCPU_SetStatePage(vcpu, other), 0);
	check_error("state.revoke_frame", seL4_CNode_Revoke(ROOT, other, DEPTH), 0);
	runtime_must(memory_map(object_copy(other), at + PAGE, seL4_ReadWrite), "map");
	check("state.revoked", !used(s2), "VMEnter uses a page that was revoked");
	/* part of a large frame, derived or split off */
	runtime_must(insula_Frame_Derive(m.frame, ROOT, part, DEPTH, seL4_ReadWrite, 3 * PAGE, 12), "derive");
	runtime_must(memory_map(object_copy(part), at + 2 * PAGE, seL4_ReadWrite), "map");
	s = (volatile struct insula_vcpu_state *)(at + 2 * PAGE);
	check_error("state.set_part", insula_VCPU_SetStatePage(vcpu, part), 0);
	check("state.part_used", used(s), "VMEnter does not use it");
	check_equal("state.split_below", insula_Frame_Split(m.frame, ROOT, memory_node(9), DEPTH, 0, 0).left,
		    0);
	check("state.part_still_used", used(s), "VMEnter does not use it");
	check_error("state.revoke_memory", seL4_CNode_Revoke(ROOT, m.untyped, DEPTH), 0);
	check_error("state.memory_again", seL4_Untyped_Retype(m.untyped, seL4_X86_4K, 0, ROOT, 0, 0, part, 1),
		    0);
	check_equal("state.none_left", seL4_VMEnter(&(seL4_Word){0}), RESULT_EXIT);
	check_error("state.set_before_delete", insula_VCPU_SetStatePage(vcpu, part), 0);
	check_error("state.delete_vcpu", seL4_CNode_Delete(ROOT, vcpu, DEPTH), 0);
	check_error("state.frame_is_free", seL4_CNode_Revoke(ROOT, m.untyped, DEPTH), 0);
}
