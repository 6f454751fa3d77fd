// links: lib/cmdline/cmdline.c
#include <stddef.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include "arch/x86/console_options.h"

static void check(const char *line, unsigned port, unsigned baud, bool screen)
{
	struct console_options o;
	console_options_parse(line, 0x3f8, &o);
	assert_int_equal(o.port, port);
	assert_int_equal(o.baud, baud);
	assert_int_equal(o.screen, screen);
}

static void test_options(void **state)
{
	(void)state;
	check("", 0x3f8, 115200, true);
	check("insula dom0_mem=512M", 0x3f8, 115200, true);
	check("console=vga", 0, 115200, true);
	check("console=com1", 0x3f8, 115200, false);
	check("console=com2,vga com2=38400,8n1", 0x2f8, 38400, true);
	check("console=com2 com2=,,0x3e8 com1=9600", 0x3e8, 115200, false);
	check("console=none", 0, 115200, false);
	check("com1=57600,8n1,0x2e8", 0x2e8, 57600, true);
	check("com1=auto,8n1,0x2e8,4", 0x2e8, 115200, true);
	check("com1=0,8n1,0", 0x3f8, 115200, true);
	check("com1=99999999999999999999", 0x3f8, 115200, true);
	check("console_port=0x2f8", 0x2f8, 115200, true);
	check("console_port=760 debug_port=0", 0, 115200, true);
	check("console=vga console_port=0x2f8", 0x2f8, 115200, true);
	check("console_port=0xffff", 0x3f8, 115200, true);
	check("console_port= com1= console=", 0, 115200, false);
	check("console_port=x", 0x3f8, 115200, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_options)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
