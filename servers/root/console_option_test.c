#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "servers/root/console_option.h"

static void check(const char *line, uint16_t port, uint8_t irq, bool screen)
{
	struct console_option o = console_option_parse(line);

	assert_int_equal(o.port, port);
	assert_int_equal(o.irq, irq);
	assert_int_equal(o.screen, screen);
}

static void options(void **state)
{
	(void)state;
	check("", 0x3f8, 4, true);
	check("console=com1", 0x3f8, 4, false);
	check("console=com1,vga com1=115200,8n1", 0x3f8, 4, true);
	check("console=com2", 0x2f8, 3, false);
	check("com1=115200,8n1,0x3e8 console=com1", 0x3e8, 4, false);
	check("console=vga", 0, 0, true);
	check("console=none", 0, 0, false);
	check("console_port=0x1000", 0x1000, 0, true);
	check("debug_port=0 console=com1", 0, 0, false);
	check("console=", 0, 0, false);
	check("com1=,,,, console=com1,,", 0x3f8, 4, false);
	check("com1=115200,8n1,0xffffffff", 0x3f8, 4, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(options)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
// links: lib/cmdline/cmdline.c
