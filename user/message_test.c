#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "user/message.h"

static void words_and_bytes(void **state)
{
	struct message m;
	uint8_t bytes[21], back[21];

	(void)state;
	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i + 1);
	message_begin(&m);
	message_put(&m, 0x1122);
	message_put_bytes(&m, bytes, sizeof(bytes));
	message_put(&m, UINT64_MAX);
	assert_int_equal(m.length, 5);
	message_begin_read(&m);
	assert_int_equal(message_get(&m), 0x1122);
	assert_true(message_get_bytes(&m, back, sizeof(back)));
	assert_memory_equal(back, bytes, sizeof(bytes));
	assert_int_equal(message_left(&m), 1);
	assert_int_equal(message_get(&m), UINT64_MAX);
	assert_false(m.failed);
	assert_int_equal(message_get(&m), 0);
	assert_true(m.failed);
	assert_int_equal(message_left(&m), 0);
}

static void bounds(void **state)
{
	static uint8_t large[MESSAGE_BYTES + 9];
	struct message m;

	(void)state;
	message_begin(&m);
	message_put_bytes(&m, large, MESSAGE_BYTES);
	assert_false(m.failed);
	message_put(&m, 1);
	assert_true(m.failed);
	assert_int_equal(m.length, MESSAGE_WORDS);
	message_begin(&m);
	message_put_bytes(&m, large, sizeof(large));
	assert_true(m.failed);
	assert_int_equal(m.length, 0);
	message_begin(&m);
	message_put(&m, 1);
	message_begin_read(&m);
	memset(large, 0xee, 16);
	assert_false(message_get_bytes(&m, large, 16));
	assert_int_equal(large[0] | large[15], 0);
	m.length = 5000; /* a length that came from outside */
	message_begin_read(&m);
	assert_int_equal(m.length, MESSAGE_WORDS);
	assert_false(message_get_bytes(&m, large, SIZE_MAX / 2 > 2000 ? MESSAGE_BYTES + 8 : 0));
}

static void text(void **state)
{
	static char long_text[2000], back[2000];
	struct message m;

	(void)state;
	message_begin(&m);
	message_put_string(&m, "12345678");
	assert_int_equal(m.length, 2); /* its NUL needs the second word */
	message_put_string(&m, "");
	assert_int_equal(m.length, 3);
	message_begin_read(&m);
	message_get_string(&m, back, sizeof(back));
	assert_string_equal(back, "12345678");
	assert_int_equal(message_left(&m), 0);

	memset(long_text, 'x', sizeof(long_text) - 1);
	message_begin(&m);
	message_put(&m, 7);
	message_put_string(&m, long_text);
	assert_false(m.failed);
	assert_int_equal(m.length, MESSAGE_WORDS);
	message_begin_read(&m);
	(void)message_get(&m);
	message_get_string(&m, back, sizeof(back));
	assert_int_equal(strlen(back), MESSAGE_BYTES - 9);
	message_begin(&m);
	message_put_field(&m, long_text, MESSAGE_WORDS);
	message_put_string(&m, "no room");
	assert_true(m.failed);
	/* text that does not end */
	memset(m.word, 'y', sizeof(m.word));
	message_begin_read(&m);
	message_get_string(&m, back, 5);
	assert_string_equal(back, "yyyy");
}

static void fields(void **state)
{
	char back[33];
	struct message m;

	(void)state;
	message_begin(&m);
	message_put_field(&m, "a name", 4);
	message_put_field(&m, "12345678901234567890123456789012345", 4);
	message_put(&m, 9);
	assert_int_equal(m.length, 9);
	message_begin_read(&m);
	message_get_field(&m, back, sizeof(back), 4);
	assert_string_equal(back, "a name");
	message_get_field(&m, back, sizeof(back), 4);
	assert_string_equal(back, "1234567890123456789012345678901");
	assert_int_equal(message_get(&m), 9);
	message_get_field(&m, back, sizeof(back), 4);
	assert_true(m.failed);
	assert_string_equal(back, "");
}

static void labels(void **state)
{
	(void)state;
	for (int r = -4096; r <= 4096; r++) {
		assert_int_equal(message_result_of(message_label_of(r)), r);
		assert_int_equal(message_label_of(r) >> 52, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(words_and_bytes), cmocka_unit_test(bounds), cmocka_unit_test(text),
					   cmocka_unit_test(fields), cmocka_unit_test(labels)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
