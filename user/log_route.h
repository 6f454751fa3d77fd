/* Where log lines go, for those parts of the runtime that can take them. */
#ifndef USER_LOG_ROUTE_H
#define USER_LOG_ROUTE_H

#include <stdint.h>

/* write gets whole lines with their newline, one at a time. */
void log_route(void (*write)(const char *text, uint32_t n));

#endif
