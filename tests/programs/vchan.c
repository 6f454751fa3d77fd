/*
 * vchan serve DOMID PATH BYTES | vchan connect DOMID PATH BYTES: the ends of a channel of libxenvchan. BYTES
 * go each way: one half in turns, with calls that block, the other both ways at once, with calls that do not.
 * Each end knows what is to come, and compares all of it. The last line is "VCHAN serve ok", or says what
 * went wrong, and the status is 1. Runs in domains of the scenarios.
 */
#include <errno.h>
#include <inttypes.h>
#include <libxenvchan.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RING = 1 << 16, PIECE = 1 << 15, TRIES = 1200 };

/* One direction. */
struct stream {
	uint64_t state; /* of xorshift64, which makes its words */
	uint64_t left;	/* bytes, of which `at` of the piece are done */
	int at;
	uint64_t piece[PIECE / 8];
};

static const char *role;
static struct libxenvchan *channel;
static uint64_t got[PIECE / 8];

static void fail(const char *what)
{
	if (channel && libxenvchan_is_open(channel) == 0)
		printf("VCHAN %s: closed by the other end\n", role);
	else
		printf("VCHAN %s: %s: %s\n", role, what, strerror(errno));
	exit(EXIT_FAILURE);
}

static void next_piece(struct stream *s)
{
	uint64_t x = s->state;

	for (unsigned i = 0; i < PIECE / 8; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		s->piece[i] = x;
	}
	s->state = x;
	s->at = 0;
}

static void begin(struct stream *s, uint64_t seed, uint64_t bytes)
{
	s->state = seed;
	s->left = bytes;
	next_piece(s);
}

static void done(struct stream *s, int n)
{
	s->at += n;
	s->left -= (uint64_t)n;
	if (s->at == PIECE && s->left)
		next_piece(s);
}

/* As much as one call takes: 0 only where it does not block. */
static int send_some(struct stream *s)
{
	int n = libxenvchan_write(channel, (char *)s->piece + s->at, (size_t)(PIECE - s->at));

	if (n < 0)
		fail("write");
	done(s, n);
	return n;
}

static int receive_some(struct stream *s)
{
	int n = libxenvchan_read(channel, got, (size_t)(PIECE - s->at));

	if (n < 0)
		fail("read");
	if (memcmp((char *)s->piece + s->at, got, (size_t)n)) {
		printf("VCHAN %s: other bytes than were sent, %" PRIu64 " before the end\n", role, s->left);
		exit(EXIT_FAILURE);
	}
	done(s, n);
	return n;
}

static void in_turns(struct stream *out, struct stream *in, bool first)
{
	channel->blocking = 1;
	while (first && out->left)
		(void)send_some(out);
	while (in->left)
		(void)receive_some(in);
	while (out->left)
		(void)send_some(out);
}

static void at_once(struct stream *out, struct stream *in)
{
	channel->blocking = 0;
	while (out->left || in->left) {
		int n = out->left ? send_some(out) : 0;

		if (in->left)
			n += receive_some(in);
		if (n == 0 && libxenvchan_wait(channel))
			fail("wait");
	}
}

/* The client says that it has all; then the server closes, which the client waits for. */
static void end(bool serve)
{
	char all = 1;

	channel->blocking = 1;
	if (serve && libxenvchan_read(channel, &all, 1) != 1)
		fail("read");
	if (!serve && libxenvchan_write(channel, &all, 1) != 1)
		fail("write");
	while (!serve && libxenvchan_is_open(channel) == 1)
		(void)libxenvchan_wait(channel);
	libxenvchan_close(channel);
}

static void open_channel(bool serve, int domid, const char *path)
{
	for (unsigned tries = 0; !channel; tries++) {
		channel = serve ? libxenvchan_server_init(NULL, domid, path, RING, RING)
				: libxenvchan_client_init(NULL, domid, path);
		if (channel)
			break;
		if (serve || tries == TRIES)
			fail("open");
		usleep(100000);
	}
}

int main(int argc, char **argv)
{
	static struct stream out, in;
	bool serve = argc == 5 && !strcmp(argv[1], "serve");
	uint64_t half;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc != 5 || (!serve && strcmp(argv[1], "connect")))
		return EXIT_FAILURE;
	role = argv[1];
	half = strtoull(argv[4], NULL, 0) / 2 / PIECE * PIECE;
	open_channel(serve, atoi(argv[2]), argv[3]);
	begin(&out, serve ? 1 : 2, half);
	begin(&in, serve ? 2 : 1, half);
	in_turns(&out, &in, serve);
	begin(&out, serve ? 3 : 4, half);
	begin(&in, serve ? 4 : 3, half);
	at_once(&out, &in);
	end(serve);
	printf("VCHAN %s ok\n", role);
	return EXIT_SUCCESS;
}
