/*
 * Moves bytes for the benchmark, and says what that took: ticks of the TSC, which are instructions of the
 * whole machine where it is measured. Runs in guests and in the admin VM.
 *
 *   transfer tcp-receive PORT            one connection: "TRANSFER tcp bytes=N ticks=N", from the first bytes
 * to the last transfer tcp-send ADDRESS PORT BYTES transfer udp-receive PORT            datagrams, until a
 * short one comes: "TRANSFER udp packets=N ticks=N" transfer udp-send ADDRESS PORT COUNT datagrams of 1,400
 * bytes transfer read DEVICE SIZE COUNT      reads one after the other past the page cache: "TRANSFER
 * read_SIZE ticks=N", for each
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { DATAGRAM = 1400, ENDS = 20 };

static uint8_t buffer[1 << 20] __attribute__((aligned(4096)));

static uint64_t tsc(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

static void must(int good, const char *what)
{
	if (!good) {
		fprintf(stderr, "transfer: %s: %s\n", what, strerror(errno));
		exit(EXIT_FAILURE);
	}
}

static unsigned long number(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	errno = EINVAL;
	must(*text && !*end, text);
	return n;
}

static int endpoint(int type, const char *address, const char *port,
		    int (*use)(int, const struct sockaddr *, socklen_t))
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)number(port))};
	int s = socket(AF_INET, type, 0), one = 1;

	must(inet_pton(AF_INET, address, &a.sin_addr) == 1, address);
	must(s >= 0 && !setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)), "socket");
	for (int tries = 0; use(s, (const struct sockaddr *)&a, sizeof(a)); tries++) {
		must(tries < 100, "connect");
		usleep(100000);
	}
	return s;
}

static void tcp_receive(const char *port)
{
	int listener = endpoint(SOCK_STREAM, "0.0.0.0", port, bind), s;
	uint64_t bytes = 0, start = 0;
	ssize_t n;

	must(!listen(listener, 1), "listen");
	s = accept(listener, NULL, NULL);
	must(s >= 0, "accept");
	while ((n = read(s, buffer, sizeof(buffer))) > 0) {
		if (!start)
			start = tsc();
		bytes += (uint64_t)n;
	}
	must(n == 0, "read");
	printf("TRANSFER tcp bytes=%" PRIu64 " ticks=%" PRIu64 "\n", bytes, tsc() - start);
}

static void tcp_send(const char *address, const char *port, uint64_t bytes)
{
	int s = endpoint(SOCK_STREAM, address, port, connect);

	while (bytes) {
		ssize_t n = write(s, buffer, bytes < sizeof(buffer) / 16 ? bytes : sizeof(buffer) / 16);

		must(n > 0, "write");
		bytes -= (uint64_t)n;
	}
	must(!close(s), "close");
}

static void udp_receive(const char *port)
{
	int s = endpoint(SOCK_DGRAM, "0.0.0.0", port, bind);
	uint64_t packets = 0, start = 0, last = 0;

	for (;;) {
		ssize_t n = recv(s, buffer, sizeof(buffer), 0);

		must(n > 0, "recv");
		if (n < DATAGRAM)
			break;
		last = tsc();
		if (!start)
			start = last;
		else
			packets++;
	}
	printf("TRANSFER udp packets=%" PRIu64 " ticks=%" PRIu64 "\n", packets, last - start);
}

static void udp_send(const char *address, const char *port, unsigned long count)
{
	int s = endpoint(SOCK_DGRAM, address, port, connect);

	for (unsigned long i = 0; i < count; i++)
		if (send(s, buffer, DATAGRAM, 0) != DATAGRAM)
			usleep(1000);
	for (int i = 0; i < ENDS; i++) {
		usleep(10000);
		(void)send(s, buffer, 1, 0);
	}
}

static void read_device(const char *device, size_t size, unsigned long count)
{
	int fd = open(device, O_RDONLY | O_DIRECT);
	uint64_t start;
	off_t length;

	errno = EINVAL;
	must(size > 0 && size <= sizeof(buffer), "size");
	must(fd >= 0, device);
	length = lseek(fd, 0, SEEK_END);
	must(length >= (off_t)size, "length");
	start = tsc();
	for (unsigned long i = 0; i < count; i++) {
		off_t at = (off_t)((uint64_t)i * size % ((uint64_t)length / size * size));

		must(pread(fd, buffer, size, at) == (ssize_t)size, "pread");
	}
	printf("TRANSFER read_%zu ticks=%" PRIu64 "\n", size, (tsc() - start) / count);
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";

	if (argc == 3 && !strcmp(mode, "tcp-receive"))
		tcp_receive(argv[2]);
	else if (argc == 5 && !strcmp(mode, "tcp-send"))
		tcp_send(argv[2], argv[3], number(argv[4]));
	else if (argc == 3 && !strcmp(mode, "udp-receive"))
		udp_receive(argv[2]);
	else if (argc == 5 && !strcmp(mode, "udp-send"))
		udp_send(argv[2], argv[3], number(argv[4]));
	else if (argc == 5 && !strcmp(mode, "read"))
		read_device(argv[2], number(argv[3]), number(argv[4]));
	else {
		fprintf(stderr, "usage: transfer tcp-receive PORT | tcp-send ADDRESS PORT BYTES | "
				"udp-receive PORT | udp-send ADDRESS PORT COUNT | read DEVICE SIZE COUNT\n");
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}
