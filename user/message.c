/* Messages as bounded word buffers. See message.h. The part without system calls; message_call.c has the rest. */
#include "user/message.h"

#include <string.h>

static uint32_t message_words_of(size_t bytes)
{
	return (uint32_t)((bytes + 7) / 8);
}

void message_begin(struct message *m)
{
	m->length = m->at = 0;
	m->failed = false;
}

/* n words at the end, zeroed; NULL if there is no room. */
static uint64_t *message_extend(struct message *m, size_t n)
{
	uint64_t *at = &m->word[m->length];

	if (n > MESSAGE_WORDS - m->length) {
		m->failed = true;
		return NULL;
	}
	memset(at, 0, n * 8);
	m->length += (uint32_t)n;
	return at;
}

void message_put(struct message *m, uint64_t word)
{
	uint64_t *at = message_extend(m, 1);

	if (at)
		*at = word;
}

void message_put_bytes(struct message *m, const void *bytes, size_t n)
{
	uint64_t *at = n <= MESSAGE_BYTES ? message_extend(m, message_words_of(n)) : NULL;

	if (!at)
		m->failed = true;
	else if (n) /* of nothing there need not be an address */
		memcpy(at, bytes, n);
}

void message_put_string(struct message *m, const char *text)
{
	size_t room = (size_t)(MESSAGE_WORDS - m->length) * 8, n;

	if (room == 0) {
		m->failed = true;
		return;
	}
	n = strnlen(text, room - 1);
	memcpy(message_extend(m, message_words_of(n + 1)), text, n);
}

void message_put_field(struct message *m, const char *text, unsigned n)
{
	uint64_t *at = n ? message_extend(m, n) : NULL;

	if (at)
		memcpy(at, text, strnlen(text, (size_t)n * 8 - 1));
}

void message_begin_read(struct message *m)
{
	if (m->length > MESSAGE_WORDS)
		m->length = MESSAGE_WORDS;
	m->at = 0;
	m->failed = false;
}

uint32_t message_left(const struct message *m)
{
	return m->length - m->at;
}

uint64_t message_get(struct message *m)
{
	if (m->at == m->length) {
		m->failed = true;
		return 0;
	}
	return m->word[m->at++];
}

bool message_get_bytes(struct message *m, void *bytes, size_t n)
{
	if (n > MESSAGE_BYTES || message_words_of(n) > message_left(m)) {
		memset(bytes, 0, n);
		m->failed = true;
		return false;
	}
	memcpy(bytes, &m->word[m->at], n);
	m->at += message_words_of(n);
	return true;
}

/* The bytes of n words as text. */
static void message_text(struct message *m, char *text, size_t size, uint32_t n)
{
	const char *from = (const char *)&m->word[m->at];
	size_t length = strnlen(from, (size_t)n * 8);

	if (size == 0)
		return;
	if (length > size - 1)
		length = size - 1;
	memcpy(text, from, length);
	text[length] = 0;
	m->at += n;
}

void message_get_string(struct message *m, char *text, size_t size)
{
	message_text(m, text, size, message_left(m));
}

void message_get_field(struct message *m, char *text, size_t size, unsigned n)
{
	if (n > message_left(m)) {
		m->failed = true;
		n = message_left(m);
	}
	message_text(m, text, size, n);
}
