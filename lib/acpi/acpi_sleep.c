/*
 * Recognises \_S1_ to \_S5_ in AML (ACPI 6.4, 7.4.2 and 20.2) without an interpreter: DefName, the name, and
 * a package of constants. Called for S5 by who powers the machine off before or without an operating system.
 * Reads the table in pieces. Contract in acpi.h.
 */
#include "acpi/acpi.h"

enum {
	WINDOW = 256,
	FORM = 32, /* more than the form we look for can take: name, package head, two constants */

	AML_ZERO = 0x00,
	AML_ONE = 0x01,
	AML_NAME = 0x08,
	AML_BYTE = 0x0a,
	AML_WORD = 0x0b,
	AML_DWORD = 0x0c,
	AML_PACKAGE = 0x12,
	AML_ONES = 0xff,
};

/* A constant integer at *at; only its low byte counts for a sleep type. */
static bool constant(const uint8_t *p, size_t n, size_t *at, uint8_t *out)
{
	size_t i = *at, bytes;

	if (i >= n)
		return false;
	switch (p[i++]) {
	case AML_ZERO:
		*out = 0;
		*at = i;
		return true;
	case AML_ONE:
		*out = 1;
		*at = i;
		return true;
	case AML_ONES:
		*out = 0xff;
		*at = i;
		return true;
	case AML_BYTE:
		bytes = 1;
		break;
	case AML_WORD:
		bytes = 2;
		break;
	case AML_DWORD:
		bytes = 4;
		break;
	default:
		return false;
	}
	if (n - i < bytes)
		return false;
	*out = p[i];
	*at = i + bytes;
	return true;
}

/* p[0..n) begins with DefName of \_Sx_ or _Sx_ with a package of at least one constant. */
static bool match(const uint8_t *p, size_t n, uint8_t digit, struct acpi_sleep *out)
{
	const uint8_t name[4] = {'_', 'S', digit, '_'};
	size_t at = 1;
	uint8_t a, b;

	if (n < 2 || p[0] != AML_NAME)
		return false;
	if (p[at] == '\\')
		at++;
	if (n - at < 7 || memcmp(p + at, name, sizeof(name)) != 0 || p[at + 4] != AML_PACKAGE)
		return false;
	at += 5;
	size_t follow = p[at] >> 6; /* PkgLength: more bytes of the length */
	at += 1 + follow;
	if (at >= n)
		return false;
	uint8_t elements = p[at++];
	if (elements < 1 || !constant(p, n, &at, &a))
		return false;
	/* Where there is no PM1b block, tables may leave its value out. */
	if (elements < 2 || !constant(p, n, &at, &b))
		b = 0;
	out->type_a = a & 7;
	out->type_b = b & 7;
	return true;
}

enum acpi_error acpi_sleep_find(const struct mem_reader *r, const struct acpi_entry *dsdt, unsigned state,
				struct acpi_sleep *out)
{
	uint8_t window[WINDOW + FORM];

	if (state < 1 || state > 5)
		return ACPI_NOT_FOUND;
	if (dsdt->length < ACPI_HEADER || dsdt->length > ACPI_TABLE_MAX)
		return ACPI_BAD_LENGTH;
	for (uint32_t at = ACPI_HEADER; at < dsdt->length; at += WINDOW) {
		uint32_t n = dsdt->length - at;
		if (n > sizeof(window))
			n = sizeof(window);
		if (!mem_read(r, dsdt->paddr + at, window, n))
			return ACPI_UNREADABLE;
		for (uint32_t i = 0; i < n && i < WINDOW; i++)
			if (match(window + i, n - i, (uint8_t)('0' + state), out))
				return ACPI_OK;
	}
	return ACPI_NOT_FOUND;
}
