#include "servers/console/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "proto/console/console.h"
#include "proto/task/task.h"
#include "sel4/sel4.h"
#include "servers/console/display.h"
#include "user/object.h"
#include "user/vspace.h"

#define SWITCH_CODE  '\001'
#define SWITCH_COUNT 3u
#define PIECE 512u
#define TURNS 4u

static struct client table[CLIENTS_MAX];
static struct client *focus, *last_domain;
static enum { AWAIT_NONE, AWAIT_FIRST, AWAIT_NAME } await = AWAIT_FIRST;
static char await_name[32];
static unsigned switch_count;

static bool page_make(struct client *c)
{
	c->slot_frame = object_create_slot(seL4_X86_4K, 0);
	c->page = (uint8_t *)(TASK_SHARED_VADDR + c->number * 4096ull);
	c->history = malloc(HISTORY_BYTES);
	if (!c->slot_frame || !c->history || vspace_map(c->slot_frame, (uint64_t)(uintptr_t)c->page, true, false)) {
		if (c->slot_frame)
			object_delete(c->slot_frame);
		free(c->history);
		c->page = NULL;
		return false;
	}
	return true;
}

struct client *client_open(const char name[32], uint32_t kind, uint32_t domain)
{
	for (uint32_t i = 0; i < CLIENTS_MAX; i++) {
		struct client *c = &table[i];

		if (c->open)
			continue;
		c->number = i;
		if (!c->page && !page_make(c))
			return NULL;
		memset(c->page, 0, 4096);
		if (!ring_init(&c->out, (struct ring_header *)(void *)(c->page + CONSOLE_PAGE_OUT_HEADER),
			       c->page + CONSOLE_PAGE_OUT_DATA, CONSOLE_OUT_BYTES, 0) ||
		    !ring_init(&c->in, (struct ring_header *)(void *)(c->page + CONSOLE_PAGE_IN_HEADER), c->page + CONSOLE_PAGE_IN_DATA,
			       CONSOLE_IN_BYTES, 0))
			return NULL;
		memcpy(c->name, name, sizeof(c->name));
		c->name[sizeof(c->name) - 1] = 0;
		for (char *p = c->name; *p; p++)
			if (*p < ' ' || *p > '~')
				*p = '?';
		c->kind = (uint8_t)kind;
		c->tell_log = kind & CONSOLE_TELL_LOG;
		c->domain = domain;
		c->history_end = c->history_used = 0;
		c->line_started = false;
		c->open = true;
		return c;
	}
	return NULL;
}

void client_close(struct client *c)
{
	/* what a ring holds, and no more: who writes without end is closed all the same */
	for (unsigned n = CONSOLE_OUT_BYTES / PIECE + 1; n && client_drain(c); n--)
		;
	c->open = false;
	if (last_domain == c)
		last_domain = NULL;
	if (focus == c) {
		struct client *next = client_any_domain();

		focus = NULL;
		await = c->kind == CONSOLE_DOMAIN ? AWAIT_NAME : AWAIT_NONE;
		memcpy(await_name, c->name, sizeof(await_name));
		client_set_focus(next ? next : client_of_kind(CONSOLE_MONITOR));
	}
	/* the client's copies of the page go; ours stays mapped */
	(void)seL4_CNode_Revoke(TASK_SLOT_CNODE, c->slot_frame, seL4_WordBits);
	if (c->slot_signal)
		object_delete(c->slot_signal);
	c->slot_signal = 0;
}

struct client *client_by_number(uint32_t n)
{
	return n < CLIENTS_MAX && table[n].open ? &table[n] : NULL;
}

struct client *client_of_kind(uint8_t kind)
{
	for (uint32_t i = 0; i < CLIENTS_MAX; i++)
		if (table[i].open && table[i].kind == kind)
			return &table[i];
	return NULL;
}

struct client *client_any_domain(void)
{
	return last_domain ? last_domain : client_of_kind(CONSOLE_DOMAIN);
}

/* ---- output ---- */

static void remember(struct client *c, const uint8_t *text, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		c->history[c->history_end++ % HISTORY_BYTES] = text[i];
	c->history_used = c->history_used + n > HISTORY_BYTES ? HISTORY_BYTES : c->history_used + n;
}

/* A server's lines carry its name and go to the log, whoever has the screen. */
static void server_text(struct client *c, const uint8_t *text, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		if (!c->line_started) {
			display_log(c->name, (uint32_t)strlen(c->name));
			display_log(": ", 2);
			c->line_started = true;
		}
		display_log((const char *)text + i, 1);
		if (text[i] == '\n')
			c->line_started = false;
	}
}

static void tell_log(void)
{
	for (uint32_t i = 0; i < CLIENTS_MAX; i++) {
		struct client *c = &table[i];

		if (!c->open || !c->tell_log)
			continue;
		__atomic_store_n((uint32_t *)(void *)(c->page + CONSOLE_PAGE_LOG_END), display_log_end(), __ATOMIC_RELEASE);
		if (c->slot_signal)
			seL4_Signal(c->slot_signal);
	}
}

bool client_drain(struct client *c)
{
	uint8_t text[PIECE];
	bool shown = c == focus || c->kind == CONSOLE_SERVER;
	uint32_t room = shown ? display_room() : PIECE, n;

	if (room > PIECE)
		room = PIECE;
	n = ring_read(&c->out, text, room);
	if (!n)
		return false;
	if (c->kind == CONSOLE_SERVER) {
		server_text(c, text, n);
		tell_log();
	} else {
		remember(c, text, n);
		if (c == focus)
			display_write((const char *)text, n);
	}
	if (c->slot_signal)
		seL4_Signal(c->slot_signal); /* there is room again */
	return n == room;
}

bool client_drain_all(uint64_t signals)
{
	bool more = false;

	/* a few pieces of each: one that writes without end must not keep the others waiting */
	for (uint32_t i = 0; i < CLIENTS_MAX; i++) {
		bool left = table[i].open && (signals >> (i % 60) & 1);

		for (unsigned turn = 0; left && turn < TURNS; turn++)
			left = client_drain(&table[i]);
		more = more || left;
	}
	return more;
}

/* ---- keyboard ---- */

bool client_awaited(const struct client *c)
{
	if (c->kind != CONSOLE_DOMAIN)
		return c->kind == CONSOLE_MONITOR && !focus;
	return await == AWAIT_FIRST || (await == AWAIT_NAME && !strcmp(c->name, await_name));
}

static void replay(const struct client *c)
{
	for (uint32_t i = c->history_used; i > 0; i--) {
		char ch = (char)c->history[(c->history_end - i) % HISTORY_BYTES];

		display_write(&ch, 1);
	}
}

void client_set_focus(struct client *c)
{
	char line[96];

	if (!c || c == focus)
		return;
	if (focus && focus->kind == CONSOLE_DOMAIN)
		last_domain = focus;
	focus = c;
	if (c->kind == CONSOLE_DOMAIN)
		await = AWAIT_NONE;
	(void)snprintf(line, sizeof(line), "\r\n(insula) keyboard to %s%s; Ctrl-A three times switches\r\n",
		       c->kind == CONSOLE_DOMAIN ? "domain " : "the ", c->kind == CONSOLE_DOMAIN ? c->name : "monitor");
	display_write(line, (uint32_t)strlen(line));
	replay(c);
}

static void deliver(char ch)
{
	if (!focus)
		return;
	(void)ring_write(&focus->in, (const uint8_t *)&ch, 1); /* typed into a full ring: lost, as on a serial line */
}

void client_input(const char *text, unsigned n)
{
	if (n)
		await = AWAIT_NONE;
	for (unsigned i = 0; i < n; i++) {
		if (text[i] == SWITCH_CODE) {
			if (++switch_count < SWITCH_COUNT)
				continue;
			switch_count = 0;
			client_set_focus(focus && focus->kind == CONSOLE_MONITOR ? client_any_domain() : client_of_kind(CONSOLE_MONITOR));
			continue;
		}
		/* fewer than three: they were meant for the client */
		for (; switch_count; switch_count--)
			deliver(SWITCH_CODE);
		deliver(text[i]);
	}
	if (focus && focus->slot_signal)
		seL4_Signal(focus->slot_signal);
}
