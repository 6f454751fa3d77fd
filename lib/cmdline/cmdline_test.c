/* Words, quotes, values, and module names. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "cmdline/cmdline.h"

static void test_words(void **state)
{
	const char *at = "  one two=2 three=\"a b'c\" \tfo\"u r=\"=x'\"y'z=  last=\"open ";
	struct cmdline_word w;
	char buf[32];

	(void)state;
	assert_true(cmdline_next(&at, &w) && cmdline_is(&w, "one") && w.value == NULL);
	assert_false(cmdline_value(&w, buf, sizeof(buf)));
	assert_true(cmdline_next(&at, &w) && cmdline_is(&w, "two") && cmdline_value(&w, buf, sizeof(buf)));
	assert_string_equal(buf, "2");
	assert_true(cmdline_next(&at, &w) && cmdline_is(&w, "three") && cmdline_value(&w, buf, sizeof(buf)));
	assert_string_equal(buf, "a b'c");
	assert_true(cmdline_next(&at, &w) && cmdline_text(&w, buf, sizeof(buf)));
	assert_string_equal(buf, "fou r==x\"yz=");
	assert_true(cmdline_value(&w, buf, 6));
	assert_string_equal(buf, "x\"yz=");
	assert_false(cmdline_value(&w, buf, 5));
	assert_string_equal(buf, "");
	assert_true(cmdline_next(&at, &w) && cmdline_value(&w, buf, sizeof(buf)));
	assert_string_equal(buf, "open ");
	assert_false(cmdline_next(&at, &w));
	assert_false(cmdline_next(&at, &w));
}

static void test_numbers(void **state)
{
	const char *line = "a=12 b=0x1F c=12x d= e=18446744073709551616 f=18446744073709551615 g=4M h=2048 "
			   "i=\"1g\" j=1KB k=0x "
			   "l=16777216T m=7b a=13 n=G";
	struct cmdline_word w;
	uint64_t v = 0;

	(void)state;
#define FIND(k) assert_true(cmdline_find(line, k, &w))
	FIND("a");
	assert_true(cmdline_number(&w, &v) && v == 13);
	FIND("b");
	assert_true(cmdline_number(&w, &v) && v == 31);
	FIND("c");
	assert_false(cmdline_number(&w, &v));
	FIND("d");
	assert_false(cmdline_number(&w, &v) || cmdline_size(&w, 1, &v));
	FIND("e");
	assert_false(cmdline_number(&w, &v));
	FIND("f");
	assert_true(cmdline_number(&w, &v) && v == UINT64_MAX);
	assert_false(cmdline_size(&w, 1024, &v));
	FIND("g");
	assert_true(cmdline_size(&w, 1024, &v) && v == 4u << 20);
	FIND("h");
	assert_true(cmdline_size(&w, 1024, &v) && v == 2u << 20);
	FIND("i");
	assert_true(cmdline_size(&w, 1024, &v) && v == 1u << 30);
	FIND("j");
	assert_false(cmdline_size(&w, 1024, &v));
	FIND("k");
	assert_false(cmdline_number(&w, &v));
	FIND("l");
	assert_false(cmdline_size(&w, 1, &v));
	FIND("m");
	assert_true(cmdline_size(&w, 1024, &v) && v == 7);
	FIND("n");
	assert_false(cmdline_size(&w, 1024, &v));
	assert_false(cmdline_find(line, "z", &w));
}

static void test_bool(void **state)
{
	(void)state;
	assert_true(cmdline_bool("", "smt", true));
	assert_false(cmdline_bool("smtx=1 nosmt", "smt", false));
	assert_true(cmdline_bool("smt", "smt", false));
	assert_false(cmdline_bool("smt no-smt", "smt", true));
	assert_true(cmdline_bool("no-smt smt=yes", "smt", false));
	assert_false(cmdline_bool("smt=off", "smt", true));
	assert_true(cmdline_bool("smt=maybe", "smt", true));
	assert_false(cmdline_bool("smt=\"0\"", "smt", true));
}

static void module(const char *string, bool file, const char *name, const char *args)
{
	char n[CMDLINE_NAME], a[64];

	assert_true(cmdline_module(string, file, 3, n, a, sizeof(a)));
	assert_string_equal(n, name);
	assert_string_equal(a, args);
}

static void test_modules(void **state)
{
	char n[CMDLINE_NAME], a[8];

	(void)state;
	module("vmlinux console=hvc0 quiet", true, "vmlinux", "console=hvc0 quiet");
	module("/tmp/a/initrd.img", true, "initrd.img", "");
	module("/tmp/a/", true, "3", "");
	module("", true, "3", "");
	module("", false, "3", "");
	module("placeholder root=/dev/ram0  ro", false, "3", "root=/dev/ram0 ro");
	module("placeholder", false, "3", "");
	module("x placeholder", false, "3", "x placeholder");
	module("vmlinux placeholder name=linux a=\"b c\"", true, "linux", "a=\"b c\"");
	module("a name=one name=two", false, "one", "a name=two");
	module("name= a", false, "3", "a");
	module("name=\"my kernel\" a", false, "my_kernel", "a");
	module("name=0123456789012345678901234567890123456789", false, "0123456789012345678901234567890", "");
	module("naïve", true, "na__ve", "");
	assert_false(cmdline_module("abc defg", false, 0, n, a, sizeof(a)));
	assert_string_equal(a, "abc");
	assert_true(cmdline_module("abc def", false, 4294967295u, n, a, sizeof(a)));
	assert_string_equal(n, "4294967295");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_words),
	    cmocka_unit_test(test_numbers),
	    cmocka_unit_test(test_bool),
	    cmocka_unit_test(test_modules),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
