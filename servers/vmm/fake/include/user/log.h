/* Host tests only: vmm_fake.c keeps the last line and counts. */
#ifndef FAKE_LOG_H
#define FAKE_LOG_H

void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
