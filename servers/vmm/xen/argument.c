#include "servers/vmm/xen/argument.h"

#define PIECE 64u

bool argument_read(struct vcpu *v, const struct compat_layout *l, bool abi32, uint64_t at, void *native)
{
	uint8_t bytes[COMPAT_BYTES];

	if (!abi32)
		return guest_read(v, gva(at), native, l->native_bytes);
	if (!guest_read(v, gva(at), bytes, l->compat_bytes))
		return false;
	compat_to_native(l, bytes, native);
	return true;
}

bool argument_write(struct vcpu *v, const struct compat_layout *l, bool abi32, uint64_t at, const void *native)
{
	uint8_t bytes[COMPAT_BYTES];

	if (!abi32)
		return guest_write(v, gva(at), native, l->native_bytes);
	compat_from_native(l, native, bytes);
	return guest_write(v, gva(at), bytes, l->compat_bytes);
}

uint64_t argument_size(const struct compat_layout *l, bool abi32)
{
	return abi32 ? l->compat_bytes : l->native_bytes;
}

uint64_t argument_offset(const struct compat_layout *l, bool abi32, uint32_t native)
{
	return abi32 ? compat_offset(l, native) : native;
}

bool argument_words_read(struct vcpu *v, bool abi32, uint64_t array, uint64_t first, uint64_t *word, uint64_t n)
{
	uint32_t half[PIECE];

	if (!abi32)
		return guest_read(v, gva(array + first * sizeof(*word)), word, n * sizeof(*word));
	for (uint64_t done = 0, now; done < n; done += now) {
		now = n - done < PIECE ? n - done : PIECE;
		if (!guest_read(v, gva(array + (first + done) * sizeof(half[0])), half, now * sizeof(half[0])))
			return false;
		for (uint64_t i = 0; i < now; i++)
			word[done + i] = half[i];
	}
	return true;
}

bool argument_word_write(struct vcpu *v, bool abi32, uint64_t array, uint64_t index, uint64_t word)
{
	uint32_t half = (uint32_t)word;

	return abi32 ? guest_write(v, gva(array + index * sizeof(half)), &half, sizeof(half)) : guest_write(v, gva(array + index * sizeof(word)), &word, sizeof(word));
}
