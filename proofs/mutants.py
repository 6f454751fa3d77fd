"""Mistakes that a proof has to find: unit, file, text and what it is replaced by, functions that are proved anew."""

MUTANTS = [
    ("cap", "kernel/cap/derive.c", "cap_endpoint_can_grant(cap) && grant)", "cap_endpoint_can_grant(cap) || grant)", ["cap_mask_rights"]),
    ("cap", "kernel/cap/derive.c", "if (!read || !(cap_frame_rights(cap) & CAP_RIGHT_READ))", "if (!read)", ["cap_mask_rights"]),
    ("cap", "kernel/cap/derive.c", "size + cap_cnode_radix(cap) > seL4_WordBits", "size > seL4_WordBits", ["derive_guard"]),
    ("cap", "kernel/cap/derive.c", "preserve || cap_endpoint_badge(cap) != 0", "preserve", ["cap_update_data"]),
    ("cap", "kernel/cap/derive.c", "if (cap_frame_split(cap))", "if (0)", ["cap_derive"]),
]
