#include "servers/monitor/dom0.h"

#include <string.h>
#include "cmdline/cmdline.h"

#define MIB	   (1ull << 20)
#define LEAST_MIB  64ull
#define VCPUS_MAX  32u
#define UNIT	   1024u /* of a size without suffix */

struct amount {
	bool given;
	int64_t bytes; /* negative: all but so much */
};

/* One part of dom0_mem, without its prefix. */
static bool amount(const char *text, uint64_t free, struct amount *out)
{
	bool negative = text[0] == '-';
	struct cmdline_word w;
	uint64_t bytes;

	w = (struct cmdline_word){.value = text + negative, .value_length = strlen(text + negative)};
	if (!cmdline_size(&w, UNIT, &bytes) || bytes > INT64_MAX)
		return false;
	out->given = true;
	out->bytes = negative ? (bytes < free ? (int64_t)(free - bytes) : 0) : (int64_t)bytes;
	return true;
}

static bool memory(const char *value, uint64_t free, uint64_t *bytes)
{
	struct amount size = {0}, min = {0}, max = {0};
	char text[64], *part, *rest = text;

	if (strlen(value) >= sizeof(text))
		return false;
	strcpy(text, value);
	while ((part = rest) != NULL) {
		bool good;

		rest = strchr(part, ',');
		if (rest)
			*rest++ = 0;
		good = !strncmp(part, "min:", 4)   ? amount(part + 4, free, &min)
		       : !strncmp(part, "max:", 4) ? amount(part + 4, free, &max)
						   : amount(part, free, &size);
		if (!good)
			return false;
	}
	*bytes = size.given ? (uint64_t)size.bytes : max.given ? (uint64_t)max.bytes : free / 2;
	if (!size.given && max.given && *bytes > free / 2)
		*bytes = free / 2;
	if (min.given && *bytes < (uint64_t)min.bytes)
		*bytes = (uint64_t)min.bytes;
	if (max.given && *bytes > (uint64_t)max.bytes)
		*bytes = (uint64_t)max.bytes;
	return true;
}

static bool number(const char *text, size_t n, uint64_t *out)
{
	const struct cmdline_word w = {.value = text, .value_length = n};

	return cmdline_number(&w, out);
}

static bool vcpus(const char *value, uint32_t cpus, uint32_t *out)
{
	const char *dash = strchr(value, '-');
	uint64_t min = 1, max = UINT32_MAX;

	if (dash ? (dash != value && !number(value, (size_t)(dash - value), &min)) || (dash[1] && !number(dash + 1, strlen(dash + 1), &max))
		 : !number(value, strlen(value), &max))
		return false;
	if (!dash)
		min = max;
	if (min == 0 || min > max)
		return false;
	*out = cpus < min ? (uint32_t)min : cpus > max ? (uint32_t)max : cpus;
	return true;
}

bool dom0_options(const char *line, uint64_t free, uint32_t cpus, struct domain_spec *spec, const char **wrong)
{
	uint64_t bytes = free / 2;
	struct cmdline_word w;
	char value[64];

	strcpy(spec->name, "Domain-0");
	spec->flags = DOMAIN_SPEC_CONTROL;
	*wrong = "dom0_mem";
	if (cmdline_find(line, "dom0_mem", &w) && (!cmdline_value(&w, value, sizeof(value)) || !memory(value, free, &bytes)))
		return false;
	if (bytes / MIB < LEAST_MIB || bytes / MIB > UINT32_MAX)
		return false;
	spec->memory_mib = (uint32_t)(bytes / MIB);
	*wrong = "dom0_max_vcpus";
	spec->vcpus = cpus;
	if (cmdline_find(line, "dom0_max_vcpus", &w) && (!cmdline_value(&w, value, sizeof(value)) || !vcpus(value, cpus, &spec->vcpus)))
		return false;
	if (spec->vcpus > VCPUS_MAX)
		spec->vcpus = VCPUS_MAX;
	return true;
}
