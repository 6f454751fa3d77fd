/*
 * A byte ring in memory shared by two processes: one only writes, one only reads, and neither trusts the
 * other. Between vmm and console server. The peer may store anything into the shared words at any time: it
 * can lose or invent bytes of this ring, never make us reach outside it or loop.
 *
 * Each side keeps its own index privately and only publishes it; the peer's index is read once per call.
 * Indices count bytes modulo 2^32; a byte's place is its index modulo size. Notification of the peer is the
 * caller's business.
 */
#ifndef LIB_RING_RING_H
#define LIB_RING_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The shared words, at the start of the shared memory (64-byte aligned), zero at first. */
struct ring_header {
	uint32_t prod; /* written by the producer only */
	uint32_t prod_pad[15];
	uint32_t cons; /* written by the consumer only */
	uint32_t cons_pad[15];
};

/* One side's private view. A struct ring is either a producer's or a consumer's. */
struct ring {
	struct ring_header *shared;
	uint8_t *data;	 /* shared data[0..size) */
	uint32_t size;	 /* a power of two, 1..2^31 */
	uint32_t index;	 /* our own index: prod or cons */
	uint32_t broken; /* times the peer's index was impossible */
};

/* False if size is not a power of two in range. index begins at the value that the trusted creator put into
 * the shared words: 0 for a new ring. */
bool ring_init(struct ring *r, struct ring_header *shared, uint8_t *data, uint32_t size, uint32_t index);

/* Producer: how many bytes fit; write up to n of them, returns how many were written. An impossible index of
 * the peer reads as a full ring. */
uint32_t ring_space(struct ring *r);
uint32_t ring_write(struct ring *r, const uint8_t *src, uint32_t n);

/* Consumer: how many bytes wait; copy out up to n of them, returns how many. An impossible index of the peer
 * drops what is there: we go on from where it says. */
uint32_t ring_waiting(struct ring *r);
uint32_t ring_read(struct ring *r, uint8_t *dst, uint32_t n);

#endif
