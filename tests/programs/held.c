/*
 * Holds what it reads, for whoever can read the machine's memory: `held NONCE` says how many pages it is in, and leaves a process behind that keeps them. A page begins with a magic
 * number, NONCE, its number from 0, and how many bytes of what was read follow (tests/system/held_memory.py).
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE  4096u
#define MAGIC UINT64_C(0x696e73756c610a01)
#define MOST  (UINT64_C(4) << 30) /* bytes of address space: only what is written becomes memory */

struct page {
	uint64_t magic, nonce;
	uint32_t number, bytes;
	uint8_t data[PAGE - 24];
};
_Static_assert(sizeof(struct page) == PAGE, "a page");

static uint32_t fill(struct page *p, uint64_t nonce, uint32_t number)
{
	while (p->bytes < sizeof(p->data)) {
		ssize_t n = read(0, p->data + p->bytes, sizeof(p->data) - p->bytes);

		if (n < 0) {
			perror("held");
			exit(1);
		}
		if (!n)
			break;
		p->bytes += (uint32_t)n;
	}
	if (!p->bytes)
		return 0;
	p->number = number;
	p->nonce = nonce;
	p->magic = MAGIC;
	return p->bytes;
}

int main(int argc, char **argv)
{
	struct page *p = mmap(NULL, MOST, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	uint32_t n = 0;

	if (argc != 2 || p == MAP_FAILED)
		return 1;
	while (n < MOST / PAGE && fill(&p[n], strtoull(argv[1], NULL, 16), n))
		n++;
	switch (fork()) {
	case -1:
		return 1;
	case 0:
		setsid();
		for (int i = 0; i < 3; i++)
			close(i);
		for (;;)
			pause();
	default:
		printf("%u\n", n);
		return 0;
	}
}
