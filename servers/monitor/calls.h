/* What the monitor asks of root, the console server and the domain manager, as functions: 0 or a negative errno. */
#ifndef MONITOR_CALLS_H
#define MONITOR_CALLS_H

#include <stddef.h>
#include <stdint.h>
#include "insula/ext.h"
#include "proto/domain/domain.h"

struct calls_machine {
	uint64_t total, free, kernel, servers, slots, accounts, tasks;
	struct insula_bi_machine machine;
};
int calls_machine(struct calls_machine *out);
/* 0 power off, 1 reboot; returns only if it failed. */
int calls_machine_end(uint64_t how);

int calls_create(const struct domain_spec *spec, uint32_t *id);
int calls_domain(uint64_t call, uint32_t id);
int calls_domain_info(uint32_t n, struct domain_info *out);
/* Insula's own command line, cut to size - 1 bytes. */
int calls_command_line(char *text, size_t size);
/* The first boot module as kernel, the second as ramdisk; -ENOENT without a module. */
int calls_modules(struct domain_spec *out);

/* Opens the monitor's ring and maps it at `page`. */
int calls_console_open(void *page);
void calls_console_signal(void);
/* Until the console signals. */
void calls_console_wait(void);
/* text: room for 800 bytes. */
int calls_log(uint32_t *position, char *text, uint32_t *n, uint32_t *left);

#endif
