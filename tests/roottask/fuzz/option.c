/* The kernel's command line, from the boot information's chunks. */
#include "insula/ext.h"
#include "roottask/fuzz/fuzz.h"

static const char *command_line(void)
{
	const seL4_BootInfo *info = runtime_bootinfo();
	const char *at = (const char *)info + 4096, *end = at + info->extraLen;

	while (end - at > 16) {
		const seL4_Word *header = (const seL4_Word *)(const void *)at;

		if (header[0] == INSULA_BOOTINFO_CMDLINE)
			return at + 16;
		at += header[1];
	}
	return "";
}

static const char *after(const char *text, const char *word)
{
	while (*word && *text == *word) {
		text++;
		word++;
	}
	return *word || *text != '=' ? 0 : text + 1;
}

seL4_Word option(const char *name, seL4_Word otherwise)
{
	seL4_Word n = 0;

	for (const char *c = command_line(); *c; c++) {
		const char *number = after(c, name);

		if (!number)
			continue;
		for (; *number >= '0' && *number <= '9'; number++)
			n = n * 10 + (seL4_Word)(*number - '0');
		return n;
	}
	return otherwise;
}
