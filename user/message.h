/*
 * Messages as a buffer of words that is filled, sent, and read back: bounded on both sides, copied out of the IPC buffer once.
 * Text and structures go as whole words, the last one filled up with zeros.
 */
#ifndef USER_MESSAGE_H
#define USER_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "sel4/types.h"

#define MESSAGE_WORDS seL4_MsgMaxLength
#define MESSAGE_BYTES (MESSAGE_WORDS * 8u)

struct message {
	uint64_t word[MESSAGE_WORDS];
	uint32_t length; /* words */
	uint32_t at;     /* next to be read */
	bool failed;     /* something did not fit, or was not there */
};

/* ---- filling ---- */

void message_begin(struct message *m);
/* Past the end: `failed` is set, nothing is written. */
void message_put(struct message *m, uint64_t word);
void message_put_bytes(struct message *m, const void *bytes, size_t n);
/* With its NUL; cut to the words that are left. */
void message_put_string(struct message *m, const char *text);
/* A field of exactly n words: cut (a NUL always remains) or filled up. */
void message_put_field(struct message *m, const char *text, unsigned n);

/* ---- reading: begins at word 0 after message_begin_read, message_receive or message_call ---- */

void message_begin_read(struct message *m);
/* 0 and `failed` when there is none. */
uint64_t message_get(struct message *m);
/* Exactly n bytes, in whole words; zeros and false if there are fewer. */
bool message_get_bytes(struct message *m, void *bytes, size_t n);
/* What is left of the message as text of at most size - 1 bytes, up to its NUL. */
void message_get_string(struct message *m, char *text, size_t size);
/* A field of n words as text; size is at least 8 * n + 1, or the text is cut. */
void message_get_field(struct message *m, char *text, size_t size, unsigned n);
/* Words not yet read. */
uint32_t message_left(const struct message *m);

/* ---- labels: 0 or a negative errno as 52 bits ---- */

static inline uint64_t message_label_of(int64_t result)
{
	return (uint64_t)result & 0xfffffffffffffull;
}

static inline int message_result_of(uint64_t label)
{
	return (int)((int64_t)(label << 12) >> 12);
}

/* ---- with the IPC buffer ---- */

/* Copies a received message out. Begins reading. */
void message_receive(struct message *m, seL4_MessageInfo_t info);
/* Copies a message to the IPC buffer. The info for sending it, without capabilities. */
seL4_MessageInfo_t message_send(const struct message *m, uint64_t label);
/*
 * Calls and takes the answer into *m, to be read. Returns the answer's result: 0 or a negative errno; -EMSGSIZE if the message had not fitted (nothing
 * is sent).
 */
int message_call(struct message *m, seL4_CPtr endpoint, uint64_t label);
/* The same of n words, at most 4, with a result and nothing else for an answer: it goes in registers alone. */
int message_call_short(seL4_CPtr endpoint, uint64_t label, unsigned n, const uint64_t word[4]);
/* With one extra capability (0: none), and up to one received into `receive` (0: none), an empty slot. *got says whether one came. */
int message_call_cap(struct message *m, seL4_CPtr endpoint, uint64_t label, seL4_CPtr cap, seL4_CPtr receive, bool *got);

#endif
