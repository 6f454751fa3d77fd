#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "mem/mem.h"
#include "sel4/constants.h"
#include "servers/root/bootinfo.h"

static uint8_t chunks[8192] __attribute__((aligned(16)));
static size_t used;
static seL4_BootInfo bi;

static void add(uint64_t id, const void *content, size_t n)
{
	mem_put64(chunks + used, id);
	mem_put64(chunks + used + 8, 16 + n);
	memcpy(chunks + used + 16, content, n);
	used += 16 + n;
}

static void begin(void)
{
	used = 0;
	memset(&bi, 0, sizeof(bi));
}

/* The exact bytes are on the heap: a read beyond them is noticed. */
static bool read_all(struct bootinfo *b, uint8_t **copy)
{
	*copy = aligned_alloc(16, (used + 15) & ~15ull);
	memcpy(*copy, chunks, used);
	return bootinfo_read(b, &bi, *copy, used);
}

static void everything(void **state)
{
	static const char line[16] = "console=com1";
	uint8_t rsdp[36] = {1}, fb[22] = {0}, module[48] = {0}, odd[8] = {0};
	struct insula_bi_machine machine = {.tsc_hz = 123};
	uint8_t more[16 + 32] = {0};
	struct bootinfo b;
	struct bootinfo_untyped u;
	uint8_t *copy;

	(void)state;
	begin();
	mem_put64(fb, 0xfd000000);
	mem_put32(fb + 8, 5120);
	fb[20] = 32;
	fb[21] = 1;
	add(SEL4_BOOTINFO_HEADER_X86_ACPI_RSDP, rsdp, sizeof(rsdp));
	add(SEL4_BOOTINFO_HEADER_X86_FRAMEBUFFER, fb, sizeof(fb));
	add(SEL4_BOOTINFO_HEADER_PADDING, odd, (8 - used % 8) % 8);
	add(INSULA_BOOTINFO_CMDLINE, line, sizeof(line));
	add(INSULA_BOOTINFO_MACHINE, &machine, sizeof(machine));
	mem_put64(module, 0x1000000);
	mem_put64(module + 8, 5000);
	memcpy(module + 32, "name=x", 7);
	add(INSULA_BOOTINFO_MODULE, module, sizeof(module));
	mem_put64(more, 900);
	mem_put64(more + 8, 2);
	mem_put64(more + 16, 0x2000);
	more[24] = 12;
	more[25] = 1;
	mem_put64(more + 32, 0x400000);
	more[40] = 22;
	add(INSULA_BOOTINFO_UNTYPED, more, sizeof(more));
	add(0x777777, odd, 0);
	bi.untyped.start = 100;
	bi.untyped.end = 101;
	bi.untypedList[0] = (seL4_UntypedDesc){.paddr = 0x1000, .sizeBits = 12};
	assert_true(read_all(&b, &copy));
	assert_int_equal(b.rsdp[0], 1);
	assert_true(b.has_framebuffer);
	assert_int_equal(b.framebuffer.address, 0xfd000000);
	assert_int_equal(b.framebuffer.pitch, 5120);
	assert_int_equal(b.framebuffer.bpp, 32);
	assert_string_equal(b.cmdline, line);
	assert_int_equal(b.machine->tsc_hz, 123);
	assert_int_equal(b.module_count, 1);
	assert_string_equal(b.module[0]->string, "name=x");
	assert_true(bootinfo_untyped(&b, 0, &u));
	assert_int_equal(u.slot, 100);
	assert_true(bootinfo_untyped(&b, 1, &u));
	assert_int_equal(u.slot, 900);
	assert_true(u.device);
	assert_true(bootinfo_untyped(&b, 2, &u));
	assert_int_equal(u.slot, 901);
	assert_int_equal(u.bits, 22);
	assert_false(bootinfo_untyped(&b, 3, &u));
	free(copy);
}

static void damaged(void **state)
{
	uint8_t text[32], module[33] = {0}, more[16] = {0};
	struct bootinfo b;
	struct bootinfo_untyped u;
	uint8_t *copy;

	(void)state;
	memset(text, 'x', sizeof(text));
	begin();
	add(INSULA_BOOTINFO_CMDLINE, text, sizeof(text)); /* does not end */
	add(INSULA_BOOTINFO_MACHINE, text, sizeof(text)); /* short */
	module[32] = 'x';
	add(SEL4_BOOTINFO_HEADER_X86_ACPI_RSDP, text, 32); /* short */
	add(INSULA_BOOTINFO_MODULE, text, 24); /* short */
	mem_put64(more + 8, UINT64_MAX / 16);
	add(INSULA_BOOTINFO_UNTYPED, more, sizeof(more)); /* lies about its count */
	assert_true(read_all(&b, &copy));
	assert_string_equal(b.cmdline, "");
	assert_null(b.machine);
	assert_null(b.rsdp);
	assert_int_equal(b.module_count, 0);
	assert_false(bootinfo_untyped(&b, 0, &u));
	free(copy);

	add(INSULA_BOOTINFO_MODULE, module, sizeof(module)); /* its string does not end, nor is the total aligned */
	assert_true(read_all(&b, &copy));
	assert_int_equal(b.module_count, 0);
	free(copy);

	for (uint64_t length = 0; length < 16; length++) {
		begin();
		add(INSULA_BOOTINFO_CMDLINE, "a", 2);
		mem_put64(chunks + 8, length);
		assert_false(read_all(&b, &copy));
		free(copy);
	}
	begin();
	add(INSULA_BOOTINFO_CMDLINE, "a", 2);
	mem_put64(chunks + 8, 19);
	assert_false(read_all(&b, &copy));
	free(copy);
	mem_put64(chunks + 8, UINT64_MAX - 3);
	assert_false(read_all(&b, &copy));
	free(copy);
}

static void too_many_modules(void **state)
{
	uint8_t module[40] = {0};
	struct bootinfo b;
	uint8_t *copy;

	(void)state;
	begin();
	for (unsigned i = 0; i < BOOTINFO_MODULES + 3; i++)
		add(INSULA_BOOTINFO_MODULE, module, sizeof(module));
	assert_true(read_all(&b, &copy));
	assert_int_equal(b.module_count, BOOTINFO_MODULES);
	assert_int_equal(b.modules_dropped, 3);
	free(copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(everything), cmocka_unit_test(damaged), cmocka_unit_test(too_many_modules)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
