#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <stddef.h>
#include <cmocka.h>
#include "servers/monitor/command.h"

static struct command c;

static void create_full(void **state)
{
	(void)state;
	command_parse("create app kernel=vmlinuz ramdisk=initrd cmdline=\"console=hvc0 quiet\" memory=128 vcpus=2", &c);
	assert_int_equal(c.kind, COMMAND_CREATE);
	assert_string_equal(c.spec.name, "app");
	assert_string_equal(c.spec.kernel, "vmlinuz");
	assert_string_equal(c.spec.ramdisk, "initrd");
	assert_string_equal(c.spec.cmdline, "console=hvc0 quiet");
	assert_true(c.has_cmdline);
	assert_int_equal(c.spec.memory_mib, 128);
	assert_int_equal(c.spec.vcpus, 2);
}

static void create_defaults(void **state)
{
	(void)state;
	command_parse("  create a kernel=k ", &c);
	assert_int_equal(c.kind, COMMAND_CREATE);
	assert_int_equal(c.spec.memory_mib, 256);
	assert_int_equal(c.spec.vcpus, 1);
	assert_false(c.has_cmdline);
}

static void create_refusals(void **state)
{
	static const char *const bad[] = {
		"create", "create kernel=k", "create a", "create a kernel=", "create a kernel=k memory=0", "create a kernel=k memory=x",
		"create a kernel=k vcpus=33", "create a kernel=k vcpus=99999999999", "create a kernel=k bogus=1", "create a kernel=k what",
		"create aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa kernel=k",
	};
	char line[COMMAND_LINE_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		command_parse(bad[i], &c);
		assert_int_equal(c.kind, COMMAND_ERROR);
		assert_true(c.error[0]);
	}
	memset(line, 'x', sizeof(line));
	memcpy(line, "create a kernel=k cmdline=", 26);
	line[sizeof(line) - 1] = 0;
	command_parse(line, &c);
	assert_int_equal(c.kind, COMMAND_ERROR);
}

static void domains_by_id_and_name(void **state)
{
	(void)state;
	command_parse("pause 12", &c);
	assert_int_equal(c.kind, COMMAND_PAUSE);
	assert_int_equal(c.id, 12);
	assert_int_equal(c.name[0], 0);
	command_parse("destroy app", &c);
	assert_int_equal(c.kind, COMMAND_DESTROY);
	assert_string_equal(c.name, "app");
	command_parse("destroy", &c);
	assert_int_equal(c.kind, COMMAND_ERROR);
	command_parse("destroy 1 2", &c);
	assert_int_equal(c.kind, COMMAND_ERROR);
}

static void plain_words(void **state)
{
	(void)state;
	command_parse("", &c);
	assert_int_equal(c.kind, COMMAND_NONE);
	command_parse("info", &c);
	assert_int_equal(c.kind, COMMAND_INFO);
	command_parse("info x", &c);
	assert_int_equal(c.kind, COMMAND_ERROR);
	command_parse("frobnicate", &c);
	assert_int_equal(c.kind, COMMAND_ERROR);
	command_parse("frobnicatefrobnicatefrobnicate", &c);
	assert_int_equal(c.kind, COMMAND_ERROR);
}

static void boot_domain(void **state)
{
	(void)state;
	assert_true(command_parse_domain("debian,kernel=vmlinuz,ramdisk=initrd,memory=512,vcpus=2", &c));
	assert_string_equal(c.spec.name, "debian");
	assert_string_equal(c.spec.ramdisk, "initrd");
	assert_int_equal(c.spec.memory_mib, 512);
	assert_false(command_parse_domain("debian", &c));
	assert_false(command_parse_domain("", &c));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(create_full),	       cmocka_unit_test(create_defaults), cmocka_unit_test(create_refusals),
		cmocka_unit_test(domains_by_id_and_name), cmocka_unit_test(plain_words),	  cmocka_unit_test(boot_domain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
