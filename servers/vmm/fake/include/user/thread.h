/* Host tests only: no thread is started, tests call what a thread would run. */
#ifndef FAKE_THREAD_H
#define FAKE_THREAD_H

#include <stdint.h>

int thread_start(uint32_t thread, void (*entry)(void *), void *argument);
unsigned thread_self(void);

#endif
