/* The monitor's end of its console ring: formatted output, and lines with simple editing. */
#ifndef MONITOR_TERMINAL_H
#define MONITOR_TERMINAL_H

#include <stddef.h>

/* Opens the ring at the console server; 0 or a negative errno. */
int terminal_open(void);
/* Waits for room where needed. \n becomes \r\n. */
void terminal_print(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* A line without its end; waits. Backspace, Ctrl-U, Ctrl-C; up and down walk the last lines. */
void terminal_line(char *line, size_t size);

#endif
