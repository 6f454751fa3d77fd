/* Any text as a command line and as a module's string. */
// links: lib/cmdline/cmdline.c
#include <stdlib.h>
#include <string.h>
#include "cmdline/cmdline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char name[CMDLINE_NAME], args[64], value[16];
	struct cmdline_word w;
	uint64_t v;

	char *line = malloc(size + 1);
	if (line == NULL)
		return 0;
	memcpy(line, data, size);
	line[size] = '\0';
	const char *at = line;
	while (cmdline_next(&at, &w)) {
		if (w.text < line || w.text + w.length > line + size || w.key_length > w.length)
			abort();
		(void)cmdline_value(&w, value, sizeof(value));
		(void)cmdline_text(&w, value, 1);
		(void)cmdline_number(&w, &v);
		(void)cmdline_size(&w, 1024, &v);
	}
	(void)cmdline_bool(line, "smt", true);
	(void)cmdline_module(line, size % 2 == 0, 7, name, args, sizeof(args));
	if (strlen(name) == 0 || strlen(name) >= CMDLINE_NAME || strlen(args) >= sizeof(args))
		abort();
	free(line);
	return 0;
}
