/*
 * The monitor's command language: one line in, one checked command out. Pure.
 */
#ifndef MONITOR_COMMAND_H
#define MONITOR_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "proto/domain/domain.h"

enum command_kind {
	COMMAND_NONE, /* an empty line */
	COMMAND_HELP,
	COMMAND_LIST,
	COMMAND_CREATE,
	COMMAND_CONSOLE,
	COMMAND_PAUSE,
	COMMAND_UNPAUSE,
	COMMAND_DESTROY,
	COMMAND_SHUTDOWN,
	COMMAND_INFO,
	COMMAND_LOG,
	COMMAND_POWEROFF,
	COMMAND_REBOOT,
	COMMAND_ERROR, /* error says what is wrong, in a line */
};

struct command {
	enum command_kind kind;
	struct domain_spec spec; /* CREATE; cmdline empty if not given */
	bool has_cmdline;
	uint32_t id;             /* CONSOLE ... SHUTDOWN, when given as a number */
	char name[32];           /* ... else the domain's name */
	char error[96];
};

#define COMMAND_LINE_MAX 1024

void command_parse(const char *line, struct command *out);
/* One domain as the boot command line describes it: NAME,kernel=MODULE[,ramdisk=MODULE][,memory=MiB][,vcpus=N]. False: error in *out. */
bool command_parse_domain(const char *text, struct command *out);
/* For `help`: line i, NULL after the last. */
const char *command_help(unsigned i);

#endif
