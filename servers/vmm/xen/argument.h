/* A hypercall's structures in guest memory, in the layout of the ABI that the call was made by. Each function reads or writes what it names once. */
#ifndef XEN_ARGUMENT_H
#define XEN_ARGUMENT_H

#include "servers/vmm/vmm.h"
#include "servers/vmm/xen/compat.h"

/* False: not the guest's memory. `native` is of l->native_bytes. */
bool argument_read(struct vcpu *v, const struct compat_layout *l, bool abi32, uint64_t at, void *native);
bool argument_write(struct vcpu *v, const struct compat_layout *l, bool abi32, uint64_t at, const void *native);
/* How far elements of an array are apart, and where the member is that begins at `native` of the native structure. */
uint64_t argument_size(const struct compat_layout *l, bool abi32);
uint64_t argument_offset(const struct compat_layout *l, bool abi32, uint32_t native);

/* Arrays of xen_ulong_t or xen_pfn_t: n elements from number `first` on. A number that does not fit loses its upper half. */
bool argument_words_read(struct vcpu *v, bool abi32, uint64_t array, uint64_t first, uint64_t *word, uint64_t n);
bool argument_word_write(struct vcpu *v, bool abi32, uint64_t array, uint64_t index, uint64_t word);

#endif
