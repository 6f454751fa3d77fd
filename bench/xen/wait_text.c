/*
 * wait_text FILE TEXT: returns when TEXT, of one line, is in FILE, which need not be there yet. Sleeps until
 * the file grows, so that waiting takes nothing from what is measured. Runs in the admin VM.
 */
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

static void wait_change(int watch)
{
	char events[sizeof(struct inotify_event) + NAME_MAX + 1];

	if (read(watch, events, sizeof(events)) <= 0) {
		perror("wait_text: inotify");
		exit(EXIT_FAILURE);
	}
}

int main(int argc, char **argv)
{
	char directory[PATH_MAX], *line = NULL;
	int watch = inotify_init();
	size_t room = 0, kept = 0;
	FILE *file;

	if (argc != 3 || strlen(argv[1]) >= sizeof(directory)) {
		fputs("usage: wait_text FILE TEXT\n", stderr);
		return EXIT_FAILURE;
	}
	strcpy(directory, argv[1]);
	if (watch < 0 ||
	    inotify_add_watch(watch, dirname(directory), IN_MODIFY | IN_CREATE | IN_MOVED_TO) < 0) {
		perror("wait_text: inotify");
		return EXIT_FAILURE;
	}
	while (!(file = fopen(argv[1], "r")))
		wait_change(watch);
	for (;;) {
		ssize_t n = getline(&line, &room, file);

		if (n > 0 && strstr(line, argv[2]))
			return EXIT_SUCCESS;
		if (n > 0 && line[n - 1] == '\n') {
			kept += (size_t)n;
			continue;
		}
		/* the line may not be whole yet */
		wait_change(watch);
		clearerr(file);
		if (fseek(file, (long)kept, SEEK_SET)) {
			perror("wait_text: seek");
			return EXIT_FAILURE;
		}
	}
}
