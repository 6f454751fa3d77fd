#include "servers/console/keymap.h"

#include <string.h>

/* By make code 0x00..0x39; 0: no character. */
static const char plain[0x3a] = "\0\0331234567890-=\177\tqwertyuiop[]\r\0asdfghjkl;'`\0\\zxcvbnm,./\0*\0 ";
static const char shifted[0x3a] = "\0\033!@#$%^&*()_+\177\tQWERTYUIOP{}\r\0ASDFGHJKL:\"~\0|ZXCVBNM<>?\0*\0 ";

/* Cursor keys and their neighbours: what an xterm sends. By make code, both on the keypad and with E0. */
static const struct {
	uint8_t code;
	char text[5];
} cursor[] = {
	{0x47, "\033[H"}, {0x48, "\033[A"}, {0x49, "\033[5~"}, {0x4b, "\033[D"}, {0x4d, "\033[C"},
	{0x4f, "\033[F"}, {0x50, "\033[B"}, {0x51, "\033[6~"}, {0x52, "\033[2~"}, {0x53, "\033[3~"},
};

static unsigned text(const char *s, char out[8])
{
	unsigned n = (unsigned)strlen(s);

	memcpy(out, s, n);
	return n;
}

static unsigned character(const struct keymap *k, uint8_t code, char out[8])
{
	bool shift = k->shift_left || k->shift_right;
	char c = shift ? shifted[code] : plain[code];
	unsigned n = 0;

	if (!c)
		return 0;
	if (k->caps && plain[code] >= 'a' && plain[code] <= 'z')
		c = shift ? plain[code] : shifted[code];
	if (k->control && ((c >= '@' && c <= '_') || (c >= 'a' && c <= 'z')))
		c = (char)(c & 0x1f);
	else if (k->control && c == ' ')
		c = 0;
	if (k->alt)
		out[n++] = '\033';
	out[n++] = c;
	return n;
}

static bool modifier(struct keymap *k, uint8_t code, bool down, bool extended)
{
	switch (code) {
	case 0x2a:
		/* E0 2A and E0 36 are fake shifts around cursor keys */
		if (!extended)
			k->shift_left = down;
		return true;
	case 0x36:
		if (!extended)
			k->shift_right = down;
		return true;
	case 0x1d:
		k->control = down;
		return true;
	case 0x38:
		k->alt = down;
		return true;
	case 0x3a:
		if (down)
			k->caps = !k->caps;
		return true;
	default:
		return false;
	}
}

unsigned keymap_key(struct keymap *k, uint8_t code, char out[8])
{
	bool extended = k->extended, down = !(code & 0x80);

	if (k->skip) {
		k->skip--;
		return 0;
	}
	if (code == 0xe0 || code == 0xe1) {
		k->extended = code == 0xe0;
		k->skip = code == 0xe1 ? 2 : 0; /* Pause: E1 and two more */
		return 0;
	}
	k->extended = false;
	code &= 0x7f;
	if (modifier(k, code, down, extended) || !down)
		return 0;
	for (unsigned i = 0; i < sizeof(cursor) / sizeof(cursor[0]); i++)
		if (cursor[i].code == code)
			return text(cursor[i].text, out);
	if (extended)
		return code == 0x1c ? text("\r", out) : code == 0x35 ? text("/", out) : 0;
	return code < sizeof(plain) ? character(k, code, out) : 0;
}
