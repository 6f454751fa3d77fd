/*
 * Thread-local storage of one thread: its variables, then the thread's control block, whose first word points to itself (the C library's
 * and the compiler's convention on x86_64; the library's errno lives there).
 */
#ifndef USER_TLS_H
#define USER_TLS_H

#include <stdint.h>
#include "sel4/types.h"

#define TLS_VARIABLES 448u /* user.lds checks that they fit */
#define TLS_CONTROL   512u
#define TLS_BYTES     (TLS_VARIABLES + TLS_CONTROL)

/* The calling thread's: block has TLS_BYTES, 64-byte aligned, zeroed. Nothing that uses thread-local variables may run before. */
void tls_enter(uint8_t *block, unsigned thread, seL4_IPCBuffer *buffer);

#endif
