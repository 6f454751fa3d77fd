/* Gives the console server its devices: serial port, keyboard, screen, and tells it of them (proto/console/console_start.h). */
#ifndef ROOT_CONSOLE_DEVICES_H
#define ROOT_CONSOLE_DEVICES_H

#include "servers/root/bootinfo.h"
#include "servers/root/task.h"

/* Before the task's start. What cannot be given is left out, with a line. */
bool console_devices_give(struct task *t, const struct bootinfo *b);

#endif
