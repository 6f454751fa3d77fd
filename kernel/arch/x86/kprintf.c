/* Formatted output to the kernel's console. Called by everyone, at any time; keeps no state and takes no
 * memory. */
#include "arch/x86/kprintf.h"
#include "panic.h"

struct kprintf_spec {
	bool left, zero, wide, upper;
	int width;
	int precision; /* -1: none */
};

struct kprintf_out {
	void (*put)(void *ctx, char c);
	void *ctx;
};

static void kprintf_pad(const struct kprintf_out *o, char c, int n)
{
	for (; n > 0; n--)
		o->put(o->ctx, c);
}

static void kprintf_padded(const struct kprintf_out *o, const struct kprintf_spec *s, const char *text,
			   int length)
{
	if (!s->left)
		kprintf_pad(o, ' ', s->width - length);
	for (int i = 0; i < length; i++)
		o->put(o->ctx, text[i]);
	if (s->left)
		kprintf_pad(o, ' ', s->width - length);
}

static void kprintf_number(const struct kprintf_out *o, const struct kprintf_spec *s, uint64_t v,
			   unsigned base, const char *prefix, int prefix_length)
{
	const char *digits = s->upper ? "0123456789ABCDEF" : "0123456789abcdef";
	char text[24];
	int at = (int)sizeof(text), zeros;

	do {
		text[--at] = digits[v % base];
		v /= base;
	} while (v != 0);
	if (s->zero && !s->left) {
		zeros = s->width - prefix_length - ((int)sizeof(text) - at);
		for (int i = 0; i < prefix_length; i++)
			o->put(o->ctx, prefix[i]);
		kprintf_pad(o, '0', zeros);
		prefix_length = 0;
		for (; at < (int)sizeof(text); at++)
			o->put(o->ctx, text[at]);
		return;
	}
	while (prefix_length > 0)
		text[--at] = prefix[--prefix_length];
	kprintf_padded(o, s, text + at, (int)sizeof(text) - at);
}

static void kprintf_string(const struct kprintf_out *o, const struct kprintf_spec *s, const char *text)
{
	int length = 0;

	if (text == NULL)
		text = "(null)";
	while ((s->precision < 0 || length < s->precision) && text[length] != '\0')
		length++;
	kprintf_padded(o, s, text, length);
}

static const char *kprintf_parse(const char *f, struct kprintf_spec *s, va_list *args)
{
	const int most = 255;

	*s = (struct kprintf_spec){.precision = -1};
	for (; *f == '0' || *f == '-'; f++) {
		if (*f == '-')
			s->left = true;
		else
			s->zero = true;
	}
	if (*f == '*') {
		s->width = va_arg(*args, int);
		if (s->width < 0) {
			s->left = true;
			s->width = s->width < -most ? most : -s->width;
		}
		f++;
	}
	for (; *f >= '0' && *f <= '9'; f++)
		if (s->width <= most)
			s->width = s->width * 10 + (*f - '0');
	if (s->width > most)
		s->width = most;
	if (*f == '.') {
		f++;
		s->precision = 0;
		if (*f == '*') {
			s->precision = va_arg(*args, int);
			f++;
		}
		for (; *f >= '0' && *f <= '9'; f++)
			if (s->precision < 100000)
				s->precision = s->precision * 10 + (*f - '0');
	}
	for (; *f == 'l' || *f == 'z'; f++)
		s->wide = true;
	return f;
}

static void kprintf_signed(const struct kprintf_out *o, const struct kprintf_spec *s, int64_t v)
{
	if (v < 0)
		kprintf_number(o, s, -(uint64_t)v, 10, "-", 1);
	else
		kprintf_number(o, s, (uint64_t)v, 10, "", 0);
}

/* Calls put(ctx, c) for each character. No floating point, no %n; a NULL string is shown as "(null)". */
static void kprintf_format(void (*put)(void *ctx, char c), void *ctx, const char *format, va_list list)
{
	const struct kprintf_out o = {put, ctx};
	struct kprintf_spec s;
	va_list args;
	char c;

	va_copy(args, list);
	for (const char *f = format; *f != '\0'; f++) {
		if (*f != '%') {
			put(ctx, *f);
			continue;
		}
		const char *start = f;
		f = kprintf_parse(f + 1, &s, &args);
		switch (*f) {
		case 'd':
		case 'i':
			kprintf_signed(&o, &s, s.wide ? va_arg(args, int64_t) : va_arg(args, int));
			break;
		case 'u':
			kprintf_number(&o, &s, s.wide ? va_arg(args, uint64_t) : va_arg(args, unsigned), 10,
				       "", 0);
			break;
		case 'X':
			s.upper = true;
			kprintf_number(&o, &s, s.wide ? va_arg(args, uint64_t) : va_arg(args, unsigned), 16,
				       "", 0);
			break;
		case 'x':
			kprintf_number(&o, &s, s.wide ? va_arg(args, uint64_t) : va_arg(args, unsigned), 16,
				       "", 0);
			break;
		case 'p':
			kprintf_number(&o, &s, (uint64_t)(uintptr_t)va_arg(args, void *), 16, "0x", 2);
			break;
		case 'c':
			c = (char)va_arg(args, int);
			kprintf_padded(&o, &s, &c, 1);
			break;
		case 's':
			kprintf_string(&o, &s, va_arg(args, const char *));
			break;
		case '%':
			put(ctx, '%');
			break;
		default:
			for (; start < f; start++)
				put(ctx, *start);
			if (*f == '\0') {
				va_end(args);
				return;
			}
			put(ctx, *f);
		}
	}
	va_end(args);
}

static void kprintf_put(void *ctx, char c)
{
	(void)ctx;
	kputchar(c);
}

void kprintf_list(const char *format, va_list args)
{
	kprintf_format(kprintf_put, NULL, format, args);
}

void kprintf(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	kprintf_list(format, args);
	va_end(args);
}

struct kprintf_buffer {
	char *at;
	size_t left; /* without the NUL */
};

static void kprintf_store(void *ctx, char c)
{
	struct kprintf_buffer *b = ctx;

	if (b->left == 0)
		return;
	*b->at++ = c;
	b->left--;
}

void kprintf_text(char *buffer, size_t size, const char *format, ...)
{
	struct kprintf_buffer b = {buffer, size - 1};
	va_list args;

	if (size == 0)
		return;
	va_start(args, format);
	kprintf_format(kprintf_store, &b, format, args);
	va_end(args);
	*b.at = '\0';
}
