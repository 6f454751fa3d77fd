/* Formatted text. See format.h. */
#include "user/format.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct format_out {
	char *to;
	size_t size, length; /* length counts what does not fit, too */
};

struct format_spec {
	bool left, zero, plus, space, alternate;
	int width, precision; /* precision -1: none */
	int size;             /* -2 hh, -1 h, 0, 1 l ll z j t (all 64 bits) */
};

static void format_char(struct format_out *o, char c)
{
	if (o->length + 1 < o->size)
		o->to[o->length] = c;
	o->length++;
}

static void format_fill(struct format_out *o, char c, int n)
{
	for (; n > 0; n--)
		format_char(o, c);
}

static void format_text(struct format_out *o, const struct format_spec *s, const char *text)
{
	size_t n = s->precision >= 0 ? strnlen(text, (size_t)s->precision) : strlen(text);
	int pad = s->width > 0 && (size_t)s->width > n ? s->width - (int)n : 0;

	if (!s->left)
		format_fill(o, ' ', pad);
	for (size_t i = 0; i < n; i++)
		format_char(o, text[i]);
	if (s->left)
		format_fill(o, ' ', pad);
}

static void format_number(struct format_out *o, const struct format_spec *s, uint64_t value, unsigned base, bool upper, const char *sign)
{
	char digits[24];
	int count = 0, zeros, pad, prefix = (int)strlen(sign);
	bool zero_value = value == 0;

	for (; value; value /= base)
		digits[count++] = (upper ? "0123456789ABCDEF" : "0123456789abcdef")[value % base];
	if (zero_value && s->precision != 0)
		digits[count++] = '0';
	if (s->alternate && base == 16 && !zero_value)
		prefix += 2;
	zeros = s->precision > count ? s->precision - count : 0;
	if (s->alternate && base == 8 && zeros == 0 && (count == 0 || digits[count - 1] != '0'))
		zeros = 1;
	pad = s->width - prefix - zeros - count;
	if (s->zero && !s->left && s->precision < 0 && pad > 0) {
		zeros += pad;
		pad = 0;
	}
	if (!s->left)
		format_fill(o, ' ', pad);
	while (*sign)
		format_char(o, *sign++);
	if (s->alternate && base == 16 && !zero_value) {
		format_char(o, '0');
		format_char(o, upper ? 'X' : 'x');
	}
	format_fill(o, '0', zeros);
	while (count)
		format_char(o, digits[--count]);
	if (s->left)
		format_fill(o, ' ', pad);
}

static int format_int(const char **p)
{
	int n = 0;

	for (; **p >= '0' && **p <= '9'; (*p)++)
		n = n < 100000 ? n * 10 + (**p - '0') : n;
	return n;
}

static const char *format_flags(const char *p, struct format_spec *s)
{
	for (;; p++) {
		if (*p == '-')
			s->left = true;
		else if (*p == '0')
			s->zero = true;
		else if (*p == '+')
			s->plus = true;
		else if (*p == ' ')
			s->space = true;
		else if (*p == '#')
			s->alternate = true;
		else
			return p;
	}
}

static const char *format_size(const char *p, struct format_spec *s)
{
	if (*p == 'h') {
		s->size = p[1] == 'h' ? -2 : -1;
		return p + (p[1] == 'h' ? 2 : 1);
	}
	if (*p == 'l') {
		s->size = 1;
		return p + (p[1] == 'l' ? 2 : 1);
	}
	if (*p == 'z' || *p == 'j' || *p == 't') {
		s->size = 1;
		return p + 1;
	}
	return p;
}

/* va_list in a structure: it may be an array, which cannot be passed by reference portably. */
struct format_arguments {
	va_list list;
};

static const char *format_spec(const char *p, struct format_spec *s, struct format_arguments *a)
{
	*s = (struct format_spec){.precision = -1};
	p = format_flags(p, s);
	if (*p == '*') {
		s->width = va_arg(a->list, int);
		if (s->width < 0) {
			s->left = true;
			s->width = -s->width;
		}
		p++;
	} else {
		s->width = format_int(&p);
	}
	if (*p == '.') {
		p++;
		if (*p == '*') {
			s->precision = va_arg(a->list, int);
			p++;
		} else {
			s->precision = format_int(&p);
		}
		if (s->precision < 0)
			s->precision = -1;
	}
	return format_size(p, s);
}

static int64_t format_signed(const struct format_spec *s, struct format_arguments *a)
{
	if (s->size == 1)
		return va_arg(a->list, int64_t);
	if (s->size == -1)
		return (short)va_arg(a->list, int);
	if (s->size == -2)
		return (signed char)va_arg(a->list, int);
	return va_arg(a->list, int);
}

static uint64_t format_unsigned(const struct format_spec *s, struct format_arguments *a)
{
	if (s->size == 1)
		return va_arg(a->list, uint64_t);
	if (s->size == -1)
		return (unsigned short)va_arg(a->list, unsigned);
	if (s->size == -2)
		return (unsigned char)va_arg(a->list, unsigned);
	return va_arg(a->list, unsigned);
}

/* One conversion; false if its letter is not ours. */
static bool format_one(struct format_out *o, struct format_spec *s, char letter, struct format_arguments *a)
{
	char one[2] = {0};
	const char *text;
	int64_t value;

	switch (letter) {
	case 'd':
	case 'i':
		value = format_signed(s, a);
		format_number(o, s, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, 10, false,
			      value < 0 ? "-" : s->plus ? "+" : s->space ? " " : "");
		return true;
	case 'u':
		format_number(o, s, format_unsigned(s, a), 10, false, "");
		return true;
	case 'x':
	case 'X':
		format_number(o, s, format_unsigned(s, a), 16, letter == 'X', "");
		return true;
	case 'o':
		format_number(o, s, format_unsigned(s, a), 8, false, "");
		return true;
	case 'p':
		s->alternate = true;
		format_number(o, s, (uint64_t)(uintptr_t)va_arg(a->list, void *), 16, false, "");
		return true;
	case 'c':
		one[0] = (char)va_arg(a->list, int);
		format_fill(o, ' ', s->left ? 0 : s->width - 1);
		format_char(o, one[0]);
		format_fill(o, ' ', s->left ? s->width - 1 : 0);
		return true;
	case 's':
		text = va_arg(a->list, const char *);
		format_text(o, s, text ? text : "(null)");
		return true;
	case '%':
		format_char(o, '%');
		return true;
	default:
		return false;
	}
}

int format_print(char *to, size_t size, const char *format, va_list list)
{
	struct format_out o = {to, size, 0};
	struct format_arguments a;

	va_copy(a.list, list);
	while (*format) {
		const char *start = format;
		struct format_spec s;

		if (*format != '%') {
			format_char(&o, *format++);
			continue;
		}
		format = format_spec(format + 1, &s, &a);
		if (*format && format_one(&o, &s, *format, &a)) {
			format++;
			continue;
		}
		while (start < format)
			format_char(&o, *start++);
	}
	va_end(a.list);
	if (size)
		to[o.length < size ? o.length : size - 1] = 0;
	return (int)o.length;
}
