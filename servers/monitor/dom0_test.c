// links: lib/cmdline/cmdline.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "servers/monitor/dom0.h"

#define MIB (1ull << 20)

static struct domain_spec spec;

static bool options(const char *line)
{
	const char *wrong;

	memset(&spec, 0, sizeof(spec));
	return dom0_options(line, 3000 * MIB, 4, &spec, &wrong);
}

static void memory(void **state)
{
	static const struct {
		const char *line;
		uint32_t mib;
	} good[] = {
		{"", 1500},
		{"dom0_mem=512M", 512},
		{"dom0_mem=524288", 512},
		{"dom0_mem=1G,max:2G", 1024},
		{"dom0_mem=1G,max:768M", 768},
		{"dom0_mem=max:768M", 768},
		{"dom0_mem=max:8G", 1500},
		{"dom0_mem=min:2G,max:8G", 2048},
		{"dom0_mem=-1000M", 2000},
		{"dom0_mem=256M dom0_mem=128M", 128},
	};
	static const char *const bad[] = {"dom0_mem=", "dom0_mem=x", "dom0_mem=10M", "dom0_mem=1G,", "dom0_mem=1G,most:2G", "dom0_mem=-4G", "dom0_mem"};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(options(good[i].line));
		assert_int_equal(spec.memory_mib, good[i].mib);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(options(bad[i]));
}

static void vcpus(void **state)
{
	static const struct {
		const char *line;
		uint32_t n;
	} good[] = {{"", 4}, {"dom0_max_vcpus=2", 2}, {"dom0_max_vcpus=8", 8}, {"dom0_max_vcpus=1-3", 3}, {"dom0_max_vcpus=-2", 2},
		    {"dom0_max_vcpus=6-", 6}, {"dom0_max_vcpus=1-100", 4}, {"dom0_max_vcpus=100", 32}};
	static const char *const bad[] = {"dom0_max_vcpus=0", "dom0_max_vcpus=a", "dom0_max_vcpus=3-2", "dom0_max_vcpus="};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(options(good[i].line));
		assert_int_equal(spec.vcpus, good[i].n);
		assert_int_equal(spec.flags, DOMAIN_SPEC_CONTROL);
		assert_string_equal(spec.name, "Domain-0");
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(options(bad[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(memory), cmocka_unit_test(vcpus)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
