/*
 * I/O ports: control (issue ranges) and access. Also Domain and IOSpace invocations' decode: domain.c,
 * iospace.c.
 */
#ifndef OBJECT_IOPORT_H
#define OBJECT_IOPORT_H

#include "cap/cte.h"

exception_t ioport_control_decode(word_t label, unsigned length, struct cte *slot);
exception_t ioport_decode(word_t label, unsigned length, cap_t cap);
void ioport_finalise(cap_t cap); /* the range may be issued again */
exception_t domain_decode(word_t label, unsigned length);
exception_t iospace_decode(word_t label, unsigned length, cap_t cap);

#endif
