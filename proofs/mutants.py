"""Mistakes that a proof has to find: unit, file, text and what it is replaced by, functions that are proved anew."""

MUTANTS = [
    ("fields_cap", "kernel/cap/cap_fields.h", "x.w[1] = (x.w[1] & 0xfdffffffffffffffull) | ((v & 0x1ull) << 57);\n\treturn x;\n}\n"
     "/*@ axiomatic cap_endpoint_badge", "x.w[1] = (x.w[1] & 0xfcffffffffffffffull) | ((v & 0x1ull) << 57);\n\treturn x;\n}\n"
     "/*@ axiomatic cap_endpoint_badge", ["cap_untyped_with_device"]),
    ("fields_mm", "kernel/arch/x86/mm/pte_fields.h", "(x.w[0] >> 63) & 0x1ull);", "(x.w[0] >> 62) & 0x1ull);", ["pte_nx"]),
    ("cap", "kernel/cap/derive.c", "cap_endpoint_can_grant(cap) && grant)", "cap_endpoint_can_grant(cap) || grant)", ["cap_mask_rights"]),
    ("cap", "kernel/cap/derive.c", "if (!read || !(cap_frame_rights(cap) & CAP_RIGHT_READ))", "if (!read)", ["cap_mask_rights"]),
    ("cap", "kernel/cap/derive.c", "size + cap_cnode_radix(cap) > seL4_WordBits", "size > seL4_WordBits", ["derive_guard"]),
    ("cap", "kernel/cap/derive.c", "preserve || cap_endpoint_badge(cap) != 0", "preserve", ["cap_update_data"]),
    ("cap", "kernel/cap/derive.c", "if (cap_frame_split(cap))", "if (0)", ["cap_derive"]),
    ("order", "kernel/cap/mdb.c", "return a0 <= b0 && b1 <= a1;", "return a0 <= b0;", ["mdb_region_contains"]),
    ("order", "kernel/cap/mdb.c", "badge == cap_endpoint_badge(c) && !mdb_first_badged(child->mdb)", "badge == cap_endpoint_badge(c)",
     ["cte_is_parent"]),
    ("order", "kernel/cap/mdb.c", "mdb_attach(child->mdb) > mdb_depth(parent->mdb)", "mdb_attach(child->mdb) >= mdb_depth(parent->mdb)",
     ["cte_is_parent"]),
    ("order", "kernel/cap/mdb.c", "if (mdb_attach(c->mdb) > attach)", "if (mdb_attach(c->mdb) < attach)", ["mdb_lower_attach"]),
    ("vspace", "kernel/object/vspace_walk.c", "pte_present(e) && !pte_large(e) && pte_base(e)", "pte_present(e) && pte_base(e)",
     ["vspace_is_table"]),
    ("vspace", "kernel/object/vspace_walk.h", "PAGE_BITS + 9 * (level - 1)", "PAGE_BITS + 8 * (level - 1)", ["vspace_level_bits"]),
    ("cnode", "kernel/cap/cnode.c", "return cptr >> low & MASK(count);", "return cptr & MASK(count);", ["cnode_bits"]),
    ("cnode", "kernel/cap/cnode.c", "if (level > left)", "if (level > left + 1)", ["cnode_resolve"]),
    ("cnode", "kernel/cap/cnode.c", "cnode_bits(cptr, left - guard_bits, guard_bits) != guard", "cnode_bits(cptr, left - guard_bits, radix) != guard",
     ["cnode_resolve"]),
    ("cnode", "kernel/cap/cnode.c", "if (r.bits_left != 0) {", "if (0) {", ["cnode_target_slot"]),
    ("cnode", "kernel/cap/cnode.c", "if (cap_type(*node) == CAP_CNODE)", "if (1)", ["cnode_target_node"]),
    ("cnode", "kernel/api/lookup.h", "guard != cap_cnode_guard(root)", "guard == cap_cnode_guard(root)", ["lookup_slot_short"]),
    ("cnode", "kernel/api/lookup.h", "root.w[1] != t->cspace_word || ", "", ["lookup_slot_short"]),
    ("cnode", "kernel/api/lookup.h", "cap_cnode_guard_size(root) != seL4_WordBits", "cap_cnode_guard_size(root) > seL4_WordBits", ["lookup_remember"]),
    ("ready", "kernel/sched/ready.c", "return v & ~BIT(i);", "return v ^ BIT(i);", ["ready_bit_clear"]),
    ("ready", "kernel/sched/ready.c", "if (!p->ready_l2[prio / 64])", "if (p->ready_l2[prio / 64])", ["ready_unmark"]),
    ("ready", "kernel/sched/ready.c", "\t\tq->tail = t->queue_prev;\n", "\t\tq->tail = NULL;\n", ["ready_unlink"]),
]
