/*
 * VMCS fields that are the same on both vendors: what is kept in struct vcpu, and what never changes. Each
 * answers false if the field is not one of its own. Called by svm_field.c and vmx_field.c.
 */
#ifndef ARCH_X86_VIRT_FIELD_H
#define ARCH_X86_VIRT_FIELD_H

#include <stdbool.h>
#include <stdint.h>

struct vcpu;

/* The last exit's. Read-only. */
bool virt_field_read_exit(const struct vcpu *v, uint32_t field, uint64_t *value);
/* What a VMM chooses, and the event to be injected. They take effect with the next entry. */
bool virt_field_read_control(const struct vcpu *v, uint32_t field, uint64_t *value);
bool virt_field_write_control(struct vcpu *v, uint32_t field, uint64_t value);
/* Controls that are as they are. VTX_FIELD_ENTRY_CONTROLS is in long mode if the guest is. */
bool virt_field_constant(uint32_t field, bool long_mode, uint64_t *value);

#endif
