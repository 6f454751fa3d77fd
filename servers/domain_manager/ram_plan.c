#include "servers/domain_manager/ram.h"

#include <errno.h>

#define LARGE_BITS 21u
#define HUGE_BITS  30u
#define SMALL_BITS 12u

static int plan(uint64_t gpa, uint64_t bytes, struct ram_piece *piece, int count)
{
	while (bytes) {
		unsigned bits = 63u - (unsigned)__builtin_clzll(bytes);

		/* a piece may not be less aligned than it is large: the CPU's large pages want that */
		while (gpa & ((1ull << bits) - 1))
			bits--;
		if (count == DOMAIN_PIECES)
			return -E2BIG;
		piece[count++] = (struct ram_piece){gpa, bits};
		gpa += 1ull << bits;
		bytes -= 1ull << bits;
	}
	return count;
}

int ram_plan(uint64_t bytes, struct ram_piece piece[DOMAIN_PIECES])
{
	uint64_t low = bytes < RAM_LOW_END ? bytes : RAM_LOW_END;
	int count = plan(0, low, piece, 0);

	if (count < 0 || bytes == low)
		return count;
	return plan(RAM_HIGH_GPA, bytes - low, piece, count);
}

unsigned ram_frame_bits(unsigned size_bits, bool huge)
{
	return huge && size_bits >= HUGE_BITS ? HUGE_BITS : size_bits >= LARGE_BITS ? LARGE_BITS : SMALL_BITS;
}

uint32_t ram_frames(const struct ram_piece *piece, int count, bool huge)
{
	uint32_t n = 0;

	for (int i = 0; i < count; i++)
		n += 1u << (piece[i].size_bits - ram_frame_bits(piece[i].size_bits, huge));
	return n;
}
