/*
 * The console's clients: a ring each, what they wrote last, and who has the keyboard. What a client does to its ring is its own loss.
 */
#ifndef CONSOLE_CLIENT_H
#define CONSOLE_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "ring/ring.h"

#define CLIENTS_MAX 254
#define HISTORY_BYTES 4096u

struct client {
	bool open;
	uint8_t kind; /* enum console_kind */
	uint32_t number; /* index in the table */
	uint32_t domain;
	char name[32];
	uint64_t slot_frame;  /* the ring's page, kept for the next client of this place */
	uint64_t slot_signal; /* received: the client's notification */
	uint8_t *page;
	struct ring out, in;
	/* the last of what it wrote while it was not shown */
	uint8_t *history;
	uint32_t history_end;  /* bytes written in all, modulo 2^32 */
	uint32_t history_used;
	bool line_started;     /* server kind: the prefix is out */
	bool tell_log;         /* its page says where the log ends */
};

/* kind: with CONSOLE_TELL_LOG or without. -> client or NULL; slot_signal is filled by the caller. */
struct client *client_open(const char name[32], uint32_t kind, uint32_t domain);
void client_close(struct client *c);
struct client *client_by_number(uint32_t n);
struct client *client_of_kind(uint8_t kind);
/* A domain's client to go back to: the one last in focus, else any; NULL if there is none. */
struct client *client_any_domain(void);

/* Moves what a client wrote to the display or its history; true if there may be more. */
bool client_drain(struct client *c);
/* Those of the clients whose bit is set; true if one has more. */
bool client_drain_all(uint64_t signals);

/* Keyboard */
/* Whether a client that opens gets the keyboard at once: the monitor, the first domain, and a domain that had the keyboard when it closed and
 * is started again, unless somebody has typed meanwhile. */
bool client_awaited(const struct client *c);
void client_set_focus(struct client *c);
/* Bytes from the keyboard or serial line, with the three Ctrl-A that switch. */
void client_input(const char *text, unsigned n);

#endif
