/*
 * One line of text for whoever looks at the machine: through the console's ring when it is connected, else by the kernel's debug output.
 * Any thread; never waits longer than the console needs to make room.
 */
#ifndef USER_LOG_H
#define USER_LOG_H

#include <stdarg.h>

/* Without a newline at its end; cut to 240 bytes. Bytes that are not printable ASCII become '?'. */
void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * Connects to the console (TASK_SLOT_CONSOLE) as a client of kind CONSOLE_SERVER with this process's name. Lines before that, and all lines if
 * it fails, go to the kernel's debug output. Once, by one thread. 0 or a negative errno.
 */
int log_connect(void);

#endif
