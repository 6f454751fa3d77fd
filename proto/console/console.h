/*
 * The console server: who has the serial port, screen and keyboard. A client has one page shared with the
 * console (console's memory): two byte rings (lib/ring) and notifications both ways; nothing that a client does to the
 * rings hurts anyone else.
 *
 * Calls (endpoint, by badge: task id of a trusted server):
 */
#ifndef PROTO_CONSOLE_H
#define PROTO_CONSOLE_H

#include <stdint.h>

enum console_call {
	/* name as 4 words, kind (with CONSOLE_TELL_LOG: also told of the log), domain id; extra capability 0: notification (send) that the console signals when input
	 * came or output drained. -> client number; received capability: the ring's frame (4 KiB). -ENOSPC */
	CONSOLE_OPEN = 1,
	/* client; its ring is taken back, remaining output is written out first */
	CONSOLE_CLOSE,
	/* client: gets the keyboard (and its name is shown). -ENOENT */
	CONSOLE_FOCUS,
	/* -> received capability: notification, badged for the client in MR0, to signal the console with after output */
	CONSOLE_NOTIFICATION,
	/* position: bytes of the log since it began, modulo 2^32 -> MR0 bytes that follow, MR1 bytes given, MR2 the position of the first of them, which
	 * is a later one where the log does not go back so far; then the text in up to 100 words */
	CONSOLE_LOG,
};

#define CONSOLE_LOG_WORDS 100u

enum console_kind {
	CONSOLE_DOMAIN = 0,
	CONSOLE_MONITOR = 1, /* gets the keyboard after three Ctrl-A */
	CONSOLE_SERVER = 2,  /* output only: log lines, prefixed with the name, kept in the log */
};

/* With a kind: the client's page says where the log ends, and the client is signalled when that moves. */
#define CONSOLE_TELL_LOG 0x100u

#define CONSOLE_OUT_BYTES 2048u /* client to console */
#define CONSOLE_IN_BYTES  1024u /* console to client */

/* The shared page: ring headers (struct ring of lib/ring/ring.h), the log's end (32 bits, a position) and data. */
#define CONSOLE_PAGE_OUT_HEADER 0u
#define CONSOLE_PAGE_IN_HEADER  128u
#define CONSOLE_PAGE_LOG_END    256u
#define CONSOLE_PAGE_OUT_DATA   1024u
#define CONSOLE_PAGE_IN_DATA    3072u

#endif
